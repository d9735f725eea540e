//! Messages that cannot be delivered yet, indexed by what they wait for.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::ops::Bound;

use smallvec::SmallVec;

use crate::{Clock, Entries, Index, Stamp};

#[cfg(test)]
mod tests;

/// A message, or a run of them, on its way from arrival to delivery.
pub(crate) struct Pending<M, S> {
    /// The stamp of the first message.
    pub(crate) stamp: S,
    pub(crate) message: M,
    /// How many messages follow it.
    pub(crate) followers: u32,
    /// Entries of the stamp that were found to be made up: those of this author, above the first clock and up to the second.
    pub(crate) void: Vec<(Index, Clock, Clock)>,
}

impl<M, S: Borrow<Stamp>> Pending<M, S> {
    pub(crate) fn new(stamp: S, followers: u32, message: M) -> Self {
        Self { stamp, message, followers, void: Vec::new() }
    }

    /// The clock of the last message, given the clock of the first.
    pub(crate) fn last(&self, first: Clock) -> Clock {
        first + Clock::from(self.followers)
    }

    /// How many messages this is.
    fn len(&self) -> usize {
        1 + self.followers as usize
    }

    pub(crate) fn stamp(&self) -> &Stamp {
        self.stamp.borrow()
    }

    /// Whether the entry about `clock` of `author` was declared void.
    pub(crate) fn is_void(&self, author: Index, clock: Clock) -> bool {
        self.void.iter().any(|&(a, above, up_to)| a == author && clock > above && clock <= up_to)
    }
}

/// The held messages. A run counts as one. A message is looked at again only when a message that it waits for is settled.
pub(crate) struct Holdback<M, S> {
    slots: Vec<Option<Slot<M, S>>>,
    free: Vec<usize>,
    authors: Vec<Author>,
    held: usize,
    entries: usize,
}

struct Slot<M, S> {
    pending: Pending<M, S>,
    /// How many messages it still waits for.
    unmet: usize,
}

/// Messages that are held back together: the clocks of the first and the last, and their slot.
struct Held {
    first: Clock,
    last: Clock,
    key: usize,
}

#[derive(Default)]
struct Author {
    /// This author's held messages, ordered by clock. It is a ring because they come and go nearly in that order.
    held: VecDeque<Held>,
    /// For each clock of this author, the slots of the messages that wait for it.
    waiters: BTreeMap<Clock, SmallVec<[usize; 2]>>,
}

impl Author {
    /// The place of message `clock` in `held`.
    fn find(&self, clock: Clock) -> Option<usize> {
        let at = self.held.partition_point(|held| held.last < clock);
        self.held.get(at).filter(|held| held.first <= clock).map(|_| at)
    }
}

impl<M, S: Borrow<Stamp>> Holdback<M, S> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), authors: Vec::new(), held: 0, entries: 0 }
    }

    /// Makes room for processes up to `count`.
    pub(crate) fn grow(&mut self, count: usize) {
        self.authors.resize_with(count, Author::default);
    }

    pub(crate) fn len(&self) -> usize {
        self.held
    }

    /// The entries of all held messages together.
    pub(crate) fn entries(&self) -> usize {
        self.entries
    }

    pub(crate) fn find(&self, author: Index, clock: Clock) -> Option<&Pending<M, S>> {
        let author = &self.authors[author.position()];
        let key = author.held[author.find(clock)?].key;
        self.slots[key].as_ref().map(|slot| &slot.pending)
    }

    /// Whether a message waits for message `clock` of `author`.
    pub(crate) fn is_awaited(&self, author: Index, clock: Clock) -> bool {
        self.authors[author.position()].waiters.contains_key(&clock)
    }

    /// The greatest clock of a held message of `author`; 0 if there is none.
    pub(crate) fn last_of(&self, author: Index) -> Clock {
        self.authors[author.position()].held.back().map_or(0, |held| held.last)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Pending<M, S>> {
        self.slots.iter().flatten().map(|slot| &slot.pending)
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Pending<M, S>> {
        self.slots.iter_mut().flatten().map(|slot| &mut slot.pending)
    }

    /// The messages that others wait for and that are not held themselves, each with the number of messages that wait for it.
    pub(crate) fn missing(&self) -> impl Iterator<Item = (Index, Clock, usize)> + '_ {
        self.authors.iter().enumerate().flat_map(|(position, author)| {
            let absent = author.waiters.iter().filter(|&(&clock, _)| author.find(clock).is_none());
            absent.map(move |(&clock, waiters)| (Index::at(position), clock, waiters.len()))
        })
    }

    /// Holds a message back until every message in `unmet` (not empty, no duplicates) is settled.
    pub(crate) fn hold(&mut self, pending: Pending<M, S>, unmet: &[(Index, Clock)]) {
        let key = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.slots.len() - 1
        });
        for &(author, clock) in unmet {
            self.authors[author.position()].waiters.entry(clock).or_default().push(key);
        }
        let &Stamp { sender, clock: first, ref log, .. } = pending.stamp();
        self.entries += entries(log, pending.followers);
        let held = &mut self.authors[sender.position()].held;
        let at = if held.back().is_none_or(|before| before.last < first) {
            held.len()
        } else {
            held.partition_point(|before| before.last < first)
        };
        held.insert(at, Held { first, last: pending.last(first), key });
        self.held += pending.len();
        self.slots[key] = Some(Slot { pending, unmet: unmet.len() });
    }

    /// Adds to `out` the messages that waited only for messages of `author` after the first clock, up to the second. Takes time
    /// only for messages that waited for those.
    pub(crate) fn settle(&mut self, author: Index, settled: (Clock, Clock), out: &mut Vec<Pending<M, S>>) {
        let range = (Bound::Excluded(settled.0), Bound::Included(settled.1));
        while let Some((&clock, _)) = self.authors[author.position()].waiters.range(range).next() {
            let waiters = self.authors[author.position()].waiters.remove(&clock).expect("found just now");
            out.extend(waiters.into_iter().filter_map(|key| self.meet(key)));
        }
    }

    /// Notes that the message in this slot has one message less to wait for. Returns it if that was the last one.
    fn meet(&mut self, key: usize) -> Option<Pending<M, S>> {
        let slot = self.slots[key].as_mut().expect("a message that waits is held");
        slot.unmet -= 1;
        if slot.unmet > 0 {
            return None;
        }
        let Slot { pending, .. } = self.slots[key].take().expect("looked at just now");
        self.free.push(key);
        self.held -= pending.len();
        let &Stamp { sender, clock, ref log, .. } = pending.stamp();
        self.entries -= entries(log, pending.followers);
        let author = &mut self.authors[sender.position()];
        let at = author.find(clock).expect("a message that waits is held");
        author.held.remove(at);
        Some(pending)
    }
}

/// How many entries all stamps of a run carry together. The stamp of a follower carries one.
fn entries(first: &Entries, followers: u32) -> usize {
    first.len() + followers as usize
}
