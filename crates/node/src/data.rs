//! The data folder of one peer, and the lock that keeps a second process away from it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// An open data folder. While it lives, no other process can open the same one. The system releases the lock however
/// the process ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder. If it is missing, makes it (mode 0700) and its parents.
    ///
    /// # Errors
    /// [`Error::DataInUse`] if another process has it open, [`Error::LinkLeadsNowhere`], [`Error::Data`] if it cannot be made or
    /// written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        follow(path)?;
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refuse(path))?;
        Self::open_existing(path)
    }

    /// Opens the folder, and makes none.
    ///
    /// # Errors
    /// [`Error::DataInUse`] if another process has it open, [`Error::Data`] if it is missing or cannot be written.
    pub fn open_existing(path: &Path) -> Result<Self, Error> {
        let lock_path = path.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(refuse(&lock_path))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Error::DataInUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => Err(Error::Data { path: lock_path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its peer keeps what it must not lose.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("causerie.db")
    }
}

fn refuse(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_owned();
    move |source| Error::Data { path, source }
}

/// If other users could write to the folder, they could replace the peer's socket with their own.
pub(crate) fn look_at_permissions(folder: &Path) -> Result<(), Error> {
    let refuse = |source| Error::Data { path: folder.to_owned(), source };
    let mode = fs::metadata(folder).map_err(refuse)?.permissions().mode() & 0o7777;
    let (writable, sticky) = (mode & 0o022 != 0, mode & 0o1000 != 0);
    if writable && !sticky { Err(Error::DataExposed { path: folder.to_owned(), mode }) } else { Ok(()) }
}

/// A link that leads nowhere is not a missing file: its target may only be unmounted.
pub(crate) fn follow(path: &Path) -> Result<(), Error> {
    match fs::read_link(path) {
        Ok(target) if !path.exists() => Err(Error::LinkLeadsNowhere { path: path.to_owned(), target }),
        Ok(_) | Err(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("deep/er");
        (parent, path)
    }

    #[test]
    fn a_second_process_is_refused_and_told_what_to_do() {
        let (_parent, path) = folder();
        let first = DataFolder::open(&path).unwrap();
        let refused = DataFolder::open(&path).unwrap_err();
        assert!(matches!(refused, Error::DataInUse { .. }));
        assert!(refused.to_string().contains("--data"));
        drop(first);
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn a_new_folder_is_open_to_its_owner_only() {
        let (_parent, path) = folder();
        DataFolder::open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_that_names_it() {
        let (parent, _) = folder();
        let file = parent.path().join("file");
        fs::write(&file, "").unwrap();
        let refused = DataFolder::open(&file.join("inside")).unwrap_err();
        assert!(refused.to_string().contains("file/inside"), "{refused}");
    }
}
