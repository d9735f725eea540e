//! The store of a peer that keeps nothing beyond its own life.

mod timeline;

use std::collections::{BTreeMap, VecDeque};

use super::{Change, Store, StoreError};
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::{MessageId, ProcessId};

use timeline::Timeline;

/// How much a [`MemoryStore`] keeps.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimits {
    /// The most messages of one conversation. A newcomer fetches 200 and a reader scrolls a few thousand; and a flood in one
    /// group drops nothing of the others.
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
/// conversation and of what an author said: so each is a sorted ring, and no message is copied.
#[derive(Debug, Default)]
pub struct MemoryStore {
    limits: MemoryLimits,
    conversations: BTreeMap<Conversation, Shown>,
    /// Delivered messages that show nothing, oldest first.
    unshown: VecDeque<MessageId>,
    by_author: BTreeMap<ProcessId, Timeline<u64, Kept>>,
    bytes: usize,
}

/// The messages of one conversation.
#[derive(Debug, Default)]
struct Shown {
    entries: Timeline<SortKey, Filed>,
    bytes: usize,
}

/// An [`Entry`], less what its place in the store says.
#[derive(Clone, Debug)]
struct Filed {
    kept: Kept,
    fetched: bool,
    late: bool,
    clock_off: bool,
}

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
        let Entry { ref kept, fetched, late, clock_off, .. } = *entry;
        if !self.conversations.contains_key(&entry.conversation) {
            self.conversations.insert(entry.conversation.clone(), Shown::default());
        }
        let shown = self.conversations.get_mut(&entry.conversation).expect("inserted above");
        shown.entries.insert(key, Filed { kept: kept.clone(), fetched, late, clock_off });
        shown.bytes += cost(kept);
        if shown.entries.len() > self.limits.max_messages {
            self.drop_oldest(&entry.conversation);
        }
        self.shrink();
    }

    /// Files a message under its author. Answers whether it is new.
    fn keep(&mut self, id: MessageId, kept: &Kept) -> bool {
        let new = self.by_author.entry(id.process).or_default().insert(id.clock, kept.clone());
        if new {
            self.bytes += cost(kept);
        }
        new
    }

    fn drop_oldest(&mut self, conversation: &Conversation) {
        let Some(shown) = self.conversations.get_mut(conversation) else { return };
        if let Some(((_, id), filed)) = shown.entries.pop_first() {
            shown.bytes -= cost(&filed.kept);
            self.discard(id);
        }
        if self.conversations.get(conversation).is_some_and(|shown| shown.entries.len() == 0) {
            self.conversations.remove(conversation);
        }
    }

    fn drop_oldest_unshown(&mut self) {
        if let Some(id) = self.unshown.pop_front() {
            self.discard(id);
        }
    }

    fn discard(&mut self, id: MessageId) {
        let author = self.by_author.get_mut(&id.process).expect("what is kept is filed under its author");
        let kept = author.remove(&id.clock).expect("what is kept is filed under its author");
        self.bytes -= cost(&kept);
        if author.len() == 0 {
            self.by_author.remove(&id.process);
        }
    }

    /// Makes room once the whole is too large: in the conversation that takes most, an eighth of it at a time, so that
    /// looking for that conversation is rare.
    fn shrink(&mut self) {
        while self.bytes > self.limits.max_bytes {
            let largest = self.conversations.iter().max_by_key(|(_, shown)| shown.bytes);
            let Some((conversation, shown)) = largest else {
                self.drop_oldest_unshown();
                continue;
            };
            let (conversation, enough) = (conversation.clone(), shown.bytes / 8 * 7);
            while self.conversations.get(&conversation).is_some_and(|shown| shown.bytes > enough) {
                self.drop_oldest(&conversation);
            }
        }
    }
}

fn cost(kept: &Kept) -> usize {
    kept.bytes() + OVERHEAD
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
        let newest_of = |conversation: &Conversation| -> Vec<Entry> {
            let Some(shown) = self.conversations.get(conversation) else { return Vec::new() };
            let entry = |(&(hlc, _), filed): (&SortKey, &Filed)| {
                let Filed { kept, fetched, late, clock_off } = filed.clone();
                Entry { conversation: conversation.clone(), hlc, kept, fetched, late, clock_off }
            };
            shown.entries.before(before.as_ref()).take(count).map(entry).collect()
        };
        if let Some(conversation) = of {
            return newest_of(conversation);
        }
        let mut all: Vec<Entry> = self.conversations.keys().flat_map(newest_of).collect();
        all.sort_by_cached_key(|entry| std::cmp::Reverse(entry.sort_key()));
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests;
