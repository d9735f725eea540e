use std::fs::File;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use crate::file::{self, follow};
use crate::rewrite::Place;
use crate::sealed::{Flaw, MAGIC};
use crate::{Error, SealedKey, Seed};

/// The file of the identity key.
const KEY_FILE: &str = "identity.key";
/// The database of the peer of the same folder.
const DATABASE: &str = "causerie.db";

/// The key of a data folder.
#[derive(Debug)]
pub enum Key {
    /// No passphrase is needed.
    Plain(Seed),
    /// A passphrase opens it.
    Sealed(SealedKey),
}

impl Key {
    /// The key in `folder`, if there is one. Writes nothing.
    ///
    /// # Errors
    /// [`Error::KeyExposed`] if other users may read the file; [`Error::KeyDamaged`], [`Error::KeyVersion`] or
    /// [`Error::KeyCost`] if it holds no usable key; [`Error::KeyLost`] if it is missing beside a database;
    /// [`Error::LinkLeadsNowhere`]; [`Error::File`].
    pub fn read(folder: &Path) -> Result<Option<Self>, Error> {
        let path = path(folder);
        match File::open(&path) {
            Ok(file) => Self::from_file(&path, file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let database = folder.join(DATABASE);
                follow(&path)?;
                follow(&database)?;
                if database.exists() { Err(Error::KeyLost { path, database }) } else { Ok(None) }
            }
            Err(source) => Err(Error::File { path, source }),
        }
    }

    /// Writes the key (mode 0600) into a folder that has none.
    ///
    /// # Errors
    /// [`Error::KeyExists`], [`Error::ReadBack`], and those of [`read`](Self::read). After these, no key was written.
    pub fn create(&self, folder: &Path) -> Result<(), Error> {
        let place = Place::lock(folder)?;
        match Self::read(folder)? {
            Some(_) => Err(Error::KeyExists { path: path(folder) }),
            None => place.put(self, |_| Ok(true)),
        }
    }

    pub(crate) fn from_file(path: &Path, file: File) -> Result<Self, Error> {
        let mode = file.metadata().map_err(Error::file(path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Error::KeyExposed { path: path.to_owned(), mode });
        }
        let bytes = file::read(file).map_err(Error::file(path))?;
        if bytes.starts_with(MAGIC.as_bytes()) {
            return SealedKey::parse(&bytes).map(Self::Sealed).map_err(|flaw| match flaw {
                Flaw::Damaged => Error::KeyDamaged { path: path.to_owned() },
                Flaw::Version(version) => Error::KeyVersion { path: path.to_owned(), version },
                Flaw::Cost(source) => Error::KeyCost { path: path.to_owned(), source },
            });
        }
        match Seed::from_hex(bytes.trim_ascii()) {
            Some(seed) => Ok(Self::Plain(seed)),
            None => Err(Error::KeyDamaged { path: path.to_owned() }),
        }
    }

    /// The text of the file.
    pub(crate) fn encode(&self) -> Zeroizing<String> {
        match self {
            Self::Sealed(sealed) => Zeroizing::new(sealed.encode()),
            Self::Plain(seed) => {
                let mut text = Zeroizing::new(String::with_capacity(65));
                text.push_str(&seed.to_hex());
                text.push('\n');
                text
            }
        }
    }
}

/// Where the key of `folder` is.
pub(crate) fn path(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}
