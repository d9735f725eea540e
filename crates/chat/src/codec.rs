//! The one place that knows bincode: every value that travels or is kept, but for what is laid out by hand.
//!
//! bincode 2.0.1, serde, its standard configuration: little-endian, integers of variable length. What its decoder does
//! not do by itself is done here or is a duty of the types:
//!
//! - It accepts bytes behind the value. Here they are refused.
//! - It believes the length of a text or of bytes and sets that much aside before it looks; the limit of 16 MiB stops it.
//! - The limit counts an integer by its full width, eight bytes for a `u64` that travels as one, so it is eight times the
//!   longest input. It does not count sequences at all: the number of elements is bounded by the input only if each takes
//!   at least one byte. So **no type that is decoded here may hold elements of no size** (`Vec<()>`), and
//!   **none may hold itself** (the decoder recurses, and a stack overflow cannot be caught).
//! - An integer has several spellings. What is signed is therefore kept and compared as the bytes that were signed.
//! - `Vec<u8>` is decoded one byte at a time: use [`Bytes`].

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The longest input, in bytes: the longest frame that a link accepts.
pub(crate) const MAX_INPUT: usize = 2 * 1024 * 1024;

/// The most that what was kept may take, by the same count. What this peer kept it must be able to read: it is bounded where it
/// comes in, so this only keeps a damaged file from taking all memory.
const MAX_KEPT: usize = 1 << 32;

type Standard<const LIMIT: usize> = bincode::config::Configuration<
    bincode::config::LittleEndian,
    bincode::config::Varint,
    bincode::config::Limit<LIMIT>,
>;

const CONFIG: Standard<{ 8 * MAX_INPUT }> = bincode::config::standard().with_limit::<{ 8 * MAX_INPUT }>();
const CONFIG_OF_KEPT: Standard<MAX_KEPT> = bincode::config::standard().with_limit::<MAX_KEPT>();

/// Bytes that are not what they should be; the text says why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed: {reason}")]
pub struct Malformed {
    reason: &'static str,
}

impl Malformed {
    pub(crate) const fn new(reason: &'static str) -> Self {
        Self { reason }
    }
}

/// The bytes of a value.
///
/// # Panics
/// Never with the types of this crate: a value fails to encode only by a `Serialize` of its own making, or as a sequence
/// that does not know its length.
pub(crate) fn encode<T: Serialize + ?Sized>(value: &T) -> Bytes {
    let bytes = bincode::serde::encode_to_vec(value, CONFIG);
    bytes.expect("the types of this crate know their lengths and refuse nothing").into()
}

/// The value whose bytes these are, all of them.
///
/// # Errors
/// [`Malformed`] for more than `limit` bytes (at most [`MAX_INPUT`]), for anything that is not a `T`, and for bytes left
/// behind it.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], limit: usize) -> Result<T, Malformed> {
    if bytes.len() > limit.min(MAX_INPUT) {
        return Err(Malformed::new("longer than its limit"));
    }
    decode_by(bytes, CONFIG)
}

/// The value whose bytes these are, all of them, as this peer kept it: it may be longer than any frame.
///
/// # Errors
/// [`Malformed`] for anything that is not a `T`, and for bytes left behind it.
pub(crate) fn decode_kept<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    decode_by(bytes, CONFIG_OF_KEPT)
}

fn decode_by<T: DeserializeOwned>(bytes: &[u8], config: impl bincode::config::Config) -> Result<T, Malformed> {
    let (value, consumed) =
        bincode::serde::decode_from_slice(bytes, config).map_err(|_| Malformed::new("not a value of its kind"))?;
    if consumed != bytes.len() {
        return Err(Malformed::new("bytes left behind the value"));
    }
    Ok(value)
}

/// Takes `N` bytes off the front of what is laid out by hand; `None` where there are fewer.
pub(crate) fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Sample {
        Number(i64, u32),
        Text { text: String, flag: bool, maybe: Option<u64> },
        Many(Vec<(u64, String)>, BTreeMap<u32, Bytes>, BTreeSet<[u8; 3]>),
    }

    fn sample() -> impl Strategy<Value = Sample> {
        prop_oneof![
            any::<(i64, u32)>().prop_map(|(a, b)| Sample::Number(a, b)),
            any::<(String, bool, Option<u64>)>().prop_map(|(text, flag, maybe)| Sample::Text { text, flag, maybe }),
            any::<(Vec<(u64, String)>, BTreeMap<u32, Vec<u8>>, BTreeSet<[u8; 3]>)>().prop_map(|(a, b, c)| {
                Sample::Many(a, b.into_iter().map(|(key, bytes)| (key, bytes.into())).collect(), c)
            }),
        ]
    }

    proptest! {
        #[test]
        fn what_was_encoded_decodes(sample in sample()) {
            prop_assert_eq!(decode::<Sample>(&encode(&sample), MAX_INPUT), Ok(sample));
        }

        #[test]
        fn nothing_may_follow_and_nothing_may_lack(sample in sample(), cut in any::<prop::sample::Index>(), more in 0..=255u8) {
            let bytes = encode(&sample);
            let mut longer = bytes.to_vec();
            longer.push(more);
            prop_assert_eq!(decode::<Sample>(&longer, MAX_INPUT), Err(Malformed::new("bytes left behind the value")));
            prop_assert!(decode::<Sample>(&bytes[..cut.index(bytes.len())], MAX_INPUT).is_err());
        }

        #[test]
        fn rubbish_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = decode::<Sample>(&bytes, MAX_INPUT);
        }
    }

    #[test]
    fn a_length_that_is_not_there_is_refused() {
        // Variant 1, then a text of 2^40 bytes, 15 MiB, or as many elements.
        for length in [1u64 << 40, 15 << 20, u64::MAX] {
            let mut bytes = vec![1, 0xfd];
            bytes.extend(length.to_le_bytes());
            assert!(decode::<Sample>(&bytes, MAX_INPUT).is_err());
            bytes[0] = 2;
            assert!(decode::<Sample>(&bytes, MAX_INPUT).is_err());
        }
    }

    #[test]
    fn the_longest_input_decodes_whatever_it_is_made_of() {
        let small = vec![1u64; MAX_INPUT - 5];
        let bytes = encode(&small);
        assert_eq!(bytes.len(), MAX_INPUT);
        assert_eq!(decode::<Vec<u64>>(&bytes, MAX_INPUT), Ok(small));
        assert_eq!(decode::<Vec<u64>>(&bytes, MAX_INPUT - 1), Err(Malformed::new("longer than its limit")));
    }

    #[test]
    fn what_was_kept_may_be_longer() {
        let large = vec![1u64; MAX_INPUT];
        let bytes = encode(&large);
        assert!(bytes.len() > MAX_INPUT);
        assert_eq!(decode_kept::<Vec<u64>>(&bytes), Ok(large));
        assert!(decode_kept::<Vec<u64>>(&bytes[1..]).is_err());
    }
}
