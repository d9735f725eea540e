//! The rivals.

mod bss;
mod causal;
mod ks;
mod rst;

pub(crate) use bss::Bss;
pub(crate) use causal::Causal;
pub(crate) use ks::Ks;
pub(crate) use rst::Rst;
