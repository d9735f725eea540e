//! Tests in a network namespace of their own: nothing of them reaches the machine's network.

use std::{env, process::Command};

use crate::skip;

/// Runs `test`, the caller's own name, again in a fresh namespace after `setup`. `true` inside of it.
pub(crate) fn inside(test: &str, setup: &str) -> bool {
    const INSIDE: &str = "CAUSERIE_TEST_INSIDE";
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let privileged = Command::new("unshare").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    let how = if privileged { "-n" } else { "-rn" };
    match Command::new("unshare").args([how, "ip", "link", "set", "lo", "up"]).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            skip::skip("network namespaces", &String::from_utf8_lossy(&output.stderr));
            return false;
        }
        Err(error) => {
            skip::skip("unshare", &error.to_string());
            return false;
        }
    }
    let script = format!("set -e; ip link set lo up; {setup}; exec \"$0\" --exact {test} --nocapture");
    let this = env::current_exe().expect("the test's own program");
    let mut again = Command::new("unshare");
    again.args([how, "sh", "-c", &script]).arg(this).env(INSIDE, "1");
    assert!(again.status().expect("unshare ran before").success(), "see above");
    false
}

/// An IPv4 network with one address.
pub(crate) const LAN: &str =
    "ip link add lan type veth peer name far; ip link set far up; ip addr add 10.9.0.1/24 dev lan; ip link set lan up";
