//! Runs of texts: what one author said in a row, taken as one from the causal order to the store and the user interface.

use bytestring::ByteString;
use causal::Clock;

use crate::MessageId;
use crate::body::{self, Parts};
use crate::history::Entry;
use crate::hlc::Hlc;

/// Texts that one author said in a row and signed together, in one conversation and shown alike: the first, and those that
/// follow it in its batch. Each is stamped later than the one before it.
///
/// Under load nearly all messages come in runs of some dozens, so what is done once a run costs next to nothing.
#[derive(Clone, Debug)]
pub struct Run {
    first: Entry,
    followers: u32,
}

impl From<Entry> for Run {
    fn from(first: Entry) -> Self {
        Self { first, followers: 0 }
    }
}

impl Run {
    /// A text, and those behind it, at most `followers`, that are like it: in the same conversation as their author spells
    /// it, and each stamped later than the one before. Each also has to be one that `goes_on` by its clock, its stamp, and when it was
    /// written by its author's clock.
    pub(crate) fn of(first: Entry, followers: u32, mut goes_on: impl FnMut(Clock, Hlc, i64) -> bool) -> Self {
        let kept = &first.kept;
        // A text that is said again may be shown here already, so it is looked at by itself.
        let scope = Parts::of(kept.body()).filter(|text| text.first.is_none()).map(|text| text.scope);
        let (clock, mut before) = (kept.clock(), first.hlc);
        let is_next = |&nth: &u32| {
            let text = Parts::of(kept.body_behind(nth));
            let is_plain = |text: &Parts| text.first.is_none() && text.is_sound();
            let like_it = |text: &Parts| Some(text.scope) == scope && text.hlc > before && is_plain(text);
            text.filter(like_it).is_some_and(|text| {
                before = text.hlc;
                goes_on(clock + Clock::from(nth), text.hlc, text.sent_at)
            })
        };
        let followers = (1..=followers).take_while(is_next).last().unwrap_or(0);
        Self { first, followers }
    }

    /// The first of the texts.
    pub fn first(&self) -> &Entry {
        &self.first
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        1 + self.followers
    }

    /// All of them, as entries of the history.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry> + ExactSizeIterator + '_ {
        (0..self.count() as usize).map(|nth| {
            let nth = u32::try_from(nth).expect("a batch has at most 64 messages");
            Entry { hlc: self.hlc(nth), kept: self.first.kept.behind(nth), ..self.first.clone() }
        })
    }

    /// Whether this message is one of them.
    pub(crate) fn contains(&self, id: MessageId) -> bool {
        let first = self.first.kept.id();
        first.process == id.process && (first.clock..first.clock + u64::from(self.count())).contains(&id.clock)
    }

    /// The messages.
    pub(crate) fn ids(&self) -> impl Iterator<Item = MessageId> + '_ {
        (0..self.count()).map(|nth| self.id(nth))
    }

    pub(crate) fn id(&self, nth: u32) -> MessageId {
        let MessageId { process, clock } = self.first.kept.id();
        MessageId { process, clock: clock + u64::from(nth) }
    }

    pub(crate) fn hlc(&self, nth: u32) -> Hlc {
        if nth == 0 { self.first.hlc } else { stamp_of(self.first.kept.body_behind(nth)) }
    }

    /// When the text in place `nth` was written, by its author's own clock, and what it says; see [`Entry::text`].
    pub(crate) fn text(&self, nth: u32) -> Option<(i64, ByteString)> {
        if nth == 0 { self.first.text() } else { body::read_text(self.first.kept.shared_body_behind(nth)) }
    }

    /// The parts of the text in place `nth`, where they lie. Nothing for a body that is not a text.
    pub(crate) fn parts(&self, nth: u32) -> Option<Parts<'_>> {
        let kept = &self.first.kept;
        let opened = self.first.opened.as_deref().filter(|_| nth == 0);
        Parts::of(opened.unwrap_or_else(|| kept.body_behind(nth)))
    }
}

/// The stamp of a text that follows another in a run.
pub(crate) fn stamp_of(body: &[u8]) -> Hlc {
    Parts::of(body).expect("what follows in a run was looked at").hlc
}

#[cfg(test)]
mod tests;
