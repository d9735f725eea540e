//! Messages that stay missing, and processes that are gone.

use core::borrow::Borrow;

use super::{Process, vouching};
use crate::config::Trust;
use crate::{Clock, Hole, Index, MAX_CLOCK, Set, Stamp};

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// Gives up the undelivered messages of `author` up to and including `up_to`. Under [`Trust::Vouched`] it never goes
    /// beyond the clock that the author vouched for. Messages that waited for these wait no longer. Returns the range in which
    /// something was given up now, or `None` if nothing was. If one of these messages comes after all, it is delivered as
    /// late, once.
    ///
    /// Only this call and [`disregard`](Self::disregard) give up causal order. It is lost for the messages in the gap and for
    /// those that happened before one of them: other messages may now overtake them, even a later one of the same author. So
    /// from now on the clocks that an author skips become a gap too ([`Hole::given_up`] is false), until the author says that
    /// nothing is missing there ([`complete`](Self::complete)).
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
    /// // The question does not come.
    /// carol.abandon(author, 1).expect("it has not been given up before");
    /// assert_eq!(carol.next_delivery().map(|delivery| delivery.message), Some("yes!"));
    /// // It comes after all.
    /// carol.accept(&question, "lunch?")?;
    /// assert!(carol.next_delivery().is_some_and(|delivery| delivery.late));
    /// assert_eq!(carol.abandon(author, 1), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn abandon(&mut self, author: Index, up_to: Clock) -> Option<Hole> {
        if author == Index::ME {
            return None;
        }
        let up_to = match self.config.trust {
            Trust::Everyone => up_to.min(MAX_CLOCK),
            Trust::Vouched => up_to.min(self.vouched[author.position()]),
        };
        let hole = self.horizons[author.position()].abandon(up_to)?;
        self.abandonments += 1;
        self.counts.abandoned += 1;
        self.release(author, (hole.from, hole.to));
        self.limit_holes(author);
        Some(hole)
    }

    /// Stops waiting for message `clock` of `author`, which the author has not [vouched](Self::vouch) for. Use it for a message
    /// that another process named, if neither the message nor a word from its author can be had. No other message that names
    /// it waits for it either. Returns the range of messages that may be overtaken now, as [`abandon`](Self::abandon) does, or
    /// `None` if nothing has to wait for this message.
    ///
    /// If the message exists, this also gives up the order of the messages that happened before it. But since it may be made
    /// up, a message that names one of those still waits for it. If a message of the author up to this clock comes after all,
    /// it is delivered as late. As after [`abandon`](Self::abandon), the clocks that an author skips become a gap. Other
    /// destinations decide for themselves. If its author [denies](Self::void) the message, this is undone. A clock that the
    /// author vouched for, or that lies below something delivered, is abandoned.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Receipt, Trust};
    /// # let [mut alice, mut bob] = ["alice", "bob"].map(|name| Process::<_, &str>::new(name, Config::default()));
    /// let mut carol = Process::<_, &str>::new("carol", Config { trust: Trust::Vouched, ..Config::default() });
    /// # let question = alice.send(["bob", "carol"])?;
    /// # bob.accept(&question, "lunch?")?;
    /// # bob.next_delivery();
    /// # let answer = bob.send(["carol"])?;
    /// carol.accept(&answer, "yes!")?;
    /// let author = carol.intern("alice")?;
    /// assert_eq!(carol.abandon(author, 1), None, "only bob says that there is such a message");
    /// carol.disregard(author, 1).expect("it has not been disregarded before");
    /// assert_eq!(carol.next_delivery().map(|delivery| delivery.message), Some("yes!"));
    /// // It comes after all.
    /// carol.accept(&question, "lunch?")?;
    /// assert!(carol.next_delivery().is_some_and(|delivery| delivery.late));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disregard(&mut self, author: Index, clock: Clock) -> Option<Hole> {
        let horizon = &mut self.horizons[author.position()];
        if author == Index::ME || clock > MAX_CLOCK || !horizon.awaits(clock) {
            return None;
        }
        let is_certain = clock <= vouching(&self.config, &self.vouched)(author).max(horizon.end());
        let hole = if is_certain { horizon.abandon(clock)? } else { horizon.disregard(clock) };
        self.abandonments += 1;
        self.counts.abandoned += 1;
        self.release(author, (if is_certain { hole.from } else { clock - 1 }, clock));
        self.limit_holes(author);
        Some(hole)
    }

    /// Notes that every message of `author` to this process, up to and including `up_to`, has been delivered here. The author
    /// must have said so when asked after the last [`abandon`](Self::abandon). This closes the author's gaps up to there, but
    /// none beyond the last delivered message. What still comes from a closed gap is a duplicate. The author's later messages
    /// leave no gaps then. Without a word from the author, each further message that skips a clock adds a gap, up to
    /// [`Config::max_holes`](crate::Config::max_holes).
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let [mut alice, mut bob] = ["alice", "bob"].map(|name| Process::<_, u64>::new(name, Config::default()));
    /// let sent = [alice.send(["bob"])?, alice.send(["carol"])?, alice.send(["bob"])?];
    /// let author = bob.intern("alice")?;
    /// bob.abandon(author, 1);
    /// bob.accept(&sent[2], 3)?;
    /// bob.accept(&sent[0], 1)?;
    /// while bob.next_delivery().is_some() {}
    /// assert_eq!(bob.holes(author).len(), 1, "the second may be for others, or may still come");
    /// // Asked, alice says that bob has everything of hers up to 3.
    /// bob.complete(author, 3);
    /// assert!(bob.holes(author).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn complete(&mut self, author: Index, up_to: Clock) {
        self.completed[author.position()] = self.abandonments;
        self.horizons[author.position()].complete(up_to);
        self.release(author, (0, up_to.min(self.delivered(author))));
    }

    /// Notes that `author`, asked about its messages up to `up_to`, has said that it has sent nothing above `above`. So the
    /// entries about clocks in between are made up. They leave the log and block nothing. Ask only about clocks that a message
    /// has named already, and take `up_to` from the question: messages named while the answer is on its way may have been sent
    /// since. Clocks that the author vouched for, and those that were delivered, stay. Clocks that were
    /// [disregarded](Self::disregard) no longer are. Takes time for all held messages.
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
    /// // Alice, asked about her messages up to 1, says that she has sent none: bob must have made it up.
    /// let author = carol.intern("alice")?;
    /// carol.void(author, 0, 1);
    /// assert_eq!(carol.next_delivery().map(|delivery| delivery.message), Some("yes!"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn void(&mut self, author: Index, above: Clock, up_to: Clock) {
        let horizon = &self.horizons[author.position()];
        let above = above.max(horizon.end()).max(self.vouched[author.position()]);
        if up_to <= above {
            return;
        }
        self.horizons[author.position()].void(above, up_to);
        self.log.void(author, above, up_to);
        for pending in self.holdback.iter_mut().chain(&mut self.ready) {
            if pending
                .stamp()
                .log
                .iter()
                .any(|entry| entry.sender == author && entry.clock > above && entry.clock <= up_to)
            {
                pending.void.push((author, above, up_to));
            }
        }
        self.release(author, (above, up_to));
    }

    /// Notes that `author` itself has shown that its clock has reached `clock`, by a message or a statement of its own. A
    /// smaller clock than before changes nothing. Matters under [`Trust::Vouched`] only.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// alice.vouch(bob, 7);
    /// alice.vouch(bob, 5);
    /// assert_eq!(alice.vouched(bob), 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn vouch(&mut self, author: Index, clock: Clock) {
        let (clock, vouched) = (clock.min(MAX_CLOCK), &mut self.vouched[author.position()]);
        if clock > *vouched {
            *vouched = clock;
            self.log.purge(author, vouching(&self.config, &self.vouched)(author));
        }
    }

    /// The clock that `author` vouched for.
    ///
    /// # Panics
    /// If `author` comes from another roster that is longer than this process's.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// assert_eq!(alice.vouched(bob), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn vouched(&self, author: Index) -> Clock {
        self.vouched[author.position()]
    }

    /// Takes `process`, which is gone for good, out of every set of destinations, here and in what arrives later. It stays as
    /// an author: what it sent is still delivered, once.
    /// Takes time for the remembered entries that name a destination.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// alice.forget(bob);
    /// assert!(!alice.send(["bob", "carol"])?.is_for(&"bob"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forget(&mut self, process: Index) {
        if process != Index::ME && self.forgotten.insert(process) {
            self.log.forget(process, vouching(&self.config, &self.vouched));
        }
    }

    /// The forgotten processes.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// alice.forget(bob);
    /// assert!(alice.forgotten().contains(bob));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forgotten(&self) -> &Set {
        &self.forgotten
    }
}
