//! Tests that need something of the machine, and what they do where it is missing.

use std::io::Write as _;

/// Says that a test is skipped and why; fails instead where `CAUSERIE_REQUIRE_NAMESPACES=1` says that nothing is missing.
pub(crate) fn skip(needs: &str, reason: &str) {
    let required = std::env::var_os("CAUSERIE_REQUIRE_NAMESPACES").is_some_and(|value| value == "1");
    assert!(!required, "this test needs {needs}, which CAUSERIE_REQUIRE_NAMESPACES=1 says is here: {reason}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // Past the test runner, which keeps what a test prints with the usual macros to itself unless it fails.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: it needs {needs}: {reason}");
}
