//! Tests that need something of the machine, and what they do where it is missing.

use std::io::Write as _;

use crate::REQUIRE;

/// Says that a test is skipped and why; fails instead where the variable [`REQUIRE`] of the environment says that nothing is
/// missing, by being 1.
pub(crate) fn skip(needs: &str, reason: &str) {
    let required = std::env::var_os(REQUIRE).is_some_and(|value| value == "1");
    assert!(!required, "this test needs {needs}, which {REQUIRE}=1 says is here: {reason}");
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    // Past the test runner, which keeps what a test prints with the usual macros to itself unless it fails.
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: it needs {needs}: {reason}");
}
