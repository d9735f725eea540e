//! The rivals.

mod bss;
mod causal;
mod ks;
mod rst;

/// How many messages each process has sent before a run. So clocks are as long as in a group that has existed for long: three
/// bytes.
const BEFORE: u64 = 20_000;

pub(crate) use bss::Bss;
pub(crate) use causal::Causal;
pub(crate) use ks::Ks;
pub(crate) use rst::Rst;
