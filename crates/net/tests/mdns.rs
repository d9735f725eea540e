//! Discovery by mDNS, each test in a network namespace of its own: nothing reaches the machine's network.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::print_stderr, reason = "how long it took is worth a line")]

mod common;
#[path = "../../../tests/support/namespace.rs"]
mod namespace;
#[path = "../../../tests/support/skip.rs"]
mod skip;

use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};

use common::{Peer, config};
use futures::future::join_all;
use mdns_sd::{ServiceDaemon, ServiceEvent, ServiceInfo};
use namespace::{LAN, inside};
use net::{Config, DownReason, Event, Neighbours};

/// If it is 1, no test may be skipped.
const REQUIRE: &str = "CAUSERIE_REQUIRE_NAMESPACES";

/// Changes what the namespace lets through. Returns `false` if there is no such filter.
fn filter(rule: &str) -> bool {
    let output = Command::new("sh").args(["-c", &format!("iptables -w {rule}")]).output().unwrap();
    if !output.status.success() {
        skip::skip("iptables", &String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

const LAN6: &str = "ip link add lan type veth peer name far; ip link set far up; ip link set lan up; ip addr add fd09::1/64 dev lan nodad";

fn discovers(seed: u8) -> Config {
    Config { listen: Vec::new(), mdns: true, ..config(seed) }
}

async fn meet(configs: Vec<Config>) -> Vec<Peer> {
    let others = configs.len() - 1;
    let mut peers = join_all(configs.into_iter().map(Peer::with)).await;
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < others {
            peer.up().await;
        }
    }))
    .await;
    peers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_find_each_other() {
    if !inside("peers_find_each_other", LAN) {
        return;
    }
    let began = Instant::now();
    let mut peers = meet((1..=5).map(discovers).collect()).await;
    assert!(began.elapsed() < Duration::from_secs(15), "no fallback is needed: {:?}", began.elapsed());
    join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_secs(2)))).await;
    for peer in &peers {
        assert_eq!((peer.ups, peer.downs), (4, 0), "one link for each pair");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_find_each_other_by_ipv6_alone() {
    if !inside("peers_find_each_other_by_ipv6_alone", LAN6) {
        return;
    }
    meet((1..=3).map(discovers).collect()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_restarts_is_found_again() {
    if !inside("a_peer_that_restarts_is_found_again", LAN) {
        return;
    }
    let mut alice = Peer::with(discovers(1)).await;
    for _ in 0..3 {
        let mut bob = Peer::with(discovers(2)).await;
        tokio::join!(alice.up(), bob.up());
        bob.net.shutdown().await;
        alice.down().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interface_that_comes_late_is_used() {
    if !inside("an_interface_that_comes_late_is_used", "ip link add lan type veth peer name far; ip link set far up") {
        return;
    }
    let named = |seed| Config { interface: Some("lan".to_owned()), ..discovers(seed) };
    let mut peers = join_all([1, 2].map(named).map(Peer::with)).await;
    for peer in &mut peers {
        let text = peer.warning().await;
        assert!(text.contains("\"lan\""), "{text}");
    }
    let up = "ip addr add 10.9.0.1/24 dev lan && ip link set lan up";
    assert!(Command::new("sh").args(["-c", up]).status().unwrap().success());
    join_all(peers.iter_mut().map(Peer::up)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn discovery_and_addresses_by_hand_agree_on_one_link() {
    if !inside("discovery_and_addresses_by_hand_agree_on_one_link", LAN) {
        return;
    }
    for round in 0..10 {
        let mut alice = Peer::with(discovers(1 + round)).await;
        let mut bob = Peer::with(discovers(101 + round)).await;
        alice.net.connect(&format!("10.9.0.1:{}", bob.address.port())).unwrap();
        bob.net.connect(&format!("10.9.0.1:{}", alice.address.port())).unwrap();
        tokio::join!(alice.up(), bob.up());
        tokio::join!(alice.settle(Duration::from_millis(300)), bob.settle(Duration::from_millis(300)));
        assert_eq!((alice.ups, alice.downs, bob.ups, bob.downs), (1, 0, 1, 0), "round {round}");
        tokio::join!(alice.net.shutdown(), bob.net.shutdown());
    }
}

/// What any machine on the network can announce about any peer.
fn forge(daemon: &ServiceDaemon, of: [u8; 32], start: u64, version: &str) {
    let id = libp2p::PeerId::from_bytes(&[&[0, 0x24, 8, 1, 0x12, 0x20][..], &of].concat()).unwrap().to_string();
    // With the smaller number it would be the forged peer's turn to dial, with the greater one this peer's.
    let r = if start.is_multiple_of(2) { "0000000000000000" } else { "ffffffffffffffff" };
    let start = format!("{start:016x}");
    let properties = [("id", id.as_str()), ("r", r), ("s", start.as_str()), ("v", version)];
    let host = format!("forged-{start}.local.");
    let service = ServiceInfo::new("_causerie._tcp.local.", &id, &host, "10.9.0.1", 9, &properties[..]);
    let mut service = service.unwrap();
    service.set_requires_probe(false);
    daemon.register(service).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_announcements_neither_end_a_link_nor_keep_it_from_coming_back() {
    if !inside("forged_announcements_neither_end_a_link_nor_keep_it_from_coming_back", LAN) {
        return;
    }
    let quick = |seed| {
        let mut config = discovers(seed);
        config.limits.heartbeat = Duration::from_secs(1);
        config.limits.dead = Duration::from_secs(5);
        config
    };
    let mut peers = meet((1..=3).map(quick).collect()).await;
    let all: Vec<_> = (0..3).map(|i| *peers[(i + 1) % 3].links.values().find(|key| is_of(**key, i)).unwrap()).collect();
    let forger = ServiceDaemon::new().unwrap();
    let ever = u64::MAX - 100;
    for packet in 0..9 {
        forge(&forger, all[packet % 3], ever + packet as u64, "4");
        join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_millis(200)))).await;
    }
    join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_secs(3)))).await;
    for peer in &peers {
        assert_eq!((peer.ups, peer.downs), (2, 0), "what is up stays up");
    }
    if !filter("-I INPUT -p tcp -j DROP") {
        return;
    }
    for peer in &mut peers {
        while !peer.links.is_empty() {
            assert!(matches!(peer.down().await, DownReason::Silent | DownReason::Lost(_)));
        }
    }
    assert!(filter("-D INPUT -p tcp -j DROP"));
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < 2 {
            peer.up().await;
        }
    }))
    .await;
}

