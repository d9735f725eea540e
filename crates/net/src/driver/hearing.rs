//! What this peer hears about others, by mDNS and from other peers, and what it passes on.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use libp2p::swarm::ConnectionId;

use super::Driver;
use crate::{
    Event, LinkId,
    discovery::Found,
    introduce::Letter,
    peer::{Key, Start, peer_id},
    tiebreak::Source,
};

/// The user is told of the same refusal between the same peers once in this time.
const REFUSAL: Duration = Duration::from_secs(300);
/// How many refusals the user is told of in that time. Keys cost nothing, so an attacker can make up any number of
/// peers to refuse.
const REFUSALS: usize = 32;

impl Driver {
    pub(super) fn introduced(&mut self, id: ConnectionId, link: LinkId, payload: &[u8]) {
        let Some(introductions) = self.circle.introduced(link, payload) else {
            return self.violated(id, "malformed introductions");
        };
        for introduction in introductions {
            let peer = introduction.peer;
            self.start_introduced(id, peer, introduction.start);
            self.heard(peer, introduction.start, &introduction.addresses, Source::Introduced);
        }
    }

    pub(super) fn on_found(&mut self, found: Found) {
        match found {
            Found::Peer { peer, start, addresses } => {
                self.announced(peer, start, &addresses);
                if self.tiebreak.knows(&peer) {
                    self.announced.insert(peer);
                }
            }
            Found::Gone(peer) => {
                self.announced.remove(&peer);
                self.suspect_no_more(&peer);
            }
            Found::Survey(problems) => self.survey_is(problems),
            Found::NoFiles(error) => self.may_lack_files(Instant::now(), &error),
        }
    }

    /// A peer announces itself.
    pub(super) fn announced(&mut self, peer: Key, start: Start, addresses: &[SocketAddr]) {
        if self.linked_start(&peer).is_some_and(|linked| linked != start) {
            self.rumours.heard(Instant::now(), peer, start, addresses);
        }
        self.heard(peer, start, addresses, Source::Announced);
    }

    /// Takes what was heard: which peer can be dialled, and where.
    fn heard(&mut self, peer: Key, start: Start, addresses: &[SocketAddr], source: Source) {
        if addresses.is_empty() || !self.tiebreak.heard(Instant::now(), peer, start, source) {
            return;
        }
        let tiebreak = &self.tiebreak;
        self.book.make_room(|peer| tiebreak.knows(peer));
        self.book.heard(peer, addresses, source == Source::Announced);
    }

    pub(super) fn post(&mut self, letters: Vec<Letter>) {
        for (link, kind, payload) in letters {
            let connection = self.by_link.get(&link).and_then(|id| self.connections.get(id));
            if let Some(link) = connection.and_then(|connection| connection.link.as_ref()) {
                link.outgoing.push_control(kind, &payload);
            }
        }
    }

    /// Tells the user of a refusal: each one once in a while, and only a few in that time.
    pub(super) fn refused(&mut self, peer: Key, address: Option<SocketAddr>, reason: String) {
        let now = Instant::now();
        if self.refusals.len() >= REFUSALS {
            self.refusals.retain(|_, (at, _)| now.duration_since(*at) < REFUSAL);
        }
        let told_already =
            self.refusals.get(&peer).is_some_and(|(at, told)| now.duration_since(*at) < REFUSAL && *told == reason);
        if told_already || (self.refusals.len() >= REFUSALS && !self.refusals.contains_key(&peer)) {
            tracing::debug!(peer = %peer_id(&peer), reason, "refused, and not told");
            return;
        }
        self.refusals.insert(peer, (now, reason.clone()));
        let peer = match address {
            Some(address) => format!("{address} ({})", peer_id(&peer)),
            None => peer_id(&peer).to_string(),
        };
        self.tell(Event::Refused { peer, reason });
    }
}
