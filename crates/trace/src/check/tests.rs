//! Small traces by hand, and random ones against a checker that is too simple to be wrong.

mod by_hand;
pub(crate) mod naive;
mod questions;
pub(crate) mod random;
pub(crate) mod run;
