//! Compares several published algorithms for causal multicast over one simulated network: the size of a message's metadata, the
//! memory of a process, and the time to take a message in. It follows Chandra, Gambhire and Kshemkalyani, "Performance of the
//! optimal causal multicast algorithm: a statistical analysis" (IEEE TPDS 15, 2004).
//!
//! `cargo run --release -p causerie-bench` writes the tables and plots that `docs/rivals.md` shows.
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
