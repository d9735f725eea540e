//! The messages of one conversation, read in the order of history.
//!
//! Each author's stamps ascend, but many authors' messages come interleaved, under load seconds apart. So they are listed by
//! author, where each run goes to the end, and merged only when they are read or the oldest have to go.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use bytes::Bytes;

use super::OVERHEAD;
use super::authors::{Authors, Place};
use crate::MessageId;
use crate::history::{Conversation, Entry, SortKey};
use crate::hlc::Hlc;
use crate::run::{self, Run};

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

/// A [`Run`], or what is left of it, less what its place in the store says.
#[derive(Clone, Copy, Debug)]
struct Listed {
    first: Hlc,
    last: Hlc,
    place: Place,
    fetched: bool,
    late: bool,
    clock_off: bool,
}

impl Listed {
    fn clock(&self, nth: u32) -> u64 {
        self.place.clock + u64::from(nth)
    }

    fn hlc(&self, nth: u32, authors: &Authors) -> Hlc {
        if nth == 0 {
            self.first
        } else if nth == self.place.count - 1 {
            self.last
        } else {
            run::stamp_of(authors.get(self.place.author, self.clock(nth)).body())
        }
    }

    fn key(&self, nth: u32, authors: &Authors) -> SortKey {
        let process = authors.process(self.place.author);
        (self.hlc(nth, authors), MessageId { process, clock: self.clock(nth) })
    }

    /// How many of them stand before a place in the order of history that this tells.
    fn before(&self, authors: &Authors, is_before: impl Fn(Hlc, u64) -> bool) -> u32 {
        let (mut some, mut end) = (0, self.place.count);
        while some < end {
            let middle = u32::midpoint(some, end);
            if is_before(self.hlc(middle, authors), self.clock(middle)) { some = middle + 1 } else { end = middle }
        }
        some
    }

    /// Those before the one in place `nth`, of which there are some.
    fn head(&self, nth: u32, authors: &Authors) -> Self {
        Self { last: self.hlc(nth - 1, authors), place: Place { count: nth, ..self.place }, ..*self }
    }

    /// Those from the one in place `nth` on, of which there are some.
    fn tail(&self, nth: u32, authors: &Authors) -> Self {
        let place = Place { clock: self.clock(nth), count: self.place.count - nth, ..self.place };
        Self { first: self.hlc(nth, authors), place, ..*self }
    }

    /// What they take, each counted by itself.
    fn bytes(&self, authors: &Authors) -> usize {
        let Place { author, clock, count } = self.place;
        authors.get(author, clock).bytes_of_run(count - 1) + count as usize * OVERHEAD
    }
}

