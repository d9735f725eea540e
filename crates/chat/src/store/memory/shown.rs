//! The messages of one conversation, in the order of history.

use std::collections::VecDeque;

use super::OVERHEAD;
use crate::MessageId;
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;

/// How many messages wait to be sorted together. Batches of many authors come interleaved, each of them a sorted run: sorting
/// them as they come would move hundreds of others for each.
const FRESH: usize = if cfg!(test) { 16 } else { 1024 };

/// The messages of one conversation.
#[derive(Debug, Default)]
pub(super) struct Shown {
    sorted: VecDeque<Filed>,
    /// What came since, not sorted yet.
    fresh: Vec<Filed>,
    bytes: usize,
}

/// An [`Entry`], less what its place in the store says.
#[derive(Clone, Debug)]
struct Filed {
    key: SortKey,
    kept: Kept,
    fetched: bool,
    late: bool,
    clock_off: bool,
}

impl Shown {
    /// Adds a message that is not among them.
    pub(super) fn push(&mut self, key: SortKey, entry: &Entry) {
        let Entry { ref kept, fetched, late, clock_off, .. } = *entry;
        self.bytes += kept.bytes() + OVERHEAD;
        self.fresh.push(Filed { key, kept: kept.clone(), fetched, late, clock_off });
        if self.fresh.len() >= FRESH {
            self.sort();
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len() + self.fresh.len()
    }

    /// What they take, each counted by itself.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the oldest away while `too_much` says so.
    pub(super) fn drop_while(&mut self, too_much: impl Fn(&Self) -> bool, mut dropped: impl FnMut(MessageId)) {
        self.sort();
        while too_much(self)
            && let Some(filed) = self.sorted.pop_front()
        {
            self.bytes -= filed.kept.bytes() + OVERHEAD;
            dropped(filed.key.1);
        }
    }

    /// At most `count` of them that stand before a key, or at the end, newest first.
    pub(super) fn newest(&self, of: &Conversation, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        let comes_before = |filed: &&Filed| before.is_none_or(|before| filed.key < before);
        let mut fresh: Vec<&Filed> = self.fresh.iter().filter(comes_before).collect();
        fresh.sort_by_key(|filed| filed.key);
        let end = self.sorted.partition_point(|filed| comes_before(&filed));
        let mut sorted = self.sorted.range(..end).rev().peekable();
        let mut fresh = fresh.into_iter().rev().peekable();
        let newest = std::iter::from_fn(|| match (sorted.peek(), fresh.peek()) {
            (Some(one), Some(other)) if one.key > other.key => sorted.next(),
            (Some(_) | None, Some(_)) => fresh.next(),
            (_, None) => sorted.next(),
        });
        let entry = |filed: &Filed| {
            let Filed { key: (hlc, _), kept, fetched, late, clock_off } = filed.clone();
            Entry { conversation: of.clone(), hlc, kept, fetched, late, clock_off }
        };
        newest.take(count).map(entry).collect()
    }

    /// Sorts what is fresh in, and moves only what it has to stand before.
    fn sort(&mut self) {
        let Some(first) = self.fresh.iter().map(|filed| filed.key).min() else { return };
        let behind = self.sorted.partition_point(|filed| filed.key < first);
        self.fresh.extend(self.sorted.drain(behind..));
        self.fresh.sort_by_key(|filed| filed.key);
        self.sorted.extend(self.fresh.drain(..));
    }
}
