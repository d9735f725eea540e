//! The messages by author and clock: each is here once, and everything else names its place.

use std::collections::BTreeMap;

use super::messages::Messages;
use crate::kept::Kept;
use crate::{MessageId, ProcessId};

/// Where messages are that were filed together and follow one another: the clock of the first, and how many there are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) author: u32,
    pub(super) clock: u64,
    pub(super) count: u32,
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
    /// Files messages of a batch that follow one another, and answers where; `None` if one of them is here already.
    pub(super) fn insert(&mut self, first: &Kept, count: u32) -> Option<Place> {
        let MessageId { process, clock } = first.id();
        let author = self.number(process);
        self.bytes += self.authors[author as usize].1.insert(first, count)?;
        Some(Place { author, clock, count })
    }

    /// Takes messages away.
    pub(super) fn remove(&mut self, Place { author, clock, count }: Place) {
        self.bytes -= self.authors[author as usize].1.remove(clock, count);
    }

    /// Stamps are written by another incarnation from now on; the one before has the number `former`.
    pub(super) fn rename(&mut self, former: usize) {
        for (_, messages) in &mut self.authors {
            messages.rename(former);
        }
    }

    /// The first message of a place.
    pub(super) fn get(&self, author: u32, clock: u64) -> Kept {
        self.authors[author as usize].1.get(clock).expect("a place is of messages that are here")
    }

    pub(super) fn of(&self, author: ProcessId) -> Option<&Messages> {
        self.number_of(author).map(|number| &self.authors[number as usize].1)
    }

    /// The number of an author of whom something is, or was, here.
    pub(super) fn number_of(&self, author: ProcessId) -> Option<u32> {
        self.numbers.get(&author).copied()
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

#[cfg(test)]
impl Authors {
    pub(super) fn iter(&self) -> impl Iterator<Item = &(ProcessId, Messages)> {
        self.authors.iter()
    }
}
