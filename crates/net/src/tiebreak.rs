//! Which of two peers dials the other, and when: a pure state machine.
//!
//! Every start of a peer draws a random number r and announces it. A peer with r1 that hears r2 dials if r1 < r2.
//! Otherwise it makes sure that the other hears r1, and waits to be dialled. If the numbers are equal, the smaller peer
//! id dials. So exactly one of the two dials.
//!
//! # Out of turn
//!
//! The peer whose turn it is may be unable to dial (a firewall, a lost announcement). The waiting peer cannot ask it,
//! but it sees its own part of the mesh. While links come up in turn, or its own first dials are under way, all peers
//! are busy, and dialling as well would only double the work. Once that has been quiet for a while, the waiting peer
//! dials a few seconds after it heard of the other, only a few peers at once. However busy it is, it dials after a
//! longer bound in any case.
//!
//! # Hearsay
//!
//! What is announced or introduced is hearsay: any machine on the network can forge it. It tells which peers can be
//! dialled, and never changes what a greeting proved. While a link is up, only [`TieBreak::lost`] ends that, whatever
//! is heard. After it, this side uses the number from the greeting. Each further start that is heard of one peer
//! without a link is dialled after a longer pause.
//!
//! A link that broke comes back by the same rule, after a pause that grows with each failure. Once a peer that could
//! not be reached is linked, the network is back. The other peers that this side dials are then tried soon.
//!
//! # Order of calls
//!
//! `heard`, `linked`, `lost`, `dial_failed` and `refused` are inputs, in any order. After each, and when `poll_timeout`
//! is due, `poll` is called until it returns `None`. `now` never goes back. After [`Action::Dial`], exactly one of
//! `linked`, `dial_failed` and `refused` follows. Until then there is no other [`Action::Dial`] for that peer.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use crate::{
    Unlinked,
    peer::{Key, Start, first_dials},
    random::Random,
};

/// How long a peer that refused, or was refused, is not dialled again.
const REFUSED: Duration = Duration::from_secs(300);
/// For how long a peer that never had a link is tried.
const PATIENCE: Duration = Duration::from_secs(300);
/// For how long a peer that had a link is tried again. A machine that slept through lunch is found when it wakes.
const PATIENCE_LINKED: Duration = Duration::from_secs(2 * 3600);
/// How soon the other unreachable peers are tried again once one of them is linked.
const PROMPTLY: Duration = Duration::from_secs(1);
/// When a peer that waits to be dialled first makes sure again that the other has heard it. The pause doubles from
/// there.
const ANNOUNCE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(3));
/// How long no link must have come up in turn before the mesh counts as formed. While 150 peers start on one machine, a
/// link comes up at each of them every tenth of a second.
const QUIET: Duration = Duration::from_secs(2);
/// How many dials out of turn may be under way at once. A useful one takes a few milliseconds, so this many are enough
/// for a hundred in a second. If they are useless, because hundreds of peers are wrong at once, they do little harm.
const OUT_OF_TURN: usize = 4;

/// The bounds of this state machine, all of them from [`Limits`](crate::Limits).
#[derive(Clone, Debug)]
pub(crate) struct Timing {
    pub(crate) turn: (Duration, Duration),
    pub(crate) fallback: (Duration, Duration),
    pub(crate) backoff: (Duration, Duration),
    /// Peers known at once.
    pub(crate) peers: usize,
}

/// How this peer heard of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// The peer announced itself, or so it seems.
    Announced,
    /// A peer that says it has a link to it introduced it.
    Introduced,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Dial this peer.
    Dial(Key),
    /// Another peer should dial and has not yet: make sure that it hears this peer's number.
    Announce,
}

/// How a link ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The peer quit. It will be heard when it comes back.
    Goodbye,
    /// One side closed it because of what the other did. It should not come back soon.
    ForCause,
    /// Anything else. It should come back.
    Broken,
}

#[derive(Debug)]
pub(crate) struct TieBreak {
    me: Key,
    r: u64,
    timing: Timing,
    random: Random,
    peers: BTreeMap<Key, Peer>,
    /// When a link last came up in turn.
    formed: Option<Instant>,
}

