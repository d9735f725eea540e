//! A message that cannot be right, is not for this process or exceeds a limit is refused. The caller gets the reason and the
//! message back, and the state is as before.
#![expect(clippy::unwrap_used, reason = "a test may")]

use causal::{Config, Entry, Full, Index, MAX_CLOCK, Process, Receipt, Refusal, Set, Stamp};

type Peer = Process<u8, u32>;

/// A process 0 that knows 1 and 2.
fn peer(config: Config) -> (Peer, [Index; 3]) {
    let mut peer = Peer::new(0, config);
    let others = [1, 2].map(|id| peer.intern(id).unwrap());
    let me = peer.me();
    (peer, [me, others[0], others[1]])
}

fn set(members: &[Index]) -> Set {
    members.iter().copied().collect()
}

fn stamp(sender: Index, clock: u64, dests: &[Index], log: &[(Index, u64, &[Index])]) -> Stamp {
    let log = log.iter().map(|&(sender, clock, dests)| Entry { sender, clock, dests: set(dests) });
    Stamp { sender, clock, dests: set(dests), log: log.collect() }
}

#[track_caller]
fn refuses(peer: &mut Peer, stamp: Stamp, reason: Refusal) {
    let before = (peer.snapshot(), peer.held());
    let refused = peer.receive(stamp, 7).unwrap_err();
    assert_eq!((refused.reason, refused.message), (reason, 7));
    assert_eq!((peer.snapshot(), peer.held()), before);
}

#[test]
fn stamps_that_cannot_be_right_are_refused() {
    let (mut peer, [me, a, b]) = peer(Config::default());
    let mut larger = Peer::new(9, Config::default());
    let stranger = (10..20).map(|id| larger.intern(id).unwrap()).last().unwrap();

    refuses(&mut peer, stamp(a, 0, &[me], &[]), Refusal::NoClock);
    refuses(&mut peer, stamp(a, 1, &[me], &[(b, 0, &[me])]), Refusal::NoClock);
    refuses(&mut peer, stamp(a, MAX_CLOCK + 1, &[me], &[]), Refusal::BeyondLastClock);
    refuses(&mut peer, stamp(a, 1, &[me], &[(b, MAX_CLOCK + 1, &[me])]), Refusal::BeyondLastClock);
    refuses(&mut peer, stamp(stranger, 1, &[me], &[]), Refusal::UnknownProcess);
    refuses(&mut peer, stamp(a, 1, &[me, stranger], &[]), Refusal::UnknownProcess);
    refuses(&mut peer, stamp(a, 1, &[me], &[(stranger, 1, &[])]), Refusal::UnknownProcess);
    refuses(&mut peer, stamp(a, 1, &[me], &[(b, 1, &[stranger])]), Refusal::UnknownProcess);
    refuses(&mut peer, stamp(a, 2, &[me], &[(a, 2, &[me])]), Refusal::DependsOnItself);
    refuses(&mut peer, stamp(a, 2, &[me], &[(a, 3, &[b])]), Refusal::DependsOnItself);
    refuses(&mut peer, stamp(a, 2, &[me], &[(b, 4, &[]), (b, 4, &[me])]), Refusal::Unordered);
}

#[test]
fn messages_for_others_and_own_messages_are_not_delivered() {
    let (mut peer, [me, a, b]) = peer(Config::default());
    refuses(&mut peer, stamp(a, 1, &[b], &[]), Refusal::NotForMe);
    refuses(&mut peer, stamp(a, 1, &[], &[]), Refusal::NotForMe);

    let own = peer.multicast(&set(&[me, a, b]));
    assert_eq!(own.dests, set(&[a, b]), "a process does not send to itself");
    assert_eq!(peer.receive(own, 1).unwrap(), Receipt::Duplicate);
    refuses(&mut peer, stamp(me, 2, &[me, a], &[]), Refusal::OwnFuture { clock: 2 });
    assert!(peer.next_delivery().is_none(), "an own message is never delivered");
}

#[test]
fn a_refusal_shows_its_reason_and_not_the_message() {
    let (mut peer, [_, a, b]) = peer(Config::default());
    let refused = peer.receive(stamp(a, 1, &[b], &[]), 7).unwrap_err();
    assert_eq!(format!("{refused:?}"), "Refused { reason: NotForMe, .. }");
    assert_eq!(refused.to_string(), "the message is not addressed to this process");
}

