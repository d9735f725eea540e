//! The identity of a peer, and its starts.

use libp2p::PeerId;

/// An Ed25519 public key. Keys sort as their peer ids do.
pub(crate) type Key = [u8; 32];

/// A peer id is the identity multihash (code 0, 36 bytes) of a protobuf: field 1, type Ed25519; field 2, 32 bytes.
const PREFIX: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];

pub(crate) fn peer_id(key: &Key) -> PeerId {
    PeerId::from_bytes(&[&PREFIX[..], key].concat()).expect("the prefix and 32 bytes make an identity multihash")
}

/// The key in a peer id. `None` if it is not an Ed25519 key.
pub(crate) fn key_of(peer: &PeerId) -> Option<Key> {
    peer.to_bytes().strip_prefix(&PREFIX)?.try_into().ok()
}

/// One start of a peer: the tie-break's random number, and the time, which tells a newer start from an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Start {
    /// Drawn afresh at each start.
    pub(crate) r: u64,
    /// Unix time in microseconds, by the peer's own clock.
    pub(crate) at: u64,
}

impl Start {
    pub(crate) fn is_newer_than(&self, other: &Self) -> bool {
        (self.at, self.r) > (other.at, other.r)
    }
}

/// The tie-break's rule: the smaller number dials. If the numbers are equal, the smaller peer id dials.
pub(crate) fn first_dials(first: (u64, &Key), second: (u64, &Key)) -> bool {
    first < second
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;

    #[test]
    fn a_key_and_its_peer_id_convert_both_ways() {
        let id = Keypair::generate_ed25519().public().to_peer_id();
        assert_eq!(peer_id(&key_of(&id).unwrap()), id);
        assert_eq!(key_of(&PeerId::random()), None, "a hash is not a key");
    }
}