impl Shown {
    /// Adds a run of messages that are not among them.
    pub(super) fn push(&mut self, place: Place, run: &Run, authors: &Authors) {
        let Entry { hlc: first, fetched, late, clock_off, ref opened, .. } = *run.first();
        if let Some(opened) = opened {
            self.opened.insert((place.author, place.clock), opened.clone());
        }
        let listed = Listed { first, last: run.hlc(place.count - 1), place, fetched, late, clock_off };
        self.len += place.count as usize;
        self.bytes += listed.bytes(authors);
        let of_author = self.authors.entry(place.author).or_default();
        if of_author.back().is_none_or(|back| (back.last, back.place.clock) < (first, place.clock)) {
            of_author.push_back(listed);
            return;
        }
        for nth in 0..place.count {
            let hlc = listed.hlc(nth, authors);
            let place = Place { clock: listed.clock(nth), count: 1, ..place };
            insert(of_author, Listed { first: hlc, last: hlc, place, ..listed }, authors);
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

    /// How many of the `count` oldest are whose. Finds the moment in which the last of them was said, and merges what was said
    /// in that very moment: under load merging all of them takes a step from one author to another for each message.
    fn oldest(&self, count: usize, authors: &Authors) -> Vec<(u32, usize)> {
        let enough_by = |moment: i64| {
            let (mut whole, mut begun) = (0, 0);
            for run in self.authors.values().flatten() {
                whole += if run.last.micros <= moment { run.place.count as usize } else { 0 };
                begun += if run.first.micros <= moment { run.place.count as usize } else { 0 };
            }
            // The messages themselves are looked at only where the runs do not decide: hardly any is in a cache.
            let exact = || self.authors.values().map(|of_author| said(of_author, authors, |micros| micros <= moment));
            whole >= count || (begun >= count && exact().sum::<usize>() >= count)
        };
        let ends =
            |of_author: &VecDeque<Listed>| Some((of_author.front()?.first.micros, of_author.back()?.last.micros));
        let (mut moment, mut after) = self
            .authors
            .values()
            .filter_map(ends)
            .fold((i64::MAX, i64::MIN), |all, one| (all.0.min(one.0), all.1.max(one.1)));
        while moment < after {
            let middle = (moment & after) + ((moment ^ after) >> 1);
            if enough_by(middle) { after = middle } else { moment = middle + 1 }
        }
        let before = |of_author| said(of_author, authors, |micros| micros < moment);
        let mut oldest: BTreeMap<u32, usize> =
            self.authors.iter().map(|(&author, of_author)| (author, before(of_author))).collect();
        let in_that_moment = |of_author: &VecDeque<Listed>| {
            let runs = of_author.iter().skip_while(|run| run.last.micros < moment);
            let keys = runs.flat_map(|run| {
                let first = run.before(authors, |hlc, _| hlc.micros < moment);
                (first..run.place.count).map(|nth| (run.key(nth, authors), run.place.author))
            });
            keys.take_while(|((hlc, _), _)| hlc.micros == moment).collect::<Vec<_>>()
        };
        let mut said: Vec<(SortKey, u32)> = self.authors.values().flat_map(in_that_moment).collect();
        said.sort_unstable();
        let rest = count - oldest.values().sum::<usize>();
        for (_, author) in said.into_iter().take(rest) {
            *oldest.get_mut(&author).expect("each author is in it") += 1;
        }
        oldest.into_iter().collect()
    }

    fn drop_oldest_of(&mut self, author: u32, mut count: usize, authors: &mut Authors) {
        let of_author = self.authors.get_mut(&author).expect("an author that is listed");
        self.len -= count;
        while count > 0 {
            let front = of_author.front_mut().expect("as many are listed");
            let run = *front;
            let dropped = if count < run.place.count as usize {
                let nth = u32::try_from(count).expect("fewer than the run has");
                *front = run.tail(nth, authors);
                run.head(nth, authors)
            } else {
                of_author.pop_front();
                run
            };
            if !self.opened.is_empty() {
                self.opened.remove(&(author, dropped.place.clock));
            }
            count -= dropped.place.count as usize;
            self.bytes -= dropped.bytes(authors);
            authors.remove(dropped.place);
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
        let comes_before = |key: SortKey| before.is_none_or(|before| key < before);
        let mut newest = BinaryHeap::new();
        for (&author, of_author) in &self.authors {
            let runs = of_author.partition_point(|run| comes_before(run.key(0, authors)));
            if let Some(at) = runs.checked_sub(1) {
                let run = &of_author[at];
                let process = authors.process(author);
                let nth = run.before(authors, |hlc, clock| comes_before((hlc, MessageId { process, clock }))) - 1;
                newest.push((run.key(nth, authors), author, at, nth));
            }
        }
        let mut entries = Vec::new();
        while entries.len() < count
            && let Some((_, author, at, nth)) = newest.pop()
        {
            let of_author = &self.authors[&author];
            let run = &of_author[at];
            let Listed { fetched, late, clock_off, .. } = *run;
            let (hlc, clock) = (run.hlc(nth, authors), run.clock(nth));
            let kept = authors.get(author, clock);
            let opened = self.opened.get(&(author, clock)).cloned();
            entries.push(Entry { conversation: of.clone(), hlc, kept, fetched, late, clock_off, opened });
            if let Some(nth) = nth.checked_sub(1) {
                newest.push((run.key(nth, authors), author, at, nth));
            } else if let Some(at) = at.checked_sub(1) {
                let nth = of_author[at].place.count - 1;
                newest.push((of_author[at].key(nth, authors), author, at, nth));
            }
        }
        entries
    }
}

/// Lists a single message where it belongs, if need be in the midst of a run.
fn insert(of_author: &mut VecDeque<Listed>, one: Listed, authors: &Authors) {
    let is_before = |hlc, clock| (hlc, clock) < (one.first, one.place.clock);
    let at = of_author.partition_point(|run| is_before(run.first, run.place.clock));
    if let Some(before) = at.checked_sub(1) {
        let run = of_author[before];
        let head = run.before(authors, is_before);
        if head < run.place.count {
            of_author[before] = run.head(head, authors);
            of_author.insert(at, run.tail(head, authors));
        }
    }
    of_author.insert(at, one);
}

/// How many of an author's messages were said before a moment that this tells.
fn said(of_author: &VecDeque<Listed>, authors: &Authors, is_before: impl Fn(i64) -> bool) -> usize {
    let mut count = 0;
    for run in of_author {
        if !is_before(run.last.micros) {
            return count + run.before(authors, |hlc, _| is_before(hlc.micros)) as usize;
        }
        count += run.place.count as usize;
    }
    count
}
