//! The messages of one conversation, read in the order of history.
//!
//! Each author's stamps ascend, but many authors' messages come interleaved, under load seconds apart. So they are listed by
//! author, where each run goes to the end, and merged only when they are read or the oldest have to go.

use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::iter;

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

    fn hlcs(&self, authors: &Authors) -> impl Iterator<Item = Hlc> {
        let first = authors.get(self.place.author, self.place.clock);
        let behind = (1..self.place.count).map(move |nth| run::stamp_of(first.body_behind(nth)));
        iter::once(self.first).chain(behind)
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

    /// How many of the `count` oldest are whose. Whole runs are told from their ends, and only those are merged that lie about
    /// where the last of the oldest does: under load merging all takes a step from one author to another for each message.
    fn oldest(&self, count: usize, authors: &Authors) -> Vec<(u32, usize)> {
        let runs = || self.authors.values().flatten();
        // Fewer were begun before, and so none before is missing; by then enough are whole, and so none behind is wanted.
        let from = reached(count, runs().map(|run| (run.first, run.place.count)));
        let by = reached(count, runs().map(|run| (run.last, run.place.count)));
        let mut oldest = BTreeMap::new();
        let mut about = Vec::new();
        for run in runs() {
            let Place { author, count, .. } = run.place;
            let whole = oldest.entry(author).or_insert(0);
            if run.last < from {
                *whole += count as usize;
            } else if run.first <= by {
                about.extend(run.hlcs(authors).map(|hlc| (hlc, authors.process(author), author)));
            }
        }
        let rest = count - oldest.values().sum::<usize>();
        if rest < about.len() {
            about.select_nth_unstable(rest);
        }
        for (_, _, author) in about.into_iter().take(rest) {
            *oldest.entry(author).or_insert(0) += 1;
        }
        oldest.into_iter().collect()
    }

    /// Drops a message that was listed by itself, if it is here.
    pub(super) fn withdraw(&mut self, author: u32, clock: u64, authors: &mut Authors) {
        let Some(of_author) = self.authors.get_mut(&author) else { return };
        let is_it = |listed: &Listed| (listed.place.clock, listed.place.count) == (clock, 1);
        let Some(listed) = of_author.iter().rposition(is_it).and_then(|at| of_author.remove(at)) else { return };
        if of_author.is_empty() {
            self.authors.remove(&author);
        }
        self.opened.remove(&(author, clock));
        self.len -= 1;
        self.bytes -= listed.bytes(authors);
        authors.remove(listed.place);
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

/// The first of these moments by which there are `count` messages, given how many each of them adds.
fn reached(count: usize, moments: impl Iterator<Item = (Hlc, u32)>) -> Hlc {
    let mut moments: Vec<(Hlc, u32)> = moments.collect();
    // They come author by author, each in order, which this kind of sorting makes use of.
    moments.sort();
    let mut sum = 0;
    let by_then = moments.into_iter().find(|&(_, added)| {
        sum += added as usize;
        sum >= count
    });
    by_then.map_or_else(Hlc::default, |(moment, _)| moment)
}
