use std::collections::BTreeSet;
use std::vec::Vec;

use proptest::prelude::*;

use super::Set;
use crate::Index;

fn set(positions: &BTreeSet<usize>) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

fn positions(set: &Set) -> BTreeSet<usize> {
    set.iter().map(Index::position).collect()
}

fn members() -> impl Strategy<Value = BTreeSet<usize>> {
    prop_oneof![
        prop::collection::btree_set(0..8_usize, 0..8),
        prop::collection::btree_set(0..200_usize, 0..12),
        prop::collection::btree_set(100..600_usize, 0..40),
    ]
}

proptest! {
    #[test]
    fn operations_agree_with_an_ordered_set(a in members(), b in members(), one in 0..600_usize) {
        let (x, y) = (set(&a), set(&b));
        prop_assert_eq!(positions(&x), a.clone());
        prop_assert_eq!(positions(&x.difference(&y)), a.difference(&b).copied().collect());
        prop_assert_eq!(positions(&x.intersection(&y)), a.intersection(&b).copied().collect());
        let mut union = x.clone();
        union.extend_from(&y);
        prop_assert_eq!(positions(&union), a.union(&b).copied().collect());
        prop_assert_eq!(x.is_subset(&y), a.is_subset(&b));
        prop_assert_eq!(x.len(), a.len());
        prop_assert_eq!(x.is_empty(), a.is_empty());
        prop_assert_eq!(x.end(), a.last().map_or(0, |last| last + 1));
        prop_assert_eq!(x == y, a == b);
        prop_assert_eq!(x.cmp(&y).is_eq(), a == b);

        let (mut grown, mut shrunk) = (x.clone(), x.clone());
        prop_assert_eq!(grown.insert(Index::at(one)), !a.contains(&one));
        prop_assert_eq!(shrunk.remove(Index::at(one)), a.contains(&one));
        prop_assert_eq!(positions(&grown), a.iter().copied().chain([one]).collect());
        prop_assert_eq!(positions(&shrunk), a.iter().copied().filter(|&p| p != one).collect());
        prop_assert_eq!(positions(&x), a.clone(), "the set that was cloned is left alone");
        prop_assert_eq!(grown.contains(Index::at(one)), true);
        prop_assert_eq!(shrunk.contains(Index::at(one)), false);
    }

    #[test]
    fn what_is_left_compares_equal_however_it_came_about(a in members(), b in members()) {
        let (x, y) = (set(&a), set(&b));
        let left: BTreeSet<usize> = a.difference(&b).copied().collect();
        let one_by_one = b.iter().fold(x.clone(), |mut rest, &p| { rest.remove(Index::at(p)); rest });
        prop_assert_eq!(&x.difference(&y), &one_by_one);
        prop_assert_eq!(&one_by_one, &set(&left));
        let mut inserted = Set::new();
        for &position in left.iter().rev().collect::<Vec<_>>() { inserted.insert(Index::at(position)); }
        prop_assert_eq!(&inserted, &one_by_one);
        prop_assert_eq!(inserted.is_empty(), left.is_empty());
        prop_assert_eq!(one_by_one.is_empty(), left.is_empty());
    }
}

#[test]
fn a_large_set_shrinks_to_nothing() {
    let mut set: Set = [3, 400].map(Index::at).into_iter().collect();
    assert!(set.remove(Index::at(400)));
    assert!(!set.is_empty());
    set.remove_if_inline(Index::at(3));
    assert!(set.is_empty());
}
