//! What a peer keeps: the contract of a store, and the one in memory.

mod memory;

use std::net::IpAddr;

use bytes::Bytes;

use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::name::Name;
use crate::parcel::Parcel;
use crate::record::SignedRecord;
use crate::run::Run;
use crate::{MessageId, PersonId, ProcessId};

pub use memory::{MemoryLimits, MemoryStore};

/// One thing to keep.
///
/// A message is kept once, under the number of its batch and its place there ([`Kept::batch_number`], [`Kept::place`]): what
/// comes later of the same message says what it has become.
#[derive(Clone, Debug)]
pub enum Change {
    /// A process got a number, by which stamps name it. Numbers begin at 1 and follow one another; 0 is oneself.
    Process {
        /// The number.
        number: u32,
        /// Who it is.
        process: ProcessId,
    },
    /// From now on stamps are written by another incarnation of oneself. Everybody keeps his number; the one before has got
    /// one by then. What was held, delayed or not settled is void; what is scheduled stays.
    Reborn,
    /// A message arrived and is held back.
    Held(Kept),
    /// Messages were shown: they join the history, and can be handed on.
    Shown(Run),
    /// A message was delivered, or sent, that shows nothing: it can be handed on.
    Delivered {
        /// The message.
        kept: Kept,
    },
    /// A message for somebody else is carried until he has it.
    Carried(Parcel),
    /// A message that is held is not needed any more.
    Dropped(Kept),
    /// A parcel is not carried any longer.
    HandedOver {
        /// The message in it.
        message: MessageId,
        /// Whom it was for.
        to: ProcessId,
    },
    /// One's own message waits for its time, Unix time in microseconds; `None`: it waits no longer.
    Delayed {
        /// Its clock.
        clock: u64,
        /// When it is due.
        due: Option<i64>,
    },
    /// My own message, which nobody was given and which was signed by itself, is taken back: it leaves the history. What takes its
    /// place under its clock follows as [`Delivered`](Self::Delivered).
    Withdrawn(Kept),
    /// A text that is to be said later; `None`: it is said, or taken back.
    Scheduled {
        /// Its number.
        number: u64,
        /// What is to be said, to whom, and when, instead of what was kept before.
        text: Option<Bytes>,
    },
    /// Everybody has one's own messages up to this clock.
    Settled {
        /// The clock.
        up_to: u64,
    },
    /// Where the causal order stands, instead of what was kept of it before.
    Causal(Bytes),
    /// What else the peer has in mind, likewise.
    Mind(Bytes),
    /// What was shown and fetched of a conversation, likewise.
    Talk {
        /// The conversation.
        conversation: Conversation,
        /// How far each author has come in it.
        vectors: Bytes,
    },
    /// The greatest greeting that a process signed, likewise.
    Greeting {
        /// Who signed it.
        of: ProcessId,
        /// What it signed.
        signed: Bytes,
    },
    /// What the trace says of this turn, instead of what it said of the one before: whoever is killed before it is
    /// written completes the trace with it.
    Traced(Bytes),
    /// Somebody's record, my own included, is newer than the one before.
    Record(SignedRecord),
    /// Where a person was ever seen, or said to be, the latest last, instead of what was kept of it before.
    Addresses {
        /// The person.
        of: PersonId,
        /// At most `Config::max_known_addresses`.
        known: Vec<IpAddr>,
    },
    /// This user's name for a person.
    Alias {
        /// The name.
        alias: Name,
        /// Whose it is; nobody's any more if `None`.
        person: Option<PersonId>,
    },
    /// The people whose keys this user has compared, instead of what was kept of it before.
    Verified(Bytes),
}

impl Change {
    /// The message that this files as delivered or shown; of several the first.
    pub(crate) fn filed(&self) -> Option<&Kept> {
        if let Self::Delivered { kept } = self { Some(kept) } else { self.shown().map(|run| &run.first().kept) }
    }

    /// What this adds to the history, if it adds something.
    pub(crate) fn shown(&self) -> Option<&Run> {
        if let Self::Shown(run) = self { Some(run) } else { None }
    }
}

/// What a peer needs to go on where it stopped. Bytes are as they were kept.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// See [`Change::Causal`]; nothing if the store was never used.
    pub causal: Option<Bytes>,
    /// See [`Change::Mind`].
    pub mind: Option<Bytes>,
    /// See [`Change::Talk`].
    pub talks: Vec<(Conversation, Bytes)>,
    /// See [`Change::Greeting`].
    pub greetings: Vec<(ProcessId, Bytes)>,
    /// See [`Change::Record`].
    pub records: Vec<SignedRecord>,
    /// See [`Change::Addresses`].
    pub addresses: Vec<(PersonId, Vec<IpAddr>)>,
    /// See [`Change::Alias`].
    pub aliases: Vec<(Name, PersonId)>,
    /// See [`Change::Verified`].
    pub verified: Option<Bytes>,
    /// What is held, in the order in which it arrived.
    pub held: Vec<Kept>,
    /// What is carried for others, in the order in which it came.
    pub carried: Vec<Parcel>,
    /// One's own messages that are not settled, of the present incarnation, by clock.
    pub own: Vec<Kept>,
    /// Those of them that are delayed, and when they are due.
    pub delayed: Vec<(u64, i64)>,
    /// See [`Change::Scheduled`], by number.
    pub scheduled: Vec<(u64, Bytes)>,
}

/// Where a peer keeps what it may not lose.
///
/// [`Peer`](crate::Peer) reads; whoever drives it applies. What was given out as
/// [`Effects::durable`](crate::Effects::durable) and is not applied yet is not read either. But for [`load`](Self::load) reading
/// cannot fail: a store whose reading fails answers that it has nothing, and says so at the next [`apply`](Self::apply).
///
/// Shown and delivered messages may be dropped to stay within bounds, the oldest first, but for one's own that are not settled.
pub trait Store {
    /// Whether what is kept here survives the process. Where it does not, changes that only a restart would read
    /// are not made: what is held, the causal order, and the like.
    fn survives(&self) -> bool;

    /// What was kept before this process started.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be read as it was written.
    fn load(&mut self) -> Result<Saved, StoreError>;

    /// Keeps all of `changes`, in this order, or none of them. When it returns they survive the end of the process, as far as
    /// this store survives it.
    ///
    /// # Errors
    /// [`StoreError`]; nothing that was to be kept may be sent or shown.
    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError>;

    /// Whether this message is here and is delivered, shown, or one's own.
    fn contains(&self, id: MessageId) -> bool;

    /// The messages by `author` with clocks in (after, up_to], at most `count` of them, in the order of their clocks: what is
    /// delivered, shown, or one's own.
    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept>;

    /// The newest messages of a conversation, or of all of them, that stand before a place, or at the end: at most
    /// `count`, newest first.
    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry>;

    /// The oldest messages of a conversation, or of all of them, that stand behind a place: at most `count`, oldest first. Of more than
    /// 64 that one author stamped alike some may be left out.
    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry>;

    /// The newest messages of a conversation, or of all of them, that have all of `words` in them, in upper or lower case: at
    /// most `count`, newest first.
    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry>;
}

/// A store that could not keep what it was to keep, or not read what it had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing of it was kept; it may work later (the disk is full, say).
    #[error("what must be kept could not be: {reason}")]
    NotKept {
        /// What failed, and what to do.
        reason: String,
    },
    /// What is kept is damaged, or of a kind that is not known here.
    #[error("what was kept cannot be read: {reason}")]
    Unreadable {
        /// Which file, what is wrong, and what to do.
        reason: String,
    },
}
