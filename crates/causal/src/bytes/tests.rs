use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn a_number_comes_back_and_has_one_form(number: u64, shift in 0..64_u32) {
        let number = number >> shift;
        let mut bytes = Vec::new();
        put(number, &mut bytes);
        let mut input = &bytes[..];
        prop_assert_eq!(take(&mut input), Ok(number));
        prop_assert!(input.is_empty());
        *bytes.last_mut().unwrap() |= 0x80;
        bytes.push(0);
        prop_assert!(take(&mut &bytes[..]).is_err());
    }

    #[test]
    fn any_bytes_give_a_number_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..12)) {
        let mut input = &bytes[..];
        if let Ok(number) = take(&mut input) {
            let mut again = Vec::new();
            put(number, &mut again);
            prop_assert_eq!(&bytes[..bytes.len() - input.len()], &again[..]);
        }
    }
}

#[test]
fn a_number_has_64_bits_and_no_more_digits_than_it_needs() {
    let ended_by = |last: &[u8]| take(&mut &[&[0xff; 9], last].concat()[..]);
    assert_eq!(ended_by(&[1]), Ok(u64::MAX));
    for beyond in [&[2][..], &[3], &[0x7f], &[0x81, 1]] {
        assert_eq!(ended_by(beyond), Err(DecodeError::Number), "{beyond:?}");
    }
    assert_eq!(ended_by(&[]), Err(DecodeError::Truncated));
    assert_eq!(take(&mut &[0][..]), Ok(0));
    assert_eq!(take(&mut &[0x80, 1][..]), Ok(128));
    assert_eq!(take(&mut &[0x81, 0][..]), Err(DecodeError::Number));
}

#[test]
fn a_clock_is_not_zero() {
    assert_eq!(take_clock(&mut &[0][..]), Err(DecodeError::Clock));
    assert_eq!(take_clock(&mut &[1][..]), Ok(1));
}

#[test]
fn a_count_is_bounded_by_the_bytes_left_and_by_the_limit() {
    let count = |input: &[u8], limit| take_count(&mut &input[..], "things", limit);
    assert_eq!(count(&[2, 9, 9], 2), Ok(2));
    assert_eq!(count(&[2, 9, 9, 9], 2), Ok(2));
    assert_eq!(count(&[2, 9], 2), Err(DecodeError::Truncated));
    assert_eq!(count(&[2, 9, 9], 1), Err(DecodeError::TooMany { what: "things", count: 2, limit: 1 }));
}

#[test]
fn a_position_lies_below_the_count() {
    assert_eq!(take_index(&mut &[1][..], 2), Ok(Index::at(1)));
    for position in [2, 3] {
        let refused = take_index(&mut &[position][..], 2);
        assert_eq!(refused, Err(DecodeError::Position { position: position.into(), count: 2 }));
    }
}

fn set(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

#[test]
fn a_set_is_a_bitmap_of_places() {
    let mut bytes = vec![7];
    put_set(&set(&[0, 1, 2]), 10, |index| [9, 3, 0][index.position()], &mut bytes);
    assert_eq!(bytes, [7, 0b1001, 0b10]);
    assert_eq!(take_set(&mut &bytes[1..], 10), Ok(set(&[0, 3, 9])));
    assert_eq!(take_set(&mut &bytes[1..2], 10), Err(DecodeError::Truncated));
    assert_eq!(take_set(&mut &[0xff][..], 8), Ok(set(&[0, 1, 2, 3, 4, 5, 6, 7])), "all positions");
    assert_eq!(take_set(&mut &[0b1010][..], 3), Err(DecodeError::Position { position: 3, count: 3 }));
}

#[test]
fn entries_are_in_the_order_of_their_authors_places() {
    let entry = |sender, clock, dests: &[usize]| Entry { sender: Index::at(sender), clock, dests: set(dests) };
    let mut bytes = Vec::new();
    let entries = [entry(0, 4, &[1]), entry(1, 5, &[0]), entry(1, 6, &[])];
    put_entries(&entries, 2, |index| 1 - index.position(), &mut bytes);
    assert_eq!(bytes, [3, 0, 5, 0b10, 0, 6, 0, 1, 4, 0b01]);
    let read = [entry(0, 5, &[1]), entry(0, 6, &[]), entry(1, 4, &[0])];
    assert_eq!(take_entries(&mut &bytes[..], 2, 3).as_deref(), Ok(&read[..]));
    let refused = take_entries(&mut &bytes[..], 2, 2);
    assert_eq!(refused, Err(DecodeError::TooMany { what: "entries", count: 3, limit: 2 }));

    for out_of_order in [[2, 0, 5, 0, 0, 5, 0], [2, 0, 6, 0, 0, 5, 0], [2, 1, 1, 0, 0, 5, 0]] {
        assert_eq!(take_entries(&mut &out_of_order[..], 2, 3), Err(DecodeError::Unordered), "{out_of_order:?}");
    }
}

/// Encodes an id, and checks that it is read back with a byte after it.
fn written<P: Id + core::fmt::Debug>(id: &P) -> Vec<u8> {
    let mut bytes = vec![9];
    id.encode(&mut bytes);
    bytes.push(5);
    let mut input = &bytes[1..];
    assert_eq!(P::decode(&mut input).as_ref(), Some(id));
    assert_eq!(input, [5], "nothing else is taken");
    let cut = &bytes[1..bytes.len() - 2];
    assert_eq!(P::decode(&mut &cut[..]), None, "a byte short");
    bytes[1..bytes.len() - 1].to_vec()
}

#[test]
fn each_id_has_one_form() {
    assert_eq!(written(&7_u8), [7]);
    assert_eq!(written(&0x102_u16), [1, 2]);
    assert_eq!(written(&0x1_0203_u32), [0, 1, 2, 3]);
    assert_eq!(written(&0x102_u64), [0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(written(&[3_u8, 2, 1]), [3, 2, 1]);
    assert_eq!(written(&"bob".to_string()), [3, b'b', b'o', b'b']);
    assert_eq!(String::decode(&mut &[1, 0xff][..]), None, "not UTF-8");
}

#[test]
fn the_kinds_of_numbers_have_names() {
    assert_eq!([Numbered::Process, Numbered::Set].map(|what| what.to_string()), ["process", "set"]);
}
