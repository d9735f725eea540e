//! What is heard of peers, by mDNS and from other peers, and passed on.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use libp2p::swarm::ConnectionId;

use super::{Driver, version_mismatch};
use crate::{
    Event, LinkId,
    discovery::Found,
    introduce::{self, Letter},
    peer::{Key, peer_id},
};

/// The same refusal by, or of, the same peer is told the user once in this time.
const REFUSAL: Duration = Duration::from_secs(300);
/// Refusals remembered for that.
const REFUSALS: usize = 1024;

impl Driver {
    pub(super) fn introduced(&mut self, id: ConnectionId, link: LinkId, payload: &[u8]) {
        let now = Instant::now();
        let Some(introductions) = self.circle.introduced(link, payload) else {
            return self.violated(id, "malformed introductions");
        };
        for introduction in introductions {
            let peer = introduction.peer;
            if !introduction.addresses.is_empty() && self.tiebreak.heard(now, peer, introduction.start, true) {
                self.remember(peer, &introduction.addresses, false);
            }
        }
    }

    pub(super) fn on_found(&mut self, found: Found) {
        match found {
            Found::Peer { peer, start, version, addresses } if version == self.version => {
                if self.tiebreak.heard(Instant::now(), peer, start, false) {
                    self.remember(peer, &addresses, true);
                }
            }
            Found::Peer { peer, version, addresses, .. } => {
                self.refused(peer, addresses.first().copied(), version_mismatch(version, self.version));
            }
            Found::Warning(text) => self.tell(Event::Warning { text }),
        }
    }

    pub(super) fn post(&mut self, letters: Vec<Letter>) {
        for (link, kind, payload) in letters {
            let connection = self.by_link.get(&link).and_then(|id| self.connections.get(id));
            if let Some(link) = connection.and_then(|connection| connection.link.as_ref()) {
                link.outgoing.push_control(kind, &payload);
            }
        }
    }

    /// Remembers where a peer can be reached; what is `likely` goes to the front.
    pub(super) fn remember(&mut self, peer: Key, addresses: &[SocketAddr], likely: bool) {
        if self.addresses.len() >= self.limits.peers.saturating_mul(2) {
            let tiebreak = &self.tiebreak;
            self.addresses.retain(|peer, _| tiebreak.knows(peer));
        }
        let known = self.addresses.entry(peer).or_default();
        let (first, second) = if likely { (addresses, &known[..]) } else { (&known[..], addresses) };
        let mut all = first.to_vec();
        for address in second {
            if !all.contains(address) {
                all.push(*address);
            }
        }
        all.truncate(introduce::MAX_ADDRESSES);
        *known = all;
    }

    /// Tells the user of a refusal, once for a while.
    pub(super) fn refused(&mut self, peer: Key, address: Option<SocketAddr>, reason: String) {
        let now = Instant::now();
        if self.refusals.len() >= REFUSALS {
            self.refusals.retain(|_, (at, _)| now.duration_since(*at) < REFUSAL);
        }
        if self.refusals.get(&peer).is_some_and(|(at, told)| now.duration_since(*at) < REFUSAL && *told == reason) {
            return;
        }
        if self.refusals.len() < REFUSALS {
            self.refusals.insert(peer, (now, reason.clone()));
        }
        let peer = match address {
            Some(address) => format!("{address} ({})", peer_id(&peer)),
            None => peer_id(&peer).to_string(),
        };
        self.tell(Event::Refused { peer, reason });
    }
}
