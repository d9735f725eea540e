use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use net::Neighbours;
use zeroize::Zeroizing;

use crate::DataFolder;

/// The identity of a peer, and where it keeps what it must not lose.
pub struct Home {
    /// The folder of its database, and of the socket through which other processes reach its session.
    pub folder: DataFolder,
    /// The Ed25519 seed of its person. The caller decides where that is kept, and whether it is sealed.
    pub seed: Zeroizing<[u8; 32]>,
}

impl fmt::Debug for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Home").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// What a peer is started with.
#[derive(Debug)]
pub struct Config {
    /// The name to claim: 1 to 32 letters, digits, `_`, `-` or `.`.
    pub name: String,
    /// Without a home the peer is a new person at each start, keeps nothing, and no other process can attach to it.
    pub home: Option<Home>,
    /// Where to listen. If empty: every interface, on a free port.
    pub listen: Vec<SocketAddr>,
    /// Addresses to connect to, as `ip:port`, `[ip6]:port` or multiaddr. They do what discovery does, where multicast
    /// does not reach.
    pub peers: Vec<String>,
    /// Whether to find peers, and be found, by multicast DNS.
    pub mdns: bool,
    /// The one interface for multicast DNS. `None`: every interface.
    pub interface: Option<String>,
    /// The peers of this process. Peers that are given clones of the same [`Neighbours`] link to each other in memory.
    /// Only the first of them uses multicast DNS, and it introduces the others. By default a peer has no neighbours.
    pub neighbours: Neighbours,
    /// Append the trace of this peer to this file.
    pub trace: Option<PathBuf>,
    /// How many batches of events may wait for the user interface: 64 by default. At a few hundred events each, that is
    /// well under a second of full load. When they are full, the peer takes no frames and no commands until the
    /// interface has taken a batch. So a slow interface only slows its own links, and memory stays bounded.
    pub event_batches: usize,
    /// How many user interfaces in other processes may be attached at once: 256 by default. That is more than a person
    /// opens on purpose, and few enough to leave the process open files for its links.
    pub max_clients: usize,
    /// How many bytes of events may wait for one of them: 16 MiB by default, some 20,000 short messages, a moment of
    /// full load. A client with more waiting is dropped, so it never slows the peer or another client.
    pub client_bytes: usize,
    /// How long messages are kept at least before they may be dropped. `None`: for good. A message that another peer
    /// has yet to get stays in any case.
    pub keep: Option<Duration>,
    /// How many bytes the messages may take before the oldest are dropped. `None`: any number.
    pub keep_bytes: Option<u64>,
    /// How long a peer that was asked to stop goes on handing over what its user said: 5 s by default. That is five
    /// times what a slow link (1 MiB/s) needs for everything that may wait on it, and no longer than a user waits
    /// without wondering.
    pub drain: Duration,
}

impl Config {
    /// A peer with that name: no home, discovery on, every interface, no trace.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            home: None,
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: true,
            interface: None,
            neighbours: Neighbours::default(),
            trace: None,
            event_batches: 64,
            max_clients: 256,
            client_bytes: 16 << 20,
            keep: None,
            keep_bytes: None,
            drain: Duration::from_secs(5),
        }
    }
}
