//! The portable form of a stamp: ids spelled out, one canonical sequence of bytes.

use alloc::vec::Vec;

use crate::bytes::{
    put, put_entries, put_set, take_byte, take_clock, take_count, take_entries, take_id, take_index, take_set,
};
use crate::{Clock, DecodeError, Entries, Entry, Id, Index, Limits, Roster, Set, Stamp};

const VERSION: u8 = 1;

/// A [`Stamp`] with ids spelled out: what is signed, stored and handed on. Two envelopes are equal exactly if their canonical
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
    /// Everybody whom the stamp names and nobody else, in the order of the ids: an index of the stamp is a place in here.
    pub(crate) processes: Vec<P>,
    pub(crate) stamp: Stamp,
}

/// One of an envelope's entries: a message that may not have reached some of its destinations yet ([`Entry`]).
#[derive(Clone, Copy, Debug)]
pub struct EnvelopeEntry<'a, P> {
    processes: &'a [P],
    entry: &'a Entry,
}

impl<P: Ord + Clone> Envelope<P> {
    /// The author.
    pub fn sender(&self) -> &P {
        &self.processes[self.stamp.sender.position()]
    }

    /// Which of his messages this is, from 1.
    pub fn clock(&self) -> Clock {
        self.stamp.clock
    }

    /// To whom it goes, in order.
    pub fn dests(&self) -> impl Iterator<Item = &P> {
        members(&self.stamp.dests, &self.processes)
    }

    /// Whether it goes to `process`.
    pub fn is_for(&self, process: &P) -> bool {
        self.position(process).is_some_and(|index| self.stamp.dests.contains(index))
    }

    /// What may have to come first, ordered by author and clock.
    pub fn log(&self) -> impl ExactSizeIterator<Item = EnvelopeEntry<'_, P>> {
        self.stamp.log.iter().map(|entry| EnvelopeEntry { processes: &self.processes, entry })
    }

    /// What has to be delivered to `process` before this: author and clock.
    pub fn dependencies<'a>(&'a self, process: &P) -> impl Iterator<Item = (&'a P, Clock)> {
        let index = self.position(process);
        let entries = self.stamp.log.iter().filter(move |entry| index.is_some_and(|index| entry.dests.contains(index)));
        entries.map(|entry| (&self.processes[entry.sender.position()], entry.clock))
    }

    /// The reduction for one destination ([`Stamp::for_destination`]).
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

    /// Numbers those whom `stamp` names by the order of their ids.
    fn compact<'a>(stamp: &Stamp, id: impl Fn(Index) -> &'a P) -> Self
    where
        P: 'a,
    {
        let mut named = stamp.dests.clone();
        named.insert(stamp.sender);
        for entry in stamp.log.iter() {
            named.insert(entry.sender);
            named.extend_from(&entry.dests);
        }
        let mut order: Vec<Index> = named.iter().collect();
        order.sort_by(|a, b| id(*a).cmp(id(*b)));
        let mut places = alloc::vec![Index::ME; named.end()];
        for (place, index) in order.iter().enumerate() {
            places[index.position()] = Index::at(place);
        }
        Self {
            processes: order.into_iter().map(|index| id(index).clone()).collect(),
            stamp: stamp.translate(|index| places[index.position()]),
        }
    }
}

impl<P: Id> Envelope<P> {
    /// The canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = self.processes.len();
        let mut out = alloc::vec![VERSION];
        put(count as u64, &mut out);
        for process in &self.processes {
            process.encode(&mut out);
        }
        put(self.stamp.sender.position() as u64, &mut out);
        put(self.stamp.clock, &mut out);
        put_set(&self.stamp.dests, count, &mut out);
        put_entries(&self.stamp.log, count, &mut out);
        out
    }

    /// Reads canonical bytes. Memory grows with `bytes` only, and by a small factor.
    ///
    /// # Errors
    /// [`DecodeError`] unless `bytes` are exactly what [`to_bytes`](Self::to_bytes) writes for some envelope within `limits`.
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
        let mut named = dests.clone();
        named.insert(sender);
        for entry in log.iter() {
            named.insert(entry.sender);
            named.extend_from(&entry.dests);
        }
        if named.len() < count {
            return Err(DecodeError::NotCanonical);
        }
        Ok(Self { processes, stamp: Stamp { sender, clock, dests, log } })
    }
}

impl<'a, P> EnvelopeEntry<'a, P> {
    /// The message's author.
    pub fn sender(&self) -> &'a P {
        &self.processes[self.entry.sender.position()]
    }

    /// Which of his messages it is.
    pub fn clock(&self) -> Clock {
        self.entry.clock
    }

    /// The destinations that it may not have reached, in order.
    pub fn dests(&self) -> impl Iterator<Item = &'a P> + use<'a, P> {
        members(&self.entry.dests, self.processes)
    }
}

fn members<'a, P>(set: &'a Set, processes: &'a [P]) -> impl Iterator<Item = &'a P> + use<'a, P> {
    set.iter().map(|index| &processes[index.position()])
}

#[cfg(test)]
mod tests {
    use std::vec;

    use proptest::prelude::*;

    use super::*;

    fn envelope() -> impl Strategy<Value = Envelope<u16>> {
        let set = || prop::collection::btree_set(0..300_u16, 0..20);
        let entries = prop::collection::btree_map((0..300_u16, 1..50_u64), set(), 0..10);
        (0..300_u16, 1..u64::MAX, set(), entries).prop_map(|(sender, clock, dests, entries)| {
            let mut roster = Roster::new(0, 1000);
            let mut set = |ids: std::collections::BTreeSet<u16>| -> Set {
                ids.into_iter().map(|id| roster.intern(id).unwrap()).collect()
            };
            let dests = set(dests);
            let sets: Vec<_> = entries.into_iter().map(|(key, ids)| (key, set(ids))).collect();
            let log = sets.into_iter().map(|((sender, clock), dests)| Entry {
                sender: roster.intern(sender).unwrap(),
                clock,
                dests,
            });
            let log = log.collect();
            let stamp = Stamp { sender: roster.intern(sender).unwrap(), clock, dests, log };
            Envelope::spelled(&stamp, &roster)
        })
    }

    proptest! {
        #[test]
        fn bytes_give_the_envelope_back(envelope in envelope()) {
            let bytes = envelope.to_bytes();
            prop_assert_eq!(Envelope::from_bytes(&bytes, &Limits::default()), Ok(envelope));
        }

        #[test]
        fn any_bytes_give_an_error_or_were_canonical(
            envelope in envelope(), cut in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
        ) {
            let mut bytes = envelope.to_bytes();
            for (at, with) in flips {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
            bytes.truncate(cut.index(bytes.len() * 4).max(1));
            if let Ok(read) = Envelope::<u16>::from_bytes(&bytes, &Limits::default()) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
        }
    }

    #[test]
    fn whoever_is_named_by_nobody_is_refused() {
        let bytes = vec![VERSION, 2, 7, 9, 0, 1, 0, 0];
        assert_eq!(Envelope::<u8>::from_bytes(&bytes, &Limits::default()), Err(DecodeError::NotCanonical));
    }

    #[test]
    fn a_limit_is_named() {
        let limits = Limits { processes: 1, ..Limits::default() };
        let bytes = vec![VERSION, 2, 7, 9, 0, 1, 2, 0];
        assert!(Envelope::<u8>::from_bytes(&bytes, &Limits::default()).is_ok());
        let refused = Envelope::<u8>::from_bytes(&bytes, &limits);
        assert_eq!(refused, Err(DecodeError::TooMany { what: "processes", count: 2, limit: 1 }));
    }
}
