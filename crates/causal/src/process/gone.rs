//! What stays missing, and who is gone.

use core::borrow::Borrow;

use super::{Process, vouching};
use crate::config::Trust;
use crate::{Clock, Hole, Index, Set, Stamp};

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// Gives up what has not been delivered of `author`'s messages up to and including `up_to`, under [`Trust::Vouched`] never
    /// beyond the clock that he vouched for. Whoever waited for those waits no longer. Returns the range in which something
    /// was given up now; nothing if nothing was. Should one of them come after all it is delivered as late, once.
    ///
    /// This is the one thing that gives up causal order: for what lies in the hole, and for what would have come before
    /// something in it, which may now be overtaken. It may even be overtaken by a later message of its own author, so from now
    /// on the clocks that an author skips are kept as a hole too ([`Hole::given_up`] is false), until he says by
    /// [`complete`](Self::complete) that nothing is missing there.
    pub fn abandon(&mut self, author: Index, up_to: Clock) -> Option<Hole> {
        if author == Index::ME {
            return None;
        }
        let up_to = match self.config.trust {
            Trust::Everyone => up_to,
            Trust::Vouched => up_to.min(self.vouched[author.position()]),
        };
        let hole = self.horizons[author.position()].abandon(up_to)?;
        self.abandonments += 1;
        self.counts.abandoned += 1;
        self.release(author, (hole.from, hole.to));
        Some(hole)
    }

    /// Takes note that everything of `author` up to and including `up_to` that goes to this process has been delivered here,
    /// as he said when asked after the last [`abandon`](Self::abandon). It closes his holes up to there, but none beyond what
    /// was delivered (what still comes from a closed one is a duplicate), and lets his later messages be delivered without
    /// leaving holes. Without a word from him each further message that skips a clock adds a hole, up to
    /// [`Config::max_holes`](crate::Config::max_holes).
    pub fn complete(&mut self, author: Index, up_to: Clock) {
        self.completed[author.position()] = self.abandonments;
        self.horizons[author.position()].complete(up_to);
        self.release(author, (0, up_to.min(self.delivered(author))));
    }

    /// Takes note that `author`, asked about his messages up to `up_to`, has said that he has sent nothing above `above`:
    /// the entries about clocks in between are made up; they leave the log and block nobody. Ask only about what somebody
    /// has named already, and take `up_to` from the question: what is named while the answer is on its way may have been
    /// sent since. What he vouched for or what was delivered stays. Takes time for all held messages.
    pub fn void(&mut self, author: Index, above: Clock, up_to: Clock) {
        let horizon = &self.horizons[author.position()];
        let above = above.max(horizon.end()).max(self.vouched[author.position()]);
        if up_to <= above {
            return;
        }
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
    pub fn vouch(&mut self, author: Index, clock: Clock) {
        let vouched = &mut self.vouched[author.position()];
        if clock > *vouched {
            *vouched = clock;
            self.log.purge(author, vouching(&self.config, &self.vouched)(author));
        }
    }

    /// How far `author` vouched for his clock.
    pub fn vouched(&self, author: Index) -> Clock {
        self.vouched[author.position()]
    }

    /// Takes `process`, which is gone for good, out of every set of destinations, here and in what comes. As an author it
    /// stays: what it sent is delivered still, once.
    pub fn forget(&mut self, process: Index) {
        if process != Index::ME && self.forgotten.insert(process) {
            self.log.forget(process, vouching(&self.config, &self.vouched));
        }
    }

    /// Who was forgotten.
    pub fn forgotten(&self) -> &Set {
        &self.forgotten
    }
}
