//! The portable form of a stamp. It spells ids out and has one canonical sequence of bytes.

use alloc::vec::Vec;

use crate::bytes::{
    put, put_entries, put_set, take_byte, take_clock, take_count, take_entries, take_id, take_index, take_set,
};
use crate::{Clock, DecodeError, Entries, Entry, Id, Index, Limits, Roster, Set, Stamp};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;

/// A [`Stamp`] with ids spelled out: the form to sign, store and hand on. Two envelopes are equal exactly if their canonical
/// bytes are.
///
/// ```
/// use causal::{Config, Envelope, Limits, Process};
/// let mut alice: Process<String, ()> = Process::new("alice".to_owned(), Config::default());
/// let envelope = alice.send(["bob".to_owned(), "carol".to_owned()])?;
/// assert_eq!((envelope.sender().as_str(), envelope.clock()), ("alice", 1));
/// assert!(envelope.dests().eq(["bob", "carol"]));
/// assert_eq!(Envelope::from_bytes(&envelope.to_bytes(), &Limits::default()).as_ref(), Ok(&envelope));
/// # Ok::<(), causal::Full>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope<P> {
    /// The processes that the stamp names and no others, in the order of their ids. An index of the stamp is a place in here.
    pub(crate) processes: Vec<P>,
    pub(crate) stamp: Stamp,
}

/// One of an envelope's entries: a message that may not have reached some of its destinations yet ([`Entry`]).
///
/// # Examples
/// ```
/// # use causal::{Config, Envelope, Limits, Process};
/// # let mut alice = Process::<u64, ()>::new(1, Config::default());
/// alice.send([2])?;
/// let envelope = alice.send([2, 3])?;
/// let entry = envelope.log().next().expect("the first message may still be on its way");
/// assert_eq!((entry.sender(), entry.clock()), (&1, 1));
/// assert!(entry.dests().eq(&[2]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeEntry<'a, P> {
    processes: &'a [P],
    entry: &'a Entry,
}

impl<P: Ord + Clone> Envelope<P> {
    /// The author.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert_eq!(envelope.sender(), &1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sender(&self) -> &P {
        &self.processes[self.stamp.sender.position()]
    }

    /// Which of its author's messages this is, from 1.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert_eq!(envelope.clock(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(&self) -> Clock {
        self.stamp.clock
    }

    /// Its destinations, in order.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.dests().eq(&[2, 3]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dests(&self) -> impl Iterator<Item = &P> {
        members(&self.stamp.dests, &self.processes)
    }

    /// Whether it goes to `process`.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.is_for(&3) && !envelope.is_for(&1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_for(&self, process: &P) -> bool {
        self.position(process).is_some_and(|index| self.stamp.dests.contains(index))
    }

    /// The messages that may have to come first, ordered by author and clock.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert_eq!(envelope.log().len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn log(&self) -> impl ExactSizeIterator<Item = EnvelopeEntry<'_, P>> {
        self.stamp.log.iter().map(|entry| EnvelopeEntry { processes: &self.processes, entry })
    }

    /// The dependencies of this message at `process`, which has to deliver them first: author and clock.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.dependencies(&2).eq([(&1, 1)]));
    /// assert_eq!(envelope.dependencies(&3).count(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dependencies<'a>(&'a self, process: &P) -> impl Iterator<Item = (&'a P, Clock)> {
        let index = self.position(process);
        let entries = self.stamp.log.iter().filter(move |entry| index.is_some_and(|index| entry.dests.contains(index)));
        entries.map(|entry| (&self.processes[entry.sender.position()], entry.clock))
    }

    /// The reduction for one destination ([`Stamp::for_destination`]).
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert_eq!(envelope.for_destination(&2).dependencies(&2).count(), 1);
    /// assert!(envelope.for_destination(&3).log().all(|entry| entry.dests().next().is_none()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn for_destination(&self, destination: &P) -> Self {
        match self.position(destination) {
            Some(index) => Self::compact(&self.stamp.for_destination(index), |index| &self.processes[index.position()]),
            None => self.clone(),
        }
    }

    /// The same stamp, from the numbering of `roster`.
    pub(crate) fn spelled(stamp: &Stamp, roster: &Roster<P>) -> Self {
        Self::compact(stamp, |index| roster.id(index))
    }

    fn position(&self, process: &P) -> Option<Index> {
        self.processes.binary_search(process).ok().map(Index::at)
    }

    /// Numbers the processes that `stamp` names by the order of their ids.
    fn compact<'a>(stamp: &Stamp, id: impl Fn(Index) -> &'a P) -> Self
    where
        P: 'a,
    {
        let (order, places) = in_order(&named(stamp), &id);
        Self {
            processes: order.into_iter().map(|index| id(index).clone()).collect(),
            stamp: stamp.translate(|index| Index::at(places[index.position()])),
        }
    }
}

impl<P: Id> Envelope<P> {
    /// The canonical bytes.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert_eq!(Envelope::from_bytes(&envelope.to_bytes(), &Limits::default())?, envelope);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_processes(&self.processes, &mut out);
        put_stamp(&self.stamp, self.processes.len(), Index::position, &mut out);
        out
    }

    /// Reads canonical bytes. Memory grows with `bytes` only, and by a small factor.
    ///
    /// # Errors
    /// [`DecodeError`] unless `bytes` are exactly what [`to_bytes`](Self::to_bytes) writes for some envelope within `limits`.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// let mut bytes = envelope.to_bytes();
    /// bytes.push(0);
    /// assert_eq!(Envelope::<u64>::from_bytes(&bytes, &Limits::default()), Err(causal::DecodeError::Trailing));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        let version = take_byte(input)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let count = take_count(input, "processes", limits.processes)?;
        let processes = (0..count).map(|_| take_id(input)).collect::<Result<Vec<P>, DecodeError>>()?;
        if !processes.is_sorted_by(|a, b| a < b) {
            return Err(DecodeError::Unordered);
        }
        let sender = take_index(input, count)?;
        let clock = take_clock(input)?;
        let dests = take_set(input, count)?;
        let log: Entries = take_entries(input, count, limits.entries)?.into_iter().collect();
        if !input.is_empty() {
            return Err(DecodeError::Trailing);
        }
        let stamp = Stamp { sender, clock, dests, log };
        if named(&stamp).len() < count {
            return Err(DecodeError::NotCanonical);
        }
        Ok(Self { processes, stamp })
    }
}

