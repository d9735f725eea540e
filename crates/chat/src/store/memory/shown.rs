//! The messages of one conversation, in the order of history.

use std::cmp::Ordering;
use std::collections::VecDeque;

use super::OVERHEAD;
use super::authors::{Authors, Place};
use crate::history::{Conversation, Entry, SortKey};
use crate::hlc::Hlc;

/// How many messages wait to be sorted together. Batches of many authors come interleaved, each of them a sorted run: sorting
/// them as they come would move hundreds of others for each.
const FRESH: usize = if cfg!(test) { 16 } else { 1024 };

/// The messages of one conversation. They are filed in [`Authors`], and listed here.
#[derive(Debug, Default)]
pub(super) struct Shown {
    sorted: VecDeque<Listed>,
    /// What came since, not sorted yet.
    fresh: Vec<Listed>,
    bytes: usize,
}

/// An [`Entry`], less what its place in the store says.
#[derive(Clone, Copy, Debug)]
struct Listed {
    hlc: Hlc,
    place: Place,
    fetched: bool,
    late: bool,
    clock_off: bool,
}

impl Listed {
    /// As the sort keys are ordered.
    fn order(&self, other: &Self, authors: &Authors) -> Ordering {
        self.hlc.cmp(&other.hlc).then_with(|| authors.order(self.place, other.place))
    }

    fn comes_before(&self, key: &SortKey, authors: &Authors) -> bool {
        (self.hlc, authors.id(self.place)) < *key
    }
}

impl Shown {
    /// Adds a message that is not among them.
    pub(super) fn push(&mut self, place: Place, entry: &Entry, authors: &Authors) {
        let Entry { hlc, ref kept, fetched, late, clock_off, .. } = *entry;
        self.bytes += kept.bytes() + OVERHEAD;
        self.fresh.push(Listed { hlc, place, fetched, late, clock_off });
        if self.fresh.len() >= FRESH {
            self.sort(authors);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.sorted.len() + self.fresh.len()
    }

    /// What they take, each counted by itself.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the oldest while `too_much` says so.
    pub(super) fn drop_while(&mut self, too_much: impl Fn(&Self) -> bool, authors: &mut Authors) {
        self.sort(authors);
        while too_much(self)
            && let Some(Listed { place, .. }) = self.sorted.pop_front()
        {
            self.bytes -= authors.remove(place).bytes() + OVERHEAD;
        }
    }

    /// At most `count` of them that stand before a key, or at the end, newest first.
    pub(super) fn newest(
        &self,
        of: &Conversation,
        before: Option<SortKey>,
        count: usize,
        authors: &Authors,
    ) -> Vec<Entry> {
        let comes_before = |listed: &&Listed| before.is_none_or(|before| listed.comes_before(&before, authors));
        let mut fresh: Vec<&Listed> = self.fresh.iter().filter(comes_before).collect();
        fresh.sort_by(|one, other| one.order(other, authors));
        let end = self.sorted.partition_point(|listed| comes_before(&listed));
        let mut sorted = self.sorted.range(..end).rev().peekable();
        let mut fresh = fresh.into_iter().rev().peekable();
        let newest = std::iter::from_fn(|| match (sorted.peek(), fresh.peek()) {
            (Some(one), Some(other)) if one.order(other, authors).is_gt() => sorted.next(),
            (Some(_) | None, Some(_)) => fresh.next(),
            (_, None) => sorted.next(),
        });
        let entry = |&Listed { hlc, place, fetched, late, clock_off }: &Listed| Entry {
            conversation: of.clone(),
            hlc,
            kept: authors.get(place).clone(),
            fetched,
            late,
            clock_off,
        };
        newest.take(count).map(entry).collect()
    }

    /// Sorts what is fresh in, and moves only what it has to stand before.
    fn sort(&mut self, authors: &Authors) {
        let order = |one: &Listed, other: &Listed| one.order(other, authors);
        let Some(&first) = self.fresh.iter().min_by(|one, other| order(one, other)) else { return };
        let behind = self.sorted.partition_point(|listed| order(listed, &first).is_lt());
        self.fresh.extend(self.sorted.drain(behind..));
        self.fresh.sort_by(order);
        self.sorted.extend(self.fresh.drain(..));
    }
}
