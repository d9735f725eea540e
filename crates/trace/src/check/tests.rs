//! Small traces made by hand, and random ones, which a naive checker checks too.

mod by_hand;
pub(crate) mod naive;
mod questions;
pub(crate) mod random;
pub(crate) mod run;
