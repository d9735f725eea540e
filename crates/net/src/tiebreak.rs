//! Who dials whom, and when: a pure state machine.
//!
//! Every start of a peer draws a random number r and announces it. A peer with r1 that hears r2 dials if r1 < r2;
//! otherwise it makes sure that the other hears r1, and waits to be dialled. Of equal numbers, the smaller peer id
//! dials. So exactly one of the two dials. If that one cannot (a firewall, a lost announcement), the other does after a
//! bound. A link that broke comes back by the same rule, after a pause that grows with each failure. Once somebody who could
//! not be reached is linked, the network is back: the others whom this side dials are tried soon.
//!
//! # Order of calls
//!
//! `heard`, `linked`, `lost`, `dial_failed` and `refused` are inputs, in any order; after each, and when
//! `poll_timeout` is due, `poll` is drained. `now` never goes back. After [`Action::Dial`], exactly one of `linked`,
//! `dial_failed` and `refused` follows.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    Unlinked,
    peer::{Key, Start, first_dials},
    random::Random,
};

/// How long a peer that refused, or was refused, is left alone.
const REFUSED: Duration = Duration::from_secs(300);
/// How long somebody who never had a link is tried.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long somebody who had a link is tried again: a machine that slept through lunch is found when it wakes.
const PATIENCE_LINKED: Duration = Duration::from_secs(2 * 3600);
/// How soon the others who could not be reached are tried again once one of them is linked.
const PROMPTLY: Duration = Duration::from_secs(1);
/// When a peer that waits to be dialled first makes sure again that it was heard. The pause doubles from there.
const ANNOUNCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));

/// The machine's bounds, all of them from [`Limits`](crate::Limits).
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    pub(crate) fallback: (Duration, Duration),
    pub(crate) backoff: (Duration, Duration),
    /// Peers known at once.
    pub(crate) peers: usize,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Dial this peer.
    Dial(Key),
    /// Somebody should dial and has not yet: make sure that this peer's number is heard.
    Announce,
}

/// How a link ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The peer quit: it will be heard when it comes back.
    Goodbye,
    /// One side closed it because of what the other did: not again soon.
    ForCause,
    /// Anything else: it is to come back.
    Broken,
}

#[derive(Debug)]
pub(crate) struct TieBreak {
    me: Key,
    r: u64,
    timing: Timing,
    random: Random,
    peers: BTreeMap<Key, Peer>,
}

#[derive(Debug)]
struct Peer {
    start: Start,
    phase: Phase,
    /// In a row, dials that failed or links that did not last.
    failures: u32,
    /// Nobody is tried for longer than this without a link.
    until: Instant,
    /// When it was first heard of, or its last link was lost.
    since: Instant,
    /// It was dialled since then, in vain.
    unreachable: bool,
}

#[derive(Debug)]
enum Phase {
    /// A dial is under way.
    Dialing,
    Linked {
        since: Instant,
    },
    /// This side dials at the time.
    Ours {
        at: Instant,
    },
    /// The other side dials; at `at` this side does.
    Theirs {
        at: Instant,
        announce: Instant,
        pause: Duration,
    },
    Refused {
        until: Instant,
    },
}

impl TieBreak {
    /// `r` is this start's number.
    pub(crate) fn new(me: Key, r: u64, timing: Timing, seed: u64) -> Self {
        Self { me, r, timing, random: Random::new(seed), peers: BTreeMap::new() }
    }

    /// Whether anything is known of the peer.
    pub(crate) fn knows(&self, peer: &Key) -> bool {
        self.peers.contains_key(peer)
    }

    /// A peer announced itself, or (`hearsay`) was introduced. `false` when it is not taken notice of: it is oneself,
    /// an earlier start of a peer whose later one is linked, or one too many. Hearsay leaves a quarter of the room to
    /// those who announce themselves.
    pub(crate) fn heard(&mut self, now: Instant, peer: Key, start: Start, hearsay: bool) -> bool {
        if peer == self.me {
            return false;
        }
        let full = self.peers.len() >= if hearsay { self.timing.peers / 4 * 3 } else { self.timing.peers };
        match self.peers.get_mut(&peer) {
            Some(known) if known.start == start => {
                known.until = known.until.max(now + PATIENCE);
                return true;
            }
            Some(Peer { phase: Phase::Linked { .. } | Phase::Dialing, start: known, .. })
                if !start.is_newer_than(known) =>
            {
                return false;
            }
            Some(known @ Peer { phase: Phase::Dialing, .. }) => {
                // The dial under way meets the new start, or fails and is followed by another.
                known.start = start;
                return true;
            }
            None if full => return false,
            Some(_) | None => {}
        }
        let phase = if self.dials(&peer, start.r) { Phase::Ours { at: now } } else { self.theirs(now) };
        let until = now + PATIENCE;
        self.peers.insert(peer, Peer { start, phase, failures: 0, until, since: now, unreachable: false });
        true
    }

    /// A link to the peer is up, whoever dialled.
    pub(crate) fn linked(&mut self, now: Instant, peer: Key, start: Start) {
        let phase = Phase::Linked { since: now };
        let (failures, unreachable) =
            self.peers.get(&peer).map_or((0, false), |known| (known.failures, known.unreachable));
        self.peers.insert(peer, Peer { start, phase, failures, until: now, since: now, unreachable: false });
        if unreachable {
            self.try_others(now);
        }
    }

