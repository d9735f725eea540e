//! Pulling: one asks for what an author said, the other hands it over, a piece at a time.

use std::sync::Arc;
use std::time::Duration;

use causal::{Clock, Index};

use crate::frame::{Control, Pulled};
use crate::kept::{Kept, SignedBatch};
use crate::store::Store;
use crate::{LinkId, ProcessId};

use super::super::piece::Builder;
use super::super::{BadFrame, Now, Peer};
use super::Pulling;

/// How many messages are read at once: whole batches, where they are large.
const STEP: usize = 256;

impl<S: Store> Peer<S> {
    /// Hands over what the asker lacks and I have.
    pub(in crate::peer) fn hand_over(
        &mut self,
        now: Now,
        link: LinkId,
        asker: Index,
        author: ProcessId,
        after: Clock,
        up_to: Clock,
    ) {
        let index = self.causal.roster().index(&author);
        let is_mine = author == self.me;
        let (piece, through) = match index {
            _ if is_mine => self.piece_of_mine(asker, after, up_to),
            Some(index) => self.piece_of_others(asker, (index, author), after, up_to),
            None => (self.empty_piece(), 0),
        };
        let pulled = Pulled {
            author,
            after,
            piece: piece.finish(&self.causal),
            through,
            up_to,
            clock: is_mine.then(|| self.causal.clock()),
            due_ms: if is_mine { self.due_of_first(now, asker, after, up_to) } else { None },
        };
        self.send_control(link, &Control::Pulled(pulled));
        if let Some(index) = index {
            self.offer_to_destination(link, asker, Some((index, after, up_to)));
        }
    }

    fn empty_piece(&self) -> Builder {
        Builder::new(self.config.max_piece, self.config.max_piece_bytes)
    }

    /// My own messages that `asker` has not acknowledged, but for those that are not signed yet or under `-delay`; and up to
    /// where that is everything.
    fn piece_of_mine(&self, asker: Index, after: Clock, up_to: Clock) -> (Builder, Clock) {
        let mut piece = self.empty_piece();
        let mut last = after;
        for kept in self.outstanding(asker, after, up_to).filter(|kept| self.outbox.due(kept.clock()).is_none()) {
            if !piece.has_room_for(kept) {
                return (piece, last);
            }
            last = kept.clock();
            piece.put(kept);
        }
        let unsent = self.queue.first().into_iter().chain(self.outbox.delayed().next()).min();
        (piece, up_to.min(unsent.map_or(self.causal.clock(), |unsent| unsent - 1)))
    }

    fn outstanding(&self, asker: Index, after: Clock, up_to: Clock) -> impl Iterator<Item = &Kept> {
        let asked = self.outbox.after(after).take_while(move |outgoing| outgoing.kept.clock() <= up_to);
        asked.filter(move |outgoing| outgoing.outstanding.contains(asker)).map(|outgoing| &outgoing.kept)
    }

    /// In how many milliseconds the first message asked for is due, if it is under `-delay`.
    fn due_of_first(&self, now: Now, asker: Index, after: Clock, up_to: Clock) -> Option<u64> {
        let due = self.outbox.due(self.outstanding(asker, after, up_to).next()?.clock())?;
        Some(millis(due.saturating_sub(now.monotonic)))
    }

    /// What I have of somebody else's messages to `asker`, delivered or held, but for what its author did not sign; and up to
    /// where that is everything.
    fn piece_of_others(
        &self,
        asker: Index,
        author: (Index, ProcessId),
        after: Clock,
        up_to: Clock,
    ) -> (Builder, Clock) {
        let mut piece = self.empty_piece();
        let is_for_him = |kept: &Kept| kept.dests().contains(asker) && kept.is_signed(&self.causal);
        let (mut last, mut looked) = (after, 0);
        loop {
            let stored = self.store.kept_by(author.1, last, up_to, STEP);
            for kept in &stored {
                if !piece.has_room_for(kept) {
                    return (piece, last);
                }
                last = kept.clock();
                // Of an earlier incarnation of mine the store may have what was said under clocks that had been used.
                if !self.ledger.is_doubtful(author.0, last) && is_for_him(kept) {
                    piece.put(kept);
                }
            }
            if stored.len() < STEP {
                break;
            }
            looked += stored.len();
            if looked >= self.config.max_piece {
                return (piece, last);
            }
        }
        for kept in self.held_of(author.0, after, up_to) {
            if !piece.has_room_for(&kept) {
                return (piece, last);
            }
            last = kept.clock();
            if is_for_him(&kept) {
                piece.put(&kept);
            }
        }
        (piece, up_to.min(self.causal.delivered(author.0)))
    }

