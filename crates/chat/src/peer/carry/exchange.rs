//! Offer, answer, pieces of parcels: in step, so that each side has at most one piece on its way to the other.
//!
//! ```text
//! Carrying (these I have) → ← CarryWanted (of these I want those) | Parcels (a piece) → ← CarryWanted (those are left) | …
//! ← CarryWanted (none)
//! ```
//! The destination and other carriers answer alike. What several offer is asked of one of them, and of the next where that one
//! does not give it.

use std::collections::BTreeSet;
use std::time::Duration;

use causal::{Clock, Index};

use crate::LinkId;
use crate::frame::{Control, ParcelIds};
use crate::parcel::Parcel;
use crate::store::Store;

use super::super::{BadFrame, Now, Peer, Request};
use super::Key;

/// How many parcels one offer names: some 10 KB, and a second or so of checking what is in them.
pub(super) const OFFERED_AT_ONCE: usize = 1024;

/// How many of those who offer the same parcel are remembered.
const MAX_OFFERERS: usize = 8;

/// A parcel that was offered.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Who was asked for it. Nobody while its author is linked, who pushes it.
    from: Option<Index>,
    /// Who else offered it.
    others: Vec<Index>,
}

/// What was asked of one peer.
#[derive(Debug, Default)]
pub(in crate::peer) struct Asked {
    keys: BTreeSet<Key>,
    /// When it was asked, or last gave something.
    since: Duration,
}

impl<S: Store> Peer<S> {
    /// # Errors
    /// [`BadFrame`] for an offer of more than anybody offers at once.
    pub(in crate::peer) fn handle_carrying(&mut self, link: LinkId, offered: Vec<ParcelIds>) -> Result<(), BadFrame> {
        let count = offered.iter().map(|ids| ids.clocks.len()).sum::<usize>();
        if count > OFFERED_AT_ONCE {
            return Err(BadFrame(format!(
                "an offer of {count} parcels; {OFFERED_AT_ONCE} at most are offered at once"
            )));
        }
        self.request(link, Request::Offer(offered));
        Ok(())
    }

    /// Asks for what is of use of an offer.
    pub(in crate::peer) fn answer_offer(&mut self, now: Now, link: LinkId, peer: Index, offered: Vec<ParcelIds>) {
        let mut done = Vec::new();
        for ParcelIds { author, to, clocks } in offered {
            let Some(to_index) = self.causal.roster().index(&to).filter(|_| to == self.me || self.is_awaited(to))
            else {
                continue;
            };
            if author == self.me {
                let has = |clock: &Clock| !self.is_outstanding(*clock, to_index);
                let clocks: Vec<Clock> = clocks.into_iter().filter(has).collect();
                if !clocks.is_empty() {
                    done.push(ParcelIds { author, to, clocks });
                }
                continue;
            }
            // Nothing is carried of somebody who is not known.
            if self.directory.process_of(author.person).is_none() {
                continue;
            }
            let Some(author) = self.number_of_hearsay(author) else { continue };
            let mut on_their_way = self.carry.wanted.keys().filter(|key| key.1 == author).count();
            for clock in clocks {
                on_their_way += usize::from(self.consider((to_index, author, clock), peer, on_their_way));
            }
        }
        self.want_parcels(now, link, peer, done);
    }

    /// Somebody offers a parcel: notes it, if it is of use. Whether it is one more that is on its way, beside those that are
    /// `of_author`.
    fn consider(&mut self, key: Key, peer: Index, of_author: usize) -> bool {
        let (to, author, clock) = key;
        if let Some(carried) = self.carry.parcels.get_mut(&key) {
            carried.others.insert(peer);
            return false;
        }
        if let Some(wanted) = self.carry.wanted.get_mut(&key) {
            if wanted.others.len() < MAX_OFFERERS && !wanted.others.contains(&peer) {
                wanted.others.push(peer);
            }
            return false;
        }
        let for_me = to == self.causal.me();
        let is_here = if for_me { self.causal.knows(author, clock) } else { self.store.contains(self.message_id(key)) };
        if is_here || clock == 0 {
            return false;
        }
        let on_their_way = self.carry.wanted.len();
        let room = if for_me {
            on_their_way < self.config.max_carried
        } else {
            self.has_room_for(author, on_their_way + 1, of_author + 1, 0)
        };
        if room {
            self.carry.wanted.insert(key, Wanted { from: None, others: vec![peer] });
        } else {
            self.repair.refused += 1;
        }
        room
    }

