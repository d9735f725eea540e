//! Every pair of peers has one connection: n (n − 1) / 2 of them, whoever dialled.

use std::time::{Duration, Instant};

use crate::peer::{Peer, eventually};
use crate::support::net::Net;

const PEERS: usize = 12;

#[test]
fn twelve_peers_have_sixty_six_connections() {
    let Some(mut net) = Net::new() else { return };
    let names: Vec<String> = (0..PEERS).map(|number| format!("peer{number}")).collect();
    for name in &names {
        net.plug(name);
    }
    let peers: Vec<Peer> = names.iter().map(|name| net.spawn_beside(name, name, &[])).collect();
    for peer in &peers {
        for other in names.iter().filter(|other| *other != peer.name()) {
            peer.meets(other);
        }
    }
    // Each connection has two ends.
    let ends = || names.iter().map(|name| net.connections(name)).sum::<usize>();
    eventually("there is one connection for each pair", || ends() == PEERS * (PEERS - 1));
    let until = Instant::now() + Duration::from_secs(4);
    while Instant::now() < until {
        assert_eq!(ends(), PEERS * (PEERS - 1));
    }
    net.check_complete(peers);
}
