//! Who writes to whom.

use std::collections::BTreeSet;

use fastrand::Rng;

/// Who writes to whom, in percent of the messages; those that are left over go to single others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// To everybody.
    pub all: usize,
    /// To a group that the author is in. The groups are fixed, and each process is in two of them.
    pub groups: usize,
    /// To others drawn afresh for each message.
    pub drawn: usize,
    /// How many a group has, its author included, and to how many others go those drawn.
    pub set: usize,
}

impl Traffic {
    /// Everybody to all.
    pub const ALL: Self = Self { all: 100, groups: 0, drawn: 0, set: 0 };
    /// To single others only.
    pub const DIRECT: Self = Self { all: 0, ..Self::ALL };

    /// A chat's: 30 % to all, 40 % to groups of `set`, 30 % to single others.
    pub const fn chat(set: usize) -> Self {
        Self { all: 30, groups: 40, drawn: 0, set }
    }

    /// `share` percent to `set` others drawn afresh, the rest to single others.
    pub const fn drawn(share: usize, set: usize) -> Self {
        Self { all: 0, groups: 0, drawn: share, set }
    }

    pub(crate) fn dests(&self, author: usize, size: usize, random: &mut Rng) -> BTreeSet<usize> {
        let kind = random.usize(..100);
        if kind < self.all {
            return (0..size).filter(|&other| other != author).collect();
        }
        if kind < self.all + self.groups {
            let half = self.set / 2;
            let first = (author / half + size.div_ceil(half) - random.usize(..2)) % size.div_ceil(half) * half;
            return (first..first + self.set).map(|member| member % size).filter(|&other| other != author).collect();
        }
        let count = if kind < self.all + self.groups + self.drawn { self.set } else { 1 };
        let others = (0..size).filter(|&other| other != author);
        random.choose_multiple(others, count).into_iter().collect()
    }
}