#[derive(Debug)]
struct Peer {
    /// While a link is up, as its greeting had it. Otherwise as it was last heard.
    start: Start,
    phase: Phase,
    /// It was introduced, and has never announced itself.
    introduced: bool,
    /// It has had a link.
    met: bool,
    /// How many starts of it were heard of since its last link, beyond the first.
    claims: u32,
    /// How many dials in a row failed, or links in a row did not last.
    failures: u32,
    /// Without a link, it is not tried for longer than this.
    until: Instant,
    /// When it was first heard of, or its last link was lost.
    since: Instant,
    /// It was dialled in vain since then.
    unreachable: bool,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// A dial is under way.
    Dialing {
        out_of_turn: bool,
    },
    Linked {
        since: Instant,
    },
    /// This side dials, at this time.
    Ours {
        at: Instant,
    },
    /// The other side should dial. This side dials out of turn from `from` on if its mesh is formed, and at `at` in any
    /// case.
    Theirs {
        from: Instant,
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
        Self { me, r, timing, random: Random::new(seed), peers: BTreeMap::new(), formed: None }
    }

    /// Whether anything is known of the peer.
    pub(crate) fn knows(&self, peer: &Key) -> bool {
        self.peers.contains_key(peer)
    }

    /// Whether this side has heard of a different start of the peer than this one, and none has had a link.
    pub(crate) fn knows_another(&self, peer: &Key, start: &Start) -> bool {
        self.peers.get(peer).is_some_and(|known| !known.met && known.start != *start)
    }

    /// Whether [`Action::Dial`] was given for this peer and no input has followed.
    pub(crate) fn is_dialing(&self, peer: &Key) -> bool {
        self.peers.get(peer).is_some_and(|known| matches!(known.phase, Phase::Dialing { .. }))
    }

    /// A peer announced itself or was introduced. Returns `false` if it is ignored: it is this peer itself, an earlier
    /// start of a linked peer, or one too many.
    pub(crate) fn heard(&mut self, now: Instant, peer: Key, start: Start, source: Source) -> bool {
        if peer == self.me {
            return false;
        }
        let Some(known) = self.peers.get_mut(&peer) else {
            return self.heard_first(now, peer, start, source);
        };
        known.introduced &= source == Source::Introduced;
        known.until = known.until.max(now + PATIENCE);
        if let Phase::Linked { .. } = known.phase {
            return !known.start.is_newer_than(&start);
        }
        if known.start == start {
            return true;
        }
        known.start = start;
        let pause = match known.claims {
            0 => Duration::ZERO,
            // A peer that keeps changing its number may be forged.
            again => self.random.backoff(again - 1, self.timing.backoff),
        };
        if known.claims == 0 {
            known.failures = 0;
            known.unreachable = false;
        }
        known.claims = known.claims.saturating_add(1);
        let (phase, r) = (known.phase, start.r);
        let phase = match (phase, self.dials(&peer, r)) {
            // The dial under way meets the new start, or it fails and another follows.
            (Phase::Dialing { .. } | Phase::Linked { .. }, _) => phase,
            (Phase::Ours { at }, true) => Phase::Ours { at: at.min(now + pause) },
            (Phase::Theirs { .. } | Phase::Refused { .. }, true) => Phase::Ours { at: now + pause },
            // What is heard never delays a dial that is already planned.
            (Phase::Theirs { .. }, false) => phase,
            (Phase::Ours { .. } | Phase::Refused { .. }, false) => self.theirs(now, pause),
        };
        self.peers.entry(peer).and_modify(|known| known.phase = phase);
        true
    }

    /// Introductions leave a quarter of the room to peers that announce themselves.
    fn heard_first(&mut self, now: Instant, peer: Key, start: Start, source: Source) -> bool {
        let introduced = source == Source::Introduced;
        let room = if introduced { self.timing.peers / 4 * 3 } else { self.timing.peers };
        if self.peers.len() >= room && !self.make_room(introduced) {
            return false;
        }
        let phase = if self.dials(&peer, start.r) { Phase::Ours { at: now } } else { self.theirs(now, Duration::ZERO) };
        let until = now + PATIENCE;
        let (met, claims, failures, unreachable) = (false, 0, 0, false);
        let peer_heard = Peer { start, phase, introduced, met, claims, failures, until, since: now, unreachable };
        self.peers.insert(peer, peer_heard);
        true
    }

