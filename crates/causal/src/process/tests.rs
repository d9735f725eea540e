use std::vec::Vec;

use crate::*;

type Peer = Process<&'static str, &'static str>;

fn three() -> [Peer; 3] {
    ["a", "b", "c"].map(|name| Process::new(name, Config::default()))
}

fn deliver(process: &mut Peer) -> Vec<&'static str> {
    core::iter::from_fn(|| process.next_delivery()).map(|delivery| delivery.message).collect()
}

#[test]
fn the_answer_waits_for_the_question() {
    let [mut a, mut b, mut c] = three();
    let question = a.send(["b", "c"]).unwrap();
    assert_eq!(b.accept(&question, "question").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut b), ["question"]);
    let answer = b.send(["a", "c"]).unwrap();

    assert_eq!(c.accept(&answer, "answer").unwrap(), Receipt::Held);
    assert_eq!(deliver(&mut c), Vec::<&str>::new());
    let [author_a, author_b] = ["a", "b"].map(|id| c.roster().index(&id).unwrap());
    assert_eq!(c.waits_for(author_b, 1), [(author_a, 1)]);
    assert_eq!(c.missing().collect::<Vec<_>>(), [Missing { author: author_a, clock: 1, waiting: 1 }]);

    assert_eq!(c.accept(&question, "question").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut c), ["question", "answer"]);
    assert_eq!((c.held(), c.missing().count()), (0, 0));
    assert_eq!(a.accept(&answer, "answer").unwrap(), Receipt::Delivered);
    assert_eq!(deliver(&mut a), ["answer"]);
}

/// A process 0 that knows 1, 2 and 3.
fn numbered() -> (Process<u8, u8>, [Index; 4]) {
    let mut process = Process::new(0, Config::default());
    let others = [1, 2, 3].map(|id| process.intern(id).unwrap());
    let me = process.me();
    (process, [me, others[0], others[1], others[2]])
}

fn stamp(sender: Index, clock: u64, dests: &[Index], log: &[(Index, u64, &[Index])]) -> Stamp {
    let set = |members: &[Index]| members.iter().copied().collect::<Set>();
    let log = log.iter().map(|&(sender, clock, dests)| Entry { sender, clock, dests: set(dests) });
    Stamp { sender, clock, dests: set(dests), log: log.collect() }
}

fn drain(process: &mut Process<u8, u8>) -> Vec<(u8, bool)> {
    core::iter::from_fn(|| process.next_delivery()).map(|delivery| (delivery.message, delivery.late)).collect()
}

#[test]
fn a_message_that_was_given_up_is_delivered_late_and_once() {
    let (mut process, [me, a, b, _]) = numbered();
    assert_eq!(process.receive(stamp(b, 1, &[me], &[(a, 3, &[me])]), 1).unwrap(), Receipt::Held);
    assert_eq!(process.abandon(a, 3), Some(Hole { from: 0, to: 3, given_up: true }));
    assert_eq!(process.abandon(a, 3), None);
    assert_eq!(drain(&mut process), [(1, false)]);
    assert_eq!((process.delivered(a), process.holes(a).len()), (0, 1), "SR is not raised");
    assert!(!process.knows(a, 3));

    assert_eq!(process.receive(stamp(a, 2, &[me], &[]), 2).unwrap(), Receipt::Delivered);
    assert_eq!(process.receive(stamp(a, 2, &[me], &[]), 3).unwrap(), Receipt::Duplicate);
    assert_eq!(drain(&mut process), [(2, true)]);
    assert_eq!(process.receive(stamp(a, 2, &[me], &[]), 4).unwrap(), Receipt::Duplicate);
    let hole = |from, to| Hole { from, to, given_up: true };
    assert_eq!(process.holes(a), [hole(0, 1), hole(2, 3)]);
    assert_eq!(process.receive(stamp(a, 4, &[me], &[(a, 3, &[me])]), 5).unwrap(), Receipt::Delivered);
    assert_eq!(drain(&mut process), [(5, false)]);
    assert_eq!((process.stats().late, process.stats().abandoned), (1, 1));
}

