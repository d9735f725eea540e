//! The way of a connection from authenticated to greeted.

use std::{net::SocketAddr, sync::Arc, time::Instant};

use libp2p::{Stream, swarm::ConnectionId};
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
    neighbours::{End, Neighbour},
    outgoing::Outgoing,
    peer::Key,
};

/// The number of a connection that never replaces a link to the same start.
pub(super) const LOOK: u64 = 0;

/// A connection that has just been authenticated.
pub(super) struct Established {
    pub(super) id: ConnectionId,
    pub(super) peer: Key,
    pub(super) remote: SocketAddr,
    /// The neighbour that it leads to, if it is in memory.
    pub(super) neighbour: Option<Arc<Neighbour>>,
    /// This side's dial.
    pub(super) dial: Option<Dial>,
}

impl Driver {
    /// Takes the connection. If it returns `false`, the caller ends the connection.
    pub(super) fn established(&mut self, now: Instant, established: Established) -> bool {
        let Established { id, peer, remote, neighbour, mut dial } = established;
        if self.closing.is_some() || self.superseded {
            return false;
        }
        if let Some(dial) = &mut dial
            && self.up.contains_key(&peer)
        {
            match dial.reason {
                // The link came up during this dial.
                Reason::Rule(_) => return false,
                // Another start of the peer may be there. If it is the same start, the link stays.
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
            // An address given by hand and discovery have led to the same peer. One connection is enough, and it does
            // not matter which.
            if let Some(Dial { reason: Reason::ByHand(entry), .. }) = dial {
                self.by_hand_deferred(now, entry, peer);
            }
            return false;
        }
        let stranger = by_hand || !self.tiebreak.knows(&peer);
        let stage = Stage::Opening;
        let (asks, relays) = (Rate::new(ASKS), Rate::new(RELAYS));
        let (link, greeting) = (None, None);
        let since = now;
        let connection =
            Connection { peer, remote, neighbour, dial, since, stage, link, greeting, stranger, asks, relays };
        self.connections.insert(id, connection);
        self.is_overdue_at(now + self.limits.greeting);
        true
    }

    /// Takes a fresh stream.
    pub(super) fn attach_stream(&mut self, id: ConnectionId, stream: Stream) {
        let outgoing = Arc::new(Outgoing::new(self.limits.outgoing));
        if let Some(link) = self.attach(id, outgoing) {
            tokio::spawn(link::run_on_stream(link, stream));
        }
    }

    /// Takes an end of a link in memory.
    pub(super) fn attach_end(&mut self, id: ConnectionId, end: End) {
        if let Some(link) = self.attach(id, Arc::clone(&end.mine)) {
            tokio::spawn(link::run_in_memory(link, end));
        }
    }

    /// Attaches a link to the connection. The side that dialled greets first.
    fn attach(&mut self, id: ConnectionId, outgoing: Arc<Outgoing>) -> Option<Link> {
        let connection = self.connections.get_mut(&id)?;
        let link = LinkId(self.next_link);
        self.next_link += 1;
        let (up, is_up) = oneshot::channel();
        connection.link = Some(Attached { id: link, outgoing: Arc::clone(&outgoing), up: Some(up) });
        let dialled = connection.dial.is_some();
        self.by_link.insert(link, id);
        if dialled {
            self.greet(id);
        }
        Some(Link {
            id: link,
            outgoing,
            reports: self.report.clone(),
            events: self.events.clone(),
            up: is_up,
            version: self.version,
            limits: Arc::clone(&self.limits),
        })
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
