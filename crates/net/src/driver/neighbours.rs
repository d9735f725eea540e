//! The neighbours in this process. They are known at once and called instead of dialled, and one of them speaks for
//! all.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use libp2p::swarm::ConnectionId;

use super::{Dial, Driver, Reason, opening::Established};
use crate::{
    Event,
    discovery::Discovery,
    neighbours::{Call, End, Membership, Neighbour, News},
    peer::Key,
};

/// How long the first neighbour waits before it speaks for the others, after the one that spoke has left. When a whole
/// process stops, its peers leave one after the other, and none of them should begin to speak.
const HANDOVER: Duration = Duration::from_secs(1);

impl Driver {
    pub(super) fn on_news(&mut self, news: News) {
        let now = Instant::now();
        match news {
            News::Changed => {
                let Some(membership) = &mut self.membership else { return };
                let newcomers = membership.newcomers();
                if membership.is_first() && !self.circle.speaks() && self.speaks_at.is_none() {
                    self.speaks_at = Some(now + HANDOVER);
                }
                for newcomer in newcomers {
                    self.announced(newcomer.peer, newcomer.start, newcomer.address().as_slice());
                }
            }
            News::Calls(calls) => {
                for Call { from, end } in calls {
                    self.take_end(now, from, None, end);
                }
            }
        }
    }

    /// Makes a link to a neighbour. Returns `false` if the peer is not a neighbour.
    pub(super) fn call(&mut self, now: Instant, peer: Key, reason: Reason) -> bool {
        let called = self.membership.as_ref().and_then(|membership| membership.call(&peer));
        let Some((neighbour, end)) = called else { return false };
        self.dialled += 1;
        let dial = Dial { reason, number: self.dialled };
        self.take_end(now, neighbour, Some(dial), end);
        true
    }

    fn take_end(&mut self, now: Instant, neighbour: Arc<Neighbour>, dial: Option<Dial>, end: End) {
        // libp2p counts its connections up from zero, so these count down from the top.
        let id = ConnectionId::new_unchecked(usize::MAX - self.ends);
        self.ends += 1;
        let (peer, Some(remote)) = (neighbour.peer, neighbour.address()) else { return };
        if self.established(now, Established { id, peer, remote, neighbour: Some(neighbour), dial }) {
            self.attach_end(id, end);
        }
    }

    /// Speaks for the neighbours from now on, if this peer is still the first.
    pub(super) fn speak(&mut self) {
        self.speaks_at = None;
        if !self.membership.as_ref().is_some_and(Membership::is_first) {
            return;
        }
        self.circle.speak();
        let Some(setting) = self.to_announce.take() else { return };
        match Discovery::start(setting) {
            Ok(discovery) => self.discovery = Some(discovery),
            Err(error) => {
                self.tell(Event::Warning {
                    text: format!("mDNS does not work here ({error}): give addresses by hand"),
                });
            }
        }
    }

    /// Leaves the neighbours: none of them calls this peer any more, and another one speaks for them.
    pub(super) fn leave_neighbours(&mut self) {
        (self.membership, self.speaks_at) = (None, None);
    }

    /// Sets the machine's addresses to those that this peer listens on.
    pub(super) fn machine_is_at(&mut self) {
        self.circle.machine_is_at(self.listening.iter().map(|address| address.ip()).collect());
    }
}
