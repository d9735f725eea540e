//! Who is who: people, their incarnations, and their messages.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Clocks;

/// What every libp2p peer id of an Ed25519 key begins with: the identity multihash of a protobuf of the key.
const PEER_ID_PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

/// A person: an Ed25519 public key, written as the libp2p peer id of that key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonId([u8; 32]);

impl PersonId {
    /// The person who holds the secret half of `public_key` (32 bytes, compressed Edwards form).
    pub fn new(public_key: [u8; 32]) -> Self {
        Self(public_key)
    }

    /// The public key, 32 bytes.
    pub fn public_key(&self) -> &[u8; 32] {
        &self.0
    }

    /// The last eight characters of the peer id: short enough to read aloud. Where people share a name, their labels show the
    /// last four of these, or more of the peer id if that does not tell them apart.
    pub fn fingerprint(&self) -> String {
        self.ending(8)
    }

    /// The last `length` characters of the peer id.
    pub(crate) fn ending(&self, length: usize) -> String {
        let text = self.to_string();
        text[text.len().saturating_sub(length)..].to_owned()
    }
}

impl fmt::Display for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 38];
        bytes[..6].copy_from_slice(&PEER_ID_PREFIX);
        bytes[6..].copy_from_slice(&self.0);
        f.pad(&bs58::encode(bytes).into_string())
    }
}

impl fmt::Debug for PersonId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Person({})", self.fingerprint())
    }
}

/// A text that is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not {expected}")]
pub struct ParseIdError {
    text: String,
    expected: &'static str,
}

impl ParseIdError {
    fn new(text: &str, expected: &'static str) -> Self {
        Self { text: text.chars().take(80).collect(), expected }
    }
}

impl FromStr for PersonId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refuse = || ParseIdError::new(text, "the peer id of an Ed25519 key (12D3Koo…)");
        let mut bytes = [0; 38];
        let length = bs58::decode(text).onto(&mut bytes).map_err(|_| refuse())?;
        let key = bytes.strip_prefix(&PEER_ID_PREFIX).filter(|_| length == 38).ok_or_else(refuse)?;
        Ok(Self(key.try_into().expect("38 bytes less a prefix of 6")))
    }
}

/// One life of a person's store: drawn at random with a new store, or at each start where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Incarnation(pub u64);

/// A process in the sense of the causal algorithm: one incarnation of one person. Its clocks never go back.
///
/// It is written `PEERID-INCARNATION`, the incarnation as 16 hexadecimal digits; there is no colon in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// Whose process it is.
    pub person: PersonId,
    /// Which of that person's.
    pub incarnation: Incarnation,
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016x}", self.person, self.incarnation.0)
    }
}

impl FromStr for ProcessId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refuse = || ParseIdError::new(text, "a process (PEERID-INCARNATION)");
        let (person, incarnation) = text.rsplit_once('-').filter(|(_, hex)| hex.len() == 16).ok_or_else(refuse)?;
        Ok(Self {
            person: person.parse()?,
            incarnation: Incarnation(u64::from_str_radix(incarnation, 16).map_err(|_| refuse())?),
        })
    }
}

/// In envelopes: the public key, then the incarnation, big-endian; 40 bytes.
impl causal::Id for ProcessId {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.person.0);
        out.extend_from_slice(&self.incarnation.0.to_be_bytes());
    }

    fn decode(input: &mut &[u8]) -> Option<Self> {
        let (key, rest) = input.split_first_chunk::<32>()?;
        let (incarnation, rest) = rest.split_first_chunk::<8>()?;
        *input = rest;
        Some(Self { person: PersonId(*key), incarnation: Incarnation(u64::from_be_bytes(*incarnation)) })
    }
}

/// A message: the process that sent it and that process's clock when it did. Written `PROCESS:CLOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId {
    /// The author.
    pub process: ProcessId,
    /// The author's clock at the send, from 1; at most [`causal::MAX_CLOCK`] where it was read from bytes or text.
    pub clock: u64,
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.process, self.clock)
    }
}

impl FromStr for MessageId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let refuse = || ParseIdError::new(text, "a message (PROCESS:CLOCK)");
        let (process, clock) = text.rsplit_once(':').ok_or_else(refuse)?;
        let clock = clock.parse().ok().filter(u64::are_in_range).ok_or_else(refuse)?;
        Ok(Self { process: process.parse()?, clock })
    }
}

/// Ids are texts where a person reads (JSON) and plain bytes where none does (frames, the store).
macro_rules! serialize_readably {
    ($type:ty, $compact:ty, $to:expr, $from:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    let to: fn(&$type) -> $compact = $to;
                    to(self).serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
                } else {
                    let from: fn($compact) -> Option<$type> = $from;
                    let compact = <$compact>::deserialize(deserializer)?;
                    from(compact).ok_or_else(|| serde::de::Error::custom("an id that nothing has"))
                }
            }
        }
    };
}

serialize_readably!(PersonId, [u8; 32], |id| id.0, |key| Some(PersonId(key)));
serialize_readably!(ProcessId, (PersonId, Incarnation), |id| (id.person, id.incarnation), |(person, incarnation)| {
    Some(ProcessId { person, incarnation })
});
serialize_readably!(MessageId, (ProcessId, u64), |id| (id.process, id.clock), |(process, clock)| {
    clock.are_in_range().then_some(MessageId { process, clock })
});