    /// What kept this side from reaching one may have kept it from others. Their pauses stay as they are.
    fn try_others(&mut self, now: Instant) {
        for known in self.peers.values_mut().filter(|known| known.unreachable) {
            if let Phase::Ours { at } = &mut known.phase {
                *at = (*at).min(now + self.random.between(Duration::ZERO, PROMPTLY));
            }
        }
    }

    /// The link is down and no other took its place.
    pub(crate) fn lost(&mut self, now: Instant, peer: Key, how: Lost) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Phase::Linked { since } = known.phase else { return };
        if how == Lost::Goodbye {
            self.peers.remove(&peer);
            return;
        }
        known.until = now + PATIENCE_LINKED;
        known.since = now;
        // A link that held earns a quick return; one that breaks at once does not.
        if how == Lost::ForCause {
            known.failures = u32::MAX;
        } else if now.duration_since(since) >= self.timing.backoff.1 {
            known.failures = 0;
        }
        self.retry(now, peer);
    }

    /// The dial that [`Action::Dial`] asked for failed.
    pub(crate) fn dial_failed(&mut self, now: Instant, peer: Key) {
        if let Some(known) = self.peers.get_mut(&peer)
            && matches!(known.phase, Phase::Dialing)
        {
            known.unreachable = true;
            self.retry(now, peer);
        }
    }

    /// One side refused the other: a new start is tried at once, this one not for a long while.
    pub(crate) fn refused(&mut self, now: Instant, peer: Key) {
        if let Some(known) = self.peers.get_mut(&peer)
            && !matches!(known.phase, Phase::Linked { .. })
        {
            known.phase = Phase::Refused { until: now + REFUSED };
            known.unreachable = true;
        }
    }

    /// Everybody who is known and has no link.
    pub(crate) fn unlinked(&self, now: Instant) -> impl Iterator<Item = Unlinked> {
        self.peers.iter().filter(|(_, known)| !matches!(known.phase, Phase::Linked { .. })).map(move |(peer, known)| {
            Unlinked { peer: *peer, waits: now.saturating_duration_since(known.since), unreachable: known.unreachable }
        })
    }

    /// The next thing to do now. Nothing is dialled while `may_dial` is false.
    pub(crate) fn poll(&mut self, now: Instant, may_dial: bool) -> Option<Action> {
        self.peers.retain(|_, known| match known.phase {
            Phase::Linked { .. } | Phase::Dialing => true,
            Phase::Ours { .. } | Phase::Theirs { .. } => now < known.until,
            Phase::Refused { until } => now < until,
        });
        // Everybody begins after itself: hundreds that start together do not all dial the same peer first.
        let me = self.me;
        let mut due = self.peers.range(me..).chain(self.peers.range(..me));
        let (key, dial) = due.find_map(|(key, known)| match known.phase {
            Phase::Ours { at } | Phase::Theirs { at, .. } if may_dial && at <= now => Some((*key, true)),
            Phase::Theirs { announce, .. } if announce <= now => Some((*key, false)),
            Phase::Ours { .. }
            | Phase::Theirs { .. }
            | Phase::Dialing
            | Phase::Linked { .. }
            | Phase::Refused { .. } => None,
        })?;
        let known = self.peers.get_mut(&key)?;
        if dial {
            known.phase = Phase::Dialing;
            return Some(Action::Dial(key));
        }
        if let Phase::Theirs { announce, pause, .. } = &mut known.phase {
            *pause *= 2;
            *announce = now + *pause;
        }
        Some(Action::Announce)
    }

    /// When [`poll`](Self::poll) has something to do next. `None` when nothing will come by time alone; dials that wait
    /// for `may_dial` do not count.
    pub(crate) fn poll_timeout(&self, may_dial: bool) -> Option<(Instant, &'static str)> {
        let next = |known: &Peer| match known.phase {
            Phase::Ours { at } if may_dial => Some((at, "dial")),
            Phase::Theirs { at, announce, .. } if may_dial && at < announce => Some((at, "dial in the other's place")),
            Phase::Theirs { announce, .. } => Some((announce, "announce")),
            Phase::Ours { .. } | Phase::Dialing | Phase::Linked { .. } | Phase::Refused { .. } => None,
        };
        self.peers.values().filter_map(next).min()
    }

    fn dials(&self, peer: &Key, r: u64) -> bool {
        first_dials((self.r, &self.me), (r, peer))
    }

    fn retry(&mut self, now: Instant, peer: Key) {
        let Some(known) = self.peers.get(&peer) else { return };
        let phase = if self.dials(&peer, known.start.r) {
            Phase::Ours { at: now + self.random.backoff(known.failures, self.timing.backoff) }
        } else {
            self.theirs(now)
        };
        self.peers.entry(peer).and_modify(|known| {
            known.failures = known.failures.saturating_add(1);
            known.phase = phase;
        });
    }

    fn theirs(&mut self, now: Instant) -> Phase {
        let (from, to) = self.timing.fallback;
        let pause = self.random.between(ANNOUNCE.0, ANNOUNCE.1);
        Phase::Theirs { at: now + self.random.between(from, to), announce: now + pause, pause }
    }
}

#[cfg(test)]
mod tests;
