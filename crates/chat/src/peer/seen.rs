//! Who has a message of mine: what is outstanding of it in the outbox; what has left the outbox is with everybody.

use causal::{Index, Set};

use crate::history::Entry;
use crate::store::Store;
use crate::{Answer, MessageId, Refusal, Who};

use super::{Now, Peer};

impl<S: Store> Peer<S> {
    pub(super) fn seen(&mut self, now: Now, nth: Option<usize>, message: Option<MessageId>) -> Result<Answer, Refusal> {
        // What was said in this turn counts.
        self.flush(now);
        let mine = |entry: &Entry| entry.kept.id().process == self.me;
        let entry = match message {
            Some(message) => {
                let entry = self.filed(message).and_then(|kept| self.entry_of(kept)).filter(mine);
                entry.ok_or(Refusal::NotInHistory { message })?
            }
            None => self.look_back(nth.unwrap_or(1), mine).map_err(|said| Refusal::NothingSaid { said })?,
        };
        let stamp = entry.kept.stamp();
        let dests = stamp.dests.difference(self.causal.forgotten());
        let nobody = Set::new();
        let outstanding = self.outbox.message(stamp.clock).map_or(&nobody, |outgoing| &outgoing.outstanding);
        let by = dests.difference(outstanding);
        let (here, away): (Vec<Index>, Vec<Index>) =
            outstanding.iter().partition(|process| self.link_of.contains_key(process));
        let (by, not_by, away) = (self.people(by.iter()), self.people(here.into_iter()), self.people(away.into_iter()));
        let message = self.read(&entry).ok_or(Refusal::NothingSaid { said: 0 })?;
        Ok(Answer::Seen { message, by, not_by, away })
    }

    /// These people as shown, sorted by label.
    pub(super) fn people(&self, processes: impl Iterator<Item = Index>) -> Vec<Who> {
        let mut people: Vec<Who> =
            processes.map(|process| (*self.directory.who(self.person_of(process))).clone()).collect();
        people.sort_by(|one, other| one.label.cmp(&other.label));
        people
    }
}
