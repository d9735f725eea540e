use alloc::sync::Arc;
use core::cmp::Ordering;
use std::collections::BTreeSet;
use std::format;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Set, Words};
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
        prop_assert_eq!(positions(&x), a.clone(), "the cloned set does not change");
        prop_assert_eq!(grown.contains(Index::at(one)), true);
        prop_assert_eq!(shrunk.contains(Index::at(one)), false);
    }

    #[test]
    fn sets_with_equal_members_are_equal_however_they_were_made(a in members(), b in members()) {
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

fn of(positions: &[usize]) -> Set {
    positions.iter().map(|&position| Index::at(position)).collect()
}

/// Whether the two share the same memory.
fn shared(a: &Set, b: &Set) -> bool {
    matches!((&a.0, &b.0), (Words::Shared(a), Words::Shared(b)) if Arc::ptr_eq(a, b))
}

#[test]
fn a_large_set_that_loses_no_member_stays_shared() {
    let large = of(&[1, 2, 300]);
    let after = |change: fn(&mut Set)| {
        let mut changed = large.clone();
        change(&mut changed);
        (shared(&changed, &large), changed)
    };
    assert_eq!(after(|set| set.subtract(&of(&[5, 301]))), (true, large.clone()));
    assert_eq!(after(|set| set.intersect(&of(&[1, 2, 3, 300]))), (true, large.clone()));
    assert_eq!(after(|set| set.remove_if_inline(Index::at(1))), (true, large.clone()));
    assert_eq!(after(|set| _ = set.remove(Index::at(5))), (true, large.clone()));
    assert_eq!(after(|set| _ = set.insert(Index::at(2))), (true, large.clone()));
    assert_eq!(after(|set| set.subtract(&of(&[1]))), (false, of(&[2, 300])));
    assert_eq!(after(|set| set.intersect(&of(&[1, 300]))), (false, of(&[1, 300])));
}

#[test]
fn a_set_within_the_first_128_processes_lies_inline() {
    let inline = |set: &Set| matches!(set.0, Words::Inline(_));
    let change = |change: fn(&mut Set)| {
        let mut set = of(&[1, 127, 128]);
        assert!(!inline(&set));
        change(&mut set);
        assert_eq!(set, of(&[1, 127]));
        inline(&set)
    };
    assert!(change(|set| _ = set.remove(Index::at(128))));
    assert!(change(|set| set.subtract(&of(&[128, 200]))));
    assert!(change(|set| set.intersect(&of(&[1, 127]))));
    assert!(inline(&of(&[0, 127])));
    assert_eq!(of(&[128]).words().len(), 3, "no more words than necessary");
}

#[test]
fn small_sets_are_narrowed_in_place() {
    let mut set = of(&[0, 1, 63, 64, 127]);
    set.subtract(&of(&[1, 64, 200]));
    assert_eq!(set, of(&[0, 63, 127]));
    set.intersect(&of(&[0, 1, 127, 200]));
    assert_eq!(set, of(&[0, 127]));
    set.remove_if_inline(Index::at(200));
    set.remove_if_inline(Index::at(127));
    assert_eq!(set, of(&[0]));
}

#[test]
fn sets_have_a_total_order_and_show_their_members() {
    let (less, more) = (of(&[0]), of(&[1]));
    assert!(less < more && less.partial_cmp(&less) == Some(Ordering::Equal) && more.cmp(&less) == Ordering::Greater);
    assert_eq!(format!("{:?}", of(&[1, 200])), "{1, 200}");
    assert_eq!(Set::default(), of(&[]));
}
