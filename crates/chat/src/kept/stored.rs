//! Kept messages as a store files them: what a batch's messages have in common once, and each message by itself.
//!
//! Stamps are in the numbering of the process that wrote them ([`causal::Stamp::write_local`]); the store has that numbering
//! from [`Change::Process`](crate::Change::Process). With it they give the canonical form, byte for byte.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use causal::{Limits, Stamp};

use super::{Kept, Leaf, SignedBatch};
use crate::batch::{Hash, MAX_LEAVES};
use crate::codec::{Malformed, take};
use crate::identity::Signature;
use crate::{Incarnation, PersonId, ProcessId};

/// One message of a batch, as it was filed.
#[derive(Clone, Debug)]
pub struct Filed {
    /// Its place in the batch, from 0.
    pub place: u16,
    /// Its stamp, as [`Kept::stamp_bytes`] wrote it.
    pub stamp: Vec<u8>,
    /// Its body, as [`Kept::body`] has it.
    pub body: Bytes,
}

impl Kept {
    /// The messages of one batch, whose stamps were written before this process became another incarnation: in what they
    /// are now written in, where the former one has the number `former`.
    pub(crate) fn renamed(batch: &SignedBatch, former: usize) -> Arc<SignedBatch> {
        let leaf = |leaf: &Leaf| match leaf {
            Leaf::Here { stamp, body } => {
                Leaf::Here { stamp: Box::new((**stamp).clone().renamed(former)), body: body.clone() }
            }
            Leaf::Follows { first, body } => Leaf::Follows { first: *first, body: body.clone() },
            Leaf::Elsewhere(hash) => Leaf::Elsewhere(hash.clone()),
        };
        Arc::new(SignedBatch {
            leaves: batch.leaves.iter().map(leaf).collect(),
            followers: OnceLock::new(),
            frame: OnceLock::new(),
            author: batch.author,
            signature: batch.signature,
            bodies: batch.bodies.clone(),
            bytes: batch.bytes,
            hashes: batch.hashes.clone(),
            is_signed: batch.is_signed.clone(),
            number: batch.number.clone(),
        })
    }

    /// The number under which a store filed the batch that this message belongs to, if it has.
    pub fn batch_number(&self) -> Option<u64> {
        self.batch.number.get().copied()
    }

    /// Notes under which number a store filed the batch. Only the first number counts.
    pub fn file_batch(&self, number: u64) {
        let _ = self.batch.number.set(number);
    }

    /// The message's place in its batch, from 0 to 63: with the number of the batch it names the message in the store.
    pub fn place(&self) -> u16 {
        self.index
    }

    /// What the messages of the batch have in common, filed once: the author, the signature, how many there are, and the
    /// hashes of those that are not here.
    ///
    /// ```text
    /// author 40 | signature 64 | count u8 | for each absent message: place u8 | hash 32
    /// ```
    pub fn batch_head(&self) -> Vec<u8> {
        let batch = &self.batch;
        let mut bytes = Vec::with_capacity(105);
        causal::Id::encode(&batch.author, &mut bytes);
        bytes.extend_from_slice(&batch.signature.0);
        bytes.push(u8::try_from(batch.leaves.len()).expect("a batch has at most 64 messages"));
        for (place, leaf) in batch.leaves.iter().enumerate() {
            if let Leaf::Elsewhere(hash) = leaf {
                bytes.push(u8::try_from(place).expect("a batch has at most 64 messages"));
                bytes.extend_from_slice(&**hash);
            }
        }
        bytes
    }

    /// The author's number among the processes; 0 is oneself.
    pub fn author_number(&self) -> u32 {
        u32::try_from(self.sender().position()).expect("processes are numbered with 32 bits")
    }

    /// Which messages of the batch are here, whatever has become of them: bit i is the one in place i. A store files them
    /// all, because without any of these the batch cannot be read back.
    pub fn places_here(&self) -> u64 {
        self.batch.here().fold(0, |mask, place| mask | 1 << place)
    }

