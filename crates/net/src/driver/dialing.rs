//! Dials: by the tie-break's rule, and of addresses given by hand.

use std::time::Instant;

use libp2p::swarm::{ConnectionId, DialError, dial_opts::DialOpts};

use super::{Dial, Driver, Reason};
use crate::{Event, by_hand::EntryId, peer::Key, swarm};

impl Driver {
    pub(super) fn may_dial(&self) -> bool {
        self.dials.len() < self.limits.dials
    }

    pub(super) fn dial(&mut self, now: Instant, peer: Key) {
        if self.is_coming_about(&peer) {
            // A connection is coming about already. When it comes to nothing, the tie-break hears of it.
            return;
        }
        let addresses = self.addresses.get(&peer).map_or(&[][..], Vec::as_slice);
        self.start_dial(now, swarm::dial_peer(&peer, addresses), Reason::Rule(peer));
    }

    pub(super) fn start_dial(&mut self, now: Instant, opts: DialOpts, reason: Reason) {
        let id = opts.connection_id();
        self.dialled += 1;
        self.dials.insert(id, Dial { reason, number: self.dialled });
        if let Err(error) = self.swarm.dial(opts) {
            self.dial_failed(now, id, &error);
        }
    }

    pub(super) fn dial_failed(&mut self, now: Instant, id: ConnectionId, error: &DialError) {
        let Some(dial) = self.dials.remove(&id) else { return };
        tracing::debug!(?dial, %error, "dial failed");
        match dial.reason {
            Reason::Rule(peer) => {
                self.tiebreak.dial_failed(now, peer);
                self.decide(peer);
            }
            Reason::ByHand(entry) if matches!(error, DialError::LocalPeerId { .. }) => self.leads_here(entry),
            Reason::ByHand(entry) => self.by_hand_failed(now, entry, swarm::dial_error(error)),
        }
    }

    pub(super) fn leads_here(&mut self, entry: EntryId) {
        if let Some(address) = self.by_hand.hopeless(entry) {
            self.tell(Event::ConnectFailed { address, reason: "that is this peer itself".to_owned() });
        }
    }

    pub(super) fn by_hand_failed(&mut self, now: Instant, entry: EntryId, mut reason: String) {
        if let Some((address, goes_on)) = self.by_hand.failed(now, entry) {
            if goes_on {
                reason.push_str("; it is tried again from time to time");
            }
            self.tell(Event::ConnectFailed { address, reason });
        }
    }

    pub(super) fn already_linked(&mut self, entry: EntryId, peer: Key) {
        if let Some(address) = self.by_hand.asked_for(entry) {
            let text = format!("{address} is connected already");
            self.tell(Event::Warning { text });
        }
        self.by_hand.linked(entry, peer);
    }
}
