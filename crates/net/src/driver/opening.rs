//! A connection's way from authenticated to greeted.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use libp2p::{Stream, core::ConnectedPoint, swarm::ConnectionId};
use tokio::sync::oneshot;

use super::{
    Attached, Connection, Dial, Driver, Reason, Stage,
    elsewhere::{ASKS, RELAYS},
};
use crate::{
    LinkId,
    elsewhere::Rate,
    frame::Kind,
    greeting::{self, Greeting},
    link::{self, Link},
    outgoing::Outgoing,
    peer::{Key, peer_id},
};

/// The number of a connection that never takes the place of a link to the same start.
pub(super) const LOOK: u64 = 0;

impl Driver {
    pub(super) fn established(
        &mut self,
        now: Instant,
        id: ConnectionId,
        peer: Key,
        remote: SocketAddr,
        endpoint: &ConnectedPoint,
    ) {
        let mut dial = self.dials.remove(&id);
        if self.closing.is_some() || self.superseded || (endpoint.is_dialer() && dial.is_none()) {
            self.swarm.behaviour_mut().abort(peer_id(&peer), id);
            return;
        }
        if let Some(dial) = &mut dial
            && self.up.contains_key(&peer)
        {
            match dial.reason {
                Reason::Rule(_) => {
                    // The link came up while this was dialled.
                    self.swarm.behaviour_mut().abort(peer_id(&peer), id);
                    return;
                }
                // Another start of the peer may be there. If it is the same, the link stays.
                Reason::ByHand(_) | Reason::Rumour => dial.number = LOOK,
            }
        }
        let by_hand = matches!(dial, Some(Dial { reason: Reason::ByHand(_), .. }));
        let dialled_already = |other: &Connection| {
            other.peer == peer
                && other.dial.is_some()
                && matches!(other.stage, Stage::Opening | Stage::Greeted | Stage::Accepted)
        };
        if dial.is_some() && self.connections.values().any(dialled_already) {
            // An address by hand and discovery have led to the same peer: one is enough, and which does not matter.
            if let Some(Dial { reason: Reason::ByHand(entry), .. }) = dial {
                self.by_hand_deferred(now, entry, peer);
            }
            self.swarm.behaviour_mut().abort(peer_id(&peer), id);
            return;
        }
        let stranger = by_hand || !self.tiebreak.knows(&peer);
        let stage = Stage::Opening;
        let (asks, relays) = (Rate::new(ASKS), Rate::new(RELAYS));
        let (link, greeting) = (None, None);
        let connection = Connection { peer, remote, dial, since: now, stage, link, greeting, stranger, asks, relays };
        self.connections.insert(id, connection);
    }

    /// Takes a fresh stream. Whoever dialled greets first.
    pub(super) fn attach(&mut self, id: ConnectionId, stream: Stream) {
        let Some(connection) = self.connections.get_mut(&id) else { return };
        let outgoing = Arc::new(Outgoing::new(self.limits.outgoing));
        let link = LinkId(self.next_link);
        self.next_link += 1;
        let (up, is_up) = oneshot::channel();
        tokio::spawn(link::run(
            Link {
                id: link,
                outgoing: Arc::clone(&outgoing),
                reports: self.report.clone(),
                events: self.events.clone(),
                up: is_up,
                version: self.version,
                limits: Arc::clone(&self.limits),
            },
            stream,
        ));
        connection.link = Some(Attached { id: link, outgoing, up: Some(up) });
        let dialled = connection.dial.is_some();
        self.by_link.insert(link, id);
        if dialled {
            self.greet(id);
        }
    }

    pub(super) fn greet(&self, id: ConnectionId) {
        let Some(connection) = self.connections.get(&id) else { return };
        let Some(link) = &connection.link else { return };
        let near = connection.remote.ip().is_loopback();
        let listen = self.listening.iter().filter(|address| near || !address.ip().is_loopback());
        let greeting = Greeting {
            id: self.me,
            start: self.start,
            dial: connection.dial.map_or(0, |dial| dial.number),
            listen: listen.copied().take(greeting::MAX_ADDRESSES).collect(),
        };
        link.outgoing.push_control(Kind::Greeting, &greeting.encode(self.version));
    }
}
