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

/// How long it takes to meet everybody if all connections to one peer are dropped: five seconds, and the rest for a busy machine. A dial
/// of which nothing can come takes 30 by itself.
const OUT_OF_TURN: Duration = Duration::from_secs(20);

#[test]
fn a_firewall_at_one_end_costs_a_few_seconds_at_most() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    if !net.can_filter("alice") {
        return;
    }
    for table in ["iptables", "ip6tables"] {
        net.on("alice", &[table, "-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP"]);
    }
    let alice = net.spawn_beside("alice", "alice", &[]);
    // Who is to dial is drawn at random: it is alice for some, and not for all.
    let names = ["bob", "carol", "dave", "erin", "frank", "grace"];
    let mut peers = vec![alice];
    peers.extend(names.map(|name| net.spawn(name, &[])));
    for name in names {
        peers[0].expect_within(OUT_OF_TURN, name, |line| line["event"] == "peer_up" && line["who"]["name"] == name);
    }
    net.check_complete(peers);
}

#[test]
fn who_cannot_be_discovered_is_told_why() {
    let Some(mut net) = Net::new() else { return };
    let alice = net.spawn("alice", &["--interface", "nosuch0"]);
    alice.expect_event("problem", |event| event["text"].as_str().is_some_and(|text| text.contains("nosuch0")));
    net.check_complete(vec![alice]);
}
