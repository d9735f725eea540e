use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// What a peer is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The name to claim: 1 to 32 letters, digits, `_`, `-` or `.`.
    pub name: String,
    /// The folder that keeps the identity key; without one the peer is somebody new at each start.
    pub data: Option<PathBuf>,
    /// Where to listen; empty for every interface and a free port.
    pub listen: Vec<SocketAddr>,
    /// Addresses to connect to, `ip:port`, `[ip6]:port` or multiaddrs: what discovery does where multicast does not reach.
    pub peers: Vec<String>,
    /// Find peers, and be found, by multicast DNS.
    pub mdns: bool,
    /// The one interface for multicast DNS; every interface when left out.
    pub interface: Option<String>,
    /// Append the trace of this peer to this file.
    pub trace: Option<PathBuf>,
    /// Batches of events that wait for the user interface, 64 by default: at a few hundred events each that is well
    /// under a second of full load. When they are full the peer takes no frames and no commands until the interface
    /// has taken a batch, so a slow interface slows its own links and nothing else, and memory stays bounded.
    pub event_batches: usize,
    /// How long a peer that was asked to stop goes on handing over what its user said, 5 s by default: five times what a
    /// slow link (1 MiB/s) needs for all that may wait on it, and no longer than a user waits without wondering.
    pub drain: Duration,
}

impl Config {
    /// A peer by that name: no data folder, discovery on, every interface, no trace.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            data: None,
            listen: Vec::new(),
            peers: Vec::new(),
            mdns: true,
            interface: None,
            trace: None,
            event_batches: 64,
            drain: Duration::from_secs(5),
        }
    }
}
