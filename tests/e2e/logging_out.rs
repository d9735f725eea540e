//! Logging out stops the peer, wherever its user does it, and what is sent meanwhile waits.

use std::process::Output;

use crate::peer::{Launch, Peer};
use crate::service::Service;

fn attach(service: &Service) -> Peer {
    Launch { name: "alice".to_owned(), ..service.launch.clone() }.attach()
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned())
}

#[test]
fn a_person_who_logs_out_counts_as_away_and_gets_what_was_sent_meanwhile() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut bob = Launch::alone("bob", folder.path(), &[]).start();
    let address = bob.address(|_| true);
    let launch = Launch::alone("alice", folder.path(), &["--peer", &address]);
    let mut alice = Service::start(launch.clone());
    bob.meets("alice");

    let (mut one, mut other) = (attach(&alice), attach(&alice));
    one.say("good night");
    let answer = one.run("-logout");
    assert_eq!((answer["answer"].as_str(), answer["who"]["name"].as_str()), (Some("logging_out"), Some("alice")));
    assert_eq!(one.wait().code(), Some(0));
    // A service that its user has stopped is not started again.
    assert_eq!(alice.ends().code(), Some(0));
    assert!(alice.log().ends_with("alice has logged out\n"), "{}", alice.log());
    // It has not done all that its input may have held.
    assert_eq!(other.wait().code(), Some(1));
    bob.loses("alice");
    bob.hears("good night");

    let sent = bob.run("@alice while you were away");
    assert_eq!(sent["away"][0]["name"], "alice", "{sent}");
    let mut alice = Service::start(launch);
    alice.logs("while you were away");

    assert_eq!(told(&alice.call(&["logout"])), (Some(0), "alice has logged out\n".to_owned()));
    assert_eq!(alice.ends().code(), Some(0));
    let (code, why) = told(&alice.call(&["logout"]));
    assert_eq!(code, Some(1));
    assert!(why.contains("no peer is running"), "{why}");
}
