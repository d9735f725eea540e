//! However many gaps an author leaves in its messages, a process keeps no more than [`Config::max_holes`] of them. No message
//! waits for a clock in a gap that was closed for this limit. (The fuzz target `operations` found faults in both.)
#![expect(clippy::unwrap_used, reason = "a test may")]

use causal::{Config, Entry, Index, Process, Receipt, Stamp};

type Peer = Process<u8, u64>;

fn peer() -> (Peer, [Index; 3]) {
    let mut peer = Peer::new(0, Config { max_holes: 4, ..Config::default() });
    let others = [1, 2, 3].map(|id| peer.intern(id).unwrap());
    (peer, others)
}

/// A message to me that depends on (author, clock), which is for me as well.
fn stamp(peer: &Peer, sender: Index, clock: u64, after: Option<(Index, u64)>) -> Stamp {
    let me: causal::Set = [peer.me()].into_iter().collect();
    let log = after.map(|(sender, clock)| Entry { sender, clock, dests: me.clone() });
    Stamp { sender, clock, log: log.into_iter().collect(), dests: me }
}

fn drain(peer: &mut Peer) -> Vec<(u64, bool)> {
    std::iter::from_fn(|| peer.next_delivery()).map(|delivery| (delivery.message, delivery.late)).collect()
}

#[test]
fn late_messages_that_split_a_gap_leave_no_more_gaps_than_the_limit() {
    let (mut peer, [a, ..]) = peer();
    peer.abandon(a, 100).unwrap();
    for clock in (2..100).step_by(2) {
        assert_eq!(peer.receive(stamp(&peer, a, clock, None), clock).unwrap(), Receipt::Delivered);
        assert_eq!(drain(&mut peer), [(clock, true)]);
        assert!(peer.holes(a).len() <= 4);
    }
    assert_eq!(peer.receive(stamp(&peer, a, 1, None), 1).unwrap(), Receipt::Duplicate, "its gap was closed");
    assert_eq!(peer.receive(stamp(&peer, a, 97, None), 97).unwrap(), Receipt::Delivered, "its gap is still open");
}

/// A process with four skipped gaps, and a message that waits for `clock`, which lies in one of them.
fn with_holes(clock: u64) -> (Peer, Index) {
    let (mut peer, [a, b, c]) = peer();
    peer.abandon(c, 1).unwrap();
    for clock in [2, 6, 9, 12] {
        peer.receive(stamp(&peer, a, clock, None), clock).unwrap();
        assert_eq!(drain(&mut peer), [(clock, false)]);
    }
    assert_eq!(peer.receive(stamp(&peer, b, 1, Some((a, clock))), 0).unwrap(), Receipt::Held, "it may still come");
    assert_eq!(peer.holes(a).len(), 4);
    (peer, a)
}

#[test]
fn a_message_no_longer_waits_for_a_clock_in_a_gap_that_is_closed() {
    let (mut peer, a) = with_holes(1);
    peer.receive(stamp(&peer, a, 15, None), 15).unwrap();
    assert_eq!((drain(&mut peer), peer.holes(a).len()), (vec![(15, false), (0, false)], 4), "another is skipped");

    let (mut peer, a) = with_holes(1);
    peer.receive(stamp(&peer, a, 4, None), 4).unwrap();
    assert_eq!(drain(&mut peer), [(4, false), (0, false)]);
    let holes: Vec<_> = peer.holes(a).iter().map(|hole| (hole.from, hole.to)).collect();
    assert_eq!(holes, [(2, 3), (4, 5), (6, 8), (9, 11)], "one is split");

    let (mut peer, a) = with_holes(8);
    peer.abandon(a, 7).unwrap();
    assert_eq!((drain(&mut peer), peer.holes(a).len()), (vec![(0, false)], 4), "one is split and partly given up");
}
