//! Errors that are known at once. Later ones come as an [`Event`](crate::Event).

use std::{io, net::SocketAddr};

use libp2p::TransportError;

use crate::LinkId;

/// Why a [`Net`](crate::Net) did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another program listens on that port already.
    #[error("port {} is in use on {}: another program listens there; choose another port, or 0 for a free one", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// No address at all could be listened on.
    #[error("no free port to listen on: {0}")]
    NoPort(io::Error),
    /// One of [`Config::peers`](crate::Config::peers) is not an address.
    #[error(transparent)]
    Peer(#[from] BadAddress),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
}

impl Error {
    pub(crate) fn listen(address: SocketAddr, error: TransportError<io::Error>) -> Self {
        match error {
            TransportError::Other(source) if source.kind() == io::ErrorKind::AddrInUse => Self::PortInUse(address),
            TransportError::Other(source) => Self::Listen { address, source },
            TransportError::MultiaddrNotSupported(_) => {
                Self::Listen { address, source: io::ErrorKind::Unsupported.into() }
            }
        }
    }
}

/// Why an address given by hand cannot be dialled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BadAddress {
    /// It is not an address.
    #[error(
        "{0:?} is not an address: write ip:port, [ipv6]:port, host:port or a multiaddr such as /ip4/192.0.2.1/tcp/4001"
    )]
    Syntax(String),
    /// It is an address, but one that cannot be dialled.
    #[error("{address} cannot be dialled: {reason}")]
    Unusable {
        /// The address as it was given.
        address: String,
        /// Why.
        reason: &'static str,
    },
    /// More addresses are being tried than the bound allows, or the [`Net`](crate::Net) has stopped.
    #[error("{0} is not tried: too many addresses are being tried at once; try again in a moment")]
    Busy(String),
}

/// The link is down, or going down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is down")]
pub struct Gone(pub LinkId);
