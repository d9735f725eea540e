//! One connection: the dialer opens the one stream, and each side hands its end out.

use std::{
    collections::VecDeque,
    task::{Context, Poll, Waker},
    time::Duration,
};

use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::ReadyUpgrade,
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, SubstreamProtocol,
        handler::{ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};

/// The version is not in the name, so that peers of two versions get far enough to tell each other.
const PROTOCOL: StreamProtocol = StreamProtocol::new("/causerie/link");

/// What became of the stream.
#[derive(Debug)]
pub(crate) enum Opened {
    Stream(Stream),
    Failed(String),
}

/// Ends the connection at once, without waiting for what is still to be written.
#[derive(Debug)]
pub(crate) struct Abort;

pub(crate) struct Handler {
    to_open: bool,
    to_accept: bool,
    timeout: Duration,
    keep_alive: bool,
    opened: VecDeque<Opened>,
    waker: Option<Waker>,
}

impl Handler {
    /// `timeout` bounds the negotiation of the stream.
    pub(crate) fn new(dialer: bool, timeout: Duration) -> Self {
        Self { to_open: dialer, to_accept: !dialer, timeout, keep_alive: true, opened: VecDeque::new(), waker: None }
    }

    fn protocol(&self) -> SubstreamProtocol<ReadyUpgrade<StreamProtocol>> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ()).with_timeout(self.timeout)
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Abort;
    type ToBehaviour = Opened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        self.protocol()
    }

    fn connection_keep_alive(&self) -> bool {
        self.keep_alive
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Self::ToBehaviour>> {
        if std::mem::take(&mut self.to_open) {
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol: self.protocol() });
        }
        if let Some(opened) = self.opened.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(opened));
        }
        self.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    fn on_behaviour_event(&mut self, Abort: Abort) {
        self.keep_alive = false;
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "libp2p adds events; none but these matter here")]
    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>) {
        match event {
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => {
                self.opened.push_back(Opened::Stream(protocol));
            }
            // Any further stream is dropped, which resets it.
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. }) if self.to_accept => {
                self.to_accept = false;
                self.opened.push_back(Opened::Stream(protocol));
            }
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.opened.push_back(Opened::Failed(error.to_string()));
            }
            _ => {}
        }
    }
}
