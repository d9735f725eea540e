//! Published algorithms as they stand in the books, in the plainest data structures, to compare the real thing with: the tests
//! of `causal` and its benchmarks use them. Nothing else should: they are slow, and trust everything that they are given.
#![forbid(unsafe_code)]

pub mod bss;
pub mod ks;
pub mod rst;
