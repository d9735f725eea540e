//! The addresses given by hand: which to dial, and when. A pure state machine.
//!
//! An address from the configuration is dialled again whenever no peer is linked there, for as long as the program
//! runs. One from the prompt is dialled once. The tie-break's turns do not count for either: no other peer may know of
//! the address. An address that is to be reached is dialled until its peer is known and a link to that peer is up, or
//! until that fails.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{address::Place, peer::Key, random::Random, tiebreak::Lost};

/// Addresses from the prompt that are being tried at once.
pub(crate) const MAX_ONCE: usize = 64;
/// The head start of the peer that dials by the tie-break's rule, after a link to a configured address broke.
const HEAD_START: Duration = Duration::from_secs(3);
/// The pause after a peer that quit, or after a refusal.
const QUIET: Duration = Duration::from_secs(10);

/// How often an address that is to be reached is dialled while the other side keeps another connection.
const REACHES: u32 = 3;

/// Why an address is dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To have a link there at all times.
    Keep,
    /// To make one link there.
    Once,
    /// To learn which peer is at this address, because the user asked.
    Reach(SocketAddr),
}

/// Names an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryId(u64);

#[derive(Debug)]
pub(crate) struct ByHand {
    entries: Vec<Entry>,
    next: u64,
    backoff: (Duration, Duration),
    random: Random,
}

#[derive(Debug)]
struct Entry {
    id: EntryId,
    /// As the user wrote it.
    text: String,
    place: Place,
    /// The addresses of its host that are still to be tried, the next one last.
    candidates: Vec<SocketAddr>,
    purpose: Purpose,
    phase: Phase,
    failures: u32,
    /// The user has been told that this address fails.
    told: bool,
    /// The peer that was last found there, or that is expected.
    found: Option<Key>,
    /// A dial of this address has authenticated that peer.
    proved: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Due(Instant),
    Dialing,
    Linked,
}

impl Entry {
    fn is_kept(&self) -> bool {
        self.purpose == Purpose::Keep
    }
}

impl ByHand {
    pub(crate) fn new(backoff: (Duration, Duration), seed: u64) -> Self {
        Self { entries: Vec::new(), next: 0, backoff, random: Random::new(seed) }
    }

    /// Takes an address. One that is not kept is refused when too many are being tried.
    pub(crate) fn add(&mut self, now: Instant, text: String, place: Place, purpose: Purpose) -> Result<(), String> {
        if purpose != Purpose::Keep && self.entries.iter().filter(|entry| !entry.is_kept()).count() >= MAX_ONCE {
            return Err(text);
        }
        let id = EntryId(self.next);
        self.next += 1;
        let phase = Phase::Due(now);
        let found = match &place {
            Place::At(target) => target.peer,
            Place::Host(_) => None,
        };
        let (candidates, failures, told, proved) = (Vec::new(), 0, false, false);
        self.entries.push(Entry { id, text, place, candidates, purpose, phase, failures, told, found, proved });
        Ok(())
    }

