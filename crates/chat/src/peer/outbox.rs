//! One's own messages until everybody they are addressed to has acknowledged them.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::body;
use crate::kept::{Kept, SignedBatch};

/// A message that somebody has not acknowledged yet.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) kept: Kept,
    /// Who has yet to acknowledge it.
    pub(super) outstanding: Set,
}

/// The outbox: clocks are dense, so a message is found by its clock at once.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// The clock of the first slot.
    base: Clock,
    slots: VecDeque<Option<Outgoing>>,
    bytes: usize,
    waiting: usize,
    /// Something was acknowledged since this was last asked.
    has_news: bool,
    /// What is under `-delay`, and when it is due (monotonic).
    delayed: BTreeMap<Clock, Duration>,
}

impl Outbox {
    /// What all messages take together, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many messages somebody has not acknowledged.
    pub(super) fn len(&self) -> usize {
        self.waiting
    }

    /// The greatest clock that has a slot.
    pub(super) fn last(&self) -> Clock {
        self.base + self.slots.len() as Clock
    }

    /// Adds a batch that was just signed; its clocks follow one another and everything that was added before,
    /// but for the clock of a delayed message, which has a batch of its own.
    pub(super) fn push(&mut self, batch: &Arc<SignedBatch>) {
        for index in 0..batch.len() {
            let kept = Kept::new(Arc::clone(batch), index);
            let dests = kept.dests().clone();
            self.add(kept, dests);
        }
    }

    /// Adds a message that was in the outbox when this process was stopped; clocks ascend. `gone` acknowledge nothing.
    pub(super) fn restore(&mut self, kept: Kept, gone: &Set) {
        let dests = kept.stamp().dests.difference(gone);
        self.add(kept, dests);
    }

    fn add(&mut self, kept: Kept, outstanding: Set) {
        let clock = kept.clock();
        if outstanding.is_empty() {
            return;
        }
        if self.slots.is_empty() {
            self.base = clock - 1;
        }
        let slot = usize::try_from(clock - self.base - 1).expect("an outbox fits in memory");
        while self.slots.len() <= slot {
            self.slots.push_back(None);
        }
        self.bytes += kept.bytes();
        self.waiting += 1;
        self.slots[slot] = Some(Outgoing { kept, outstanding });
    }

    /// Everybody has what has a clock up to this one.
    pub(super) fn settled(&self) -> Clock {
        self.base
    }

    fn slot(&self, clock: Clock) -> Option<usize> {
        let slot = usize::try_from(clock.checked_sub(self.base + 1)?).ok()?;
        (slot < self.slots.len()).then_some(slot)
    }

    /// The message stamped `clock`, unless everybody has it.
    pub(super) fn message(&self, clock: Clock) -> Option<&Outgoing> {
        self.slots[self.slot(clock)?].as_ref()
    }

    /// Whether the message stamped `clock` is a welcome that somebody has not acknowledged.
    pub(super) fn is_welcome(&self, clock: Clock) -> bool {
        self.message(clock).is_some_and(|own| body::is_welcome(own.kept.body()))
    }

    /// The messages with clocks from `after` + 1 on, oldest first.
    pub(super) fn after(&self, after: Clock) -> impl Iterator<Item = &Outgoing> {
        let skip = usize::try_from(after.saturating_sub(self.base)).unwrap_or(usize::MAX).min(self.slots.len());
        self.slots.range(skip..).flatten()
    }

    /// `process` has what was addressed to it with clocks in (after, up_to]. Answers of how many messages that is news.
    pub(super) fn acknowledge(&mut self, process: Index, after: Clock, up_to: Clock) -> usize {
        let first = after.max(self.base);
        let mut settled = 0;
        for clock in first + 1..=up_to.min(self.last()) {
            let slot = self.slot(clock).expect("the clock lies between the first and the last");
            settled += usize::from(self.settle(slot, process));
        }
        self.shrink();
        settled
    }

    /// `process` will never acknowledge anything.
    pub(super) fn forget(&mut self, process: Index) {
        for slot in 0..self.slots.len() {
            self.settle(slot, process);
        }
        self.shrink();
    }

    fn settle(&mut self, slot: usize, process: Index) -> bool {
        let Some(outgoing) = &mut self.slots[slot] else { return false };
        let news = outgoing.outstanding.remove(process);
        self.has_news |= news;
        if outgoing.outstanding.is_empty() {
            self.bytes -= outgoing.kept.bytes();
            self.waiting -= 1;
            self.slots[slot] = None;
        }
        news
    }

    /// Whether something was acknowledged since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        mem::take(&mut self.has_news)
    }

    fn shrink(&mut self) {
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.base += 1;
        }
    }

    /// Nobody gets the message stamped `clock` before `due`.
    pub(super) fn delay(&mut self, clock: Clock, due: Duration) {
        self.delayed.insert(clock, due);
    }

    /// The message stamped `clock` waits for its time no longer.
    pub(super) fn undelay(&mut self, clock: Clock) {
        self.delayed.remove(&clock);
    }

    /// Puts another message under the same clock in the place of one that nobody was given.
    pub(super) fn replace(&mut self, kept: Kept) {
        if let Some(slot) = self.slot(kept.clock())
            && let Some(outgoing) = &mut self.slots[slot]
        {
            self.bytes += kept.bytes();
            self.bytes -= outgoing.kept.bytes();
            outgoing.kept = kept;
        }
    }

    /// When the message stamped `clock` is due, if it is delayed.
    pub(super) fn due(&self, clock: Clock) -> Option<Duration> {
        self.delayed.get(&clock).copied()
    }

    /// When the next delayed message is due.
    pub(super) fn next_due(&self) -> Option<Duration> {
        self.delayed.values().min().copied()
    }

    /// The delayed messages, by clock.
    pub(super) fn delayed(&self) -> impl Iterator<Item = Clock> {
        self.delayed.keys().copied()
    }

    /// The delayed messages with clocks in (after, up_to].
    pub(super) fn delayed_between(&self, after: Clock, up_to: Clock) -> impl Iterator<Item = Clock> {
        self.delayed.range(after + 1..=up_to.max(after + 1)).map(|(&clock, _)| clock).filter(move |&c| c <= up_to)
    }

    /// Takes the clocks of what is due at `now`; from now on these messages are like any other.
    pub(super) fn take_due(&mut self, now: Duration) -> Vec<Clock> {
        let due: Vec<Clock> = self.delayed.iter().filter(|&(_, &due)| due <= now).map(|(&clock, _)| clock).collect();
        for clock in &due {
            self.delayed.remove(clock);
        }
        due
    }
}
