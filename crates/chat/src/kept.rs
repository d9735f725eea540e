//! Messages as they are kept: with all that is needed to hand them on to somebody who lacks them.

use std::borrow::Borrow;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use causal::{Clock, Index, Set, Stamp};

use crate::batch::{self, Hash, Proof};
use crate::body::{self, Body};
use crate::frame::Handed;
use crate::identity::Signature;
use crate::{MessageId, ProcessId};

mod stored;

pub use stored::Filed;

/// The causal process of a peer: its envelopes name people's processes. What is held are [`Kept`] messages, which lend
/// their stamps, and when each of them came (monotonic).
pub(crate) type Causal = causal::Process<ProcessId, Duration, Kept>;

/// One message of a batch, or the hash that stands for one that was addressed to others. Bodies lie among the
/// [`SignedBatch::bodies`].
#[derive(Debug)]
pub(crate) enum Leaf {
    Here {
        stamp: Box<Stamp>,
        body: Range<u32>,
    },
    /// It [follows](Stamp::follows) the one before it in the batch. In a flood nearly all do: their stamps are made when
    /// somebody asks, as they would be most of what there is to write and to read.
    Follows {
        /// Where the run begins.
        first: u8,
        body: Range<u32>,
    },
    Elsewhere(Box<Hash>),
}

impl Leaf {
    pub(crate) fn here(stamp: Stamp, body: Range<usize>) -> Self {
        Self::Here { stamp: Box::new(stamp), body: place(body) }
    }

    pub(crate) fn follows(first: usize, body: Range<usize>) -> Self {
        Self::Follows { first: u8::try_from(first).expect("a batch has at most 64 messages"), body: place(body) }
    }

    pub(crate) fn elsewhere(hash: Hash) -> Self {
        Self::Elsewhere(Box::new(hash))
    }

    /// About how many bytes the message takes, if it is here.
    fn bytes(&self) -> usize {
        match self {
            Self::Here { stamp, body } => bytes_of(stamp.log.len(), body.len()),
            Self::Follows { body, .. } => bytes_of(1, body.len()),
            Self::Elsewhere(_) => 0,
        }
    }
}