    /// Asks a peer for what only others could give else, and answers an offer of his.
    fn want_parcels(&mut self, now: Now, link: LinkId, peer: Index, done: Vec<ParcelIds>) {
        let linked = &self.link_of;
        let asked = &mut self.links.get_mut(&link).expect("frames are handled only on links that are up").offers.asked;
        for (&key, wanted) in &mut self.carry.wanted {
            let pushed = key.0 == self.causal.me() && linked.contains_key(&key.1);
            if wanted.from.is_none() && !pushed && wanted.others.contains(&peer) && asked.keys.len() < OFFERED_AT_ONCE {
                wanted.from = Some(peer);
                wanted.others.retain(|other| *other != peer);
                asked.keys.insert(key);
            }
        }
        asked.since = now.monotonic;
        let wanted = asked.keys.iter().copied().collect();
        let wanted = self.ids(wanted);
        self.send_control(link, &Control::CarryWanted { wanted, done });
    }

    /// Notes what is wanted, or that nothing is.
    pub(in crate::peer) fn handle_carry_wanted(
        &mut self,
        link: LinkId,
        peer: Index,
        wanted: Vec<ParcelIds>,
        done: Vec<ParcelIds>,
    ) {
        let by_the_author = done.into_iter().filter(|ids| ids.author == *self.causal.roster().id(peer));
        for ids in by_the_author.collect::<Vec<_>>() {
            let Some(to) = self.causal.roster().index(&ids.to) else { continue };
            for clock in ids.clocks {
                self.drop_parcel((to, peer, clock));
            }
        }
        if wanted.is_empty() {
            let link = self.links.get_mut(&link).expect("frames are handled only on links that are up");
            link.offers.close();
            link.requests.withdraw_parcels();
            self.carry.stale = true;
        } else {
            self.request(link, Request::Parcels(wanted));
        }
    }