/// Whether this is the key of the peer with the seed `i + 1`.
fn is_of(key: [u8; 32], i: usize) -> bool {
    let seed = [u8::try_from(i).unwrap() + 1; 32];
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes(seed).unwrap();
    keypair.public().to_peer_id().to_bytes()[6..] == key
}

/// Only a greeting, which is authenticated, may say "upgrade this program".
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_version_is_not_reported() {
    if !inside("a_forged_version_is_not_reported", LAN) {
        return;
    }
    let mut alice = Peer::with(discovers(1)).await;
    let forger = ServiceDaemon::new().unwrap();
    for made_up in 1..=5 {
        forge(&forger, [made_up; 32], 7, "9");
    }
    let heard = async {
        loop {
            if let Some(event @ (Event::Refused { .. } | Event::ConnectFailed { .. })) = alice.events.recv().await {
                return event;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(3), heard).await;
    assert!(told.is_err(), "{told:?}");
    assert_eq!(alice.net.status().await.unwrap().unlinked.len(), 5, "they were heard of");
}

/// In half of the rounds it is the other peer's turn to dial the one behind the firewall. That one must then dial
/// instead.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_firewall_on_one_side_is_overcome_before_the_long_wait() {
    if !inside("a_firewall_on_one_side_is_overcome_before_the_long_wait", LAN) {
        return;
    }
    if !filter("-I INPUT -p tcp --dport 7001:7006 --syn -j DROP") {
        return;
    }
    for round in 0..6 {
        let listen = vec![format!("0.0.0.0:{}", 7001 + u16::from(round)).parse().unwrap()];
        let walled = Config { listen, ..discovers(100 + round) };
        let began = Instant::now();
        let peers = meet(vec![discovers(1 + round), walled]).await;
        assert!(began.elapsed() < Duration::from_secs(15), "not by the long fallback: {:?}", began.elapsed());
        for peer in peers {
            peer.net.shutdown().await;
        }
    }
}

/// Both copies run in one network, and announce themselves under the same name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_of_two_copies_in_one_network_is_told_and_takes_nothing_back() {
    if !inside("the_older_of_two_copies_in_one_network_is_told_and_takes_nothing_back", LAN) {
        return;
    }
    for round in 0..6 {
        // In half of the rounds it is alice's turn to dial the newer copy. It has heard of that copy while linked to
        // the older one.
        let mut alice = Peer::with(discovers(1 + round)).await;
        let mut bob1 = Peer::with(discovers(101 + round)).await;
        tokio::join!(alice.up(), bob1.up());
        let watcher = ServiceDaemon::new().unwrap();
        let seen = watcher.browse("_causerie._tcp.local.").unwrap();
        let began = Instant::now();
        let mut bob2 = Peer::with(discovers(101 + round)).await;
        bob1.superseded().await;
        eprintln!("told {:?} after the newer one started", began.elapsed());
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        bob2.up().await;
        bob1.settle(Duration::from_millis(500)).await;
        assert!(bob1.links.is_empty());
        // The older copy has not taken back what the newer one announces. A second later this would show.
        alice.settle(Duration::from_millis(1500)).await;
        assert_eq!((alice.links.len(), bob2.superseded, alice.superseded), (1, 0, 0));
        while let Ok(event) = seen.try_recv() {
            assert!(!matches!(event, ServiceEvent::ServiceRemoved(..)), "{event:?}");
        }
        tokio::join!(alice.net.shutdown(), bob1.net.shutdown(), bob2.net.shutdown());
        watcher.shutdown().unwrap();
    }
}

