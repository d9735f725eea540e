//! How often something may happen, for each address or each name: the generic cell rate algorithm of ITU-T I.371. No clock.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

/// What each has done lately: so much in a row, and then one in a while.
pub(crate) struct Rates<K> {
    burst: u32,
    every: Duration,
    /// The most that are remembered. The one with the least to answer for gives way.
    most: usize,
    /// Until when what each has done counts.
    counts: HashMap<K, Instant>,
}

impl<K: Clone + Eq + Hash> Rates<K> {
    pub(crate) fn new(burst: u32, every: Duration, most: usize) -> Self {
        Self { burst: burst.max(1), every, most: most.max(1), counts: HashMap::new() }
    }

    /// Whether it may happen once more now.
    ///
    /// # Errors
    /// How long to wait first.
    pub(crate) fn may(&self, of: &K, now: Instant) -> Result<(), Duration> {
        self.room(of, now).map(|_| ())
    }

    /// How many times it may happen now: once at least.
    ///
    /// # Errors
    /// How long to wait first.
    pub(crate) fn room(&self, of: &K, now: Instant) -> Result<u32, Duration> {
        let counts = self.counts.get(of);
        let ahead = counts.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let fits = |more: &u32| ahead <= self.every * (self.burst - more);
        (1..=self.burst).rev().find(fits).ok_or_else(|| ahead - self.every * (self.burst - 1))
    }

    /// It has happened.
    pub(crate) fn count(&mut self, of: K, now: Instant) {
        if self.counts.len() >= self.most && !self.counts.contains_key(&of) {
            self.counts.retain(|_, until| *until > now);
            if self.counts.len() >= self.most
                && let Some(least) = self.counts.iter().min_by_key(|(_, until)| **until).map(|(of, _)| of.clone())
            {
                self.counts.remove(&least);
            }
        }
        let until = self.counts.entry(of).or_insert(now);
        *until = (*until).max(now) + self.every;
    }

    /// It has not happened after all.
    pub(crate) fn take_back(&mut self, of: &K) {
        if let Some(until) = self.counts.get_mut(of) {
            *until = until.checked_sub(self.every).unwrap_or(*until);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn so_many_in_a_row_and_then_one_in_a_while() {
        let (mut rates, mut now) = (Rates::new(5, 10 * SECOND, 10), Instant::now());
        let (mine, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for left in (1..=5).rev() {
            assert_eq!(rates.room(&mine, now), Ok(left));
            rates.count(mine, now);
        }
        assert_eq!(rates.may(&mine, now), Err(10 * SECOND));
        assert_eq!(rates.may(&other, now), Ok(()));
        now += 10 * SECOND;
        assert_eq!(rates.may(&mine, now), Ok(()));
        rates.count(mine, now);
        assert_eq!(rates.may(&mine, now), Err(10 * SECOND));
        now += 60 * SECOND;
        for _ in 0..5 {
            assert_eq!(rates.may(&mine, now), Ok(()), "all is forgiven");
            rates.count(mine, now);
        }
    }

    #[test]
    fn so_many_addresses_are_remembered_and_those_that_did_most_stay() {
        let (mut rates, now) = (Rates::new(2, 10 * SECOND, 3), Instant::now());
        for _ in 0..5 {
            rates.count(address("192.0.2.1"), now);
        }
        for last in 2..200 {
            rates.count(IpAddr::from([192, 0, 2, last]), now);
        }
        assert_eq!(rates.counts.len(), 3);
        assert!(rates.may(&address("192.0.2.1"), now).is_err());
    }
}
