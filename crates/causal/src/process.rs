//! The state machine: one process of a causal multicast.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::borrow::Borrow;

use smallvec::SmallVec;

use crate::config::{Config, Trust};
use crate::holdback::{Holdback, Pending};
use crate::horizon::{Hole, Horizon, Settled};
use crate::log::Log;
use crate::roster::{Full, Roster};
use crate::{Clock, Entry, Envelope, Id, Index, Refusal, Refused, Set, Speller, Stamp};

mod gone;
mod restart;
#[cfg(test)]
mod tests;

/// One process of a causal multicast. `P` is what a process is called, `M` what the caller hangs on a message until it is
/// delivered: its text, say, or where its bytes lie.
///
/// # The caller's contract
/// 1. What [`multicast`](Self::multicast) returns goes to every destination that it names, at least once, in any order.
/// 2. What arrives goes to [`receive`](Self::receive), and then [`next_delivery`](Self::next_delivery) is called until it
///    returns `None`. A message counts as delivered when `next_delivery` has returned it.
/// 3. A process that restarts without the newest [`snapshot`](Self::snapshot) takes a new id: clocks are never used twice.
///
/// Then every message is delivered exactly once to each destination, as soon as it has arrived there and so has what it depends
/// on; and never before one that happened before it and goes to the same destination, except across what was given up by
/// [`abandon`](Self::abandon).
///
/// `S` is what a message is handed in with: its [`Stamp`], or whatever lends one ([`lending`](Self::lending)).
///
/// # Examples
/// ```
/// use causal::{Config, Process, Receipt};
///
/// let mut alice = Process::<_, &str>::new("alice", Config::default());
/// let mut bob = Process::new("bob", Config::default());
/// let hello = alice.send(["bob"])?;
/// assert_eq!(bob.accept(&hello, "hello")?, Receipt::Delivered);
/// assert_eq!(bob.next_delivery().map(|delivery| delivery.message), Some("hello"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Process<P, M, S = Stamp> {
    config: Config,
    roster: Roster<P>,
    clock: Clock,
    horizons: Vec<Horizon>,
    /// How many times something was given up here.
    abandonments: u64,
    /// For each author, how many times something had been given up when he last said that everything has come.
    completed: Vec<u64>,
    /// How far each author vouched for his own clock.
    vouched: Vec<Clock>,
    forgotten: Set,
    log: Log,
    holdback: Holdback<M, S>,
    /// Deliverable in this order.
    ready: VecDeque<Pending<M, S>>,
    /// Room for what is released, kept so that it is allocated once.
    released: Vec<Pending<M, S>>,
    counts: Counts,
}

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
    /// It can be delivered, and comes out of [`Process::next_delivery`] after what came before it.
    Delivered,
    /// It waits for others ([`Process::waits_for`]).
    Held,
    /// It was there before, and was dropped.
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
    /// As it was received.
    pub stamp: S,
    /// What came with it.
    pub message: M,
    /// How many more are delivered with it, in the order of their clocks: those that came with it as a
    /// [run](Process::receive_run).
    pub followers: u32,
    /// It had been given up (of a run: some of it), and what depends on it may have been delivered before it.
    pub late: bool,
}

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
    /// Which of his messages it is.
    pub clock: Clock,
    /// How many held messages wait for it.
    pub waiting: usize,
}

/// What a process did so far, and what it has in memory.
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
    /// Messages delivered since then, late ones included.
    pub delivered: u64,
    /// Messages delivered late.
    pub late: u64,
    /// Messages that were held for a while.
    pub held_back: u64,
    /// Messages dropped because they were there before.
    pub duplicates: u64,
    /// Holes made by [`Process::abandon`].
    pub abandoned: u64,
    /// Processes known now.
    pub processes: usize,
    /// Messages held now.
    pub held: usize,
    /// Entries remembered now, of all kinds.
    pub log: usize,
    /// Those of them that still name a destination.
    pub log_live: usize,
}

#[derive(Clone, Copy, Default)]
struct Counts {
    sent: u64,
    delivered: u64,
    late: u64,
    held_back: u64,
    duplicates: u64,
    abandoned: u64,
}

