//! Wrong passphrases for one name, whether or not there is such an account. No clock.
//!
//! How long a try has to wait depends on what the same address has tried for that name, so an attacker at one address does not
//! keep the owner out, who is at another. What all addresses together try for one name has a bound that one address never reaches.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use account::Patience;
use tokio::time::Instant;

use crate::HostLimits;
use crate::limits::network;
use crate::rates::Rates;

/// For how long it is remembered that an address has tried a name: ten times the longest wait.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How patient each name still is.
pub(crate) struct Tries {
    /// The most pairs of a name and an address that are remembered. The one that was tried longest ago gives way.
    most: usize,
    of_address: HashMap<(String, IpAddr), (Patience, Instant)>,
    of_all: Rates<String>,
}

impl Tries {
    pub(crate) fn new(limits: HostLimits) -> Self {
        let most = limits.remembered.max(1);
        let of_all = Rates::new(limits.wrong_of_account, limits.wrong_every, most);
        Self { most, of_address: HashMap::new(), of_all }
    }

    /// Begins to try a passphrase for a name. It counts as wrong until [`right`](Self::right).
    ///
    /// # Errors
    /// How long to wait first. Asking too early does not make the wait longer.
    pub(crate) fn begin(&mut self, name: &str, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let name = name.to_lowercase();
        self.of_all.may(&name, now)?;
        let pair = (name, network(from));
        if self.of_address.len() >= self.most && !self.of_address.contains_key(&pair) {
            self.of_address.retain(|_, (_, last)| now.saturating_duration_since(*last) < FORGOTTEN);
            if self.of_address.len() >= self.most
                && let Some(oldest) =
                    self.of_address.iter().min_by_key(|(_, (_, last))| *last).map(|(pair, _)| pair.clone())
            {
                self.of_address.remove(&oldest);
            }
        }
        let (patience, last) = self.of_address.entry(pair.clone()).or_insert_with(|| (Patience::default(), now));
        *last = now;
        patience.begin(now.into_std())?;
        self.of_all.count(pair.0, now);
        Ok(())
    }

    /// The passphrase was right.
    pub(crate) fn right(&mut self, name: &str, from: IpAddr) {
        let name = name.to_lowercase();
        self.of_all.take_back(&name);
        self.of_address.remove(&(name, network(from)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn there(last: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, last])
    }

    #[test]
    fn five_wrong_ones_slow_down_that_name_and_no_other_and_a_right_one_ends_it() {
        let (mut tries, now) = (Tries::new(HostLimits::default()), Instant::now());
        for _ in 0..5 {
            assert_eq!(tries.begin("alice", HERE, now), Ok(()));
        }
        assert!(tries.begin("Alice", HERE, now).is_err(), "however it is spelled");
        assert_eq!(tries.begin("bob", HERE, now), Ok(()));
        tries.right("alice", HERE);
        assert_eq!(tries.begin("alice", HERE, now), Ok(()));
    }

    #[test]
    fn one_address_that_guesses_for_hours_slows_down_no_other() {
        let (mut tries, begun) = (Tries::new(HostLimits::default()), Instant::now());
        for second in 0..10_000 {
            let now = begun + SECOND * second;
            let _ = tries.begin("alice", there(1), now);
            if second % 1000 == 0 {
                assert_eq!(tries.begin("alice", HERE, now), Ok(()), "after {second} s");
                tries.right("alice", HERE);
            }
        }
    }

    #[test]
    fn many_addresses_slow_down_one_name_and_no_other() {
        let limits = HostLimits { wrong_of_account: 10, wrong_every: 10 * SECOND, ..HostLimits::default() };
        let (mut tries, now) = (Tries::new(limits), Instant::now());
        for last in 0..10 {
            assert_eq!(tries.begin("alice", there(last), now), Ok(()));
        }
        for _ in 0..3 {
            assert_eq!(tries.begin("Alice", HERE, now), Err(10 * SECOND), "asking too early costs nothing");
        }
        assert_eq!(tries.begin("bob", HERE, now), Ok(()));
        for _ in 0..3 {
            assert_eq!(tries.begin("alice", HERE, now + 10 * SECOND), Ok(()));
            tries.right("alice", HERE);
        }
    }

    #[test]
    fn so_many_pairs_are_remembered_and_no_more() {
        let limits = HostLimits { remembered: 3, ..HostLimits::default() };
        let (mut tries, now) = (Tries::new(limits), Instant::now());
        for nth in 0..100_u32 {
            tries.begin(&format!("name{nth}"), HERE, now + Duration::from_millis(nth.into())).unwrap();
        }
        assert_eq!(tries.of_address.len(), 3);
        assert!(tries.of_address.contains_key(&("name99".to_owned(), HERE)));
    }
}
