//! Why a message is not taken.

use core::fmt;

use crate::{Clock, Full};

/// Why a message was not taken.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let alice = Process::<_, ()>::new("alice", Config::default());
/// # let mut alice = alice;
/// let own = alice.send(["bob"])?;
/// let mut rolled_back = Process::<_, ()>::new("alice", Config::default());
/// let refused = rolled_back.accept(&own, ()).unwrap_err();
/// assert_eq!(refused.reason, causal::Refusal::OwnFuture { clock: 1 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// A clock of zero: the first message has clock 1.
    #[error("the stamp has a clock of zero")]
    NoClock,
    /// A clock beyond [`MAX_CLOCK`](crate::MAX_CLOCK): no process has sent so many messages.
    #[error("the stamp has a clock beyond 2^53")]
    BeyondLastClock,
    /// An index that this process's roster does not have.
    #[error("the stamp names a process that this roster does not have")]
    UnknownProcess,
    /// This process is not among the destinations.
    #[error("the message is not addressed to this process")]
    NotForMe,
    /// It claims to be a message of this process, which never sent it. If it is genuine, the state of this process was rolled
    /// back.
    #[error("message {clock} claims to come from this process, which never sent it")]
    OwnFuture {
        /// The clock that it claims.
        clock: Clock,
    },
    /// The entries are not in order, or two are about the same message.
    #[error("the entries of the stamp are not in strict order")]
    Unordered,
    /// It depends on itself, or on a later message of its author.
    #[error("the message depends on itself or on a later one of its author")]
    DependsOnItself,
    /// More entries than [`Config::max_entries`](crate::Config::max_entries).
    #[error("the stamp has more than {limit} entries")]
    TooManyEntries {
        /// The limit.
        limit: usize,
    },
    /// [`Config::max_held`](crate::Config::max_held) messages are held back. Offer it again once some have been released.
    #[error("{limit} messages are held already: offer it again later")]
    TooManyHeld {
        /// The limit.
        limit: usize,
    },
    /// The held messages would have more than [`Config::max_held_entries`](crate::Config::max_held_entries) entries. Offer it
    /// again once some have been released.
    #[error("the held messages would have more than {limit} entries: offer it again later")]
    TooManyHeldEntries {
        /// The limit.
        limit: usize,
    },
    /// The log would have more than [`Config::max_log`](crate::Config::max_log) entries.
    #[error(
        "the log would have more than {limit} entries: void made-up entries or forget made-up processes, then offer it again"
    )]
    LogFull {
        /// The limit.
        limit: usize,
    },
    /// It names more processes than may be known.
    #[error(transparent)]
    Full(#[from] Full),
}

/// A message that was not taken, given back.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// # let mut carol = Process::new("carol", Config::default());
/// let for_bob = alice.send(["bob"])?;
/// let refused = carol.accept(&for_bob, "psst").unwrap_err();
/// assert_eq!(refused.message, "psst");
/// assert_eq!(refused.to_string(), "the message is not addressed to this process");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused<M> {
    /// Why it was not taken.
    pub reason: Refusal,
    /// What the caller handed in with the stamp.
    pub message: M,
}

impl<M> fmt::Debug for Refused<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("reason", &self.reason).finish_non_exhaustive()
    }
}
