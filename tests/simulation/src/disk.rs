//! The stores of the peers, and the one place where a peer is started from one.

use chat::{
    Change, Config, Conversation, Entry, Identity, Incarnation, Kept, MemoryStore, MessageId, Name, Now, Peer,
    ProcessId, Saved, SortKey, Store, StoreError,
};

/// A peer's store, of whatever kind.
pub enum Disk {
    /// It dies with its process.
    Memory(MemoryStore),
}

impl Disk {
    /// A store that was never used.
    pub fn empty() -> Self {
        Self::Memory(MemoryStore::default())
    }

    /// How many messages it keeps that nobody needs once everybody has everything.
    pub fn in_vain(&self) -> usize {
        match self {
            Self::Memory(_) => 0,
        }
    }

    fn inner(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store,
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Store {
        match self {
            Self::Memory(store) => store,
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
    Ok(Peer::new(config, identity, name, fresh, disk, now))
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
