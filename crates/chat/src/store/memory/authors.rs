//! The messages by author and clock: each is here once, and everything else names its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::OVERHEAD;
use super::timeline::Timeline;
use crate::kept::{Kept, SignedBatch};
use crate::{MessageId, ProcessId};

/// What is kept of one author, by clock.
pub(super) type Messages = Timeline<u64, Kept>;

/// Where a message is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) author: u32,
    pub(super) clock: u64,
}

/// All messages. An author who was seen once keeps his number: there are at most as many as the causal order knows.
#[derive(Debug, Default)]
pub(super) struct Authors {
    authors: Vec<(ProcessId, Messages)>,
    numbers: BTreeMap<ProcessId, u32>,
    /// Whose message came last: nearly always the next one is his, too.
    last: u32,
    bytes: usize,
}

impl Authors {
    /// Files a message, and answers where; `None` if it is here already.
    pub(super) fn insert(&mut self, kept: &Kept) -> Option<Place> {
        let MessageId { process, clock } = kept.id();
        let author = self.number(process);
        let messages = &mut self.authors[author as usize].1;
        let at = messages.insert(clock, kept.clone())?;
        self.bytes += cost(messages, at);
        Some(Place { author, clock })
    }

    /// Takes a message away.
    pub(super) fn remove(&mut self, place: Place) -> Kept {
        let messages = &mut self.authors[place.author as usize].1;
        let at = messages.position(&place.clock).expect("a place is of a message that is here");
        self.bytes -= cost(messages, at);
        messages.remove(at).expect("found there")
    }

    /// Stamps are written by another incarnation from now on; the one before has the number `former`.
    pub(super) fn rename(&mut self, former: usize) {
        for (_, messages) in &mut self.authors {
            // A batch is a run of its author's messages.
            let mut last: Option<(Arc<SignedBatch>, Arc<SignedBatch>)> = None;
            for kept in messages.values_mut() {
                let renamed = match &last {
                    Some((old, renamed)) if Arc::ptr_eq(old, kept.batch()) => Arc::clone(renamed),
                    Some(_) | None => Kept::renamed(kept.batch(), former),
                };
                last = Some((Arc::clone(kept.batch()), Arc::clone(&renamed)));
                *kept = Kept::new(renamed, kept.index());
            }
        }
    }

    pub(super) fn get(&self, place: Place) -> &Kept {
        let messages = &self.authors[place.author as usize].1;
        let at = messages.position(&place.clock).ok();
        at.and_then(|at| messages.get(at)).expect("a place is of a message that is here")
    }

    pub(super) fn of(&self, author: ProcessId) -> Option<&Messages> {
        self.numbers.get(&author).map(|&number| &self.authors[number as usize].1)
    }

    pub(super) fn id(&self, place: Place) -> MessageId {
        MessageId { process: self.process(place.author), clock: place.clock }
    }

    /// Who has this number.
    pub(super) fn process(&self, author: u32) -> ProcessId {
        self.authors[author as usize].0
    }

    /// What all messages take, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn number(&mut self, process: ProcessId) -> u32 {
        if self.authors.get(self.last as usize).is_none_or(|(last, _)| *last != process) {
            self.last = *self.numbers.entry(process).or_insert_with(|| {
                self.authors.push((process, Messages::default()));
                u32::try_from(self.authors.len() - 1).expect("nobody knows four thousand million processes")
            });
        }
        self.last
    }
}

/// What the message at `at` adds to what its author's messages take.
///
/// A batch stays whole while any of its messages is kept, and somebody might make one of a short message to a quiet
/// conversation and 63 long ones to a busy one. So what counts are batches: each run of messages of one batch, by clock, takes
/// what the batch takes. (A batch is a run, or two if its author signed something apart in between.)
fn cost(messages: &Messages, at: usize) -> usize {
    let batch = |at: usize| messages.get(at).map(Kept::batch);
    let same = |one: Option<&Arc<SignedBatch>>, other: Option<&Arc<SignedBatch>>| {
        one.zip(other).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    };
    let size = |batch: Option<&Arc<SignedBatch>>| batch.map_or(0, |batch| batch.bytes());
    let (before, here, after) = (at.checked_sub(1).and_then(batch), batch(at), batch(at + 1));
    let run = if same(before, here) || same(here, after) { 0 } else { size(here) };
    let split = if same(before, after) && !same(before, here) { size(before) } else { 0 };
    OVERHEAD + run + split
}

#[cfg(test)]
impl Authors {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(ProcessId, Messages)> {
        self.authors.iter()
    }
}
