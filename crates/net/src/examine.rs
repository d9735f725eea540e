//! A look at the network without joining it: what is in the way of discovery, which peers announce themselves, and
//! which of them can be reached.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{net::TcpStream, task::JoinSet, time};

use crate::{Problem, discovery, limits, peer::Key, survey::survey, swarm};

/// How many peers' ports are tried. More would tell nothing new, and each costs a connection.
const TRIED: usize = 64;
/// How long a port may take to answer.
const ANSWER: Duration = Duration::from_secs(3);

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// What is in the way of discovery.
    pub problems: Vec<Problem>,
    /// The addresses of this machine that others can dial.
    pub addresses: Vec<IpAddr>,
    /// The peers that announced themselves, by their keys.
    pub peers: Vec<Announced>,
}

/// A peer that announced itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its Ed25519 public key.
    pub peer: [u8; 32],
    /// Where it listens. If an address answered, it is that one.
    pub address: SocketAddr,
    /// Why no address answered.
    pub unreachable: Option<String>,
}

/// Looks at the network for `patience`, on one interface or on all of them. Does not announce this machine: it only
/// opens and closes connections to the peers that it finds. Needs a Tokio runtime with time and I/O enabled.
pub async fn examine(interface: Option<&str>, patience: Duration) -> Examination {
    let problems = survey(interface)
        .unwrap_or_else(|error| vec![Problem::NoDescriptors { error: error.to_string(), limit: limits::open_files() }]);
    let found = discovery::look(interface, patience).await;
    let mut attempts = JoinSet::new();
    for (peer, addresses) in found.into_iter().take(TRIED) {
        attempts.spawn(reach(peer, addresses));
    }
    let mut peers = BTreeMap::new();
    while let Some(tried) = attempts.join_next().await {
        if let Ok(Some(announced)) = tried {
            peers.insert(announced.peer, announced);
        }
    }
    let addresses = if_addrs::get_if_addrs().unwrap_or_default();
    let addresses = addresses.iter().filter(|i| i.is_oper_up() && !i.is_loopback() && !i.is_link_local());
    Examination { problems, addresses: addresses.map(|i| i.ip()).collect(), peers: peers.into_values().collect() }
}

async fn reach(peer: Key, addresses: Vec<SocketAddr>) -> Option<Announced> {
    let mut unreachable = None;
    for &address in &addresses {
        match time::timeout(ANSWER, TcpStream::connect(address)).await {
            Ok(Ok(_)) => return Some(Announced { peer, address, unreachable: None }),
            Ok(Err(error)) => {
                unreachable = Some(swarm::io_error(&error).map_or_else(|| error.to_string(), str::to_owned))
            }
            Err(_) => unreachable = Some("no answer: does a firewall let it through?".to_owned()),
        }
    }
    Some(Announced { peer, address: *addresses.first()?, unreachable })
}
