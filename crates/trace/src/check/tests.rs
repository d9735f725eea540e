//! Small traces by hand, and random ones against a checker that is too simple to be wrong.

mod by_hand;
mod naive;
mod random;
mod run;