#[test]
fn limits_are_kept_and_named() {
    let config = Config { max_entries: 1, max_log: 2, max_held: 2, max_held_entries: 2, ..Config::default() };
    let (mut p, [me, a, b]) = peer(config.clone());
    refuses(&mut p, stamp(a, 5, &[me], &[(a, 1, &[b]), (b, 1, &[])]), Refusal::TooManyEntries { limit: 1 });

    for clock in [2, 4] {
        assert_eq!(p.receive(stamp(a, clock, &[me], &[(b, clock, &[me])]), 0).unwrap(), Receipt::Held);
    }
    let third = stamp(a, 6, &[me], &[(b, 6, &[me])]);
    refuses(&mut p, third.clone(), Refusal::TooManyHeld { limit: 2 });
    assert_eq!(
        p.receive(stamp(b, 2, &[me], &[]), 0).unwrap(),
        Receipt::Delivered,
        "a deliverable message is still taken"
    );
    while p.next_delivery().is_some() {}
    assert_eq!(p.held(), 1);
    refuses(&mut p, third.clone(), Refusal::LogFull { limit: 2 });

    let (mut p, [me, a, b]) = peer(Config { max_held_entries: 1, ..config.clone() });
    assert_eq!(p.receive(stamp(a, 2, &[me], &[(b, 2, &[me])]), 0).unwrap(), Receipt::Held);
    refuses(&mut p, third.clone(), Refusal::TooManyHeldEntries { limit: 1 });
    p.receive(stamp(b, 2, &[me], &[]), 0).unwrap();
    assert_eq!(p.held(), 0);
    assert_eq!(p.receive(third, 0).unwrap(), Receipt::Held, "there is room again");

    let (mut p, _) = peer(Config { max_processes: 3, ..config });
    assert_eq!(p.intern(2).map(Index::position), Ok(2));
    assert_eq!(p.intern(3), Err(Full { limit: 3 }));
    let mut stranger = Peer::new(3, Config::default());
    let refused = p.accept(&stranger.send([0]).unwrap(), 5).unwrap_err();
    assert_eq!((refused.reason, refused.message), (Refusal::Full(Full { limit: 3 }), 5));
    assert_eq!(p.send([1, 3]), Err(Full { limit: 3 }));
    assert_eq!(p.clock(), 0, "nothing was stamped");
}

#[test]
fn a_message_that_just_fits_is_taken() {
    let config = Config { max_entries: 2, max_log: 3, max_held: 1, max_held_entries: 2, ..Config::default() };
    let (mut p, [me, a, b]) = peer(config);
    let held = stamp(a, 2, &[me], &[(a, 1, &[me]), (b, 1, &[b])]);
    assert_eq!(p.receive(held, 0).unwrap(), Receipt::Held);
    refuses(&mut p, stamp(b, 2, &[me], &[(b, 1, &[me])]), Refusal::TooManyHeld { limit: 1 });
    assert_eq!(p.receive(stamp(a, 1, &[me], &[]), 1).unwrap(), Receipt::Delivered);
    while p.next_delivery().is_some() {}
    assert_eq!((p.stats().log, p.held()), (2, 0), "the newest entry of a, and one that may not have reached b");
    assert_eq!(p.receive(stamp(b, 2, &[me], &[(b, 1, &[b])]), 2).unwrap(), Receipt::Delivered);
    while p.next_delivery().is_some() {}
    refuses(&mut p, stamp(a, 3, &[me], &[(a, 2, &[])]), Refusal::LogFull { limit: 3 });
}

#[test]
fn own_messages_are_known_up_to_the_clock() {
    let (mut peer, [me, a, _]) = peer(Config::default());
    assert!(peer.knows(me, 0) && !peer.knows(me, 1));
    peer.multicast(&set(&[a]));
    assert!(peer.knows(me, 1) && !peer.knows(me, 2));
}

#[test]
fn a_duplicate_of_a_held_or_queued_message_is_dropped() {
    let (mut peer, [me, a, b]) = peer(Config::default());
    let held = stamp(a, 1, &[me], &[(b, 1, &[me])]);
    assert_eq!(peer.receive(held.clone(), 0).unwrap(), Receipt::Held);
    assert_eq!(peer.receive(held.clone(), 1).unwrap(), Receipt::Duplicate);
    let first = stamp(b, 1, &[me], &[]);
    assert_eq!(peer.receive(first.clone(), 2).unwrap(), Receipt::Delivered);
    for again in [&first, &held] {
        assert_eq!(peer.receive(again.clone(), 3).unwrap(), Receipt::Duplicate);
    }
    let delivered: Vec<u32> = std::iter::from_fn(|| peer.next_delivery()).map(|delivery| delivery.message).collect();
    assert_eq!(delivered, [2, 0]);
    assert_eq!(peer.receive(held, 4).unwrap(), Receipt::Duplicate);
    assert_eq!(peer.stats().duplicates, 4);
}

/// The last clock behaves like any other. Nothing that names a later one is stored.
#[test]
fn no_clock_beyond_the_last_is_stored() {
    let (mut peer, [me, a, b]) = peer(Config::default());
    peer.vouch(a, u64::MAX);
    assert_eq!(peer.vouched(a), MAX_CLOCK);
    assert_eq!(peer.receive(stamp(a, MAX_CLOCK, &[me], &[(b, MAX_CLOCK, &[me])]), 1).unwrap(), Receipt::Held);
    assert_eq!(peer.disregard(b, u64::MAX), None);
    assert_eq!(peer.abandon(b, u64::MAX).map(|hole| hole.to), Some(MAX_CLOCK));
    assert_eq!(peer.next_delivery().map(|delivery| delivery.message), Some(1));
    let snapshot = peer.snapshot();
    assert_eq!(causal::Snapshot::from_bytes(&snapshot.to_bytes(), &causal::Limits::default()), Ok(snapshot));
}
