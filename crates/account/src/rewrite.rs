//! Replacing a key file by another one.
//!
//! The new file is written beside the old one, synced, read back and opened, and then renamed over it. So at each
//! moment the file in its place is a whole key. The next change removes what a crash leaves beside it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use chat::Name;

use crate::erase::overwrite;
use crate::file::{beside, lock_file, sync_folder, write_new};
use crate::key::{self, Key};
use crate::{Cost, Error, Passphrase, SealedKey, Seed};

/// Seals the plain key in `folder` for the account `name`. The peer of that folder may be running.
///
/// # Errors
/// [`Error::NoKey`], [`Error::AlreadySealed`], [`Error::ReadBack`], and those of [`Key::read`] and [`SealedKey::seal`].
/// After these the old key is still in its place, except that the new one may be there if only syncing the folder
/// failed.
pub fn seal(folder: &Path, name: &Name, passphrase: &Passphrase, cost: Cost) -> Result<(), Error> {
    let place = Place::lock(folder)?;
    match place.read(folder)? {
        Key::Sealed(_) => Err(Error::AlreadySealed { path: key::path(folder) }),
        Key::Plain(seed) => place.put_sealed(&seed, name, passphrase, cost),
    }
}

/// Seals the key in `folder` with another passphrase, or at another cost.
///
/// # Errors
/// [`Error::NoKey`], [`Error::NotSealed`], [`Error::WrongPassphrase`] if `old` does not open it, [`Error::ReadBack`],
/// and those of [`Key::read`] and [`SealedKey::seal`]. After these the old key is still in its place, except that the
/// new one may be there if only syncing the folder failed.
pub fn reseal(folder: &Path, old: &Passphrase, new: &Passphrase, cost: Cost) -> Result<(), Error> {
    let place = Place::lock(folder)?;
    match place.read(folder)? {
        Key::Plain(_) => Err(Error::NotSealed { path: key::path(folder) }),
        Key::Sealed(sealed) => place.put_sealed(&sealed.open(old)?, sealed.name(), new, cost),
    }
}

/// Removes the passphrase from the key in `folder`.
///
/// # Errors
/// [`Error::NoKey`], [`Error::NotSealed`], [`Error::WrongPassphrase`], [`Error::ReadBack`], and those of [`Key::read`].
/// After these the old key is still in its place, except that the new one may be there if only syncing the folder
/// failed.
pub fn unseal(folder: &Path, passphrase: &Passphrase) -> Result<(), Error> {
    let place = Place::lock(folder)?;
    match place.read(folder)? {
        Key::Plain(_) => Err(Error::NotSealed { path: key::path(folder) }),
        Key::Sealed(sealed) => place.put(&Key::Plain(sealed.open(passphrase)?), |_| Ok(true)),
    }
}

/// The place of a key file. No other process changes it at the same time.
pub(crate) struct Place {
    /// The path after all links are followed: a link to the key stays a link.
    path: PathBuf,
    _lock: File,
}

impl Place {
    /// Waits while another process changes the same key, which takes up to three times the work of one passphrase.
    pub(crate) fn lock(folder: &Path) -> Result<Self, Error> {
        let path = key::path(folder);
        // If the key is refused, the folder does not even get a lock file.
        Key::read(folder)?;
        let path = match fs::canonicalize(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                key::path(&fs::canonicalize(folder).map_err(Error::file(folder))?)
            }
            found => found.map_err(Error::file(&path))?,
        };
        let lock_path = beside(&path, ".lock");
        let lock = lock_file(&lock_path)?;
        lock.lock().map_err(Error::file(&lock_path))?;
        Ok(Self { path, _lock: lock })
    }

    fn read(&self, folder: &Path) -> Result<Key, Error> {
        Key::read(folder)?.ok_or_else(|| Error::NoKey { path: key::path(folder) })
    }

    fn put_sealed(&self, seed: &Seed, name: &Name, passphrase: &Passphrase, cost: Cost) -> Result<(), Error> {
        let sealed = Key::Sealed(SealedKey::seal(seed, name, passphrase, cost)?);
        self.put(&sealed, |written| match written {
            Key::Plain(_) => Ok(false),
            Key::Sealed(written) => match written.open(passphrase) {
                Err(Error::WrongPassphrase { .. }) => Ok(false),
                opened => Ok(opened?.expose() == seed.expose()),
            },
        })
    }

    /// Writes `key` beside its place, reads it back, asks `opens`, and puts it in its place. The old key is
    /// overwritten.
    pub(crate) fn put(&self, key: &Key, opens: impl FnOnce(&Key) -> Result<bool, Error>) -> Result<(), Error> {
        let draft = Draft(beside(&self.path, ".new"));
        let text = key.encode();
        draft.remove().map_err(Error::file(&draft.0))?;
        write_new(&draft.0, text.as_bytes()).map_err(Error::file(&draft.0))?;
        let damaged = || Error::ReadBack { path: draft.0.clone() };
        let file = File::open(&draft.0).map_err(Error::file(&draft.0))?;
        let written = Key::from_file(&draft.0, file).map_err(|_| damaged())?;
        if written.encode() != text || !opens(&written)? {
            return Err(damaged());
        }
        let old = OpenOptions::new().write(true).open(&self.path);
        fs::rename(&draft.0, &self.path).map_err(Error::file(&self.path))?;
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        sync_folder(folder).map_err(Error::file(folder))?;
        if let Ok(old) = old {
            // The new key is in its place already, so it does no harm if overwriting fails.
            let _ = overwrite(&old, 0);
        }
        Ok(())
    }
}

/// A file beside the key. It is removed unless it was renamed.
struct Draft(PathBuf);

impl Draft {
    fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // If this cannot remove it, the next change does.
        let _ = self.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_key_that_does_not_open_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        Key::Plain(Seed::new(&[1; 32])).create(folder.path()).unwrap();
        let new = Key::Plain(Seed::new(&[2; 32]));
        let refused = Place::lock(folder.path()).unwrap().put(&new, |_| Ok(false)).unwrap_err();
        assert!(matches!(refused, Error::ReadBack { .. }), "{refused}");
        assert!(!folder.path().join("identity.key.new").exists());
        let Some(Key::Plain(seed)) = Key::read(folder.path()).unwrap() else { panic!("the key is gone") };
        assert_eq!(seed.expose(), &[1; 32]);
    }
}