    /// Drops a peer that has never had a link, to make room for one that was heard of just now. Peers that were dialled
    /// in vain go first, then the one that was heard of first. An introduced peer only replaces another introduced one.
    fn make_room(&mut self, introduced: bool) -> bool {
        let may_go = |known: &Peer| {
            !known.met
                && (known.introduced || !introduced)
                && !matches!(known.phase, Phase::Dialing { .. } | Phase::Linked { .. })
        };
        let candidates = self.peers.iter().filter(|(_, known)| may_go(known));
        let victim = candidates.min_by_key(|(_, known)| (!known.unreachable, known.since)).map(|(key, _)| *key);
        victim.is_some_and(|key| self.peers.remove(&key).is_some())
    }

    /// A link to the peer is up, no matter which side dialled. `start` is the start that its greeting names.
    pub(crate) fn linked(&mut self, now: Instant, peer: Key, start: Start) {
        let before = self.peers.get(&peer);
        let failures = before.map_or(0, |known| known.failures);
        let unreachable = before.is_some_and(|known| known.unreachable);
        let introduced = before.is_some_and(|known| known.introduced);
        if !before.is_some_and(|known| matches!(known.phase, Phase::Dialing { out_of_turn: true })) {
            self.formed = Some(now);
        }
        let (phase, met, claims) = (Phase::Linked { since: now }, true, 0);
        let linked =
            Peer { start, phase, introduced, met, claims, failures, until: now, since: now, unreachable: false };
        self.peers.insert(peer, linked);
        if unreachable {
            self.try_others(now);
        }
    }
    /// Whatever kept this side from reaching one peer may have kept it from others. They are tried soon, but their
    /// pauses stay as long as they are.
    fn try_others(&mut self, now: Instant) {
        for known in self.peers.values_mut().filter(|known| known.unreachable) {
            if let Phase::Ours { at } = &mut known.phase {
                *at = (*at).min(now + self.random.between(Duration::ZERO, PROMPTLY));
            }
        }
    }

    /// The link is down, and no other took its place.
    pub(crate) fn lost(&mut self, now: Instant, peer: Key, how: Lost) {
        let Some(known) = self.peers.get_mut(&peer) else { return };
        let Phase::Linked { since } = known.phase else { return };
        if how == Lost::Goodbye {
            self.peers.remove(&peer);
            return;
        }
        known.until = now + PATIENCE_LINKED;
        known.since = now;
        // A link that held earns a quick return. One that breaks at once does not.
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
            && matches!(known.phase, Phase::Dialing { .. })
        {
            known.unreachable = true;
            self.retry(now, peer);
        }
    }

    /// One side refused the other. A new start is tried at once, this one not for a long while.
    pub(crate) fn refused(&mut self, now: Instant, peer: Key) {
        if let Some(known) = self.peers.get_mut(&peer)
            && !matches!(known.phase, Phase::Linked { .. })
        {
            known.phase = Phase::Refused { until: now + REFUSED };
            known.unreachable = true;
        }
    }

    /// Forgets all peers.
    pub(crate) fn forget_all(&mut self) {
        self.peers.clear();
    }

    /// Every known peer that has no link.
    pub(crate) fn unlinked(&self, now: Instant) -> impl Iterator<Item = Unlinked> {
        self.peers.iter().filter(|(_, known)| !matches!(known.phase, Phase::Linked { .. })).map(move |(peer, known)| {
            Unlinked { peer: *peer, waits: now.saturating_duration_since(known.since), unreachable: known.unreachable }
        })
    }

    /// The next thing to do now. Nothing is dialled while `may_dial` is false.
    pub(crate) fn poll(&mut self, now: Instant, may_dial: bool) -> Option<Action> {
        self.peers.retain(|_, known| match known.phase {
            Phase::Linked { .. } | Phase::Dialing { .. } => true,
            Phase::Ours { .. } | Phase::Theirs { .. } => now < known.until,
            Phase::Refused { until } => now < until,
        });
        if may_dial && let Some((key, out_of_turn)) = self.for_next_dial(now) {
            self.peers.entry(key).and_modify(|known| known.phase = Phase::Dialing { out_of_turn });
            return Some(Action::Dial(key));
        }
        self.peers.values_mut().find_map(|known| match &mut known.phase {
            Phase::Theirs { announce, pause, .. } if *announce <= now => {
                *pause *= 2;
                *announce = now + *pause;
                Some(Action::Announce)
            }
            Phase::Ours { .. }
            | Phase::Theirs { .. }
            | Phase::Dialing { .. }
            | Phase::Linked { .. }
            | Phase::Refused { .. } => None,
        })
    }