/// Peers of one process, one per seed, which find others by mDNS. All are linked to each other.
async fn host(neighbours: &Neighbours, seeds: std::ops::RangeInclusive<u8>) -> Vec<Peer> {
    meet(seeds.map(|seed| Config { neighbours: neighbours.clone(), ..discovers(seed) }).collect()).await
}

/// The names under which peers were announced since the last call.
fn names(seen: &mdns_sd::Receiver<ServiceEvent>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for event in seen.try_iter() {
        if let ServiceEvent::ServiceResolved(service) = event {
            names.insert(service.get_fullname().to_owned());
        }
    }
    names
}

async fn all_up(peers: &mut [Peer], links: usize) {
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < links {
            peer.up().await;
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_with_many_peers_announces_itself_once_and_introduces_them_all() {
    if !inside("a_process_with_many_peers_announces_itself_once_and_introduces_them_all", LAN) {
        return;
    }
    let watcher = ServiceDaemon::new().unwrap();
    let seen = watcher.browse("_causerie._tcp.local.").unwrap();
    let mut peers = host(&Neighbours::default(), 1..=10).await;
    // One peer outside is there before an eleventh neighbour comes, and one comes after it.
    let mut outside = vec![Peer::with(discovers(101)).await];
    let began = Instant::now();
    tokio::join!(all_up(&mut peers, 10), all_up(&mut outside, 10));
    eprintln!("a peer outside is linked to ten after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(15), "no fallback is needed: {:?}", began.elapsed());
    let neighbours = Neighbours::default();
    let mut elsewhere = host(&neighbours, 51..=55).await;
    tokio::join!(all_up(&mut peers, 15), all_up(&mut outside, 15), all_up(&mut elsewhere, 15));
    join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_secs(2)))).await;
    for peer in &peers {
        assert_eq!((peer.ups, peer.downs), (15, 0), "one link for each pair");
    }
    assert_eq!(names(&seen).len(), 3, "of sixteen peers, one speaks for each process");
    watcher.shutdown().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_announced_neighbour_leaves_another_one_takes_its_place() {
    if !inside("when_the_announced_neighbour_leaves_another_one_takes_its_place", LAN) {
        return;
    }
    let mut peers = host(&Neighbours::default(), 1..=4).await;
    let watcher = ServiceDaemon::new().unwrap();
    let seen = watcher.browse("_causerie._tcp.local.").unwrap();
    peers.remove(0).net.shutdown().await;
    let mut outside = vec![Peer::with(discovers(101)).await];
    tokio::join!(all_up(&mut peers, 4 - 1), all_up(&mut outside, 3));
    let others: BTreeSet<_> = outside[0].links.values().copied().collect();
    assert!((1..4).all(|i| others.iter().any(|key| is_of(*key, i))), "those that are left");
    assert!((2..=3).contains(&names(&seen).len()), "the first one, its heir, and the one outside");
    watcher.shutdown().unwrap();
}
