//! What two copies of one peer do to the chronicle: one id may stand for two messages, and one text may have several
//! ids.

use std::rc::Rc;

use super::{Chronicle, Sent, Text};

impl Chronicle {
    /// Whether a text was said more than once, or under an id that another text also has, or that its author disowned.
    pub fn is_doubtful(&self, text: &Text) -> bool {
        text.sent_as.len() > 1 || text.sent_as.iter().any(|id| self.twice.contains(id))
    }

    /// Whether a message that two copies sent under one clock lies between these two. The later message names that one,
    /// but a receiver may have the other one.
    pub fn is_behind_a_clock_used_twice(&self, first: &Sent, later: &Sent) -> bool {
        let past_of = |past: &[u64], author: usize| past.get(author).copied().unwrap_or(0);
        // A peer that begins anew does not rely on what it said since its start.
        let disowns = |later: &Sent, between: &Sent| {
            let former = self.anew.get(&later.author);
            former.is_some_and(|&(former, since)| former == between.author && between.clock > since)
        };
        self.twice.iter().filter_map(|id| self.sent.get(id)).any(|between| {
            let before = between.before_either.as_ref().is_some_and(|past| past_of(past, first.author) >= first.clock);
            before && past_of(&later.past, between.author) >= between.clock && !disowns(later, between)
        })
    }
}

/// What happened before the one message or before the other.
pub(super) fn either(one: &[u64], other: &[u64]) -> Rc<[u64]> {
    let at = |past: &[u64], author| past.get(author).copied().unwrap_or(0);
    (0..one.len().max(other.len())).map(|author| at(one, author).max(at(other, author))).collect()
}
