//! A peer that is killed is missed within seconds, and is itself again when it is back.

use std::time::{Duration, Instant};

use crate::support::net::Net;

#[test]
fn a_killed_peer_comes_back_as_the_same_person() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let carol = net.spawn("carol", &[]);
    let before = alice.meets("bob");
    carol.meets("alice");
    carol.meets("bob");
    bob.say("before");
    alice.hears("before");
    carol.hears("before");

    let killed = Instant::now();
    bob.kill();
    alice.loses("bob");
    carol.loses("bob");
    assert!(killed.elapsed() < Duration::from_secs(5), "noticed after {:?}", killed.elapsed());

    let away = alice.run("@bob while you were out");
    assert_eq!(away["away"][0]["name"], "bob", "{away}");
    alice.say("to all of you");
    carol.hears("to all of you");

    bob.restart();
    let after = alice.meets("bob");
    assert_eq!(after["who"]["person"], before["who"]["person"]);
    let kept = bob.hears("while you were out");
    assert_eq!(kept["message"]["from"]["name"], "alice", "{kept}");
    bob.meets("carol");
    bob.say("after");
    alice.hears("after");
    carol.hears("after");
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn what_a_killed_peer_sent_stays_delivered_once() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let bob = net.spawn("bob", &[]);
    let carol = net.spawn("carol", &[]);
    alice.meets("bob");
    alice.meets("carol");
    bob.meets("carol");
    for number in 0..200 {
        alice.write(&format!("line {number}"));
    }
    bob.hears("line 100");
    alice.kill();
    bob.loses("alice");
    alice.restart();
    alice.meets("bob");
    alice.meets("carol");
    alice.say("back");
    bob.hears("back");
    carol.hears("back");
    let lines: Vec<String> = bob.shown().into_iter().filter(|text| text.starts_with("line")).collect();
    let expected: Vec<String> = (0..lines.len()).map(|number| format!("line {number}")).collect();
    assert_eq!(lines, expected);
    net.check_complete(vec![alice, bob, carol]);
}
