//! The sweeps: what each varies and measures.

use crate::{Contestant, Outcome, Run, Traffic};

/// Runs that differ in one parameter only.
pub struct Sweep {
    /// The beginning of the names of its files.
    pub file: &'static str,
    /// The title, which describes the traffic.
    pub title: &'static str,
    /// The name of the parameter.
    pub axis: &'static str,
    /// Whether the parameter grows by factors, so that its axis is logarithmic.
    pub by_factors: bool,
    /// The contestants.
    pub contestants: Vec<Contestant>,
    /// The measures to show.
    pub measures: &'static [Measure],
    /// The values of the parameter, each with its run.
    pub points: Vec<(f64, Run)>,
}

/// A quantity that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Bytes per message on a link.
    Bytes,
    /// Entries that a process remembers.
    Log,
    /// Time to take a message in.
    Receive,
}

impl Measure {
    /// Its name in file names.
    pub fn file(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Log => "log",
            Self::Receive => "receive",
        }
    }

    /// Its name in plots and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bytes => "metadata per message, bytes",
            Self::Log => "entries (counters) remembered",
            Self::Receive => "time per receive, ns",
        }
    }

    /// Its value in `outcome`.
    pub fn of(self, outcome: &Outcome) -> f64 {
        match self {
            Self::Bytes => outcome.bytes,
            Self::Log => outcome.log,
            Self::Receive => outcome.receive.as_nanos() as f64,
        }
    }
}

/// How many messages are on their way on average, in a group where each copy takes 50 ms and 45 messages a second are sent in
/// total.
const ON_THEIR_WAY: f64 = 2.25;

/// All sweeps that are plotted.
pub fn sweeps() -> Vec<Sweep> {
    use Contestant::{Book, Causal, EveryMarker, Matrix, NoMarker, Vector};
    let run = |size: usize, traffic, delay| Run {
        size,
        traffic,
        delay,
        warm_up: (size * 4).max(1_500),
        measured: if traffic == Traffic::DIRECT { 4_000 } else { 1_000 },
        seed: 1,
    };
    let sizes = |traffic: Traffic, sizes: &[usize]| {
        sizes.iter().map(|&size| (size as f64, run(size, traffic, ON_THEIR_WAY / size as f64))).collect()
    };
    let of_fifty = |values: &[f64], traffic: fn(f64) -> Traffic, delay: fn(f64) -> f64| {
        values.iter().map(|&value| (value, run(50, traffic(value), delay(value)))).collect()
    };
    vec![
        Sweep {
            file: "all",
            title: "each process to all, 45 messages a second, 50 ms",
            axis: "processes",
            by_factors: true,
            contestants: vec![Causal, EveryMarker, Book, Vector, Matrix],
            measures: &[Measure::Bytes, Measure::Log, Measure::Receive],
            points: sizes(Traffic::ALL, &[5, 10, 20, 50, 100, 200, 450, 1000]),
        },
        Sweep {
            file: "chat",
            title: "30 % to all, 40 % to groups of 8, 30 % direct, 45 messages a second, 50 ms",
            axis: "processes",
            by_factors: true,
            contestants: vec![Causal, EveryMarker, Book, Matrix],
            measures: &[Measure::Bytes, Measure::Log, Measure::Receive],
            points: sizes(Traffic::chat(8), &[10, 20, 50, 100, 200, 450, 1000]),
        },
        Sweep {
            file: "direct",
            title: "direct messages only, 45 messages a second, 50 ms",
            axis: "processes",
            by_factors: true,
            contestants: vec![Causal, EveryMarker, NoMarker, Book, Matrix],
            measures: &[Measure::Bytes, Measure::Log, Measure::Receive],
            points: sizes(Traffic::DIRECT, &[5, 10, 20, 50, 100]),
        },
        Sweep {
            file: "share",
            title: "50 processes, some messages to 10 random others, the rest to one",
            axis: "% to ten",
            by_factors: false,
            contestants: vec![Causal, EveryMarker, NoMarker, Matrix],
            measures: &[Measure::Bytes, Measure::Log],
            points: of_fifty(
                &[0.0, 10.0, 20.0, 40.0, 60.0, 80.0, 100.0],
                |share| Traffic::drawn(share as usize, 10),
                |_| ON_THEIR_WAY / 50.0,
            ),
        },
        Sweep {
            file: "set",
            title: "50 processes, each message to this many random others",
            axis: "destinations",
            by_factors: false,
            contestants: vec![Causal, EveryMarker, NoMarker, Matrix],
            measures: &[Measure::Bytes, Measure::Log],
            points: of_fifty(
                &[1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 49.0],
                |set| Traffic::drawn(100, set as usize),
                |_| ON_THEIR_WAY / 50.0,
            ),
        },
        Sweep {
            file: "delay",
            title: "50 processes, 30 % to all, 40 % to groups of 8, 30 % direct",
            axis: "delay / interval between two messages of a process",
            by_factors: true,
            contestants: vec![Causal, EveryMarker, NoMarker, Book, Matrix],
            measures: &[Measure::Bytes, Measure::Log, Measure::Receive],
            points: of_fifty(&[0.001, 0.01, 0.05, 0.2, 1.0, 5.0], |_| Traffic::chat(8), |delay| delay),
        },
    ]
}
