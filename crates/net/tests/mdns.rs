//! Discovery by mDNS, each test in a network namespace of its own: nothing reaches the machine's network.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

mod common;
#[path = "../../../tests/support/skip.rs"]
mod skip;

use std::{
    env,
    process::Command,
    time::{Duration, Instant},
};

use common::{Peer, config};
use futures::future::join_all;
use net::Config;

/// Runs `test`, the caller's own name, again in a fresh namespace after `setup`. `true` inside of it.
fn inside(test: &str, setup: &str) -> bool {
    const INSIDE: &str = "CAUSERIE_NET_TEST_INSIDE";
    if env::var_os(INSIDE).is_some() {
        return true;
    }
    let privileged = Command::new("unshare").args(["-n", "true"]).output().is_ok_and(|output| output.status.success());
    let how = if privileged { "-n" } else { "-rn" };
    match Command::new("unshare").args([how, "ip", "link", "set", "lo", "up"]).output() {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            skip::skip("network namespaces", &String::from_utf8_lossy(&output.stderr));
            return false;
        }
        Err(error) => {
            skip::skip("unshare", &error.to_string());
            return false;
        }
    }
    let script = format!("set -e; ip link set lo up; {setup}; exec \"$0\" --exact {test} --nocapture");
    let this = env::current_exe().unwrap();
    let status = Command::new("unshare").args([how, "sh", "-c", &script]).arg(this).env(INSIDE, "1").status().unwrap();
    assert!(status.success(), "see above");
    false
}

const LAN: &str =
    "ip link add lan type veth peer name far; ip link set far up; ip addr add 10.9.0.1/24 dev lan; ip link set lan up";
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
