//! The algorithms that take part, and in which runs.

use causal::{Config, Markers};

use crate::rivals::{Bss, Causal, Ks, Rst};
use crate::{Outcome, Run, Traffic, simulate};

/// An algorithm for causal multicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// This project's algorithm with its defaults.
    Causal,
    /// This project's algorithm with every marker in every message, as published: exact.
    EveryMarker,
    /// This project's algorithm without any markers.
    NoMarker,
    /// Kshemkalyani and Singhal's algorithm from the book, one message for each destination.
    Book,
    /// Birman, Schiper and Stephenson's vector clock.
    Vector,
    /// Raynal, Schiper and Toueg's matrix.
    Matrix,
}

impl Contestant {
    /// All except [`NoMarker`](Self::NoMarker).
    pub const RIVALS: [Self; 5] = [Self::Causal, Self::EveryMarker, Self::Book, Self::Vector, Self::Matrix];

    /// The name in tables and plots.
    pub fn name(self) -> &'static str {
        match self {
            Self::Causal => "causal",
            Self::EveryMarker => "causal, every marker",
            Self::NoMarker => "causal, no marker",
            Self::Book => "KS from the book",
            Self::Vector => "BSS vector",
            Self::Matrix => "RST matrix",
        }
    }

    /// Why it does not take part in `run`; `None` if it does.
    pub fn excuse(self, run: &Run) -> Option<&'static str> {
        match self {
            Self::Causal | Self::NoMarker => None,
            Self::EveryMarker => (run.size > 200).then_some("too slow here"),
            Self::Book => (run.size > 50).then_some("too slow here"),
            Self::Vector => (run.traffic != Traffic::ALL).then_some("broadcast only"),
            Self::Matrix => (run.size > 200).then_some("too large here"),
        }
    }

    /// Runs it.
    pub fn run(self, run: &Run) -> Outcome {
        let causal = |markers| simulate(run, |me| Causal::new(me, run.size, markers));
        match self {
            Self::Causal => causal(Config::default().markers),
            Self::EveryMarker => causal(Markers::Always),
            Self::NoMarker => causal(Markers::Beyond(usize::MAX)),
            Self::Book => simulate(run, |me| Ks::new(me, run.size)),
            Self::Vector => simulate(run, |me| Bss::new(me, run.size)),
            Self::Matrix => simulate(run, |me| Rst::new(me, run.size)),
        }
    }
}
