//! One identity in two places: how the older of two starts learns of the newer one. Pure.
//!
//! People copy a data folder and run both copies. A peer in the middle sees two starts of one identity. It asks the
//! newer one about the older ([`Question`]). The newer one answers with a proof ([`Supersedes`]), signed by the
//! identity. The peer hands the proof to the older one, which stops.
//!
//! Only a running program with the identity can make a proof, and only of its own start. So no other peer can stop it.
//! Every start draws its `r` afresh, so a proof of one start says nothing about a later one.

use std::time::{Duration, Instant};

use libp2p::identity::{Keypair, ed25519};

use crate::{
    address::take,
    peer::{Key, Start},
};

/// Separates what is signed here from everything else that the identity signs.
const DOMAIN: &[u8] = b"causerie start v1";

/// "Another start of this peer runs": sent to the newer start, or to a peer that has a link to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Question {
    pub(crate) peer: Key,
    /// The start that is to be told.
    pub(crate) older: Start,
}

impl Question {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.peer.to_vec();
        encode_start(&self.older, &mut out);
        out
    }

    pub(crate) fn decode(mut from: &[u8]) -> Option<Self> {
        let question = Self { peer: take(&mut from)?, older: decode_start(&mut from)? };
        from.is_empty().then_some(question)
    }
}

/// The proof that a newer start of a peer runs. `newer` is newer than `older`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Supersedes {
    pub(crate) peer: Key,
    pub(crate) newer: Start,
    pub(crate) older: Start,
    signature: [u8; 64],
}

impl Supersedes {
    /// The proof for `older`, by the start `newer` of the identity `keypair`. `None` if `older` is not the older one.
    pub(crate) fn sign(keypair: &Keypair, peer: Key, newer: Start, older: Start) -> Option<Self> {
        if !newer.is_newer_than(&older) {
            return None;
        }
        let signature = keypair.sign(&message(&newer, &older)).ok()?.try_into().ok()?;
        Some(Self { peer, newer, older, signature })
    }

    /// Whether the peer has signed it.
    pub(crate) fn verify(&self) -> bool {
        ed25519::PublicKey::try_from_bytes(&self.peer)
            .is_ok_and(|key| key.verify(&message(&self.newer, &self.older), &self.signature))
    }

    /// The question that it answers.
    pub(crate) fn question(&self) -> Question {
        Question { peer: self.peer, older: self.older }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.peer.to_vec();
        encode_start(&self.newer, &mut out);
        encode_start(&self.older, &mut out);
        out.extend(self.signature);
        out
    }

    /// Does not check the signature: [`verify`](Self::verify) does.
    pub(crate) fn decode(mut from: &[u8]) -> Option<Self> {
        let from = &mut from;
        let (peer, newer, older) = (take(from)?, decode_start(from)?, decode_start(from)?);
        let proof = Self { peer, newer, older, signature: take(from)? };
        (from.is_empty() && newer.is_newer_than(&older)).then_some(proof)
    }
}

/// Allows a number of events in each second.
#[derive(Clone, Debug)]
pub(crate) struct Rate {
    a_second: u32,
    since: Option<Instant>,
    count: u32,
}

impl Rate {
    pub(crate) fn new(a_second: u32) -> Self {
        Self { a_second, since: None, count: 0 }
    }

    /// Whether one more is allowed now. If it is, it is counted.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        if self.since.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
            (self.since, self.count) = (Some(now), 0);
        }
        self.count = self.count.saturating_add(1);
        self.count <= self.a_second
    }
}

fn message(newer: &Start, older: &Start) -> Vec<u8> {
    let mut message = DOMAIN.to_vec();
    encode_start(newer, &mut message);
    encode_start(older, &mut message);
    message
}

fn encode_start(start: &Start, out: &mut Vec<u8>) {
    out.extend(start.r.to_be_bytes());
    out.extend(start.at.to_be_bytes());
}

fn decode_start(from: &mut &[u8]) -> Option<Start> {
    Some(Start { r: u64::from_be_bytes(take(from)?), at: u64::from_be_bytes(take(from)?) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::peer::key_of;

    const OLDER: Start = Start { r: 9, at: 1 };
    const NEWER: Start = Start { r: 1, at: 2 };

    fn identity(seed: u8) -> (Keypair, Key) {
        let keypair = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        let key = key_of(&keypair.public().to_peer_id()).unwrap();
        (keypair, key)
    }

    fn proof() -> Supersedes {
        let (keypair, key) = identity(1);
        Supersedes::sign(&keypair, key, NEWER, OLDER).unwrap()
    }

    #[test]
    fn a_proof_decodes_as_it_was_encoded_and_verifies() {
        assert_eq!(Supersedes::decode(&proof().encode()), Some(proof()));
        assert!(proof().verify());
        let question = proof().question();
        assert_eq!(Question::decode(&question.encode()), Some(question));
    }

    #[test]
    fn only_the_newer_start_can_make_a_proof() {
        let (keypair, key) = identity(1);
        assert_eq!(Supersedes::sign(&keypair, key, OLDER, NEWER), None);
        assert_eq!(Supersedes::sign(&keypair, key, NEWER, NEWER), None);
        let swapped = Supersedes { newer: OLDER, older: NEWER, ..proof() };
        assert_eq!(Supersedes::decode(&swapped.encode()), None);
        let equal = Supersedes { newer: OLDER, ..proof() };
        assert_eq!(Supersedes::decode(&equal.encode()), None);
    }

    #[test]
    fn another_key_proves_nothing() {
        let (other, _) = identity(2);
        let (_, key) = identity(1);
        assert!(!Supersedes::sign(&other, key, NEWER, OLDER).unwrap().verify());
        assert!(!Supersedes { peer: identity(2).1, ..proof() }.verify());
        assert!(!Supersedes { peer: [0xff; 32], ..proof() }.verify(), "not a key at all");
    }

    #[test]
    fn a_proof_of_one_start_says_nothing_of_another() {
        assert!(!Supersedes { older: Start { r: 8, at: 1 }, ..proof() }.verify());
        assert!(!Supersedes { newer: Start { r: 2, at: 2 }, ..proof() }.verify());
    }

    #[test]
    fn a_rate_allows_its_number_in_each_second() {
        let now = Instant::now();
        let mut rate = Rate::new(2);
        let allowed = |rate: &mut Rate, at| (0..5).filter(|_| rate.allows(now + Duration::from_millis(at))).count();
        assert_eq!([0, 900, 1000, 5000].map(|at| allowed(&mut rate, at)), [2, 0, 2, 2]);
    }

    proptest! {
        /// Any bytes are refused or mean exactly one thing, and a proof with a flipped bit is never valid.
        #[test]
        fn anything_else_is_malformed_or_proves_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..200), flip in 0..1024usize,
        ) {
            if let Some(decoded) = Supersedes::decode(&bytes) {
                prop_assert_eq!(decoded.encode(), &bytes[..]);
                prop_assert!(!decoded.verify());
            }
            if let Some(decoded) = Question::decode(&bytes) {
                prop_assert_eq!(decoded.encode(), &bytes[..]);
            }
            let mut bytes = proof().encode();
            bytes[flip / 8] ^= 1 << (flip % 8);
            prop_assert!(Supersedes::decode(&bytes).is_none_or(|flipped| !flipped.verify()));
        }
    }
}
