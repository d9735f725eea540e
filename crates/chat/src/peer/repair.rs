//! What to do when something stays missing: ask for it by id, then give it up, visibly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use causal::{Clock, Index, MAX_CLOCK};

use crate::Event;
use crate::batch::Verified;
use crate::store::Store;

use super::{Now, Peer};

/// How often the missing are looked at, while something is held.
const INTERVAL: Duration = Duration::from_millis(500);
/// How many missing messages are asked for in one look.
const AT_ONCE: usize = 1000;
/// How many verified batches are remembered: those that a piece begins with or ends in, and those of parcels, which hold one message
/// each.
const VERIFIED: usize = 64;

/// One message that others wait for.
#[derive(Debug)]
struct Lack {
    /// When it was first missed.
    first: Duration,
    /// From when its bounds run: when it was first missed, or when its author says it is due.
    since: Duration,
    asked: BTreeSet<Index>,
    last_asked: Option<Duration>,
}

/// What is missing, and what was done about it.
#[derive(Debug)]
pub(super) struct Repair {
    missing: BTreeMap<(Index, Clock), Lack>,
    /// Since when messages have been held though nothing is missing.
    knotted: Option<Duration>,
    next: Duration,
    pub(super) verified: Verified,
    /// Messages that were handed on without a valid proof, and bodies that did not decode.
    pub(super) refused: u64,
}

impl Default for Repair {
    fn default() -> Self {
        Self {
            missing: BTreeMap::new(),
            knotted: None,
            next: Duration::ZERO,
            verified: Verified::new(VERIFIED),
            refused: 0,
        }
    }
}

impl Repair {
    /// What is missing has been for so much less.
    pub(super) fn put_off(&mut self, pause: Duration) {
        let lacks = self.missing.values_mut().flat_map(|lack| [&mut lack.first, &mut lack.since]);
        lacks.chain(&mut self.knotted).for_each(|since| *since += pause);
    }
}

impl<S: Store> Peer<S> {
    pub(super) fn next_repair(&self) -> Option<(Duration, &'static str)> {
        (self.causal.held() > 0).then_some((self.repair.next, "something is missing"))
    }

    /// The author says when the message that was asked for is due: the bounds run from then, as far as that is believed.
    pub(super) fn note_due(&mut self, now: Now, author: Index, in_: Duration) {
        let most = self.config.max_promise;
        let due = now.monotonic + in_.min(most);
        for (_, lack) in self.repair.missing.range_mut((author, 0)..=(author, MAX_CLOCK)) {
            lack.since = lack.since.max(due.min(lack.first + most));
        }
    }

    /// Asks for what has been missing for long, and gives up what has been missing for too long.
    pub(super) fn mend(&mut self, now: Now) {
        if self.causal.held() == 0 {
            self.repair.missing.clear();
            self.repair.knotted = None;
            return;
        }
        if now.monotonic < self.repair.next {
            return;
        }
        self.repair.next = now.monotonic + INTERVAL;
        let mut before = std::mem::take(&mut self.repair.missing);
        for missing in self.causal.missing() {
            let key = (missing.author, missing.clock);
            if self.gate.holds(key) {
                continue;
            }
            let fresh =
                || Lack { first: now.monotonic, since: now.monotonic, asked: BTreeSet::new(), last_asked: None };
            self.repair.missing.insert(key, before.remove(&key).unwrap_or_else(fresh));
        }
        let mut ask = Vec::new();
        let mut give_up = Vec::new();
        for (&key, lack) in self.repair.missing.iter().take(AT_ONCE) {
            let age = now.monotonic.saturating_sub(lack.since);
            let waited = lack.last_asked.is_none_or(|asked| asked + self.config.ask_after <= now.monotonic);
            if age >= self.config.abandon_after {
                give_up.push(key);
            } else if age >= self.config.ask_after && waited {
                ask.push(key);
            }
        }
        self.ask_for(now, ask);
        for (author, clock) in give_up {
            self.give_up(author, clock);
        }
        self.cut_knots(now);
        self.deliver(now);
    }