    /// The peer to dial now, and whether that is out of turn. Peers that have had a link come first, then those that
    /// failed least, so that made-up peers do not keep others waiting.
    fn for_next_dial(&self, now: Instant) -> Option<(Key, bool)> {
        let formed = self.formed_from().is_some_and(|from| from.is_none_or(|from| from <= now));
        // Each peer begins after its own key, so that hundreds that start together do not all dial the same peer first.
        let due = self.peers.range(self.me..).chain(self.peers.range(..self.me));
        let due = due.filter_map(|(key, known)| match known.phase {
            Phase::Ours { at } if at <= now => Some((key, known, false)),
            Phase::Theirs { from, at, .. } if at <= now || (formed && from <= now) => Some((key, known, true)),
            Phase::Ours { .. }
            | Phase::Theirs { .. }
            | Phase::Dialing { .. }
            | Phase::Linked { .. }
            | Phase::Refused { .. } => None,
        });
        due.min_by_key(|(_, known, out_of_turn)| (!known.met, known.failures, *out_of_turn))
            .map(|(key, _, out_of_turn)| (*key, out_of_turn))
    }

    /// When the mesh begins to count as formed, so that this side dials out of turn. `Some(None)` is always. `None`
    /// while that depends on dials under way: on their number, or on the outcome of the first dials to their peers.
    fn formed_from(&self) -> Option<Option<Instant>> {
        let mut out_of_turn = 0;
        for known in self.peers.values() {
            match known.phase {
                Phase::Dialing { out_of_turn: true } => out_of_turn += 1,
                Phase::Dialing { out_of_turn: false } if !known.unreachable => return None,
                Phase::Dialing { .. }
                | Phase::Linked { .. }
                | Phase::Ours { .. }
                | Phase::Theirs { .. }
                | Phase::Refused { .. } => {}
            }
        }
        (out_of_turn < OUT_OF_TURN).then(|| self.formed.map(|formed| formed + QUIET))
    }

    /// When [`poll`](Self::poll) has something to do next. `None` if nothing will come by time alone. Dials that wait
    /// for `may_dial`, or for other dials to end, do not count.
    pub(crate) fn poll_timeout(&self, may_dial: bool) -> Option<(Instant, &'static str)> {
        let formed = self.formed_from();
        let next = |known: &Peer| match known.phase {
            Phase::Ours { at } if may_dial => Some((at, "dial")),
            Phase::Theirs { from, at, announce, .. } => {
                let early = formed.map(|formed| formed.map_or(from, |formed| formed.max(from)));
                let dial = may_dial.then(|| early.map_or(at, |early| early.min(at)));
                match dial {
                    Some(dial) if dial < announce => Some((dial, "dial in the other's place")),
                    Some(_) | None => Some((announce, "announce")),
                }
            }
            Phase::Ours { .. } | Phase::Dialing { .. } | Phase::Linked { .. } | Phase::Refused { .. } => None,
        };
        self.peers.values().filter_map(next).min()
    }

    fn dials(&self, peer: &Key, r: u64) -> bool {
        first_dials((self.r, &self.me), (r, peer))
    }

    fn retry(&mut self, now: Instant, peer: Key) {
        let Some(known) = self.peers.get(&peer) else { return };
        let (failures, r) = (known.failures, known.start.r);
        let pause = self.random.backoff(failures, self.timing.backoff);
        let phase = if self.dials(&peer, r) { Phase::Ours { at: now + pause } } else { self.theirs(now, pause) };
        self.peers.entry(peer).and_modify(|known| {
            known.failures = known.failures.saturating_add(1);
            known.phase = phase;
        });
    }

    /// The other side should dial. It gets `pause` more than a peer that is heard of for the first time.
    fn theirs(&mut self, now: Instant, pause: Duration) -> Phase {
        let Timing { turn, fallback, .. } = self.timing;
        let from = now + pause + self.random.between(turn.0, turn.1);
        let pause = self.random.between(ANNOUNCE.0, ANNOUNCE.1);
        Phase::Theirs { from, at: now + self.random.between(fallback.0, fallback.1), announce: now + pause, pause }
    }
}

#[cfg(test)]
mod tests;
