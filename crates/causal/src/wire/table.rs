//! The receiver's side of one link: what the sender's numbers stand for.

use alloc::vec::Vec;
use core::borrow::Borrow;

use smallvec::SmallVec;

use super::{
    AFTER_HIS_LAST, BITMAP, BY_ANOTHER, LESS, LESS_AUTHOR, LIST, NOBODY, NUMBERED, ONE, OTHER, SET, SINGLE, VERSION,
};
use crate::bytes::{accept_count, in_range, take, take_byte, take_bytes, take_clock, take_count, take_id};
use crate::{Clock, DecodeError, Entries, Entry, Id, Index, Limits, Numbered, Process, Set, Stamp};

/// What the numbers from the other end of one link stand for. It lives as long as the connection.
///
/// # Examples
/// ```
/// # use causal::wire::{Mark, Numbering, Table};
/// # use causal::{Config, Limits, Process};
/// # let limits = Limits::default();
/// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
/// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
/// let mut numbering = Numbering::new(&limits);
/// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
/// let stranger = Table::default().decode(&mut &[0, 1, 1, 0][..], &limits);
/// assert!(matches!(stranger, Err(causal::DecodeError::Unknown { number: 0, .. })));
/// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table {
    generation: u64,
    processes: Vec<Index>,
    sets: Vec<Set>,
}

/// The parts of a message to which the set of an entry may refer.
struct Context<'a> {
    dests: &'a Set,
    author: Index,
}

