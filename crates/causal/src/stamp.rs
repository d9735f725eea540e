//! What a message carries so that its destinations can deliver it in causal order, in the numbering of one process.

use core::fmt;
use core::ops::Deref;

use smallvec::SmallVec;

use crate::{Index, Set};

#[cfg(test)]
mod tests;

/// The number of a message among those that its author has sent, from 1.
///
/// # Examples
/// ```
/// let first: causal::Clock = 1;
/// assert_eq!(first.checked_add(1), Some(2));
/// ```
///
/// It is a plain integer, so that comparing clocks costs nothing, and at most [`MAX_CLOCK`]. The decoders refuse or leave out
/// greater clocks, [`Process::receive`](crate::Process::receive) refuses them, and nothing else makes clocks from what others
/// say.
pub type Clock = u64;

/// The greatest clock, 2^53: at a million messages a second an author gets there in 285 years.
///
/// It lies far below the greatest integer. So sums do not overflow, and a clock fits a signed integer (as in a database) and a
/// floating-point number (as in JSON). A made-up clock needs no care anywhere else.
///
/// # Examples
/// ```
/// use causal::{DecodeError, Envelope, Limits, MAX_CLOCK};
/// let with_clock = |clock: [u8; 8]| [&[1, 2, 7, 9, 0][..], &clock, &[2, 0]].concat();
/// let last = with_clock([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
/// assert_eq!(Envelope::<u8>::from_bytes(&last, &Limits::default())?.clock(), MAX_CLOCK);
/// let beyond = with_clock([0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]);
/// assert_eq!(Envelope::<u8>::from_bytes(&beyond, &Limits::default()), Err(DecodeError::Clock));
/// # Ok::<(), DecodeError>(())
/// ```
pub const MAX_CLOCK: Clock = 1 << 53;

/// What a message carries: its author, its clock, its destinations, and the messages that may have to be delivered before it.
///
/// It is written in the numbering of one process. The same thing with ids spelled out is an [`Envelope`](crate::Envelope).
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// # let [bob, carol] = [alice.intern("bob")?, alice.intern("carol")?];
/// let first = alice.multicast(&[bob].into_iter().collect());
/// let second = alice.multicast(&[carol].into_iter().collect());
/// assert_eq!((second.clock, second.dests.contains(carol)), (2, true));
/// assert_eq!(second.log[0].clock, first.clock, "the first may still be on its way to bob");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The author.
    pub sender: Index,
    /// Which of its author's messages this is, from 1.
    pub clock: Clock,
    /// Its destinations; the author is never among them.
    pub dests: Set,
    /// The messages that might still be on their way, as far as the author knew when it sent this one.
    pub log: Entries,
}

/// A message that may not have reached some of its destinations yet.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// # let [bob, carol] = [alice.intern("bob")?, alice.intern("carol")?];
/// let first = alice.multicast(&[bob].into_iter().collect());
/// let second = alice.multicast(&[carol].into_iter().collect());
/// let entry = &second.log[0];
/// assert_eq!((entry.sender, entry.clock, &entry.dests), (alice.me(), 1, &first.dests));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its author.
    pub sender: Index,
    /// Which of its author's messages it is.
    pub clock: Clock,
    /// The destinations where it is neither known to be delivered nor guaranteed to be delivered in causal order. An entry
    /// without destinations is a *marker*: it tells that older entries of the same author are obsolete.
    pub dests: Set,
}

/// The entries of a [`Stamp`], ordered by author and clock, no two about the same message. It derefs to a slice.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// # let [bob, carol] = [alice.intern("bob")?, alice.intern("carol")?];
/// let first = alice.multicast(&[bob].into_iter().collect());
/// let second = alice.multicast(&[carol].into_iter().collect());
/// assert!(first.log.is_empty());
/// assert_eq!(second.log.iter().map(|entry| entry.clock).collect::<Vec<_>>(), [1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entries(SmallVec<[Entry; 2]>);

