//! One identity in two places: a copy of a data folder runs beside the original.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peer::{Peer, eventually};
use crate::support::net::Net;

/// How soon the older start is told, once the newer one has met another peer.
const TOLD_WITHIN: Duration = Duration::from_secs(2);

fn texts(answer: &Value, of: &str) -> Vec<String> {
    let texts = answer[of].as_array().into_iter().flatten();
    texts.filter_map(|item| item["text"].as_str().map(str::to_owned)).collect()
}

fn history(peer: &mut Peer) -> Vec<String> {
    texts(&peer.run("-history all 1000"), "messages")
}

/// alice knows bob. Then bob is copied while it is stopped, and started again.
fn alice_and_bob(net: &mut Net) -> (Peer, Peer) {
    let alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    bob.say("before");
    alice.hears("before");
    eventually("everybody has it", || bob.settled());
    bob.quit();
    alice.loses("bob");
    let copy = bob.launch.folder.join("copy");
    let copied = Command::new("cp").arg("-a").arg(bob.launch.data()).arg(copy).status();
    assert!(copied.expect("cp runs").success());
    bob.restart();
    alice.meets("bob");
    bob.meets("alice");
    (alice, bob)
}

#[test]
fn the_older_start_is_told_at_once_and_nothing_is_shown_twice() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = alice_and_bob(&mut net);
    bob.say("from bob alone");
    alice.hears("from bob alone");
    eventually("alice has it", || bob.settled());
    let mut copy = net.spawn("copy", &["--name", "bob"]);
    copy.write("from the copy, before it met anybody");
    let mut said = Vec::new();
    let refused = (0..10_000).find_map(|number| {
        let answer = bob.ask(&format!("line {number}"));
        std::thread::sleep(Duration::from_millis(5));
        match answer["error"].as_str() {
            Some(error) => Some(error.to_owned()),
            None => {
                said.push(format!("line {number}"));
                None
            }
        }
    });
    let refused = refused.expect("bob is superseded before it has said everything");
    assert!(refused.contains("another copy of this peer"), "{refused}");
    bob.expect_event("problem", |event| event["kind"] == "superseded");
    alice.say("from alice");
    copy.hears("from alice");
    copy.say("from the copy");
    alice.hears("from the copy, before it met anybody");
    alice.hears("from the copy");

    let shown = alice.shown();
    let mut times: BTreeMap<&str, usize> = BTreeMap::new();
    shown.iter().for_each(|text| *times.entry(text).or_default() += 1);
    assert!(times.values().all(|&times| times == 1), "something was shown twice: {times:?}");
    let mut in_history = history(&mut alice);
    in_history.retain(|text| text != "from alice");
    assert_eq!(in_history.len(), shown.len(), "{in_history:?}");

    let unsent = texts(&bob.run("-pending"), "waiting");
    for text in &said {
        assert!(shown.contains(text) || unsent.contains(text), "{text:?} is lost; unsent: {unsent:?}");
    }
    assert!(!unsent.contains(&"from bob alone".to_owned()), "alice has it: {unsent:?}");

    // The user goes on with the original after all.
    copy.quit();
    bob.quit();
    alice.loses("bob");
    bob.restart();
    alice.meets("bob");
    bob.meets("alice");
    if !unsent.is_empty() {
        bob.run("-resend");
    }
    bob.say("the original goes on");
    alice.hears("the original goes on");
    let shown = alice.shown();
    let mut once = shown.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), shown.len(), "{shown:?}");
}

#[test]
fn the_older_start_is_told_within_two_seconds() {
    let Some(mut net) = Net::new() else { return };
    let (_alice, mut bob) = alice_and_bob(&mut net);
    let copy = net.spawn("copy", &["--name", "bob"]);
    copy.meets("alice");
    let met = Instant::now();
    bob.expect_event("problem", |event| event["kind"] == "superseded");
    assert!(met.elapsed() < TOLD_WITHIN, "told after {:?}", met.elapsed());
    bob.write_json(r#"{"id":"health","command":"health"}"#);
    let health = bob.expect("how it is", |line| line["id"] == "health");
    assert_eq!((&health["healthy"], &health["problems"][0]["kind"]), (&false.into(), &"superseded".into()), "{health}");
}
