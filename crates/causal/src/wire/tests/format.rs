//! The bytes of messages and additions, one by one as the module's documentation gives them.

use std::vec;
use std::vec::Vec;

use crate::wire::{Mark, Numbering, Table};
use crate::{Config, Entry, Index, Limits, Process, Set, Stamp};

type Peer = Process<u16, ()>;
type Log<'a> = &'a [(usize, u64, &'a [usize])];

/// Process 1000, which knows 1 to 200. It has place 0 in its roster, and they have 1 to 200.
fn peer() -> Peer {
    let mut peer = Peer::new(1000, Config::default());
    (1..=200).for_each(|id| _ = peer.intern(id).unwrap());
    peer
}

fn set(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

fn say(numbering: &mut Numbering, sender: usize, clock: u64, dests: &[usize], log: Log<'_>) -> Vec<u8> {
    let entries =
        log.iter().map(|&(sender, clock, dests)| Entry { sender: Index::at(sender), clock, dests: set(dests) });
    let stamp = Stamp { sender: Index::at(sender), clock, dests: set(dests), log: entries.collect() };
    let mut bytes = Vec::new();
    numbering.encode(&stamp, &mut bytes);
    bytes
}

fn additions(numbering: &Numbering, mark: Mark) -> Vec<u8> {
    let mut bytes = Vec::new();
    numbering.additions_since(mark, peer().roster(), &mut bytes);
    bytes
}

#[test]
fn a_message_and_its_entries() {
    let numbering = &mut Numbering::new(&Limits::default());
    assert_eq!(say(numbering, 0, 5, &[1], &[]), [0, 5, 1 << 2 | 1], "to one process");
    assert_eq!(say(numbering, 2, 6, &[0, 1], &[]), [1, 2, 6, 1 << 2 | 3, 1, 0b11], "by another author, to a bitmap");
    assert_eq!(say(numbering, 2, 7, &[0, 1], &[]), [1, 2, 7, 0], "to the same again: set 0");
    let mark = numbering.mark();
    let after_his_last = say(numbering, 0, 8, &[1, 2, 3], &[(0, 7, &[1, 2, 3])]);
    assert_eq!(after_his_last, [2, 8, 1 << 2 | 3, 1, 0b1110]);

    let entries: Log<'_> = &[(2, 4, &[1, 3]), (2, 6, &[]), (3, 2, &[1]), (3, 5, &[5, 6])];
    let to_set_1 = [4 << 2, 9, 1 << 2];
    let less_its_author = [2 << 2, 4];
    let marker = [1, 2];
    let one = [1 << 2 | 2, 2, 1];
    let others = [3, 3, 1 << 2 | 3, 1, 0b11_0000];
    let expected = [&to_set_1[..], &less_its_author, &marker, &one, &others].concat();
    assert_eq!(say(numbering, 0, 9, &[1, 2, 3], entries), expected);

    let his_own = say(numbering, 0, 20, &[1, 2, 3], &[(0, 15, &[1]), (0, 17, &[2, 3])]);
    let the_message_s_less_one = [3, 2, 2, 1 << 1, 1];
    assert_eq!(his_own, [&[2 << 2, 20, 1 << 2][..], &[2, 5, 1], &the_message_s_less_one].concat());
    assert_eq!(say(numbering, 0, 21, &[1, 3], &[]), [0, 21, 2 << 2 | 2, 1 << 1, 2], "set 1 without one");
    let less_its_author_and_another = [2 << 2 | 3, 8, 2, 1 << 1 | 1, 1];
    let expected = [&[1 << 2, 22, 1 << 2 | 3, 1, 0b11_1110][..], &less_its_author_and_another].concat();
    assert_eq!(say(numbering, 0, 22, &[1, 2, 3, 5, 6], &[(2, 8, &[3, 5, 6])]), expected);

    let ids = [3, 232, 0, 1, 0, 2, 0, 3, 0, 5, 0, 6];
    let sets = [1 << 2 | 3, 1, 0b11, 1 << 2 | 3, 1, 0b1110];
    assert_eq!(additions(numbering, Mark::default()), [&[2, 1, 0, 6][..], &ids, &[0, 2], &sets].concat());
    assert_eq!(additions(numbering, mark), [&[2, 1, 3, 3][..], &ids[6..], &[1, 1], &sets[3..]].concat());
    assert_eq!(additions(numbering, numbering.mark()), []);
    numbering.renew();
    say(numbering, 0, 23, &[1], &[]);
    assert_eq!(additions(numbering, mark), [2, 2, 0, 2, 3, 232, 0, 1, 0, 0], "everything in the new generation");
}

/// The bytes of these destinations, where the number of each process is its place.
fn dests(numbering: &mut Numbering, positions: &[usize]) -> Vec<u8> {
    say(numbering, 0, 1, positions, &[])[2..].to_vec()
}

fn numbered(limits: &Limits) -> Numbering {
    let mut numbering = Numbering::new(limits);
    (1..=200).for_each(|position| _ = dests(&mut numbering, &[position]));
    numbering
}

#[test]
fn a_set_takes_its_shortest_form() {
    let numbering = &mut numbered(&Limits::default());
    assert_eq!(dests(numbering, &[1, 12]), [3, 2, 1, 10], "a list, no longer than the bitmap");
    assert_eq!(dests(numbering, &[1, 2, 12]), [1 << 2 | 3, 2, 0b110, 0b1_0000], "a bitmap, shorter than the list");
    assert_eq!(dests(numbering, &[15, 16]), [3, 2, 15, 0], "a list, a byte shorter than the bitmap");
    assert_eq!(
        dests(numbering, &[1, 2, 3, 23]),
        [1 << 2 | 3, 3, 0b1110, 0, 0b1000_0000],
        "a bitmap, shorter by a byte"
    );
    assert_eq!(dests(numbering, &[]), [3, 0], "the empty set");
    for _ in 0..2 {
        dests(numbering, &[1, 60, 120, 180]);
    }
    assert_eq!(dests(numbering, &[1, 60]), [1 << 2 | 2, 2 << 1, 120, 59], "as many are taken out as are left");
    assert_eq!(dests(numbering, &[1, 60, 120, 180]), [0]);
}

#[test]
fn the_smallest_set_that_contains_all_members_is_the_base() {
    let numbering = &mut numbered(&Limits::default());
    for larger in [&[10, 50, 90, 130, 170][..], &[10, 50, 90, 130]] {
        dests(numbering, larger);
        dests(numbering, larger);
    }
    assert_eq!(dests(numbering, &[10, 50, 90]), [2 << 2 | 2, 1 << 1, 130, 1]);
}

/// Four positions that are far apart. No other number gives any of them.
fn four(number: usize) -> [usize; 4] {
    [number, number + 50, number + 100, number + 150]
}

#[test]
fn a_set_that_comes_again_within_32_gets_a_number_if_it_is_worth_one() {
    for (between, again) in [(31, true), (32, false)] {
        let numbering = &mut numbered(&Limits::default());
        for number in 1..=1 + between {
            dests(numbering, &four(number));
        }
        let before = numbering.mark();
        dests(numbering, &four(1));
        assert_eq!(numbering.mark() != before, again, "{between} in between");
    }
    let numbering = &mut numbered(&Limits::default());
    let before = numbering.mark();
    for _ in 0..3 {
        assert_eq!(dests(numbering, &[100]).len(), 2);
    }
    assert_eq!(numbering.mark(), before, "two bytes are no worse than a number");
}

#[test]
fn the_eight_sets_last_named_are_tried_as_a_base() {
    let subset = |numbers: &[usize], of: usize| {
        let numbering = &mut numbered(&Limits::default());
        for &number in numbers {
            dests(numbering, &four(number));
            dests(numbering, &four(number));
        }
        dests(numbering, &four(of)[..3]).len()
    };
    let (less_one, list) = (4, 5);
    assert_eq!(subset(&[1, 2, 3, 4, 5, 6, 7, 8], 1), less_one);
    assert_eq!(subset(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 1), list);
    assert_eq!(subset(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 2), less_one);
    assert_eq!(subset(&[1, 2, 3, 4, 5, 6, 7, 8, 1, 9], 1), less_one, "named again");
    assert_eq!(subset(&[1, 2, 3, 4, 5, 6, 7, 8, 1, 9], 2), list);
}

#[test]
fn sets_beyond_the_limit_get_no_number() {
    let numbering = &mut numbered(&Limits { sets: 1, ..Limits::default() });
    assert!(!numbering.is_full());
    for number in [1, 2] {
        (0..2).for_each(|_| _ = dests(numbering, &four(number)));
        assert!(numbering.is_full());
    }
    assert_eq!(dests(numbering, &four(1)), [0]);
    assert!(dests(numbering, &four(2)).len() > 4);
    numbering.renew();
    assert_eq!((numbering.is_full(), numbering.generation()), (false, 2));
    (0..2).for_each(|_| _ = dests(numbering, &four(2)));
    assert!(numbering.is_full(), "the limit stays");
}

/// A new generation replaces all that was known.
#[test]
fn a_table_follows_the_generations() {
    let limits = Limits::default();
    let (mut numbering, mut table, mut reader) =
        (Numbering::new(&limits), Table::default(), Peer::new(0, Config::default()));
    for dest in [7, 8] {
        let message = say(&mut numbering, 0, 1, &[dest], &[]);
        table.learn(&mut &additions(&numbering, Mark::default())[..], &mut reader, &limits).unwrap();
        let read = table.decode(&mut &message[..], &limits).unwrap();
        let dests: Vec<u16> = read.dests.iter().map(|index| *reader.roster().id(index)).collect();
        assert_eq!(dests, vec![dest as u16]);
        numbering.renew();
    }
}
