//! What was shown, in one same order on every peer.

use std::collections::BTreeSet;

use bytes::Bytes;
use bytestring::ByteString;
use serde::{Deserialize, Serialize};

use crate::body;
use crate::hlc::Hlc;
use crate::kept::Kept;
use crate::name::Name;
use crate::{MessageId, PersonId};

/// A conversation, as this peer files it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Conversation {
    /// With everybody.
    All,
    /// In a group.
    Group(Name),
    /// With one person, whoever of the two writes.
    Direct(PersonId),
    /// With several people and nobody else, no matter which of them writes: all of them but this user, two at least.
    People(BTreeSet<PersonId>),
}

impl Conversation {
    /// The one with these people and nobody else; `None` for nobody.
    pub fn with(others: BTreeSet<PersonId>) -> Option<Self> {
        match others.len() {
            0 => None,
            1 => others.first().copied().map(Self::Direct),
            2.. => Some(Self::People(others)),
        }
    }
}

/// Where a message stands in history: by its author's hybrid stamp, which is later than those of all messages that the author had
/// been shown, then by its id. So peers that have the same messages have them in the same order, whatever their clocks say.
pub type SortKey = (Hlc, MessageId);

/// A message of the history.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where it belongs.
    pub conversation: Conversation,
    /// What it is sorted by.
    pub hlc: Hlc,
    /// The message.
    pub kept: Kept,
    /// It was fetched as history, not delivered as it happened.
    pub fetched: bool,
    /// It came after it had been given up.
    pub late: bool,
    /// Its author's clock was off when it came: see [`Message::clock_off`](crate::Message::clock_off).
    pub clock_off: bool,
    /// The body as its author wrote it, where what travels is sealed.
    pub opened: Option<Bytes>,
}

impl Entry {
    /// Where it stands.
    pub fn sort_key(&self) -> SortKey {
        (self.hlc, self.kept.id())
    }

    /// The body that can be read: what was sealed, opened.
    pub fn body(&self) -> Bytes {
        self.opened.clone().unwrap_or_else(|| self.kept.shared_body())
    }

    /// When it was written by its author's own clock, Unix time in microseconds. Nothing for a body that is not a text.
    pub(crate) fn sent_at(&self) -> Option<i64> {
        let body = self.opened.as_deref().unwrap_or_else(|| self.kept.body());
        body::Parts::of(body).map(|text| text.sent_at)
    }

    /// What it was said as first, if it is said again.
    pub(crate) fn first(&self) -> Option<MessageId> {
        let body = self.opened.as_deref().unwrap_or_else(|| self.kept.body());
        Some(body::Parts::of(body)?.first?.of(self.kept.id().process.person))
    }

    /// When it was written by its author's own clock (Unix time in microseconds), and what it says. Nothing for a body that
    /// is not a text.
    pub fn text(&self) -> Option<(i64, ByteString)> {
        body::read_text(self.body())
    }
}
