//! Dials, both by the tie-break's rule and of addresses given by hand.
//!
//! A thread of its own resolves a host name, because the system's resolver blocks. The thread ends with the process at
//! the latest. The name is resolved anew at each try, because the host may have moved.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs as _},
    thread,
    time::Instant,
};

use libp2p::swarm::{ConnectionId, DialError, dial_opts::DialOpts};

use super::{Dial, Driver, Reason};
use crate::{
    Event,
    address::{Host, Target, from_multiaddr, unusable},
    by_hand::{EntryId, Purpose},
    limits,
    peer::Key,
    swarm,
};

/// What a host name resolves to.
pub(super) type Resolved = io::Result<Vec<SocketAddr>>;

/// How many addresses of one host are tried.
const MAX_CANDIDATES: usize = 16;

impl Driver {
    pub(super) fn may_dial(&self) -> bool {
        !self.superseded && self.dials.len() + self.resolving < self.limits.dials
    }

    /// Dials an address given by hand.
    pub(super) fn dial_entry(&mut self, now: Instant, entry: EntryId, target: Target) {
        if self.listening.contains(&target.address) {
            self.leads_here(entry);
        } else {
            self.start_dial(now, swarm::dial_address(target.address, target.peer), Reason::ByHand(entry));
        }
    }

    /// Looks up where a host is. [`on_resolved`](Self::on_resolved) goes on with the answer.
    pub(super) fn resolve(&mut self, now: Instant, entry: EntryId, Host { name, port }: Host) {
        let resolver = self.resolver.clone();
        let lookup = move || {
            let resolved =
                (name.as_str(), port).to_socket_addrs().map(|addresses| addresses.take(MAX_CANDIDATES).collect());
            // If the driver is gone, there is nothing to answer.
            let _ = resolver.blocking_send((entry, resolved));
        };
        match thread::Builder::new().name("resolver".to_owned()).spawn(lookup) {
            Ok(_) => self.resolving += 1,
            Err(error) => {
                let reason = format!("its name cannot be looked up: {error}; {}", limits::on_threads());
                self.by_hand_failed(now, entry, reason);
            }
        }
    }

    pub(super) fn on_resolved(&mut self, entry: EntryId, resolved: Resolved) {
        let now = Instant::now();
        self.resolving = self.resolving.saturating_sub(1);
        let addresses = match resolved {
            Ok(addresses) => addresses,
            Err(error) => {
                let reason = format!("its name does not resolve ({error}): is it spelled right?");
                self.by_hand_failed(now, entry, reason);
                return;
            }
        };
        let usable = addresses.into_iter().filter(|address| unusable(address).is_none());
        self.by_hand.resolved(entry, usable.collect::<Vec<_>>().into_iter());
        self.by_hand_failed(now, entry, "its name resolves to no address that can be dialled".to_owned());
    }

    pub(super) fn dial(&mut self, now: Instant, peer: Key) {
        if self.is_coming_about(&peer) {
            // A connection is being made already. Its outcome is also the outcome of this dial.
            return;
        }
        if self.call(now, peer, Reason::Rule(peer)) {
            return;
        }
        let opts = swarm::dial_peer(&peer, self.book.for_next_dial(&peer));
        self.start_dial(now, opts, Reason::Rule(peer));
    }

    /// Answers the tie-break that waits for a dial of this peer, once nothing can come of the dial. Every way in which
    /// a dial or a connection can end leads here or to a link.
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
            Reason::Rumour => {}
            Reason::ByHand(entry) if matches!(error, DialError::LocalPeerId { .. }) => self.leads_here(entry),
            Reason::ByHand(entry) => self.by_hand_failed(now, entry, swarm::dial_error(error)),
        }
    }

    pub(super) fn leads_here(&mut self, entry: EntryId) {
        if let Some(address) = self.by_hand.hopeless(entry) {
            self.tell(Event::ConnectFailed { address, reason: "that is this peer itself".to_owned() });
        }
    }

    /// A dial of an address given by hand failed. If that was one address of a host, the next one is dialled.
    pub(super) fn by_hand_failed(&mut self, now: Instant, entry: EntryId, mut reason: String) {
        if self.superseded {
            // Nothing is dialled any more, and the user knows why.
            return;
        }
        if let Some(address) = self.by_hand.next_candidate(entry) {
            self.dial_entry(now, entry, Target { address, peer: None });
            return;
        }
        if let Some((address, goes_on)) = self.by_hand.failed(now, entry) {
            if goes_on {
                reason.push_str("; it is tried again from time to time");
            }
            self.tell(Event::ConnectFailed { address, reason });
        }
    }

    /// An address led to the same start of this peer that is linked, or to an older one.
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

    /// An address led to this peer, but another connection to it stays.
    pub(super) fn by_hand_deferred(&mut self, now: Instant, entry: EntryId, peer: Key) {
        if self.up.contains_key(&peer) {
            self.by_hand_linked(entry, peer);
        } else if let Some(address) = self.by_hand.deferred(now, entry, peer) {
            let reason = "no link to the peer there comes about".to_owned();
            self.tell(Event::ConnectFailed { address, reason });
        }
    }
}
