//! Targets for the size of messages.

use crate::{Contestant, Run, Traffic};

/// A bound on the bytes of a message.
pub struct Target {
    /// Its name, which describes the traffic.
    pub name: &'static str,
    /// The run in which it is measured.
    pub run: Run,
    /// The greatest size of a message.
    pub bound: Bound,
    /// Whether the check takes only seconds, even in a debug build.
    pub fast: bool,
}

/// The greatest size of a message.
pub enum Bound {
    /// This many bytes, including the additions that the link has to be told.
    Bytes(f64),
    /// This many times its size with every marker.
    OfExact(f64),
}

/// All targets. Each copy takes 50 ms.
pub const TARGETS: &[Target] = &[
    Target {
        name: "450 to all, 1 message a second",
        run: Run { size: 450, traffic: Traffic::ALL, delay: 0.05 / 450.0, warm_up: 2_000, measured: 2_000, seed: 1 },
        bound: Bound::Bytes(32.0),
        fast: false,
    },
    Target {
        name: "450 to all, 45 messages a second",
        run: Run { size: 450, traffic: Traffic::ALL, delay: 2.25 / 450.0, warm_up: 2_000, measured: 2_000, seed: 1 },
        bound: Bound::Bytes(32.0),
        fast: false,
    },
    Target {
        name: "50 to all, one message a second each",
        run: Run { size: 50, traffic: Traffic::ALL, delay: 0.05, warm_up: 300, measured: 500, seed: 1 },
        bound: Bound::Bytes(32.0),
        fast: true,
    },
    Target {
        name: "50 in mixed traffic, one message a second each",
        run: Run { size: 50, traffic: Traffic::chat(8), delay: 0.05, warm_up: 1_000, measured: 2_000, seed: 1 },
        bound: Bound::Bytes(48.0),
        fast: true,
    },
    Target {
        name: "8, direct messages only, ten a second each",
        run: Run { size: 8, traffic: Traffic::DIRECT, delay: 0.5, warm_up: 500, measured: 3_000, seed: 1 },
        bound: Bound::OfExact(1.25),
        fast: true,
    },
    Target {
        name: "50, direct messages only, one a second each",
        run: Run { size: 50, traffic: Traffic::DIRECT, delay: 0.05, warm_up: 3_000, measured: 3_000, seed: 1 },
        bound: Bound::OfExact(1.25),
        fast: true,
    },
];

impl Target {
    /// The measured size, and the greatest that is allowed.
    pub fn measure(&self) -> (f64, f64) {
        let outcome = Contestant::Causal.run(&self.run);
        match self.bound {
            Bound::Bytes(most) => (outcome.bytes.max(outcome.on_links) + outcome.additions, most),
            Bound::OfExact(times) => (outcome.bytes, times * Contestant::EveryMarker.run(&self.run).bytes),
        }
    }
}
