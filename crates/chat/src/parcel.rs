//! A parcel: one message, sealed for one of those whom it is addressed to, so that others can carry it to him.
//!
//! Whoever carries it learns who wrote to whom, which the dependencies of later messages tell him anyway, and nothing else. The
//! author signs the parcel too: without that a carrier could alter what it cannot read, and everybody behind it
//! would carry rubbish in place of the message.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::codec;
use crate::frame::Handed;
use crate::identity::{self, Identity, Signature};
use crate::{MessageId, ProcessId};

const SEAL_DOMAIN: &[u8] = b"causerie parcel v1";
const SIGN_DOMAIN: &[u8] = b"causerie sealed parcel v1";

/// A message on its way to somebody who is away, carried by others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The message.
    pub message: MessageId,
    /// Whom it is for.
    pub to: ProcessId,
    /// The message with its proof, which only he can read.
    pub sealed: Bytes,
    /// The author's word that this is what he sealed.
    pub signature: Signature,
}

impl Parcel {
    /// Seals one's own message for one of its destinations. `None` if his key is none.
    pub(crate) fn seal(identity: &Identity, message: MessageId, to: ProcessId, handed: &Handed) -> Option<Self> {
        let context = statement(SEAL_DOMAIN, message, to);
        let sealed = Bytes::from(identity.seal(&to.person, &context, &codec::encode(handed))?);
        let signature = identity.sign(&signed(message, to, &sealed));
        Some(Self { message, to, sealed, signature })
    }

    /// Whether its author signed it as it is.
    pub(crate) fn is_signed(&self) -> bool {
        let statement = signed(self.message, self.to, &self.sealed);
        identity::verify(&self.message.process.person, &statement, &self.signature).is_ok()
    }

    /// What is in it, if it was sealed for me.
    pub(crate) fn open(&self, identity: &Identity) -> Option<Handed> {
        let plain = identity.open(&statement(SEAL_DOMAIN, self.message, self.to), &self.sealed)?;
        codec::decode(&plain, codec::MAX_INPUT).ok()
    }

    /// About how many bytes it takes, here and in a frame.
    pub(crate) fn bytes(&self) -> usize {
        /// Two ids, a clock, a signature.
        const FIXED: usize = 40 + 40 + 9 + 64;
        FIXED + self.sealed.len()
    }
}

fn signed(message: MessageId, to: ProcessId, sealed: &[u8]) -> Vec<u8> {
    [statement(SIGN_DOMAIN, message, to), Sha256::digest(sealed).to_vec()].concat()
}

fn statement(domain: &[u8], message: MessageId, to: ProcessId) -> Vec<u8> {
    let mut bytes = domain.to_vec();
    causal::Id::encode(&message.process, &mut bytes);
    bytes.extend_from_slice(&message.clock.to_be_bytes());
    causal::Id::encode(&to, &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Incarnation;
    use crate::batch::Proof;

    fn process(identity: &Identity) -> ProcessId {
        ProcessId { person: identity.person(), incarnation: Incarnation(1) }
    }

    #[test]
    fn only_the_addressed_can_open_it_and_nobody_can_alter_it() {
        let [alice, bob, carol] = [1, 2, 3].map(|seed| Identity::from_seed([seed; 32]));
        let proof = Proof { index: 0, leaves_of_others: Vec::new(), signature: alice.sign(b"") };
        let handed = Handed { envelope: vec![1, 2, 3], body: b"secret".to_vec(), proof };
        let message = MessageId { process: process(&alice), clock: 7 };
        let parcel = Parcel::seal(&alice, message, process(&bob), &handed).unwrap();
        assert!(parcel.is_signed());
        assert_eq!(parcel.open(&bob).unwrap().body, handed.body);
        assert!(parcel.open(&carol).is_none());
        assert!(!parcel.sealed.windows(6).any(|window| window == b"secret"));
        let another_message = MessageId { clock: 8, ..message };
        let mut bytes = parcel.sealed.to_vec();
        bytes[50] ^= 1;
        for altered in [
            Parcel { message: another_message, ..parcel.clone() },
            Parcel { to: process(&carol), ..parcel.clone() },
            Parcel { sealed: bytes.into(), ..parcel.clone() },
            Parcel { signature: carol.sign(b""), ..parcel.clone() },
        ] {
            assert!(!altered.is_signed());
        }
    }
}
