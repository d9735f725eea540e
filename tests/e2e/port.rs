//! One fixed port has one peer.

use crate::support::net::Net;

#[test]
fn a_port_that_is_taken_is_an_error_that_says_so() {
    let Some(mut net) = Net::new() else { return };
    let alice = net.spawn("alice", &["--listen", "0.0.0.0:4455"]);
    alice.address(|address| address.ends_with(":4455"));
    let second = net.launch("alice", "second", &["--listen", "0.0.0.0:4455"]).command();
    let output = std::process::Command::new(&second[0]).args(&second[1..]).arg("--json").output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("4455") && told.contains("in use"), "{told}");
    net.check_complete(vec![alice]);
}