/// `a` sends 1 to me. `b` delivers it and sends me a message of its own. So the next message of `a` names that one instead of
/// `a`'s 1. If `b`'s message is given up, 1 can be missing without anything naming it.
#[test]
fn a_message_skipped_across_a_gap_does_not_count_as_delivered() {
    let (mut process, [me, a, b, c]) = numbered();
    process.receive(stamp(c, 1, &[me], &[(b, 1, &[me])]), 1).unwrap();
    process.abandon(b, 1);
    process.receive(stamp(a, 2, &[me], &[(b, 1, &[me])]), 2).unwrap();
    assert_eq!(drain(&mut process), [(1, false), (2, false)]);
    assert_eq!(process.holes(a), [Hole { from: 0, to: 1, given_up: false }]);

    let names_it = stamp(c, 2, &[me], &[(a, 1, &[me])]);
    assert_eq!(process.receive(names_it, 3).unwrap(), Receipt::Held, "it was not given up");
    assert_eq!(process.missing().collect::<Vec<_>>(), [Missing { author: a, clock: 1, waiting: 1 }]);
    assert_eq!(process.receive(stamp(a, 1, &[me], &[]), 4).unwrap(), Receipt::Delivered);
    assert_eq!(drain(&mut process), [(4, false), (3, false)]);

    process.complete(a, 2);
    process.receive(stamp(a, 5, &[me], &[]), 5).unwrap();
    assert_eq!(drain(&mut process), [(5, false)]);
    assert_eq!(process.holes(a), [], "its author has said that nothing is missing");
    process.receive(stamp(b, 3, &[me], &[]), 6).unwrap();
    assert_eq!(drain(&mut process), [(6, false)]);
    assert_eq!(process.holes(b).len(), 2, "the other has not");

    process.abandon(b, 4);
    process.receive(stamp(a, 7, &[me], &[]), 7).unwrap();
    assert_eq!(
        process.holes(a),
        [Hole { from: 5, to: 6, given_up: false }],
        "what its author said was about the time before"
    );
}

#[test]
fn an_author_that_says_nothing_is_missing_blocks_no_message() {
    let (mut process, [me, a, b, c]) = numbered();
    process.receive(stamp(c, 1, &[me], &[(b, 1, &[me])]), 1).unwrap();
    process.abandon(b, 1);
    process.receive(stamp(a, 2, &[me], &[]), 2).unwrap();
    process.receive(stamp(c, 2, &[me], &[(a, 1, &[me])]), 3).unwrap();
    assert_eq!((drain(&mut process).len(), process.held()), (2, 1));
    process.complete(a, 2);
    assert_eq!(drain(&mut process), [(3, false)]);
    assert!(process.knows(a, 1));
}

#[test]
fn a_chain_of_held_messages_of_any_length_is_released_in_order() {
    let (process, [me, a, _, _]) = numbered();
    let mut process: Process<u8, u64> = Process::restore(process.snapshot(), Config::default()).unwrap();
    for clock in (2..=16_000).rev() {
        process.receive(stamp(a, clock, &[me], &[(a, clock - 1, &[me])]), clock).unwrap();
    }
    assert_eq!(process.missing().count(), 1);
    process.receive(stamp(a, 1, &[me], &[]), 1).unwrap();
    let order: Vec<u64> = core::iter::from_fn(|| process.next_delivery()).map(|d| d.message).collect();
    assert!(order.into_iter().eq(1..=16_000));
}

#[test]
fn a_run_of_an_unknown_author_is_refused() {
    let (mut process, [me, ..]) = numbered();
    for stranger in [4, 5].map(Index::at) {
        let refused = process.receive_run(stamp(stranger, 1, &[me], &[]), 2, 1);
        assert_eq!(refused, Err(Refused { reason: Refusal::UnknownProcess, message: 1 }));
    }
}

