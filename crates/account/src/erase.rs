//! Overwriting and removing files. The crate's documentation says what that cannot promise.

use std::fs::{self, DirEntry, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Error;
use crate::file::lock_file;

/// A running peer holds a lock on this file in its data folder.
pub(crate) const RUNNING: &str = "lock";

/// Overwrites `file` with zeros, unless it has more than `links` names: another name is a copy that its owner made.
pub(crate) fn overwrite(mut file: &File, links: u64) -> io::Result<()> {
    let found = file.metadata()?;
    if found.nlink() > links {
        return Ok(());
    }
    let zeros = [0; 64 * 1024];
    let mut left = found.len();
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
        left -= part;
    }
    file.sync_data()
}

/// Overwrites and removes everything in `folder`, and `folder` itself. Links are removed, but not what they lead to.
///
/// If something cannot be removed, it goes on with the rest.
///
/// # Errors
/// [`Error::Remains`] names the first file or folder that is still there.
pub(crate) fn erase(folder: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return absent_or_remains(folder, error),
    };
    let mut outcome = Ok(());
    for entry in entries {
        let erased = match entry {
            Ok(entry) => erase_entry(&entry),
            Err(error) => absent_or_remains(folder, error),
        };
        outcome = outcome.and(erased);
    }
    outcome.and_then(|()| fs::remove_dir(folder).or_else(|error| absent_or_remains(folder, error)))
}

/// Overwrites and removes what a peer keeps in a data folder that belongs to no account: its key, its database, its
/// sockets and its lock. Anything else there stays. If nothing else is there, the folder goes as well.
///
/// If something cannot be removed, it goes on with the rest.
///
/// # Errors
/// [`Error::InUse`] while a peer runs on it, and then nothing was changed. [`Error::File`], [`Error::Remains`].
pub fn erase_data(folder: &Path) -> Result<(), Error> {
    let path = folder.join(RUNNING);
    let running = lock_file(&path)?;
    match running.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: folder.to_owned() }),
        Err(TryLockError::Error(source)) => return Err(Error::File { path, source }),
    }
    let mut outcome = Ok(());
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let entry = entry.map_err(Error::file(folder))?;
        if is_a_peers(&entry.file_name().to_string_lossy()) {
            outcome = outcome.and(erase_entry(&entry));
        }
    }
    // The folder stays if something else is in it.
    let _ = fs::remove_dir(folder);
    outcome
}

/// Whether a peer keeps a file or folder of that name, or makes it for a moment on the way to one.
fn is_a_peers(name: &str) -> bool {
    name == RUNNING
        || ["identity.key", "causerie.db"].iter().any(|kept| name.starts_with(kept))
        || ["session.", "page."].iter().any(|socket| matches!(name.strip_prefix(socket), Some("sock" | "d")))
}

fn erase_entry(entry: &DirEntry) -> Result<(), Error> {
    let path = entry.path();
    let kind = match entry.file_type() {
        Ok(kind) => kind,
        Err(error) => return absent_or_remains(&path, error),
    };
    if kind.is_dir() {
        return erase(&path);
    }
    if kind.is_file() {
        // Keeping a file because it cannot be overwritten would be worse.
        let _ = OpenOptions::new().write(true).open(&path).and_then(|file| overwrite(&file, 1));
    }
    fs::remove_file(&path).or_else(|error| absent_or_remains(&path, error))
}

/// Another process may be removing the same file.
fn absent_or_remains(path: &Path, source: io::Error) -> Result<(), Error> {
    if source.kind() == io::ErrorKind::NotFound {
        return Ok(());
    }
    Err(Error::Remains { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for length in [0, 1, 64 * 1024, 64 * 1024 + 7, 200_000] {
            fs::write(&path, vec![7; length]).unwrap();
            overwrite(&OpenOptions::new().write(true).open(&path).unwrap(), 1).unwrap();
            assert_eq!(fs::read(&path).unwrap(), vec![0; length]);
        }
    }

    #[test]
    fn erasing_leaves_copies_under_other_names_and_the_targets_of_links() {
        let folder = tempfile::tempdir().unwrap();
        let [copy, outside, gone] = ["copy", "elsewhere/outside", "gone"].map(|name| folder.path().join(name));
        fs::create_dir_all(gone.join("deep/er")).unwrap();
        fs::write(gone.join("deep/er/file"), "kept under another name").unwrap();
        fs::hard_link(gone.join("deep/er/file"), &copy).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(&outside, "kept").unwrap();
        std::os::unix::fs::symlink(&outside, gone.join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), gone.join("folder")).unwrap();
        erase(&gone).unwrap();
        assert!(!gone.exists());
        assert_eq!(fs::read_to_string(copy).unwrap(), "kept under another name");
        assert_eq!(fs::read_to_string(outside).unwrap(), "kept");
    }

    #[test]
    fn what_a_peer_keeps_goes_and_the_rest_of_the_folder_stays() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("data");
        fs::create_dir_all(folder.join("accounts/bob")).unwrap();
        let kept = ["identity.key", "causerie.db", "causerie.db-wal", "causerie.db.new", "lock", "page.sock"];
        for name in kept.into_iter().chain(["accounts/bob/identity.key", "notes"]) {
            fs::write(folder.join(name), "secret").unwrap();
        }
        let peer = lock_file(&folder.join(RUNNING)).unwrap();
        peer.lock().unwrap();
        assert!(matches!(erase_data(&folder), Err(Error::InUse { .. })));
        assert!(folder.join("identity.key").exists());
        drop(peer);
        erase_data(&folder).unwrap();
        for name in kept {
            assert!(!folder.join(name).exists(), "{name}");
        }
        assert!(folder.join("accounts/bob/identity.key").exists() && folder.join("notes").exists());
        fs::remove_dir_all(folder.join("accounts")).unwrap();
        fs::remove_file(folder.join("notes")).unwrap();
        erase_data(&folder).unwrap();
        assert!(!folder.exists());
    }

    #[test]
    fn a_file_that_is_gone_already_is_not_an_error() {
        let folder = tempfile::tempdir().unwrap();
        erase(&folder.path().join("nothing")).unwrap();
    }
}
