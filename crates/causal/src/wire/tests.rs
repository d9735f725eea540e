use std::collections::{BTreeMap, BTreeSet};
use std::vec::Vec;

use proptest::prelude::*;
use proptest::sample::Index as Sample;

use super::{Mark, Numbering, Table};
use crate::{Config, DecodeError, Entry, Index, Limits, MAX_CLOCK, Numbered, Process, Set, Stamp};

mod format;

type Peer = Process<u16, ()>;

/// A process that numbers `ids` in this order.
fn peer(ids: &[u16]) -> Peer {
    let mut peer = Peer::new(1000, Config::default());
    for &id in ids {
        peer.intern(id).unwrap();
    }
    peer
}

#[derive(Debug, Clone)]
struct Shape {
    sender: usize,
    clock: u64,
    dests: BTreeSet<usize>,
    log: BTreeMap<(usize, u64), Dests>,
}

#[derive(Debug, Clone)]
enum Dests {
    Some(BTreeSet<usize>),
    /// The message's destinations without some.
    Less(BTreeSet<usize>),
    /// The message's destinations without the entry's author.
    LessAuthor,
    /// The message's destinations without the entry's author and some others.
    LessAuthorAnd(BTreeSet<usize>),
}

fn members() -> impl Strategy<Value = BTreeSet<usize>> {
    prop_oneof![
        3 => prop::collection::btree_set(0..301_usize, 0..4),
        1 => prop::collection::btree_set(0..301_usize, 100..300),
    ]
}

fn shape() -> impl Strategy<Value = Shape> {
    let dests = prop_oneof![
        members().prop_map(Dests::Some),
        prop::collection::btree_set(0..301_usize, 0..3).prop_map(Dests::Less),
        Just(Dests::LessAuthor),
        prop::collection::btree_set(0..301_usize, 1..3).prop_map(Dests::LessAuthorAnd),
    ];
    let log = prop::collection::btree_map((0..301_usize, 1..40_u64), dests, 0..6);
    let last = prop::option::of(prop_oneof![
        Just(Dests::LessAuthor),
        prop::collection::btree_set(0..301_usize, 1..3).prop_map(Dests::Less)
    ]);
    (0..301_usize, 41..=MAX_CLOCK, members(), log, last).prop_map(|(sender, clock, mut dests, mut log, last)| {
        if let Some(last) = last {
            dests.remove(&sender);
            log.insert((sender, clock - 1), last);
        }
        Shape { sender, clock, dests, log }
    })
}

fn stamp(shape: &Shape, peer: &Peer) -> Stamp {
    assert_eq!(peer.roster().len(), 301);
    let index = |&position: &usize| Index::at(position);
    let set = |positions: &BTreeSet<usize>| positions.iter().map(index).collect::<Set>();
    let dests = set(&shape.dests);
    let entries: BTreeMap<_, _> = shape.log.iter().map(|((sender, clock), d)| ((index(sender), *clock), d)).collect();
    let log = entries.into_iter().map(|((sender, clock), of)| {
        let dests = match of {
            Dests::Some(members) => set(members),
            Dests::Less(members) => dests.difference(&set(members)),
            Dests::LessAuthor => dests.difference(&[sender].into_iter().collect()),
            Dests::LessAuthorAnd(members) => {
                dests.difference(&set(members)).difference(&[sender].into_iter().collect())
            }
        };
        Entry { sender, clock, dests }
    });
    Stamp { sender: index(&shape.sender), clock: shape.clock, log: log.collect(), dests }
}

