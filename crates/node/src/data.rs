//! The data folder: one peer's identity key, and the lock that keeps a second process away from it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::Error;

/// The file of the identity key.
const KEY_FILE: &str = "identity.key";

/// The seed as 64 hexadecimal digits and a line feed.
const KEY_FILE_BYTES: usize = 65;

/// An open data folder. While it lives no other process can open the same one; the system gives the lock back however
/// the process ends.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, and makes it (mode 0700, with its parents) where there is none.
    ///
    /// # Errors
    /// [`Error::DataInUse`] if another process has it open, [`Error::Data`] if it cannot be made or written.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let refuse = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Data { path, source }
        };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(refuse(path))?;
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

    /// The Ed25519 seed in `identity.key`; drawn at random and written (mode 0600) where there is none.
    ///
    /// # Errors
    /// [`Error::KeyExposed`] if others may read the file, [`Error::KeyDamaged`] if it holds no key, [`Error::KeyLost`] if it
    /// is missing beside a database, [`Error::LinkLeadsNowhere`]. Then nothing is written.
    pub fn identity(&self) -> Result<[u8; 32], Error> {
        if let Some(seed) = self.known_identity()? {
            return Ok(seed);
        }
        let path = self.path.join(KEY_FILE);
        let seed = random_seed()?;
        self.write_key(&path, &seed).map_err(|source| Error::Data { path, source })?;
        Ok(seed)
    }

    /// The seed, if there is one. Nothing is written.
    pub(crate) fn known_identity(&self) -> Result<Option<[u8; 32]>, Error> {
        let path = self.path.join(KEY_FILE);
        match File::open(&path) {
            Ok(file) => read_key(&path, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let database = self.database();
                follow(&path)?;
                follow(&database)?;
                if database.exists() { Err(Error::KeyLost { path, database }) } else { Ok(None) }
            }
            Err(source) => Err(Error::Data { path, source }),
        }
    }

    /// Where its peer keeps what it may not lose.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("causerie.db")
    }

    /// Written beside and renamed into place: a process killed half-way leaves no damaged key behind.
    fn write_key(&self, path: &Path, seed: &[u8; 32]) -> io::Result<()> {
        let draft = self.path.join("identity.key.new");
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
        let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", to_hex(seed))?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(&self.path)?.sync_all()
    }
}

/// A link that leads nowhere is not a missing file: what it led to may only be away.
pub(crate) fn follow(path: &Path) -> Result<(), Error> {
    match fs::read_link(path) {
        Ok(target) if !path.exists() => Err(Error::LinkLeadsNowhere { path: path.to_owned(), target }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A new seed from the system's randomness.
pub(crate) fn random_seed() -> Result<[u8; 32], Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| Error::Random(error.to_string()))?;
    Ok(seed)
}

fn read_key(path: &Path, file: File) -> Result<[u8; 32], Error> {
    let refuse = |source| Error::Data { path: path.to_owned(), source };
    let mode = file.metadata().map_err(refuse)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Error::KeyExposed { path: path.to_owned(), mode });
    }
    let mut text = Vec::with_capacity(KEY_FILE_BYTES);
    file.take(KEY_FILE_BYTES as u64 + 1).read_to_end(&mut text).map_err(refuse)?;
    from_hex(text.trim_ascii()).ok_or_else(|| Error::KeyDamaged { path: path.to_owned() })
}

fn to_hex(seed: &[u8; 32]) -> String {
    seed.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &[u8]) -> Option<[u8; 32]> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let mut seed = [0; 32];
    if text.len() != 2 * seed.len() {
        return None;
    }
    for (byte, pair) in seed.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(seed)
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
    fn a_key_is_drawn_once_and_then_kept() {
        let (_parent, path) = folder();
        let first = DataFolder::open(&path).unwrap().identity().unwrap();
        let second = DataFolder::open(&path).unwrap().identity().unwrap();
        assert_eq!(first, second);
        assert_ne!(first, [0; 32]);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path.join("identity.key")), 0o600);
        assert_eq!(mode(&path), 0o700);
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
    fn a_key_that_others_can_read_is_refused() {
        let (_parent, path) = folder();
        let folder = DataFolder::open(&path).unwrap();
        folder.identity().unwrap();
        let key = path.join("identity.key");
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        let refused = folder.identity().unwrap_err();
        assert!(matches!(refused, Error::KeyExposed { mode: 0o640, .. }));
        assert!(refused.to_string().contains("chmod 600"));
    }

    #[test]
    fn a_damaged_key_is_refused_and_left_alone() {
        let (_parent, path) = folder();
        let folder = DataFolder::open(&path).unwrap();
        let key = path.join("identity.key");
        for damaged in ["", "zz", &"g".repeat(64), &"a".repeat(63), &"a".repeat(70), "\u{0}"] {
            fs::write(&key, damaged).unwrap();
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
            assert!(matches!(folder.identity().unwrap_err(), Error::KeyDamaged { .. }), "{damaged:?}");
            assert_eq!(fs::read_to_string(&key).unwrap(), damaged);
        }
    }

    #[test]
    fn a_key_that_is_lost_beside_a_database_is_not_replaced() {
        let (_parent, path) = folder();
        let folder = DataFolder::open(&path).unwrap();
        fs::write(folder.database(), "kept").unwrap();
        let refused = folder.identity().unwrap_err();
        assert!(matches!(refused, Error::KeyLost { .. }));
        assert!(refused.to_string().contains("identity.key is missing"), "{refused}");
        assert!(!path.join("identity.key").exists());
        assert_eq!(fs::read_to_string(folder.database()).unwrap(), "kept");
    }

    #[test]
    fn a_link_that_leads_nowhere_is_refused_and_left_alone() {
        let (_parent, path) = folder();
        let folder = DataFolder::open(&path).unwrap();
        for file in [folder.database(), path.join("identity.key")] {
            std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
            let refused = folder.identity().unwrap_err();
            assert!(matches!(refused, Error::LinkLeadsNowhere { .. }), "{refused}");
            assert!(refused.to_string().contains("/nowhere/at/all"), "{refused}");
            assert!(file.is_symlink());
            fs::remove_file(file).unwrap();
        }
        folder.identity().unwrap();
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
