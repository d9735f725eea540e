//! The first frame in both directions.
//!
//! Eight bytes of magic and the protocol version come first, and stay there in every version. So two peers of different
//! versions can tell each other so.

use std::net::SocketAddr;

use crate::{
    address::{decode_all, encode_all, take},
    peer::{Key, Start},
};

/// The version of everything on a link, except the contents of data frames.
pub(crate) const VERSION: u16 = 7;

/// The most listen addresses in a greeting: 16, more than a machine with a few interfaces has.
pub(crate) const MAX_ADDRESSES: usize = 16;

const MAGIC: &[u8; 8] = b"causerie";

/// What a peer says of itself. Only `id` can be checked, against the key that Noise authenticated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub(crate) id: Key,
    pub(crate) start: Start,
    /// Numbers the dials of one start of a peer: of two connections, the one with the greater number is newer.
    pub(crate) dial: u64,
    /// Where the peer listens, by its own account.
    pub(crate) listen: Vec<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadGreeting {
    /// Not a greeting at all.
    Malformed,
    /// A greeting of another version of the protocol.
    Version(u16),
}

impl Greeting {
    /// Writes it as a peer that speaks `version` does.
    pub(crate) fn encode(&self, version: u16) -> Vec<u8> {
        let mut out = Vec::with_capacity(128);
        out.extend(MAGIC);
        out.extend(version.to_be_bytes());
        out.extend(self.start.r.to_be_bytes());
        out.extend(self.start.at.to_be_bytes());
        out.extend(self.dial.to_be_bytes());
        out.extend(self.id);
        encode_all(&self.listen[..self.listen.len().min(MAX_ADDRESSES)], &mut out);
        out
    }

    /// Reads it as a peer that speaks `version` does.
    pub(crate) fn decode(bytes: &[u8], version: u16) -> Result<Self, BadGreeting> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(BadGreeting::Malformed)?;
        let (theirs, mut rest) = rest.split_first_chunk().ok_or(BadGreeting::Malformed)?;
        let theirs = u16::from_be_bytes(*theirs);
        if theirs != version {
            return Err(BadGreeting::Version(theirs));
        }
        Self::decode_rest(&mut rest).filter(|_| rest.is_empty()).ok_or(BadGreeting::Malformed)
    }

    fn decode_rest(from: &mut &[u8]) -> Option<Self> {
        let r = u64::from_be_bytes(take(from)?);
        let at = u64::from_be_bytes(take(from)?);
        let dial = u64::from_be_bytes(take(from)?);
        let id = take(from)?;
        Some(Self { id, start: Start { r, at }, dial, listen: decode_all(from, MAX_ADDRESSES)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn greeting() -> Greeting {
        Greeting {
            id: [3; 32],
            start: Start { r: 1, at: 2 },
            dial: 3,
            listen: vec!["192.0.2.1:1".parse().unwrap(), "[2001:db8::1]:2".parse().unwrap()],
        }
    }

    #[test]
    fn a_greeting_decodes_as_it_was_encoded() {
        assert_eq!(Greeting::decode(&greeting().encode(VERSION), VERSION), Ok(greeting()));
    }

    #[test]
    fn another_version_is_reported_whatever_follows_it() {
        let mut bytes = greeting().encode(VERSION);
        bytes[9] = 9;
        bytes.truncate(10);
        assert_eq!(Greeting::decode(&bytes, VERSION), Err(BadGreeting::Version(9)));
    }

    #[test]
    fn a_greeting_that_is_cut_or_too_long_is_malformed() {
        let mut bytes = greeting().encode(VERSION);
        for cut in 0..bytes.len() {
            assert_eq!(Greeting::decode(&bytes[..cut], VERSION), Err(BadGreeting::Malformed), "{cut}");
        }
        bytes.push(0);
        assert_eq!(Greeting::decode(&bytes, VERSION), Err(BadGreeting::Malformed));
    }
}
