//! Coming back is quiet: the messages that were missed, and one line that sums them up.

use crate::support::net::Net;

/// How often alice and bob each say ten lines.
const ROUNDS: usize = 75;

#[test]
fn after_1500_missed_lines_there_are_the_messages_and_one_summary() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    for name in ["alice", "bob"] {
        carol.meets(name);
    }
    alice.meets("bob");
    carol.say("until later");
    alice.hears("until later");
    bob.hears("until later");
    carol.quit();
    alice.loses("carol");
    bob.loses("carol");
    let mut said = Vec::new();
    for round in 0..ROUNDS {
        for (one, other) in [(0, 1), (1, 0)] {
            let mut last = String::new();
            for line in 0..10 {
                last = format!("{} {round} {line}", ["question", "answer"][one]);
                [&mut alice, &mut bob][one].say(&last);
                said.push(last.clone());
            }
            [&alice, &bob][other].hears(&last);
        }
    }
    carol.restart();
    let summary = carol.expect_event("caught_up", |_| true);
    assert_eq!((&summary["messages"], &summary["people"]), (&(20 * ROUNDS).into(), &2.into()), "{summary}");
    assert_eq!(carol.shown(), said);
    let lines = carol.heard();
    let count = |kind: &str| lines.iter().filter(|line| line["event"] == kind).count();
    assert_eq!((count("held"), count("released"), count("caught_up"), count("gap")), (0, 0, 1, 0));
    net.check_complete(vec![alice, bob, carol]);
}
