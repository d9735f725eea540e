//! Texts that are said again: each is shown once.
//!
//! A peer that begins anew cannot tell which of its last texts reached whom. So it says them again, and each of these names what it was
//! said as first ([`TextHead::first`](crate::body::TextHead)). Where both are, the text is filed under both ids, so that
//! it can be handed on under either, and shown under the id that came first.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::batch::Hash;
use crate::body::First;
use crate::history::Entry;
use crate::kept::Kept;
use crate::store::Store;
use crate::{MessageId, PersonId};

use super::Peer;

/// Under which id each text was said again that came first, by what it was said as first and by what it says: copies of one peer may
/// have said different texts under one clock. It is read from the newest history at the start.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    again: BTreeMap<PersonId, BTreeMap<(First, Hash), MessageId>>,
    /// What was shown in this run and is not filed, because another text of its author is filed under its id.
    unfiled: BTreeMap<PersonId, BTreeSet<(First, Hash)>>,
}

impl Repeats {
    /// Notes a text that was said again, if none was noted that says the same; no more than `limit` of each author.
    fn note(&mut self, first: MessageId, says: Hash, again: MessageId, limit: usize) {
        let of_author = self.again.entry(first.process.person).or_default();
        if of_author.len() < limit {
            of_author.entry((first.into(), says)).or_insert(again);
        }
    }

    fn of(&self, first: MessageId, says: Hash) -> Option<MessageId> {
        self.again.get(&first.process.person)?.get(&(first.into(), says)).copied()
    }

    fn note_unfiled(&mut self, id: MessageId, says: Hash, limit: usize) {
        let of_author = self.unfiled.entry(id.process.person).or_default();
        if of_author.len() < limit {
            of_author.insert((id.into(), says));
        }
    }

    fn is_unfiled(&self, id: MessageId, says: Hash) -> bool {
        self.unfiled.get(&id.process.person).is_some_and(|of_author| of_author.contains(&(id.into(), says)))
    }

    /// Whether something was said again that was said as this first.
    pub(super) fn has(&self, first: MessageId) -> bool {
        let all = (first.into(), [0; 32])..=(first.into(), [u8::MAX; 32]);
        self.again.get(&first.process.person).is_some_and(|of_author| of_author.range(all).next().is_some())
    }
}

impl<S: Store> Peer<S> {
    pub(super) fn restore_repeats(&mut self) {
        self.repeats = Repeats::default();
        for entry in self.store.newest(None, None, self.config.max_resent).into_iter().rev() {
            self.note_repeat(&entry);
        }
    }

    fn note_repeat(&mut self, entry: &Entry) {
        if let (Some(first), Some(says)) = (entry.first(), says(entry)) {
            self.repeats.note(first, says, entry.kept.id(), self.config.max_resent);
        }
    }

    /// Whether a text that comes to be shown was shown already, under another id.
    pub(super) fn was_shown_before(&mut self, entry: &Entry) -> bool {
        self.note_repeat(entry);
        match entry.first() {
            Some(first) => {
                self.is_repetition(entry) || says(entry).is_some_and(|says| self.repeats.is_unfiled(first, says))
            }
            None => self.is_here_as_said_again(entry.kept.id(), entry),
        }
    }

    /// A text was delivered. If two copies of its author used its clock, the text of the other one may be filed as history.
    pub(super) fn note_filed(&mut self, entry: &Entry) {
        let id = entry.kept.id();
        let was_fetched = self.talks.entry(&entry.conversation).fetched.of(entry.kept.sender()) >= id.clock;
        if was_fetched
            && let Some(says) = says(entry)
            && let Some(filed) = self.filed(id).and_then(|kept| self.entry_of(kept))
            && filed.text() != entry.text()
        {
            self.repeats.note_unfiled(id, says, self.config.max_resent);
        }
    }

    /// Whether a text of the history is one that stands there under the id that it was said as first, or an id under which it came
    /// before. Texts that are said again as each other do not hide each other.
    pub(super) fn is_repetition(&self, entry: &Entry) -> bool {
        let Some(first) = entry.first() else { return false };
        let is_original = |other: Entry| other.first().is_none();
        self.here_as(first, entry).is_some_and(is_original) || self.is_here_as_said_again(first, entry)
    }

    /// Whether this text is here under another id, under which it was said again.
    fn is_here_as_said_again(&self, first: MessageId, entry: &Entry) -> bool {
        let says = || if self.repeats.has(first) { says(entry) } else { None };
        let again = says().and_then(|says| self.repeats.of(first, says));
        again.is_some_and(|again| again != entry.kept.id() && self.here_as(again, entry).is_some())
    }

    /// The message with this id, if it was shown here, in the same conversation, and says what this text says. A copy of the author
    /// may have said something else under the same clock.
    fn here_as(&self, id: MessageId, entry: &Entry) -> Option<Entry> {
        let other = self.entry_of(self.filed(id)?)?;
        (other.conversation == entry.conversation && other.text() == entry.text()).then_some(other)
    }

    /// A message that is filed here, in this turn or before.
    pub(super) fn filed(&self, id: MessageId) -> Option<Kept> {
        let of_this_turn = || {
            let run = self.shown_in_this_turn().find(|run| run.contains(id))?;
            run.entries().find(|entry| entry.kept.id() == id).map(|entry| entry.kept)
        };
        let stored = || self.store.kept_by(id.process, id.clock.checked_sub(1)?, id.clock, 1).pop();
        of_this_turn().or_else(stored)
    }
}

/// The hash of what a text says, and of when it was written.
fn says(entry: &Entry) -> Option<Hash> {
    let (sent_at, text) = entry.text()?;
    Some(Sha256::new().chain_update(sent_at.to_be_bytes()).chain_update(text.as_bytes()).finalize().into())
}
