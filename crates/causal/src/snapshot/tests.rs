use std::vec;

use super::*;

fn set(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

fn entry(sender: usize, clock: Clock, dests: &[usize]) -> Entry {
    Entry { sender: Index::at(sender), clock, dests: set(dests) }
}

fn hole(from: Clock, to: Clock, given_up: bool) -> Hole {
    Hole { from, to, given_up }
}

/// Process 7, which knows 8 and 9, and has forgotten 9.
fn sound() -> Snapshot<u8> {
    let holes = vec![hole(0, 2, true), hole(2, 3, false), hole(4, 5, true)];
    let of_eight = Progress { delivered: 4, vouched: 6, completed: 1, holes };
    Snapshot {
        processes: vec![7, 8, 9],
        clock: 3,
        abandonments: 2,
        authors: vec![Progress::default(), of_eight, Progress { delivered: 1, ..Progress::default() }],
        forgotten: set(&[2]),
        log: vec![entry(0, 2, &[1]), entry(0, 3, &[1]), entry(1, 9, &[0, 2])],
    }
}

#[test]
fn a_snapshot_is_read_back_and_other_bytes_are_refused() {
    let limits = Limits { processes: 3, entries: 3, sets: 0 };
    let read = |bytes: &[u8]| Snapshot::<u8>::from_bytes(bytes, &limits);
    let bytes = sound().to_bytes();
    assert_eq!(read(&bytes), Ok(sound()));
    assert_eq!(read(&[&[2], &bytes[1..]].concat()), Err(DecodeError::Version(2)));
    assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut]).is_err(), "{cut} bytes");
    }
    let few = |limits: Limits| Snapshot::<u8>::from_bytes(&bytes, &limits);
    let refused = few(Limits { processes: 2, ..limits });
    assert_eq!(refused, Err(DecodeError::TooMany { what: "processes", count: 3, limit: 2 }));
    let refused = few(Limits { entries: 2, ..limits });
    assert_eq!(refused, Err(DecodeError::TooMany { what: "entries", count: 3, limit: 2 }));
}

#[test]
fn an_inconsistent_snapshot_is_refused() {
    let config = Config { max_processes: 3, ..Config::default() };
    assert_eq!(sound().check(&config), Ok(()));
    let few = Config { max_processes: 2, ..config.clone() };
    assert_eq!(sound().check(&few), Err(RestoreError::Full(Full { limit: 2 })));

    let refuses = |change: fn(&mut Snapshot<u8>), why| {
        let mut snapshot = sound();
        change(&mut snapshot);
        assert_eq!(snapshot.check(&config), Err(RestoreError::Inconsistent(why)));
    };
    let nobody = |snapshot: &mut Snapshot<u8>| {
        *snapshot =
            Snapshot { processes: vec![], authors: vec![], forgotten: set(&[]), log: vec![], ..snapshot.clone() }
    };
    refuses(nobody, "nobody owns it");
    refuses(|s| _ = s.authors.pop(), "it does not tell of each process how far it has come");
    let holes = "holes overlap or are out of order";
    refuses(|s| s.authors[1].holes[1] = hole(1, 3, true), holes);
    refuses(|s| s.authors[1].holes[1] = hole(3, 3, true), holes);
    refuses(|s| s.authors[1].holes.reverse(), holes);
    refuses(|s| s.forgotten = set(&[3]), "an unknown process is forgotten");
    refuses(|s| s.log.swap(0, 1), "the log is out of order");
    refuses(|s| s.log[0] = s.log[1].clone(), "the log is out of order");
    refuses(|s| s.log[2] = entry(3, 9, &[0]), "the log names an unknown process");
    refuses(|s| s.log[2] = entry(1, 9, &[3]), "the log names an unknown process");
    refuses(|s| s.log[0].clock = 0, "the log has a message that was never sent");
    refuses(|s| s.log[1].clock = 4, "the log has a message that was never sent");
}

#[test]
fn a_process_that_takes_the_place_of_another_starts_anew_and_forgets_it() {
    let reborn = sound().reborn(6, 2);
    let nothing = Progress::default;
    let former = Progress { delivered: 2, vouched: 2, ..nothing() };
    let expected = Snapshot {
        processes: vec![6, 8, 9, 7],
        clock: 0,
        abandonments: 0,
        authors: vec![nothing(), nothing(), nothing(), former],
        forgotten: set(&[2, 3]),
        log: vec![entry(1, 9, &[0, 2]), entry(3, 2, &[1])],
    };
    assert_eq!(reborn, expected);
    assert_eq!(reborn.check(&Config::default()), Ok(()));
}

#[test]
fn remembered_entries_are_in_the_log_again() {
    let mut alice = crate::Process::<_, ()>::new("alice", Config::default());
    alice.send(["bob"]).unwrap();
    let earlier = alice.snapshot();
    alice.send(["bob"]).unwrap();
    let mut snapshot = alice.snapshot();
    assert!(!snapshot.log.contains(&earlier.log[0]));
    snapshot.remember(&earlier.log);
    assert!(snapshot.log.contains(&earlier.log[0]));
}

/// Earlier versions stored any clock that a message named.
#[test]
fn stored_clocks_beyond_the_last_are_reduced_or_left_out() {
    let mut kept = sound();
    kept.authors[1] = Progress { delivered: 4, vouched: u64::MAX, completed: 1, holes: Vec::new() };
    kept.authors[1].holes = vec![hole(4, u64::MAX - 9, true), hole(u64::MAX - 9, u64::MAX, true)];
    kept.log.push(entry(1, MAX_CLOCK + 1, &[0]));
    let config = Config { max_processes: 3, ..Config::default() };
    assert_eq!(kept.check(&config), Err(RestoreError::Inconsistent("a clock is beyond the last")));

    let mut expected = sound();
    let holes = vec![hole(4, MAX_CLOCK, true)];
    expected.authors[1] = Progress { delivered: 4, vouched: MAX_CLOCK, completed: 1, holes };
    let read = Snapshot::from_bytes(&kept.to_bytes(), &Limits::default());
    assert_eq!(read.as_ref(), Ok(&expected));
    assert_eq!(expected.check(&config), Ok(()));
}
