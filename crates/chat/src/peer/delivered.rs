//! Which texts of mine are with those whom they are addressed to: user interfaces mark each once, without asking again and again.

use std::collections::BTreeSet;

use causal::Clock;

use crate::store::Store;
use crate::{Event, MessageId};

use super::Peer;

/// What was sent and is not with everybody who is here, or with nobody yet; at most `Config::max_undelivered`.
#[derive(Debug, Default)]
pub(super) struct Undelivered(BTreeSet<Clock>);

impl<S: Store> Peer<S> {
    /// A text of mine is stamped.
    pub(super) fn watch_delivery(&mut self, clock: Clock) {
        if self.undelivered.0.len() < self.config.max_undelivered {
            self.undelivered.0.insert(clock);
        }
    }

    /// Watches what was in the outbox when this process was stopped.
    pub(super) fn restore_undelivered(&mut self) {
        self.undelivered.0 = self.newest_undelivered().collect();
    }

    /// Tells user interfaces what has been delivered since.
    pub(super) fn tell_delivered(&mut self) {
        let delivered: Vec<Clock> =
            self.undelivered.0.iter().copied().filter(|&clock| self.is_delivered(clock)).collect();
        if delivered.is_empty() {
            return;
        }
        for clock in &delivered {
            self.undelivered.0.remove(clock);
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
        waiting.filter(|&clock| !self.is_delivered(clock))
    }

    /// Whether a message of mine is with everybody whom it is addressed to and who is here, and with one of them at least.
    fn is_delivered(&self, clock: Clock) -> bool {
        let Some(outgoing) = self.outbox.message(clock) else { return true };
        let is_with_one = outgoing.outstanding.len() < outgoing.kept.dests().len();
        is_with_one && !outgoing.outstanding.iter().any(|process| self.link_of.contains_key(&process))
    }
}
