//! How much of a key tells people of one name apart.

use super::*;
use crate::directory::namesakes::{Looks, Namesakes, looks};

fn key(number: u32) -> PersonId {
    let mut key = [0; 32];
    key[..4].copy_from_slice(&number.to_le_bytes());
    key[28..].copy_from_slice(&number.wrapping_mul(0x9e37_79b1).to_le_bytes());
    PersonId::new(key)
}

/// Two keys whose last four characters are the same but for case.
fn alike() -> [PersonId; 2] {
    let mut known: BTreeMap<String, PersonId> = BTreeMap::new();
    for person in (0..).map(key) {
        let ending = person.ending(4).to_lowercase();
        if let Some(other) = known.insert(ending, person) {
            return [other, person];
        }
    }
    unreachable!("there are few endings of four characters")
}

fn bob(person: PersonId) -> Looks {
    looks(&name("bob"), person)
}

#[test]
fn a_fingerprint_grows_until_it_tells_people_apart_and_shrinks_again() {
    let mut all = Namesakes::default();
    let ([one, other], third) = (alike(), person(3));
    let length = |all: &Namesakes, person| all.fingerprint_length(person, &bob(person));
    assert!(all.rename(one, &Looks::new(), &bob(one)).is_empty());
    assert_eq!(length(&all, one), None);
    assert_eq!(all.rename(third, &Looks::new(), &bob(third)), BTreeSet::from([one]));
    assert_eq!((length(&all, one), length(&all, third)), (Some(4), Some(4)));
    assert!(all.rename(other, &Looks::new(), &bob(other)).contains(&one));
    let long = length(&all, one).unwrap();
    assert!(long > 4);
    assert_eq!((length(&all, other), length(&all, third)), (Some(long), Some(4)));
    assert_eq!(one.ending(long - 1).to_lowercase(), other.ending(long - 1).to_lowercase());
    assert_ne!(one.ending(long).to_lowercase(), other.ending(long).to_lowercase());
    // Whatever the order in which they came.
    let mut again = Namesakes::default();
    for person in [other, third, one] {
        again.rename(person, &Looks::new(), &bob(person));
    }
    for person in [one, other, third] {
        assert_eq!(length(&again, person), length(&all, person));
    }
    assert!(all.rename(other, &bob(other), &Looks::new()).contains(&one));
    assert_eq!((length(&all, one), length(&all, third)), (Some(4), Some(4)));
    assert_eq!(all.rename(third, &bob(third), &Looks::new()), BTreeSet::from([one]));
    assert_eq!(length(&all, one), None);
}
