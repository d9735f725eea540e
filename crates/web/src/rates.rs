//! How often one address may do something: the generic cell rate algorithm of ITU-T I.371. No clock.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::network;

/// How many times the spacing an address waits at most.
const LONGEST: u32 = 6;

/// What addresses have done lately: so much in a row, and then one in a while. What is beyond that makes the wait longer.
pub(crate) struct Rates {
    burst: u32,
    every: Duration,
    /// The most addresses that are remembered. The one with the least to answer for gives way.
    most: usize,
    /// Until when what each has done counts.
    counts: HashMap<IpAddr, Instant>,
}

impl Rates {
    pub(crate) fn new(burst: u32, every: Duration, most: usize) -> Self {
        Self { burst: burst.max(1), every, most: most.max(1), counts: HashMap::new() }
    }

    /// Whether an address may do it once more now.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(crate) fn may(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let counts = self.counts.get(&network(from));
        let ahead = counts.map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        let wait = ahead.saturating_sub(self.every * (self.burst - 1));
        if wait.is_zero() { Ok(()) } else { Err(wait) }
    }

    /// An address has done it.
    pub(crate) fn count(&mut self, from: IpAddr, now: Instant) {
        let from = network(from);
        if self.counts.len() >= self.most && !self.counts.contains_key(&from) {
            self.counts.retain(|_, until| *until > now);
            if self.counts.len() >= self.most
                && let Some(least) = self.counts.iter().min_by_key(|(_, until)| **until).map(|(address, _)| *address)
            {
                self.counts.remove(&least);
            }
        }
        let longest = now + self.every * (self.burst - 1 + LONGEST);
        let until = self.counts.entry(from).or_insert(now);
        *until = ((*until).max(now) + self.every).min(longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn so_many_in_a_row_and_then_one_in_a_while() {
        let (mut rates, mut now) = (Rates::new(5, 10 * SECOND, 10), Instant::now());
        let (mine, other) = (address("192.0.2.1"), address("192.0.2.2"));
        for _ in 0..5 {
            assert_eq!(rates.may(mine, now), Ok(()));
            rates.count(mine, now);
        }
        assert_eq!(rates.may(mine, now), Err(10 * SECOND));
        assert_eq!(rates.may(other, now), Ok(()));
        now += 10 * SECOND;
        assert_eq!(rates.may(mine, now), Ok(()));
        rates.count(mine, now);
        assert_eq!(rates.may(mine, now), Err(10 * SECOND));
        now += 60 * SECOND;
        for _ in 0..5 {
            assert_eq!(rates.may(mine, now), Ok(()), "all is forgiven");
            rates.count(mine, now);
        }
    }

    #[test]
    fn many_at_once_wait_longer_but_not_for_ever() {
        let (mut rates, now) = (Rates::new(5, 10 * SECOND, 10), Instant::now());
        for _ in 0..1000 {
            rates.count(address("192.0.2.1"), now);
        }
        assert_eq!(rates.may(address("192.0.2.1"), now), Err(60 * SECOND));
    }

    #[test]
    fn one_machine_has_one_address_however_many_it_takes() {
        let (mut rates, now) = (Rates::new(1, 10 * SECOND, 10), Instant::now());
        rates.count(address("2001:db8::1"), now);
        assert!(rates.may(address("2001:db8::2"), now).is_err());
        assert!(rates.may(address("2001:db8:0:1::2"), now).is_ok());
        rates.count(address("::ffff:192.0.2.1"), now);
        assert!(rates.may(address("192.0.2.1"), now).is_err());
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
        assert!(rates.may(address("192.0.2.1"), now).is_err());
    }
}
