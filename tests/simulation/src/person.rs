//! One person: a key, a name, a clock that may be off, a store, and a peer while it runs.

use std::net::SocketAddr;
use std::time::Duration;

use chat::{Effects, Identity, Incarnation, Journal, MessageId, Name, Now, Peer, PersonId};

use crate::chronicle::Lineage;
use crate::disk::Disk;
use crate::plan::{Boundary, EPOCH};

/// A person and what is his.
pub struct Person {
    /// The key.
    pub identity: Identity,
    /// The name that he goes by.
    pub name: Name,
    /// Which one he is.
    pub number: usize,
    /// How far his wall clock is off, in microseconds.
    pub skew: i64,
    /// His peer, while it runs.
    pub peer: Option<Peer<Disk>>,
    /// His store, while no peer runs on it, if it survived the last one.
    pub disk: Option<Disk>,
    /// A copy of it that was made, and what it had been through.
    pub copy: Option<(Disk, Lineage)>,
    /// What his store has been through.
    pub lineage: Lineage,
    /// How many processes he has begun.
    pub lives: u64,
    /// Where his peer is to be killed.
    pub doomed: Option<Boundary>,
    /// When his peer is to be called.
    pub wake: Option<Duration>,
    /// What he wrote in this turn, and has not been told is sent.
    pub owed: Vec<MessageId>,
    /// What he wrote in this turn that is to go out later.
    pub promising: Vec<String>,
    /// His peer's journal, with the times of his own clock.
    pub journal: Vec<(i64, Journal)>,
    /// He has left on purpose.
    pub left: bool,
    /// Until when his disk is full.
    pub full_until: Option<Duration>,
    /// What cannot be kept as long.
    pub stuck: Option<Stuck>,
}

/// A turn whose changes could not be kept, or what undoing one comes to. Until they are its peer takes nothing in.
pub struct Stuck {
    /// What it comes to.
    pub effects: Effects,
}

impl Person {
    /// Somebody who has not come yet.
    pub fn new(number: usize, skew: i64) -> Self {
        let mut key = [7; 32];
        key[0] = u8::try_from(number).expect("few people");
        Self {
            identity: Identity::from_seed(key),
            name: Name::parse(&format!("p{number}")).expect("a letter and a digit"),
            number,
            skew,
            peer: None,
            disk: None,
            copy: None,
            lineage: Lineage::default(),
            lives: 0,
            doomed: None,
            wake: None,
            owed: Vec::new(),
            promising: Vec::new(),
            journal: Vec::new(),
            left: false,
            full_until: None,
            stuck: None,
        }
    }

    /// The time as this person's clocks have it.
    pub fn now(&self, now: Duration) -> Now {
        let micros = i64::try_from(now.as_micros()).expect("a few minutes");
        Now { monotonic: now, unix_micros: EPOCH + micros + self.skew }
    }

    /// Who that is.
    pub fn id(&self) -> PersonId {
        self.identity.person()
    }

    /// Where he listens.
    pub fn address(&self) -> SocketAddr {
        let host = u8::try_from(self.number + 1).expect("few people");
        SocketAddr::from(([10, 0, 0, host], 4000))
    }

    /// Whether what he has been through is still kept.
    pub fn has_store(&self) -> bool {
        self.peer.is_some() || self.disk.is_some()
    }

    /// Makes a copy of the store, as it is now.
    pub fn copy_store(&mut self) {
        let store = self.peer.as_mut().map(|peer| &*peer.store_mut()).or(self.disk.as_ref());
        if let Some(copy) = store.and_then(Disk::copy) {
            self.copy = Some((copy, self.lineage.clone()));
        }
    }

    /// An incarnation that was never used.
    pub fn fresh(&mut self) -> Incarnation {
        self.lives += 1;
        // The ones that follow are taken if the store turns out to have been rolled back.
        Incarnation(1_000_000 * (self.number as u64 + 1) + 100 * self.lives)
    }
}
