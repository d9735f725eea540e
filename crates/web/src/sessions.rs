//! Who is logged in: one-time codes, and the sessions that they are exchanged for. No clock and no sockets.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::Limits;

/// What only the browser of a log-in knows: 128 random bits, written as 32 hexadecimal digits. It has no `Debug`, so that
/// no log gets it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Secret(u128);

impl Secret {
    fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }

    /// Reads what [`write`](Self::write) wrote, and nothing else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| u128::from_str_radix(text, 16).ok().map(Self))?
    }

    pub(crate) fn write(self) -> String {
        format!("{:032x}", self.0)
    }
}

/// The codes that can still be used, and the sessions that are open.
pub(crate) struct Sessions {
    limits: Limits,
    /// Oldest first, each with the time when it ends.
    codes: VecDeque<(Secret, Instant)>,
    open: HashMap<Secret, Open>,
}

struct Open {
    /// When it ends if it is not used any more.
    ends: Instant,
    /// Dropped when the session ends, which every tab of it notices.
    alive: watch::Sender<()>,
}

/// The end of a session, to be waited for.
pub(crate) struct Ended(watch::Receiver<()>);

impl Ended {
    pub(crate) async fn wait(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

impl Sessions {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, codes: VecDeque::new(), open: HashMap::new() }
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

    /// Exchanges a code for a session, once. The session that was used longest ago gives way if there are too many.
    pub(crate) fn redeem(&mut self, code: Secret, now: Instant) -> Result<Option<Secret>, getrandom::Error> {
        let id = Secret::draw()?;
        self.codes.retain(|(_, ends)| *ends > now);
        let Some(at) = self.codes.iter().position(|(known, _)| *known == code) else { return Ok(None) };
        self.codes.remove(at);
        self.open.retain(|_, open| open.ends > now);
        while self.open.len() >= self.limits.sessions.max(1) {
            let Some(oldest) = self.open.iter().min_by_key(|(_, open)| open.ends).map(|(id, _)| *id) else { break };
            self.end(oldest);
        }
        self.open.insert(id, Open { ends: now + self.limits.idle, alive: watch::Sender::new(()) });
        Ok(Some(id))
    }

    /// Uses a session, which keeps it open; its end. `None` if there is no such session.
    pub(crate) fn enter(&mut self, id: Secret, now: Instant) -> Option<Ended> {
        let open = self.open.get_mut(&id)?;
        if open.ends <= now {
            self.end(id);
            return None;
        }
        open.ends = now + self.limits.idle;
        Some(Ended(open.alive.subscribe()))
    }

    /// How long a session still lasts if it is not used. One that has lasted long enough ends here.
    pub(crate) fn lasts(&mut self, id: Secret, now: Instant) -> Option<Duration> {
        let left = self.open.get(&id)?.ends.saturating_duration_since(now);
        if left.is_zero() {
            self.end(id);
            return None;
        }
        Some(left)
    }

    /// Ends a session for all of its tabs.
    pub(crate) fn end(&mut self, id: Secret) {
        self.open.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn sessions() -> (Sessions, Instant) {
        let limits = Limits { codes: 2, sessions: 2, code_lasts: 10 * SECOND, idle: 100 * SECOND, ..Limits::default() };
        (Sessions::new(limits), Instant::now())
    }

    fn log_in(sessions: &mut Sessions, now: Instant) -> Secret {
        let code = sessions.issue(now).unwrap();
        sessions.redeem(code, now).unwrap().unwrap()
    }

    #[test]
    fn a_secret_reads_as_it_is_written_and_in_no_other_way() {
        let secret = Secret::draw().unwrap();
        assert!(Secret::read(&secret.write()) == Some(secret));
        for text in ["", "0", "+0000000000000000000000000000000", &"F".repeat(32), &"0".repeat(33), &"é".repeat(16)] {
            assert!(Secret::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_code_works_once_and_for_a_short_time() {
        let (mut sessions, now) = sessions();
        let code = sessions.issue(now).unwrap();
        assert!(sessions.redeem(code, now + 9 * SECOND).unwrap().is_some());
        assert!(sessions.redeem(code, now + 9 * SECOND).unwrap().is_none(), "it was used");
        let late = sessions.issue(now).unwrap();
        assert!(sessions.redeem(late, now + 10 * SECOND).unwrap().is_none(), "it is too old");
    }

    #[test]
    fn the_oldest_code_and_the_session_used_longest_ago_give_way() {
        let (mut sessions, now) = sessions();
        let codes = [(); 3].map(|()| sessions.issue(now).unwrap());
        let [oldest, middle, newest] = codes.map(|code| sessions.redeem(code, now).unwrap());
        assert!(oldest.is_none());
        let (middle, newest) = (middle.unwrap(), newest.unwrap());
        assert!(sessions.enter(middle, now + SECOND).is_some());
        let third = log_in(&mut sessions, now + SECOND);
        let [middle, newest, third] = [middle, newest, third].map(|id| sessions.enter(id, now + SECOND).is_some());
        assert!(middle && !newest && third);
    }

    #[test]
    fn a_session_ends_once_it_is_not_used() {
        let (mut sessions, now) = sessions();
        let id = log_in(&mut sessions, now);
        assert!(sessions.enter(id, now + 99 * SECOND).is_some());
        assert_eq!(sessions.lasts(id, now + 101 * SECOND), Some(98 * SECOND));
        assert!(sessions.enter(id, now + 199 * SECOND).is_none());
        assert_eq!(sessions.lasts(id, now + 101 * SECOND), None, "it does not come back");
    }

    #[tokio::test]
    async fn every_tab_notices_the_end_of_its_session_and_of_no_other() {
        let (mut sessions, now) = sessions();
        let [mine, other] = [(); 2].map(|()| log_in(&mut sessions, now));
        let mut tabs = [mine, mine, other].map(|id| sessions.enter(id, now).unwrap());
        sessions.end(mine);
        tabs[0].wait().await;
        tabs[1].wait().await;
        assert!(tabs[2].0.has_changed().is_ok());
    }
}
