//! What a process may no longer be held to, once it has given messages up.
//!
//! Whoever sends h to d need not say any more what else d must have first: d learns it from h. If d gives h up and
//! delivers m, which depends on h, then what h depended on may come to d after m, and nobody did anything wrong.

use crate::history::{History, Number, Range, Sent};
use crate::past::Past;

/// What one process gave up.
#[derive(Default)]
pub(super) struct Holes {
    /// For each range, the messages in it that were sent to this process, oldest first.
    ranges: Vec<Vec<Number>>,
    crossings: Vec<Crossing>,
}

/// Deliveries that depend on the same given-up messages.
struct Crossing {
    /// Of each range that is crossed, its newest message that they depend on.
    holes: Vec<Number>,
    /// What these holes depend on, and themselves: exempt.
    before: Past,
    /// What the deliveries depend on.
    after: Past,
}

impl Holes {
    pub(super) fn open(&mut self, history: &History, range: &Range, process: Number) {
        self.ranges.push(history.in_range(range, process).collect());
    }

    /// Takes note of a delivery, if it depends on a hole: returns false if it does not.
    pub(super) fn cross(&mut self, history: &History, pasts: &[Option<Past>], delivered: Number, past: &Past) -> bool {
        let depends = |&hole: &Number| {
            let sent = history.messages[hole as usize].sent.expect("a hole holds what was sent");
            hole != delivered && sent.index < past.of(sent.site)
        };
        let holes: Vec<Number> =
            self.ranges.iter().filter_map(|range| range.iter().copied().rev().find(depends)).collect();
        let Some((&first, others)) = holes.split_first() else { return false };
        if let Some(crossing) = self.crossings.iter_mut().find(|crossing| crossing.holes == holes) {
            crossing.after.join(past);
            return true;
        }
        let past_of = |hole: Number| {
            pasts[hole as usize].as_ref().expect("a dependency was sent before, and the past of a hole is kept")
        };
        let mut before = past_of(first).clone();
        for &hole in others {
            before.join(past_of(hole));
        }
        self.crossings.push(Crossing { holes, before, after: past.clone() });
        true
    }

    /// A delivery across a hole depends on this message, and no hole does.
    pub(super) fn forbid(&self, sent: Sent) -> bool {
        self.crossings
            .iter()
            .any(|crossing| (crossing.before.of(sent.site)..crossing.after.of(sent.site)).contains(&sent.index))
    }
}
