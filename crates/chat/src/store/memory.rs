//! The store of a peer that keeps nothing beyond its own life.

mod authors;
mod messages;
mod shown;

use std::collections::{BTreeMap, VecDeque};

use super::{Change, Saved, Store, StoreError};
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::run::Run;
use crate::{MessageId, ProcessId};

use authors::{Authors, Place};
use shown::Shown;

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

/// Messages in memory. Appending is what happens thousands of times a second, nearly always a run at the end of what an author
/// said, in a conversation and altogether: so each is a sorted ring of runs, nothing is looked for and no message is copied.
#[derive(Debug, Default)]
pub struct MemoryStore {
    limits: MemoryLimits,
    authors: Authors,
    conversations: BTreeMap<Conversation, Shown>,
    /// Delivered messages that show nothing, oldest first.
    unshown: VecDeque<Place>,
    /// The last number that a process got.
    last_number: u32,
}

/// What a message takes beside its own bytes, at most: its place in two rings.
const OVERHEAD: usize = 128;

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: MemoryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn show(&mut self, run: &Run) {
        let Entry { conversation, kept, .. } = run.first();
        let Some(place) = self.authors.insert(kept, run.count()) else {
            // Some of them are here already, if not all.
            if run.count() > 1 {
                run.entries().for_each(|entry| self.show(&entry.into()));
            }
            return;
        };
        let shown = match self.conversations.get_mut(conversation) {
            Some(shown) => shown,
            None => self.conversations.entry(conversation.clone()).or_default(),
        };
        shown.push(place, run, &self.authors);
        let max = self.limits.max_messages;
        let len = shown.len();
        if len > max {
            self.drop_oldest(conversation, len - (max - max / 8));
        }
        self.shrink();
    }

    fn drop_oldest(&mut self, conversation: &Conversation, count: usize) {
        let Some(shown) = self.conversations.get_mut(conversation) else { return };
        shown.drop_oldest(count, &mut self.authors);
        if shown.len() == 0 {
            self.conversations.remove(conversation);
        }
    }

    /// Stamps are written by another incarnation from now on; the one before has the number `former`.
    fn rename(&mut self, former: usize) {
        self.authors.rename(former);
    }

    /// Takes away a message that was filed by itself.
    fn withdraw(&mut self, id: MessageId) {
        let Some(author) = self.authors.number_of(id.process) else { return };
        let is_it = |place: &Place| (place.author, place.clock) == (author, id.clock);
        if let Some(at) = self.unshown.iter().position(is_it) {
            if let Some(place) = self.unshown.remove(at) {
                self.authors.remove(place);
            }
            return;
        }
        for shown in self.conversations.values_mut() {
            shown.withdraw(author, id.clock, &mut self.authors);
        }
        self.conversations.retain(|_, shown| shown.len() > 0);
    }

    fn drop_oldest_unshown(&mut self) {
        if let Some(place) = self.unshown.pop_front() {
            self.authors.remove(place);
        }
    }

    /// Makes room once the whole is too large: in the conversation that takes most, an eighth of its messages at a time, so
    /// that looking for that conversation is rare.
    fn shrink(&mut self) {
        while self.authors.bytes() > self.limits.max_bytes {
            let largest = self.conversations.iter().max_by_key(|(_, shown)| shown.bytes());
            let Some((conversation, shown)) = largest else {
                self.drop_oldest_unshown();
                continue;
            };
            let (conversation, eighth) = (conversation.clone(), shown.len().div_ceil(8));
            self.drop_oldest(&conversation, eighth);
        }
    }
}

impl Store for MemoryStore {
    fn survives(&self) -> bool {
        false
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved::default())
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Shown(run) => self.show(run),
                Change::Delivered { kept } => {
                    if let Some(place) = self.authors.insert(kept, 1) {
                        self.unshown.push_back(place);
                        if self.unshown.len() > self.limits.max_messages {
                            self.drop_oldest_unshown();
                        }
                        self.shrink();
                    }
                }
                Change::Withdrawn(kept) => self.withdraw(kept.id()),
                Change::Process { number, .. } => self.last_number = *number,
                Change::Reborn => self.rename(self.last_number as usize),
                // The peer itself has these in memory, for as long.
                Change::Held(_)
                | Change::Carried(_)
                | Change::Dropped(_)
                | Change::HandedOver { .. }
                | Change::Delayed { .. }
                | Change::Scheduled { .. }
                | Change::Settled { .. }
                | Change::Causal(_)
                | Change::Traced(_)
                | Change::Mind(_)
                | Change::Talk { .. }
                | Change::Greeting { .. }
                | Change::Record(_)
                | Change::Addresses { .. }
                | Change::Alias { .. }
                | Change::Verified(_) => {}
            }
        }
        Ok(())
    }

    fn contains(&self, id: MessageId) -> bool {
        self.authors.of(id.process).is_some_and(|messages| messages.contains(id.clock))
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        let Some(messages) = self.authors.of(author) else { return Vec::new() };
        let between = messages.after(after).take_while(|&(clock, _)| clock <= up_to);
        between.take(count).map(|(_, kept)| kept).collect()
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        if let Some(conversation) = of {
            let shown = self.conversations.get(conversation);
            return shown.map_or_else(Vec::new, |shown| shown.newest(conversation, before, count, &self.authors));
        }
        let newest = self.conversations.iter().flat_map(|(of, shown)| shown.newest(of, before, count, &self.authors));
        let mut all: Vec<Entry> = newest.collect();
        all.sort_by_cached_key(|entry| std::cmp::Reverse(entry.sort_key()));
        all.truncate(count);
        all
    }

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry> {
        // It is bounded, so looking through all of it is soon done.
        let mut behind = self.newest(of, None, usize::MAX);
        behind.retain(|entry| entry.sort_key() > after);
        behind.into_iter().rev().take(count).collect()
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
        let has_all = |entry: &Entry| {
            let text = entry.text().map(|(_, text)| text.to_lowercase());
            text.is_some_and(|text| words.iter().all(|word| text.contains(word)))
        };
        self.newest(of, None, usize::MAX).into_iter().filter(has_all).take(count).collect()
    }
}

#[cfg(test)]
mod tests;
