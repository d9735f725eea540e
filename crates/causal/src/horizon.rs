//! How far one author's messages have been delivered, and which are missing below that.
//!
//! As long as nothing was given up, no message is ever missing below `SR`: a message waits for the author's earlier messages to
//! the same destination, or for a message that waits for them. Once this process has given up a message, that chain may have
//! gone through it. So from then on, when a delivered message skips clocks of its author, those become a gap too: they may have
//! been for others, or may still come. They are not given up: a message that names one of them waits for it.

use alloc::vec::Vec;

use crate::Clock;

#[cfg(test)]
mod tests;

/// A gap in one author's messages: none of those after `from`, up to and including `to`, was delivered.
///
/// # Examples
/// ```
/// let hole = causal::Hole { from: 2, to: 4, given_up: true };
/// assert!(hole.contains(3) && hole.contains(4) && !hole.contains(2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The last clock before the gap.
    pub from: Clock,
    /// The last clock in the gap.
    pub to: Clock,
    /// Whether it was given up, so that nothing waits for it. Otherwise it was skipped after something else had been given
    /// up: perhaps no message in it is for this process.
    pub given_up: bool,
}

impl Hole {
    /// Whether message `clock` lies in the gap.
    ///
    /// # Examples
    /// ```
    /// let hole = causal::Hole { from: 0, to: 1, given_up: false };
    /// assert!(hole.contains(1));
    /// ```
    pub fn contains(&self, clock: Clock) -> bool {
        self.from < clock && clock <= self.to
    }
}

/// Which of one author's messages a process has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Horizon {
    /// The greatest clock delivered: `SR` in the paper.
    delivered: Clock,
    /// The greatest clock queued for delivery, if it is greater than `delivered`.
    queued: Clock,
    /// Messages from gaps that are queued for delivery, and whether the gap was given up.
    late: Vec<(Clock, bool)>,
    /// Ordered and disjoint.
    holes: Vec<Hole>,
}

