//! The addresses given by hand: which to dial, and when. A pure state machine.
//!
//! An address from the configuration is dialled for as long as the program runs whenever nobody is linked there; one
//! from the prompt once. Neither asks whose turn it is: nobody else may know of the address.

use std::time::{Duration, Instant};

use crate::{address::Target, peer::Key, random::Random, tiebreak::Lost};

/// Addresses from the prompt that are being tried at once.
pub(crate) const MAX_ONCE: usize = 64;
/// The head start of whoever the tie-break's rule says dials, when a link to a configured address broke.
const HEAD_START: Duration = Duration::from_secs(3);
/// The pause after somebody who quit, or a refusal.
const QUIET: Duration = Duration::from_secs(10);

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
    target: Target,
    keep: bool,
    phase: Phase,
    failures: u32,
    /// The user has been told that this address fails.
    told: bool,
    /// Who was last found there.
    found: Option<Key>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Due(Instant),
    Dialing,
    Linked,
}

impl ByHand {
    pub(crate) fn new(backoff: (Duration, Duration), seed: u64) -> Self {
        Self { entries: Vec::new(), next: 0, backoff, random: Random::new(seed) }
    }

    /// Takes an address. One from the prompt (`keep` false) is refused when too many are being tried.
    pub(crate) fn add(&mut self, now: Instant, text: String, target: Target, keep: bool) -> Result<(), String> {
        if !keep && self.entries.iter().filter(|entry| !entry.keep).count() >= MAX_ONCE {
            return Err(text);
        }
        let id = EntryId(self.next);
        self.next += 1;
        let phase = Phase::Due(now);
        self.entries.push(Entry { id, text, target, keep, phase, failures: 0, told: false, found: target.peer });
        Ok(())
    }

    /// The next address to dial.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(EntryId, Target)> {
        let entry = self.entries.iter_mut().find(|entry| matches!(entry.phase, Phase::Due(at) if at <= now))?;
        entry.phase = Phase::Dialing;
        Some((entry.id, entry.target))
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

    /// What the user wrote at the prompt; `None` for a configured address.
    pub(crate) fn asked_for(&self, id: EntryId) -> Option<&str> {
        self.entries.iter().find(|entry| entry.id == id && !entry.keep).map(|entry| entry.text.as_str())
    }

    /// The dial of an address failed. Returns what to tell the user: the address, and whether it goes on.
    pub(crate) fn failed(&mut self, now: Instant, id: EntryId) -> Option<(String, bool)> {
        let entry = self.entries.iter_mut().find(|entry| entry.id == id)?;
        if !entry.keep {
            let text = std::mem::take(&mut entry.text);
            self.entries.retain(|entry| entry.id != id);
            return Some((text, false));
        }
        entry.phase = Phase::Due(now + self.random.backoff(entry.failures, self.backoff));
        entry.failures = entry.failures.saturating_add(1);
        let first = !std::mem::replace(&mut entry.told, true);
        first.then(|| (entry.text.clone(), true))
    }

    /// The address will never lead anywhere. Returns it, as the user wrote it.
    pub(crate) fn hopeless(&mut self, id: EntryId) -> Option<String> {
        let at = self.entries.iter().position(|entry| entry.id == id)?;
        Some(self.entries.remove(at).text)
    }

    /// A link was refused there; the user has been told.
    pub(crate) fn refused(&mut self, now: Instant, id: EntryId) {
        self.entries.retain(|entry| entry.id != id || entry.keep);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.phase = Phase::Due(now + QUIET.max(self.backoff.1));
        }
    }

    /// The other side keeps another connection, which will be up soon.
    pub(crate) fn deferred(&mut self, now: Instant, id: EntryId, peer: Key) {
        self.entries.retain(|entry| entry.id != id || entry.keep);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.found = Some(peer);
            entry.phase = Phase::Due(now + HEAD_START);
        }
    }

    /// The address led to this peer, and a link to it is up.
    pub(crate) fn linked(&mut self, id: EntryId, peer: Key) {
        self.entries.retain(|entry| entry.id != id || entry.keep);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            *entry = Entry {
                text: std::mem::take(&mut entry.text),
                phase: Phase::Linked,
                failures: 0,
                told: false,
                found: Some(peer),
                ..*entry
            };
        }
    }

    /// A link to this peer came up by other means.
    pub(crate) fn peer_up(&mut self, peer: Key) {
        for entry in &mut self.entries {
            if entry.found == Some(peer) && matches!(entry.phase, Phase::Due(_)) {
                entry.phase = Phase::Linked;
            }
        }
        self.entries.retain(|entry| entry.keep || entry.phase != Phase::Linked);
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

    fn by_hand() -> (ByHand, Instant, Target) {
        let backoff = (Duration::from_millis(250), Duration::from_secs(30));
        let target = Target { address: "192.0.2.1:1".parse().unwrap(), peer: None };
        (ByHand::new(backoff, 1), Instant::now(), target)
    }

    #[test]
    fn one_from_the_prompt_is_dialled_once() {
        let (mut by_hand, now, target) = by_hand();
        by_hand.add(now, "there".into(), target, false).unwrap();
        let (id, dialled) = by_hand.poll(now).unwrap();
        assert_eq!(dialled, target);
        assert_eq!(by_hand.failed(now, id), Some(("there".into(), false)));
        assert_eq!(by_hand.poll_timeout(), None);
    }

    #[test]
    fn a_configured_one_is_retried_and_the_user_told_once() {
        let (mut by_hand, mut now, target) = by_hand();
        by_hand.add(now, "there".into(), target, true).unwrap();
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
    fn a_configured_one_rests_while_its_peer_is_linked() {
        let (mut by_hand, now, target) = by_hand();
        by_hand.add(now, "there".into(), target, true).unwrap();
        let (id, _) = by_hand.poll(now).unwrap();
        by_hand.linked(id, [1; 32]);
        assert_eq!(by_hand.poll_timeout(), None);
        by_hand.peer_down(now, [1; 32], Lost::Broken);
        assert!(by_hand.poll_timeout().unwrap() > now, "whoever is to dial has a head start");
        by_hand.peer_up([1; 32]);
        assert_eq!(by_hand.poll_timeout(), None, "it used it");
    }

    #[test]
    fn the_prompt_is_bounded() {
        let (mut by_hand, now, target) = by_hand();
        let taken = (0..1000).filter(|_| by_hand.add(now, String::new(), target, false).is_ok()).count();
        assert_eq!(taken, MAX_ONCE);
    }
}