fn ids() -> impl Strategy<Value = Vec<u16>> {
    Just((0..300).collect::<Vec<u16>>()).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A link that gets the additions just before each message reads every message, in its own numbers. A link that skips
    /// messages and a link that begins late read the same bytes.
    #[test]
    fn every_link_reads_the_same_bytes(
        shapes in prop::collection::vec((shape(), any::<bool>()), 1..12), from in ids(), to in ids(), sets in 0..6_usize,
    ) {
        let limits = Limits::default();
        let sender = peer(&from);
        let mut numbering = Numbering::new(&Limits { sets, ..limits });
        let mut links: Vec<_> = (0..3).map(|_| (Mark::default(), Table::default(), peer(&to))).collect();
        for (round, (shape, skip)) in shapes.iter().enumerate() {
            if numbering.is_full() && round % 2 == 0 {
                numbering.renew();
            }
            let said = stamp(shape, &sender);
            let mut message = Vec::new();
            numbering.encode(&said, &mut message);
            for (link, (mark, table, receiver)) in links.iter_mut().enumerate() {
                if link == 1 && *skip || link == 2 && round < 4 {
                    continue;
                }
                let mut additions = Vec::new();
                *mark = numbering.additions_since(*mark, sender.roster(), &mut additions);
                prop_assert_eq!(*mark, numbering.mark());
                if !additions.is_empty() {
                    let mut input = &additions[..];
                    prop_assert_eq!(table.learn(&mut input, receiver, &limits), Ok(()));
                    prop_assert!(input.is_empty());
                }
                let mut input = &message[..];
                let read = table.decode(&mut input, &limits);
                prop_assert!(input.is_empty());
                prop_assert_eq!(read.map(|read| receiver.spell(&read)), Ok(sender.spell(&said)));
            }
        }
    }

    /// Damaged bytes and arbitrary bytes give a stamp within the limits or an error.
    #[test]
    fn any_bytes_give_a_value_or_an_error(
        shapes in prop::collection::vec(shape(), 1..4), ids in ids(),
        flips in prop::collection::vec((any::<Sample>(), any::<u8>()), 0..4),
        junk in prop::collection::vec(any::<u8>(), 0..60),
    ) {
        let limits = Limits { processes: 310, entries: 4, sets: 2 };
        let sender = peer(&ids);
        let (mut numbering, mut table, mut receiver) = (Numbering::new(&limits), Table::default(), peer(&[]));
        let (mut additions, mut message) = (Vec::new(), Vec::new());
        for shape in &shapes {
            numbering.encode(&stamp(shape, &sender), &mut message);
        }
        numbering.additions_since(Mark::default(), sender.roster(), &mut additions);
        prop_assert_eq!(table.learn(&mut &additions[..], &mut receiver, &limits), Ok(()));
        for (at, with) in flips {
            let at = at.index(message.len());
            message[at] ^= with;
            let at = at % additions.len();
            additions[at] ^= with;
        }
        for bytes in [&message, &junk] {
            let mut input = &bytes[..];
            while let Ok(stamp) = table.decode(&mut input, &limits) {
                prop_assert!(stamp.log.len() <= limits.entries);
            }
        }
        for bytes in [&additions, &junk] {
            let mut table = Table::default();
            if table.learn(&mut &bytes[..], &mut receiver, &limits).is_ok() {
                let _ = table.decode(&mut &message[..], &limits);
            }
        }
    }
}

#[test]
fn an_unknown_number_is_named() {
    let (table, limits) = (Table::default(), Limits::default());
    let refused = table.decode(&mut &[1, 5, 1, 0][..], &limits);
    assert_eq!(refused, Err(DecodeError::Unknown { what: Numbered::Process, number: 5 }));

    let mut known = Table::default();
    known.learn(&mut &[2, 1, 0, 1, 0, 7, 0, 0][..], &mut peer(&[]), &limits).unwrap();
    let refused = known.decode(&mut &[0, 1, 3 << 2][..], &limits);
    assert_eq!(refused, Err(DecodeError::Unknown { what: Numbered::Set, number: 3 }));
}

#[test]
fn additions_with_a_gap_are_refused() {
    let (mut table, limits) = (Table::default(), Limits::default());
    let refused = table.learn(&mut &[2, 1, 2, 1, 0, 7, 0, 0][..], &mut peer(&[]), &limits);
    assert_eq!(refused, Err(DecodeError::Gap { first: 2, known: 0 }));
}

