//! Dials: by the tie-break's rule, and of addresses given by hand.

use std::time::Instant;

use libp2p::swarm::{ConnectionId, DialError, dial_opts::DialOpts};

use super::{Dial, Driver, Reason};
use crate::{
    Event,
    address::from_multiaddr,
    by_hand::{EntryId, Purpose},
    peer::Key,
    swarm,
};

impl Driver {
    pub(super) fn may_dial(&self) -> bool {
        self.dials.len() < self.limits.dials
    }

    pub(super) fn dial(&mut self, now: Instant, peer: Key) {
        if self.is_coming_about(&peer) {
            // A connection is coming about already. What becomes of it becomes of this dial.
            return;
        }
        let opts = swarm::dial_peer(&peer, self.book.for_next_dial(&peer));
        self.start_dial(now, opts, Reason::Rule(peer));
    }

    /// Answers the tie-break that waits for a dial of this peer, once nothing can come of it any more. Every way in which a
    /// dial or a connection can end leads here or to a link.
    pub(super) fn settle(&mut self, now: Instant, peer: Key) {
        if self.tiebreak.is_dialing(&peer) && !self.is_coming_about(&peer) {
            self.tiebreak.dial_failed(now, peer);
        }
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
        if let DialError::Transport(errors) = error {
            errors.iter().for_each(|(_, error)| self.may_lack_files(now, &error.to_string()));
        }
        match dial.reason {
            Reason::Rule(peer) => {
                if let DialError::WrongPeerId { address, .. } = error
                    && let Some(address) = from_multiaddr(address)
                {
                    self.book.is_wrong(&peer, address);
                }
                if let DialError::Transport(errors) = error
                    && let Some(address) = errors.first().and_then(|(address, _)| from_multiaddr(address))
                {
                    self.suspect(now, peer, address);
                }
                self.settle(now, peer);
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
        match self.by_hand.asked_for(entry) {
            Some((address, Purpose::Once)) => {
                let text = format!("{address} is connected already");
                self.tell(Event::Warning { text });
            }
            Some((_, Purpose::Keep | Purpose::Reach(_))) | None => {}
        }
        self.by_hand_linked(entry, peer);
    }

    /// An address led to this peer, and a link to it is up.
    pub(super) fn by_hand_linked(&mut self, entry: EntryId, peer: Key) {
        if let Some((_, Purpose::Reach(address))) = self.by_hand.asked_for(entry) {
            self.tell(Event::Reached { address, peer });
        }
        self.by_hand.linked(entry, peer);
    }

    /// An address led to this peer, and another connection to it stays.
    pub(super) fn by_hand_deferred(&mut self, now: Instant, entry: EntryId, peer: Key) {
        if self.up.contains_key(&peer) {
            self.by_hand_linked(entry, peer);
        } else if let Some(address) = self.by_hand.deferred(now, entry, peer) {
            let reason = "no link to the peer there comes about".to_owned();
            self.tell(Event::ConnectFailed { address, reason });
        }
    }
}