    /// Gives one piece of what is wanted.
    pub(in crate::peer) fn give_parcels(&mut self, link: LinkId, peer: Index, wanted: Vec<ParcelIds>) {
        let mut parcels = Vec::new();
        let mut bytes = 0;
        'piece: for ParcelIds { author, to, clocks } in wanted {
            let roster = self.causal.roster();
            let (Some(author), Some(to)) = (roster.index(&author), roster.index(&to)) else { continue };
            for clock in clocks.into_iter().take(OFFERED_AT_ONCE) {
                if bytes >= self.config.max_piece_bytes || parcels.len() >= OFFERED_AT_ONCE {
                    break 'piece;
                }
                let Some(parcel) = self.parcel((to, author, clock)) else { continue };
                if let Some(carried) = self.carry.parcels.get_mut(&(to, author, clock)) {
                    carried.others.insert(peer);
                }
                bytes += parcel.bytes();
                parcels.push(parcel);
            }
        }
        self.send_control(link, &Control::Parcels { parcels });
    }

    /// A parcel that I carry, or could make.
    pub(in crate::peer) fn parcel(&self, key: Key) -> Option<Parcel> {
        let (to, author, clock) = key;
        if author != self.causal.me() {
            return self.carry.parcels.get(&key).map(|carried| carried.parcel.clone());
        }
        if !self.is_outstanding(clock, to) || self.outbox.due(clock).is_some() {
            return None;
        }
        let handed = self.outbox.message(clock)?.kept.handed(&self.causal);
        Parcel::seal(&self.identity, self.message_id(key), *self.causal.roster().id(to), &handed)
    }

    fn is_outstanding(&self, clock: Clock, to: Index) -> bool {
        // What is not signed yet nobody has, and what was signed before my store was rolled back I do not know of.
        let unsigned = self.queue.first().is_some_and(|first| first <= clock);
        unsigned
            || clock > self.causal.clock()
            || self.outbox.message(clock).is_some_and(|outgoing| outgoing.outstanding.contains(to))
    }

    /// A piece of parcels came. What was not asked for of this peer is dropped.
    pub(in crate::peer) fn handle_parcels(&mut self, now: Now, link: LinkId, peer: Index, parcels: Vec<Parcel>) {
        let offers = &self.links.get(&link).expect("frames are handled only on links that are up").offers;
        if offers.asked.keys.is_empty() {
            self.repair.refused += 1;
            return;
        }
        let mut came = 0;
        for parcel in parcels {
            let roster = self.causal.roster();
            let (to, author) = (roster.index(&parcel.to), roster.index(&parcel.message.process));
            let key = to.zip(author).map(|(to, author)| (to, author, parcel.message.clock));
            let asked = &mut self.links.get_mut(&link).expect("links do not go while a frame is handled").offers.asked;
            let Some(key) = key.filter(|key| asked.keys.remove(key)) else {
                self.repair.refused += 1;
                continue;
            };
            came += 1;
            let is_good = if !parcel.is_signed() {
                false
            } else if key.0 == self.causal.me() {
                self.open_parcel(now, &parcel)
            } else {
                self.store_parcel(key, parcel, peer)
            };
            if is_good {
                self.carry.wanted.remove(&key);
            } else {
                self.repair.refused += 1;
                self.ask_another(now, key);
            }
        }
        if came == 0 {
            self.give_up_asking(now, link);
        }
        if self.links.contains_key(&link) {
            self.want_parcels(now, link, peer, Vec::new());
        }
    }

    fn open_parcel(&mut self, now: Now, parcel: &Parcel) -> bool {
        let Some(handed) = parcel.open(&self.identity) else { return false };
        self.arrive_handed(now, handed)
    }

    fn store_parcel(&mut self, key: Key, parcel: Parcel, from: Index) -> bool {
        if self.has_room_for(key.1, 1, 1, parcel.bytes()) {
            self.take_in(key, parcel);
            if let Some(carried) = self.carry.parcels.get_mut(&key) {
                carried.others.insert(from);
            }
        } else {
            self.repair.refused += 1;
        }
        true
    }

    /// Whoever was asked for this parcel does not give it: the next one who offered it is asked, if there is one.
    fn ask_another(&mut self, now: Now, key: Key) {
        let Some(wanted) = self.carry.wanted.get_mut(&key) else { return };
        wanted.from = None;
        wanted.others.retain(|other| self.link_of.contains_key(other));
        let Some(&next) = wanted.others.first() else {
            self.carry.wanted.remove(&key);
            return;
        };
        let link = self.link_of[&next];
        // It is asked in step: what it gives next is answered with what is wanted then.
        if self.links[&link].offers.asked.keys.is_empty() {
            self.want_parcels(now, link, next, Vec::new());
        }
    }

    /// Nothing more comes over this link.
    pub(in crate::peer) fn give_up_asking(&mut self, now: Now, link: LinkId) {
        let Some(link) = self.links.get_mut(&link) else { return };
        for key in std::mem::take(&mut link.offers.asked.keys) {
            self.ask_another(now, key);
        }
    }

    /// A peer is gone: what it was asked for is asked of others, and so is what it would have pushed.
    pub(in crate::peer) fn ask_others_for_parcels_of(&mut self, now: Now, peer: Index, asked: Asked) {
        for key in asked.keys {
            self.ask_another(now, key);
        }
        let me = self.causal.me();
        let pushed =
            self.carry.wanted.iter().filter(|(key, wanted)| key.0 == me && key.1 == peer && wanted.from.is_none());
        for key in pushed.map(|(&key, _)| key).collect::<Vec<_>>() {
            self.ask_another(now, key);
        }
    }

    /// What was asked for long ago is asked of somebody else; what has come by another way is wanted no more.
    pub(super) fn ask_others_for_parcels(&mut self, now: Now) {
        let patience = self.config.ask_after;
        let stuck = |link: &&LinkId| {
            let asked = &self.links[*link].offers.asked;
            !asked.keys.is_empty() && asked.since + patience <= now.monotonic
        };
        for link in self.link_of.values().filter(stuck).copied().collect::<Vec<_>>() {
            self.give_up_asking(now, link);
        }
        let (causal, me) = (&self.causal, self.causal.me());
        self.carry.wanted.retain(|key, _| key.0 != me || !causal.knows(key.1, key.2));
    }
}
