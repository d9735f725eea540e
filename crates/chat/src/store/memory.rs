//! The store of a peer that keeps nothing beyond its own life.

mod shown;
mod timeline;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Change, Store, StoreError};
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::{Kept, SignedBatch};
use crate::{MessageId, ProcessId};

use shown::Shown;
use timeline::Timeline;

/// How much a [`MemoryStore`] keeps.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// The most messages of one conversation; past it an eighth of them goes at once. A newcomer fetches 200 and a reader
    /// scrolls a few thousand; and a flood in one group drops nothing of the others.
    pub max_messages: usize,
    /// The most bytes of all messages together, by the store's own reckoning. 256 MiB are a million short messages.
    pub max_bytes: usize,
}

impl Default for MemoryLimits {
    fn default() -> Self {
        Self { max_messages: 10_000, max_bytes: 256 * 1024 * 1024 }
    }
}

/// Messages in memory. Appending is what happens hundreds of thousands of times a second, nearly always at the end of a
/// conversation and of what an author said: so each is a sorted ring, nothing is looked for and no message is copied.
#[derive(Debug, Default)]
pub struct MemoryStore {
    limits: MemoryLimits,
    conversations: BTreeMap<Conversation, Shown>,
    /// Delivered messages that show nothing, oldest first.
    unshown: VecDeque<MessageId>,
    by_author: BTreeMap<ProcessId, Author>,
    bytes: usize,
}

/// What is kept of one author, by clock.
type Author = Timeline<u64, Kept>;

/// What a message takes beside its own bytes: its place in two rings.
const OVERHEAD: usize = 128;

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: MemoryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn show(&mut self, entry: &Entry) {
        let key = entry.sort_key();
        if !self.keep(key.1, &entry.kept) {
            return;
        }
        if !self.conversations.contains_key(&entry.conversation) {
            self.conversations.insert(entry.conversation.clone(), Shown::default());
        }
        let shown = self.conversations.get_mut(&entry.conversation).expect("inserted above");
        shown.push(key, entry);
        let max = self.limits.max_messages;
        if shown.len() > max {
            self.drop_oldest(&entry.conversation, |shown| shown.len() > max - max / 8);
        }
        self.shrink();
    }

    /// Files a message under its author. Answers whether it is new.
    fn keep(&mut self, id: MessageId, kept: &Kept) -> bool {
        let author = self.by_author.entry(id.process).or_default();
        let Some(at) = author.insert(id.clock, kept.clone()) else { return false };
        self.bytes += cost(author, at);
        true
    }

    fn drop_oldest(&mut self, conversation: &Conversation, too_much: impl Fn(&Shown) -> bool) {
        let Some(shown) = self.conversations.get_mut(conversation) else { return };
        let mut dropped = Vec::new();
        shown.drop_while(too_much, |id| dropped.push(id));
        if shown.len() == 0 {
            self.conversations.remove(conversation);
        }
        for id in dropped {
            self.discard(id);
        }
    }

    fn drop_oldest_unshown(&mut self) {
        if let Some(id) = self.unshown.pop_front() {
            self.discard(id);
        }
    }

    fn discard(&mut self, id: MessageId) {
        let author = self.by_author.get_mut(&id.process).expect("what is kept is filed under its author");
        let at = author.position(&id.clock).expect("what is kept is filed under its author");
        self.bytes -= cost(author, at);
        author.remove(at);
        if author.len() == 0 {
            self.by_author.remove(&id.process);
        }
    }

    /// Makes room once the whole is too large: in the conversation that takes most, an eighth of it at a time, so that
    /// looking for that conversation is rare.
    fn shrink(&mut self) {
        while self.bytes > self.limits.max_bytes {
            let largest = self.conversations.iter().max_by_key(|(_, shown)| shown.bytes());
            let Some((conversation, shown)) = largest else {
                self.drop_oldest_unshown();
                continue;
            };
            let (conversation, enough) = (conversation.clone(), shown.bytes() / 8 * 7);
            self.drop_oldest(&conversation, |shown| shown.bytes() > enough);
        }
    }
}

/// What the message at `at` adds to what its author's messages take.
///
/// A batch stays whole while any of its messages is kept, and somebody might make one of a short message to a quiet
/// conversation and 63 long ones to a busy one. So what counts are batches: each run of messages of one batch, by clock, takes
/// what the batch takes. (A batch is a run, or two if its author signed something apart in between.)
fn cost(author: &Author, at: usize) -> usize {
    let batch = |at: usize| author.get(at).map(Kept::batch);
    let same = |one: Option<&Arc<SignedBatch>>, other: Option<&Arc<SignedBatch>>| {
        one.zip(other).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
    };
    let size = |batch: Option<&Arc<SignedBatch>>| batch.map_or(0, |batch| batch.bytes());
    let (before, here, after) = (at.checked_sub(1).and_then(batch), batch(at), batch(at + 1));
    let run = if same(before, here) || same(here, after) { 0 } else { size(here) };
    let split = if same(before, after) && !same(before, here) { size(before) } else { 0 };
    OVERHEAD + run + split
}

impl Store for MemoryStore {
    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Shown(entry) => self.show(entry),
                Change::Delivered { kept } => {
                    if self.keep(kept.id(), kept) {
                        self.unshown.push_back(kept.id());
                        if self.unshown.len() > self.limits.max_messages {
                            self.drop_oldest_unshown();
                        }
                        self.shrink();
                    }
                }
                // The peer itself has these in memory, for as long.
                Change::Record(_) | Change::Alias { .. } => {}
            }
        }
        Ok(())
    }

    fn contains(&self, id: MessageId) -> bool {
        self.by_author.get(&id.process).is_some_and(|author| author.contains(&id.clock))
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        let Some(author) = self.by_author.get(&author) else { return Vec::new() };
        let between = author.after(&after).take_while(|&(clock, _)| *clock <= up_to);
        between.take(count).map(|(_, kept)| kept.clone()).collect()
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        if let Some(conversation) = of {
            let shown = self.conversations.get(conversation);
            return shown.map_or_else(Vec::new, |shown| shown.newest(conversation, before, count));
        }
        let newest = self.conversations.iter().flat_map(|(of, shown)| shown.newest(of, before, count));
        let mut all: Vec<Entry> = newest.collect();
        all.sort_by_cached_key(|entry| std::cmp::Reverse(entry.sort_key()));
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests;
