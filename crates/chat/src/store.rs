//! What a peer keeps: the contract of a store, and the one in memory.

mod memory;

use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::name::Name;
use crate::record::SignedRecord;
use crate::{MessageId, PersonId, ProcessId};

pub use memory::{MemoryLimits, MemoryStore};

/// One thing to keep.
#[derive(Clone, Debug)]
pub enum Change {
    /// A message was shown: it joins the history, and can be handed on.
    Shown(Entry),
    /// A message was delivered that shows nothing: it can be handed on.
    Delivered {
        /// The message.
        kept: Kept,
    },
    /// Somebody's record, my own included, is newer than the one before.
    Record(SignedRecord),
    /// This user's name for a person.
    Alias {
        /// The name.
        alias: Name,
        /// Whose it is; nobody's any more if `None`.
        person: Option<PersonId>,
    },
}

/// Where a peer keeps what it may not lose.
///
/// [`Peer`](crate::Peer) reads; whoever drives it applies. What was given out as
/// [`Effects::durable`](crate::Effects::durable) and is not applied yet is not read either. Reading cannot fail: a store whose
/// reading fails answers that it has nothing, and says so at the next [`apply`](Self::apply).
///
/// Messages may be dropped to stay within bounds, the oldest of a conversation first: what others lack of one's own messages
/// is kept by the peer itself until they have it.
pub trait Store {
    /// Keeps all of `changes`, or none of them. When it returns they survive the end of the process, as far as this store
    /// survives it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing that was to be kept may be sent or shown.
    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Whether this message is here.
    fn contains(&self, id: MessageId) -> bool;

    /// The messages by `author` with clocks in (after, up_to], at most `count` of them, in the order of their clocks.
    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept>;

    /// The newest messages of a conversation, or of all of them, that stand before a place, or at the end: at most
    /// `count`, newest first.
    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry>;
}

/// A store that could not keep what it was to keep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what must be kept could not be: {reason}")]
pub struct StoreError {
    /// What failed, and what to do.
    pub reason: String,
}
