//! What keeps peers from finding or reaching each other, as far as this peer can tell: the cause, and what to do about
//! it.

use std::{fmt, net::SocketAddr};

use crate::peer::peer_id;

/// Something outside of this program that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Problem {
    /// Another program holds UDP port 5353 for itself, and multicast DNS needs that port.
    MulticastPortTaken,
    /// The system does not let this program send multicast DNS.
    MulticastRefused {
        /// `IPv4` or `IPv6`.
        family: &'static str,
        /// What the system says.
        error: String,
    },
    /// The system does not tell its network interfaces and addresses.
    InterfacesHidden {
        /// What the system says.
        error: String,
    },
    /// No network interface is up.
    NoInterface,
    /// The only addresses are ones that mean nothing without an interface (`fe80::`).
    OnlyLinkLocal {
        /// The interface that multicast DNS is confined to.
        interface: Option<String>,
    },
    /// The interface that multicast DNS is confined to is not there.
    NoSuchInterface {
        /// Its name.
        interface: String,
        /// The names of those that are there.
        there: Vec<String>,
    },
    /// The interface that multicast DNS is confined to is down.
    InterfaceDown {
        /// Its name.
        interface: String,
    },
    /// All peers fell silent at once, for a while.
    Offline,
    /// A peer announces itself and cannot be reached.
    Unreachable {
        /// Its Ed25519 public key.
        peer: [u8; 32],
        /// Where it says that it listens.
        address: SocketAddr,
        /// The TCP port of this peer.
        port: u16,
    },
    /// No more files can be opened, so this process takes no connections and makes none.
    NoDescriptors {
        /// What the system says.
        error: String,
        /// How many files this process may have open, if that is known.
        limit: Option<u64>,
    },
}

impl Problem {
    /// Its kind, in one lower-case word. Two problems are the same if their kinds and their peers are equal.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::MulticastPortTaken => "multicast_port_taken",
            Self::MulticastRefused { .. } => "multicast_refused",
            Self::InterfacesHidden { .. } => "interfaces_hidden",
            Self::NoInterface => "no_interface",
            Self::OnlyLinkLocal { .. } => "only_link_local",
            Self::NoSuchInterface { .. } => "no_such_interface",
            Self::InterfaceDown { .. } => "interface_down",
            Self::Offline => "offline",
            Self::Unreachable { .. } => "unreachable",
            Self::NoDescriptors { .. } => "no_descriptors",
        }
    }

    /// The peer that it is about, if there is one.
    pub fn peer(&self) -> Option<[u8; 32]> {
        if let Self::Unreachable { peer, .. } = self { Some(*peer) } else { None }
    }

    /// What to tell the user once it is solved.
    pub fn solved(&self) -> String {
        match self {
            Self::MulticastPortTaken => "UDP port 5353 is free again: peers are looked for".to_owned(),
            Self::MulticastRefused { family, .. } => format!("multicast DNS can be sent over {family} again"),
            Self::InterfacesHidden { .. } => "the network interfaces can be listed again".to_owned(),
            Self::NoInterface => "a network interface is up and has an address: peers are looked for".to_owned(),
            Self::OnlyLinkLocal { .. } => "there is an address that can be dialled: peers are looked for".to_owned(),
            Self::NoSuchInterface { interface, .. } | Self::InterfaceDown { interface } => {
                format!("network interface {interface:?} is up: peers are looked for")
            }
            Self::Offline => "you are online again".to_owned(),
            Self::Unreachable { peer, .. } => format!("{} is no longer unreachable", peer_id(peer)),
            Self::NoDescriptors { .. } => "connections can be opened again".to_owned(),
        }
    }

    /// The text of the problem, with `name` for the peer that it is about.
    pub fn told_of(&self, name: &str) -> String {
        match self {
            Self::Unreachable { address, port, .. } => format!(
                "{name} announces itself and does not answer at {address}: a firewall drops connections; open TCP port {} on \
                 that machine, or TCP port {port} on this one",
                address.port()
            ),
            Self::MulticastPortTaken
            | Self::MulticastRefused { .. }
            | Self::InterfacesHidden { .. }
            | Self::NoInterface
            | Self::OnlyLinkLocal { .. }
            | Self::NoSuchInterface { .. }
            | Self::InterfaceDown { .. }
            | Self::Offline
            | Self::NoDescriptors { .. } => self.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    /// The cause, and what to do.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MulticastPortTaken => f.write_str(
                "another program holds UDP port 5353 for itself, so no peers can be found by multicast DNS: stop that program \
                 (`ss -ulpn 'sport = 5353'` names it), or connect by address with --peer",
            ),
            Self::MulticastRefused { family, error } => write!(
                f,
                "the system refuses to send multicast DNS over {family} ({error}), so peers cannot be found there: let the \
                 firewall or sandbox allow UDP port 5353, or connect by address with --peer"
            ),
            Self::InterfacesHidden { error } => write!(
                f,
                "the system does not tell its network interfaces ({error}), so no peers can be found by multicast DNS: let \
                 the sandbox allow netlink (systemd: RestrictAddressFamilies= with AF_NETLINK), or connect by address with \
                 --peer"
            ),
            Self::NoInterface => f.write_str(
                "no network interface is up and has an address, so only peers on this machine can be found: connect this machine to a \
                 network",
            ),
            Self::OnlyLinkLocal { interface: None } => f.write_str(
                "this machine has only link-local addresses (fe80::…), which cannot be dialled: give it another address, by a \
                 router, DHCP or by hand",
            ),
            Self::OnlyLinkLocal { interface: Some(name) } => write!(
                f,
                "network interface {name:?} has only a link-local IPv6 address, which cannot be dialled: give it another address"
            ),
            Self::NoSuchInterface { interface, there } => write!(
                f,
                "there is no network interface {interface:?} with an address (there are: {}), so no peers can be found: name \
                 another one with --interface, or wait until it is there",
                there.join(", ")
            ),
            Self::InterfaceDown { interface } => write!(
                f,
                "network interface {interface:?} is down, so no peers can be found: bring it up (`ip link set {interface} up`)"
            ),
            Self::Offline => f.write_str(
                "you are offline: all peers fell silent at once, 10 s ago; look at the network of this machine (what you write is \
                 kept and goes out later)",
            ),
            Self::Unreachable { peer, .. } => f.write_str(&self.told_of(&peer_id(peer).to_string())),
            Self::NoDescriptors { error, limit } => {
                f.write_str("no more files can be opened")?;
                match limit.filter(|_| error.contains("(os error 24)")) {
                    Some(limit) => write!(f, ", since this process has {limit} open and may have no more")?,
                    None => write!(f, " ({error})")?,
                }
                f.write_str(
                    ", so there are no new connections: raise the limit (`ulimit -n`, or LimitNOFILE= of systemd) and start again",
                )
            }
        }
    }
}
