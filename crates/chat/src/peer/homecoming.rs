//! Coming back: what was said while this peer had no link at all, counted until all of it is here.

use std::collections::BTreeSet;
use std::time::Duration;

use causal::Index;

use crate::body::Body;
use crate::hlc::Hlc;
use crate::kept::Kept;
use crate::store::Store;
use crate::{Event, PersonId};

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
    /// What is stamped later is not what was missed.
    began: Hlc,
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

    /// Whether this was said while this peer was away.
    pub(super) fn was_missed(&self, hlc: Hlc) -> bool {
        self.under_way.as_ref().is_some_and(|catch_up| hlc <= catch_up.began)
    }

    /// A text of `author` is in the history now.
    pub(super) fn note_shown(&mut self, now: Now, author: PersonId, hlc: Hlc) {
        let was_missed = self.was_missed(hlc);
        if let Some(catch_up) = self.under_way.as_mut().filter(|_| was_missed) {
            catch_up.messages += 1;
            catch_up.people.insert(author);
            catch_up.last = now.monotonic;
        }
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
                began: self.clock.last().max(Hlc { micros: now.unix_micros, logical: 0 }),
                messages: 0,
                people: BTreeSet::new(),
                last: now.monotonic,
                next_look: quiet,
                next_word: quiet,
            });
        }
        self.homecoming.has_past = true;
    }

    /// A link went down: perhaps it was the last one.
    pub(super) fn note_alone(&mut self) {
        if self.link_of.is_empty() {
            self.homecoming.under_way = None;
        }
    }

    /// Whether the user hears in one summary of what was missed, this message among it. What is sealed or shows nothing is
    /// taken for missed: it is not worth opening twice.
    pub(super) fn is_summed_up(&self, kept: &Kept) -> bool {
        if !self.homecoming.is_under_way() {
            return false;
        }
        if let Ok(Body::Text(head)) = Body::decode(kept.shared_body()) {
            self.homecoming.was_missed(head.hlc)
        } else {
            true
        }
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
