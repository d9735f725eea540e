//! What a process tells about itself.

use alloc::vec::Vec;
use core::borrow::Borrow;

use super::{Counts, Process};
use crate::horizon::Hole;
use crate::{Clock, Index, Stamp};

/// A message that others wait for and that has not arrived.
///
/// # Examples
/// ```
/// # use causal::{Config, Process, Receipt};
/// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
/// # let question = alice.send(["bob", "carol"])?;
/// # bob.accept(&question, "lunch?")?;
/// # bob.next_delivery();
/// # let answer = bob.send(["carol"])?;
/// carol.accept(&answer, "yes!")?;
/// let missing: Vec<_> = carol.missing().collect();
/// assert_eq!(carol.roster().id(missing[0].author), &"alice");
/// assert_eq!((missing[0].clock, missing[0].waiting), (1, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Its author.
    pub author: Index,
    /// Which of its author's messages it is.
    pub clock: Clock,
    /// How many held messages wait for it.
    pub waiting: usize,
}

/// What a process has done so far, and what it has in memory.
///
/// # Examples
/// ```
/// # use causal::{Config, Process, Receipt};
/// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
/// # let question = alice.send(["bob", "carol"])?;
/// # bob.accept(&question, "lunch?")?;
/// # bob.next_delivery();
/// # let answer = bob.send(["carol"])?;
/// carol.accept(&answer, "yes!")?;
/// carol.accept(&question, "lunch?")?;
/// while carol.next_delivery().is_some() {}
/// let stats = carol.stats();
/// assert_eq!((stats.delivered, stats.held_back, stats.held, stats.processes), (2, 1, 0, 3));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages sent since the start or the restore.
    pub sent: u64,
    /// Messages delivered since the start or the restore, late ones included.
    pub delivered: u64,
    /// Messages delivered late.
    pub late: u64,
    /// Messages that were held back for a while.
    pub held_back: u64,
    /// Messages dropped because they had arrived before.
    pub duplicates: u64,
    /// How many times [`Process::abandon`] or [`Process::disregard`] gave something up.
    pub abandoned: u64,
    /// Processes known now.
    pub processes: usize,
    /// Messages held back now.
    pub held: usize,
    /// Entries remembered now, markers included.
    pub log: usize,
    /// Remembered entries that still name a destination.
    pub log_live: usize,
}

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// The clock of the newest message of `author` that was delivered here; 0 before the first. Takes constant time.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// let author = carol.intern("alice")?;
    /// carol.accept(&question, "lunch?")?;
    /// assert_eq!(carol.delivered(author), 0);
    /// carol.next_delivery();
    /// assert_eq!(carol.delivered(author), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn delivered(&self, author: Index) -> Clock {
        self.horizons[author.position()].delivered()
    }

    /// The gaps in `author`'s messages: clocks that were given up, or that were skipped after something had been given up. They
    /// are ordered and disjoint, and some may lie beyond [`delivered`](Self::delivered). Together with that clock they tell
    /// exactly what is here: every message to this process that lies neither beyond the clock nor in a gap.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let author = carol.intern("alice")?;
    /// let hole = carol.abandon(author, 1).expect("nothing of alice's has come");
    /// assert_eq!(carol.holes(author), [hole]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn holes(&self, author: Index) -> &[Hole] {
        self.horizons[author.position()].holes()
    }

    /// Whether another copy of message `clock` of `author` would be a duplicate. It is one if the message is held back or was
    /// delivered. It also is one if a newer message of the author was delivered and this one lies in no gap: then it was for
    /// others.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let [author_a, author_b] = [carol.intern("alice")?, carol.intern("bob")?];
    /// assert!(carol.knows(author_b, 1) && !carol.knows(author_a, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn knows(&self, author: Index, clock: Clock) -> bool {
        if author == Index::ME {
            return clock <= self.clock;
        }
        self.horizons[author.position()].has(clock) || self.holdback.find(author, clock).is_some()
    }

    /// How many messages are held back.
    /// Takes constant time.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// assert_eq!(carol.held(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn held(&self) -> usize {
        self.holdback.len()
    }

    /// The held messages, in no particular order. Of a [run](Self::receive_run) it gives the first message only.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let held: Vec<_> = carol.held_messages().map(|(stamp, &text)| (stamp.clock, text)).collect();
    /// assert_eq!(held, [(1, "yes!")]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn held_messages(&self) -> impl Iterator<Item = (&S, &M)> {
        self.held_runs().map(|(stamp, _, message)| (stamp, message))
    }

    /// The held messages, in no particular order, each with the number of messages that follow it in its
    /// [run](Self::receive_run).
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = carol.localise(&bob.send(["carol"])?)?;
    /// assert_eq!(carol.receive_run(answer, 1, "yes! and you?")?, Receipt::Held);
    /// assert!(carol.held_runs().map(|(_, followers, _)| followers).eq([1]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn held_runs(&self) -> impl Iterator<Item = (&S, u32, &M)> {
        self.holdback.iter().map(|pending| (&pending.stamp, pending.followers, &pending.message))
    }

    /// The messages that the held message `clock` of `author` still waits for; empty if it is not held.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let [author_a, author_b] = [carol.intern("alice")?, carol.intern("bob")?];
    /// assert_eq!(carol.waits_for(author_b, 1), [(author_a, 1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn waits_for(&self, author: Index, clock: Clock) -> Vec<(Index, Clock)> {
        let Some(pending) = self.holdback.find(author, clock) else { return Vec::new() };
        if clock > pending.stamp().clock {
            return alloc::vec![(author, clock - 1)];
        }
        let unmet = pending
            .stamp()
            .log
            .iter()
            .filter(|entry| self.awaits(entry) && !pending.is_void(entry.sender, entry.clock));
        unmet.map(|entry| (entry.sender, entry.clock)).collect()
    }

    /// Whether a message with this stamp would wait for nothing: each of its dependencies has been delivered here, is queued
    /// for delivery, or was given up. Takes time for its entries.
    ///
    /// # Panics
    /// If `stamp` is not in this process's numbering.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// let stamp = carol.localise(&answer)?;
    /// assert!(!carol.is_deliverable(&stamp));
    /// carol.accept(&question, "lunch?")?;
    /// assert!(carol.is_deliverable(&stamp));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_deliverable(&self, stamp: &Stamp) -> bool {
        !stamp.log.iter().any(|entry| self.awaits(entry))
    }

    /// Whether a held message waits for message `clock` of `author`. Takes time logarithmic in the number of awaited messages.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let author = carol.intern("alice")?;
    /// assert!(carol.is_awaited(author, 1) && !carol.is_awaited(author, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_awaited(&self, author: Index, clock: Clock) -> bool {
        self.holdback.is_awaited(author, clock)
    }

    /// The messages that others wait for and that are not held themselves, by author and clock. Takes time for all authors and
    /// all awaited messages.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let missing: Vec<_> = carol.missing().map(|missing| (*carol.roster().id(missing.author), missing.clock)).collect();
    /// assert_eq!(missing, [("alice", 1)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn missing(&self) -> impl Iterator<Item = Missing> + '_ {
        self.holdback.missing().map(|(author, clock, waiting)| Missing { author, clock, waiting })
    }

    /// Figures for monitoring.
    /// Takes time for the remembered entries.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let stats = carol.stats();
    /// assert_eq!((stats.held, stats.held_back, stats.delivered), (1, 1, 0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn stats(&self) -> Stats {
        let Counts { sent, delivered, late, held_back, duplicates, abandoned } = self.counts;
        Stats {
            sent,
            delivered,
            late,
            held_back,
            duplicates,
            abandoned,
            processes: self.roster.len(),
            held: self.holdback.len(),
            log: self.log.len(),
            log_live: self.log.live(),
        }
    }
}