impl Stamp {
    /// What Kshemkalyani and Singhal's algorithm would have sent to `destination` alone. It drops from every entry the
    /// destinations that this message goes to as well, except `destination` itself. Then it drops the entries without
    /// destinations that have a newer one of the same author beside them.
    ///
    /// For `destination` it has the same effect, and it is smaller. But no process can hand it on to another destination,
    /// because it no longer says what that destination has to wait for.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// # let [bob, carol] = [alice.intern("bob")?, alice.intern("carol")?];
    /// let both = [bob, carol].into_iter().collect();
    /// alice.multicast(&both);
    /// let second = alice.multicast(&both);
    /// assert_eq!(second.log[0].dests, both);
    /// assert_eq!(second.for_destination(bob).log[0].dests, [bob].into_iter().collect());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn for_destination(&self, destination: Index) -> Self {
        let reduced: SmallVec<[Entry; 2]> = self
            .log
            .iter()
            .map(|entry| {
                let mut dests = entry.dests.difference(&self.dests);
                if entry.dests.contains(destination) {
                    dests.insert(destination);
                }
                Entry { dests, ..*entry }
            })
            .collect();
        let superseded = |at: usize| reduced.get(at + 1).is_some_and(|next| next.sender == reduced[at].sender);
        let log = (0..reduced.len())
            .filter(|&at| !(reduced[at].dests.is_empty() && superseded(at)))
            .map(|at| reduced[at].clone())
            .collect();
        Self { log, dests: self.dests.clone(), ..*self }
    }

    /// Whether this message follows `before`: it is the author's next message, it goes to the same destinations, and it depends
    /// on `before` only. This is so if an author sends twice to the same destinations and delivers nothing in between.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// # let [bob, carol] = [alice.intern("bob")?, alice.intern("carol")?];
    /// let both = [bob, carol].into_iter().collect();
    /// let first = alice.multicast(&both);
    /// let second = alice.multicast(&both);
    /// let aside = alice.multicast(&[bob].into_iter().collect());
    /// assert!(second.follows(&first) && !aside.follows(&second));
    /// assert_eq!(first.follower(1), second);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn follows(&self, before: &Self) -> bool {
        let [entry] = &self.log[..] else { return false };
        self.sender == before.sender
            && before.clock.checked_add(1) == Some(self.clock)
            && self.dests == before.dests
            && (entry.sender, entry.clock) == (before.sender, before.clock)
            && entry.dests == before.dests
    }

    /// The stamp of the message that follows this one `nth` (from 1).
    ///
    /// # Panics
    /// If `nth` is 0 or the clock would go beyond its greatest value.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// # let bob = [alice.intern("bob")?].into_iter().collect();
    /// let [first, second, third] = [(); 3].map(|()| alice.multicast(&bob));
    /// assert_eq!((first.follower(1), first.follower(2)), (second, third));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn follower(&self, nth: u32) -> Self {
        let before = nth.checked_sub(1).expect("followers count from 1");
        let before = self.clock.checked_add(before.into()).expect("no clock is near the end");
        let entry = Entry { sender: self.sender, clock: before, dests: self.dests.clone() };
        let clock = before.checked_add(1).expect("no clock is near the end");
        Self { sender: self.sender, clock, dests: self.dests.clone(), log: Entries(smallvec::smallvec![entry]) }
    }

    /// The same stamp in another numbering.
    pub(crate) fn translate(&self, number: impl Fn(Index) -> Index) -> Self {
        let set = |dests: &Set| dests.iter().map(&number).collect::<Set>();
        let log = self.log.iter().map(|entry| Entry {
            sender: number(entry.sender),
            clock: entry.clock,
            dests: set(&entry.dests),
        });
        Self { sender: number(self.sender), clock: self.clock, dests: set(&self.dests), log: log.collect() }
    }
}

impl Entries {
    /// The entries, put in order; `None` if two are about the same message.
    pub(crate) fn in_order(mut entries: SmallVec<[Entry; 2]>) -> Option<Self> {
        if entries.is_sorted_by(|a, b| a.key() < b.key()) {
            return Some(Self(entries));
        }
        entries.sort_unstable_by_key(Entry::key);
        entries.is_sorted_by(|a, b| a.key() < b.key()).then_some(Self(entries))
    }
}

impl Entry {
    fn key(&self) -> (Index, Clock) {
        (self.sender, self.clock)
    }
}

impl Deref for Entries {
    type Target = [Entry];

    fn deref(&self) -> &[Entry] {
        &self.0
    }
}

impl FromIterator<Entry> for Entries {
    fn from_iter<I: IntoIterator<Item = Entry>>(entries: I) -> Self {
        let mut entries: SmallVec<[Entry; 2]> = entries.into_iter().collect();
        if !entries.is_sorted_by_key(Entry::key) {
            entries.sort_by_key(Entry::key);
        }
        Self(entries)
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
