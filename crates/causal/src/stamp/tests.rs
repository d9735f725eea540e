use std::format;
use std::vec::Vec;

use super::*;
use crate::MAX_CLOCK;

fn set(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

fn entry(sender: usize, clock: Clock, dests: &[usize]) -> Entry {
    Entry { sender: Index::at(sender), clock, dests: set(dests) }
}

fn stamp(sender: usize, clock: Clock, dests: &[usize], log: &[Entry]) -> Stamp {
    Stamp { sender: Index::at(sender), clock, dests: set(dests), log: log.iter().cloned().collect() }
}

#[test]
fn a_follower_is_the_authors_next_message_to_the_same_and_depends_on_that_one_only() {
    let before = stamp(1, 4, &[2, 3], &[entry(5, 1, &[2])]);
    let next = |sender, clock, dests: &[usize], log: &[Entry]| stamp(sender, clock, dests, log).follows(&before);
    let after = || entry(1, 4, &[2, 3]);
    assert!(next(1, 5, &[2, 3], &[after()]));
    assert!(!next(2, 5, &[2, 3], &[after()]), "by another author");
    assert!(!next(1, 6, &[2, 3], &[after()]), "not the next clock");
    assert!(!next(1, 4, &[2, 3], &[after()]), "the same clock");
    assert!(!next(1, 5, &[2], &[after()]), "to other destinations");
    assert!(!next(1, 5, &[2, 3], &[]), "depends on nothing");
    assert!(!next(1, 5, &[2, 3], &[after(), entry(5, 1, &[2])]), "depends on another message too");
    assert!(!next(1, 5, &[2, 3], &[entry(2, 4, &[2, 3])]), "depends on another author's message");
    assert!(!next(1, 5, &[2, 3], &[entry(1, 3, &[2, 3])]), "depends on an earlier message");
    assert!(!next(1, 5, &[2, 3], &[entry(1, 4, &[2])]), "one destination is known to have it");
    let last = stamp(1, MAX_CLOCK, &[2], &[]);
    assert!(!stamp(1, 0, &[2], &[entry(1, MAX_CLOCK, &[2])]).follows(&last), "nothing follows the last");
}

#[test]
fn followers_count_from_one() {
    let first = stamp(1, 4, &[2, 3], &[entry(5, 1, &[2])]);
    assert_eq!(first.follower(1), stamp(1, 5, &[2, 3], &[entry(1, 4, &[2, 3])]));
    assert_eq!(first.follower(3), stamp(1, 7, &[2, 3], &[entry(1, 6, &[2, 3])]));
}

/// The reduction puts the destination back into an entry only if it was there. It keeps an empty entry only if that is its
/// author's newest entry.
#[test]
fn the_reduction_keeps_its_destination_and_processes_that_do_not_get_the_message() {
    let log = [
        entry(3, 1, &[1, 2]),
        entry(3, 2, &[1, 2, 4]),
        entry(3, 3, &[2]),
        entry(4, 1, &[2]),
        entry(5, 1, &[]),
        entry(5, 2, &[4]),
    ];
    let reduced = |destination| stamp(0, 9, &[1, 2], &log).for_destination(Index::at(destination));
    let for_one = [entry(3, 1, &[1]), entry(3, 2, &[1, 4]), entry(3, 3, &[]), entry(4, 1, &[]), entry(5, 2, &[4])];
    assert_eq!(reduced(1), stamp(0, 9, &[1, 2], &for_one));
    let for_two = [entry(3, 1, &[2]), entry(3, 2, &[2, 4]), entry(3, 3, &[2]), entry(4, 1, &[2]), entry(5, 2, &[4])];
    assert_eq!(reduced(2), stamp(0, 9, &[1, 2], &for_two));
    assert_eq!(
        stamp(0, 9, &[1, 2, 6], &log).for_destination(Index::at(6)).log.len(),
        4,
        "the author's first is empty as well"
    );
}

#[test]
fn entries_are_put_in_the_order_of_the_new_numbering() {
    let turned = |index: Index| Index::at(9 - index.position());
    let translated = stamp(1, 4, &[2, 3], &[entry(0, 7, &[2]), entry(5, 1, &[])]).translate(turned);
    assert_eq!(translated, stamp(8, 4, &[7, 6], &[entry(4, 1, &[]), entry(9, 7, &[7])]));
    assert_eq!(translated.log[0].sender, Index::at(4));
}

#[test]
fn entries_are_put_in_order_and_duplicates_are_refused() {
    let in_order = |entries: &[Entry]| Entries::in_order(entries.iter().cloned().collect());
    let (a, b, c) = (entry(1, 2, &[]), entry(1, 3, &[]), entry(2, 1, &[]));
    let clocks = |entries: Option<Entries>| entries.map(|log| log.iter().map(|e| e.clock).collect::<Vec<_>>());
    assert_eq!(clocks(in_order(&[a.clone(), b.clone(), c.clone()])), Some([2, 3, 1].into()));
    assert_eq!(clocks(in_order(&[c.clone(), b.clone(), a.clone()])), Some([2, 3, 1].into()));
    assert_eq!(in_order(&[a.clone(), a.clone()]), None);
    assert_eq!(in_order(&[b, a.clone(), a]), None);
}

#[test]
fn entries_show_themselves_as_a_list() {
    let log: Entries = [entry(1, 2, &[3])].into_iter().collect();
    assert_eq!(format!("{log:?}"), "[Entry { sender: Index(1), clock: 2, dests: {3} }]");
}
