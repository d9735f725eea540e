//! What is kept of one author, by clock: a sorted ring of stretches, which come nearly in order and go oldest first.

use std::collections::VecDeque;
use std::sync::Arc;

use super::OVERHEAD;
use crate::kept::{Kept, SignedBatch};

/// Messages of one batch whose clocks follow one another: the first, with its clock, and how many there are.
#[derive(Clone, Debug)]
struct Stretch {
    clock: u64,
    count: u32,
    first: Kept,
}

impl Stretch {
    /// The clock behind its last one.
    fn end(&self) -> u64 {
        self.clock + u64::from(self.count)
    }

    /// Those before `clock`, which is not that of the first.
    fn before(&self, clock: u64) -> Self {
        Self { count: clocks(self.clock, clock), ..self.clone() }
    }

    /// Those from `clock` on.
    fn from(&self, clock: u64) -> Self {
        Self { clock, count: clocks(clock, self.end()), first: self.first.behind(clocks(self.clock, clock)) }
    }
}

fn clocks(from: u64, to: u64) -> u32 {
    u32::try_from(to - from).expect("a batch has at most 64 messages")
}

/// The messages of one author. Appending and taking the first take constant time; what comes out of order costs a search and
/// moves the stretches that lie between it and the nearer end.
#[derive(Debug, Default)]
pub(super) struct Messages(VecDeque<Stretch>);

impl Messages {
    /// Adds messages of a batch that follow one another, unless one of them is here. Answers what they add to what all take.
    pub(super) fn insert(&mut self, first: &Kept, count: u32) -> Option<usize> {
        let stretch = Stretch { clock: first.clock(), count, first: first.clone() };
        let at = if self.0.back().is_none_or(|last| last.end() <= stretch.clock) {
            self.0.len()
        } else {
            self.position(stretch.clock).err()?
        };
        if self.0.get(at).is_some_and(|next| next.clock < stretch.end()) {
            return None;
        }
        self.0.insert(at, stretch);
        Some(self.cost(at))
    }

    /// Takes messages away that were added together, all or some that follow one another. Answers what they took.
    pub(super) fn remove(&mut self, clock: u64, count: u32) -> usize {
        let at = self.position(clock).expect("it is here");
        let (stretch, end) = (&self.0[at], clock + u64::from(count));
        let before = (stretch.clock < clock).then(|| stretch.before(clock));
        let behind = (end < stretch.end()).then(|| stretch.from(end));
        match (before, behind) {
            (None, None) => {
                let cost = self.cost(at);
                self.0.remove(at);
                return cost;
            }
            (Some(rest), None) | (None, Some(rest)) => self.0[at] = rest,
            (Some(before), Some(behind)) => {
                self.0[at] = before;
                self.0.insert(at + 1, behind);
            }
        }
        // The batch stays for the others.
        count as usize * OVERHEAD
    }

    /// The message with this clock.
    pub(super) fn get(&self, clock: u64) -> Option<Kept> {
        let at = self.position(clock).ok()?;
        Some(self.0[at].from(clock).first)
    }

    /// Whether a message with this clock is here.
    pub(super) fn contains(&self, clock: u64) -> bool {
        self.position(clock).is_ok()
    }

    /// What lies behind `clock`, in order.
    pub(super) fn after(&self, clock: u64) -> impl Iterator<Item = (u64, Kept)> + '_ {
        let start = self.0.partition_point(|stretch| stretch.end() - 1 <= clock);
        let all = self.0.range(start..).flat_map(|stretch| {
            (0..stretch.count).map(|nth| (stretch.clock + u64::from(nth), stretch.first.behind(nth)))
        });
        all.skip_while(move |&(other, _)| other <= clock)
    }

    /// Stamps are written by another incarnation from now on; the one before has the number `former`.
    pub(super) fn rename(&mut self, former: usize) {
        // A batch is a run of its author's messages.
        let mut last: Option<(Arc<SignedBatch>, Arc<SignedBatch>)> = None;
        for Stretch { first, .. } in &mut self.0 {
            let renamed = match &last {
                Some((old, renamed)) if Arc::ptr_eq(old, first.batch()) => Arc::clone(renamed),
                Some(_) | None => Kept::renamed(first.batch(), former),
            };
            last = Some((Arc::clone(first.batch()), Arc::clone(&renamed)));
            *first = Kept::new(renamed, first.index());
        }
    }

    /// Where the stretch with this clock stands, or else would.
    fn position(&self, clock: u64) -> Result<usize, usize> {
        let holds = |stretch: &Stretch| (stretch.clock..stretch.end()).contains(&clock);
        // Nearly always it is the first that is looked for, to go.
        if self.0.front().is_some_and(holds) {
            return Ok(0);
        }
        let at = self.0.partition_point(|stretch| stretch.end() <= clock);
        if self.0.get(at).is_some_and(holds) { Ok(at) } else { Err(at) }
    }

    /// What the stretch at `at` adds to what all take.
    ///
    /// A batch stays whole while any of its messages is kept, and somebody might make one of a short message to a quiet
    /// conversation and 63 long ones to a busy one. So what counts are batches: neighbouring stretches of one batch take what
    /// the batch takes. (All of a batch are neighbours, but for what its author signed apart in between.)
    fn cost(&self, at: usize) -> usize {
        let batch = |at: usize| self.0.get(at).map(|stretch| stretch.first.batch());
        let same = |one: Option<&Arc<SignedBatch>>, other: Option<&Arc<SignedBatch>>| {
            one.zip(other).is_some_and(|(one, other)| Arc::ptr_eq(one, other))
        };
        let size = |batch: Option<&Arc<SignedBatch>>| batch.map_or(0, |batch| batch.bytes());
        let (before, here, after) = (at.checked_sub(1).and_then(batch), batch(at), batch(at + 1));
        let run = if same(before, here) || same(here, after) { 0 } else { size(here) };
        let split = if same(before, after) && !same(before, here) { size(before) } else { 0 };
        self.0[at].count as usize * OVERHEAD + run + split
    }
}
