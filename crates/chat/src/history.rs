//! What was shown, in one same order on every peer.

use crate::hlc::Hlc;
use crate::kept::Kept;
use crate::name::Name;
use crate::{MessageId, PersonId};

/// A conversation, as this peer files it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Conversation {
    /// With everybody.
    All,
    /// In a group.
    Group(Name),
    /// With one person, whoever of the two writes.
    Direct(PersonId),
}

/// Where a message stands in history: by its author's hybrid stamp, which respects causality, then by its id. So peers that
/// have the same messages have them in the same order.
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
    /// Its stamp was too far ahead to be believed when it came.
    pub clock_off: bool,
}

impl Entry {
    /// Where it stands.
    pub fn sort_key(&self) -> SortKey {
        (self.hlc, self.kept.id())
    }
}
