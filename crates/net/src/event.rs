//! What a [`Net`](crate::Net) tells its user.

use std::{fmt, net::SocketAddr};

use tokio::sync::mpsc;

use crate::{Frames, Problem};

/// Names a link for as long as the process runs. A name is never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

impl fmt::Display for LinkId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "link {}", self.0)
    }
}

/// What [`Net::send`](crate::Net::send) says about the link's queue. The frame is taken either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// There is room for more.
    Plenty,
    /// The bound is reached: stop until [`Event::Writable`]. If the sender goes on past twice the bound, the link
    /// closes.
    Full,
}

/// What happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// This peer can be reached here. Comes once for each address, and later as well, as interfaces come up.
    Listening {
        /// The address, with its port.
        address: SocketAddr,
    },
    /// A link is up: from now on frames go both ways.
    Up {
        /// The link.
        link: LinkId,
        /// The authenticated Ed25519 public key of the other side.
        peer: [u8; 32],
        /// The other side's end of the connection.
        address: SocketAddr,
    },
    /// Frames came in.
    Frames {
        /// The link that they came on.
        link: LinkId,
        /// The frames, in order.
        frames: Frames,
    },
    /// A link that was [`Room::Full`] has room again.
    Writable {
        /// The link.
        link: LinkId,
    },
    /// A link is down. Nothing more comes from it.
    Down {
        /// The link.
        link: LinkId,
        /// The peer that it led to.
        peer: [u8; 32],
        /// Why.
        reason: DownReason,
    },
    /// No link was made: one side refused the other. The other side's user is told as well.
    Refused {
        /// The other side: its address, and its peer id if that is known.
        peer: String,
        /// Why, and what to do.
        reason: String,
    },
    /// [`Net::reach`](crate::Net::reach) asked for an address. Its dial has authenticated this peer, and a link to the
    /// peer is up.
    Reached {
        /// The address.
        address: SocketAddr,
        /// The authenticated Ed25519 public key of the peer there.
        peer: [u8; 32],
    },
    /// A newer start of this same identity runs elsewhere, and has proved it. Most likely the data folder was copied.
    /// All links end, none comes up any more, and this peer no longer announces itself. Comes at most once, before the
    /// links go down.
    Superseded,
    /// An address that was given by hand could not be reached.
    ConnectFailed {
        /// The address as it was given.
        address: String,
        /// Why, and what to do.
        reason: String,
    },
    /// Something the user should know.
    Warning {
        /// What, and what to do.
        text: String,
    },
    /// Something outside of this program keeps peers from finding or reaching each other. Told once.
    Problem {
        /// What, and what to do.
        problem: Problem,
    },
    /// That problem is gone. Told once.
    Solved {
        /// The problem that is gone.
        problem: Problem,
    },
}

/// Why a link went down.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DownReason {
    /// The other side said goodbye.
    Goodbye,
    /// This side said goodbye.
    Shutdown,
    /// The other side closed the link and said why.
    ClosedByPeer(String),
    /// This side closed the link, for this reason.
    Closed(String),
    /// One side closed the link, for this reason, so that it comes up anew. It does so within moments.
    Renewed(String),
    /// The connection broke.
    Lost(String),
    /// The other side was silent for too long.
    Silent,
    /// Another connection to the same peer takes its place.
    Superseded,
    /// The other side broke the protocol.
    Protocol(String),
    /// This side's user sent on although the queue was full.
    Overrun,
}

impl fmt::Display for DownReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Goodbye => f.write_str("said goodbye"),
            Self::Shutdown => f.write_str("we said goodbye"),
            Self::ClosedByPeer(reason) => write!(f, "closed by the other side: {reason}"),
            Self::Closed(reason) => write!(f, "closed: {reason}"),
            // The reason is written for the other side and would mislead a reader here.
            Self::Renewed(_) => f.write_str("the link is made anew"),
            Self::Lost(reason) => write!(f, "connection lost: {reason}"),
            Self::Silent => f.write_str("no sign of life"),
            Self::Superseded => f.write_str("replaced by a newer connection"),
            Self::Protocol(reason) => write!(f, "broke the protocol: {reason}"),
            Self::Overrun => f.write_str("too much was waiting to be sent"),
        }
    }
}

/// The receiving end of the events. While it is not read, the links are not read either.
#[derive(Debug)]
pub struct Events(pub(crate) mpsc::Receiver<Event>);

impl Events {
    /// The next event. `None` once the [`Net`](crate::Net) has shut down and everything has been taken. Cancel-safe.
    pub async fn recv(&mut self) -> Option<Event> {
        self.0.recv().await
    }

    /// Appends up to `limit` events to `events`, and returns how many. Zero means that the [`Net`](crate::Net) has shut
    /// down. Cancel-safe.
    pub async fn recv_many(&mut self, events: &mut Vec<Event>, limit: usize) -> usize {
        self.0.recv_many(events, limit).await
    }

    /// The next event, if one is there.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.0.try_recv().ok()
    }
}
