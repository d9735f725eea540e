//! Dependencies travel with dependents: a message that one of its destinations does not acknowledge is left, sealed to him, with
//! those who are told something later by its author, and by them with those whom they tell something in turn.
//!
//! So whatever he is told by anybody at his return, what it depends on can be had from the same person. Two approximations, both to
//! the safe side: "told something later" stands for "was sent an envelope that names it" (what an envelope names can depend on
//! others that it names no longer), and whoever carries a parcel leaves it with everybody it is linked with, since everybody was at
//! least told who it is.
//!
//! A parcel is offered before it is given, to carriers and to its destination alike, so each gets it once; see [`exchange`].
//! What is to be offered to whom stands in [`offers`].

mod exchange;
mod offers;

use std::collections::BTreeMap;
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::parcel::Parcel;
use crate::store::{Change, Store};
use crate::{MessageId, ProcessId};

use super::{Now, Peer};

pub(super) use offers::Offers;

/// How often parcels are looked at whose time may have come.
const INTERVAL: Duration = Duration::from_secs(1);

/// A parcel, by its destination, the author, and his clock.
pub(super) type Key = (Index, Index, Clock);

#[derive(Debug)]
struct Carried {
    parcel: Parcel,
    /// The how manieth it was.
    arrival: u64,
    /// Who carries it, too, or was offered it as its destination.
    others: Set,
}

/// What is carried for others, and what is known about whom to leave one's own messages with.
#[derive(Debug, Default)]
pub(super) struct Carry {
    parcels: BTreeMap<Key, Carried>,
    /// The parcels in the order in which they came.
    arrivals: BTreeMap<u64, Key>,
    last_arrival: u64,
    bytes: usize,
    /// Of each author: how many, and how many bytes.
    of_author: BTreeMap<Index, (usize, usize)>,
    /// What was offered to me and did not come yet.
    wanted: BTreeMap<Key, exchange::Wanted>,
    /// For each process, the greatest clock of a message that this run sent to it.
    last_sent: Vec<Clock>,
    /// What was sent before this run is not known: up to here, something to everybody.
    sent_before: Clock,
    /// Who is linked and acknowledges in time.
    prompt: Set,
    /// Something may have to be offered.
    stale: bool,
    next: Duration,
}

impl Carry {
    /// Everything up to `clock` was sent by an earlier run.
    pub(super) fn sent_before(&mut self, clock: Clock) {
        self.sent_before = clock;
    }

    /// From now on everybody counts as told of everything.
    fn leave_all(&mut self) {
        self.sent_before = Clock::MAX;
        self.stale = true;
    }

    /// What was told to whom, under another name, is of no use any more.
    pub(super) fn begin_anew(&mut self) {
        self.wanted.clear();
        self.last_sent.clear();
        self.sent_before = 0;
        self.prompt = Set::new();
    }

    fn last_sent(&self, to: Index) -> Clock {
        self.last_sent.get(to.position()).copied().unwrap_or(0)
    }

    /// How many parcels are carried.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.parcels.len()
    }

    /// How many parcels were offered to me and did not come yet.
    #[cfg(test)]
    pub(super) fn wanted(&self) -> usize {
        self.wanted.len()
    }

    #[cfg(test)]
    pub(super) fn keys(&self) -> Vec<Key> {
        self.parcels.keys().copied().collect()
    }

    fn insert(&mut self, key: Key, parcel: Parcel) {
        self.last_arrival += 1;
        let of_author = self.of_author.entry(key.1).or_default();
        of_author.0 += 1;
        of_author.1 += parcel.bytes();
        self.bytes += parcel.bytes();
        self.arrivals.insert(self.last_arrival, key);
        self.parcels.insert(key, Carried { parcel, arrival: self.last_arrival, others: Set::new() });
        self.stale = true;
    }

    fn remove(&mut self, key: Key) -> Option<Parcel> {
        let Carried { parcel, arrival, .. } = self.parcels.remove(&key)?;
        self.arrivals.remove(&arrival);
        self.bytes -= parcel.bytes();
        if let Some(of_author) = self.of_author.get_mut(&key.1) {
            of_author.0 -= 1;
            of_author.1 -= parcel.bytes();
            if of_author.0 == 0 {
                self.of_author.remove(&key.1);
            }
        }
        Some(parcel)
    }

    /// The parcels for `to` by `author` with clocks in (after, up_to].
    fn between(&self, to: Index, author: Index, after: Clock, up_to: Clock) -> Vec<Key> {
        if after >= up_to {
            return Vec::new();
        }
        self.parcels.range((to, author, after + 1)..=(to, author, up_to)).map(|(&key, _)| key).collect()
    }
}

