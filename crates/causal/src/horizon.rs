//! How far one author's messages have been delivered, and what was given up on the way.

use alloc::vec::Vec;

use smallvec::SmallVec;

use crate::Clock;

/// A range of one author's messages that was given up: those after `from`, up to and including `to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The last clock before the hole.
    pub from: Clock,
    /// The last clock in the hole.
    pub to: Clock,
}

impl Hole {
    /// Whether message `clock` lies in the hole.
    pub fn contains(&self, clock: Clock) -> bool {
        self.from < clock && clock <= self.to
    }
}

/// What one process has of one author's messages.
#[derive(Clone, Debug, Default)]
pub(crate) struct Horizon {
    /// The greatest clock delivered: `SR` in the paper.
    delivered: Clock,
    /// The greatest clock queued for delivery, if that is more.
    queued: Clock,
    /// Messages out of holes that are queued for delivery.
    late: Vec<Clock>,
    /// Ordered and disjoint.
    holes: Vec<Hole>,
}

impl Horizon {
    pub(crate) fn restored(delivered: Clock, holes: Vec<Hole>) -> Self {
        Self { delivered, holes, ..Self::default() }
    }

    pub(crate) fn delivered(&self) -> Clock {
        self.delivered
    }

    pub(crate) fn holes(&self) -> &[Hole] {
        &self.holes
    }

    /// Up to here everything that is for us was delivered, is queued for it in causal order, or was given up: whoever waits
    /// for such a clock waits no longer.
    pub(crate) fn settled(&self) -> Clock {
        self.delivered.max(self.queued).max(self.holes.last().map_or(0, |hole| hole.to))
    }

    /// Whether `clock` was delivered, is queued for delivery, or lies below what was and outside every hole.
    pub(crate) fn has(&self, clock: Clock) -> bool {
        clock <= self.delivered.max(self.queued) && self.hole_with(clock).is_none() || self.late.contains(&clock)
    }

    pub(crate) fn queue(&mut self, clock: Clock) {
        if self.hole_with(clock).is_some() {
            self.late.push(clock);
        } else {
            self.queued = self.queued.max(clock);
        }
    }

    /// Notes that `clock`, queued before, is delivered now; true if that is late.
    pub(crate) fn deliver(&mut self, clock: Clock) -> bool {
        let late = self.leave_hole(clock) || clock <= self.delivered;
        self.delivered = self.delivered.max(clock);
        late
    }

    /// Gives up what is missing up to `up_to`.
    pub(crate) fn abandon(&mut self, up_to: Clock) -> Option<Hole> {
        let hole = Hole { from: self.settled(), to: up_to };
        if hole.to <= hole.from {
            return None;
        }
        match self.holes.last_mut() {
            Some(last) if last.to == hole.from => last.to = hole.to,
            Some(_) | None => self.holes.push(hole),
        }
        Some(hole)
    }

    fn hole_with(&self, clock: Clock) -> Option<usize> {
        let at = self.holes.partition_point(|hole| hole.to < clock);
        self.holes.get(at).filter(|hole| hole.contains(clock)).map(|_| at)
    }

    /// Splits the hole around `clock`.
    fn leave_hole(&mut self, clock: Clock) -> bool {
        self.late.retain(|&late| late != clock);
        let Some(at) = self.hole_with(clock) else { return false };
        let Hole { from, to } = self.holes[at];
        let halves: SmallVec<[Hole; 2]> =
            [Hole { from, to: clock - 1 }, Hole { from: clock, to }].into_iter().filter(|h| h.from < h.to).collect();
        self.holes.splice(at..=at, halves);
        true
    }
}