#[test]
fn each_limit_is_kept() {
    let additions = [2, 1, 0, 2, 0, 7, 0, 9, 0, 1, 3, 2, 0, 0];
    let learn = |limits: &Limits| Table::default().learn(&mut &additions[..], &mut peer(&[]), limits);
    let enough = Limits { processes: 2, entries: 0, sets: 1 };
    assert_eq!(learn(&enough), Ok(()));
    let few = learn(&Limits { processes: 1, ..enough });
    assert_eq!(few, Err(DecodeError::TooMany { what: "processes", count: 2, limit: 1 }));
    let none = learn(&Limits { sets: 0, ..enough });
    assert_eq!(none, Err(DecodeError::TooMany { what: "sets", count: 1, limit: 0 }));

    let mut table = Table::default();
    table.learn(&mut &additions[..], &mut peer(&[]), &enough).unwrap();
    for one_entry in [&[1 << 2, 2, 0, 1 << 2, 1][..], &[2, 2, 0]] {
        assert!(table.decode(&mut &one_entry[..], &Limits { entries: 1, ..enough }).is_ok());
        let refused = table.decode(&mut &one_entry[..], &enough);
        assert_eq!(refused, Err(DecodeError::TooMany { what: "entries", count: 1, limit: 0 }));
    }
}

#[test]
fn a_limit_is_on_the_sum_of_all_additions() {
    let limits = Limits { processes: 2, entries: 0, sets: 1 };
    let mut table = Table::default();
    let mut learn = |additions: &[u8]| table.learn(&mut &additions[..], &mut peer(&[]), &limits);
    assert_eq!(learn(&[2, 1, 0, 1, 0, 7, 0, 0]), Ok(()));
    assert_eq!(learn(&[2, 1, 1, 1, 0, 9, 0, 1, 3, 2, 0, 0]), Ok(()));
    let third = learn(&[2, 1, 2, 1, 0, 8, 1, 0]);
    assert_eq!(third, Err(DecodeError::TooMany { what: "processes", count: 1, limit: 0 }));
    let another = learn(&[2, 1, 2, 0, 1, 1, 5]);
    assert_eq!(another, Err(DecodeError::TooMany { what: "sets", count: 1, limit: 0 }));
}

#[test]
fn a_list_that_overflows_is_refused() {
    let (mut table, limits) = (Table::default(), Limits::default());
    table.learn(&mut &[2, 1, 0, 2, 0, 7, 0, 9, 0, 0][..], &mut peer(&[]), &limits).unwrap();
    let mut list = [0, 1, 3, 2, 0].to_vec();
    list.extend([0xff; 9]);
    list.push(1);
    assert_eq!(table.decode(&mut &list[..], &limits), Err(DecodeError::Number));
}

/// A number that is written as a difference can be out of range.
#[test]
fn a_clock_or_number_that_no_message_can_have_is_refused() {
    let (mut table, limits) = (Table::default(), Limits::default());
    table.learn(&mut &[2, 1, 0, 2, 0, 7, 0, 9, 0, 0][..], &mut peer(&[]), &limits).unwrap();
    let decode = |bytes: &[u8]| table.decode(&mut &bytes[..], &limits).map(|_| ());
    assert_eq!(decode(&[2, 1, 5]), Err(DecodeError::Clock), "a first message has none before it");
    assert_eq!(decode(&[1 << 2, 4, 5, 1, 4]), Err(DecodeError::Clock), "an entry of the same author below clock 1");
    assert_eq!(decode(&[1 << 2 | 2, 4, 5, 1, 1]), Err(DecodeError::Unordered), "the author's last message twice");
    let most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
    let beyond = [&[2 << 2, 4, 5, 1 << 2 | 1][..], &most, &[1, 1]].concat();
    assert_eq!(decode(&beyond), Err(DecodeError::Clock), "beyond the last");
    // 2^53, and one more.
    let (last, too_far) = ([128, 128, 128, 128, 128, 128, 128, 16], [129, 128, 128, 128, 128, 128, 128, 16]);
    let message = |clock: &[u8]| decode(&[&[0][..], clock, &[1]].concat());
    assert_eq!((message(&last), message(&too_far)), (Ok(()), Err(DecodeError::Clock)));
    let two_entries = |first: &[u8]| decode(&[&[2 << 2, 4, 5, 1 << 2 | 1][..], first, &[1, 1]].concat());
    assert_eq!(two_entries(&[127]), Ok(()));
    assert_eq!(two_entries(&last), Err(DecodeError::Clock), "one beyond the last");
    let far = [&[2 << 2, 4, 5, 1 << 2 | 1, 1][..], &most, &[1]].concat();
    assert_eq!(decode(&far), Err(DecodeError::Unknown { what: Numbered::Process, number: (u64::MAX >> 2) + 1 }));
}