impl<S: Store> Peer<S> {
    /// The user is about to leave: what is for people who are away is left with everybody who is here, whether they were told
    /// something later or not. [`has_unsent`](Self::has_unsent) says when that is done.
    pub fn handle_leaving(&mut self) {
        self.carry.leave_all();
    }

    /// Carries on what was carried before a restart.
    pub(super) fn restore_carried(&mut self, parcels: Vec<Parcel>) {
        for parcel in parcels {
            if let (Ok(to), Ok(author)) = (self.causal.intern(parcel.to), self.causal.intern(parcel.message.process)) {
                self.carry.insert((to, author, parcel.message.clock), parcel);
            }
        }
    }

    /// Whether `more` parcels, of which so many are `of_author`, `bytes` long together, can be carried beside what is.
    fn has_room_for(&self, author: Index, more: usize, of_author: usize, bytes: usize) -> bool {
        let (carry, config) = (&self.carry, &self.config);
        let (count_of, bytes_of) = carry.of_author.get(&author).copied().unwrap_or_default();
        carry.parcels.len() + more <= config.max_carried
            && carry.bytes + bytes <= config.max_carried_bytes
            && count_of + of_author <= config.max_carried / config.carried_share
            && bytes_of + bytes <= config.max_carried_bytes / config.carried_share
    }

    fn take_in(&mut self, key: Key, parcel: Parcel) {
        if self.ledger.is_on() {
            self.effects.durable.push(Change::Carried(parcel.clone()));
        }
        self.carry.insert(key, parcel);
    }

    fn drop_parcel(&mut self, key: Key) {
        if let Some(Parcel { message, to, .. }) = self.carry.remove(key)
            && self.ledger.is_on()
        {
            self.effects.durable.push(Change::HandedOver { message, to });
        }
    }

    /// `process` says what it has of `author`: what is carried for it of that is dropped.
    pub(super) fn drop_acknowledged(
        &mut self,
        process: Index,
        author: Index,
        delivered: Clock,
        holes: &[(Clock, Clock)],
    ) {
        let lacks = |clock: Clock| holes.iter().any(|&(from, to)| from < clock && clock <= to);
        for key in self.carry.between(process, author, 0, delivered) {
            if !lacks(key.2) {
                self.drop_parcel(key);
            }
        }
    }

    /// Whether parcels for this process make sense: its person has no newer one, and it is not gone for good.
    fn is_awaited(&self, process: ProcessId) -> bool {
        let index = self.causal.roster().index(&process);
        self.directory.process_of(process.person) == Some(process)
            && !index.is_some_and(|index| self.causal.forgotten().contains(index))
    }

    /// When something of this module is to be done.
    pub(super) fn next_of_carry(&self) -> Option<(Duration, &'static str)> {
        let watched = || self.link_of.values().any(|link| self.links[link].offers.is_watched());
        let waits = !self.carry.parcels.is_empty() || !self.carry.wanted.is_empty() || watched();
        waits.then_some((self.carry.next, "parcels are carried"))
    }

    /// Looks at what only time changes: who lags, whose parcels nobody awaits any more, what was asked for and does not come.
    pub(super) fn look_after_parcels(&mut self, now: Now) {
        if now.monotonic < self.carry.next {
            return;
        }
        self.carry.next = now.monotonic + INTERVAL;
        self.note_who_lags(now);
        self.ask_others_for_parcels(now);
        let mut dests: Vec<Index> = self.carry.parcels.keys().map(|key| key.0).collect();
        dests.dedup();
        dests.retain(|&to| !self.is_awaited(*self.causal.roster().id(to)));
        let gone: Vec<Key> = self.carry.parcels.keys().filter(|key| dests.contains(&key.0)).copied().collect();
        for key in gone {
            self.drop_parcel(key);
        }
    }

    fn message_id(&self, key: Key) -> MessageId {
        self.id_of(key.1, key.2)
    }
}
