//! What a [`Net`](crate::Net) tells whoever asks how it is doing.

use std::{net::SocketAddr, time::Duration};

/// How the links are doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where this peer listens.
    pub listening: Vec<SocketAddr>,
    /// Peers that were heard of, by mDNS or from others, and to whom there is no link.
    pub unlinked: Vec<Unlinked>,
}

/// A peer without a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlinked {
    /// Its Ed25519 public key.
    pub peer: [u8; 32],
    /// How long ago it was first heard of, or its last link was lost.
    pub waits: Duration,
    /// It was dialled since then in vain, or one side has refused the other.
    pub unreachable: bool,
}
