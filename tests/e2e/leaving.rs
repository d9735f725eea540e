//! The ways to leave on purpose.

use std::process::Command;

use crate::support::net::Net;

#[test]
fn quitting_the_end_of_input_and_a_signal_all_say_goodbye() {
    let Some(mut net) = Net::new() else { return };
    let alice = net.spawn("alice", &[]);
    let mut quits = net.spawn("quits", &[]);
    let mut ends = net.spawn("ends", &[]);
    let mut told = net.spawn("told", &[]);
    for name in ["quits", "ends", "told"] {
        alice.meets(name);
    }
    quits.quit();
    alice.loses("quits");
    ends.close_input();
    assert!(ends.wait().success());
    alice.loses("ends");
    let signalled = Command::new("kill").args(["-TERM", &told.pid().to_string()]).status().expect("kill can be run");
    assert!(signalled.success());
    assert!(told.wait().success());
    alice.loses("told");
    net.check_complete_without(vec![alice], &["quits", "ends", "told"]);
}
