//! The deterministic simulator: many peers of `chat`, a virtual clock, a network that delays, loses and breaks, crashes
//! between any two effects, and invariants that watch. The same seed always gives the same run.
//!
//! `docs/simulation.md` says how to use it and what it found.
#![forbid(unsafe_code)]

pub mod chronicle;
pub mod dice;
pub mod disk;
pub mod invariants;
pub mod liar;
pub mod machine;
pub mod network;
pub mod plan;
mod run;
pub mod traces;
pub mod world;

pub use run::{Failure, Summary, replay, run_many, run_one};
