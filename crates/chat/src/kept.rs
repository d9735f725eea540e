//! Messages as they are kept: with all that is needed to hand them on to somebody who lacks them.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use causal::Stamp;

use crate::batch::{self, Hash, Proof};
use crate::frame::Handed;
use crate::identity::Signature;
use crate::{MessageId, ProcessId};

mod stored;

pub use stored::Filed;

/// The causal process of a peer: its envelopes name people's processes. What is held are [`Kept`] messages, which lend
/// their stamps, and when each of them came (monotonic).
pub(crate) type Causal = causal::Process<ProcessId, Duration, Kept>;

/// One message of a batch, or the hash that stands for one that was addressed to others.
#[derive(Debug)]
pub(crate) enum Leaf {
    Here {
        stamp: Stamp,
        /// Where its body lies among the [`SignedBatch::bodies`].
        body: Range<usize>,
    },
    Elsewhere(Hash),
}

/// Messages that their author signed together.
#[derive(Debug)]
pub(crate) struct SignedBatch {
    author: ProcessId,
    signature: Signature,
    leaves: Vec<Leaf>,
    /// The bodies of all messages that are here, with or without something in between.
    bodies: Bytes,
    bytes: usize,
    /// The hashes of all messages, once somebody asks for one.
    hashes: OnceLock<Vec<Hash>>,
    /// Whether the signature holds, once that was looked at.
    is_signed: OnceLock<bool>,
    /// The first frame that it was encoded to, nearly always the same for every link.
    frame: OnceLock<Encoded>,
    /// Where the store has filed it.
    number: OnceLock<u64>,
}

/// A frame of a batch: which of its messages it holds, in which generation of the author's numbering.
#[derive(Debug)]
struct Encoded {
    mask: u64,
    generation: u64,
    frame: Bytes,
}

impl SignedBatch {
    /// # Panics
    /// Later on, if a leaf has its body outside `bodies`.
    pub(crate) fn new(author: ProcessId, signature: Signature, leaves: Vec<Leaf>, bodies: Bytes) -> Self {
        const HASH: usize = 48;
        let here = leaves.iter().map(|leaf| match leaf {
            Leaf::Here { stamp, body } => bytes_of(stamp, body.len()),
            Leaf::Elsewhere(_) => 0,
        });
        let bytes = HASH * leaves.len() + here.sum::<usize>();
        let (hashes, is_signed, frame, number) = (OnceLock::new(), OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { author, signature, leaves, bodies, bytes, hashes, is_signed, frame, number }
    }

    /// One's own messages, signed now.
    pub(crate) fn sign(
        identity: &crate::identity::Identity,
        author: ProcessId,
        messages: Vec<(Stamp, Bytes)>,
        causal: &Causal,
    ) -> Self {
        let mut bodies = Vec::with_capacity(messages.iter().map(|(_, body)| body.len()).sum());
        let leaf = |(stamp, body): (Stamp, Bytes)| {
            let start = bodies.len();
            bodies.extend_from_slice(&body);
            Leaf::Here { stamp, body: start..bodies.len() }
        };
        let leaves: Vec<Leaf> = messages.into_iter().map(leaf).collect();
        let hashes = hashes(&leaves, &bodies, causal);
        let signature = batch::sign(identity, &author, &hashes);
        let batch = Self::new(author, signature, leaves, bodies.into());
        Self { hashes: OnceLock::from(hashes), is_signed: OnceLock::from(true), ..batch }
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
        self.bytes
    }

    /// The message at `index`, if it is here.
    pub(crate) fn message(&self, index: usize) -> Option<(&Stamp, &[u8])> {
        match self.leaves.get(index)? {
            Leaf::Here { stamp, body } => Some((stamp, &self.bodies[body.clone()])),
            Leaf::Elsewhere(_) => None,
        }
    }

    /// The hash of each message.
    pub(crate) fn hashes(&self, causal: &Causal) -> &[Hash] {
        self.hashes.get_or_init(|| hashes(&self.leaves, &self.bodies, causal))
    }
}

fn hashes(leaves: &[Leaf], bodies: &[u8], causal: &Causal) -> Vec<Hash> {
    let (mut speller, mut envelope) = (causal.speller(), Vec::new());
    let hash = |leaf: &Leaf| match leaf {
        Leaf::Here { stamp, body } => {
            envelope.clear();
            speller.write(stamp, &mut envelope);
            batch::leaf(&envelope, &bodies[body.clone()])
        }
        Leaf::Elsewhere(hash) => *hash,
    };
    leaves.iter().map(hash).collect()
}

/// About how many bytes one message takes.
fn bytes_of(stamp: &Stamp, body: usize) -> usize {
    const FIXED: usize = 160;
    FIXED + body + 48 * stamp.log.len()
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

    fn parts(&self) -> (&Stamp, &[u8]) {
        self.batch.message(usize::from(self.index)).expect("checked when it was made")
    }

    pub(crate) fn stamp(&self) -> &Stamp {
        self.parts().0
    }

    /// The body, as it travels.
    pub fn body(&self) -> &[u8] {
        self.parts().1
    }

    /// The body, which shares memory with those of its whole batch.
    pub(crate) fn shared_body(&self) -> Bytes {
        self.batch.bodies.slice_ref(self.body())
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
        bytes_of(self.stamp(), self.body().len())
    }

    /// Whether its author signed the batch that it came in; looked at once a batch. What comes straight from its author
    /// is believed without; before it is handed on its proof has to hold.
    pub(crate) fn is_signed(&self, causal: &Causal) -> bool {
        let batch = &self.batch;
        *batch.is_signed.get_or_init(|| batch::verify(&batch.author, batch.hashes(causal), &batch.signature).is_ok())
    }

    /// The form in which anybody can hand it on: canonical, with the proof that its author wrote it.
    pub(crate) fn handed(&self, causal: &Causal) -> Handed {
        let mut leaves_of_others = self.batch.hashes(causal).to_vec();
        leaves_of_others.remove(self.index());
        let proof = Proof { index: self.index, leaves_of_others, signature: *self.batch.signature() };
        Handed { envelope: causal.spell(self.stamp()).to_bytes(), body: self.body().to_vec(), proof }
    }

    /// A message that was handed on, its proof verified: whoever keeps it can hand it on again.
    pub(crate) fn from_handed(author: ProcessId, stamp: Stamp, body: Bytes, proof: Proof) -> Self {
        let index = usize::from(proof.index);
        let mut leaves: Vec<Leaf> = proof.leaves_of_others.into_iter().map(Leaf::Elsewhere).collect();
        leaves.insert(index, Leaf::Here { stamp, body: 0..body.len() });
        let batch = SignedBatch::new(author, proof.signature, leaves, body);
        Self::new(Arc::new(SignedBatch { is_signed: OnceLock::from(true), ..batch }), index)
    }
}

impl Borrow<Stamp> for Kept {
    fn borrow(&self) -> &Stamp {
        self.stamp()
    }
}
