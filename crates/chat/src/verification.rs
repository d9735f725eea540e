//! A code that two people compare aloud, so that each knows that the other's key is the one on the screen.
//!
//! Both screens show the same code, which is made of both keys: thirty digits, some 99 bits, of a hash that is iterated so that
//! trying keys takes time. A program that stands between two people and shows each of them a key of its own must find two keys whose codes are the
//! same; that takes some 2^50 tries (the birthday bound), each of [`ROUNDS`] hashes. To pass as one of them to the other
//! alone takes 2^99.

use sha2::{Digest as _, Sha512};

use crate::PersonId;

const DOMAIN: &[u8] = b"causerie verification v1";

/// How often the hash is iterated: a few milliseconds, which nobody notices who asks for one code.
const ROUNDS: u32 = 5200;

/// Groups of digits in a code, of five digits each.
const GROUPS: usize = 6;

/// The code of two people, the same whichever of them is named first: six groups of five digits.
pub(crate) fn code(one: &PersonId, other: &PersonId) -> String {
    let keys = [one.min(other).public_key().as_slice(), one.max(other).public_key().as_slice()].concat();
    let mut hash = Sha512::new().chain_update(DOMAIN).chain_update(&keys).finalize();
    for _ in 1..ROUNDS {
        hash = Sha512::new().chain_update(hash).chain_update(&keys).finalize();
    }
    let group = |bytes: &[u8]| {
        let number = bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("{:05}", number % 100_000)
    };
    // Five bytes make a group: no digit is more likely than another by more than one part in ten million.
    let groups: Vec<String> = hash.chunks(5).take(GROUPS).map(group).collect();
    groups.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(seed: u8) -> PersonId {
        crate::Identity::from_seed([seed; 32]).person()
    }

    #[test]
    fn both_sides_see_the_same_code_and_nobody_else_does() {
        let ours = code(&person(1), &person(2));
        assert_eq!(ours, code(&person(2), &person(1)));
        for (one, other) in [(1, 3), (2, 3), (1, 1), (2, 2)] {
            assert_ne!(ours, code(&person(one), &person(other)), "{one} {other}");
        }
        let groups: Vec<&str> = ours.split(' ').collect();
        assert!(groups.len() == 6 && groups.iter().all(|group| group.len() == 5), "{ours}");
        assert!(ours.bytes().all(|byte| byte == b' ' || byte.is_ascii_digit()), "{ours}");
    }

    /// It must be the same in every version: people may have written it down.
    #[test]
    fn the_code_of_two_keys_never_changes() {
        let (one, other) = (PersonId::new([1; 32]), PersonId::new([2; 32]));
        assert_eq!(code(&one, &other), "37515 03701 81239 50551 32118 04782");
    }
}
