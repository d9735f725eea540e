//! The stores of the peers, and the one place where a peer is started from one.

mod model;

use chat::{
    Change, Config, Conversation, Entry, Identity, Incarnation, Kept, MemoryStore, MessageId, Name, Now, Peer,
    ProcessId, Saved, SortKey, Store, StoreError,
};

pub use model::ModelStore;

/// A peer's store, of whatever kind.
pub enum Disk {
    /// It dies with its process.
    Memory(MemoryStore),
    /// It survives, in memory all the same.
    Model(Box<ModelStore>),
}

impl Disk {
    /// A store that was never used.
    pub fn empty(durable: bool) -> Self {
        if durable { Self::Model(Box::default()) } else { Self::Memory(MemoryStore::default()) }
    }

    /// A copy of what is kept, if it can be copied.
    pub fn copy(&self) -> Option<Self> {
        match self {
            Self::Memory(_) => None,
            Self::Model(store) => Some(Self::Model(store.clone())),
        }
    }

    /// How many messages it keeps that nobody needs once everybody has everything.
    pub fn in_vain(&self) -> usize {
        match self {
            Self::Memory(_) => 0,
            Self::Model(store) => store.in_vain(),
        }
    }

    fn inner(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Model(store) => &**store,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Model(store) => &mut **store,
        }
    }
}

/// Starts a peer on what its store has.
///
/// # Errors
/// [`StoreError`] if the store cannot be read.
pub fn start(
    config: Config,
    identity: Identity,
    name: Name,
    fresh: Incarnation,
    disk: Disk,
    now: Now,
) -> Result<Peer<Disk>, StoreError> {
    Peer::new(config, identity, name, fresh, disk, now)
}

impl Store for Disk {
    fn survives(&self) -> bool {
        self.inner().survives()
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        self.inner_mut().load()
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.inner_mut().apply(changes)
    }

    fn contains(&self, id: MessageId) -> bool {
        self.inner().contains(id)
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        self.inner().kept_by(author, after, up_to, count)
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        self.inner().newest(of, before, count)
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        self.inner().search(of, words, count)
    }
}
