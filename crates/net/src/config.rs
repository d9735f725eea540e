//! What a [`Net`](crate::Net) is started with.

use std::{fmt, net::SocketAddr, time::Duration};

use zeroize::Zeroizing;

use crate::Neighbours;

/// How to listen, which peers to look for, and every bound.
#[derive(Clone)]
pub struct Config {
    /// The Ed25519 seed of this peer's identity. It is overwritten once it is no longer needed.
    pub secret: Zeroizing<[u8; 32]>,
    /// Where to listen. Empty: every interface, IPv4 and IPv6, on one free port.
    pub listen: Vec<SocketAddr>,
    /// Addresses to keep dialling: `ip:port`, `[v6]:port` or a multiaddr with `/ip4|ip6/…/tcp/…[/p2p/…]`.
    pub peers: Vec<String>,
    /// Whether to announce this peer and to look for others by mDNS.
    pub mdns: bool,
    /// The one network interface mDNS is confined to. `None`: all of them.
    pub interface: Option<String>,
    /// The peers of this process, which link to each other in memory. Only the first of them uses mDNS. By default
    /// there are none.
    pub neighbours: Neighbours,
    /// The bounds.
    pub limits: Limits,
}

impl Config {
    /// A peer with the identity `secret`: listens everywhere on a free port, uses mDNS, and has the default limits.
    pub fn new(secret: impl Into<Zeroizing<[u8; 32]>>) -> Self {
        Self {
            secret: secret.into(),
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: true,
            interface: None,
            neighbours: Neighbours::default(),
            limits: Limits::default(),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("listen", &self.listen)
            .field("peers", &self.peers)
            .field("mdns", &self.mdns)
            .field("interface", &self.interface)
            .field("neighbours", &self.neighbours)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// The bounds on what one peer may cost, each with the reason for its default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame, in bytes: 2 MiB. A message of 1 MiB with its envelope fits; longer ones close the link.
    pub max_frame: usize,
    /// Bytes that wait to be written to one link before [`Room::Full`](crate::Room::Full): 1 MiB, some ten thousand
    /// short messages, a fifth of a second at full speed on loopback. Twice that closes the link.
    pub outgoing: usize,
    /// Bytes of one link's frames that the user may hold before that link is no longer read: 1 MiB.
    pub incoming: usize,
    /// Events waiting to be taken: 256. A batch of frames is one event.
    pub events: usize,
    /// Dials under way at once: 16. With more, hundreds of peers that start together time out on each other.
    pub dials: usize,
    /// Silence on the writing side after which a heartbeat is sent: 3 s.
    pub heartbeat: Duration,
    /// Silence on the reading side after which a link counts as dead: 10 s, three heartbeats and some patience.
    pub dead: Duration,
    /// How long a peer waits for the other to dial before it does so itself, once its own part of the mesh has formed:
    /// 2.5 to 3.5 s. So a link is up within 5 s even if the peer whose turn it is cannot dial.
    pub turn: (Duration, Duration),
    /// The same while the mesh is forming, when the other peer is likely to be busy: 20 to 30 s. With 3 s for every
    /// peer, 150 peers that started together made 8,771 duplicate connections, and 33 of them never had all links.
    pub fallback: (Duration, Duration),
    /// The least and the greatest pause before a broken link is dialled again: 250 ms to 30 s.
    pub backoff: (Duration, Duration),
    /// How long an address may take to answer a dial at all: 3 s, one repetition of a lost packet and the time to
    /// answer it. The operating system answers, however busy the program is. So an address that stays silent is away or
    /// behind a firewall, and must not hold up others.
    pub connect: Duration,
    /// How long a connection may take to be authenticated: 10 s.
    pub handshake: Duration,
    /// How long an authenticated connection may take to greet: 10 s, for a busy machine. It has three times that to
    /// become a link.
    pub greeting: Duration,
    /// Incoming connections that are not links yet: 128. When there are more, the address with the most of them loses
    /// its oldest.
    pub pending: usize,
    /// Links at once, and peers known at once: 1,024. A full mesh of 450 fits twice. A quarter of the places is for
    /// peers that were [met before](crate::Net::met).
    pub peers: usize,
    /// How long [`Net::shutdown`](crate::Net::shutdown) may take: half a second.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 2 << 20,
            outgoing: 1 << 20,
            incoming: 1 << 20,
            events: 256,
            dials: 16,
            heartbeat: Duration::from_secs(3),
            dead: Duration::from_secs(10),
            turn: (Duration::from_millis(2500), Duration::from_millis(3500)),
            fallback: (Duration::from_secs(20), Duration::from_secs(30)),
            backoff: (Duration::from_millis(250), Duration::from_secs(30)),
            connect: Duration::from_secs(3),
            handshake: Duration::from_secs(10),
            greeting: Duration::from_secs(10),
            pending: 128,
            peers: 1024,
            shutdown: Duration::from_millis(500),
        }
    }
}
