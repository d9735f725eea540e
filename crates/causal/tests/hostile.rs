//! Any bytes for the decoders, and any sequence of calls with hostile envelopes among them. The fuzz targets in `fuzz/` run the
//! same code for hours; here it runs on what they found, and on some thousands of random inputs. `docs/causal.md` has the
//! commands.
#![expect(clippy::unwrap_used, reason = "a test may")]

#[path = "hostile/decoders.rs"]
mod decoders;
#[path = "hostile/operations.rs"]
mod operations;

use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_sequence_of_calls_keeps_what_was_promised(setup: u8, calls in prop::collection::vec(any::<u8>(), 0..400)) {
        operations::run(&[&[setup], &calls[..]].concat());
    }

    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in prop::collection::vec(0..12_u8, 0..60)) {
        decoders::run(&bytes);
    }
}