fn place(body: Range<usize>) -> Range<u32> {
    let place = |at| u32::try_from(at).expect("the bodies of a batch are far below 4 GiB");
    place(body.start)..place(body.end)
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
    /// The stamps of those that follow, by their place in the batch, once somebody asks for one.
    followers: OnceLock<Vec<Option<Stamp>>>,
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
        let bytes = HASH * leaves.len() + leaves.iter().map(Leaf::bytes).sum::<usize>();
        let (followers, hashes) = (OnceLock::new(), OnceLock::new());
        let (is_signed, frame, number) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        Self { author, signature, leaves, bodies, bytes, followers, hashes, is_signed, frame, number }
    }

    /// One's own messages, signed now.
    pub(crate) fn sign<'a>(
        identity: &crate::identity::Identity,
        author: ProcessId,
        messages: impl ExactSizeIterator<Item = (&'a Stamp, &'a [u8])> + Clone,
        causal: &Causal,
    ) -> Self {
        let mut bodies = Vec::with_capacity(messages.clone().map(|(_, body)| body.len()).sum());
        let mut leaves = Vec::with_capacity(messages.len());
        let (mut first, mut before) = (0, None);
        for (index, (stamp, message)) in messages.enumerate() {
            let body = bodies.len()..bodies.len() + message.len();
            bodies.extend_from_slice(message);
            if before.is_some_and(|before| stamp.follows(before)) {
                leaves.push(Leaf::follows(first, body));
            } else {
                first = index;
                leaves.push(Leaf::here(stamp.clone(), body));
            }
            before = Some(stamp);
        }
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

    /// Who signed it.
    pub(crate) fn author(&self) -> &ProcessId {
        &self.author
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
        Some((self.stamp(index)?, &self.bodies[self.body(index)?]))
    }

    fn stamp(&self, index: usize) -> Option<&Stamp> {
        match self.leaves.get(index)? {
            Leaf::Here { stamp, .. } => Some(stamp),
            Leaf::Follows { .. } => self.followers.get_or_init(|| followers(&self.leaves))[index].as_ref(),
            Leaf::Elsewhere(_) => None,
        }
    }

    fn body(&self, index: usize) -> Option<Range<usize>> {
        match self.leaves.get(index)? {
            Leaf::Here { body, .. } | Leaf::Follows { body, .. } => Some(body.start as usize..body.end as usize),
            Leaf::Elsewhere(_) => None,
        }
    }

    /// The body of the message at `index`, if it is here.
    pub(crate) fn body_of(&self, index: usize) -> Option<&[u8]> {
        Some(&self.bodies[self.body(index)?])
    }

    /// How long all bodies are together, with what may lie between them.
    pub(crate) fn bytes_of_bodies(&self) -> usize {
        self.bodies.len()
    }

    /// The stamp at the beginning of the run that the message at `index` belongs to, and how many come between.
    fn head(&self, index: usize) -> Option<(&Stamp, usize)> {
        let first = match self.leaves.get(index)? {
            Leaf::Here { .. } => index,
            Leaf::Follows { first, .. } => usize::from(*first),
            Leaf::Elsewhere(_) => return None,
        };
        match &self.leaves[first] {
            Leaf::Here { stamp, .. } => Some((stamp, index - first)),
            Leaf::Follows { .. } | Leaf::Elsewhere(_) => None,
        }
    }

    /// To whom the message at `index` goes, if it is here.
    pub(crate) fn dests(&self, index: usize) -> Option<&Set> {
        self.head(index).map(|(stamp, _)| &stamp.dests)
    }

    /// Whether the message at `index` is here and follows the one before it.
    pub(crate) fn follows(&self, index: usize) -> bool {
        matches!(self.leaves.get(index), Some(Leaf::Follows { .. }))
    }

    /// The places of the messages that are here.
    pub(crate) fn here(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.len()).filter(|&index| self.dests(index).is_some())
    }

    /// The runs of messages that are here: of each, the first message, and how many follow.
    pub(crate) fn runs(self: &Arc<Self>) -> impl Iterator<Item = (Kept, u32)> + '_ {
        let begins = |(_, leaf): &(usize, &Leaf)| matches!(leaf, Leaf::Here { .. });
        self.leaves.iter().enumerate().filter(begins).map(|(index, _)| {
            let behind = self.leaves[index + 1..].iter();
            let followers = behind.take_while(|leaf| matches!(leaf, Leaf::Follows { .. })).count();
            (Kept::new(Arc::clone(self), index), u32::try_from(followers).expect("a batch has at most 64 messages"))
        })
    }

    /// A batch whose signature was checked while it was in the numbering of `numbered`, in that of `causal`, which grows by whoever
    /// is new.
    ///
    /// # Errors
    /// [`causal::Full`] if it names more processes than may be known.
    pub(crate) fn localised(self, numbered: &Causal, causal: &mut Causal) -> Result<Self, causal::Full> {
        let mut leaf = |leaf| match leaf {
            Leaf::Here { stamp, body } => {
                let stamp = Box::new(causal.localise(&numbered.spell(&stamp))?);
                Ok(Leaf::Here { stamp, body })
            }
            as_it_is @ (Leaf::Follows { .. } | Leaf::Elsewhere(_)) => Ok(as_it_is),
        };
        let leaves = self.leaves.into_iter().map(&mut leaf).collect::<Result<_, _>>()?;
        let (followers, is_signed) = (OnceLock::new(), OnceLock::from(true));
        Ok(Self { leaves, followers, is_signed, ..self })
    }

    /// The hash of each message.
    pub(crate) fn hashes(&self, causal: &Causal) -> &[Hash] {
        self.hashes.get_or_init(|| hashes(&self.leaves, &self.bodies, causal))
    }
}

fn hashes(leaves: &[Leaf], bodies: &[u8], causal: &Causal) -> Vec<Hash> {
    let (mut speller, mut envelope) = (causal.speller(), Vec::new());
    let mut hash = |stamp: &Stamp, body: &Range<u32>| {
        envelope.clear();
        speller.write(stamp, &mut envelope);
        batch::leaf(&envelope, &bodies[body.start as usize..body.end as usize])
    };
    let mut all = Vec::with_capacity(leaves.len());
    for (index, leaf) in leaves.iter().enumerate() {
        all.push(match leaf {
            Leaf::Here { stamp, body } => hash(stamp, body),
            Leaf::Follows { first, body } => hash(&follower(leaves, usize::from(*first), index), body),
            Leaf::Elsewhere(hash) => **hash,
        });
    }
    all
}

/// The stamps of those messages that follow others.
fn followers(leaves: &[Leaf]) -> Vec<Option<Stamp>> {
    let stamp = |(index, leaf): (usize, &Leaf)| match leaf {
        Leaf::Follows { first, .. } => Some(follower(leaves, usize::from(*first), index)),
        Leaf::Here { .. } | Leaf::Elsewhere(_) => None,
    };
    leaves.iter().enumerate().map(stamp).collect()
}

/// The stamp of the message at `index` of a run that begins at `first`.
fn follower(leaves: &[Leaf], first: usize, index: usize) -> Stamp {
    match &leaves[first] {
        Leaf::Here { stamp, .. } => stamp.follower(u32::try_from(index - first).expect("a batch has 64 messages")),
        Leaf::Follows { .. } | Leaf::Elsewhere(_) => unreachable!("a run begins with a message that is here"),
    }
}

