//! Frames on a link.

mod common;

use bytes::Bytes;
use common::{Peer, pair};
use net::Event;

#[tokio::test]
async fn two_peers_exchange_frames_in_order() {
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
    let sizes = [0, 1, 126, 127, 128, 4095, 4096, 16_383, 65_535, 65_536, 1 << 20, 2 << 20];
    let frame = |size: usize| Bytes::from((0..size).map(|i| (i * 7 + size) as u8).collect::<Vec<_>>());
    for size in sizes {
        alice.net.send(to_bob, frame(size)).unwrap();
    }
    for size in sizes {
        assert!(bob.frame().await.1 == frame(size), "{size} bytes");
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
        assert_eq!(bob.down().await, net::DownReason::Goodbye);
        bob.net.shutdown().await;
    }
}

#[tokio::test]
async fn both_sides_learn_why_a_link_was_closed() {
    let (mut alice, to_bob, mut bob, _) = pair().await;
    alice.net.close(to_bob, "no manners".to_owned());
    assert_eq!(alice.down().await, net::DownReason::Closed("no manners".to_owned()));
    assert_eq!(bob.down().await, net::DownReason::ClosedByPeer("no manners".to_owned()));
    assert!(alice.net.send(to_bob, Bytes::from_static(b"?")).is_err());
}

#[tokio::test]
async fn the_last_handle_dropped_says_goodbye() {
    let (alice, _, mut bob, _) = pair().await;
    let Peer { net, mut events, .. } = alice;
    drop(net);
    assert_eq!(bob.down().await, net::DownReason::Goodbye);
    let mut down = false;
    while let Some(event) = events.recv().await {
        down |= matches!(event, Event::Down { .. });
    }
    assert!(down, "the events end with the link");
}
