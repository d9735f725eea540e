//! Texts that are said again: each is shown once.
//!
//! A peer that begins anew cannot tell which of its last texts reached whom. So it says them again, and each of these names what it was
//! said as first ([`TextHead::first`](crate::body::TextHead)). Where both are, the text is filed under both ids, so that
//! it can be handed on under either, and shown under the id that came first.

use std::collections::BTreeMap;

use crate::body::First;
use crate::history::Entry;
use crate::kept::Kept;
use crate::store::Store;
use crate::{MessageId, PersonId};

use super::Peer;

/// Under which ids texts were said again, in the order in which they came, by what they were said as first. It is read from the
/// newest history at the start.
#[derive(Debug, Default)]
pub(super) struct Repeats(BTreeMap<PersonId, Vec<(First, MessageId)>>);

impl Repeats {
    /// Notes a text that was said again; no more than `limit` of each author.
    fn note(&mut self, first: MessageId, again: MessageId, limit: usize) {
        let of_author = self.0.entry(first.process.person).or_default();
        let known = (first.into(), again);
        if of_author.len() < limit && !of_author.contains(&known) {
            of_author.push(known);
        }
    }

    /// The ids under which this was said again.
    pub(super) fn of(&self, first: MessageId) -> impl Iterator<Item = MessageId> {
        let of_author = self.0.get(&first.process.person).into_iter().flatten();
        of_author.filter(move |(known, _)| *known == first.into()).map(|&(_, again)| again)
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
        if let Some(first) = entry.first() {
            self.repeats.note(first, entry.kept.id(), self.config.max_resent);
        }
    }

    /// Whether a text that comes to be shown was shown already, under another id.
    pub(super) fn was_shown_before(&mut self, entry: &Entry) -> bool {
        self.note_repeat(entry);
        let id = entry.kept.id();
        let first = entry.first().unwrap_or(id);
        let mut others = std::iter::once(first).chain(self.repeats.of(first));
        others.any(|other| other != id && self.is_here_as(other, entry))
    }

    /// Whether a text of the history is one that stands there under the id that it was said as first, or an id under which it came
    /// before.
    pub(super) fn is_repetition(&self, entry: &Entry) -> bool {
        let Some(first) = entry.first() else { return false };
        let id = entry.kept.id();
        let before = self.repeats.of(first).take_while(|&again| again != id);
        std::iter::once(first).chain(before).any(|other| other != id && self.is_here_as(other, entry))
    }

    /// Whether the message with this id was shown here, in the same conversation, and says what this text says. A copy of the author
    /// may have said something else under the same clock. One of the two is the original, or both name the same one: texts that are
    /// said again as each other would hide each other.
    fn is_here_as(&self, id: MessageId, entry: &Entry) -> bool {
        self.filed(id).and_then(|kept| self.entry_of(kept)).is_some_and(|other| {
            other.conversation == entry.conversation
                && other.first().zip(entry.first()).is_none_or(|(one, another)| one == another)
                && other.text() == entry.text()
        })
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
