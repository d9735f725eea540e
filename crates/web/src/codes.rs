//! One-time codes for the page of one peer. No clock and no sockets.

use std::collections::VecDeque;

use tokio::time::Instant;

use crate::Limits;
use crate::secret::Secret;

/// The codes that can still be used.
pub(crate) struct Codes {
    limits: Limits,
    /// Oldest first, each with the time when it ends.
    codes: VecDeque<(Secret, Instant)>,
}

impl Codes {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, codes: VecDeque::new() }
    }

    /// A new code. The oldest one gives way if there are too many.
    pub(crate) fn issue(&mut self, now: Instant) -> Result<Secret, getrandom::Error> {
        let code = Secret::draw()?;
        self.codes.push_back((code, now + self.limits.code_lasts));
        if self.codes.len() > self.limits.codes {
            self.codes.pop_front();
        }
        Ok(code)
    }

    /// Uses up a code; whether it was one.
    pub(crate) fn redeem(&mut self, code: Secret, now: Instant) -> bool {
        self.codes.retain(|(_, ends)| *ends > now);
        let at = self.codes.iter().position(|(known, _)| *known == code);
        at.and_then(|at| self.codes.remove(at)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn codes() -> (Codes, Instant) {
        (Codes::new(Limits { codes: 2, code_lasts: 10 * SECOND, ..Limits::default() }), Instant::now())
    }

    #[test]
    fn a_code_works_once_and_for_a_short_time() {
        let (mut codes, now) = codes();
        let code = codes.issue(now).unwrap();
        assert!(codes.redeem(code, now + 9 * SECOND));
        assert!(!codes.redeem(code, now + 9 * SECOND), "it was used");
        let late = codes.issue(now).unwrap();
        assert!(!codes.redeem(late, now + 10 * SECOND), "it is too old");
    }

    #[test]
    fn the_oldest_code_gives_way() {
        let (mut codes, now) = codes();
        let issued = [(); 3].map(|()| codes.issue(now).unwrap());
        assert_eq!(issued.map(|code| codes.redeem(code, now)), [false, true, true]);
    }
}
