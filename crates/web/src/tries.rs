//! Wrong passphrases for one name, whether or not there is such an account. No clock.

use std::collections::HashMap;
use std::time::Duration;

use account::Patience;
use tokio::time::Instant;

/// For how long a name is remembered that nobody tries any more: ten times the longest wait.
const FORGOTTEN: Duration = Duration::from_secs(600);

/// How patient each name still is.
pub(crate) struct Tries {
    /// The most names that are remembered. The one that was tried longest ago gives way.
    most: usize,
    names: HashMap<String, (Patience, Instant)>,
}

impl Tries {
    pub(crate) fn new(most: usize) -> Self {
        Self { most: most.max(1), names: HashMap::new() }
    }

    /// Begins to try a passphrase for a name. It counts as wrong until [`right`](Self::right).
    ///
    /// # Errors
    /// How long to wait first.
    pub(crate) fn begin(&mut self, name: &str, now: Instant) -> Result<(), Duration> {
        let name = name.to_lowercase();
        if self.names.len() >= self.most && !self.names.contains_key(&name) {
            self.names.retain(|_, (_, last)| now.saturating_duration_since(*last) < FORGOTTEN);
            if self.names.len() >= self.most
                && let Some(oldest) = self.names.iter().min_by_key(|(_, (_, last))| *last).map(|(name, _)| name.clone())
            {
                self.names.remove(&oldest);
            }
        }
        let (patience, last) = self.names.entry(name).or_insert_with(|| (Patience::default(), now));
        *last = now;
        patience.begin(now.into_std())
    }

    /// The passphrase was right.
    pub(crate) fn right(&mut self, name: &str) {
        self.names.remove(&name.to_lowercase());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_ones_slow_down_that_name_and_no_other_and_a_right_one_ends_it() {
        let (mut tries, now) = (Tries::new(10), Instant::now());
        for _ in 0..5 {
            assert_eq!(tries.begin("alice", now), Ok(()));
        }
        assert!(tries.begin("Alice", now).is_err(), "however it is spelled");
        assert_eq!(tries.begin("bob", now), Ok(()));
        tries.right("alice");
        assert_eq!(tries.begin("alice", now), Ok(()));
    }

    #[test]
    fn so_many_names_are_remembered_and_no_more() {
        let (mut tries, now) = (Tries::new(3), Instant::now());
        for nth in 0..100_u32 {
            tries.begin(&format!("name{nth}"), now + Duration::from_millis(nth.into())).unwrap();
        }
        assert_eq!(tries.names.len(), 3);
        assert!(tries.names.contains_key("name99"));
    }
}
