//! Coming back: what was said while this peer had no link at all, counted until all of it is here.

use std::collections::BTreeSet;
use std::time::Duration;

use causal::{Clock, Index};

use crate::kept::Kept;
use crate::store::Store;
use crate::{Event, MessageId, PersonId};

use super::talk::Vector;
use super::{Now, Peer};

/// How often it is looked at whether all is here.
const LOOK: Duration = Duration::from_millis(500);
/// How often the user is told how it goes.
const WORD: Duration = Duration::from_secs(2);

/// Whether this peer has been away, and what it is catching up with.
#[derive(Debug, Default)]
pub(super) struct Homecoming {
    /// It was among others before: it has something to come back to.
    has_past: bool,
    under_way: Option<CatchUp>,
}

#[derive(Debug)]
struct CatchUp {
    /// How far those who are here had come with each author when the link to them came up: what was said later was not missed.
    missed: Vector,
    messages: u64,
    people: BTreeSet<PersonId>,
    /// When somebody came or something old did, last.
    last: Duration,
    next_look: Duration,
    next_word: Duration,
}

impl Homecoming {
    pub(super) fn note_past(&mut self) {
        self.has_past = true;
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.under_way.is_some()
    }

    pub(super) fn next(&self) -> Option<(Duration, &'static str)> {
        self.under_way.as_ref().map(|catch_up| (catch_up.next_look, "what was missed is coming in"))
    }
}

impl<S: Store> Peer<S> {
    /// A link came up, and is not among the others yet.
    pub(super) fn come_home(&mut self, now: Now) {
        if let Some(catch_up) = &mut self.homecoming.under_way {
            catch_up.last = now.monotonic;
        } else if self.link_of.is_empty() && self.homecoming.has_past {
            let quiet = now.monotonic + self.config.caught_up_after;
            self.homecoming.under_way = Some(CatchUp {
                missed: Vector::default(),
                messages: 0,
                people: BTreeSet::new(),
                last: now.monotonic,
                next_look: quiet,
                next_word: quiet,
            });
        }
        self.homecoming.has_past = true;
    }

    /// A member is here, and this is what it has, its own messages among it.
    pub(super) fn note_what_was_said(&mut self, member: Index, clock: Clock) {
        if let Some(catch_up) = &mut self.homecoming.under_way {
            catch_up.missed.raise(member, clock);
            if let Some(has) = self.vectors.of(member) {
                catch_up.missed.raise_all(has);
            }
        }
    }

    /// Whether a message was said while this peer was away: before the link to the peer that has it came up, or by an author who is not here.
    /// Clocks of machines have no say in that.
    fn was_missed(&self, author: Index, clock: Clock) -> bool {
        let is_before = |catch_up: &CatchUp| clock <= catch_up.missed.of(author);
        self.homecoming
            .under_way
            .as_ref()
            .is_some_and(|missed| is_before(missed) || !self.link_of.contains_key(&author))
    }

    /// A text by `author` is in the history now, `fetched` as what was said before or not.
    pub(super) fn note_missed(&mut self, now: Now, id: MessageId, author: Index, fetched: bool) {
        let was_missed = fetched || self.was_missed(author, id.clock);
        if let Some(catch_up) = self.homecoming.under_way.as_mut().filter(|_| was_missed) {
            catch_up.messages += 1;
            catch_up.people.insert(id.process.person);
            catch_up.last = now.monotonic;
        }
    }

    /// A link went down: perhaps it was the last one.
    pub(super) fn note_alone(&mut self) {
        if self.link_of.is_empty() {
            self.homecoming.under_way = None;
        }
    }

    /// Whether the user hears in one summary of what was missed, this message among it.
    pub(super) fn is_summed_up(&self, kept: &Kept) -> bool {
        self.was_missed(kept.sender(), kept.clock())
    }

    /// Tells the user how it goes, and once all is here.
    pub(super) fn look_at_homecoming(&mut self, now: Now) {
        let Some(catch_up) = &mut self.homecoming.under_way else { return };
        if now.monotonic < catch_up.next_look {
            return;
        }
        catch_up.next_look = now.monotonic + LOOK;
        let since = now.monotonic.saturating_sub(catch_up.last);
        let is_all_here = !self.vectors.is_pulling() && !self.gate.is_busy() && self.causal.held() == 0;
        // What nobody has is given up by then.
        let patience = if is_all_here { self.config.caught_up_after } else { self.config.abandon_after };
        if since >= patience {
            let (messages, people) = (catch_up.messages, catch_up.people.len());
            self.homecoming.under_way = None;
            if messages > 0 {
                self.tell(Event::CaughtUp { messages, people });
            }
        } else if now.monotonic >= catch_up.next_word {
            catch_up.next_word = now.monotonic + WORD;
            let messages = catch_up.messages;
            let missing = self.missing_roughly();
            if missing > self.config.told_of_missing {
                self.tell(Event::CatchingUp { messages, of: messages + missing });
            }
        }
    }

    /// How many clocks of those whom I know lie between what I have and what those who are here have: what is
    /// addressed to others is counted too. Of somebody of whom I have nothing it is not known where that begins.
    fn missing_roughly(&self) -> u64 {
        let missing = |author: Index| {
            let delivered = self.causal.delivered(author);
            let of_others = self.link_of.keys().map(|&peer| self.vectors.has(peer, author)).max().unwrap_or(0);
            let of_author = if self.link_of.contains_key(&author) { self.causal.vouched(author) } else { 0 };
            if delivered == 0 { 0 } else { of_others.max(of_author).saturating_sub(delivered) }
        };
        let me = self.causal.me();
        self.causal.roster().iter().map(|(author, _)| author).filter(|&author| author != me).map(missing).sum()
    }
}
