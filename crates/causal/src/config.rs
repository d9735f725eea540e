//! How a process behaves, and what bounds it.

/// How a [`Process`](crate::Process) behaves, and what bounds it.
///
/// ```
/// use causal::{Config, Trust};
/// let config = Config { trust: Trust::Vouched, ..Config::default() };
/// assert_eq!(config.max_processes, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// When markers travel. By default with a message that carries more than 12 other entries, and no fewer than there are
    /// markers. A marker for everybody who ever spoke would be most of a message in large groups (204 bytes among 50 that
    /// write to all, against 15). Without any, entries pile up that are long done where many write to single others (50 such:
    /// 674 bytes against 334). As the rule is, a message is at most as large as its markers, or twice as large as what else
    /// is in it; in no traffic that was measured was it more than a fifth larger than with all markers. The 12 spare small
    /// groups the markers: among 8 they would cost a sixth of a message and save nothing.
    pub markers: Markers,
    /// Whose word makes older entries obsolete. By default everybody's, as in the published algorithm.
    pub trust: Trust,
    /// How many processes may be known, forgotten ones included. By default 10,000: an index into everything kept by process
    /// costs some 200 bytes, and whoever sends envelopes can make up ids.
    pub max_processes: usize,
    /// How many messages may be held back. By default 16,384: a few seconds of what a busy group says.
    pub max_held: usize,
    /// How many entries all held messages may have together, which bounds the memory that they take beside the payload.
    /// By default 2²⁰, some 40 MB.
    pub max_held_entries: usize,
    /// How many entries one message may carry. By default 8,192: among 50 processes that send to one another only, an honest
    /// one carries 50 with markers and 200 without.
    pub max_entries: usize,
    /// How many entries are remembered before messages that carry further ones are refused. By default 65,536: far beyond
    /// what honest traffic makes, so that made-up entries cannot fill the memory.
    pub max_log: usize,
    /// How many holes one author may leave in what was delivered of his messages, once something was given up and until he
    /// says that everything has come ([`Process::complete`](crate::Process::complete)); at least one. Beyond it the oldest that
    /// was merely skipped is taken to have nothing in it, and if all were given up the oldest of them: what still comes from
    /// there is a duplicate. By default 4,096, some 100 KB.
    pub max_holes: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            markers: Markers::Beyond(12),
            trust: Trust::Everyone,
            max_processes: 10_000,
            max_held: 16_384,
            max_held_entries: 1 << 20,
            max_entries: 8_192,
            max_log: 65_536,
            max_holes: 4_096,
        }
    }
}

/// When markers, the entries that name nobody any more, travel with a message.
///
/// Leaving them out changes no delivery: an entry that a receiver still remembers names a message that has to come first
/// anyway. It only costs some memory of what is long done.
///
/// # Examples
/// ```
/// use causal::{Config, Markers};
/// assert_eq!(Config::default().markers, Markers::Beyond(12));
/// let as_published = Config { markers: Markers::Always, ..Config::default() };
/// assert_ne!(as_published, Config::default());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markers {
    /// With every message, as in the published algorithm.
    Always,
    /// Only with a message that carries more than so many other entries, and no fewer than there are markers.
    Beyond(usize),
}

/// Whose word makes older entries of an author obsolete.
///
/// # Examples
/// ```
/// use causal::{Config, Process, Trust};
/// let mut alice = Process::<_, ()>::new("alice", Config { trust: Trust::Vouched, ..Config::default() });
/// let bob = alice.intern("bob")?;
/// assert_eq!(alice.abandon(bob, 9), None, "bob has shown no message of his");
/// alice.vouch(bob, 3);
/// assert_eq!(alice.abandon(bob, 9).map(|hole| hole.to), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Everybody's: for processes that do not lie to one another. The algorithm as published.
    Everyone,
    /// The author's alone: an entry beyond the clock that its author was seen to have reached, which the caller tells by
    /// [`Process::vouch`](crate::Process::vouch), makes no other entry obsolete; nor can
    /// [`Process::abandon`](crate::Process::abandon) go beyond that clock. So nobody erases what others wait for with clocks
    /// that he made up. It costs about one entry in a hundred. And what others say of a process's own messages changes nothing
    /// at that process: whoever is a destination of two messages of an honest author is given them in their order, whatever
    /// anybody says. A lie about a clock that does exist can still disorder what depends on it otherwise.
    Vouched,
}

/// What a decoder accepts, so that what was sent never decides how much memory is taken.
///
/// # Examples
/// ```
/// use causal::{DecodeError, Envelope, Limits};
/// let limits = Limits { processes: 1, ..Limits::default() };
/// let refused = Envelope::<u8>::from_bytes(&[1, 2, 7, 9, 0, 1, 2, 0], &limits);
/// assert_eq!(refused, Err(DecodeError::TooMany { what: "processes", count: 2, limit: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many processes an envelope may name, or a [`wire::Table`](crate::wire::Table) may hold. By default 10,000.
    pub processes: usize,
    /// How many entries a message may carry. By default 8,192.
    pub entries: usize,
    /// How many destination sets a [`wire::Table`](crate::wire::Table) may hold. By default 4,096.
    pub sets: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { processes: 10_000, entries: 8_192, sets: 4_096 }
    }
}
