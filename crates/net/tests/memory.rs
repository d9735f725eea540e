//! Peers of one process, which link to each other in memory. What holds for links over TCP also holds for these.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

mod common;

use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{PATIENCE, Peer, config};
use futures::future::join_all;
use net::{Config, DownReason, Event, LinkId, Neighbours, Room};
use tokio::{runtime::Runtime, time::timeout};

fn of(neighbours: &Neighbours, seed: u8) -> Config {
    Config { neighbours: neighbours.clone(), ..config(seed) }
}

/// Two neighbours with a link.
async fn pair() -> (Peer, LinkId, Peer, LinkId) {
    let neighbours = Neighbours::default();
    let mut alice = Peer::with(of(&neighbours, 1)).await;
    let mut bob = Peer::with(of(&neighbours, 2)).await;
    let (to_bob, to_alice) = tokio::join!(alice.up(), bob.up());
    (alice, to_bob, bob, to_alice)
}

/// Over TCP, one of the two would see the other at a port that was made up for the connection.
#[tokio::test]
async fn neighbours_link_at_once_and_not_over_tcp() {
    let neighbours = Neighbours::default();
    let mut alice = Peer::with(of(&neighbours, 1)).await;
    let mut bob = Peer::with(of(&neighbours, 2)).await;
    let seen = |event: &Event| match event {
        Event::Up { address, peer, .. } => Some((*address, *peer)),
        _ => None,
    };
    let (bob_seen, alice_seen) = tokio::join!(alice.wait("link", seen), bob.wait("link", seen));
    assert_eq!((bob_seen.0, alice_seen.0), (bob.address, alice.address));
    assert_eq!((bob_seen.1, alice_seen.1), (key(2), key(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_neighbours_have_one_link_for_each_pair() {
    let neighbours = Neighbours::default();
    let mut peers = join_all((1..=20).map(|seed| Peer::with(of(&neighbours, seed)))).await;
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < 19 {
            peer.up().await;
        }
    }))
    .await;
    // Long enough for the digests, which have nothing to add.
    join_all(peers.iter_mut().map(|peer| peer.settle(Duration::from_secs(3)))).await;
    for peer in &peers {
        assert_eq!((peer.ups, peer.downs), (19, 0));
    }
}

#[tokio::test]
async fn peers_of_one_process_without_common_neighbours_do_not_link() {
    let mut alice = Peer::with(of(&Neighbours::default(), 1)).await;
    let mut bob = Peer::with(of(&Neighbours::default(), 2)).await;
    tokio::join!(alice.settle(Duration::from_millis(500)), bob.settle(Duration::from_millis(500)));
    assert!(alice.links.is_empty() && bob.links.is_empty());
}

#[tokio::test]
async fn frames_arrive_in_order_both_ways() {
    let (mut alice, to_bob, mut bob, to_alice) = pair().await;
    for i in 0..10_000u32 {
        alice.net.send(to_bob, Bytes::copy_from_slice(&i.to_be_bytes())).unwrap();
        bob.net.send(to_alice, Bytes::copy_from_slice(&(i + 1).to_be_bytes())).unwrap();
    }
    for i in 0..10_000u32 {
        assert_eq!(bob.frame().await, (to_alice, Bytes::copy_from_slice(&i.to_be_bytes())));
        assert_eq!(alice.frame().await, (to_bob, Bytes::copy_from_slice(&(i + 1).to_be_bytes())));
    }
}

#[tokio::test]
async fn frames_of_every_size_arrive_whole() {
    let (alice, to_bob, mut bob, _) = pair().await;
    let sizes = [0, 1, 126, 127, 128, 4095, 4096, 16_383, 16_384, 65_535, 65_536, 1 << 20, 1, 2 << 20];
    let frame = |size: usize| Bytes::from((0..size).map(|i| (i * 7 + size) as u8).collect::<Vec<_>>());
    // In memory nothing is on its way beyond what the queue holds, so the bound is reached sooner.
    for some in [&sizes[..12], &sizes[12..]] {
        for size in some {
            alice.net.send(to_bob, frame(*size)).unwrap();
        }
        for size in some {
            assert!(bob.frame().await.1 == frame(*size), "{size} bytes");
        }
    }
}

#[tokio::test]
async fn frames_sent_before_a_goodbye_arrive() {
    for _ in 0..20 {
        let (alice, to_bob, mut bob, _) = pair().await;
        for i in 0..1000u32 {
            alice.net.send(to_bob, Bytes::copy_from_slice(&i.to_be_bytes())).unwrap();
        }
        alice.net.shutdown().await;
        for i in 0..1000u32 {
            assert_eq!(bob.frame().await.1, Bytes::copy_from_slice(&i.to_be_bytes()));
        }
        assert_eq!(bob.down().await, DownReason::Goodbye);
        bob.net.shutdown().await;
    }
}

#[tokio::test]
async fn both_sides_learn_why_a_link_was_closed() {
    let (mut alice, to_bob, mut bob, _) = pair().await;
    alice.net.close(to_bob, "no manners".to_owned());
    assert_eq!(alice.down().await, DownReason::Closed("no manners".to_owned()));
    assert_eq!(bob.down().await, DownReason::ClosedByPeer("no manners".to_owned()));
    assert!(alice.net.send(to_bob, Bytes::from_static(b"?")).is_err());
}

#[tokio::test]
async fn a_link_that_is_renewed_comes_back_soon() {
    let (mut alice, to_bob, mut bob, _) = pair().await;
    alice.net.renew(to_bob, "a new life".to_owned());
    assert_eq!(alice.down().await, DownReason::Renewed("a new life".to_owned()));
    assert_eq!(bob.down().await, DownReason::Renewed("a new life".to_owned()));
    let began = Instant::now();
    tokio::join!(alice.up(), bob.up());
    assert!(began.elapsed() < PATIENCE / 2, "neither side is to blame");
}

#[tokio::test]
async fn a_frame_that_is_too_long_closes_the_link() {
    let neighbours = Neighbours::default();
    let mut small = of(&neighbours, 2);
    small.limits.max_frame = 100_000;
    let (mut alice, mut bob) = (Peer::with(of(&neighbours, 1)).await, Peer::with(small).await);
    let (to_bob, _) = tokio::join!(alice.up(), bob.up());
    alice.net.send(to_bob, vec![0; 100_001].into()).unwrap();
    assert!(matches!(bob.down().await, DownReason::Protocol(what) if what.contains("more than allowed")));
    assert!(matches!(alice.down().await, DownReason::ClosedByPeer(why) if why.contains("more than allowed")));
}

/// As in a crash: everything that a peer consists of is dropped, without a goodbye.
#[tokio::test]
async fn a_peer_that_vanishes_is_a_link_down_for_the_others() {
    let neighbours = Neighbours::default();
    let mut alice = Peer::with(of(&neighbours, 1)).await;
    for _ in 0..3 {
        let elsewhere = Runtime::new().unwrap();
        let bob = elsewhere.spawn(Peer::with(of(&neighbours, 2))).await.unwrap();
        alice.up().await;
        elsewhere.shutdown_background();
        assert!(matches!(alice.down().await, DownReason::Lost(_)));
        drop(bob);
    }
}

#[tokio::test]
async fn a_peer_that_quits_and_returns_is_linked_again() {
    let neighbours = Neighbours::default();
    let mut alice = Peer::with(of(&neighbours, 1)).await;
    for _ in 0..3 {
        let mut bob = Peer::with(of(&neighbours, 2)).await;
        tokio::join!(alice.up(), bob.up());
        bob.net.shutdown().await;
        assert_eq!(alice.down().await, DownReason::Goodbye);
    }
}

/// This happens when an account logs in again before its log-out is over.
#[tokio::test]
async fn a_newer_start_takes_the_place_of_an_older_one() {
    for round in 0..10 {
        let neighbours = Neighbours::default();
        let mut alice = Peer::with(of(&neighbours, 1 + round)).await;
        let mut older = Peer::with(of(&neighbours, 101)).await;
        tokio::join!(alice.up(), older.up());
        let mut newer = Peer::with(of(&neighbours, 101)).await;
        tokio::join!(newer.up(), older.superseded());
        while alice.ups < 2 {
            alice.up().await;
        }
        assert_eq!(alice.links.len(), 1);
        newer.settle(Duration::from_millis(100)).await;
        assert_eq!((newer.links.len(), newer.superseded), (1, 0), "round {round}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_slows_only_its_own_link() {
    let neighbours = Neighbours::default();
    let mut alice = Peer::with(of(&neighbours, 1)).await;
    let mut slow = Peer::with(of(&neighbours, 2)).await;
    let (to_slow, _) = tokio::join!(alice.up(), slow.up());
    let mut quick = Peer::with(of(&neighbours, 3)).await;
    let (to_quick, _) = tokio::join!(alice.up(), quick.up());

    let frame = Bytes::from(vec![0; 10_000]);
    let mut sent = 0;
    let full = async {
        // The slow peer must read the news about itself, or it has no room for frames. It reads nothing after that.
        while alice.net.send(to_slow, frame.clone()).unwrap() == Room::Plenty {
            sent += 1;
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, full).await.expect("the bounds hold");
    let bounds = 2 * (1 << 20) + 256 * 10_000;
    assert!(sent * frame.len() < bounds, "{sent} frames and no end");

    for i in 0..1000u32 {
        alice.net.send(to_quick, Bytes::copy_from_slice(&i.to_be_bytes())).unwrap();
    }
    for i in 0..1000u32 {
        assert_eq!(quick.frame().await.1, Bytes::copy_from_slice(&i.to_be_bytes()));
    }

    for _ in 0..=sent {
        assert!(slow.frame().await.1 == frame);
    }
    alice.wait("room", |event| matches!(event, Event::Writable { link } if *link == to_slow).then_some(())).await;

    // Now the slow peer does not read again, and the sender does not stop when told to.
    while alice.net.send(to_slow, frame.clone()).is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(alice.down().await, DownReason::Overrun);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_by_hand_joins_all_neighbours() {
    let neighbours = Neighbours::default();
    let mut peers = join_all((1..=5).map(|seed| Peer::with(of(&neighbours, seed)))).await;
    join_all(peers.iter_mut().map(|peer| async move {
        while peer.links.len() < 4 {
            peer.up().await;
        }
    }))
    .await;
    let mut outside = Peer::start(100).await;
    // Connect to one that does not speak for the others.
    outside.connect(&peers[3]);
    join_all(peers.iter_mut().map(Peer::up)).await;
    while outside.links.len() < 5 {
        outside.up().await;
    }
    // A neighbour that comes later is introduced as well.
    let mut late = Peer::with(of(&neighbours, 6)).await;
    while late.links.len() < 6 {
        late.up().await;
    }
    outside.up().await;
    peers.push(late);
    outside.settle(Duration::from_secs(3)).await;
    assert_eq!((outside.ups, outside.downs), (6, 0), "one link to each");
}

fn key(seed: u8) -> [u8; 32] {
    let keypair = libp2p::identity::Keypair::ed25519_from_bytes([seed; 32]).unwrap();
    keypair.public().to_peer_id().to_bytes()[6..].try_into().unwrap()
}
