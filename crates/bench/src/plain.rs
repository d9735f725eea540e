//! The length of a rival's messages in a plain encoding: numbers with seven bits per byte, processes by number, and a set as a
//! list or a bitmap, whichever is shorter.

use std::collections::BTreeSet;

pub(crate) fn number(number: u64) -> usize {
    (u64::BITS - number.leading_zeros()).div_ceil(7).max(1) as usize
}

pub(crate) fn process(process: usize) -> usize {
    number(process as u64)
}

pub(crate) fn set(members: &BTreeSet<usize>, size: usize) -> usize {
    let list: usize = members.iter().map(|&member| process(member)).sum();
    process(members.len() << 1) + list.min(size.div_ceil(8))
}
