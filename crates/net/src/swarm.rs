//! libp2p's side: the transport, and its errors in plain words.

use std::{error::Error as StdError, io, time::Duration};

use libp2p::{
    PeerId, Swarm, Transport,
    core::{
        ConnectedPoint,
        muxing::StreamMuxerBox,
        transport::{Boxed, timeout::TransportTimeout},
        upgrade::Version,
    },
    identity::Keypair,
    noise,
    swarm::{
        self, DialError,
        dial_opts::{DialOpts, PeerCondition},
    },
    tcp,
};
use std::net::SocketAddr;

use crate::{
    Limits,
    address::{from_multiaddr, to_multiaddr},
    behaviour::Behaviour,
    met::Met,
    muxer::{MAX_STREAMS, Yamux},
    peer::{Key, peer_id},
    pending::{Guarded, Pending},
};

pub(crate) fn build(keypair: &Keypair, limits: &Limits, met: Met) -> Swarm<Behaviour> {
    let pending = Pending::new(limits.pending);
    let behaviour = Behaviour::new(limits, pending.clone(), met);
    let config = swarm::Config::with_tokio_executor()
        // A connection stays until it is aborted, and then ends at once.
        .with_idle_connection_timeout(Duration::ZERO)
        .with_max_negotiating_inbound_streams(MAX_STREAMS)
        // A peer with addresses of both families gets one handshake, not one per address.
        .with_smart_dial();
    Swarm::new(transport(keypair, limits, pending), behaviour, keypair.public().to_peer_id(), config)
}

fn transport(keypair: &Keypair, limits: &Limits, pending: Pending) -> Boxed<(PeerId, StreamMuxerBox)> {
    let noise = noise::Config::new(keypair).expect("signing with an Ed25519 key does not fail");
    let tcp = tcp::tokio::Transport::new(tcp::Config::default());
    TransportTimeout::with_outgoing_timeout(tcp, limits.connect)
        .map(move |stream, point| match point {
            ConnectedPoint::Listener { local_addr, send_back_addr } => {
                match (from_multiaddr(&local_addr), from_multiaddr(&send_back_addr)) {
                    (Some(local), Some(remote)) => pending.guard(stream, (local, remote)),
                    _ => Guarded::free(stream),
                }
            }
            ConnectedPoint::Dialer { .. } => Guarded::free(stream),
        })
        .upgrade(Version::V1Lazy)
        .authenticate(noise)
        .multiplex(Yamux)
        .timeout(limits.handshake)
        .boxed()
}

/// Dials a known peer at any of its addresses.
pub(crate) fn dial_peer(peer: &Key, addresses: &[SocketAddr]) -> DialOpts {
    let addresses = addresses.iter().map(|address| to_multiaddr(*address)).collect();
    DialOpts::peer_id(peer_id(peer))
        // Whether to dial is decided already. A link to an earlier start of the peer must not prevent it.
        .condition(PeerCondition::NotDialing)
        .addresses(addresses)
        // Dialling from the listening port would fix the interface too, and pick the wrong one.
        .allocate_new_port()
        .build()
}

/// Dials an address, whichever peer listens there.
pub(crate) fn dial_address(address: SocketAddr, peer: Option<Key>) -> DialOpts {
    match peer {
        Some(peer) => DialOpts::peer_id(peer_id(&peer))
            // The user asked for exactly this address.
            .condition(PeerCondition::Always)
            .addresses(vec![to_multiaddr(address)])
            .allocate_new_port()
            .build(),
        None => DialOpts::unknown_peer_id().address(to_multiaddr(address)).allocate_new_port().build(),
    }
}

/// Why a dial failed, and what to do.
pub(crate) fn dial_error(error: &DialError) -> String {
    match error {
        DialError::LocalPeerId { .. } => "that is this peer itself".to_owned(),
        DialError::WrongPeerId { obtained, .. } => format!("another peer answers there: {obtained}"),
        DialError::NoAddresses => "it has no address that can be dialled".to_owned(),
        DialError::DialPeerConditionFalse(_) => "it is being dialled already".to_owned(),
        DialError::Aborted => "given up".to_owned(),
        DialError::Denied { cause } => cause.to_string(),
        DialError::Transport(errors) => match errors.first() {
            Some((_, error)) => transport_error(error),
            None => "no address could be reached".to_owned(),
        },
    }
}

fn transport_error(error: &(dyn StdError + 'static)) -> String {
    // Each layer of the transport wraps the error of the layer below, and some do not name it as their source. Only the
    // text is sure to hold the system's own error.
    let text = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    if let Some(words) = os_error(&text).as_ref().and_then(io_error) {
        return words.to_owned();
    }
    let lower = text.to_lowercase();
    if lower.contains("end of file") || lower.contains("eof") {
        return "the program that listens there hung up: it is busy, or not a peer of this program".to_owned();
    }
    if lower.contains("timeout") {
        return "no answer: is it running, and does a firewall let it through?".to_owned();
    }
    format!("the program that listens there does not speak this protocol ({text})")
}

fn os_error(text: &str) -> Option<io::Error> {
    let (_, number) = text.rsplit_once("(os error ")?;
    Some(io::Error::from_raw_os_error(number.split_once(')')?.0.parse().ok()?))
}

pub(crate) fn io_error(error: &io::Error) -> Option<&'static str> {
    #[allow(clippy::wildcard_enum_match_arm, reason = "the kinds that a user can do something about")]
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some("nothing listens there: is it running, and is the port right?"),
        io::ErrorKind::TimedOut => Some("no answer: is it running, and does a firewall let it through?"),
        io::ErrorKind::HostUnreachable => Some("that machine cannot be reached: is it on, and on this network?"),
        io::ErrorKind::NetworkUnreachable => Some("no network leads there"),
        io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof | io::ErrorKind::BrokenPipe => {
            Some("the program that listens there hung up: is it causerie?")
        }
        io::ErrorKind::PermissionDenied => Some("the system does not allow it"),
        _ => None,
    }
}
