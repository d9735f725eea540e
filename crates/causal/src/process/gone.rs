//! What stays missing, and who is gone.

use core::borrow::Borrow;

use super::{Process, vouching};
use crate::config::Trust;
use crate::{Clock, Hole, Index, MAX_CLOCK, Set, Stamp};

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// Gives up what has not been delivered of `author`'s messages up to and including `up_to`, under [`Trust::Vouched`] never
    /// beyond the clock that he vouched for. Whoever waited for those waits no longer. Returns the range in which something
    /// was given up now; nothing if nothing was. Should one of them come after all it is delivered as late, once.
    ///
    /// This is the one thing that gives up causal order: for what lies in the hole, and for what would have come before
    /// something in it, which may now be overtaken. It may even be overtaken by a later message of its own author, so from now
    /// on the clocks that an author skips are kept as a hole too ([`Hole::given_up`] is false), until he says by
    /// [`complete`](Self::complete) that nothing is missing there.
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

    /// Waits no longer for message `clock` of `author`, for which he has not [vouched](Self::vouch): somebody else named it, and
    /// neither it nor a word of its author is to be had. Nobody else who names it waits for it either. Returns the range of
    /// what may be overtaken now, as [`abandon`](Self::abandon) does, and nothing if nobody has to wait for this message.
    ///
    /// Where it exists, this gives up the order of what comes before it as well; but since it may be made up, that is waited
    /// for still where it is named itself. What comes of it after all, up to this message, is delivered as late; and as after
    /// [`abandon`](Self::abandon), what an author skips is kept as a hole. Whoever else is named waits for himself. Should its author
    /// [deny](Self::void) it, this is undone. A clock that he vouched for, or that lies below something delivered, is abandoned.
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
    /// assert_eq!(carol.abandon(author, 1), None, "nobody but bob says that there is such a message");
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

    /// Takes note that everything of `author` up to and including `up_to` that goes to this process has been delivered here,
    /// as he said when asked after the last [`abandon`](Self::abandon). It closes his holes up to there, but none beyond what
    /// was delivered (what still comes from a closed one is a duplicate), and lets his later messages be delivered without
    /// leaving holes. Without a word from him each further message that skips a clock adds a hole, up to
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

    /// Takes note that `author`, asked about his messages up to `up_to`, has said that he has sent nothing above `above`:
    /// the entries about clocks in between are made up; they leave the log and block nobody. Ask only about what somebody
    /// has named already, and take `up_to` from the question: what is named while the answer is on its way may have been
    /// sent since. What he vouched for or what was delivered stays; what was [disregarded](Self::disregard) is not any more. Takes time for all held messages.
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

    /// Takes note that `author` himself has shown his clock to have reached `clock`, by a message or a word that came from
    /// him. Never goes back. Of consequence under [`Trust::Vouched`] only.
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

    /// How far `author` vouched for his clock.
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

    /// Takes `process`, which is gone for good, out of every set of destinations, here and in what comes. As an author it
    /// stays: what it sent is delivered still, once.
    /// Takes time for the entries remembered that name somebody.
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

    /// Who was forgotten.
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
