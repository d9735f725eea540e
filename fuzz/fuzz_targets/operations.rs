//! Any sequence of calls, with hostile envelopes among them. What is asserted stands in `crates/causal/tests/hostile`, where
//! the ordinary tests run it too.
#![no_main]

#[path = "../../crates/causal/tests/hostile/operations.rs"]
mod operations;

libfuzzer_sys::fuzz_target!(|data: &[u8]| operations::run(data));
