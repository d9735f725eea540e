//! The behaviour of a process, and its bounds.

/// The behaviour of a [`Process`](crate::Process), and its bounds.
///
/// ```
/// use causal::{Config, Trust};
/// let config = Config { trust: Trust::Vouched, ..Config::default() };
/// assert_eq!(config.max_processes, 10_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// When markers travel. By default they travel with a message that carries more than 12 other entries, and at least as many
    /// of these as there are markers. If markers always travelled, they would be most of a message in large groups (204 bytes
    /// among 50 processes that write to all, against 15), because every process that ever sent has one. If they never
    /// travelled, obsolete entries would pile up where many processes write to one other at a time (674 bytes among 50 such
    /// processes, against 334). With this rule a message is at most as large as its markers, or twice as large as its other
    /// content. In all traffic that was measured, messages were at most a fifth larger than with all markers. The 12 keeps
    /// markers out of small groups: among 8 processes they would cost a sixth of a message and save nothing.
    pub markers: Markers,
    /// Which processes can make older entries obsolete. By default all of them, as in the published algorithm.
    pub trust: Trust,
    /// How many processes may be known, forgotten ones included. By default 10,000. A process costs some 200 bytes in the
    /// tables indexed by process, and the sender of an envelope can make up ids.
    pub max_processes: usize,
    /// How many messages may be held back. By default 16,384: a few seconds of traffic in a busy group.
    pub max_held: usize,
    /// How many entries all held messages may have together. This bounds the memory that they take beside the payload.
    /// By default 2²⁰, some 40 MB.
    pub max_held_entries: usize,
    /// How many entries one message may carry. By default 8,192. Among 50 processes that send to one another only, an honest
    /// message carries 50 with markers and 200 without.
    pub max_entries: usize,
    /// How many entries are remembered before messages that carry further ones are refused. By default 65,536: far beyond
    /// what honest traffic makes, so that made-up entries cannot fill the memory.
    pub max_log: usize,
    /// How many gaps one author may leave in its delivered messages; at least one. Gaps arise once something was given up,
    /// and until the author says that everything has come ([`Process::complete`](crate::Process::complete)). Beyond the limit
    /// the oldest gap that was merely skipped counts as empty, or, if all were given up, the oldest of those. What still comes
    /// from there is a duplicate. By default 4,096, some 100 KB.
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

/// When markers travel with a message. A marker is an entry that no longer names any destination.
///
/// Leaving markers out changes no delivery: an entry that a receiver still remembers names a message that has to come first
/// anyway. It only costs some memory for obsolete entries.
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
    /// Only with a message that carries more than this many other entries, and at least as many of these as there are markers.
    Beyond(usize),
}

/// Which processes can make older entries of an author obsolete.
///
/// # Examples
/// ```
/// use causal::{Config, Process, Trust};
/// let mut alice = Process::<_, ()>::new("alice", Config { trust: Trust::Vouched, ..Config::default() });
/// let bob = alice.intern("bob")?;
/// assert_eq!(alice.abandon(bob, 9), None, "bob has not vouched for any clock");
/// alice.vouch(bob, 3);
/// assert_eq!(alice.abandon(bob, 9).map(|hole| hole.to), Some(3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// All of them. This is the algorithm as published, for processes that do not lie to one another.
    Everyone,
    /// The author only. The caller tells by [`Process::vouch`](crate::Process::vouch) which clock the author was seen to have
    /// reached. An entry beyond that clock makes no other entry obsolete, and
    /// [`Process::abandon`](crate::Process::abandon) cannot go beyond it. So no process can erase what others wait for by
    /// making up clocks. This costs about one entry in a hundred.
    ///
    /// What others say about a process's own messages changes nothing at that process. So a destination of two messages of
    /// an honest author delivers them in their order, whatever other processes say. But a lie about a clock that does exist can
    /// still disorder messages that depend on it in another way.
    Vouched,
}

/// What a decoder accepts, so that the sender of the bytes never decides how much memory is taken.
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
