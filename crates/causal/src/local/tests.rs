use std::vec::Vec;

use super::*;
use crate::{Clock, Entry, MAX_CLOCK, Set};

fn set(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

fn stamp(sender: usize, dests: &[usize], log: &[(usize, Clock, &[usize])]) -> Stamp {
    let entries =
        log.iter().map(|&(sender, clock, dests)| Entry { sender: Index::at(sender), clock, dests: set(dests) });
    Stamp { sender: Index::at(sender), clock: 9, dests: set(dests), log: entries.collect() }
}

/// The greatest index decides how many places are written. Each example has it in another part of the stamp.
fn examples() -> [Stamp; 5] {
    [
        stamp(0, &[], &[]),
        stamp(7, &[1], &[(2, 3, &[1]), (3, 3, &[])]),
        stamp(1, &[7], &[(2, 3, &[1])]),
        stamp(1, &[0], &[(7, 3, &[1])]),
        stamp(1, &[0], &[(2, 3, &[7]), (3, 1, &[0, 5])]),
    ]
}

fn written(stamp: &Stamp) -> Vec<u8> {
    let mut bytes = Vec::new();
    stamp.write_local(&mut bytes);
    bytes
}

#[test]
fn a_stamp_is_read_back_and_other_bytes_are_refused() {
    for stamp in examples() {
        let bytes = written(&stamp);
        let count = usize::from(bytes[1]);
        let limits = Limits { processes: count, entries: stamp.log.len(), sets: 0 };
        let read = |bytes: &[u8]| Stamp::read_local(bytes, &limits);
        assert_eq!(read(&bytes), Ok(stamp));
        assert_eq!(read(&[&[2], &bytes[1..]].concat()), Err(DecodeError::Version(2)));
        assert_eq!(read(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
        assert_eq!(read(&bytes[..bytes.len() - 1]), Err(DecodeError::Truncated));
        let refused = Stamp::read_local(&bytes, &Limits { processes: count - 1, ..limits });
        assert_eq!(refused, Err(DecodeError::TooMany { what: "processes", count: count as u64, limit: count - 1 }));
    }
    assert_eq!(examples().map(|stamp| written(&stamp)[1]), [1, 8, 8, 8, 8], "no more places than necessary");
}

#[test]
fn only_the_owner_of_the_numbering_is_renamed() {
    assert_eq!(
        stamp(0, &[1], &[(0, 3, &[2]), (3, 3, &[0, 1])]).renamed(9),
        stamp(9, &[1], &[(9, 3, &[2]), (3, 3, &[9, 1])])
    );
}

/// Earlier versions stored any clock that a message named.
#[test]
fn stored_clocks_beyond_the_last_are_reduced_or_left_out() {
    let read = |stamp: &Stamp| Stamp::read_local(&written(stamp), &Limits::default());
    let sound = stamp(1, &[0], &[(2, MAX_CLOCK, &[0])]);
    let kept = stamp(1, &[0], &[(2, MAX_CLOCK, &[0]), (2, MAX_CLOCK + 1, &[0])]);
    assert_eq!(read(&kept), Ok(sound.clone()));
    let last = Stamp { clock: MAX_CLOCK, ..sound };
    assert_eq!(read(&Stamp { clock: u64::MAX, ..last.clone() }), Ok(last.clone()));
    assert_eq!(read(&Stamp { clock: 0, ..last }), Err(DecodeError::Clock));
}
