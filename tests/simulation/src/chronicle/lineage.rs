//! What one store has been through.

use std::collections::{BTreeMap, BTreeSet};

use chat::{MessageId, ProcessId};

use super::{Number, TextNumber};

/// What one store has been through. A copy of the store comes with a copy of this.
#[derive(Clone, Debug, Default)]
pub struct Lineage {
    /// The process that writes here.
    pub process: Option<Number>,
    /// The processes that have written here.
    pub lives: BTreeSet<ProcessId>,
    /// The causal past of what it does next.
    pub past: Vec<u64>,
    /// The messages delivered here.
    pub delivered: BTreeSet<MessageId>,
    /// What was given up here: an author, and its clocks from and to.
    pub given_up: Vec<(ProcessId, u64, u64)>,
    /// The same, including clocks that were not used yet. Messages with these clocks are called late.
    pub calls_late: Vec<(ProcessId, u64, u64)>,
    /// The processes that are one of two copies to this peer: how far the copy that it heard had come, at the least. Asked about
    /// later clocks, that copy rightly says that it has sent no such messages.
    pub heard_copies: BTreeMap<ProcessId, u64>,
    /// The texts shown here, including the user's own, in order.
    pub read: Vec<TextNumber>,
    /// The same, for lookup.
    pub shown: BTreeSet<TextNumber>,
    /// The groups that its person is in. For each, how many texts had been shown when the person joined.
    pub groups: BTreeMap<String, usize>,
    /// The messages that were sent from here.
    pub own: BTreeSet<MessageId>,
    /// The store is a copy that was put back, or one of two copies that both run, and its peer has not begun anew since
    /// then.
    pub rolled_back: bool,
    /// How far its process had come when the copy was made.
    pub copied_at: u64,
    /// How far its process had come when it was started.
    pub started_at: u64,
    /// There is another copy of it, or there was one of an earlier store of its person.
    pub forked: bool,
    /// The words that were to go out later, as this store has them.
    pub promised: BTreeSet<String>,
    /// Those of these words that were taken back.
    pub cancelled: BTreeSet<String>,
    /// Its user was told that history could not be fetched.
    pub lacks_history: bool,
}

impl Lineage {
    /// A copy of the store is made, and a peer goes on from each of the two.
    pub fn fork(&mut self) {
        if !self.rolled_back {
            self.copied_at = self.clock();
        }
        (self.rolled_back, self.forked) = (true, true);
    }

    /// How far the process that writes here has come.
    pub fn clock(&self) -> u64 {
        self.process.and_then(|process| self.past.get(process).copied()).unwrap_or(0)
    }

    /// A process that begins anew disowns what it said beyond this clock: those clocks may have been used before. If
    /// two copies run, this one may only have heard that the other one began anew.
    pub(super) fn disowned_beyond(&self) -> Option<u64> {
        let since_start = self.forked.then_some(self.started_at);
        self.rolled_back.then_some(self.copied_at).or(since_start)
    }

    /// Whether this message may be called late here.
    pub fn calls_late(&self, id: MessageId) -> bool {
        contain(&self.calls_late, id)
    }

    /// A frame came from one of two copies of a peer, which runs as this process and has come this far.
    pub fn hear_copy(&mut self, process: ProcessId, clock: u64) {
        let heard = self.heard_copies.entry(process).or_insert(clock);
        *heard = clock.min(*heard);
    }

    /// Whether the copy of its author that was heard here may have known nothing of this message.
    pub fn heard_another_copy(&self, id: MessageId) -> bool {
        self.heard_copies.get(&id.process).is_some_and(|&clock| clock < id.clock)
    }

    /// The clocks that no message seemed to have here, although one may have: what was given up, and what a copy of its author
    /// knew nothing of.
    pub fn passed_over(&self) -> impl Iterator<Item = (ProcessId, u64, u64)> {
        let copies = self.heard_copies.iter().map(|(&process, &clock)| (process, clock + 1, u64::MAX));
        self.given_up.iter().copied().chain(copies)
    }

    /// Whether this message was given up here.
    pub fn gave_up(&self, id: MessageId) -> bool {
        contain(&self.given_up, id)
    }
}

pub(super) fn contain(ranges: &[(ProcessId, u64, u64)], id: MessageId) -> bool {
    ranges.iter().any(|&(author, from, to)| author == id.process && (from..=to).contains(&id.clock))
}
