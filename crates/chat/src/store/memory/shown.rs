//! The messages of one conversation, read in the order of history.
//!
//! Each author's stamps ascend, but many authors' messages come interleaved, under load seconds apart. So they are listed by
//! author, where each one goes to the end, and merged only when they are read or the oldest have to go.

use std::cmp::Reverse;
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

    /// Drops the oldest while `too_much` says so. Takes time for all authors once.
    pub(super) fn drop_while(&mut self, too_much: impl Fn(&Self) -> bool, authors: &mut Authors) {
        let oldest = self.authors.iter().filter_map(|(&author, of_author)| Some((of_author.front()?, author)));
        let oldest = oldest.map(|(listed, author)| Reverse((listed.key(authors), author)));
        let mut oldest: BinaryHeap<Reverse<(SortKey, u32)>> = oldest.collect();
        while too_much(self)
            && let Some(Reverse((_, author))) = oldest.pop()
        {
            // What an author said in a row goes in a row, until somebody else's is older.
            let next = oldest.peek().map(|Reverse((key, _))| *key);
            loop {
                let of_author = self.authors.get_mut(&author).expect("an author in the heap has messages");
                let Listed { place, .. } = of_author.pop_front().expect("an author in the heap has messages");
                let left = of_author.front().map(|listed| listed.key(authors));
                if !self.opened.is_empty() {
                    self.opened.remove(&(place.author, place.clock));
                }
                self.len -= 1;
                self.bytes -= authors.remove(place).bytes() + OVERHEAD;
                match left {
                    None => drop(self.authors.remove(&author)),
                    Some(key) if next.is_some_and(|next| next < key) || !too_much(self) => {
                        oldest.push(Reverse((key, author)));
                    }
                    Some(_) => continue,
                }
                break;
            }
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
