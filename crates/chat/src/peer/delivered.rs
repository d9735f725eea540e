//! Which texts of mine are with those whom they are addressed to: user interfaces mark each once, without asking again and again.

use std::collections::BTreeSet;
use std::time::Duration;

use causal::{Clock, Set};

use crate::store::Store;
use crate::{Event, MessageId};

use super::Peer;
use super::notice::Notice;

/// What was sent and is not with everybody who is here, or with nobody yet; at most `Config::max_undelivered`.
#[derive(Debug, Default)]
pub(super) struct Undelivered {
    clocks: BTreeSet<Clock>,
    /// Who was here when they were last looked at.
    here: Set,
    /// Some may be delivered since.
    notice: Notice,
}

impl Undelivered {
    /// When they are to be looked at (monotonic), and why.
    pub(super) fn next(&self) -> Option<(Duration, &'static str)> {
        self.notice.next().map(|at| (at, "messages may have been delivered"))
    }
}

impl<S: Store> Peer<S> {
    /// A text of mine is stamped.
    pub(super) fn watch_delivery(&mut self, clock: Clock) {
        if self.undelivered.clocks.len() < self.config.max_undelivered {
            self.undelivered.clocks.insert(clock);
        }
    }

    /// Watches what was in the outbox when this process was stopped.
    pub(super) fn restore_undelivered(&mut self) {
        self.undelivered.clocks = self.newest_undelivered().collect();
    }

    /// Tells user interfaces what has been delivered since.
    pub(super) fn tell_delivered(&mut self, now: Duration) {
        let here = self.processes_here();
        let is_news = self.outbox.take_news() | (here != self.undelivered.here);
        if is_news && !self.undelivered.clocks.is_empty() {
            self.undelivered.notice.note();
        }
        if !self.undelivered.notice.take(now) {
            return;
        }
        let watched = self.undelivered.clocks.iter().copied();
        let delivered: Vec<Clock> = watched.filter(|&clock| self.is_delivered(clock, &here)).collect();
        self.undelivered.here = here;
        if delivered.is_empty() {
            return;
        }
        for clock in &delivered {
            self.undelivered.clocks.remove(clock);
        }
        let messages = delivered.into_iter().map(|clock| self.id_of(self.causal.me(), clock)).collect();
        self.tell(Event::Delivered { messages });
    }

    /// What is not delivered: the newest of it, oldest first.
    pub(super) fn undelivered(&self) -> Vec<MessageId> {
        self.newest_undelivered().map(|clock| self.id_of(self.causal.me(), clock)).collect()
    }

    fn newest_undelivered(&self) -> impl Iterator<Item = Clock> {
        let after = self.outbox.last().saturating_sub(self.config.max_undelivered as Clock);
        let waiting = self.outbox.after(after).map(|outgoing| outgoing.kept.clock());
        let here = self.processes_here();
        waiting.filter(move |&clock| !self.is_delivered(clock, &here))
    }

    pub(super) fn processes_here(&self) -> Set {
        self.link_of.keys().copied().collect()
    }

    /// Whether a message of mine is with everybody whom it is addressed to and who is `here`, and with one of them at least.
    fn is_delivered(&self, clock: Clock, here: &Set) -> bool {
        let Some(outgoing) = self.outbox.message(clock) else { return true };
        let is_with_one = outgoing.outstanding.len() < outgoing.kept.dests().len();
        is_with_one && !outgoing.outstanding.iter().any(|process| here.contains(process))
    }
}
