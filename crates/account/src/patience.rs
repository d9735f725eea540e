use std::time::{Duration, Instant};

/// How soon a passphrase may be tried again. After five wrong tries in a row there is a wait of a second. Each further
/// wrong try doubles it, up to a minute. A right one ends that.
///
/// A try counts as wrong from its beginning until [`right`](Self::right), so trying many at the same moment gains
/// nothing.
///
/// This belongs to the process and is not kept on disk. Guesses over the network all reach the same process. A program
/// that can read the key file can guess without asking, and pays only for argon2id. So a wait on disk would only slow
/// the owner down.
///
/// The caller gives the time, which never goes back. One `Patience` serves one account.
#[derive(Clone, Debug, Default)]
pub struct Patience {
    wrong: u32,
    /// When the next try may begin.
    next: Option<Instant>,
}

impl Patience {
    /// How many wrong tries in a row make the next one wait.
    pub const FREE: u32 = 5;
    /// The longest wait.
    pub const LONGEST: Duration = Duration::from_secs(60);

    /// Begins a try, if one may begin now.
    ///
    /// # Errors
    /// How long to wait first. Asking too early does not make the wait longer.
    pub fn begin(&mut self, now: Instant) -> Result<(), Duration> {
        let wait = self.wait(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        self.wrong = self.wrong.saturating_add(1);
        if let Some(over) = self.wrong.checked_sub(Self::FREE) {
            // Two to the sixth is already longer than the longest wait.
            let wait = Duration::from_secs(1 << over.min(6)).min(Self::LONGEST);
            self.next = Some(now + wait);
        }
        Ok(())
    }

    /// How long until a try may begin. Zero if one may begin now.
    pub fn wait(&self, now: Instant) -> Duration {
        self.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now))
    }

    /// A passphrase was right.
    pub fn right(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_tries_in_a_row_slow_down() {
        let mut patience = Patience::default();
        let mut now = Instant::now();
        for _ in 0..5 {
            assert_eq!(patience.begin(now), Ok(()));
        }
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = patience.begin(now).unwrap_err();
            waits.push(wait.as_secs());
            now += wait - Duration::from_millis(1);
            assert_eq!(patience.begin(now), Err(Duration::from_millis(1)));
            now += Duration::from_millis(1);
            assert_eq!(patience.begin(now), Ok(()));
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn a_right_try_ends_the_wait() {
        let mut patience = Patience::default();
        let now = Instant::now();
        for _ in 0..5 {
            patience.begin(now).unwrap();
        }
        assert_eq!(patience.wait(now), Duration::from_secs(1));
        patience.right();
        for _ in 0..5 {
            assert_eq!(patience.begin(now), Ok(()));
        }
        assert!(patience.begin(now).is_err());
    }

    #[test]
    fn the_longest_wait_stays_the_longest() {
        let mut patience = Patience { wrong: u32::MAX - 1, next: None };
        let mut now = Instant::now();
        for _ in 0..3 {
            patience.begin(now).unwrap();
            assert_eq!(patience.wait(now), Patience::LONGEST);
            now += Patience::LONGEST;
        }
    }
}
