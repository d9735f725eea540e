//! Messages as they are kept: with all that is needed to hand them on to somebody who lacks them.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use causal::Stamp;

use crate::batch::{self, Hash, Proof};
use crate::frame::Handed;
use crate::identity::Signature;
use crate::{MessageId, ProcessId};

/// The causal process of a peer: its envelopes name people's processes, and hang [`Kept`] messages on what is held.
pub(crate) type Causal = causal::Process<ProcessId, crate::peer::Arrived>;

/// One message of a batch, or the hash that stands for one that was addressed to others.
#[derive(Debug)]
struct Leaf {
    hash: OnceLock<Hash>,
    message: Option<(Stamp, Bytes)>,
}

/// Messages that their author signed together.
#[derive(Debug)]
pub(crate) struct SignedBatch {
    author: ProcessId,
    signature: Signature,
    leaves: Vec<Leaf>,
    /// Whether the signature holds, once that was looked at.
    is_signed: OnceLock<bool>,
    /// The first frame that it was encoded to, nearly always the same for every link.
    frame: OnceLock<Encoded>,
}

/// A frame of a batch: which of its messages it holds, in which generation of the author's numbering.
#[derive(Debug)]
struct Encoded {
    mask: u64,
    generation: u64,
    frame: Bytes,
}

/// What [`SignedBatch::new`] is made of: a message with its body, or the hash of one that is not here.
pub(crate) enum Part {
    Message(Stamp, Bytes),
    Elsewhere(Hash),
}

impl SignedBatch {
    pub(crate) fn new(author: ProcessId, signature: Signature, parts: Vec<Part>) -> Self {
        let leaf = |part| match part {
            Part::Message(stamp, body) => Leaf { hash: OnceLock::new(), message: Some((stamp, body)) },
            Part::Elsewhere(hash) => Leaf { hash: OnceLock::from(hash), message: None },
        };
        let leaves = parts.into_iter().map(leaf).collect();
        Self { author, signature, leaves, is_signed: OnceLock::new(), frame: OnceLock::new() }
    }

    /// One's own messages, signed now.
    pub(crate) fn sign(
        identity: &crate::identity::Identity,
        author: ProcessId,
        messages: Vec<(Stamp, Bytes)>,
        causal: &Causal,
    ) -> Self {
        let hashes: Vec<Hash> = messages.iter().map(|(stamp, body)| leaf_hash(causal, stamp, body)).collect();
        let signature = batch::sign(identity, &author, &hashes);
        let leaf = |((stamp, body), hash)| Leaf { hash: OnceLock::from(hash), message: Some((stamp, body)) };
        let leaves = messages.into_iter().zip(hashes).map(leaf).collect();
        Self { author, signature, leaves, is_signed: OnceLock::from(true), frame: OnceLock::new() }
    }

    /// The frame of the messages in `mask`: what `encode` makes of them, unless that was made before.
    pub(crate) fn frame(&self, mask: u64, generation: u64, encode: impl FnOnce() -> Bytes) -> Bytes {
        match self.frame.get() {
            Some(encoded) if (encoded.mask, encoded.generation) == (mask, generation) => encoded.frame.clone(),
            Some(_) => encode(),
            None => self.frame.get_or_init(|| Encoded { mask, generation, frame: encode() }).frame.clone(),
        }
    }

    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    /// How many messages were signed together.
    pub(crate) fn len(&self) -> usize {
        self.leaves.len()
    }

    /// About how many bytes the whole takes, which stays as long as any of its messages is kept.
    pub(crate) fn bytes(&self) -> usize {
        const HASH: usize = 48;
        let messages = self.leaves.iter().filter_map(|leaf| leaf.message.as_ref());
        HASH * self.leaves.len() + messages.map(|(stamp, body)| bytes_of(stamp, body)).sum::<usize>()
    }