/// About how many bytes one message takes, with as many entries in its log.
fn bytes_of(entries: usize, body: usize) -> usize {
    const FIXED: usize = 160;
    FIXED + body + 48 * entries
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
        debug_assert!(batch.head(index).is_some());
        Self { batch, index: u16::try_from(index).expect("a batch has at most a few dozen messages") }
    }

    /// The message and those that follow it, so many.
    pub(crate) fn run(&self, followers: u32) -> impl Iterator<Item = Self> + use<'_> {
        let index = self.index();
        (index..=index + followers as usize).map(|index| Self::new(Arc::clone(&self.batch), index))
    }

    /// The message so many places behind it in a run, which must be there.
    pub(crate) fn behind(&self, nth: u32) -> Self {
        Self::new(Arc::clone(&self.batch), self.index() + nth as usize)
    }

    /// Its stamp. Where [`clock`](Self::clock), [`sender`](Self::sender) or [`dests`](Self::dests) will do they are cheaper.
    pub(crate) fn stamp(&self) -> &Stamp {
        self.batch.stamp(self.index()).expect("checked when it was made")
    }

    fn head(&self) -> (&Stamp, usize) {
        self.batch.head(self.index()).expect("checked when it was made")
    }

    pub(crate) fn clock(&self) -> Clock {
        let (stamp, behind) = self.head();
        stamp.clock + behind as Clock
    }

    pub(crate) fn sender(&self) -> Index {
        self.head().0.sender
    }

    pub(crate) fn dests(&self) -> &Set {
        &self.head().0.dests
    }

    fn place_of_body(&self, nth: u32) -> Range<usize> {
        self.batch.body(self.index() + nth as usize).expect("checked when it was made")
    }

    /// The body, as it travels.
    pub fn body(&self) -> &[u8] {
        self.body_behind(0)
    }

    /// The body of the message so many places behind it in a run.
    pub(crate) fn body_behind(&self, nth: u32) -> &[u8] {
        &self.batch.bodies[self.place_of_body(nth)]
    }

    /// The body, which shares memory with those of its whole batch.
    pub(crate) fn shared_body(&self) -> Bytes {
        self.shared_body_behind(0)
    }

    /// The body of the message so many places behind it in a run, likewise.
    pub(crate) fn shared_body_behind(&self, nth: u32) -> Bytes {
        self.batch.bodies.slice(self.place_of_body(nth))
    }

    pub(crate) fn batch(&self) -> &Arc<SignedBatch> {
        &self.batch
    }

    pub(crate) fn index(&self) -> usize {
        usize::from(self.index)
    }

    /// The author and his clock.
    pub fn id(&self) -> MessageId {
        MessageId { process: self.batch.author, clock: self.clock() }
    }

    /// What it names if it is a welcome: of each author in each conversation, the greatest clock.
    pub fn named(&self) -> Vec<MessageId> {
        if !body::is_welcome(self.body()) {
            return Vec::new();
        }
        let Ok(Body::Welcome(welcome)) = Body::decode(self.shared_body()) else { return Vec::new() };
        let named = welcome.shown.into_iter().flat_map(|shown| shown.up_to);
        named.map(|(process, clock)| MessageId { process, clock }).collect()
    }

    /// About how many bytes it takes here.
    pub(crate) fn bytes(&self) -> usize {
        self.batch.leaves[self.index()].bytes()
    }

    /// About how many bytes it and those that follow it take here.
    pub(crate) fn bytes_of_run(&self, followers: u32) -> usize {
        self.batch.leaves[self.index()..=self.index() + followers as usize].iter().map(Leaf::bytes).sum()
    }

    /// About how many bytes it takes in a frame, beside what its batch does.
    pub(crate) fn bytes_on_link(&self) -> usize {
        /// An entry: its author, clock and destinations, which nearly always go by number.
        const ENTRY: usize = 8;
        let stamp = if self.batch.follows(self.index()) { 0 } else { ENTRY * (1 + self.stamp().log.len()) };
        size_of::<u32>() + self.place_of_body(0).len() + stamp
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
        let mut leaves: Vec<Leaf> = proof.leaves_of_others.into_iter().map(Leaf::elsewhere).collect();
        leaves.insert(index, Leaf::here(stamp, 0..body.len()));
        let batch = SignedBatch::new(author, proof.signature, leaves, body);
        Self::new(Arc::new(SignedBatch { is_signed: OnceLock::from(true), ..batch }), index)
    }
}

impl Borrow<Stamp> for Kept {
    fn borrow(&self) -> &Stamp {
        self.stamp()
    }
}
