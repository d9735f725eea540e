//! Other starts of linked peers, announced by mDNS: when to dial them. A pure state machine.
//!
//! An announcement is hearsay, so it never touches the link that is up. It costs one dial. Each further start that is
//! announced of the same peer waits longer for its dial.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::{
    peer::{Key, Start},
    random::Random,
};

#[derive(Debug)]
pub(crate) struct Rumours {
    /// Only linked peers, so their number is bounded as well.
    peers: BTreeMap<Key, Rumour>,
    backoff: (Duration, Duration),
    random: Random,
}

#[derive(Debug)]
struct Rumour {
    start: Start,
    addresses: Vec<SocketAddr>,
    /// `None` once it was dialled.
    due: Option<Instant>,
    /// How many starts were announced so far.
    claims: u32,
}

impl Rumours {
    pub(crate) fn new(backoff: (Duration, Duration), seed: u64) -> Self {
        Self { peers: BTreeMap::new(), backoff, random: Random::new(seed) }
    }

    /// Another start of a linked peer was announced.
    pub(crate) fn heard(&mut self, now: Instant, peer: Key, start: Start, addresses: &[SocketAddr]) {
        let known = self.peers.get(&peer);
        if known.is_some_and(|known| known.start == start) {
            return;
        }
        let claims = known.map_or(0, |known| known.claims);
        let pause = claims.checked_sub(1).map_or(Duration::ZERO, |again| self.random.backoff(again, self.backoff));
        // A new announcement never delays a dial that is already due.
        let due = known.and_then(|known| known.due).unwrap_or(now + pause);
        let claims = claims.saturating_add(1);
        self.peers.insert(peer, Rumour { start, addresses: addresses.to_vec(), due: Some(due), claims });
    }

    /// The link to the peer is down. From now on what is heard of it concerns the tie-break.
    pub(crate) fn forget(&mut self, peer: &Key) {
        self.peers.remove(peer);
    }

    /// The next peer to dial now, and where.
    pub(crate) fn poll(&mut self, now: Instant) -> Option<(Key, &[SocketAddr])> {
        let (peer, rumour) = self.peers.iter_mut().find(|(_, rumour)| rumour.due.is_some_and(|due| due <= now))?;
        rumour.due = None;
        Some((*peer, &rumour.addresses))
    }

    /// When [`poll`](Self::poll) has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.peers.values().filter_map(|rumour| rumour.due).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

    /// When dials fall due within `time`, if start number `nth(n)` is announced every `pause`.
    fn dials(pause: Duration, time: Duration, nth: impl Fn(u64) -> u64) -> Vec<Duration> {
        let (mut rumours, begin) = (Rumours::new(BACKOFF, 1), Instant::now());
        let mut dials = Vec::new();
        let mut now = begin;
        for n in 0.. {
            rumours.heard(now, [1; 32], Start { r: 1, at: nth(n) }, &["192.0.2.1:1".parse().unwrap()]);
            let next = now + pause;
            loop {
                while rumours.poll(now).is_some() {
                    dials.push(now - begin);
                }
                match rumours.poll_timeout() {
                    Some(due) if due < next => now = due,
                    Some(_) | None => break,
                }
            }
            now = next;
            if now - begin >= time {
                break;
            }
        }
        dials
    }

    #[test]
    fn one_start_is_dialled_once_and_at_once() {
        assert_eq!(dials(Duration::from_secs(1), Duration::from_secs(600), |_| 7), [Duration::ZERO]);
    }

    #[test]
    fn ever_new_starts_cost_a_bounded_number_of_dials() {
        let hour = Duration::from_secs(3600);
        let many = dials(Duration::from_millis(100), hour, |n| n);
        // At least half of the longest pause lies between any two of them, except for the first ones.
        assert!((100..=250).contains(&many.len()), "{}", many.len());
        assert!(many.windows(2).skip(8).all(|pair| pair[1] - pair[0] >= BACKOFF.1 / 2));
    }

    #[test]
    fn a_peer_whose_link_ended_starts_afresh() {
        let (mut rumours, now) = (Rumours::new(BACKOFF, 1), Instant::now());
        for at in 0..5 {
            rumours.heard(now, [1; 32], Start { r: 1, at }, &[]);
        }
        rumours.forget(&[1; 32]);
        assert!(rumours.poll(now).is_none() && rumours.poll_timeout().is_none());
        rumours.heard(now, [1; 32], Start { r: 1, at: 9 }, &[]);
        assert_eq!(rumours.poll_timeout(), Some(now));
    }
}
