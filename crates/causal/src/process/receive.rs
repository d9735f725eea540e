//! Incoming messages: admitted, held back or queued, and delivered.

use core::borrow::Borrow;

use smallvec::SmallVec;

use super::{Process, vouching};
use crate::holdback::Pending;
use crate::horizon::Settled;
use crate::{Clock, Entry, Index, MAX_CLOCK, Refusal, Refused, Stamp};

/// What became of a message that arrived.
///
/// # Examples
/// ```
/// # use causal::{Config, Process, Receipt};
/// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
/// # let question = alice.send(["bob", "carol"])?;
/// # bob.accept(&question, "lunch?")?;
/// # bob.next_delivery();
/// # let answer = bob.send(["carol"])?;
/// assert_eq!(carol.accept(&answer, "yes!")?, Receipt::Held);
/// assert_eq!(carol.accept(&answer, "yes!")?, Receipt::Duplicate);
/// assert_eq!(carol.accept(&question, "lunch?")?, Receipt::Delivered);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It can be delivered. [`Process::next_delivery`] returns it after the messages that were queued before it.
    Delivered,
    /// It is held back and waits for others ([`Process::waits_for`]).
    Held,
    /// It had arrived before, and was dropped.
    Duplicate,
}

/// A message whose turn has come.
///
/// # Examples
/// ```
/// # use causal::{Config, Process, Receipt};
/// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
/// # let question = alice.send(["bob", "carol"])?;
/// # bob.accept(&question, "lunch?")?;
/// # bob.next_delivery();
/// # let answer = bob.send(["carol"])?;
/// carol.accept(&question, "lunch?")?;
/// let delivery = carol.next_delivery().expect("it waits for nothing");
/// assert_eq!((delivery.message, delivery.stamp.clock, delivery.late), ("lunch?", 1, false));
/// assert_eq!(carol.roster().id(delivery.stamp.sender), &"alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery<M, S = Stamp> {
    /// Its stamp, as it was received.
    pub stamp: S,
    /// What the caller handed in with the stamp.
    pub message: M,
    /// How many more messages are delivered with it, in the order of their clocks: those that came with it as a
    /// [run](Process::receive_run).
    pub followers: u32,
    /// Whether it, or a message of its run, had been given up. Its dependents may have been delivered before it.
    pub late: bool,
}

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// Takes in a message (RCV in the paper), with the stamp for all destinations or with the one reduced for this destination.
    ///
    /// Takes time for the entries that the stamp carries, and for what the message releases.
    ///
    /// # Errors
    /// [`Refused`], with the message, if the stamp cannot be right, the message is not for this process, or a limit is reached.
    /// The state is as before.
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
    /// assert_eq!(carol.receive(stamp, "yes!")?, Receipt::Held);
    /// let wrong = causal::Stamp { clock: 0, ..carol.localise(&question)? };
    /// let refused = carol.receive(wrong, "lunch?").unwrap_err();
    /// assert_eq!((refused.reason, refused.message), (causal::Refusal::NoClock, "lunch?"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive(&mut self, stamp: S, message: M) -> Result<Receipt, Refused<M>> {
        self.take_in(stamp, 0, message)
    }

    /// Whether message `first` of `author` and the `followers` messages that follow it can be taken in as a
    /// [run](Self::receive_run): all of them are new, vouched for where that counts, and no message of `author` was given up.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, &str>::new("alice", Config::default());
    /// # let mut bob = Process::<_, &str>::new("bob", Config::default());
    /// let author = bob.intern("alice")?;
    /// assert!(bob.takes_run(author, 1, 2));
    /// bob.accept(&alice.send(["bob"])?, "hello")?;
    /// assert!(!bob.takes_run(author, 1, 2) && bob.takes_run(author, 2, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn takes_run(&self, author: Index, first: Clock, followers: u32) -> bool {
        let horizon = &self.horizons[author.position()];
        let Some(last) = first.checked_add(followers.into()) else { return false };
        author != Index::ME
            && horizon.end() < first
            && horizon.holes().is_empty()
            && self.completed[author.position()] == self.abandonments
            && self.holdback.last_of(author) < first
            && last <= vouching(&self.config, &self.vouched)(author)
    }

    /// Takes in a run, in the time of one message. A run is the message with this stamp and `followers` more, each of which
    /// [follows](Stamp::follows) the one before. They are held back and delivered together, with the effect of receiving them
    /// one by one. [`next_delivery`](Self::next_delivery) returns them as one delivery. There is one difference: if one of them
    /// is [given up](Self::abandon) while it is held back, those after it still wait with it. Received one by one, they would
    /// not.
    ///
    /// # Errors
    /// As [`receive`](Self::receive). Then no message of the run is taken.
    ///
    /// # Panics
    /// If [`takes_run`](Self::takes_run) is false for this run: receive its messages one by one.
    ///
    /// # Examples
    /// ```
    /// use causal::{Config, Process, Receipt};
    ///
    /// let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let mut bob = Process::<_, &str>::new("bob", Config::default());
    /// let run = [alice.send(["bob"])?, alice.send(["bob"])?, alice.send(["bob"])?];
    /// let first = bob.localise(&run[0])?;
    /// assert!(bob.localise(&run[1])?.follows(&first));
    /// assert!(bob.takes_run(first.sender, 1, 2));
    /// assert_eq!(bob.receive_run(first, 2, "three lines")?, Receipt::Delivered);
    /// let delivery = bob.next_delivery().expect("it waits for nothing");
    /// assert_eq!((delivery.message, delivery.followers), ("three lines", 2));
    /// assert_eq!(bob.accept(&run[2], "again")?, Receipt::Duplicate);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn receive_run(&mut self, stamp: S, followers: u32, message: M) -> Result<Receipt, Refused<M>> {
        let lent = stamp.borrow();
        let known = lent.sender.position() < self.roster.len();
        assert!(!known || self.takes_run(lent.sender, lent.clock, followers), "a run that is not wholly new");
        self.take_in(stamp, followers, message)
    }

    fn take_in(&mut self, stamp: S, followers: u32, message: M) -> Result<Receipt, Refused<M>> {
        let lent = stamp.borrow();
        let count = 1 + followers as usize;
        match self.admit(lent) {
            Ok(true) => {}
            Ok(false) => {
                self.counts.duplicates += 1;
                return Ok(Receipt::Duplicate);
            }
            Err(reason) => return Err(Refused { reason, message }),
        }
        if !self.is_deliverable(lent) {
            if self.holdback.len() + count > self.config.max_held {
                return Err(Refused { reason: Refusal::TooManyHeld { limit: self.config.max_held }, message });
            }
            if self.holdback.entries() + lent.log.len() + followers as usize > self.config.max_held_entries {
                let limit = self.config.max_held_entries;
                return Err(Refused { reason: Refusal::TooManyHeldEntries { limit }, message });
            }
            let unmet: SmallVec<[(Index, Clock); 8]> =
                lent.log.iter().filter(|entry| self.awaits(entry)).map(|entry| (entry.sender, entry.clock)).collect();
            self.holdback.hold(Pending::new(stamp, followers, message), &unmet);
            self.counts.held_back += count as u64;
            return Ok(Receipt::Held);
        }
        self.queue(Pending::new(stamp, followers, message));
        Ok(Receipt::Delivered)
    }

    /// Delivers the next message whose turn has come. Its dependencies were delivered before.
    /// Takes time for the entries that its stamp carries and for the remembered entries of their authors.
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
    /// assert!(carol.next_delivery().is_none());
    /// carol.accept(&question, "lunch?")?;
    /// let delivered: Vec<_> = std::iter::from_fn(|| carol.next_delivery()).map(|delivery| delivery.message).collect();
    /// assert_eq!(delivered, ["lunch?", "yes!"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn next_delivery(&mut self) -> Option<Delivery<M, S>> {
        let pending = self.ready.pop_front()?;
        let own = (self.clock, self.config.trust);
        self.log.merge(&pending, own, &self.forgotten, vouching(&self.config, &self.vouched));
        let Pending { stamp, message, followers, .. } = pending;
        let &Stamp { sender: author, clock, .. } = stamp.borrow();
        let late = self.horizons[author.position()].deliver_run(clock, clock + Clock::from(followers));
        self.counts.delivered += 1 + u64::from(followers);
        self.counts.late += late;
        self.limit_holes(author);
        Some(Delivery { stamp, message, followers, late: late > 0 })
    }

    /// Whether a message is new; an error if it cannot be taken.
    fn admit(&self, stamp: &Stamp) -> Result<bool, Refusal> {
        let known = self.roster.len();
        if stamp.sender.position() >= known || stamp.dests.end() > known {
            return Err(Refusal::UnknownProcess);
        }
        check_clock(stamp.clock)?;
        if stamp.sender == Index::ME {
            return if stamp.clock <= self.clock { Ok(false) } else { Err(Refusal::OwnFuture { clock: stamp.clock }) };
        }
        if !stamp.dests.contains(Index::ME) {
            return Err(Refusal::NotForMe);
        }
        if self.knows(stamp.sender, stamp.clock) {
            return Ok(false);
        }
        if stamp.log.len() > self.config.max_entries {
            return Err(Refusal::TooManyEntries { limit: self.config.max_entries });
        }
        if self.log.len() + stamp.log.len() > self.config.max_log {
            return Err(Refusal::LogFull { limit: self.config.max_log });
        }
        let mut last = None;
        for entry in stamp.log.iter() {
            if entry.sender.position() >= known || entry.dests.end() > known {
                return Err(Refusal::UnknownProcess);
            }
            check_clock(entry.clock)?;
            if last >= Some((entry.sender, entry.clock)) {
                return Err(Refusal::Unordered);
            }
            last = Some((entry.sender, entry.clock));
            if entry.sender == stamp.sender && entry.clock >= stamp.clock {
                return Err(Refusal::DependsOnItself);
            }
        }
        Ok(true)
    }

    /// Whether a message with this entry has to wait for the one that the entry is about.
    pub(super) fn awaits(&self, entry: &Entry) -> bool {
        entry.dests.contains(Index::ME)
            && entry.sender != Index::ME
            && self.horizons[entry.sender.position()].awaits(entry.clock)
    }

    /// Queues a message whose turn has come, and then the messages that it releases.
    fn queue(&mut self, pending: Pending<M, S>) {
        let mut next = Some(pending);
        while let Some(pending) = next {
            let &Stamp { sender: author, clock, .. } = pending.stamp();
            let unsure = self.completed[author.position()] < self.abandonments;
            let horizon = &mut self.horizons[author.position()];
            let settled = horizon.queue_run(clock, pending.last(clock), unsure);
            self.ready.push_back(pending);
            self.holdback.settle(author, settled, &mut self.released);
            while let Some(closed) = self.horizons[author.position()].close_beyond(self.config.max_holes) {
                self.holdback.settle(author, closed, &mut self.released);
            }
            next = self.released.pop();
        }
    }

    /// Queues the messages that waited only for messages of `author` after one clock, up to another.
    pub(super) fn release(&mut self, author: Index, settled: Settled) {
        self.holdback.settle(author, settled, &mut self.released);
        while let Some(pending) = self.released.pop() {
            self.queue(pending);
        }
    }

    /// Keeps the gaps of `author` to the limit. A late message can split a gap in two.
    pub(super) fn limit_holes(&mut self, author: Index) {
        while let Some(closed) = self.horizons[author.position()].close_beyond(self.config.max_holes) {
            self.release(author, closed);
        }
    }
}

/// Checks that a clock is in range.
fn check_clock(clock: Clock) -> Result<(), Refusal> {
    match clock {
        0 => Err(Refusal::NoClock),
        1..=MAX_CLOCK => Ok(()),
        _ => Err(Refusal::BeyondLastClock),
    }
}