/// Each follower names only the message before it, so entries of the first message about its author are obsolete.
#[test]
fn only_the_last_message_of_a_run_is_remembered() {
    let (mut process, [me, a, _, c]) = numbered();
    process.receive_run(stamp(a, 2, &[me], &[(a, 1, &[c])]), 2, 1).unwrap();
    assert_eq!(drain(&mut process), [(1, false)]);
    assert_eq!(process.snapshot().log, [Entry { sender: a, clock: 4, dests: Set::new() }]);
}

#[test]
#[should_panic(expected = "a run that is not wholly new")]
fn a_run_that_was_delivered_in_part_is_against_the_contract() {
    let (mut process, [me, a, ..]) = numbered();
    process.receive(stamp(a, 2, &[me], &[]), 1).unwrap();
    drop(process.receive_run(stamp(a, 1, &[me], &[]), 2, 2));
}

#[test]
fn a_snapshot_that_contradicts_itself_is_refused() {
    let (mut process, [me, a, b, _]) = numbered();
    process.receive(stamp(a, 1, &[me, b], &[]), 1).unwrap();
    drain(&mut process);
    process.multicast(&[b].into_iter().collect());
    let sound = process.snapshot();
    let refuses = |change: fn(&mut Snapshot<u8>)| {
        let mut snapshot = sound.clone();
        change(&mut snapshot);
        assert_ne!(snapshot, sound);
        let restored: Result<Process<u8, u8>, _> = Process::restore(snapshot, Config::default());
        assert!(matches!(restored, Err(RestoreError::Inconsistent(_))));
    };
    refuses(|snapshot| snapshot.processes.clear());
    refuses(|snapshot| snapshot.processes[2] = 1);
    refuses(|snapshot| snapshot.authors.truncate(2));
    refuses(|snapshot| snapshot.authors[1].holes = [Hole { from: 3, to: 3, given_up: true }].into());
    refuses(|snapshot| snapshot.processes.truncate(2));
    refuses(|snapshot| snapshot.log.reverse());
    refuses(|snapshot| snapshot.log[0].clock = 9);
    refuses(|snapshot| snapshot.log[1].clock = 0);
    let full = Process::<u8, u8>::restore(sound, Config { max_processes: 3, ..Config::default() });
    assert!(matches!(full, Err(RestoreError::Full(Full { limit: 3 }))));
}

/// Authors that have sent to me alone leave only markers. Markers travel with more than 12 other entries, and with at least as
/// many of these as there are markers.
#[test]
fn markers_travel_with_many_other_entries_and_at_least_as_many() {
    for (silent, from) in [(4, 13), (14, 15)] {
        let mut process: Process<u8, u8> = Process::new(0, Config::default());
        let me = process.me();
        let authors: Vec<Index> = (1..=40).map(|id| process.intern(id).unwrap()).collect();
        let (to_me, to_two) = authors.split_at(silent);
        let (other, nobody) = (to_two[19], Set::new());
        for &author in to_me {
            process.receive(stamp(author, 1, &[me], &[]), 0).unwrap();
        }
        for (count, &author) in (1..=17).zip(to_two) {
            process.receive(stamp(author, 1, &[me, other], &[]), 0).unwrap();
            drain(&mut process);
            let entries = process.multicast(&nobody).log;
            let markers = entries.iter().filter(|entry| entry.dests.is_empty()).count();
            // One more: the marker of my own last message.
            assert_eq!(markers, if count >= from { silent + 1 } else { 0 }, "{silent} silent, {count} others");
            assert_eq!(entries.len() - markers, count);
        }
    }
}

#[test]
fn a_message_is_awaited_while_a_held_message_waits_for_it() {
    let [mut alice, mut bob, mut carol] =
        ["alice", "bob", "carol"].map(|name| Process::<_, ()>::new(name, Config::default()));
    let question = alice.send(["bob", "carol"]).unwrap();
    bob.accept(&question, ()).unwrap();
    bob.next_delivery().unwrap();
    let answer = bob.send(["carol"]).unwrap();
    carol.accept(&answer, ()).unwrap();
    let author = carol.intern("alice").unwrap();
    assert!(carol.is_awaited(author, 1) && !carol.is_awaited(author, 2));
    carol.accept(&question, ()).unwrap();
    assert!(!carol.is_awaited(author, 1));
}
