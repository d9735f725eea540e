//! What each peer alone writes about itself, signs, and everybody keeps: its name, incarnation, groups and addresses.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::codec::{self, Malformed};
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
    /// How far down the line of those who claim the name this claim was made: 0 if its person knew of no other, else one more than
    /// the greatest rank that they knew of. It is a Lamport clock over the claims to one name, so of two claims the causally later
    /// has the greater rank.
    pub rank: u32,
    /// The name that this person's peers are started with, if the person has chosen another one since.
    pub started_as: Option<Name>,
}

/// A record as it was before names had ranks. Stores have it.
#[derive(Deserialize)]
struct Unranked {
    process: ProcessId,
    name: Name,
    groups: BTreeSet<Name>,
    addresses: Vec<SocketAddr>,
    version: Hlc,
}

impl From<Unranked> for Record {
    fn from(Unranked { process, name, groups, addresses, version }: Unranked) -> Self {
        Self { process, name, groups, addresses, version, rank: 0, started_as: None }
    }
}

/// A record as it travels and is kept: the bytes that were signed, and a signature. What it says is to be believed only
/// once the signature is checked, as the directory does before it takes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRecord {
    bytes: Bytes,
    signature: Signature,
}

impl SignedRecord {
    /// One's own record, signed.
    ///
    /// # Panics
    /// If the record is not of `identity`'s person.
    pub(crate) fn sign(identity: &Identity, record: &Record) -> Self {
        assert_eq!(record.process.person, identity.person(), "each peer writes its own record alone");
        let bytes = codec::encode(record);
        let signature = identity.sign(&statement(&bytes));
        Self { bytes, signature }
    }

    /// What the record claims, signed or not.
    ///
    /// # Errors
    /// [`BadRecord`] if the bytes are no record, or one beyond the bounds.
    pub fn claim(&self) -> Result<Record, BadRecord> {
        let decoded: Result<Record, Malformed> = codec::decode(&self.bytes, MAX_BYTES);
        let unranked = |malformed| codec::decode(&self.bytes, MAX_BYTES).map(Unranked::into).map_err(|_| malformed);
        let record: Record = decoded.or_else(unranked)?;
        let too_many = |what, count, limit| BadRecord::TooMany { person: record.process.person, what, count, limit };
        if record.groups.len() > MAX_GROUPS {
            return Err(too_many("groups", record.groups.len(), MAX_GROUPS));
        }
        if record.addresses.len() > MAX_ADDRESSES {
            return Err(too_many("addresses", record.addresses.len(), MAX_ADDRESSES));
        }
        if record.version.micros >= END_OF_TIME {
            return Err(BadRecord::EndOfTime { person: record.process.person });
        }
        Ok(record)
    }

    /// Whose record this claims to be, read from where every record begins. `None` for bytes that are no record.
    pub(crate) fn person(&self) -> Option<PersonId> {
        self.bytes.first_chunk().copied().map(PersonId::new)
    }

    /// What the record says, its signature checked: only the person whose record it is can have written it.
    ///
    /// # Errors
    /// [`BadRecord`] says what is wrong.
    pub(crate) fn verify(&self) -> Result<Record, BadRecord> {
        let record = self.claim()?;
        identity::verify(&record.process.person, &statement(&self.bytes), &self.signature)?;
        Ok(record)
    }

    /// The record as a store keeps it.
    pub fn to_stored(&self) -> Bytes {
        codec::encode(self)
    }

    /// The record that a store kept; its signature is looked at by whoever takes it.
    ///
    /// # Errors
    /// [`Malformed`] for anything that [`to_stored`](Self::to_stored) does not write.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, Malformed> {
        codec::decode(bytes, MAX_BYTES + 128)
    }

    /// A record that `forger` signed in somebody else's name.
    #[cfg(test)]
    pub(crate) fn forged(forger: &Identity, record: &Record) -> Self {
        let bytes = codec::encode(record);
        Self { signature: forger.sign(&statement(&bytes)), bytes }
    }

    /// The bytes that were signed.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }
}

/// What is signed.
fn statement(record: &[u8]) -> Vec<u8> {
    [DOMAIN, record].concat()
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRecord {
    /// It is none.
    #[error(transparent)]
    Malformed(#[from] Malformed),
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
