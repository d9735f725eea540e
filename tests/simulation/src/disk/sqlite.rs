//! The program's own store, in a file of its own folder.

use std::fs;
use std::path::PathBuf;

use chat::StoreError;
use store::SqliteStore;
use tempfile::TempDir;

/// An open database, and its folder.
pub struct SqliteFile {
    store: SqliteStore,
    folder: TempDir,
}

const NAME: &str = "peer.db";

fn failed(reason: impl ToString) -> StoreError {
    StoreError::NotKept { reason: reason.to_string() }
}

impl SqliteFile {
    /// An empty database in a new folder.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be made.
    pub fn new() -> Result<Self, StoreError> {
        Self::open(tempfile::tempdir().map_err(failed)?)
    }

    fn open(folder: TempDir) -> Result<Self, StoreError> {
        Ok(Self { store: SqliteStore::open(&folder.path().join(NAME))?, folder })
    }

    /// The same file, closed and opened.
    ///
    /// # Errors
    /// [`StoreError`] if it cannot be opened.
    pub fn reopened(self) -> Result<Self, StoreError> {
        let Self { store, folder } = self;
        drop(store);
        Self::open(folder)
    }

    /// A copy of the files as they are now. A user makes such a copy of the folder of a peer that may be running.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be copied.
    pub fn copy(&self) -> Result<Self, StoreError> {
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut names: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(self.folder.path()).map_err(failed)? {
            names.push(entry.map_err(failed)?.path());
        }
        names.sort();
        for path in names {
            // A lock belongs to its owner, and the shared memory is rebuilt from the log.
            let name = path.file_name().unwrap_or_default();
            let text = name.to_string_lossy();
            if text == NAME || text.ends_with("-wal") {
                fs::copy(&path, folder.path().join(name)).map_err(failed)?;
            }
        }
        Self::open(folder)
    }

    /// The store.
    pub fn store(&self) -> &SqliteStore {
        &self.store
    }

    /// The store, to write to.
    pub fn store_mut(&mut self) -> &mut SqliteStore {
        &mut self.store
    }
}
