//! The state of a process, to go on from after a restart.

use alloc::vec::Vec;

use crate::bytes::{put, put_entries, put_set, take, take_byte, take_count, take_entries, take_id, take_set};
use crate::{Clock, Config, DecodeError, Entry, Full, Hole, Id, Index, Limits, Set};

const VERSION: u8 = 1;

/// The state of a [`Process`](crate::Process), without the messages that wait. Everything in it goes by the process's indices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot<P> {
    /// The roster, its owner first.
    pub processes: Vec<P>,
    /// The clock of the last message sent.
    pub clock: Clock,
    /// For each process, the newest message of it that was delivered.
    pub delivered: Vec<Clock>,
    /// For each process, what was given up.
    pub holes: Vec<Vec<Hole>>,
    /// For each process, how far it vouched for its clock.
    pub vouched: Vec<Clock>,
    /// Who is gone for good.
    pub forgotten: Set,
    /// What may still be on its way, ordered by author and clock.
    pub log: Vec<Entry>,
}

/// Why a process cannot go on from a snapshot.
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

impl<P> Snapshot<P> {
    /// Whether everything refers to what is there.
    pub(crate) fn check(&self, config: &Config) -> Result<(), RestoreError> {
        let count = self.processes.len();
        if count > config.max_processes {
            return Err(Full { limit: config.max_processes }.into());
        }
        let each = [self.delivered.len(), self.holes.len(), self.vouched.len()];
        let named = |set: &Set| set.end() <= count;
        let hole_by_hole = |holes: &Vec<Hole>| {
            holes.iter().all(|hole| hole.from < hole.to) && holes.is_sorted_by(|a, b| a.to <= b.from)
        };
        let in_order = self.log.is_sorted_by(|a, b| (a.sender, a.clock) < (b.sender, b.clock));
        let checks = [
            (count > 0, "nobody owns it"),
            (each == [count; 3], "a table does not have one line for each process"),
            (self.holes.iter().all(hole_by_hole), "holes overlap or are out of order"),
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
}

impl<P: Id> Snapshot<P> {
    /// The snapshot as bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = self.processes.len();
        let mut out = alloc::vec![VERSION];
        put(count as u64, &mut out);
        for process in &self.processes {
            process.encode(&mut out);
        }
        put(self.clock, &mut out);
        for ((delivered, vouched), holes) in self.delivered.iter().zip(&self.vouched).zip(&self.holes) {
            put(*delivered, &mut out);
            put(*vouched, &mut out);
            put(holes.len() as u64, &mut out);
            for hole in holes {
                put(hole.from, &mut out);
                put(hole.to, &mut out);
            }
        }
        put_set(&self.forgotten, count, &mut out);
        put_entries(&self.log, count, &mut out);
        out
    }

    /// Reads bytes that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for bytes of another kind, and for more processes or entries than `limits` has.
    pub fn from_bytes(mut bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        let version = take_byte(input)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let count = take_count(input, "processes", limits.processes)?;
        let processes = (0..count).map(|_| take_id(input)).collect::<Result<Vec<P>, DecodeError>>()?;
        let clock = take(input)?;
        let (mut delivered, mut vouched, mut holes) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..count {
            delivered.push(take(input)?);
            vouched.push(take(input)?);
            let count = take_count(input, "holes", usize::MAX)?;
            let each = (0..count).map(|_| Ok(Hole { from: take(input)?, to: take(input)? }));
            holes.push(each.collect::<Result<Vec<_>, DecodeError>>()?);
        }
        let forgotten = take_set(input, count)?;
        let log = take_entries(input, count, limits.entries)?;
        if !input.is_empty() {
            return Err(DecodeError::Trailing);
        }
        Ok(Self { processes, clock, delivered, holes, vouched, forgotten, log })
    }
}
