//! What each peer alone writes about itself, signs, and everybody keeps: its name, incarnation, groups and addresses.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::codec;
use crate::hlc::Hlc;
use crate::identity::{self, BadSignature, Identity, Signature};
use crate::name::Name;
use crate::{PersonId, ProcessId};

const DOMAIN: &[u8] = b"causerie record v1";

/// The most groups in a record that is accepted: as many as the default of `Config::max_groups` lets a user join, twice
/// over, so that a later version may allow more.
pub(crate) const MAX_GROUPS: usize = 512;
/// The most addresses in a record that is accepted: a machine with a dozen interfaces has as many, of both families.
pub(crate) const MAX_ADDRESSES: usize = 32;
/// The longest record that is accepted, in bytes: every group with a name of 32 letters of four bytes fits.
pub(crate) const MAX_BYTES: usize = 68 * 1024;
/// No version reaches this (the year 148,107), so whoever must write a newer one than any that was seen can.
const END_OF_TIME: i64 = 1 << 62;

/// One person's record. Of several, the one with the greatest version holds, however it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The person, and the incarnation that is alive: any other of this person's is superseded.
    pub process: ProcessId,
    /// The name the person claims.
    pub name: Name,
    /// The groups the person is in.
    pub groups: BTreeSet<Name>,
    /// Where the person listens, the likeliest first.
    pub addresses: Vec<SocketAddr>,
    /// When it was written.
    pub version: Hlc,
}

/// A record as it travels and is kept: what it claims, the bytes that were signed, and a signature. The claim is to be
/// believed only once it is [`verify`](SignedRecord::verify)ed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRecord {
    record: Record,
    bytes: Bytes,
    signature: Signature,
}

impl SignedRecord {
    /// One's own record, signed.
    ///
    /// # Panics
    /// If the record is not of `identity`'s person.
    pub(crate) fn sign(identity: &Identity, record: Record) -> Self {
        assert_eq!(record.process.person, identity.person(), "each peer writes its own record alone");
        let bytes = codec::encode(&record);
        let signature = identity.sign(&statement(&bytes));
        Self { record, bytes, signature }
    }

    /// What the record claims.
    pub(crate) fn record(&self) -> &Record {
        &self.record
    }

    /// The bytes that were signed.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Checks the bounds and the signature: only the person whose record it is can have written it.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong.
    pub(crate) fn verify(&self) -> Result<(), BadRecord> {
        let Record { process: ProcessId { person, .. }, ref groups, ref addresses, version, .. } = self.record;
        for (what, count, limit) in
            [("groups", groups.len(), MAX_GROUPS), ("addresses", addresses.len(), MAX_ADDRESSES)]
        {
            if count > limit {
                return Err(BadRecord::TooMany { person, what, count, limit });
            }
        }
        if version.micros >= END_OF_TIME {
            return Err(BadRecord::EndOfTime { person });
        }
        Ok(identity::verify(&person, &statement(&self.bytes), &self.signature)?)
    }
}

impl Serialize for SignedRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.bytes, &self.signature).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SignedRecord {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (bytes, signature) = <(Bytes, Signature)>::deserialize(deserializer)?;
        let record = codec::decode(&bytes, MAX_BYTES).map_err(serde::de::Error::custom)?;
        Ok(Self { record, bytes, signature })
    }
}

/// What is signed.
fn statement(record: &[u8]) -> Vec<u8> {
    [DOMAIN, record].concat()
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// Its person did not sign it.
    #[error(transparent)]
    Signature(#[from] BadSignature),
    /// It holds more of something than anybody may write.
    #[error("the record of {person} has {count} {what}; the limit is {limit}")]
    TooMany {
        /// Whose record.
        person: PersonId,
        /// Of what: groups or addresses.
        what: &'static str,
        /// How many it holds.
        count: usize,
        /// How many it may hold.
        limit: usize,
    },
    /// Its version leaves no room for a newer one.
    #[error("the record of {person} is dated beyond the year 148,000")]
    EndOfTime {
        /// Whose record.
        person: PersonId,
    },
}

#[cfg(test)]
mod tests;