/// Messages of one author that nothing has to wait for any longer: those after the first clock, up to the second.
pub(crate) type Settled = (Clock, Clock);

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

    /// The clock beyond which nothing was delivered, queued or given up, except disregarded messages.
    pub(crate) fn end(&self) -> Clock {
        let reached = self.delivered.max(self.queued);
        if self.holes.last().is_none_or(|last| last.to <= reached) {
            return reached;
        }
        self.holes.iter().fold(reached, |end, hole| if hole.from <= end { end.max(hole.to) } else { end })
    }

    /// Whether a message that names `clock` has to wait: that clock was neither delivered, nor queued for delivery, nor given
    /// up.
    pub(crate) fn awaits(&self, clock: Clock) -> bool {
        match self.hole_with(clock) {
            Some(at) => !self.holes[at].given_up && !self.is_late(clock),
            None => clock > self.end(),
        }
    }

    /// Whether `clock` was delivered, is queued for delivery, or lies below a clock that was, outside every gap.
    pub(crate) fn has(&self, clock: Clock) -> bool {
        clock <= self.delivered.max(self.queued) && self.hole_with(clock).is_none() || self.is_late(clock)
    }

    /// Queues a message that waits for nothing. The clocks that it skips become a gap if the process is `unsure`.
    pub(crate) fn queue(&mut self, clock: Clock, unsure: bool) -> Settled {
        let end = self.end();
        let in_hole = self.hole_with(clock).is_some();
        if in_hole || clock > end {
            // Clocks below a disregarded one have been given up with it.
            let given_up = self.holes.iter().rfind(|hole| hole.given_up).is_some_and(|last| clock <= last.to);
            if in_hole || given_up {
                self.late.push((clock, given_up));
            }
        }
        if in_hole && clock <= end {
            return (clock - 1, clock);
        }
        self.queued = self.queued.max(clock);
        if !unsure || clock - 1 <= end {
            return (end.min(clock - 1), clock);
        }
        self.skip(end, clock - 1);
        (clock - 1, clock)
    }

    /// Turns the clocks after `after`, up to `up_to`, that lie in no gap into gaps.
    fn skip(&mut self, after: Clock, up_to: Clock) {
        let mut from = after;
        let mut skipped = Vec::new();
        for hole in self.holes.iter().filter(|hole| hole.from >= after && hole.from < up_to) {
            skipped.push((from, hole.from));
            from = hole.to;
        }
        skipped.push((from, up_to));
        let skipped = skipped.into_iter().filter(|(from, to)| from < to);
        self.holes.extend(skipped.map(|(from, to)| Hole { from, to, given_up: false }));
        self.holes.sort_unstable_by_key(|hole| hole.from);
    }

    /// Queues `first` as [`queue`](Self::queue) does, and then the messages up to `last` that follow it.
    pub(crate) fn queue_run(&mut self, first: Clock, last: Clock, unsure: bool) -> Settled {
        let (from, _) = self.queue(first, unsure);
        if first == last {
            return (from, last);
        }
        if self.holes.is_empty() {
            self.queued = self.queued.max(last);
        } else {
            for clock in first + 1..=last {
                self.queue(clock, unsure);
            }
        }
        (from, last)
    }

    /// Notes that the messages from `first` to `last`, queued before, are delivered now. Returns how many had been given up.
    pub(crate) fn deliver_run(&mut self, first: Clock, last: Clock) -> u64 {
        if self.holes.is_empty() && self.late.is_empty() {
            self.delivered = self.delivered.max(last);
            return 0;
        }
        (first..=last).map(|clock| u64::from(self.deliver(clock))).sum()
    }

    /// Notes that `clock`, queued before, is delivered now. Returns whether it had been given up.
    pub(crate) fn deliver(&mut self, clock: Clock) -> bool {
        self.delivered = self.delivered.max(clock);
        let queued = self.late.iter().position(|&(late, _)| late == clock);
        let was_given_up = queued.is_some_and(|at| self.late.swap_remove(at).1);
        self.leave_hole(clock).is_some_and(|hole| hole.given_up) || was_given_up
    }

    /// Closes a gap if there are more than `limit`, and more than one: the oldest that was merely skipped, or else one that was
    /// disregarded, or else the oldest. Nothing has to wait for a message in it any longer.
    pub(crate) fn close_beyond(&mut self, limit: usize) -> Option<Settled> {
        if self.holes.len() <= limit.max(1) {
            return None;
        }
        let end = self.end();
        let skipped = self.holes.iter().position(|hole| !hole.given_up);
        let hole = skipped.or_else(|| self.holes.iter().position(|hole| hole.from > end)).unwrap_or(0);
        let hole = self.holes.remove(hole);
        Some((hole.from, hole.to))
    }

    /// Gives up every missing message up to `up_to`. Returns the range in which they lie.
    pub(crate) fn abandon(&mut self, up_to: Clock) -> Option<Hole> {
        let end = self.end();
        self.split_hole(up_to);
        let skipped = self.holes.iter_mut().filter(|hole| !hole.given_up && hole.to <= up_to);
        let first = skipped.map(|hole| {
            hole.given_up = true;
            hole.from
        });
        // `min`, not `next`: it visits every gap, and so marks all of them.
        let first = first.min();
        let beyond = up_to > end;
        if beyond {
            self.holes.retain(|hole| hole.from < end || hole.to > up_to);
            self.insert(Hole { from: end, to: up_to, given_up: true });
        }
        self.join();
        let from = first.or(beyond.then_some(end))?;
        Some(Hole { from, to: up_to, given_up: true })
    }

    /// Gives up only `clock`, which lies beyond the end and is awaited. Returns the range of clocks that may be overtaken.
    pub(crate) fn disregard(&mut self, clock: Clock) -> Hole {
        let end = self.end();
        self.insert(Hole { from: clock - 1, to: clock, given_up: true });
        self.join();
        Hole { from: end, to: clock, given_up: true }
    }

    /// Notes that there are no messages after `above`, up to `up_to`, so none of these is disregarded any more. `above` is not
    /// before the end.
    pub(crate) fn void(&mut self, above: Clock, up_to: Clock) {
        self.split_hole(above);
        self.split_hole(up_to);
        self.holes.retain(|hole| hole.from < above || hole.to > up_to);
    }

    fn insert(&mut self, hole: Hole) {
        let at = self.holes.partition_point(|other| other.from < hole.from);
        self.holes.insert(at, hole);
    }

    /// Joins adjacent gaps that were given up.
    fn join(&mut self) {
        self.holes.dedup_by(|next, hole| {
            let one = hole.given_up && next.given_up && hole.to == next.from;
            if one {
                hole.to = next.to;
            }
            one
        });
    }

    /// Closes every gap up to `up_to`, but none beyond the last delivered clock.
    pub(crate) fn complete(&mut self, up_to: Clock) {
        let up_to = up_to.min(self.delivered);
        self.split_hole(up_to);
        self.holes.retain(|hole| hole.to > up_to);
    }

    fn hole_with(&self, clock: Clock) -> Option<usize> {
        let at = self.holes.partition_point(|hole| hole.to < clock);
        self.holes.get(at).filter(|hole| hole.contains(clock)).map(|_| at)
    }

    fn is_late(&self, clock: Clock) -> bool {
        self.late.iter().any(|&(late, _)| late == clock)
    }

    /// Splits the gap that goes on beyond `clock`, if there is one.
    fn split_hole(&mut self, clock: Clock) {
        if let Some(at) = self.hole_with(clock).filter(|&at| self.holes[at].to > clock) {
            self.holes.insert(at, Hole { to: clock, ..self.holes[at] });
            self.holes[at + 1].from = clock;
        }
    }

    /// Takes `clock` out of the gap that it lies in, if any. Returns that gap as it was.
    fn leave_hole(&mut self, clock: Clock) -> Option<Hole> {
        let hole = self.holes[self.hole_with(clock)?];
        self.split_hole(clock);
        let at = self.hole_with(clock).expect("it lies at the end of a gap now");
        self.holes[at].to -= 1;
        if self.holes[at].from == self.holes[at].to {
            self.holes.remove(at);
        }
        Some(hole)
    }
}