    /// The message at `index`, if it is here.
    pub(crate) fn message(&self, index: usize) -> Option<(&Stamp, &Bytes)> {
        self.leaves.get(index)?.message.as_ref().map(|(stamp, body)| (stamp, body))
    }

    /// The hash of the message at `index`, computed at first use.
    pub(crate) fn hash(&self, index: usize, causal: &Causal) -> Hash {
        let leaf = &self.leaves[index];
        *leaf.hash.get_or_init(|| {
            let (stamp, body) = leaf.message.as_ref().expect("a leaf without a message was made from its hash");
            leaf_hash(causal, stamp, body)
        })
    }
}

/// About how many bytes one message takes.
fn bytes_of(stamp: &Stamp, body: &Bytes) -> usize {
    const FIXED: usize = 160;
    FIXED + body.len() + 48 * stamp.log.len()
}

fn leaf_hash(causal: &Causal, stamp: &Stamp, body: &[u8]) -> Hash {
    batch::leaf(&causal.spell(stamp).to_bytes(), body)
}

/// A message of a batch.
#[derive(Clone, Debug)]
pub struct Kept {
    batch: Arc<SignedBatch>,
    index: u16,
}

impl Kept {
    /// The message at `index` of `batch`, which must be there.
    pub(crate) fn new(batch: Arc<SignedBatch>, index: usize) -> Self {
        debug_assert!(batch.message(index).is_some());
        Self { batch, index: u16::try_from(index).expect("a batch has at most a few dozen messages") }
    }

    fn parts(&self) -> (&Stamp, &Bytes) {
        self.batch.message(usize::from(self.index)).expect("checked when it was made")
    }

    pub(crate) fn stamp(&self) -> &Stamp {
        self.parts().0
    }

    pub(crate) fn body(&self) -> &Bytes {
        self.parts().1
    }

    pub(crate) fn batch(&self) -> &Arc<SignedBatch> {
        &self.batch
    }

    pub(crate) fn index(&self) -> usize {
        usize::from(self.index)
    }

    /// The author and his clock.
    pub fn id(&self) -> MessageId {
        MessageId { process: self.batch.author, clock: self.stamp().clock }
    }

    /// About how many bytes it takes here.
    pub(crate) fn bytes(&self) -> usize {
        bytes_of(self.stamp(), self.body())
    }

    /// Whether its author signed the batch that it came in; looked at once a batch. What comes straight from its author
    /// is believed without; before it is handed on its proof has to hold.
    pub(crate) fn is_signed(&self, causal: &Causal) -> bool {
        let batch = &self.batch;
        *batch.is_signed.get_or_init(|| {
            let hashes: Vec<Hash> = (0..batch.len()).map(|index| batch.hash(index, causal)).collect();
            batch::verify(&batch.author, &hashes, &batch.signature).is_ok()
        })
    }

    /// The form in which anybody can hand it on: canonical, with the proof that its author wrote it.
    pub(crate) fn handed(&self, causal: &Causal) -> Handed {
        let others = (0..self.batch.len()).filter(|&other| other != self.index());
        let proof = Proof {
            index: self.index,
            leaves_of_others: others.map(|other| self.batch.hash(other, causal)).collect(),
            signature: *self.batch.signature(),
        };
        Handed { envelope: causal.spell(self.stamp()).to_bytes(), body: self.body().to_vec(), proof }
    }

    /// A message that was handed on, its proof verified: whoever keeps it can hand it on again.
    pub(crate) fn from_handed(author: ProcessId, stamp: Stamp, body: Bytes, proof: Proof) -> Self {
        let index = usize::from(proof.index);
        let mut parts: Vec<Part> = proof.leaves_of_others.into_iter().map(Part::Elsewhere).collect();
        parts.insert(index, Part::Message(stamp, body));
        let batch = SignedBatch { is_signed: OnceLock::from(true), ..SignedBatch::new(author, proof.signature, parts) };
        Self::new(Arc::new(batch), index)
    }
}
