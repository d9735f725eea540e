//! Peers on one network find each other by themselves, within two seconds.

use std::time::{Duration, Instant};

use crate::support::net::Net;

#[test]
fn a_newcomer_meets_everybody_within_two_seconds() {
    let Some(mut net) = Net::new() else { return };
    let mut peers = vec![net.spawn("alice", &[]), net.spawn("bob", &[])];
    peers[0].meets("bob");
    let mut took = Vec::new();
    for name in ["carol", "dave", "erin"] {
        net.plug(name);
        let began = Instant::now();
        let newcomer = net.spawn_beside(name, name, &[]);
        for peer in &peers {
            newcomer.meets(peer.name());
        }
        took.push(began.elapsed());
        for peer in &peers {
            peer.meets(name);
        }
        peers.push(newcomer);
    }
    // A busy machine can delay one start; it does not delay three.
    assert!(took.iter().min() < Some(&Duration::from_secs(2)), "{took:?}");
    net.check_complete(peers);
}

#[test]
fn who_cannot_be_discovered_is_told_why() {
    let Some(mut net) = Net::new() else { return };
    let alice = net.spawn("alice", &["--interface", "nosuch0"]);
    alice.expect_event("problem", |event| event["text"].as_str().is_some_and(|text| text.contains("nosuch0")));
    net.check_complete(vec![alice]);
}
