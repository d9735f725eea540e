//! The persisted state of a process, from which it goes on after a restart.

use alloc::vec::Vec;

use crate::bytes::{
    put, put_entries, put_set, take, take_byte, take_count, take_id, take_index, take_kept_entries, take_kept_position,
    take_set,
};
use crate::{Clock, Config, DecodeError, Entry, Full, Hole, Id, Index, Limits, MAX_CLOCK, Set};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;

/// The persisted state of a [`Process`](crate::Process), without the held messages. It uses the indices of that process
/// throughout.
///
/// # Examples
/// ```
/// # use causal::{Config, Limits, Process, Snapshot};
/// # let mut alice = Process::<u64, ()>::new(1, Config::default());
/// alice.send([2])?;
/// let snapshot = alice.snapshot();
/// assert_eq!((snapshot.clock, snapshot.log.len()), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot<P> {
    /// The roster, its owner first.
    pub processes: Vec<P>,
    /// The clock of the last message sent.
    pub clock: Clock,
    /// How many times this process gave something up.
    pub abandonments: u64,
    /// How far each author's messages have been delivered, in the order of the roster.
    pub authors: Vec<Progress>,
    /// The processes that are gone for good.
    pub forgotten: Set,
    /// The messages that may still be on their way, ordered by author and clock.
    pub log: Vec<Entry>,
}

/// How far one author's messages have been delivered at another process.
///
/// # Examples
/// ```
/// let nothing_came = causal::Progress::default();
/// assert_eq!((nothing_came.delivered, nothing_came.holes.len()), (0, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The clock of the newest delivered message.
    pub delivered: Clock,
    /// The clock that the author vouched for.
    pub vouched: Clock,
    /// How many times something had been given up when the author last said that everything has come.
    pub completed: u64,
    /// The gaps: clocks where messages may be missing.
    pub holes: Vec<Hole>,
}

/// Why a process cannot go on from a snapshot.
///
/// # Examples
/// ```
/// # use causal::{Config, Limits, Process, Snapshot};
/// # let mut alice = Process::<u64, ()>::new(1, Config::default());
/// alice.send([2])?;
/// let cut = Snapshot { clock: 0, ..alice.snapshot() };
/// let error = Process::<u64, ()>::restore(cut, Config::default()).err();
/// assert_eq!(error, Some(causal::RestoreError::Inconsistent("the log has a message that was never sent")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It has more processes than the configuration allows.
    #[error(transparent)]
    Full(#[from] Full),
    /// It contradicts itself.
    #[error("the snapshot contradicts itself: {0}")]
    Inconsistent(&'static str),
}

impl<P: Clone> Snapshot<P> {
    /// The state of a new process that takes the place of this one. Use it if the clock of this process cannot be relied on
    /// any more: its state was restored from a copy, say, and may have been used further elsewhere. All processes but these
    /// two keep their indices. The former process comes last. Its messages count as delivered up to `sent`, and it is
    /// forgotten as a destination.
    ///
    /// Messages that this process delivered happened before those that the new process sends. Nothing has been delivered to
    /// the new process.
    ///
    /// # Examples
    /// ```
    /// use causal::{Config, Process};
    /// let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// let question = alice.send(["bob", "carol"])?;
    /// bob.accept(&question, "lunch?")?;
    /// bob.next_delivery();
    /// let clock = bob.clock();
    /// let mut bob = Process::<_, &str>::restore(bob.snapshot().reborn("bob 2", clock), Config::default())?;
    /// let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// assert_eq!(carol.next_delivery(), None, "the question comes first");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn reborn(mut self, me: P, sent: Clock) -> Self {
        let former = Index::at(self.processes.len());
        let id = core::mem::replace(&mut self.processes[0], me);
        self.processes.push(id);
        let authors = (1..self.processes.len()).map(|_| Progress::default());
        let last = Progress { delivered: sent, vouched: sent, ..Progress::default() };
        self.authors = authors.chain([last]).collect();
        self.log.retain(|entry| entry.sender != Index::ME || entry.clock <= sent);
        for entry in self.log.iter_mut().filter(|entry| entry.sender == Index::ME) {
            entry.sender = former;
        }
        self.log.sort_by_key(|entry| (entry.sender, entry.clock));
        self.forgotten.insert(former);
        Self { clock: 0, abandonments: 0, ..self }
    }

    /// Adds the entries of an earlier snapshot of the same process, with the destinations that they named. The result is as if
    /// no message sent or received since then had made any of them obsolete.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.send(["bob"])?;
    /// let earlier = alice.snapshot();
    /// alice.send(["bob"])?;
    /// let mut snapshot = alice.snapshot();
    /// assert!(!snapshot.log.contains(&earlier.log[0]));
    /// snapshot.remember(&earlier.log);
    /// assert!(snapshot.log.contains(&earlier.log[0]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remember(&mut self, earlier: &[Entry]) {
        for entry in earlier {
            let place = |known: &Entry| (known.sender, known.clock).cmp(&(entry.sender, entry.clock));
            let dests = entry.dests.difference(&self.forgotten);
            match self.log.binary_search_by(place) {
                Ok(at) => self.log[at].dests.extend_from(&dests),
                Err(at) => self.log.insert(at, Entry { dests, ..*entry }),
            }
        }
    }
}