impl Table {
    /// Takes additions off the front of `input`. Their ids join the roster of `process`.
    ///
    /// # Errors
    /// [`DecodeError`] if the additions are malformed, do not begin where the table ends, or exceed `limits`. Then the link
    /// cannot be used any more. [`DecodeError::Full`] if the roster is full.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// numbering.encode(&alice.multicast(&to_bob), &mut message);
    /// numbering.additions_since(Mark::default(), alice.roster(), &mut additions);
    /// let mut table = Table::default();
    /// let mut input = &additions[..];
    /// table.learn(&mut input, &mut bob, &limits)?;
    /// assert!(input.is_empty());
    /// assert!(bob.roster().index(&1).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn learn<P: Id, M, S: Borrow<Stamp>>(
        &mut self,
        input: &mut &[u8],
        process: &mut Process<P, M, S>,
        limits: &Limits,
    ) -> Result<(), DecodeError> {
        let version = take_byte(input)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let generation = take(input)?;
        if generation != self.generation {
            *self = Self { generation, ..Self::default() };
        }
        follows(take(input)?, self.processes.len())?;
        let room = limits.processes - self.processes.len().min(limits.processes);
        for _ in 0..take_count(input, "processes", room)? {
            self.processes.push(process.intern(take_id(input)?)?);
        }
        follows(take(input)?, self.sets.len())?;
        let room = limits.sets - self.sets.len().min(limits.sets);
        for _ in 0..take_count(input, "sets", room)? {
            let set = self.take_set(input, None)?;
            self.sets.push(set);
        }
        Ok(())
    }

    /// Takes a message off the front of `input`.
    ///
    /// # Errors
    /// [`DecodeError`] if it is malformed, uses a number that was never introduced, or exceeds `limits`.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// numbering.encode(&alice.multicast(&to_bob), &mut message);
    /// numbering.additions_since(Mark::default(), alice.roster(), &mut additions);
    /// let mut table = Table::default();
    /// table.learn(&mut &additions[..], &mut bob, &limits)?;
    /// let stamp = table.decode(&mut &message[..], &limits)?;
    /// assert!(stamp.dests.contains(bob.me()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn decode(&self, input: &mut &[u8], limits: &Limits) -> Result<Stamp, DecodeError> {
        let head = take(input)?;
        let last = head & AFTER_HIS_LAST != 0;
        let others = accept_count(head >> 2, input, "entries", limits.entries)?;
        accept_count(others as u64 + u64::from(last), input, "entries", limits.entries)?;
        let sender = if head & BY_ANOTHER == 0 { self.process(0)? } else { self.take_process(input)? };
        let clock = take_clock(input)?;
        let dests = self.take_set(input, None)?;
        let mut log = SmallVec::with_capacity(others + usize::from(last));
        if last {
            let clock = in_range(clock - 1)?;
            log.push(Entry { sender, clock, dests: dests.clone() });
        }
        let mut before = (0, 0);
        for _ in 0..others {
            let (number, entry) = self.take_entry(input, before, (sender, clock), &dests)?;
            before = (number, entry.clock);
            log.push(entry);
        }
        let log = Entries::in_order(log).ok_or(DecodeError::Unordered)?;
        Ok(Stamp { sender, clock, dests, log })
    }

    /// Takes an entry that follows one with the author's number and the clock in `before`. Returns it with its author's number.
    fn take_entry(
        &self,
        input: &mut &[u8],
        before: (u64, Clock),
        (sender, sent): (Index, Clock),
        dests: &Set,
    ) -> Result<(u64, Entry), DecodeError> {
        let head = take(input)?;
        let number = before.0.saturating_add(head >> 2);
        let author = self.process(number)?;
        let clock = take_clock(input)?;
        let clock = match before {
            (same, before) if same == number && before > 0 => before + clock,
            _ if author == sender => sent.saturating_sub(clock),
            _ => clock,
        };
        let clock = in_range(clock)?;
        let dests = match head & 3 {
            LESS_AUTHOR => {
                let mut dests = dests.clone();
                dests.remove(author);
                dests
            }
            NOBODY => Set::new(),
            ONE => [self.take_process(input)?].into_iter().collect(),
            SET.. => self.take_set(input, Some(&Context { dests, author }))?,
        };
        Ok((number, Entry { sender: author, clock, dests }))
    }

    fn take_process(&self, input: &mut &[u8]) -> Result<Index, DecodeError> {
        self.process(take(input)?)
    }

    fn process(&self, number: u64) -> Result<Index, DecodeError> {
        find(&self.processes, Numbered::Process, number).copied()
    }

    fn set(&self, number: u64) -> Result<&Set, DecodeError> {
        find(&self.sets, Numbered::Set, number)
    }

    fn take_set(&self, input: &mut &[u8], context: Option<&Context<'_>>) -> Result<Set, DecodeError> {
        let head = take(input)?;
        let (kind, number) = (head & 3, head >> 2);
        match (kind, context) {
            (NUMBERED, _) => self.set(number).cloned(),
            (SINGLE, _) => Ok([self.process(number)?].into_iter().collect()),
            (LESS, _) => {
                let base = match (number.checked_sub(1), context) {
                    (Some(number), _) => self.set(number)?,
                    (None, Some(context)) => context.dests,
                    (None, None) => return Err(DecodeError::Form(head)),
                };
                let count = take(input)?;
                let mut less = self.take_ascending(input, count >> 1)?;
                match context {
                    _ if count & 1 == 0 => {}
                    Some(context) => _ = less.insert(context.author),
                    None => return Err(DecodeError::Form(head)),
                }
                Ok(base.difference(&less))
            }
            (OTHER, _) if number == LIST => {
                let count = take(input)?;
                self.take_ascending(input, count)
            }
            (OTHER, _) if number == BITMAP => {
                let count = take_count(input, "bytes of a bitmap", self.processes.len().div_ceil(8))?;
                let bytes = take_bytes(input, count)?.iter().enumerate();
                let numbers = bytes.flat_map(|(at, &byte)| {
                    (0..8_u64).filter(move |bit| byte >> bit & 1 == 1).map(move |bit| at as u64 * 8 + bit)
                });
                numbers.map(|number| self.process(number)).collect()
            }
            _ => Err(DecodeError::Form(head)),
        }
    }

    fn take_ascending(&self, input: &mut &[u8], count: u64) -> Result<Set, DecodeError> {
        let count = accept_count(count, input, "members of a set", self.processes.len())?;
        let mut next = 0_u64;
        let members = (0..count).map(|_| {
            let number = next.checked_add(take(input)?).ok_or(DecodeError::Number)?;
            next = number.saturating_add(1);
            self.process(number)
        });
        members.collect()
    }
}

fn find<T>(table: &[T], what: Numbered, number: u64) -> Result<&T, DecodeError> {
    let place = usize::try_from(number).ok();
    place.and_then(|place| table.get(place)).ok_or(DecodeError::Unknown { what, number })
}

/// Checks that additions begin where the table ends.
fn follows(first: u64, known: usize) -> Result<(), DecodeError> {
    if first == known as u64 { Ok(()) } else { Err(DecodeError::Gap { first, known }) }
}
