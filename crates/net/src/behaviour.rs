//! The part of the mesh that lives inside libp2p's swarm: lets connections in within bounds, and hands out streams.

use std::{
    collections::{HashMap, VecDeque},
    task::{Context, Poll, Waker},
    time::Duration,
};

use libp2p::{
    Multiaddr, PeerId,
    core::{Endpoint, transport::PortUse},
    swarm::{
        ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, NotifyHandler,
        ToSwarm,
    },
};

use crate::{
    Limits,
    address::from_multiaddr,
    handler::{Abort, Handler, Opened},
    met::Met,
    peer::{Key, key_of},
    pending::Pending,
};

/// Connections at once to one peer. Two may meet, and the tie-break leaves one of them. The third is for a peer that
/// has restarted before anyone notices that its earlier connections are dead.
const MAX_PER_PEER: u32 = 3;

/// What became of a connection's stream.
#[derive(Debug)]
pub(crate) struct StreamOpened {
    pub(crate) connection: ConnectionId,
    pub(crate) opened: Opened,
}

pub(crate) struct Behaviour {
    timeout: Duration,
    max_peers: usize,
    /// Incoming connections that are not links yet.
    pending: Pending,
    met: Met,
    established: HashMap<PeerId, u32>,
    actions: VecDeque<ToSwarm<StreamOpened, Abort>>,
    waker: Option<Waker>,
}

#[derive(Debug, thiserror::Error)]
enum Denied {
    #[error("too many peers")]
    Peers,
    #[error("too many connections to one peer")]
    PerPeer,
    #[error("its key is not an Ed25519 key")]
    Key,
}

impl Behaviour {
    pub(crate) fn new(limits: &Limits, pending: Pending, met: Met) -> Self {
        Self {
            timeout: limits.handshake,
            max_peers: limits.peers,
            pending,
            met,
            established: HashMap::new(),
            actions: VecDeque::new(),
            waker: None,
        }
    }

    /// Ends a connection at once, without a goodbye. Its stream must be dropped, or about to be.
    pub(crate) fn abort(&mut self, peer_id: PeerId, connection: ConnectionId) {
        self.actions.push_back(ToSwarm::NotifyHandler {
            peer_id,
            handler: NotifyHandler::One(connection),
            event: Abort,
        });
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// Notes that a connection has become a link.
    pub(crate) fn is_link(&self, connection: ConnectionId) {
        self.pending.leave(connection);
    }

    /// Some places are reserved for peers that were met before. Other peers do not get those.
    fn has_room_for(&self, peer: &Key) -> bool {
        let strangers = || self.established.keys().filter_map(key_of).filter(|key| !self.met.contains(key)).count();
        self.established.len() < self.max_peers
            && (self.met.contains(peer) || strangers() < self.max_peers - self.met.kept())
    }

    fn admit(&self, peer: &PeerId) -> Result<(), ConnectionDenied> {
        let Some(key) = key_of(peer) else {
            return Err(ConnectionDenied::new(Denied::Key));
        };
        match self.established.get(peer) {
            Some(&count) if count >= MAX_PER_PEER => Err(ConnectionDenied::new(Denied::PerPeer)),
            None if !self.has_room_for(&key) => Err(ConnectionDenied::new(Denied::Peers)),
            Some(_) | None => Ok(()),
        }
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = StreamOpened;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if let (Some(local), Some(remote)) = (from_multiaddr(local), from_multiaddr(remote)) {
            self.pending.enter(connection, (local, remote));
        }
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<Handler, ConnectionDenied> {
        self.admit(&peer)?;
        Ok(Handler::new(false, self.timeout))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        peer: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<Handler, ConnectionDenied> {
        self.admit(&peer)?;
        Ok(Handler::new(true, self.timeout))
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "libp2p adds events; none but these matter here")]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                *self.established.entry(established.peer_id).or_default() += 1;
            }
            FromSwarm::ConnectionClosed(ConnectionClosed { peer_id, connection_id, remaining_established, .. }) => {
                self.pending.leave(connection_id);
                if remaining_established == 0 {
                    self.established.remove(&peer_id);
                } else if let Some(count) = self.established.get_mut(&peer_id) {
                    *count -= 1;
                }
            }
            FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.pending.leave(connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, connection: ConnectionId, opened: Opened) {
        self.actions.push_back(ToSwarm::GenerateEvent(StreamOpened { connection, opened }));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<StreamOpened, Abort>> {
        if let Some(action) = self.actions.pop_front() {
            return Poll::Ready(action);
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}