    /// The next address to dial.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(EntryId, Place)> {
        let entry = self.entries.iter_mut().find(|entry| matches!(entry.phase, Phase::Due(at) if at <= now))?;
        entry.phase = Phase::Dialing;
        Some((entry.id, entry.place.clone()))
    }

    /// Gives the addresses that the entry's host name stands for. They are dialled one after the other.
    pub(crate) fn resolved(&mut self, id: EntryId, addresses: impl DoubleEndedIterator<Item = SocketAddr>) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.candidates = addresses.rev().collect();
        }
    }

    /// The next address of an entry's host.
    pub(crate) fn next_candidate(&mut self, id: EntryId) -> Option<SocketAddr> {
        self.entries.iter_mut().find(|entry| entry.id == id)?.candidates.pop()
    }

    /// When the next address is to be dialled.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.entries
            .iter()
            .filter_map(|entry| match entry.phase {
                Phase::Due(at) => Some(at),
                Phase::Dialing | Phase::Linked => None,
            })
            .min()
    }

    /// What the user wrote, and why it is dialled.
    pub(crate) fn asked_for(&self, id: EntryId) -> Option<(&str, Purpose)> {
        self.entries.iter().find(|entry| entry.id == id).map(|entry| (entry.text.as_str(), entry.purpose))
    }

    /// The dial of an address failed. Returns what to tell the user: the address, and whether it is tried again.
    pub(crate) fn failed(&mut self, now: Instant, id: EntryId) -> Option<(String, bool)> {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        if !entry.is_kept() {
            let text = std::mem::take(&mut entry.text);
            self.entries.retain(|entry| entry.id != id);
            return Some((text, false));
        }
        entry.phase = Phase::Due(now + self.random.backoff(entry.failures, self.backoff));
        entry.failures = entry.failures.saturating_add(1);
        let first = !std::mem::replace(&mut entry.told, true);
        first.then(|| (entry.text.clone(), true))
    }

    /// The address can never lead anywhere. Returns it as the user wrote it.
    pub(crate) fn hopeless(&mut self, id: EntryId) -> Option<String> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(at).text)
    }

    /// A link was refused there. The user has been told.
    pub(crate) fn refused(&mut self, now: Instant, id: EntryId) {
        self.entries.retain(|entry| entry.id != id || entry.is_kept());
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.phase = Phase::Due(now + QUIET.max(self.backoff.1));
        }
    }

    /// The other side keeps another connection, which will be up soon. Returns the address if it was to be reached and
    /// has been put off too often.
    pub(crate) fn deferred(&mut self, now: Instant, id: EntryId, peer: Key) -> Option<String> {
        self.entries.retain(|entry| entry.id != id || entry.purpose != Purpose::Once);
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        if !entry.is_kept() {
            entry.failures += 1;
            if entry.failures >= REACHES {
                return self.hopeless(id);
            }
        }
        (entry.found, entry.proved) = (Some(peer), true);
        entry.phase = Phase::Due(now + HEAD_START);
        None
    }

    /// The address led to this peer, and a link to it is up.
    pub(crate) fn linked(&mut self, id: EntryId, peer: Key) {
        self.entries.retain(|entry| entry.id != id || entry.is_kept());
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            *entry = Entry {
                text: std::mem::take(&mut entry.text),
                place: entry.place.clone(),
                candidates: Vec::new(),
                phase: Phase::Linked,
                failures: 0,
                told: false,
                found: Some(peer),
                ..*entry
            };
        }
    }

    /// A link to this peer came up by other means. Returns the addresses that were to be reached and have led to it.
    pub(crate) fn peer_up(&mut self, peer: Key) -> Vec<SocketAddr> {
        let waits = |entry: &Entry| entry.found == Some(peer) && matches!(entry.phase, Phase::Due(_));
        let reached = self.entries.iter().filter_map(|entry| match entry.purpose {
            Purpose::Reach(address) if waits(entry) && entry.proved => Some(address),
            Purpose::Reach(_) | Purpose::Keep | Purpose::Once => None,
        });
        let reached = reached.collect();
        for entry in &mut self.entries {
            if waits(entry) {
                entry.phase = Phase::Linked;
            }
        }
        self.entries.retain(|entry| entry.is_kept() || entry.phase != Phase::Linked);
        reached
    }

    /// The link to this peer went down.
    pub(crate) fn peer_down(&mut self, now: Instant, peer: Key, how: Lost) {
        let pause = match how {
            Lost::Broken => HEAD_START,
            Lost::Goodbye | Lost::ForCause => QUIET,
        };
        for entry in &mut self.entries {
            if entry.found == Some(peer) && entry.phase == Phase::Linked {
                entry.phase = Phase::Due(now + self.random.between(pause / 2, pause));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::{Host, Target};

    fn by_hand() -> (ByHand, Instant, Place) {
        let backoff = (Duration::from_millis(250), Duration::from_secs(30));
        let target = Target { address: "192.0.2.1:1".parse().unwrap(), peer: None };
        (ByHand::new(backoff, 1), Instant::now(), Place::At(target))
    }

    #[test]
    fn an_address_from_the_prompt_is_dialled_once() {
        let (mut by_hand, now, target) = by_hand();
        by_hand.add(now, "there".into(), target.clone(), Purpose::Once).unwrap();
        let (id, dialled) = by_hand.poll(now).unwrap();
        assert_eq!(dialled, target);
        assert_eq!(by_hand.failed(now, id), Some(("there".into(), false)));
        assert_eq!(by_hand.poll_timeout(), None);
    }

    #[test]
    fn a_configured_address_is_retried_and_its_failure_told_once() {
        let (mut by_hand, mut now, target) = by_hand();
        by_hand.add(now, "there".into(), target.clone(), Purpose::Keep).unwrap();
        let mut told = 0;
        for _ in 0..20 {
            now = by_hand.poll_timeout().unwrap().max(now);
            let (id, _) = by_hand.poll(now).unwrap();
            told += usize::from(by_hand.failed(now, id).is_some());
            let pause = by_hand.poll_timeout().unwrap() - now;
            assert!(pause <= Duration::from_secs(30));
        }
        assert_eq!(told, 1);
    }

    #[test]
    fn a_configured_address_is_not_dialled_while_its_peer_is_linked() {
        let (mut by_hand, now, target) = by_hand();
        by_hand.add(now, "there".into(), target.clone(), Purpose::Keep).unwrap();
        let (id, _) = by_hand.poll(now).unwrap();
        by_hand.linked(id, [1; 32]);
        assert_eq!(by_hand.poll_timeout(), None);
        by_hand.peer_down(now, [1; 32], Lost::Broken);
        assert!(by_hand.poll_timeout().unwrap() > now, "the peer that is to dial has a head start");
        by_hand.peer_up([1; 32]);
        assert_eq!(by_hand.poll_timeout(), None, "it used its head start");
    }

    #[test]
    fn an_address_to_reach_waits_for_the_link_that_the_other_side_keeps() {
        let (mut by_hand, now, target) = by_hand();
        let purpose = Purpose::Reach("192.0.2.1:1".parse().unwrap());
        by_hand.add(now, "there".into(), target.clone(), purpose).unwrap();
        let (id, _) = by_hand.poll(now).unwrap();
        assert_eq!(by_hand.peer_up([1; 32]), [], "no peer has proved to be there");
        assert_eq!(by_hand.deferred(now, id, [1; 32]), None);
        assert_eq!(by_hand.peer_up([2; 32]), [], "that is another peer");
        assert_eq!(by_hand.peer_up([1; 32]), ["192.0.2.1:1".parse().unwrap()]);
        assert_eq!(by_hand.poll_timeout(), None, "it is done");
        // If that link never comes, it is dialled again and then given up.
        by_hand.add(now, "there".into(), target.clone(), purpose).unwrap();
        let mut given_up = None;
        for _ in 0..REACHES {
            let at = by_hand.poll_timeout().unwrap();
            let (id, _) = by_hand.poll(at).unwrap();
            given_up = by_hand.deferred(at, id, [1; 32]);
        }
        assert_eq!((given_up, by_hand.poll_timeout()), (Some("there".into()), None));
    }

    #[test]
    fn the_addresses_of_a_host_are_tried_in_order_and_resolved_anew_each_time() {
        let (mut by_hand, now, _) = by_hand();
        let place = Place::Host(Host { name: "host".into(), port: 1 });
        by_hand.add(now, "host:1".into(), place.clone(), Purpose::Keep).unwrap();
        let (id, dialled) = by_hand.poll(now).unwrap();
        assert_eq!(dialled, place);
        let addresses = ["192.0.2.1:1", "[2001:db8::1]:1"].map(|address| address.parse().unwrap());
        by_hand.resolved(id, addresses.into_iter());
        assert_eq!([(); 3].map(|()| by_hand.next_candidate(id)), [Some(addresses[0]), Some(addresses[1]), None]);
        assert_eq!(by_hand.failed(now, id), Some(("host:1".into(), true)));
        let again = by_hand.poll_timeout().unwrap();
        assert_eq!(by_hand.poll(again), Some((id, place)));
        by_hand.resolved(id, addresses.into_iter());
        by_hand.linked(id, [1; 32]);
        assert_eq!(by_hand.next_candidate(id), None, "it is there");
    }

    #[test]
    fn addresses_from_the_prompt_are_bounded() {
        let (mut by_hand, now, target) = by_hand();
        let taken =
            (0..1000).filter(|_| by_hand.add(now, String::new(), target.clone(), Purpose::Once).is_ok()).count();
        assert_eq!(taken, MAX_ONCE);
    }
}
