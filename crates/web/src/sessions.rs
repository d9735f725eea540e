//! Who is logged in. No clock and no sockets.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::Limits;
use crate::seat::Seat;
use crate::secret::Secret;

/// The sessions that are open.
pub(crate) struct Sessions {
    limits: Limits,
    open: HashMap<Secret, Open>,
}

struct Open {
    /// When it ends if it is not used any more.
    ends: Instant,
    /// Dropped when the session ends, which every tab of it notices.
    alive: watch::Sender<()>,
    seat: Arc<Seat>,
}

/// A session that is in use.
pub(crate) struct Entered {
    pub(crate) seat: Arc<Seat>,
    pub(crate) ended: Ended,
}

/// The end of a session, to be waited for.
pub(crate) struct Ended(watch::Receiver<()>);

impl Ended {
    pub(crate) async fn wait(&mut self) {
        while self.0.changed().await.is_ok() {}
    }
}

/// Why no session was opened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoSession {
    /// Its peer has stopped meanwhile.
    Over,
    /// There are as many as there may be.
    Full,
    /// The system has no random numbers.
    Random,
}

impl Sessions {
    pub(crate) fn new(limits: Limits) -> Self {
        Self { limits, open: HashMap::new() }
    }

    /// Opens a session. Of those of the same peer the one that was used longest ago gives way if there are too many.
    pub(crate) fn open(&mut self, seat: &Arc<Seat>, now: Instant) -> Result<Secret, NoSession> {
        self.sweep(now);
        if seat.is_over() {
            return Err(NoSession::Over);
        }
        let id = Secret::draw().map_err(|_| NoSession::Random)?;
        let mut same: Vec<_> = self.open.iter().filter(|(_, open)| open.seat.folder == seat.folder).collect();
        same.sort_unstable_by_key(|(_, open)| std::cmp::Reverse(open.ends));
        let surplus: Vec<_> = same.iter().skip(self.limits.sessions.max(1) - 1).map(|(id, _)| **id).collect();
        if surplus.is_empty() && self.open.len() >= self.limits.all_sessions {
            return Err(NoSession::Full);
        }
        // The new one comes first, so that a peer that goes on is not asked to stop.
        let alive = watch::Sender::new(());
        self.open.insert(id, Open { ends: now + self.limits.idle, alive, seat: Arc::clone(seat) });
        for old in surplus {
            self.end(old);
        }
        Ok(id)
    }

    /// Uses a session, which keeps it open. `None` if there is no such session.
    pub(crate) fn enter(&mut self, id: Secret, now: Instant) -> Option<Entered> {
        let open = self.open.get_mut(&id)?;
        if open.ends <= now || !open.seat.is_there() {
            self.end(id);
            return None;
        }
        open.ends = now + self.limits.idle;
        Some(Entered { seat: Arc::clone(&open.seat), ended: Ended(open.alive.subscribe()) })
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

    /// Ends a session for all of its tabs. A peer that ran for it alone stops.
    pub(crate) fn end(&mut self, id: Secret) {
        let Some(Open { seat, .. }) = self.open.remove(&id) else { return };
        if !self.open.values().any(|open| Arc::ptr_eq(&open.seat, &seat)) {
            seat.stop();
        }
    }

    /// Ends the sessions of a peer.
    pub(crate) fn end_all_of(&mut self, seat: &Seat) {
        self.open.retain(|_, open| open.seat.folder != seat.folder);
        seat.stop();
    }

    /// Ends all sessions.
    pub(crate) fn end_all(&mut self) {
        for open in std::mem::take(&mut self.open).into_values() {
            open.seat.stop();
        }
    }

    /// Ends the sessions that were not used for too long.
    pub(crate) fn sweep(&mut self, now: Instant) {
        let over: Vec<_> = self.open.iter().filter(|(_, open)| open.ends <= now).map(|(id, _)| *id).collect();
        for id in over {
            self.end(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn sessions() -> (Sessions, Arc<Seat>, Instant) {
        let limits = Limits { sessions: 2, all_sessions: 3, idle: 100 * SECOND, ..Limits::default() };
        (Sessions::new(limits), seat("alice"), Instant::now())
    }

    fn seat(folder: &str) -> Arc<Seat> {
        Seat::of_another(folder.into(), None, 1)
    }

    #[test]
    fn of_one_peer_the_session_used_longest_ago_gives_way_and_nobody_elses_does() {
        let (mut sessions, alice, now) = sessions();
        let other = sessions.open(&seat("bob"), now - SECOND).unwrap();
        let [first, second] = [(); 2].map(|()| sessions.open(&alice, now).unwrap());
        assert!(sessions.enter(first, now + SECOND).is_some());
        let third = sessions.open(&alice, now + SECOND).unwrap();
        let open = [other, first, second, third].map(|id| sessions.enter(id, now + SECOND).is_some());
        assert_eq!(open, [true, true, false, true]);
        assert_eq!(sessions.open(&seat("carol"), now + SECOND).err(), Some(NoSession::Full));
    }

    #[test]
    fn a_session_ends_once_it_is_not_used() {
        let (mut sessions, alice, now) = sessions();
        let id = sessions.open(&alice, now).unwrap();
        assert!(sessions.enter(id, now + 99 * SECOND).is_some());
        assert_eq!(sessions.lasts(id, now + 101 * SECOND), Some(98 * SECOND));
        assert!(sessions.enter(id, now + 199 * SECOND).is_none());
        assert_eq!(sessions.lasts(id, now + 101 * SECOND), None, "it does not come back");
    }

    #[test]
    fn a_session_leads_to_its_own_peer_alone() {
        let (mut sessions, alice, now) = sessions();
        let bob = seat("bob");
        let ids = [&alice, &bob].map(|seat| sessions.open(seat, now).unwrap());
        let seats = ids.map(|id| sessions.enter(id, now).unwrap().seat);
        assert!(Arc::ptr_eq(&seats[0], &alice) && Arc::ptr_eq(&seats[1], &bob));
    }

    #[tokio::test]
    async fn every_tab_notices_the_end_of_its_session_and_of_no_other() {
        let (mut sessions, alice, now) = sessions();
        let [mine, other] = [(); 2].map(|()| sessions.open(&alice, now).unwrap());
        let mut tabs = [mine, mine, other].map(|id| sessions.enter(id, now).unwrap().ended);
        sessions.end(mine);
        tabs[0].wait().await;
        tabs[1].wait().await;
        assert!(tabs[2].0.has_changed().is_ok());
    }
}
