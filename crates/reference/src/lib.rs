//! Published algorithms exactly as the books give them, in the plainest data structures. The tests and benchmarks of `causal`
//! compare it with them. Nothing else should use them: they are slow, and trust all input.
#![forbid(unsafe_code)]

pub mod bss;
pub mod ks;
pub mod rst;
