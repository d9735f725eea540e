//! Batch signatures: an author signs once what it sends together, and each message can be handed on with its proof.
//!
//! The signature covers the author and the hashes of all messages of the batch, in order; the proof of one message is the
//! hashes of all the others and that signature. With at most 64 messages a batch a proof takes 2 KiB at most, and only
//! what is handed on carries one: a Merkle tree would make it shorter and everything else longer.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ProcessId;
use crate::identity::{self, BadSignature, Identity, Signature};

/// The most messages that any peer may sign together. Each peer takes fewer if its `Config::max_batch` says so; all
/// refuse more.
pub(crate) const MAX_LEAVES: usize = 64;

const LEAF_DOMAIN: &[u8] = b"causerie message v1";
const BATCH_DOMAIN: &[u8] = b"causerie batch v1";

/// SHA-256 of one message: its canonical envelope and its body.
pub type Hash = [u8; 32];

/// The hash of one message. The length of the envelope stands before it, so that no byte can move over to the body.
pub(crate) fn leaf(envelope: &[u8], body: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(LEAF_DOMAIN);
    hash.update((envelope.len() as u64).to_be_bytes());
    hash.update(envelope);
    hash.update(body);
    hash.finalize().into()
}

/// Signs one's own batch.
///
/// # Panics
/// For more than [`MAX_LEAVES`] hashes: nobody would accept that batch.
pub(crate) fn sign(identity: &Identity, author: &ProcessId, leaves: &[Hash]) -> Signature {
    assert!(leaves.len() <= MAX_LEAVES, "a batch has at most {MAX_LEAVES} messages");
    identity.sign(&statement(author, leaves.iter()))
}

/// Checks an author's signature over all the hashes of a batch.
///
/// # Errors
/// [`BadProof`] if the batch is too long or not the author's.
pub(crate) fn verify(author: &ProcessId, leaves: &[Hash], signature: &Signature) -> Result<(), BadProof> {
    if leaves.len() > MAX_LEAVES {
        return Err(BadProof::TooLong { leaves: leaves.len() });
    }
    Ok(identity::verify(&author.person, &statement(author, leaves.iter()), signature)?)
}

/// What the author signs: a hash of the whole, as Ed25519 goes over it twice, and with a slower hash.
fn statement<'a>(author: &ProcessId, leaves: impl ExactSizeIterator<Item = &'a Hash>) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(author.person.public_key());
    hash.update(author.incarnation.0.to_be_bytes());
    hash.update((leaves.len() as u64).to_be_bytes());
    for leaf in leaves {
        hash.update(leaf);
    }
    [BATCH_DOMAIN, &hash.finalize()].concat()
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadProof {
    /// A batch that nobody may sign.
    #[error("a batch of {leaves} messages; {MAX_LEAVES} at most may be signed together")]
    TooLong {
        /// How many messages it claims.
        leaves: usize,
    },
    /// The message's place lies outside its batch.
    #[error("message {index} of a batch of {leaves}")]
    OutOfBatch {
        /// The place.
        index: u16,
        /// How many messages the batch has.
        leaves: usize,
    },
    /// The author did not sign that.
    #[error(transparent)]
    Signature(#[from] BadSignature),
}

/// What proves that an author wrote one message: with it, anybody can hand the message on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// The message's place in its batch, from 0.
    pub index: u16,
    /// The hashes of the other messages of the batch, in order.
    pub leaves_of_others: Vec<Hash>,
    /// The author's signature over the batch.
    pub signature: Signature,
}

impl Proof {
    /// The hashes of the whole batch, `leaf` at its place.
    ///
    /// # Errors
    /// [`BadProof`] for a place outside the batch, or a batch that is too long.
    pub(crate) fn leaves(&self, leaf: &Hash) -> Result<Vec<Hash>, BadProof> {
        let (index, leaves) = (usize::from(self.index), self.leaves_of_others.len() + 1);
        if leaves > MAX_LEAVES {
            return Err(BadProof::TooLong { leaves });
        }
        if index >= leaves {
            return Err(BadProof::OutOfBatch { index: self.index, leaves });
        }
        let mut all = Vec::with_capacity(leaves);
        all.extend_from_slice(&self.leaves_of_others[..index]);
        all.push(*leaf);
        all.extend_from_slice(&self.leaves_of_others[index..]);
        Ok(all)
    }
}

/// Remembers the batches verified last, so that the many messages of one batch cost one verification (tens of
/// microseconds each, against one or two for a hash of the whole).
#[derive(Clone, Debug)]
pub(crate) struct Verified {
    /// Hashes of author, leaves and signature, newest last.
    recent: VecDeque<Hash>,
    capacity: usize,
}

impl Verified {
    /// Remembers `capacity` batches, 32 bytes each. The messages of a batch that do not come together come soon after one
    /// another, so a few dozen are enough.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { recent: VecDeque::with_capacity(capacity), capacity }
    }

    /// Checks `author`'s signature over all the hashes of a batch.
    ///
    /// # Errors
    /// [`BadProof`] says why it proves nothing.
    pub(crate) fn verify(
        &mut self,
        author: &ProcessId,
        leaves: &[Hash],
        signature: &Signature,
    ) -> Result<(), BadProof> {
        let mut hash = Sha256::new();
        hash.update(statement(author, leaves.iter()));
        hash.update(signature.0);
        let batch: Hash = hash.finalize().into();
        if self.recent.iter().rev().any(|recent| *recent == batch) {
            return Ok(());
        }
        verify(author, leaves, signature)?;
        if self.recent.len() >= self.capacity {
            self.recent.pop_front();
        }
        self.recent.push_back(batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
