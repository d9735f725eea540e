//! One identity in two places. The older start is told at once, and no other peer can make it stop.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::print_stderr, reason = "how long it took is worth a line")]

mod common;

use std::{
    future::pending,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use common::{Peer, Proxy, config};
use net::{Config, DownReason};

/// Once it meets any peer, the older start knows within this time.
const TOLD: Duration = Duration::from_secs(2);

const ALICE: u8 = 1;
const BOB: u8 = 2;
const CAROL: u8 = 3;

/// Waits until the peer is told, and checks that this took no longer than allowed since `met`. Prints how long it took.
async fn told(peer: &mut Peer, met: Instant, what: &str) {
    peer.superseded().await;
    let took = met.elapsed();
    eprintln!("{what}: told after {took:?}");
    assert!(took < TOLD, "{what}: {took:?}");
}

/// A peer that links to one other peer and to no more, even if others are introduced to it.
fn aloof(seed: u8) -> Config {
    let mut config = config(seed);
    config.limits.peers = 1;
    config
}

#[tokio::test]
async fn the_older_start_is_told_when_the_newer_one_connects() {
    let mut alice = Peer::start(ALICE).await;
    let mut bob1 = Peer::start(BOB).await;
    bob1.connect(&alice);
    tokio::join!(alice.up(), bob1.up());
    let mut bob2 = Peer::start(BOB).await;
    let met = Instant::now();
    bob2.connect(&alice);
    told(&mut bob1, met, "the newer one connects").await;
    bob2.up().await;
    assert_eq!(alice.down().await, DownReason::Superseded);
    alice.up().await;
    bob1.down().await;

    // The older start accepts no peer and dials none. The newer start's link stays.
    bob1.connect(&alice);
    let (_, reason) = bob1.failed().await;
    assert!(reason.contains("runs elsewhere"), "{reason}");
    alice.connect(&bob1);
    alice.failed().await;
    tokio::join!(alice.settle(Duration::from_secs(3)), bob1.settle(Duration::from_secs(3)));
    assert_eq!((alice.ups, alice.downs, bob1.ups, bob1.superseded), (2, 1, 1, 1));
    assert_eq!((bob2.ups, bob2.downs, bob2.superseded, alice.superseded), (1, 0, 0, 0));
    bob1.net.shutdown().await;
    assert!(bob1.events.recv().await.is_none());
}

#[tokio::test]
async fn the_older_start_is_told_when_it_connects_second() {
    let mut alice = Peer::start(ALICE).await;
    let mut bob1 = Peer::start(BOB).await;
    let mut bob2 = Peer::start(BOB).await;
    bob2.connect(&alice);
    tokio::join!(alice.up(), bob2.up());
    let met = Instant::now();
    bob1.connect(&alice);
    told(&mut bob1, met, "the older one connects").await;
    alice.settle(Duration::from_secs(2)).await;
    assert_eq!((alice.ups, alice.downs, bob2.downs, bob2.superseded), (1, 0, 0, 0));
}

/// It does not matter which side dials.
#[tokio::test]
async fn the_older_start_is_told_when_it_is_dialled() {
    for older_first in [true, false] {
        let mut alice = Peer::start(ALICE).await;
        let mut bob1 = Peer::start(BOB).await;
        let mut bob2 = Peer::start(BOB).await;
        let (first, second) = if older_first { (&bob1, &bob2) } else { (&bob2, &bob1) };
        alice.connect(first);
        alice.up().await;
        let met = Instant::now();
        alice.connect(second);
        told(&mut bob1, met, "alice dials").await;
        alice.settle(Duration::from_secs(1)).await;
        assert_eq!((alice.links.len(), bob2.superseded), (1, 0));
        bob2.settle(Duration::from_millis(100)).await;
        assert_eq!(bob2.links.len(), 1);
    }
}

/// Both connect at once, and either connection may be greeted on first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_start_is_told_when_both_connect_at_once() {
    for round in 0..30u8 {
        let mut alice = Peer::start(round).await;
        let mut bob1 = Peer::start(100 + round).await;
        let mut bob2 = Peer::start(100 + round).await;
        let met = Instant::now();
        bob1.connect(&alice);
        bob2.connect(&alice);
        told(&mut bob1, met, "both at once").await;
        while bob2.links.is_empty() {
            bob2.up().await;
        }
        alice.settle(Duration::from_millis(100)).await;
        assert_eq!((alice.links.len(), alice.superseded, bob2.superseded), (1, 0, 0), "round {round}");
    }
}

