//! Which connections get the places.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

mod common;

use std::{net::SocketAddr, time::Duration};

use common::{PATIENCE, Peer, config};
use net::{Config, Event};
use tokio::{
    io::AsyncReadExt,
    net::{TcpSocket, TcpStream},
};

/// Connects from this address and says nothing.
async fn idle(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{from}:0").parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Nothing expires within the test. So a newcomer does not get in merely because others have timed out.
fn patient(seed: u8) -> Config {
    let mut config = config(seed);
    config.limits.handshake = Duration::from_secs(600);
    config.limits.greeting = Duration::from_secs(600);
    config
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_connections_keep_no_newcomer_out() {
    for flooder in ["127.0.0.1", "127.0.0.2"] {
        let mut alice = Peer::with(patient(1)).await;
        let mut flood = Vec::new();
        for _ in 0..300 {
            flood.push(idle(flooder, alice.address).await);
        }
        let mut bob = Peer::start(2).await;
        bob.connect(&alice);
        tokio::join!(alice.up(), bob.up());
        let mut nothing = [0];
        // The oldest connection has gone. The newest still waits.
        let oldest = tokio::time::timeout(PATIENCE, flood[0].read(&mut nothing)).await.expect("its place is gone");
        assert!(oldest.is_err() || oldest.is_ok_and(|n| n == 0));
        let newest = tokio::time::timeout(Duration::from_millis(300), flood[299].read(&mut nothing)).await;
        assert!(newest.is_err(), "{newest:?}");
    }
}

/// A peer that was let in is a link, and no flood ends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_ends_no_link() {
    let mut alice = Peer::with(patient(1)).await;
    let mut bob = Peer::start(2).await;
    bob.connect(&alice);
    tokio::join!(alice.up(), bob.up());
    let mut flood = Vec::new();
    for _ in 0..300 {
        flood.push(idle("127.0.0.1", alice.address).await);
    }
    tokio::join!(alice.settle(Duration::from_millis(500)), bob.settle(Duration::from_millis(500)));
    assert_eq!((alice.downs, bob.downs), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn strangers_leave_places_for_those_that_were_met_before() {
    let (old_friend, friend) = (Peer::start(100).await, key(100));
    let mut few = config(1);
    few.limits.peers = 8;
    let mut alice = Peer::with(few).await;
    alice.net.met(friend);
    let mut strangers = Vec::new();
    for seed in 2..8 {
        let stranger = Peer::start(seed).await;
        stranger.connect(&alice);
        alice.up().await;
        strangers.push(stranger);
    }
    let mut late = Peer::start(50).await;
    late.connect(&alice);
    let (_, reason) = late.failed().await;
    assert!(reason.contains("all the links that it can have"), "{reason}");
    old_friend.connect(&alice);
    let peer = alice
        .wait("the friend", |event| match event {
            Event::Up { peer, .. } => Some(*peer),
            _ => None,
        })
        .await;
    assert_eq!(peer, friend);
    let mut new_friend = Peer::start(60).await;
    new_friend.connect(&alice);
    new_friend.failed().await;
    alice.net.met(key(60));
    new_friend.connect(&alice);
    tokio::join!(alice.up(), new_friend.up());
}

fn key(seed: u8) -> [u8; 32] {
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    keypair.public().to_peer_id().to_bytes()[6..].try_into().unwrap()
}
