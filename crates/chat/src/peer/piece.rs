//! A piece of what is handed on: messages of any authors, batch by batch, each batch with its author's signature and the hashes of
//! those of its messages that are not in the piece.
//!
//! ```text
//! nothing, or: additions to a numbering that begins with the piece (causal::wire)
//! | for each batch: length u32 (big-endian) | the batch, as on a link
//! ```
//! The numbers are the piece's own: whoever hands it on wrote none of it, and it means the same on every link. They are looked up in
//! the reader's own only once the author's signature was checked, so that nobody fills a roster with processes that he made up.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use causal::wire::{Mark, Numbering, Table};
use causal::{Clock, Config, Limits};

use crate::ProcessId;
use crate::batch::MAX_LEAVES;
use crate::codec::take;
use crate::kept::{Causal, Kept, SignedBatch};
use crate::store::Store;

use super::{BadFrame, Peer, batch_frame};

/// The most messages that any peer may hand on in one piece. Each hands on fewer, as its `Config::max_piece` says; all refuse more.
const MAX_MESSAGES: usize = 4096;

/// For how many messages a batch counts beside its own: its signature takes as long to check as some ten messages to handle.
const SIGNATURE: usize = 8;

/// Puts together as many messages as one piece holds.
#[derive(Debug)]
pub(super) struct Builder {
    /// Of each batch the messages that are in the piece.
    batches: Vec<(Arc<SignedBatch>, u64)>,
    /// The place of each batch, by where it lies in memory: only for looking it up.
    places: BTreeMap<*const SignedBatch, usize>,
    /// How many messages are in, and what the batches count for.
    work: usize,
    bytes: usize,
    max_messages: usize,
    max_bytes: usize,
}

impl Builder {
    /// Room for so many messages, which may take about so many bytes.
    pub(super) fn new(max_messages: usize, max_bytes: usize) -> Self {
        let (batches, places) = (Vec::new(), BTreeMap::new());
        let max_messages = max_messages.min(MAX_MESSAGES - MAX_LEAVES);
        Self { batches, places, work: 0, bytes: 0, max_messages, max_bytes }
    }

    /// Whether nothing more is to be put in.
    pub(super) fn is_full(&self) -> bool {
        self.work >= self.max_messages || self.bytes >= self.max_bytes
    }

    /// Whether this message may be put in. A batch that was begun goes whole: what is left of one costs hashes, and a signature
    /// that is checked again.
    pub(super) fn has_room_for(&self, kept: &Kept) -> bool {
        !self.is_full() || self.places.contains_key(&Arc::as_ptr(kept.batch()))
    }

    /// Adds a message that its author signed.
    pub(super) fn put(&mut self, kept: &Kept) {
        let batch = kept.batch();
        let place = match self.places.entry(Arc::as_ptr(batch)) {
            Entry::Occupied(place) => *place.get(),
            Entry::Vacant(place) => {
                self.work += SIGNATURE;
                self.bytes += batch_frame::bytes_without_messages(batch.len());
                self.batches.push((Arc::clone(batch), 0));
                *place.insert(self.batches.len() - 1)
            }
        };
        self.batches[place].1 |= 1 << kept.index();
        self.work += 1;
        self.bytes = (self.bytes + kept.bytes_on_link()).saturating_sub(batch_frame::HASH);
    }

    /// The piece.
    pub(super) fn finish(self, causal: &Causal) -> Bytes {
        if self.batches.is_empty() {
            return Bytes::new();
        }
        let mut numbering = Numbering::new(&Limits::default());
        let mut batches = BytesMut::with_capacity(self.bytes + self.bytes / 4);
        for (batch, mask) in &self.batches {
            let start = batches.len();
            batches.put_u32(0);
            batch_frame::lay_out(batch, *mask, &mut numbering, causal, &mut batches);
            let length = u32::try_from(batches.len() - start - 4).expect("a batch is far below 4 GiB");
            batches[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
        let mut piece = Vec::with_capacity(1024 + batches.len());
        numbering.additions_since(Mark::default(), causal.roster(), &mut piece);
        piece.extend_from_slice(&batches);
        piece.into()
    }
}

/// The batches of a piece, in a numbering of their own.
fn decode(piece: &[u8], me: ProcessId, limits: &Limits) -> Result<(Causal, Vec<SignedBatch>), BadFrame> {
    let mut numbered = Causal::lending(me, Config { max_processes: limits.processes, ..Config::default() });
    let (mut table, mut rest) = (Table::default(), piece);
    if !rest.is_empty() {
        table.learn(&mut rest, &mut numbered, limits).map_err(|error| BadFrame(error.to_string()))?;
    }
    let (mut batches, mut messages) = (Vec::new(), 0);
    while !rest.is_empty() {
        let short = || BadFrame("a piece that ends too soon".to_owned());
        let length = u32::from_be_bytes(*take(&mut rest).ok_or_else(short)?);
        let (batch, behind) = rest.split_at_checked(length as usize).ok_or_else(short)?;
        rest = behind;
        let batch = batch_frame::decode(batch, None, &table, limits, numbered.roster())?;
        messages += batch.here().count();
        if messages > MAX_MESSAGES {
            return Err(BadFrame(format!("a piece of more than {MAX_MESSAGES} messages")));
        }
        batches.push(batch);
    }
    Ok((numbered, batches))
}

/// How many messages a piece holds.
#[cfg(test)]
pub(super) fn messages_in(piece: &[u8]) -> usize {
    let nobody = ProcessId { person: crate::PersonId::new([0; 32]), incarnation: crate::Incarnation(0) };
    decode(piece, nobody, &Limits::default())
        .map_or(0, |(_, batches)| batches.iter().map(|batch| batch.here().count()).sum())
}

impl<S: Store> Peer<S> {
    /// The batches of a piece, one signature checked for each; those that can be taken, and whether all were signed. What is not
    /// taken is counted.
    ///
    /// # Errors
    /// [`BadFrame`] for what no honest peer puts together, whatever he was handed himself.
    pub(super) fn open_piece(&mut self, piece: &[u8]) -> Result<(Vec<Arc<SignedBatch>>, bool), BadFrame> {
        let (numbered, batches) = decode(piece, self.me, &self.limits())?;
        let mut taken = Vec::with_capacity(batches.len());
        let mut all_signed = true;
        for batch in batches {
            let is_signed =
                self.repair.verified.verify(batch.author(), batch.hashes(&numbered), batch.signature()).is_ok();
            all_signed &= is_signed;
            // What I said myself I know better, and beyond the bound on processes nobody is taken in.
            let is_mine = *batch.author() == self.me;
            let batch = (is_signed && !is_mine).then(|| batch.localised(&numbered, &mut self.causal));
            match batch {
                Some(Ok(batch)) => {
                    let batch = Arc::new(batch);
                    for (kept, followers) in batch.runs() {
                        self.causal.vouch(kept.sender(), kept.clock() + Clock::from(followers));
                    }
                    taken.push(batch);
                }
                Some(Err(_)) | None => self.repair.refused += 1,
            }
        }
        Ok((taken, all_signed))
    }
}
