//! A stamp as bytes in its process's own numbering: for the store of that process only.

use alloc::vec::Vec;

use crate::bytes::{
    put, put_entries, put_set, take, take_byte, take_index, take_kept_clock, take_kept_entries, take_set,
};
use crate::{DecodeError, Index, Limits, Stamp};

#[cfg(test)]
mod tests;

const VERSION: u8 = 1;

impl Stamp {
    /// Appends the stamp in this numbering. That takes some tens of bytes, because ids are not spelled out as in
    /// [`Envelope::to_bytes`](crate::Envelope::to_bytes). Reading it back takes the same numbering, which a
    /// [`Snapshot`](crate::Snapshot) keeps.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Limits, Process, Stamp};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// # let both = [alice.intern("bob")?, alice.intern("carol")?].into_iter().collect();
    /// let stamp = alice.multicast(&both);
    /// let mut bytes = Vec::new();
    /// stamp.write_local(&mut bytes);
    /// assert_eq!(Stamp::read_local(&bytes, &Limits::default())?, stamp);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn write_local(&self, out: &mut Vec<u8>) {
        let ends = self.log.iter().map(|entry| entry.dests.end().max(entry.sender.position() + 1));
        let count = ends.chain([self.dests.end(), self.sender.position() + 1]).max().expect("the sender has a place");
        out.push(VERSION);
        put(count as u64, out);
        put(self.sender.position() as u64, out);
        put(self.clock, out);
        put_set(&self.dests, count, Index::position, out);
        put_entries(&self.log, count, Index::position, out);
    }

    /// Reads what [`write_local`](Self::write_local) wrote.
    ///
    /// # Errors
    /// [`DecodeError`] for other bytes, and for more processes or entries than `limits` allows.
    ///
    /// # Examples
    /// ```
    /// # use causal::{DecodeError, Limits, Stamp};
    /// assert_eq!(Stamp::read_local(&[], &Limits::default()), Err(DecodeError::Truncated));
    /// ```
    pub fn read_local(mut bytes: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        let input = &mut bytes;
        let version = take_byte(input)?;
        if version != VERSION {
            return Err(DecodeError::Version(version));
        }
        let count = take(input)?;
        let count = match usize::try_from(count) {
            Ok(count) if count <= limits.processes => count,
            Ok(_) | Err(_) => return Err(DecodeError::TooMany { what: "processes", count, limit: limits.processes }),
        };
        let sender = take_index(input, count)?;
        let clock = take_kept_clock(input)?;
        let dests = take_set(input, count)?;
        let log = take_kept_entries(input, count, limits.entries)?.into_iter().collect();
        if !input.is_empty() {
            return Err(DecodeError::Trailing);
        }
        Ok(Self { sender, clock, dests, log })
    }

    /// The same stamp, in which the index at position `me` stands for the owner of the numbering, whose index is
    /// [`Process::me`](crate::Process::me). A process that takes the place of another one reads its stored stamps in this way.
    /// All other indices stay as they were.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// let mut before = Process::<_, ()>::new("alice 1", Config::default());
    /// let bob = before.intern("bob")?;
    /// let mut after = Process::<_, ()>::new("alice 2", Config::default());
    /// assert_eq!(after.intern("bob")?, bob);
    /// let me_before = after.intern("alice 1")?;
    /// let stamp = before.multicast(&[bob].into_iter().collect());
    /// assert_eq!(after.spell(&stamp.clone().renamed(me_before.position())), before.spell(&stamp));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// If `me` is beyond `u32::MAX`. No position is.
    #[must_use]
    pub fn renamed(self, me: usize) -> Self {
        let me = Index::at(me);
        self.translate(|index| if index == Index::ME { me } else { index })
    }
}
