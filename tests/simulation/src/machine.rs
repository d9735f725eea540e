//! One machine: the key and the name of its person, a clock that may be off, a store, and a peer while it runs.

use std::net::SocketAddr;
use std::time::Duration;

use chat::{Effects, Identity, Incarnation, Journal, MessageId, Name, Now, Peer, PersonId};

use crate::chronicle::Lineage;
use crate::disk::Disk;
use crate::plan::{Boundary, EPOCH};

/// The machine that a person's peer runs on.
pub struct Machine {
    /// The person's key.
    pub identity: Identity,
    /// The name that the person goes by.
    pub name: Name,
    /// Which machine it is.
    pub number: usize,
    /// The person that it belongs to.
    pub person: usize,
    /// How far the wall clock is off, in microseconds.
    pub skew: i64,
    /// The peer, while it runs.
    pub peer: Option<Peer<Disk>>,
    /// The store, while no peer runs on it. `None` if it did not survive the last peer.
    pub disk: Option<Disk>,
    /// A copy that was made of the store, with that store's lineage.
    pub copy: Option<(Disk, Lineage)>,
    /// What the store has been through.
    pub lineage: Lineage,
    /// How many processes have begun here.
    pub lives: u64,
    /// Where the next turn kills the peer.
    pub doomed: Option<Boundary>,
    /// When the peer wants to be called.
    pub wake: Option<Duration>,
    /// The messages that its user wrote in this turn and does not yet know to be sent.
    pub owed: Vec<MessageId>,
    /// The texts that its user wrote in this turn to go out later.
    pub promising: Vec<String>,
    /// The peer's journal, with the times of this machine's clock.
    pub journal: Vec<(i64, Journal)>,
    /// The peer has left on purpose.
    pub left: bool,
    /// Until when the disk is full.
    pub full_until: Option<Duration>,
    /// The turn that cannot be kept meanwhile.
    pub stuck: Option<Stuck>,
    /// The number of the last start here, among all starts of the run.
    pub started: u64,
    /// The start of the peer whose user has deleted the account.
    pub last_start: Option<u64>,
    /// Since its last start, its peer was told that a copy of it was started later.
    pub superseded: bool,
}

/// A turn whose changes could not be kept, or what undoing one results in. Until they can be kept, its peer takes
/// nothing in.
pub struct Stuck {
    /// The effects that wait.
    pub effects: Effects,
}

impl Machine {
    /// A machine of this person on which nothing has run yet.
    pub fn new(number: usize, person: usize, skew: i64) -> Self {
        let mut key = [7; 32];
        key[0] = u8::try_from(person).expect("few people");
        Self {
            identity: Identity::from_seed(key),
            name: Name::parse(&format!("p{person}")).expect("a letter and a digit"),
            number,
            person,
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
            started: 0,
            last_start: None,
            superseded: false,
        }
    }

    /// The time as this machine's clocks have it.
    pub fn now(&self, now: Duration) -> Now {
        let micros = i64::try_from(now.as_micros()).expect("a few minutes");
        Now { monotonic: now, unix_micros: EPOCH + micros + self.skew }
    }

    /// The person that it belongs to, by key.
    pub fn id(&self) -> PersonId {
        self.identity.person()
    }

    /// Where the peer listens.
    pub fn address(&self) -> SocketAddr {
        let host = u8::try_from(self.number + 1).expect("few machines");
        SocketAddr::from(([10, 0, 0, host], 4000))
    }

    /// Whether its store is still there.
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
        // The numbers after it are used if the store turns out to have been rolled back.
        Incarnation(1_000_000 * (self.number as u64 + 1) + 100 * self.lives)
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let second = if self.number == self.person { "" } else { "b" };
        write!(f, "p{}{second}", self.person)
    }
}
