use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use net::Neighbours;
use zeroize::Zeroizing;

use crate::DataFolder;

/// Who a peer is, and where it keeps what it may not lose.
pub struct Home {
    /// The folder of its database, and of the socket by which other processes reach its session.
    pub folder: DataFolder,
    /// The Ed25519 seed of its person. What keeps it, sealed or not, is the caller's business.
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
    /// Without one the peer is a new person at each start, keeps nothing, and no other process can attach to it.
    pub home: Option<Home>,
    /// Where to listen; empty for every interface and a free port.
    pub listen: Vec<SocketAddr>,
    /// Addresses to connect to, `ip:port`, `[ip6]:port` or multiaddrs: what discovery does where multicast does not reach.
    pub peers: Vec<String>,
    /// Find peers, and be found, by multicast DNS.
    pub mdns: bool,
    /// The one interface for multicast DNS; every interface when left out.
    pub interface: Option<String>,
    /// The peers of this process. Those that are given clones of the same [`Neighbours`] link to each other in memory, and the first
    /// of them alone uses multicast DNS and introduces the others. By default a peer has no neighbours.
    pub neighbours: Neighbours,
    /// Append the trace of this peer to this file.
    pub trace: Option<PathBuf>,
    /// Batches of events that wait for the user interface, 64 by default: at a few hundred events each that is well
    /// under a second of full load. When they are full the peer takes no frames and no commands until the interface
    /// has taken a batch, so a slow interface slows its own links and nothing else, and memory stays bounded.
    pub event_batches: usize,
    /// User interfaces in other processes that may be attached at once, 256 by default: more than anybody opens on
    /// purpose, and few enough to leave the process its open files for links.
    pub max_clients: usize,
    /// Bytes of events that may wait for one of them, 16 MiB by default: some 20,000 short messages, a moment of full load.
    /// Who has more waiting is dropped, so it never slows the peer or another one.
    pub client_bytes: usize,
    /// How long messages are kept at least before they may go; for good when left out. What somebody has still to get stays
    /// in any case.
    pub keep: Option<Duration>,
    /// How many bytes the messages may take before the oldest go; any number when left out.
    pub keep_bytes: Option<u64>,
    /// How long a peer that was asked to stop goes on handing over what its user said, 5 s by default: five times what a
    /// slow link (1 MiB/s) needs for all that may wait on it, and no longer than a user waits without wondering.
    pub drain: Duration,
}

impl Config {
    /// A peer by that name: no home, discovery on, every interface, no trace.
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
