//! Real kills: eight peers with their stores on disk talk all the time, and are killed and started again at random. Nothing
//! that a user saw as sent is lost, nothing is shown twice, and everything is in causal order across all lives.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::dice::Dice;
use crate::peer::{Peer, eventually};
use crate::support::net::Net;

const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

/// How often somebody is killed; `CAUSERIE_KILLS` has it otherwise.
const ROUNDS: usize = 100;

#[test]
fn nothing_is_lost_or_shown_twice_when_peers_are_killed_at_any_moment() {
    let Some(mut net) = Net::new() else { return };
    let rounds = std::env::var("CAUSERIE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(ROUNDS);
    let mut dice = Dice::new();
    let mut peers: Vec<Peer> = NAMES.iter().map(|name| net.spawn(name, &[])).collect();
    for peer in &peers {
        for name in NAMES.iter().filter(|name| **name != peer.name()) {
            peer.meets(name);
        }
    }
    peers[0].run("-creategroup cars");
    for peer in &mut peers[1..4] {
        eventually("that the group is known", || peer.ask("-joingroup cars").get("answer").is_some());
    }
    // What each user was told is sent, all lives together.
    let mut sent: Vec<BTreeSet<String>> = vec![BTreeSet::new(); NAMES.len()];
    for round in 0..rounds {
        for _ in 0..3 {
            let one = dice.below(NAMES.len());
            for line in 0..dice.below(20) {
                let text = format!("{} round {round} line {line}", NAMES[one]);
                peers[one].write(&match dice.below(10) {
                    0 => format!("@{} {text}", NAMES[(one + 1) % NAMES.len()]),
                    1 if one < 4 => format!("@cars {text}"),
                    _ => text,
                });
            }
        }
        // In the middle of the work that this is.
        std::thread::sleep(Duration::from_millis(dice.below(40) as u64));
        let victim = dice.below(NAMES.len());
        peers[victim].kill();
        sent[victim].extend(answered(&peers[victim]));
        peers[victim].restart();
        std::thread::sleep(Duration::from_millis(dice.below(150) as u64));
    }
    for (number, peer) in peers.iter_mut().enumerate() {
        peer.say(&format!("the end of {number}, CAUSERIE_SEED={}", dice.seed));
    }
    for (number, peer) in peers.iter().enumerate() {
        for other in (0..NAMES.len()).filter(|&other| other != number) {
            peer.hears(&format!("the end of {other}, CAUSERIE_SEED={}", dice.seed));
        }
        sent[number].extend(answered(peer));
    }
    net.check_complete(peers);
    let known = net.sent();
    for (number, sent) in sent.iter().enumerate() {
        let lost: Vec<_> = sent.iter().filter(|id| !known.contains(id.as_str())).collect();
        assert!(lost.is_empty(), "{} saw as sent what no trace has: {lost:?}", NAMES[number]);
    }
}

/// The ids of what this life told its user is sent.
fn answered(peer: &Peer) -> BTreeSet<String> {
    let lines = peer.heard();
    let answers = lines.iter().filter(|line| line["answer"] == "sent");
    answers.filter_map(|line| line["message"]["id"].as_str().map(str::to_owned)).collect()
}
