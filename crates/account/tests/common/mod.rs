//! What the tests share.
#![allow(dead_code, reason = "no test file uses all of it")]
#![allow(clippy::unwrap_used, reason = "only tests use it")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use account::{Cost, Key, Passphrase, SealedKey, Seed};
use chat::Name;

/// The least work that argon2id can do.
pub(crate) fn cheap() -> Cost {
    Cost::new(8, 1, 1).unwrap()
}

pub(crate) fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

pub(crate) fn seed() -> Seed {
    Seed::new(&[7; 32])
}

/// The seed's key, sealed for `of` with the passphrase "old".
pub(crate) fn sealed(of: &str) -> SealedKey {
    SealedKey::seal(&seed(), &name(of), &phrase("old"), cheap()).unwrap()
}

/// A folder with this key.
pub(crate) fn folder_with(key: &Key) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    key.create(folder.path()).unwrap();
    folder
}

pub(crate) fn key_file(folder: &Path) -> PathBuf {
    folder.join("identity.key")
}

/// Writes a file with mode 0600.
pub(crate) fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

pub(crate) fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// The seed in the folder, opened with this passphrase if it is sealed.
pub(crate) fn opened(folder: &Path, passphrase: &str) -> Result<Seed, account::Error> {
    match Key::read(folder)?.expect("there is a key") {
        Key::Plain(seed) => Ok(seed),
        Key::Sealed(sealed) => sealed.open(&phrase(passphrase)),
    }
}

pub(crate) fn is_sealed(folder: &Path) -> bool {
    matches!(Key::read(folder).unwrap(), Some(Key::Sealed(_)))
}

/// The names in a folder, sorted.
pub(crate) fn entries(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