/// The two copies know no peer in common, and each links to one peer only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_older_start_is_told_by_way_of_others() {
    for (older_first, pause) in [(true, 0), (true, 2500), (false, 0), (false, 2500)] {
        let mut alice = Peer::start(ALICE).await;
        let mut carol = Peer::start(CAROL).await;
        alice.connect(&carol);
        tokio::join!(alice.up(), carol.up());
        let mut bob1 = Peer::with(aloof(BOB)).await;
        let mut bob2 = Peer::with(aloof(BOB)).await;
        let mut met = Instant::now();
        if older_first {
            bob1.connect(&alice);
        } else {
            bob2.connect(&carol);
        }
        if pause > 0 {
            let pause = Duration::from_millis(pause);
            tokio::join!(alice.settle(pause), carol.settle(pause), bob1.settle(pause), bob2.settle(pause));
            met = Instant::now();
        }
        if older_first {
            bob2.connect(&carol);
        } else {
            bob1.connect(&alice);
        }
        told(&mut bob1, met, &format!("by way of others, older first: {older_first}, pause: {pause}")).await;
        bob2.settle(Duration::from_millis(500)).await;
        assert_eq!((bob2.links.len(), bob2.downs, bob2.superseded), (1, 0, 0));
        alice.settle(Duration::from_millis(100)).await;
        assert_eq!((alice.superseded, carol.superseded), (0, 0));
    }
}

/// The same, but the copies do not keep to themselves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mesh_that_grows_together_keeps_the_newer_start() {
    let mut alice = Peer::start(ALICE).await;
    let mut carol = Peer::start(CAROL).await;
    alice.connect(&carol);
    tokio::join!(alice.up(), carol.up());
    let mut bob1 = Peer::start(BOB).await;
    let mut bob2 = Peer::start(BOB).await;
    let met = Instant::now();
    bob1.connect(&alice);
    bob2.connect(&carol);
    told(&mut bob1, met, "both know one").await;
    while bob2.links.len() < 2 {
        bob2.up().await;
    }
    alice.settle(Duration::from_secs(2)).await;
    carol.settle(Duration::from_millis(100)).await;
    bob2.settle(Duration::from_millis(100)).await;
    assert_eq!((alice.links.len(), carol.links.len(), bob2.links.len()), (2, 2, 2));
}

/// A peer that is gone at once, as if it had been killed: the system closes its connections, and nothing is said.
fn killed_later(seed: u8, peer: String) -> impl FnOnce() {
    let (kill, killed) = mpsc::channel::<()>();
    let runs = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let _peer = Peer::with(Config { peers: vec![peer], ..config(seed) }).await;
            pending::<()>().await;
        });
        // At the end of a failed test, the other end is dropped.
        let _ = killed.recv();
        runtime.shutdown_background();
    });
    move || {
        kill.send(()).unwrap();
        runs.join().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_is_back_at_once_and_supersedes_no_peer() {
    let mut worst = Duration::ZERO;
    for round in 0..10u8 {
        let mut alice = Peer::start(round).await;
        let kill = killed_later(100 + round, alice.address.to_string());
        alice.up().await;
        kill();
        let began = Instant::now();
        let mut again = Peer::start(100 + round).await;
        again.connect(&alice);
        again.up().await;
        worst = worst.max(began.elapsed());
        while alice.ups < 2 {
            alice.up().await;
        }
        tokio::join!(alice.settle(Duration::from_millis(300)), again.settle(Duration::from_millis(300)));
        assert_eq!((alice.links.len(), alice.superseded, again.superseded, again.downs), (1, 0, 0, 0));
    }
    eprintln!("a restart after a kill: back within {worst:?}");
    assert!(worst < TOLD);
}

/// The network failed before the restart, so the old link looks alive to the other side.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_wait_for_a_link_that_is_dead() {
    let mut worst = Duration::ZERO;
    for round in 0..10u8 {
        let mut alice = Peer::start(round).await;
        let mut bob = Peer::start(100 + round).await;
        let proxy = Proxy::to(alice.address).await;
        bob.net.connect(&proxy.address.to_string()).unwrap();
        tokio::join!(alice.up(), bob.up());
        proxy.hold();
        let began = Instant::now();
        let mut again = Peer::start(100 + round).await;
        again.connect(&alice);
        assert_eq!(alice.down().await, DownReason::Superseded);
        tokio::join!(alice.up(), again.up());
        worst = worst.max(began.elapsed());
        tokio::join!(alice.settle(Duration::from_millis(100)), again.settle(Duration::from_millis(100)));
        assert_eq!((alice.links.len(), alice.superseded, again.superseded, again.downs), (1, 0, 0, 0));
    }
    eprintln!("a restart while the old link looks alive: back within {worst:?}");
    assert!(worst < Duration::from_secs(1), "no timeout was waited for: {worst:?}");
}