    /// What is held of `author`'s, in clock order.
    fn held_of(&self, author: Index, after: Clock, up_to: Clock) -> Vec<Kept> {
        let held = self.causal.held_runs().filter(|(kept, ..)| kept.sender() == author);
        let held = held.flat_map(|(kept, followers, _)| kept.run(followers));
        let mut held: Vec<Kept> = held.filter(|kept| kept.clock() > after && kept.clock() <= up_to).collect();
        held.sort_unstable_by_key(Kept::clock);
        held
    }

    /// Takes a piece of what was asked for.
    ///
    /// # Errors
    /// [`BadFrame`] for a piece that no honest peer puts together.
    pub(in crate::peer) fn handle_pulled(
        &mut self,
        now: Now,
        link: LinkId,
        from: Index,
        pulled: &Pulled,
    ) -> Result<(), BadFrame> {
        let unanswered =
            &mut self.links.get_mut(&link).expect("frames are handled only on links that are up").unanswered;
        let Some(others) = unanswered.checked_sub(1) else {
            self.repair.refused += 1;
            return Ok(());
        };
        *unanswered = others;
        let &Pulled { author, after, ref piece, through, up_to: asked, clock, due_ms } = pulled;
        let (batches, all_signed) = self.open_piece(piece)?;
        if !all_signed {
            self.vectors.distrusted.insert(from);
        }
        let mut is_news = false;
        for batch in &batches {
            is_news |= self.has_news(batch);
            // What is wrong with a message that its author signed is not the carrier's fault: it is dropped, and counted.
            if *batch.author() != author || self.arrive_together(now, batch).is_err() {
                self.repair.refused += 1;
            }
        }
        let Some(author) = self.causal.roster().index(&author) else { return Ok(()) };
        if from == author {
            if let Some(clock) = clock {
                self.causal.vouch(author, clock);
                self.causal.void(author, clock, asked);
            }
            if let Some(due_ms) = due_ms {
                self.note_due(now, author, Duration::from_millis(due_ms));
            }
        }
        self.search_on(now, from, author, after, asked, through);
        let is_pulled = |pulling: &Pulling| (pulling.from, pulling.after, pulling.up_to) == (from, after, asked);
        if let Some(pulling) = self.vectors.pulling.get_mut(&author).filter(|pulling| is_pulled(pulling)) {
            if is_news {
                pulling.idle = 0;
                self.vectors.idle.remove(&from);
            }
            self.pull_on(now, author, from, through, asked);
        } else {
            self.ask_on(from, author, after, through, asked);
        }
        Ok(())
    }

    /// Whether something of this batch has not come before.
    fn has_news(&self, batch: &Arc<SignedBatch>) -> bool {
        batch
            .here()
            .map(|index| Kept::new(Arc::clone(batch), index))
            .any(|kept| !self.causal.knows(kept.sender(), kept.clock()))
    }

    /// Whoever is pulled from has handed over everything that he has up to `through`: asks for what comes next.
    fn pull_on(&mut self, now: Now, author: Index, from: Index, through: Clock, up_to: Clock) {
        if self.vectors.distrusted.contains(&from) || self.vectors.refused.contains(&author) {
            self.vectors.pulling.remove(&author);
            self.pull_what_others_have();
            return;
        }
        let progress = through > self.vectors.checked(from, author);
        let checked = self.vectors.checked.entry(from).or_default();
        checked.raise(author, through.min(up_to));
        if progress && through < up_to {
            self.pull(author, from, up_to);
        } else {
            checked.raise(author, up_to);
            // What came is delivered first, so that nobody else is asked for it.
            self.deliver(now);
            self.vectors.pulling.remove(&author);
            self.pull_what_others_have();
        }
    }
}

fn millis(duration: Duration) -> u64 {
    duration.as_millis().try_into().unwrap_or(u64::MAX)
}
