//! The stores of the peers, and the one place where a peer is started from a store.

mod model;
mod sqlite;

use chat::{
    Change, Config, Conversation, Entry, Identity, Incarnation, Kept, MemoryStore, MessageId, Name, Now, Peer,
    ProcessId, Saved, SortKey, Store, StoreError,
};

pub use model::ModelStore;
pub use sqlite::SqliteFile;

/// A peer's store, of any kind.
pub enum Disk {
    /// It dies with its process.
    Memory(MemoryStore),
    /// It survives its process, although it is in memory.
    Model(Box<ModelStore>),
    /// The program's own store, in a file. It is closed and opened again when its process ends.
    Sqlite(Box<SqliteFile>),
}

/// Which kind of store all peers of a run have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// [`Disk::Memory`].
    Memory,
    /// [`Disk::Model`].
    Model,
    /// [`Disk::Sqlite`].
    Sqlite,
}

impl Disk {
    /// A store that was never used.
    ///
    /// # Errors
    /// A file that cannot be made.
    pub fn empty(kind: Kind) -> Result<Self, StoreError> {
        Ok(match kind {
            Kind::Memory => Self::Memory(MemoryStore::default()),
            Kind::Model => Self::Model(Box::default()),
            Kind::Sqlite => Self::Sqlite(Box::new(SqliteFile::new()?)),
        })
    }

    /// What the next process finds. A file is closed and opened again.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened.
    pub fn reopened(self) -> Result<Self, StoreError> {
        match self {
            Self::Sqlite(file) => Ok(Self::Sqlite(Box::new(file.reopened()?))),
            other @ (Self::Memory(_) | Self::Model(_)) => Ok(other),
        }
    }

    /// A copy of the store, if it can be copied.
    pub fn copy(&self) -> Option<Self> {
        match self {
            Self::Memory(_) => None,
            Self::Model(store) => Some(Self::Model(store.clone())),
            Self::Sqlite(file) => file.copy().ok().map(|copy| Self::Sqlite(Box::new(copy))),
        }
    }

    /// The messages that it keeps although no peer needs them once all have everything. For each, its role in the
    /// store.
    pub fn in_vain(&self) -> Vec<(MessageId, &'static str)> {
        match self {
            Self::Memory(_) | Self::Sqlite(_) => Vec::new(),
            Self::Model(store) => store.in_vain(),
        }
    }

    fn inner(&self) -> &dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Model(store) => &**store,
            Self::Sqlite(file) => file.store(),
        }
    }

    fn inner_mut(&mut self) -> &mut dyn Store {
        match self {
            Self::Memory(store) => store,
            Self::Model(store) => &mut **store,
            Self::Sqlite(file) => file.store_mut(),
        }
    }
}

/// Starts a peer from its store.
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

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry> {
        self.inner().oldest(of, after, count)
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        self.inner().search(of, words, count)
    }
}
