//! Any bytes for the decoders. What is asserted stands in `crates/causal/tests/hostile`, where the ordinary tests run it too.
#![no_main]

#[path = "../../crates/causal/tests/hostile/decoders.rs"]
mod decoders;

libfuzzer_sys::fuzz_target!(|data: &[u8]| decoders::run(data));
