//! The state machine: one process of a causal multicast.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::borrow::Borrow;

use crate::config::{Config, Trust};
use crate::holdback::{Holdback, Pending};
use crate::horizon::Horizon;
use crate::log::Log;
use crate::roster::{Full, Roster};
use crate::{Clock, Envelope, Id, Index, MAX_CLOCK, Refused, Set, Speller, Stamp};

mod gone;
mod receive;
mod restart;
mod state;
#[cfg(test)]
mod tests;

pub use receive::{Delivery, Receipt};
pub use state::{Missing, Stats};

/// One process of a causal multicast. `P` is the type of a process's id. `M` is what the caller attaches to a message until it
/// is delivered: its text, say, or where its bytes lie.
///
/// # The caller's contract
/// 1. Send what [`multicast`](Self::multicast) returns to every destination that it names, at least once, in any order.
/// 2. Hand what arrives to [`receive`](Self::receive), and then call [`next_delivery`](Self::next_delivery) until it returns
///    `None`. A message counts as delivered when `next_delivery` has returned it.
/// 3. If a process restarts without the newest [`snapshot`](Self::snapshot), give it a new id: clocks are never used twice.
///
/// Then each destination delivers every message exactly once, as soon as the message and its dependencies have arrived there.
/// It never delivers a message before one to the same destination that happened before it, except across what
/// [`abandon`](Self::abandon) gave up.
///
/// `S` is what the caller hands in with a message: its [`Stamp`], or a type that lends one ([`lending`](Self::lending)).
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
    /// How many times this process gave something up.
    abandonments: u64,
    /// For each author, how many times something had been given up when it last said that everything has come.
    completed: Vec<u64>,
    /// For each author, the clock that it vouched for.
    vouched: Vec<Clock>,
    forgotten: Set,
    log: Log,
    holdback: Holdback<M, S>,
    /// Deliverable in this order.
    ready: VecDeque<Pending<M, S>>,
    /// Room for released messages, kept so that it is allocated once.
    released: Vec<Pending<M, S>>,
    counts: Counts,
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
    /// As [`receive`](Self::receive), and [`Refusal::Full`](crate::Refusal::Full) if it names more processes than may be known.
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
    /// As [`new`](Process::new), for stamps that lie elsewhere while a message is held back: in an
    /// [`Arc<Stamp>`](alloc::sync::Arc), say, or in a batch of messages that came together. So holding back copies nothing.
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

    /// How many messages this process has sent: the clock of the last one.
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

    /// All processes that this one has heard of.
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

    /// The index of `id`; a new one if `id` is not known yet.
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

    /// Stamps a message to `dests` (SND in the paper). Leaves out this process itself and forgotten ones.
    ///
    /// Takes time for the remembered entries that name a destination ([`Stats::log_live`]), and for the sets in them.
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
        assert!(self.clock < MAX_CLOCK, "no process sends 2^53 messages");
        self.clock += 1;
        self.counts.sent += 1;
        let log = self.log.outgoing(self.config.markers);
        self.log.send(self.clock, &dests, vouching(&self.config, &self.vouched));
        Stamp { sender: Index::ME, clock: self.clock, dests, log }
    }

    /// Stamps a message to `dests`, in the portable form.
    /// Takes the time of [`multicast`](Self::multicast), and logarithmic time for each id that the message names.
    ///
    /// # Errors
    /// [`Full`] if a destination is new and [`Config::max_processes`] are known. Then no message is stamped.
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

    // Portable and local.

    /// Translates an envelope into this process's numbering, to which new processes are added.
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

    /// Translates a stamp into the portable form, with ids spelled out.
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

    /// Writes the canonical bytes of many stamps.
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

    /// Makes room for all processes in the roster.
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

/// The clock up to which entries of an author count as newer than others.
fn vouching<'a>(config: &Config, vouched: &'a [Clock]) -> impl Fn(Index) -> Clock + use<'a> {
    let everyone = config.trust == Trust::Everyone;
    move |author| if everyone || author == Index::ME { MAX_CLOCK } else { vouched[author.position()] }
}