    /// The message of the same batch in that place, if it is here.
    pub fn sibling(&self, place: u16) -> Option<Self> {
        self.batch.dests(usize::from(place))?;
        Some(Self { batch: Arc::clone(&self.batch), index: place })
    }

    /// Appends the stamp, in the process's own numbering.
    pub fn stamp_bytes(&self, out: &mut Vec<u8>) {
        self.stamp().write_local(out);
    }

    /// The messages of a batch that was filed under `number`, in the order of `filed`. What was `written_by` an earlier
    /// incarnation, which now has that number among the processes, is read in its numbering. There are `processes`
    /// numbers, 0 among them: a stamp that names others is damaged.
    ///
    /// # Errors
    /// [`Malformed`] if these are not the head and the messages of one batch, all that are here of it.
    pub fn read(
        number: u64,
        head: &[u8],
        filed: Vec<Filed>,
        written_by: Option<u32>,
        processes: usize,
    ) -> Result<Vec<Self>, Malformed> {
        // What others wrote was bounded when it came, and what this peer wrote may name more.
        let limits = Limits { processes, entries: usize::MAX, ..Limits::default() };
        let short = || Malformed::new("the head of a batch that ends too soon");
        let mut rest = head;
        let key: [u8; 32] = *take(&mut rest).ok_or_else(short)?;
        let incarnation: [u8; 8] = *take(&mut rest).ok_or_else(short)?;
        let author =
            ProcessId { person: PersonId::new(key), incarnation: Incarnation(u64::from_be_bytes(incarnation)) };
        let signature = Signature(*take(&mut rest).ok_or_else(short)?);
        let [count] = *take(&mut rest).ok_or_else(short)?;
        let count = usize::from(count);
        if count == 0 || count > MAX_LEAVES {
            return Err(Malformed::new("a batch of more messages than may be signed together"));
        }
        let mut leaves: Vec<Option<Leaf>> = (0..count).map(|_| None).collect();
        let mut put = |place: usize, leaf: Leaf| match leaves.get_mut(place) {
            Some(slot @ None) => {
                *slot = Some(leaf);
                Ok(())
            }
            Some(Some(_)) | None => Err(Malformed::new("two messages in one place of a batch, or one beyond it")),
        };
        while !rest.is_empty() {
            let [place] = *take(&mut rest).ok_or_else(short)?;
            let hash: Hash = *take(&mut rest).ok_or_else(short)?;
            put(usize::from(place), Leaf::elsewhere(hash))?;
        }
        let mut bodies = Vec::with_capacity(filed.iter().map(|filed| filed.body.len()).sum());
        // Where the run begins that the message before belongs to, its place, and its stamp.
        let mut before: Option<(usize, usize, Stamp)> = None;
        for Filed { place, stamp, body } in &filed {
            let stamp = Stamp::read_local(stamp, &limits).map_err(|_| Malformed::new("a stamp that cannot be read"))?;
            let stamp = match written_by {
                Some(me) => stamp.renamed(me as usize),
                None => stamp,
            };
            let start = bodies.len();
            bodies.extend_from_slice(body);
            let (place, body) = (usize::from(*place), start..bodies.len());
            let run = before.filter(|(_, last, before)| last + 1 == place && stamp.follows(before));
            let first = run.map_or(place, |(first, ..)| first);
            let leaf = if first < place { Leaf::follows(first, body) } else { Leaf::here(stamp.clone(), body) };
            put(place, leaf)?;
            before = Some((first, place, stamp));
        }
        let leaves: Option<Vec<Leaf>> = leaves.into_iter().collect();
        let leaves = leaves.ok_or(Malformed::new("a batch of which messages are missing"))?;
        let batch = SignedBatch::new(author, signature, leaves, bodies.into());
        let batch = Arc::new(SignedBatch { number: OnceLock::from(number), ..batch });
        Ok(filed.iter().map(|filed| Self::new(Arc::clone(&batch), usize::from(filed.place))).collect())
    }
}
