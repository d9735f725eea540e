//! The messages of one conversation, read in the order of history.
//!
//! Each author's stamps ascend, but many authors' messages come interleaved, under load seconds apart. So they are listed by
//! author, where each one goes to the end, and merged only when they are read or the oldest have to go.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use bytes::Bytes;

use super::OVERHEAD;
use super::authors::{Authors, Place};
use crate::history::{Conversation, Entry, SortKey};
use crate::hlc::Hlc;

/// The messages of one conversation. They are filed in [`Authors`], and listed here.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// By author's number; none is empty.
    authors: BTreeMap<u32, VecDeque<Listed>>,
    /// The bodies of those that travel sealed.
    opened: BTreeMap<(u32, u64), Bytes>,
    len: usize,
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
    fn key(&self, authors: &Authors) -> SortKey {
        (self.hlc, authors.id(self.place))
    }
}

impl Shown {
    /// Adds a message that is not among them.
    pub(super) fn push(&mut self, place: Place, entry: &Entry) {
        let Entry { hlc, ref kept, fetched, late, clock_off, ref opened, .. } = *entry;
        self.bytes += kept.bytes() + OVERHEAD;
        if let Some(opened) = opened {
            self.opened.insert((place.author, place.clock), opened.clone());
        }
        self.len += 1;
        let listed = Listed { hlc, place, fetched, late, clock_off };
        let of_author = self.authors.entry(place.author).or_default();
        let order = |other: &Listed| (other.hlc, other.place.clock) < (hlc, place.clock);
        if of_author.back().is_none_or(order) {
            of_author.push_back(listed);
        } else {
            of_author.insert(of_author.partition_point(order), listed);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// What they take, each counted by itself.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Drops the `count` oldest.
    pub(super) fn drop_oldest(&mut self, count: usize, authors: &mut Authors) {
        for (author, count) in self.oldest(count, authors) {
            self.drop_oldest_of(author, count, authors);
        }
    }

    /// How many of the `count` oldest are whose. Finds the moment before which so many were said, and merges what was said
    /// in that very moment: under load merging all of them takes a step from one author to another for each message.
    fn oldest(&self, count: usize, authors: &Authors) -> Vec<(u32, usize)> {
        let older_of = |of_author: &VecDeque<Listed>, micros| of_author.partition_point(|one| one.hlc.micros < micros);
        let older = |micros| self.authors.values().map(|of_author| older_of(of_author, micros)).sum::<usize>();
        let (mut moment, mut after) = (i64::MIN, i64::MAX);
        while moment < after - 1 {
            let middle = i64::midpoint(moment, after);
            if older(middle) <= count { moment = middle } else { after = middle }
        }
        let mut oldest: BTreeMap<u32, usize> =
            self.authors.iter().map(|(&author, of_author)| (author, older_of(of_author, moment))).collect();
        let in_that_moment = |(author, of_author): (&u32, &VecDeque<Listed>)| {
            let of_author = of_author.range(oldest[author]..).take_while(|one| one.hlc.micros == moment);
            of_author.map(|one| (one.key(authors), one.place.author)).collect::<Vec<_>>()
        };
        let mut said: Vec<(SortKey, u32)> = self.authors.iter().flat_map(in_that_moment).collect();
        said.sort_unstable();
        for (_, author) in said.into_iter().take(count - older(moment)) {
            *oldest.get_mut(&author).expect("each author is in it") += 1;
        }
        oldest.into_iter().collect()
    }

    fn drop_oldest_of(&mut self, author: u32, count: usize, authors: &mut Authors) {
        let of_author = self.authors.get_mut(&author).expect("an author that is listed");
        for Listed { place, .. } in of_author.drain(..count) {
            if !self.opened.is_empty() {
                self.opened.remove(&(place.author, place.clock));
            }
            self.len -= 1;
            self.bytes -= authors.remove(place).bytes() + OVERHEAD;
        }
        if of_author.is_empty() {
            self.authors.remove(&author);
        }
    }

    /// At most `count` of them that stand before a key, or at the end, newest first. Takes time for all authors once.
    pub(super) fn newest(
        &self,
        of: &Conversation,
        before: Option<SortKey>,
        count: usize,
        authors: &Authors,
    ) -> Vec<Entry> {
        let comes_before = |listed: &Listed| before.is_none_or(|before| listed.key(authors) < before);
        let mut newest = BinaryHeap::new();
        for (&author, of_author) in &self.authors {
            if let Some(at) = of_author.partition_point(comes_before).checked_sub(1) {
                newest.push((of_author[at].key(authors), author, at));
            }
        }
        let mut entries = Vec::new();
        while entries.len() < count
            && let Some((_, author, at)) = newest.pop()
        {
            let of_author = &self.authors[&author];
            let Listed { hlc, place, fetched, late, clock_off } = of_author[at];
            let kept = authors.get(place).clone();
            let opened = self.opened.get(&(place.author, place.clock)).cloned();
            entries.push(Entry { conversation: of.clone(), hlc, kept, fetched, late, clock_off, opened });
            if let Some(at) = at.checked_sub(1) {
                newest.push((of_author[at].key(authors), author, at));
            }
        }
        entries
    }
}
