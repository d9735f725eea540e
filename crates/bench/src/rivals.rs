//! The rivals.

mod bss;
mod causal;
mod ks;
mod rst;

/// How many messages each has sent before a run, so that clocks have the length that they have in a group that has been there
/// for long: three bytes.
const BEFORE: u64 = 20_000;

pub(crate) use bss::Bss;
pub(crate) use causal::Causal;
pub(crate) use ks::Ks;
pub(crate) use rst::Rst;
