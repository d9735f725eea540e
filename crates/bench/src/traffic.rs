//! The destinations of messages.

use std::collections::BTreeSet;

use fastrand::Rng;

/// The share of each kind of destinations, in percent of the messages. The remaining messages go to one other process each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Traffic {
    /// To all others.
    pub all: usize,
    /// To a group of which the author is a member. The groups are fixed, and each process is in two of them.
    pub groups: usize,
    /// To others that are drawn anew for each message.
    pub drawn: usize,
    /// The size of a group, its author included, and the number of others that are drawn.
    pub set: usize,
}

impl Traffic {
    /// Each message goes to all others.
    pub const ALL: Self = Self { all: 100, groups: 0, drawn: 0, set: 0 };
    /// Each message goes to one other process.
    pub const DIRECT: Self = Self { all: 0, ..Self::ALL };

    /// The traffic of a chat: 30 % to all, 40 % to groups of `set`, 30 % to one other process.
    pub const fn chat(set: usize) -> Self {
        Self { all: 30, groups: 40, drawn: 0, set }
    }

    /// `share` percent to `set` others that are drawn anew, the rest to one other process.
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
