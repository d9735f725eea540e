//! Which peers link to each other.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

mod common;

use std::{net::SocketAddr, time::Duration};

use common::{PATIENCE, Peer, config};
use futures::future::join_all;
use net::{DownReason, Event};

/// Every peer of a full mesh has a link to every other, and never had more: n(n-1)/2 connections.
async fn full_mesh(peers: &mut [Peer]) {
    let others = peers.len() - 1;
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < others {
            peer.up().await;
        }
    }))
    .await;
    join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_secs(3)))).await;
    for peer in peers {
        assert_eq!((peer.links.len(), peer.ups, peer.downs), (others, others, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_joins_the_whole_mesh() {
    let first = Peer::start(1).await;
    let mut peers = Vec::new();
    for seed in 2..=12 {
        let mut config = config(seed);
        config.peers = vec![first.address.to_string()];
        peers.push(Peer::with(config).await);
    }
    peers.push(first);
    full_mesh(&mut peers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_meshes_that_touch_become_one() {
    let mut peers = Vec::new();
    for mesh in [1, 2] {
        let first = Peer::start(mesh * 10).await;
        let address = first.address.to_string();
        peers.push(first);
        for seed in 1..4 {
            let mut config = config(mesh * 10 + seed);
            config.peers = vec![address.clone()];
            peers.push(Peer::with(config).await);
        }
    }
    for half in peers.chunks_mut(4) {
        full_mesh(half).await;
    }
    // Neither of the two that touch was the first of its mesh.
    peers[3].connect(&peers[6]);
    full_mesh(&mut peers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simultaneous_dials_leave_one_link() {
    for round in 0..100u8 {
        let mut alice = Peer::start(round).await;
        let mut bob = Peer::start(100 + round).await;
        alice.connect(&bob);
        bob.connect(&alice);
        let (_, _) = tokio::join!(alice.up(), bob.up());
        // Frames sent on the link that stays arrive. A second link would show as an `Up` meanwhile.
        tokio::join!(alice.settle(Duration::from_millis(30)), bob.settle(Duration::from_millis(30)));
        assert_eq!((alice.links.len(), bob.links.len()), (1, 1));
        let (to_bob, to_alice) = (*alice.links.keys().next().unwrap(), *bob.links.keys().next().unwrap());
        alice.net.send(to_bob, "one".into()).unwrap();
        bob.net.send(to_alice, "two".into()).unwrap();
        assert_eq!(bob.frame().await, (to_alice, "one".into()));
        assert_eq!(alice.frame().await, (to_bob, "two".into()));
        assert_eq!((alice.ups, bob.ups), (1, 1), "round {round}: only the survivor is reported up");
        tokio::join!(alice.net.shutdown(), bob.net.shutdown());
    }
}

#[tokio::test]
async fn a_peer_that_quits_and_returns_is_linked_again() {
    let mut alice = Peer::start(1).await;
    let address = alice.address.to_string();
    for _ in 0..3 {
        let mut config = config(2);
        config.peers = vec![address.clone()];
        let mut bob = Peer::with(config).await;
        tokio::join!(alice.up(), bob.up());
        bob.net.shutdown().await;
        assert_eq!(alice.down().await, DownReason::Goodbye);
    }
}

#[tokio::test]
async fn a_newer_start_takes_the_place_of_an_older_one() {
    let mut alice = Peer::start(1).await;
    let mut old = Peer::start(2).await;
    old.connect(&alice);
    tokio::join!(alice.up(), old.up());
    let mut new = Peer::start(2).await;
    new.connect(&alice);
    assert_eq!(alice.down().await, DownReason::Superseded);
    tokio::join!(alice.up(), new.up());
    // The older one learns why, and stops (see `two_places.rs`).
    old.superseded().await;
    old.down().await;
    assert_eq!(alice.links.len(), 1);
}

#[tokio::test]
async fn an_address_that_is_connected_already_changes_nothing() {
    let (mut alice, mut bob) = (Peer::start(1).await, Peer::start(2).await);
    alice.connect(&bob);
    tokio::join!(alice.up(), bob.up());
    for again in 0..2 {
        let (from, to) = if again == 0 { (&mut alice, &bob) } else { (&mut bob, &alice) };
        from.connect(to);
        let text = from.warning().await;
        assert!(text.contains("connected already"), "{text}");
    }
    assert_eq!((alice.downs, bob.downs), (0, 0));
}

/// Another start of the peer might be there, so it is dialled. In half of the rounds the other side decides what stays.
#[tokio::test]
async fn another_address_of_a_linked_peer_changes_nothing() {
    for round in 0..12 {
        let (mut alice, mut bob) = (Peer::start(round).await, Peer::start(100 + round).await);
        alice.connect(&bob);
        tokio::join!(alice.up(), bob.up());
        let proxy = common::Proxy::to(bob.address).await;
        alice.net.connect(&proxy.address.to_string()).unwrap();
        let text = alice.warning().await;
        assert!(text.contains("connected already"), "{text}");
        tokio::join!(alice.settle(Duration::from_millis(50)), bob.settle(Duration::from_millis(50)));
        assert_eq!((alice.downs, bob.downs), (0, 0), "round {round}");
    }
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_reported() {
    let mut alice = Peer::start(1).await;
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    alice.net.connect(&nobody).unwrap();
    let (address, reason) = alice.failed().await;
    assert_eq!(address, nobody);
    assert!(reason.contains("nothing listens there"), "{reason}");

    let itself = alice.address.to_string();
    alice.net.connect(&itself).unwrap();
    let (_, reason) = alice.failed().await;
    assert!(reason.contains("this peer itself"), "{reason}");

    let bob = Peer::start(2).await;
    let carol = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X";
    alice.net.connect(&format!("/ip4/127.0.0.1/tcp/{}/p2p/{carol}", bob.address.port())).unwrap();
    let (_, reason) = alice.failed().await;
    assert!(reason.contains("another peer answers there"), "{reason}");

    assert!(alice.net.connect("nonsense").is_err());
}

#[tokio::test]
async fn another_program_that_listens_there_is_told_apart() {
    let mut alice = Peer::start(1).await;
    let stranger = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    alice.net.connect(&stranger.local_addr().unwrap().to_string()).unwrap();
    let (mut socket, _) = stranger.accept().await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, b"220 mail.example.org ESMTP\r\n").await.unwrap();
    drop(socket);
    let (_, reason) = alice.failed().await;
    assert!(reason.contains("does not speak this protocol") || reason.contains("hung up"), "{reason}");
}

#[tokio::test]
async fn a_configured_address_is_retried_until_a_peer_is_there() {
    let spare = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut first = config(1);
    first.peers = vec![spare.to_string()];
    let mut alice = Peer::with(first).await;
    let (_, reason) = alice.failed().await;
    assert!(reason.contains("tried again"), "{reason}");
    let mut second = config(2);
    second.listen = vec![spare];
    let mut bob = Peer::with(second).await;
    tokio::join!(alice.up(), bob.up());
}

#[tokio::test]
async fn a_port_in_use_is_refused() {
    let alice = Peer::start(1).await;
    let mut second = config(2);
    second.listen = vec![alice.address];
    let error = net::Net::start(second).await.unwrap_err();
    assert!(matches!(error, net::Error::PortInUse(address) if address == alice.address));
    assert!(error.to_string().contains("in use"), "{error}");
}

#[tokio::test]
async fn a_link_that_breaks_comes_back() {
    let (mut alice, mut bob) = (Peer::start(1).await, Peer::start(2).await);
    let proxy = common::Proxy::to(bob.address).await;
    alice.net.connect(&proxy.address.to_string()).unwrap();
    tokio::join!(alice.up(), bob.up());
    proxy.cut();
    assert!(matches!(alice.down().await, DownReason::Lost(_)));
    assert!(matches!(bob.down().await, DownReason::Lost(_)));
    let began = std::time::Instant::now();
    tokio::join!(alice.up(), bob.up());
    assert!(began.elapsed() < PATIENCE / 2, "the peer that the rule names dials soon");
}

/// A link that was closed for a cause would stay down for at least 15 s.
#[tokio::test]
async fn a_link_that_is_renewed_comes_back_soon() {
    let (mut alice, mut bob) = (Peer::start(1).await, Peer::start(2).await);
    alice.net.connect(&bob.address.to_string()).unwrap();
    let (to_bob, _) = tokio::join!(alice.up(), bob.up());
    alice.net.renew(to_bob, "a new life".to_owned());
    assert_eq!(alice.down().await, DownReason::Renewed("a new life".to_owned()));
    assert_eq!(bob.down().await, DownReason::Renewed("a new life".to_owned()));
    let began = std::time::Instant::now();
    tokio::join!(alice.up(), bob.up());
    assert!(began.elapsed() < PATIENCE / 2, "neither side is to blame");
}

#[tokio::test]
async fn a_silent_link_is_dead() {
    let mut quick = config(1);
    quick.limits.dead = Duration::from_secs(2);
    let (mut alice, mut bob) = (Peer::with(quick).await, Peer::start(2).await);
    let proxy = common::Proxy::to(bob.address).await;
    alice.net.connect(&proxy.address.to_string()).unwrap();
    tokio::join!(alice.up(), bob.up());
    proxy.hold();
    assert_eq!(alice.down().await, DownReason::Silent);
}

#[tokio::test]
async fn heartbeats_keep_an_idle_link_alive() {
    let mut quick = config(1);
    quick.limits.dead = Duration::from_secs(2);
    let mut other = config(2);
    other.limits.heartbeat = Duration::from_millis(300);
    let (mut alice, mut bob) = (Peer::with(quick).await, Peer::with(other).await);
    alice.connect(&bob);
    tokio::join!(alice.up(), bob.up());
    alice.settle(Duration::from_secs(5)).await;
    assert_eq!(alice.downs, 0);
}

/// Which peer is at an address, or why there is none.
async fn reach(peer: &mut Peer, address: SocketAddr) -> Result<[u8; 32], String> {
    peer.net.reach(address).unwrap();
    peer.wait("answer", |event| match event {
        Event::Reached { address: of, peer } if *of == address => Some(Ok(*peer)),
        Event::ConnectFailed { address: of, reason } if *of == address.to_string() => Some(Err(reason.clone())),
        _ => None,
    })
    .await
}

#[tokio::test]
async fn an_address_belongs_to_the_peer_that_its_dial_proves() {
    let (mut alice, mut bob) = (Peer::start(1).await, Peer::start(2).await);
    // bob dialled this link, so it proves nothing about that address.
    bob.connect(&alice);
    tokio::join!(alice.up(), bob.up());
    let is_bob = *alice.links.values().next().unwrap();
    let there = bob.address;
    for _ in 0..2 {
        assert_eq!(reach(&mut alice, there).await, Ok(is_bob));
    }
    let mapped = format!("[::ffff:127.0.0.1]:{}", there.port()).parse().unwrap();
    assert_eq!(reach(&mut alice, mapped).await, Ok(is_bob), "as it was asked for");
    assert_eq!((alice.links.len(), alice.downs, bob.downs), (1, 0, 0));

    // carol is still a stranger: its link comes up first.
    let mut carol = Peer::start(3).await;
    let at_carol = carol.address;
    let (is_carol, _) = tokio::join!(reach(&mut alice, at_carol), carol.up());
    assert_eq!(alice.links.values().filter(|peer| Ok(**peer) == is_carol).count(), 1);

    // Another identity at an address where bob was before.
    bob.net.shutdown().await;
    let gone = reach(&mut alice, there).await;
    assert!(gone.is_err_and(|reason| reason.contains("nothing listens there")));
    let mut other = config(4);
    other.listen = vec![there];
    let mut other = Peer::with(other).await;
    let (is_other, _) = tokio::join!(reach(&mut alice, there), other.up());
    assert!(is_other.is_ok_and(|key| key != is_bob));
    let itself = alice.address;
    assert!(reach(&mut alice, itself).await.is_err_and(|reason| reason.contains("this peer itself")));
}

/// Both dial at once, so one of the two connections is dropped. The answer comes all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_reached_whichever_connection_stays() {
    for round in 0..30u8 {
        let (mut alice, mut bob) = (Peer::start(round).await, Peer::start(100 + round).await);
        let (at_alice, at_bob) = (alice.address, bob.address);
        let (to_bob, to_alice) = tokio::join!(reach(&mut alice, at_bob), reach(&mut bob, at_alice));
        assert!(to_bob.is_ok() && to_alice.is_ok(), "{to_bob:?}, {to_alice:?}");
        assert_eq!((alice.ups, bob.ups), (1, 1));
    }
}
