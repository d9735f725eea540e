use std::collections::{BTreeMap, BTreeSet};
use std::vec;

use proptest::prelude::*;

use super::*;
use crate::MAX_CLOCK;

type Ids = BTreeSet<u16>;

/// A stamp whose processes have no numbers yet.
#[derive(Clone, Debug)]
struct Written {
    sender: u16,
    clock: u64,
    dests: Ids,
    log: BTreeMap<(u16, u64), Ids>,
}

impl Written {
    fn stamp(&self, roster: &mut Roster<u16>) -> Stamp {
        let mut number = |id: u16| roster.intern(id).unwrap();
        let dests = self.dests.iter().map(|&id| number(id)).collect();
        let entry = |(&(sender, clock), dests): (&(u16, u64), &Ids)| {
            let dests = dests.iter().map(|&id| number(id)).collect();
            Entry { sender: number(sender), clock, dests }
        };
        let log = self.log.iter().map(entry).collect();
        Stamp { sender: roster.intern(self.sender).unwrap(), clock: self.clock, dests, log }
    }
}

fn written() -> impl Strategy<Value = Written> {
    let ids = || prop::collection::btree_set(0..300_u16, 0..20);
    let log = prop::collection::btree_map((0..300_u16, 1..50_u64), ids(), 0..10);
    (0..300_u16, 1..=MAX_CLOCK, ids(), log).prop_map(|(sender, clock, dests, log)| Written {
        sender,
        clock,
        dests,
        log,
    })
}

fn envelope() -> impl Strategy<Value = Envelope<u16>> {
    written().prop_map(|written| {
        let mut roster = Roster::new(0, 1000);
        let stamp = written.stamp(&mut roster);
        Envelope::spelled(&stamp, &roster)
    })
}

proptest! {
    #[test]
    fn bytes_give_the_envelope_back(envelope in envelope()) {
        let bytes = envelope.to_bytes();
        prop_assert_eq!(Envelope::from_bytes(&bytes, &Limits::default()), Ok(envelope));
    }

    #[test]
    fn a_speller_writes_the_same_bytes_as_the_envelope(written in prop::collection::vec(written(), 1..5), again in 0..4_usize) {
        let mut roster = Roster::new(0, 1000);
        let mut stamps: Vec<Stamp> = written.iter().map(|written| written.stamp(&mut roster)).collect();
        stamps.push(stamps[again % stamps.len()].clone());
        let mut speller = Speller::new(&roster);
        for stamp in stamps {
            let mut bytes = vec![7];
            speller.write(&stamp, &mut bytes);
            prop_assert_eq!(&bytes[1..], Envelope::spelled(&stamp, &roster).to_bytes());
        }
    }

    #[test]
    fn any_bytes_give_an_error_or_were_canonical(
        envelope in envelope(), cut in any::<prop::sample::Index>(), flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4)
    ) {
        let mut bytes = envelope.to_bytes();
        for (at, with) in flips {
            let at = at.index(bytes.len());
            bytes[at] ^= with;
        }
        bytes.truncate(cut.index(bytes.len() * 4).max(1));
        if let Ok(read) = Envelope::<u16>::from_bytes(&bytes, &Limits::default()) {
            prop_assert_eq!(read.to_bytes(), bytes);
        }
    }
}

#[test]
fn a_listed_process_that_the_stamp_does_not_name_is_refused() {
    let bytes = vec![VERSION, 2, 7, 9, 0, 1, 0, 0];
    assert_eq!(Envelope::<u8>::from_bytes(&bytes, &Limits::default()), Err(DecodeError::NotCanonical));
}

#[test]
fn a_limit_is_named() {
    let limits = Limits { processes: 1, ..Limits::default() };
    let bytes = vec![VERSION, 2, 7, 9, 0, 1, 2, 0];
    assert!(Envelope::<u8>::from_bytes(&bytes, &Limits::default()).is_ok());
    let refused = Envelope::<u8>::from_bytes(&bytes, &limits);
    assert_eq!(refused, Err(DecodeError::TooMany { what: "processes", count: 2, limit: 1 }));
}

#[test]
fn ids_out_of_order_or_repeated_are_refused() {
    for ids in [[7, 7], [9, 7]] {
        let bytes = [&[VERSION, 2], &ids[..], &[0, 1, 0b10, 0]].concat();
        assert_eq!(Envelope::<u8>::from_bytes(&bytes, &Limits::default()), Err(DecodeError::Unordered));
    }
}

#[test]
fn only_destinations_are_addressed_and_only_processes_in_entries_wait() {
    let mut roster = Roster::new(0, 10);
    let entry = ((3, 4), Ids::from([2, 5]));
    let written = Written { sender: 1, clock: 9, dests: Ids::from([2, 6]), log: [entry].into() };
    let envelope = Envelope::spelled(&written.stamp(&mut roster), &roster);
    let is_for: Vec<u16> = (0..8).filter(|id| envelope.is_for(id)).collect();
    assert_eq!(is_for, [2, 6]);
    let waits = |id: u16| envelope.dependencies(&id).collect::<Vec<_>>();
    let waiting: Vec<u16> = (0..8).filter(|&id| !waits(id).is_empty()).collect();
    assert_eq!((waiting, waits(5)), (vec![2, 5], vec![(&3, 4)]));
}
