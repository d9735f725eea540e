//! The exemptions from causal order for a process that has given messages up.
//!
//! A message m that depends on h need not name the dependencies of h: its destination d learns them from h. If d gives h up and
//! delivers m, then the dependencies of h may arrive at d after m. That breaks no rule.

use crate::history::{History, Number, Range, Sent};
use crate::past::Past;

/// The messages that one process gave up.
#[derive(Default)]
pub(super) struct Holes {
    /// For each range, the messages in it that were sent to this process, oldest first.
    ranges: Vec<Vec<Number>>,
    crossings: Vec<Crossing>,
}

/// Deliveries that depend on the same given-up messages.
struct Crossing {
    /// For each range that is crossed, its newest message that they depend on.
    holes: Vec<Number>,
    /// The past of these messages, themselves included: exempt.
    before: Past,
    /// The past of the deliveries.
    after: Past,
}

impl Holes {
    pub(super) fn open(&mut self, history: &History, range: &Range, process: Number) {
        self.ranges.push(history.in_range(range, process).collect());
    }

    /// Notes a delivery that depends on a given-up message. Returns false if it depends on none.
    pub(super) fn cross(&mut self, history: &History, pasts: &[Option<Past>], delivered: Number, past: &Past) -> bool {
        let depends = |&hole: &Number| {
            let sent = history.messages[hole as usize].sent.expect("a range holds only messages that were sent");
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
            pasts[hole as usize]
                .as_ref()
                .expect("a dependency was sent before, and the past of a given-up message is kept")
        };
        let mut before = past_of(first).clone();
        for &hole in others {
            before.join(past_of(hole));
        }
        self.crossings.push(Crossing { holes, before, after: past.clone() });
        true
    }

    /// Whether a delivery that crossed a gap depends on this message, and no given-up message does.
    pub(super) fn forbid(&self, sent: Sent) -> bool {
        self.crossings
            .iter()
            .any(|crossing| (crossing.before.of(sent.site)..crossing.after.of(sent.site)).contains(&sent.index))
    }
}