/// Only an entry's destinations can refer to the message's, or to the entry's author.
#[test]
fn a_reference_outside_an_entry_is_refused() {
    let (mut table, limits) = (Table::default(), Limits::default());
    table.learn(&mut &[2, 1, 0, 2, 0, 7, 0, 9, 0, 1, 5][..], &mut peer(&[]), &limits).unwrap();
    let decode = |bytes: &[u8]| table.decode(&mut &bytes[..], &limits).map(|_| ());
    assert_eq!(decode(&[0, 1, 2, 0]), Err(DecodeError::Form(2)), "destinations that refer to themselves");
    assert_eq!(
        decode(&[0, 1, 1 << 2 | 2, 1]),
        Err(DecodeError::Form(1 << 2 | 2)),
        "without the author, outside an entry"
    );
    assert_eq!(decode(&[1 << 2, 2, 5, 1 << 2 | 3, 1, 1 << 2 | 2, 1]), Ok(()), "without the author, in an entry");
    let addition = [2, 2, 0, 1, 0, 7, 0, 1, 2, 0];
    let learned = Table::default().learn(&mut &addition[..], &mut peer(&[]), &limits);
    assert_eq!(learned, Err(DecodeError::Form(2)));
    assert_eq!(decode(&[0, 1, 2 << 2 | 3, 1, 1]), Err(DecodeError::Form(2 << 2 | 3)), "neither a list nor a bitmap");
}

/// A group of 450, as its first member numbers it.
fn everybody() -> (Peer, Set) {
    let sender = peer(&(0..450).collect::<Vec<u16>>());
    let others = sender.roster().iter().map(|(index, _)| index).filter(|&index| index != sender.me()).collect();
    (sender, others)
}

/// The length of a message whose sets have come before.
fn length(stamp: &Stamp, numbering: &mut Numbering) -> usize {
    numbering.encode(stamp, &mut Vec::new());
    numbering.encode(stamp, &mut Vec::new());
    let mut message = Vec::new();
    numbering.encode(stamp, &mut message);
    message.len()
}

/// A message in a chat among 450: the most frequent set, all but the author, takes two bits.
#[test]
fn a_broadcast_among_many_is_small() {
    let (mut sender, everybody) = everybody();
    let author = sender.intern(44).unwrap();
    let mut stamp = sender.multicast(&everybody);
    let mut dests = everybody.clone();
    dests.remove(author);
    stamp.log = [Entry { sender: author, clock: 1000, dests }].into_iter().collect();
    // Head (1 byte), clock (1) and destinations (1); head (1) and clock (2) of the entry.
    assert_eq!(length(&stamp, &mut Numbering::new(&Limits::default())), 1 + 1 + 1 + 1 + 2);
}

/// An author that sends many messages in a row sends no more than these bytes, to any destinations.
#[test]
fn a_message_right_after_the_same_authors_last_takes_three_bytes() {
    for count in [449, 3, 1] {
        let (mut sender, everybody) = everybody();
        let dests = everybody.iter().take(count).collect();
        sender.multicast(&dests);
        let next = sender.multicast(&dests);
        assert_eq!(next.log.len(), 1);
        assert_eq!(length(&next, &mut Numbering::new(&Limits::default())), 3);
    }
}

/// Every link has to be told a numbered set, so a set is worth a number only once it comes again.
#[test]
fn a_set_that_comes_once_gets_no_number() {
    let (mut sender, everybody) = everybody();
    let mut numbering = Numbering::new(&Limits::default());
    for odd in 0..100 {
        let dests =
            everybody.iter().filter(|index| index.position() % 2 == odd % 2 || index.position() == odd * 4).collect();
        numbering.encode(&Stamp { log: [].into_iter().collect(), ..sender.multicast(&dests) }, &mut Vec::new());
    }
    let before = numbering.mark();
    for _ in 0..2 {
        numbering.encode(&Stamp { log: [].into_iter().collect(), ..sender.multicast(&everybody) }, &mut Vec::new());
    }
    let mut additions = Vec::new();
    numbering.additions_since(before, sender.roster(), &mut additions);
    assert!(additions.len() < 70, "one bitmap: {} bytes", additions.len());
    let mut all = Vec::new();
    numbering.additions_since(Mark::default(), sender.roster(), &mut all);
    assert!(all.len() < 1100, "the ids, and few sets: {} bytes", all.len());
}