impl<P: Ord + Clone, M> Process<P, M> {
    /// A process that has sent and received nothing.
    ///
    /// # Examples
    /// ```
    /// let process = causal::Process::<_, ()>::new("alice", causal::Config::default());
    /// assert_eq!((process.clock(), process.roster().len()), (0, 1));
    /// ```
    pub fn new(me: P, config: Config) -> Self {
        Self::lending(me, config)
    }

    /// Takes in a message in the portable form.
    ///
    /// # Errors
    /// As [`receive`](Self::receive), and [`Refusal::Full`] if it names more processes than may be known.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// let question = alice.send(["bob", "carol"])?;
    /// bob.accept(&question, "lunch?")?;
    /// bob.next_delivery();
    /// let answer = bob.send(["carol"])?;
    /// assert_eq!(carol.accept(&answer, "yes!")?, Receipt::Held);
    /// assert_eq!(carol.accept(&question, "lunch?")?, Receipt::Delivered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn accept(&mut self, envelope: &Envelope<P>, message: M) -> Result<Receipt, Refused<M>> {
        match self.localise(envelope) {
            Ok(stamp) => self.receive(stamp, message),
            Err(full) => Err(Refused { reason: full.into(), message }),
        }
    }
}

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// As [`new`](Process::new), for stamps that are kept elsewhere while a message is held: an [`Arc<Stamp>`](alloc::sync::Arc),
    /// say, or a handle to a batch of messages that came together. So nothing is copied for the wait.
    ///
    /// What `S` lends must not change as long as it is in here.
    ///
    /// # Examples
    /// ```
    /// use std::sync::Arc;
    /// use causal::{Config, Process, Stamp};
    ///
    /// let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let mut bob = Process::<_, &str, Arc<Stamp>>::lending("bob", Config::default());
    /// let hello = alice.send(["bob"])?;
    /// let stamp = Arc::new(bob.localise(&hello)?);
    /// bob.receive(Arc::clone(&stamp), "hello")?;
    /// let delivery = bob.next_delivery().expect("it waits for nothing");
    /// assert!(Arc::ptr_eq(&delivery.stamp, &stamp));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lending(me: P, config: Config) -> Self {
        let mut process = Self {
            roster: Roster::new(me, config.max_processes),
            config,
            clock: 0,
            horizons: Vec::new(),
            abandonments: 0,
            completed: Vec::new(),
            vouched: Vec::new(),
            forgotten: Set::new(),
            log: Log::default(),
            holdback: Holdback::new(),
            ready: VecDeque::new(),
            released: Vec::new(),
            counts: Counts::default(),
        };
        process.make_room();
        process
    }

    /// This process.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let alice = Process::<_, ()>::new("alice", Config::default());
    /// assert_eq!(alice.roster().id(alice.me()), &"alice");
    /// ```
    pub fn me(&self) -> Index {
        Index::ME
    }

    /// How many messages it has sent: the clock of the last one.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.send(["bob"])?;
    /// assert_eq!(alice.clock(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Everybody it has heard of.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// assert_eq!(alice.roster().index(&"bob"), Some(bob));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn roster(&self) -> &Roster<P> {
        &self.roster
    }

    /// The index of `id`, a new one if need be.
    /// Takes time logarithmic in the number of processes known.
    ///
    /// # Errors
    /// [`Full`] if `id` is new and [`Config::max_processes`] are known.
    ///
    /// # Examples
    /// ```
    /// use causal::{Config, Full, Process};
    /// let mut alice = Process::<_, ()>::new("alice", Config { max_processes: 2, ..Config::default() });
    /// let bob = alice.intern("bob")?;
    /// assert_eq!(alice.intern("bob"), Ok(bob));
    /// assert_eq!(alice.intern("carol"), Err(Full { limit: 2 }));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn intern(&mut self, id: P) -> Result<Index, Full> {
        let index = self.roster.intern(id)?;
        self.make_room();
        Ok(index)
    }

    // Sending.

    /// Stamps a message to `dests` (SND in the paper). This process itself and forgotten ones among them are left out.
    ///
    /// Takes time for the entries remembered that name somebody ([`Stats::log_live`]), and for the sets in them.
    ///
    /// # Panics
    /// If `dests` has an index that does not come from this process's roster.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let both = [alice.intern("bob")?, alice.intern("carol")?].into_iter().collect();
    /// let stamp = alice.multicast(&both);
    /// assert_eq!((stamp.sender, stamp.clock, stamp.dests), (alice.me(), 1, both));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn multicast(&mut self, dests: &Set) -> Stamp {
        assert!(dests.end() <= self.roster.len(), "a destination is not from this process's roster");
        let mut dests = dests.clone();
        dests.remove(Index::ME);
        dests.subtract(&self.forgotten);
        self.clock = self.clock.checked_add(1).expect("nobody sends 2^64 messages");
        self.counts.sent += 1;
        let log = self.log.outgoing(self.config.markers);
        self.log.send(self.clock, &dests, vouching(&self.config, &self.vouched));
        Stamp { sender: Index::ME, clock: self.clock, dests, log }
    }

    /// Stamps a message to `dests`, in the portable form.
    /// Takes the time of [`multicast`](Self::multicast), and for the ids that the message names a logarithm each.
    ///
    /// # Errors
    /// [`Full`] if a destination is new and [`Config::max_processes`] are known; then nothing was stamped.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let envelope = alice.send(["bob", "carol"])?;
    /// assert!(envelope.is_for(&"bob") && !envelope.is_for(&"alice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn send(&mut self, dests: impl IntoIterator<Item = P>) -> Result<Envelope<P>, Full> {
        let dests = dests.into_iter().map(|id| self.intern(id)).collect::<Result<Set, Full>>()?;
        let stamp = self.multicast(&dests);
        Ok(self.spell(&stamp))
    }

    // Receiving.

    /// Takes in a message (RCV in the paper), as sent to everybody or reduced for this destination.
    ///
    /// Takes time for the entries that the stamp carries, and for what the message releases.
    ///
    /// # Errors
    /// [`Refused`], with the message, if the stamp cannot be right, is not for this process, or a limit is reached. The state
    /// is as before.
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

    /// Whether `followers` and the message `first` of `author`, which they follow, can be taken in as a
    /// [run](Self::receive_run): all of them are new, vouched for where that counts, and nothing of `author`'s was given up.
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

    /// Takes in a run, in the time of one message: the one with this stamp and `followers` more, each of which
    /// [follows](Stamp::follows) the one before. They are held and delivered together, as if they had been received one by
    /// one; [`next_delivery`](Self::next_delivery) hands them out as one. (If one of them is [given up](Self::abandon) while it
    /// is held, those behind it go on waiting with it, where they would not have by themselves.)
    ///
    /// # Errors
    /// As [`receive`](Self::receive). Nothing of the run is taken then.
    ///
    /// # Panics
    /// Where it does not [take](Self::takes_run) such a run: then they are received one by one.
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

    /// Delivers the next message whose turn has come. What it depends on came before it.
    /// Takes time for the entries that its stamp carries and those remembered of the same authors.
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

    // Portable and local.

    /// Translates an envelope into this process's numbering, which grows by whoever is new.
    ///
    /// # Errors
    /// [`Full`] if it names more processes than may be known.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt};
    /// # let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// let stamp = carol.localise(&question)?;
    /// assert_eq!(carol.roster().id(stamp.sender), &"alice");
    /// assert_eq!(carol.spell(&stamp), question);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn localise(&mut self, envelope: &Envelope<P>) -> Result<Stamp, Full> {
        let numbers = envelope.processes.iter().map(|id| self.intern(id.clone())).collect::<Result<Vec<_>, Full>>()?;
        Ok(envelope.stamp.translate(|index| numbers[index.position()]))
    }

    /// Spells a stamp out.
    ///
    /// # Panics
    /// If `stamp` is not in this process's numbering.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = [alice.intern("bob")?].into_iter().collect();
    /// let stamp = alice.multicast(&bob);
    /// assert_eq!(alice.spell(&stamp).sender(), &"alice");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spell(&self, stamp: &Stamp) -> Envelope<P> {
        Envelope::spelled(stamp, &self.roster)
    }

    /// Spells many stamps out to bytes.
    ///
    /// # Examples
    /// ```
    /// use causal::{Config, Process};
    /// let mut alice = Process::<u64, ()>::new(1, Config::default());
    /// let bob = [alice.intern(2)?].into_iter().collect();
    /// let stamp = alice.multicast(&bob);
    /// let mut bytes = Vec::new();
    /// alice.speller().write(&stamp, &mut bytes);
    /// assert_eq!(bytes, alice.spell(&stamp).to_bytes());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn speller(&self) -> Speller<'_, P>
    where
        P: Id,
    {
        Speller::new(&self.roster)
    }

    // What is there.

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

    /// Where something of `author`'s may be missing, given up or skipped after something had been: ordered, disjoint, some
    /// possibly beyond [`delivered`](Self::delivered). With that clock it tells exactly what is here: whatever is for this
    /// process, not beyond the clock and in no hole.
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

    /// Whether another copy of message `clock` of `author` would be a duplicate: it is held, or was delivered, or something
    /// newer of that author was and it lies in no hole (so it was for others).
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

    /// How many messages are held.
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

    /// The held messages, in no particular order; of a [run](Self::receive_run) the first.
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

    /// The held messages, in no particular order, each with how many follow it in its [run](Self::receive_run).
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

    /// What the held message `clock` of `author` still waits for; nothing if it is not held.
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

    /// Whether a message with this stamp would wait for nothing: all that it depends on has been delivered here, is about to be,
    /// or was given up. Takes time for its entries.
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

    /// Whether a held message waits for message `clock` of `author`. Takes time logarithmic in what is waited for.
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

    /// The messages that block others and are not held themselves, by author and clock. Takes time for all authors and
    /// everything that is waited for.
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

    /// Figures for whoever watches.
    /// Takes time for the entries remembered.
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

    /// Whether a message is new; why it cannot be taken.
    fn admit(&self, stamp: &Stamp) -> Result<bool, Refusal> {
        let known = self.roster.len();
        if stamp.sender.position() >= known || stamp.dests.end() > known {
            return Err(Refusal::UnknownProcess);
        }
        if stamp.clock == 0 {
            return Err(Refusal::NoClock);
        }
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
            if entry.clock == 0 {
                return Err(Refusal::NoClock);
            }
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
    fn awaits(&self, entry: &Entry) -> bool {
        entry.dests.contains(Index::ME)
            && entry.sender != Index::ME
            && self.horizons[entry.sender.position()].awaits(entry.clock)
    }

    /// Puts a message whose turn has come behind those before it, and then what it releases.
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

    /// Queues what waited for messages of `author` after one clock, up to another, and for nothing else.
    fn release(&mut self, author: Index, settled: Settled) {
        self.holdback.settle(author, settled, &mut self.released);
        while let Some(pending) = self.released.pop() {
            self.queue(pending);
        }
    }

    /// Keeps the holes of `author` to the limit. One that a late message splits becomes two.
    fn limit_holes(&mut self, author: Index) {
        while let Some(closed) = self.horizons[author.position()].close_beyond(self.config.max_holes) {
            self.release(author, closed);
        }
    }

    /// Makes room for everybody in the roster.
    fn make_room(&mut self) {
        let count = self.roster.len();
        if self.horizons.len() < count {
            self.horizons.resize_with(count, Horizon::default);
            self.completed.resize(count, 0);
            self.vouched.resize(count, 0);
            self.log.grow(count);
            self.holdback.grow(count);
        }
    }
}

/// Up to which clock the entries of an author count as newer than others.
fn vouching<'a>(config: &Config, vouched: &'a [Clock]) -> impl Fn(Index) -> Clock + use<'a> {
    let everyone = config.trust == Trust::Everyone;
    move |author| if everyone || author == Index::ME { Clock::MAX } else { vouched[author.position()] }
}