    /// Whoever names a clock that its author has not reached yet may be answered by its author before that: then the two
    /// wait for each other for ever, though both are here. So one message that waits for itself in the end is given up.
    fn cut_knots(&mut self, now: Now) {
        if self.causal.missing().next().is_some() {
            self.repair.knotted = None;
            return;
        }
        let since = *self.repair.knotted.get_or_insert(now.monotonic);
        if since + self.config.abandon_after <= now.monotonic
            && let Some((author, clock)) = self.knot()
        {
            self.give_up(author, clock);
        }
    }

    /// A held message that waits, through others, for itself. There is one where nothing is missing.
    fn knot(&self) -> Option<(Index, Clock)> {
        let (kept, _) = self.causal.held_messages().next()?;
        let mut at = (kept.sender(), kept.clock());
        let mut passed = BTreeSet::new();
        while passed.insert(at) {
            at = *self.causal.waits_for(at.0, at.1).first()?;
        }
        Some(at)
    }

    /// Asks for what is missing: each author's messages that the same peer is asked for with one question.
    fn ask_for(&mut self, now: Now, missing: Vec<(Index, Clock)>) {
        let mut questions: BTreeMap<(Index, Index), (Clock, Clock)> = BTreeMap::new();
        for (author, clock) in missing {
            let Some(peer) = self.whom_to_ask(now, author, clock) else { continue };
            // Whoever is not the author is asked for what comes before it, too: if this is missing, that may be as well.
            let after = if peer == author { clock - 1 } else { self.causal.delivered(author).min(clock - 1) };
            let question = questions.entry((peer, author)).or_insert((after, clock));
            *question = (question.0.min(after), question.1.max(clock));
        }
        for ((peer, author), (after, up_to)) in questions {
            self.ask(peer, author, after, up_to);
        }
    }

    /// The author, and then one peer after the other, those who are known to have it first.
    fn whom_to_ask(&mut self, now: Now, author: Index, clock: Clock) -> Option<Index> {
        let lack = self.repair.missing.get_mut(&(author, clock)).expect("it is asked for because it is missing");
        if self.link_of.keys().all(|peer| lack.asked.contains(peer)) {
            lack.asked.clear();
        }
        let vectors = &self.vectors;
        let rank = |peer: Index| match peer {
            peer if peer == author => 0,
            peer if vectors.has(peer, author) >= clock => 1,
            _ => 2,
        };
        let may_have = |peer: &&Index| !lack.asked.contains(peer) && (**peer == author || !vectors.distrusts(**peer));
        let others = self.link_of.keys().filter(may_have);
        let peer = *others.min_by_key(|&&peer| rank(peer))?;
        lack.asked.insert(peer);
        lack.last_asked = Some(now.monotonic);
        Some(peer)
    }

    /// Whoever was asked for what is missing has handed over what he has up to `through`: if more is missing behind that, he is
    /// asked on. What comes before it may all be for others.
    pub(super) fn ask_on(&mut self, peer: Index, author: Index, after: Clock, through: Clock, up_to: Clock) {
        if through <= after || through >= up_to {
            return;
        }
        let mut missing = self.repair.missing.range((author, through + 1)..=(author, up_to));
        if missing.any(|(_, lack)| lack.asked.contains(&peer)) {
            self.ask(peer, author, through, up_to);
        }
    }

    /// Gives up a message, and with it what comes before it; of a clock for which its author has not vouched, and which may be
    /// made up, that message alone.
    fn give_up(&mut self, author: Index, clock: Clock) {
        self.repair.missing.remove(&(author, clock));
        self.ledger.causal_moved = true;
        let is_vouched_for = clock <= self.causal.vouched(author);
        let hole =
            if is_vouched_for { self.causal.abandon(author, clock) } else { self.causal.disregard(author, clock) };
        let Some(hole) = hole else { return };
        self.journal_abandon(author, hole.from + 1, hole.to);
        let from = self.directory.who(self.person_of(author));
        let first = if is_vouched_for { hole.from + 1 } else { clock };
        self.tell(Event::Gap { from, first, last: hole.to });
    }
}
