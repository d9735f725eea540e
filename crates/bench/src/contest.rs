//! Who takes part, and in what.

use causal::{Config, Markers};

use crate::rivals::{Bss, Causal, Ks, Rst};
use crate::{Outcome, Run, Traffic, simulate};

/// A way of causal multicast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contestant {
    /// This project's, as it is.
    Causal,
    /// The same with every marker in every message, as published: exact.
    EveryMarker,
    /// The same without any marker.
    NoMarker,
    /// Kshemkalyani and Singhal's from the book, a message for each destination.
    Book,
    /// Birman, Schiper and Stephenson's vector clock.
    Vector,
    /// Raynal, Schiper and Toueg's matrix.
    Matrix,
}

impl Contestant {
    /// Everybody but [`NoMarker`](Self::NoMarker).
    pub const RIVALS: [Self; 5] = [Self::Causal, Self::EveryMarker, Self::Book, Self::Vector, Self::Matrix];

    /// What it is called in tables and plots.
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

    /// Why it does not take part, if it does not.
    pub fn excuse(self, run: &Run) -> Option<&'static str> {
        match self {
            Self::Causal | Self::NoMarker => None,
            Self::EveryMarker => (run.size > 200).then_some("too slow here"),
            Self::Book => (run.size > 50).then_some("too slow here"),
            Self::Vector => (run.traffic != Traffic::ALL).then_some("broadcast only"),
            Self::Matrix => (run.size > 200).then_some("too large here"),
        }
    }

    /// Has it run.
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
