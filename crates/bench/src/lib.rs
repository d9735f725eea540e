//! Causal multicast by several published ways, side by side over one simulated network: what a message carries, what a process
//! remembers, and how long it takes to take a message in. In the manner of Chandra, Gambhire and Kshemkalyani, "Performance of
//! the optimal causal multicast algorithm: a statistical analysis" (IEEE TPDS 15, 2004).
//!
//! `cargo run --release -p causerie-bench` writes what `docs/rivals.md` shows.
#![forbid(unsafe_code)]

mod contest;
mod network;
mod plain;
mod plot;
mod rival;
mod rivals;
mod sweep;
mod table;
mod target;
mod traffic;

pub use contest::Contestant;
pub use network::{Outcome, Run, simulate};
pub use plot::draw;
pub use rival::{Posted, Rival};
pub use sweep::{Measure, Sweep, sweeps};
pub use table::tabulate;
pub use target::{TARGETS, Target};
pub use traffic::Traffic;
