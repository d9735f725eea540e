//! How a [`Net`](crate::Net) is doing, for callers that ask.

use std::{net::SocketAddr, time::Duration};

/// How the links are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where this peer listens.
    pub listening: Vec<SocketAddr>,
    /// Peers that this one heard of, by mDNS or from others, and has no link to.
    pub unlinked: Vec<Unlinked>,
}

/// A peer without a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlinked {
    /// Its Ed25519 public key.
    pub peer: [u8; 32],
    /// How long ago it was first heard of, or lost its last link.
    pub waits: Duration,
    /// Since then it was dialled in vain, or one side has refused the other.
    pub unreachable: bool,
}
