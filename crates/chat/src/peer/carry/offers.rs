//! What is to be left with whom, and offering it.
//!
//! For each link there is a list of one's own messages that somebody else lags behind with and that are not addressed to whoever is
//! there. It is filled where such a message is sent, where somebody begins to lag, and at link-up; a message on it is
//! offered once something later was sent over that link.

use std::collections::BTreeSet;
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::LinkId;
use crate::frame::{Control, ParcelIds};
use crate::kept::SignedBatch;
use crate::store::Store;

use super::super::{Now, Peer};
use super::exchange::{Asked, OFFERED_AT_ONCE};
use super::{Carry, Key};

/// The offers of one link.
#[derive(Debug, Default)]
pub(in crate::peer) struct Offers {
    /// What is for whoever is here.
    first: BTreeSet<Key>,
    /// My own messages that are left here once something later is sent over this link, and whom they are for.
    own: BTreeSet<(Clock, Index)>,
    /// Of what I carry, everything up to this arrival was offered.
    arrival: u64,
    /// An offer is not answered yet.
    is_open: bool,
    /// What was offered to me here and I asked for.
    pub(super) asked: Asked,
    /// How far whoever is here has come with my messages.
    acknowledged: Clock,
    /// The message whose acknowledgement is waited for, and since when.
    watched: Option<(Clock, Duration)>,
}

impl Offers {
    pub(super) fn is_watched(&self) -> bool {
        self.watched.is_some()
    }

    /// Whether something is on offer, and not taken or refused yet.
    pub(in crate::peer) fn is_open(&self) -> bool {
        self.is_open
    }

    /// What was asked for over this link.
    pub(in crate::peer) fn into_asked(self) -> Asked {
        self.asked
    }

    pub(super) fn close(&mut self) {
        self.is_open = false;
    }
}

impl Carry {
    fn note_sent(&mut self, dests: &Set, clock: Clock) {
        for dest in dests.iter() {
            if self.last_sent.len() <= dest.position() {
                self.last_sent.resize(dest.position() + 1, 0);
            }
            self.last_sent[dest.position()] = clock;
        }
    }
}

impl<S: Store> Peer<S> {
    /// A batch was signed: who of those it is addressed to lags, and who is there to leave it with?
    pub(in crate::peer) fn note_signed(&mut self, batch: &SignedBatch) {
        for (stamp, _) in (0..batch.len()).filter_map(|index| batch.message(index)) {
            self.carry.note_sent(&stamp.dests, stamp.clock);
            self.carry.stale = true;
            if stamp.dests.is_subset(&self.carry.prompt) {
                continue;
            }
            for (&process, link) in &self.link_of {
                if stamp.dests.contains(process) {
                    continue;
                }
                let link = self.links.get_mut(link).expect("link_of names links that are up");
                for to in stamp.dests.difference(&self.carry.prompt).iter() {
                    link.offers.put((stamp.clock, to), self.config.max_carried);
                }
            }
        }
    }

    /// A link came up, and the other side has said what it has.
    pub(in crate::peer) fn leave_parcels_with(&mut self, now: Now, process: Index, link_id: LinkId) {
        self.carry.prompt.insert(process);
        self.carry.stale = true;
        let link = self.links.get_mut(&link_id).expect("frames are handled only on links that are up");
        let mut last = None;
        for outgoing in self.outbox.after(0) {
            let stamp = outgoing.kept.stamp();
            if outgoing.outstanding.contains(process) && self.outbox.due(stamp.clock).is_none() {
                last = Some(stamp.clock);
            }
            if !stamp.dests.contains(process) {
                for to in outgoing.outstanding.difference(&self.carry.prompt).iter() {
                    link.offers.put((stamp.clock, to), self.config.max_carried);
                }
            }
        }
        link.offers.watched = last.map(|clock| (clock, now.monotonic));
        // Its own it is told of each time: it knows what need not be carried any longer.
        let by_author = self.carry.parcels.iter_mut().filter(|(key, _)| key.1 == process);
        for (_, carried) in by_author {
            carried.others.remove(process);
        }
        self.offer_to_destination(link_id, process, None);
    }

    /// `process` lags from now on: what it has not acknowledged is left with the others.
    pub(in crate::peer) fn begin_to_lag(&mut self, process: Index) {
        self.carry.prompt.remove(process);
        self.carry.stale = true;
        let unacknowledged = self.outbox.after(0).filter(|outgoing| outgoing.outstanding.contains(process));
        for stamp in unacknowledged.map(|outgoing| outgoing.kept.stamp()) {
            for (&with, link) in &self.link_of {
                if with != process && !stamp.dests.contains(with) {
                    let link = self.links.get_mut(link).expect("link_of names links that are up");
                    link.offers.put((stamp.clock, process), self.config.max_carried);
                }
            }
        }
    }

