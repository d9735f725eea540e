//! Any bytes for the decoders, and any sequence of calls with hostile envelopes among them. The fuzz targets in `fuzz/` run the
//! same code for hours. Here it runs on the inputs that they found, and on some thousands of random ones. `docs/causal.md` has
//! the commands.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may")]

#[path = "hostile/decoders.rs"]
mod decoders;
#[path = "hostile/operations.rs"]
mod operations;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// Runs the corpus of the fuzzer: inputs that reach different code.
fn again(corpus: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(corpus);
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 20, "{} files", files.len());
    for file in files {
        println!("{}", file.display());
        run(&fs::read(file).unwrap());
    }
}

#[test]
fn the_corpus_of_calls_keeps_the_invariants() {
    again("operations", operations::run);
}

#[test]
fn the_corpus_of_bytes_gives_values_or_errors() {
    again("decoders", decoders::run);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_sequence_of_calls_keeps_the_invariants(setup: u8, calls in prop::collection::vec(any::<u8>(), 0..400)) {
        operations::run(&[&[setup], &calls[..]].concat());
    }

    #[test]
    fn any_bytes_give_a_value_or_an_error(bytes in prop::collection::vec(0..12_u8, 0..60)) {
        decoders::run(&bytes);
    }
}