impl<P> Snapshot<P> {
    /// Whether the snapshot is consistent and within `config`.
    pub(crate) fn check(&self, config: &Config) -> Result<(), RestoreError> {
        let count = self.processes.len();
        if count > config.max_processes {
            return Err(Full { limit: config.max_processes }.into());
        }
        let named = |set: &Set| set.end() <= count;
        let hole_by_hole = |Progress { holes, .. }: &Progress| {
            holes.iter().all(|hole| hole.from < hole.to) && holes.is_sorted_by(|a, b| a.to <= b.from)
        };
        let in_order = self.log.is_sorted_by(|a, b| (a.sender, a.clock) < (b.sender, b.clock));
        let checks = [
            (count > 0, "nobody owns it"),
            (self.clocks().all(|clock| clock <= MAX_CLOCK), "a clock is beyond the last"),
            (self.authors.len() == count, "it does not tell of each process how far it has come"),
            (self.authors.iter().all(hole_by_hole), "holes overlap or are out of order"),
            (named(&self.forgotten), "an unknown process is forgotten"),
            (in_order, "the log is out of order"),
            (
                self.log.iter().all(|e| e.sender.position() < count && named(&e.dests)),
                "the log names an unknown process",
            ),
            (
                self.log.iter().all(|e| e.clock > 0 && (e.sender != Index::ME || e.clock <= self.clock)),
                "the log has a message that was never sent",
            ),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, what)) => Err(RestoreError::Inconsistent(what)),
            None => Ok(()),
        }
    }

    fn clocks(&self) -> impl Iterator<Item = Clock> + '_ {
        let of_author = |author: &'_ Progress| [author.delivered, author.vouched];
        let of_authors = self.authors.iter().flat_map(of_author);
        let of_holes = self.authors.iter().flat_map(|author| &author.holes).map(|hole| hole.to);
        let of_log = self.log.iter().map(|entry| entry.clock);
        [self.clock].into_iter().chain(of_authors).chain(of_holes).chain(of_log)
    }
}

impl<P: Id> Snapshot<P> {
    /// The snapshot as bytes.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Limits, Process, Snapshot};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let bytes = alice.snapshot().to_bytes();
    /// assert_eq!(Snapshot::from_bytes(&bytes, &Limits::default())?, alice.snapshot());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = self.processes.len();
        let mut out = alloc::vec![VERSION];
        put(count as u64, &mut out);
        for process in &self.processes {
            process.encode(&mut out);
        }
        put(self.clock, &mut out);
        put(self.abandonments, &mut out);
        for Progress { delivered, vouched, completed, holes } in &self.authors {
            put(*delivered, &mut out);
            put(*vouched, &mut out);
            put(*completed, &mut out);
            put(holes.len() as u64, &mut out);
            for hole in holes {
                put(hole.from, &mut out);
                put(hole.to, &mut out);
                put(hole.given_up.into(), &mut out);
            }
        }
        put_set(&self.forgotten, count, Index::position, &mut out);
        put_entries(&self.log, count, Index::position, &mut out);
        out
    }

    /// Reads bytes that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes, and for more processes or entries than `limits` allows.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Limits, Process, Snapshot};
    /// # let alice = Process::<u64, ()>::new(1, Config::default());
    /// let bytes = alice.snapshot().to_bytes();
    /// assert!(Snapshot::<u64>::from_bytes(&bytes[1..], &Limits::default()).is_err());
    /// ```
    pub fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        let version = take_byte(input)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let count = take_count(input, "processes", limits.processes)?;
        let processes = (0..count).map(|_| take_id(input)).collect::<Result<Vec<P>, DecodeError>>()?;
        let clock = take_kept_position(input)?;
        let abandonments = take(input)?;
        let authors = (0..count).map(|_| take_progress(input)).collect::<Result<Vec<_>, DecodeError>>()?;
        let forgotten = take_set(input, count)?;
        let log = take_kept_entries(input, count, limits.entries)?;
        if !input.is_empty() {
            return Err(DecodeError::Trailing);
        }
        Ok(Self { processes, clock, abandonments, authors, forgotten, log })
    }
}

fn take_progress(input: &mut &[u8]) -> Result<Progress, DecodeError> {
    let (delivered, vouched, completed) = (take_kept_position(input)?, take_kept_position(input)?, take(input)?);
    let count = take_count(input, "holes", usize::MAX)?;
    let holes = (0..count).map(|_| {
        let (from, to) = (take_kept_position(input)?, take_kept_position(input)?);
        Ok(Hole { from, to, given_up: take_index(input, 2)?.position() != 0 })
    });
    let mut holes = holes.collect::<Result<Vec<Hole>, DecodeError>>()?;
    // A gap beyond the last clock has nothing left in it.
    holes.retain(|hole| hole.from < hole.to || hole.to < MAX_CLOCK);
    Ok(Progress { delivered, vouched, completed, holes })
}