    /// `process` has delivered my messages up to `delivered`.
    pub(in crate::peer) fn note_acknowledged(&mut self, process: Index, delivered: Clock) {
        let Some(link) = self.link_of.get(&process).and_then(|link| self.links.get_mut(link)) else { return };
        let offers = &mut link.offers;
        offers.acknowledged = offers.acknowledged.max(delivered);
        if offers.watched.is_some_and(|(clock, _)| clock <= delivered) {
            offers.watched = None;
            self.carry.prompt.insert(process);
        }
    }

    /// Who has not acknowledged something for long lags, though he is linked.
    pub(super) fn note_who_lags(&mut self, now: Now) {
        let late = |link: &LinkId| {
            let watched = self.links[link].offers.watched;
            watched.is_some_and(|(_, since)| since + self.config.carry_after <= now.monotonic)
        };
        let late = self.link_of.iter().filter(|(process, link)| self.carry.prompt.contains(**process) && late(link));
        for process in late.map(|(&process, _)| process).collect::<Vec<_>>() {
            self.begin_to_lag(process);
        }
    }

    /// Something that nobody was to get is due.
    pub(in crate::peer) fn may_leave_parcels(&mut self) {
        self.carry.stale = true;
    }

    /// Offers what is to be offered, at the end of a turn.
    pub(in crate::peer) fn offer_parcels(&mut self, now: Now) {
        if !std::mem::take(&mut self.carry.stale) {
            return;
        }
        for (process, link_id) in self.linked() {
            let last_sent = self.carry.last_sent(process);
            let link = self.links.get_mut(&link_id).expect("link_of names links that are up");
            let offers = &mut link.offers;
            if offers.watched.is_none() && last_sent > offers.acknowledged && self.outbox.due(last_sent).is_none() {
                offers.watched = Some((last_sent, now.monotonic));
            }
            if offers.is_open {
                continue;
            }
            let mut keys = Vec::new();
            while keys.len() < OFFERED_AT_ONCE
                && let Some(key) = offers.first.pop_first()
            {
                if let Some(carried) = self.carry.parcels.get_mut(&key) {
                    carried.others.insert(process);
                    keys.push(key);
                }
            }
            self.add_own(process, link_id, &mut keys);
            let offers = &mut self.links.get_mut(&link_id).expect("as above").offers;
            for (&arrival, &key) in self.carry.arrivals.range(offers.arrival + 1..) {
                if keys.len() >= OFFERED_AT_ONCE {
                    break;
                }
                offers.arrival = arrival;
                if !self.carry.parcels[&key].others.contains(process) {
                    keys.push(key);
                }
            }
            if !keys.is_empty() {
                offers.is_open = true;
                let offered = self.ids(keys);
                self.send_control(link_id, &Control::Carrying { offered });
            }
        }
    }

    /// Adds those of my own messages to an offer whose turn has come.
    fn add_own(&mut self, process: Index, link_id: LinkId, keys: &mut Vec<Key>) {
        let last_sent = self.carry.last_sent(process).max(self.carry.sent_before);
        let me = self.causal.me();
        let own = &mut self.links.get_mut(&link_id).expect("link_of names links that are up").offers.own;
        let mut done = BTreeSet::new();
        for &(clock, to) in own.iter().take_while(|&&(clock, _)| clock < last_sent) {
            // Nobody gets what is under `-delay` before its time.
            if self.outbox.due(clock).is_some() {
                continue;
            }
            if keys.len() >= OFFERED_AT_ONCE {
                break;
            }
            done.insert((clock, to));
            let outstanding = self.outbox.message(clock).is_some_and(|outgoing| outgoing.outstanding.contains(to));
            if outstanding && !self.carry.prompt.contains(to) {
                keys.push((to, me, clock));
            }
        }
        own.retain(|key| !done.contains(key));
    }

    /// Offers parcels to the one they are for: of one author with clocks in (after, up_to], or all of them.
    pub(in crate::peer) fn offer_to_destination(
        &mut self,
        link: LinkId,
        process: Index,
        of: Option<(Index, Clock, Clock)>,
    ) {
        let keys = match of {
            Some((author, after, up_to)) => self.carry.between(process, author, after, up_to),
            None => {
                let all = self.carry.parcels.range((process, self.causal.me(), 0)..).map(|(&key, _)| key);
                all.take_while(|key| key.0 == process).collect()
            }
        };
        if let Some(link) = self.links.get_mut(&link).filter(|_| !keys.is_empty()) {
            link.offers.first.extend(keys);
            self.carry.stale = true;
        }
    }

    /// How parcels are named in frames.
    pub(super) fn ids(&self, mut keys: Vec<Key>) -> Vec<ParcelIds> {
        keys.sort_unstable();
        let ids = keys.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)).map(|run| ParcelIds {
            author: *self.causal.roster().id(run[0].1),
            to: *self.causal.roster().id(run[0].0),
            clocks: run.iter().map(|key| key.2).collect(),
        });
        ids.collect()
    }
}

impl Offers {
    /// Past the bound it is left out: whoever is there would not take more either.
    fn put(&mut self, own: (Clock, Index), max: usize) {
        if self.own.len() < max {
            self.own.insert(own);
        }
    }
}