impl<'a, P> EnvelopeEntry<'a, P> {
    /// The message's author.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.log().all(|entry| entry.sender() == &1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn sender(&self) -> &'a P {
        &self.processes[self.entry.sender.position()]
    }

    /// Which of its author's messages it is.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.log().map(|entry| entry.clock()).eq([1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(&self) -> Clock {
        self.entry.clock
    }

    /// The destinations that it may not have reached, in order.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Envelope, Limits, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// alice.send([2])?;
    /// let envelope = alice.send([2, 3])?;
    /// assert!(envelope.log().all(|entry| entry.dests().eq(&[2])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dests(&self) -> impl Iterator<Item = &'a P> + use<'a, P> {
        members(&self.entry.dests, self.processes)
    }
}

/// Writes the canonical bytes of stamps without making envelopes of them. This is several times faster for stamps that name
/// the same processes. Most messages that one process sends in a row do.
///
/// ```
/// use causal::{Config, Process};
/// let mut alice: Process<String, ()> = Process::new("alice".to_owned(), Config::default());
/// let dests = [alice.intern("bob".to_owned())?].into_iter().collect();
/// let stamps = [alice.multicast(&dests), alice.multicast(&dests)];
/// let mut speller = alice.speller();
/// for stamp in &stamps {
///     let mut bytes = Vec::new();
///     speller.write(stamp, &mut bytes);
///     assert_eq!(bytes, alice.spell(stamp).to_bytes());
/// }
/// # Ok::<(), causal::Full>(())
/// ```
#[derive(Clone, Debug)]
pub struct Speller<'a, P> {
    roster: &'a Roster<P>,
    /// The processes that the last stamp named.
    named: Set,
    /// How many they are, the place of each in the order of their ids, and the first bytes.
    count: usize,
    places: Vec<usize>,
    beginning: Vec<u8>,
}

impl<'a, P: Id> Speller<'a, P> {
    pub(crate) fn new(roster: &'a Roster<P>) -> Self {
        Self { roster, named: Set::new(), count: 0, places: Vec::new(), beginning: Vec::new() }
    }

    /// Appends what [`Envelope::to_bytes`] of the spelled stamp would be.
    ///
    /// # Panics
    /// If `stamp` is not in the numbering of the process that made this speller.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// let bob = [alice.intern(2)?].into_iter().collect();
    /// let stamp = alice.multicast(&bob);
    /// let mut bytes = Vec::new();
    /// alice.speller().write(&stamp, &mut bytes);
    /// assert_eq!(bytes, alice.spell(&stamp).to_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write(&mut self, stamp: &Stamp, out: &mut Vec<u8>) {
        let named = named(stamp);
        if named != self.named {
            let order;
            (order, self.places) = in_order(&named, |index| self.roster.id(index));
            self.count = order.len();
            self.beginning.clear();
            put_processes(order.into_iter().map(|index| self.roster.id(index)), &mut self.beginning);
            self.named = named;
        }
        out.extend_from_slice(&self.beginning);
        put_stamp(stamp, self.count, |index| self.places[index.position()], out);
    }
}

/// The processes that a stamp names.
fn named(stamp: &Stamp) -> Set {
    let mut named = stamp.dests.clone();
    named.insert(stamp.sender);
    for entry in stamp.log.iter() {
        named.insert(entry.sender);
        named.extend_from(&entry.dests);
    }
    named
}

/// The members of a set by their ids, and the place of each among them.
fn in_order<'a, P: Ord + 'a>(named: &Set, id: impl Fn(Index) -> &'a P) -> (Vec<Index>, Vec<usize>) {
    let mut order: Vec<Index> = named.iter().collect();
    order.sort_by(|a, b| id(*a).cmp(id(*b)));
    let mut places = alloc::vec![0; named.end()];
    for (place, index) in order.iter().enumerate() {
        places[index.position()] = place;
    }
    (order, places)
}

/// Appends the first part of the canonical bytes: the version and the named processes.
fn put_processes<'a, P: Id + 'a>(
    processes: impl IntoIterator<Item = &'a P, IntoIter: ExactSizeIterator>,
    out: &mut Vec<u8>,
) {
    let processes = processes.into_iter();
    out.push(VERSION);
    put(processes.len() as u64, out);
    for process in processes {
        process.encode(out);
    }
}

/// Appends the second part: the stamp, in which `place` numbers the `count` named processes.
fn put_stamp(stamp: &Stamp, count: usize, place: impl Fn(Index) -> usize, out: &mut Vec<u8>) {
    put(place(stamp.sender) as u64, out);
    put(stamp.clock, out);
    put_set(&stamp.dests, count, &place, out);
    put_entries(&stamp.log, count, place, out);
}

fn members<'a, P>(set: &'a Set, processes: &'a [P]) -> impl Iterator<Item = &'a P> + use<'a, P> {
    set.iter().map(|index| &processes[index.position()])
}
