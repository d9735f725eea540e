//! Where a peer keeps what it must not lose: in its data folder, or in memory if it has none.

use chat::{Change, Conversation, Entry, Kept, MemoryStore, MessageId, ProcessId, Saved, SortKey, Store, StoreError};
use store::{Retention, SqliteStore};

/// The store of a peer.
#[derive(Debug)]
pub(crate) enum Keep {
    /// It survives the process.
    Disk(Box<SqliteStore>),
    /// It does not survive the process.
    Memory(MemoryStore),
}

impl Keep {
    fn store(&self) -> &dyn Store {
        match self {
            Self::Disk(store) => &**store,
            Self::Memory(store) => store,
        }
    }

    fn store_mut(&mut self) -> &mut dyn Store {
        match self {
            Self::Disk(store) => &mut **store,
            Self::Memory(store) => store,
        }
    }

    /// The lines of the trace that were kept last.
    pub(crate) fn traced(&self) -> Result<Vec<u8>, StoreError> {
        match self {
            Self::Disk(store) => store.traced(),
            Self::Memory(_) => Ok(Vec::new()),
        }
    }

    /// Drops some of the messages that are beyond `retention`. Returns how many. `now_micros` is Unix time in
    /// microseconds.
    pub(crate) fn retain(&mut self, retention: Retention, now_micros: i64) -> Result<usize, StoreError> {
        match self {
            Self::Disk(store) => store.retain(retention, now_micros),
            // The memory store bounds itself.
            Self::Memory(_) => Ok(0),
        }
    }

    /// Does some of the work that the store has put off. Returns `true` if there is more.
    pub(crate) fn tidy(&mut self) -> bool {
        match self {
            Self::Disk(store) => store.tidy(),
            Self::Memory(_) => false,
        }
    }
}

impl Store for Keep {
    fn survives(&self) -> bool {
        self.store().survives()
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        self.store_mut().load()
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        self.store_mut().apply(changes)
    }

    fn contains(&self, id: MessageId) -> bool {
        self.store().contains(id)
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        self.store().kept_by(author, after, up_to, count)
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        self.store().newest(of, before, count)
    }

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry> {
        self.store().oldest(of, after, count)
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        self.store().search(of, words, count)
    }
}
