//! A sealed key as one file that can be taken elsewhere.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use chat::{Name, PersonId};

use crate::file::{self, sync_folder, write_new};
use crate::sealed::Flaw;
use crate::{Error, Passphrase, SealedKey};

/// The account and the person that a key belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The account's name.
    pub name: Name,
    /// The person.
    pub person: PersonId,
}

/// Opens an exported file and returns its owner. Writes nothing.
///
/// # Errors
/// [`Error::WrongPassphrase`], [`Error::Memory`], and those of [`SealedKey::load`].
pub fn verify(path: &Path, passphrase: &Passphrase) -> Result<Owner, Error> {
    SealedKey::load(path)?.owner(passphrase)
}

impl SealedKey {
    /// Writes the key to a new file (mode 0600), which is all that another machine needs to get the account. A plain
    /// key must be [sealed](Self::seal) first.
    ///
    /// # Errors
    /// [`Error::KeyExists`] if there is a file of that name, [`Error::ReadBack`], [`Error::File`]. After these, no new
    /// file is left.
    pub fn export(&self, path: &Path) -> Result<(), Error> {
        let text = self.encode();
        write_new(path, text.as_bytes()).map_err(|source| {
            let path = path.to_owned();
            let exists = source.kind() == io::ErrorKind::AlreadyExists;
            if exists { Error::KeyExists { path } } else { Error::File { path, source } }
        })?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let checked = match Self::load(path) {
            Ok(written) if written.encode() == text => sync_folder(folder).map_err(Error::file(folder)),
            Ok(_) | Err(_) => Err(Error::ReadBack { path: path.to_owned() }),
        };
        if checked.is_err() {
            let _ = fs::remove_file(path);
        }
        checked
    }

    /// Reads an exported file. Other users may be able to read it: a memory stick knows no owners.
    ///
    /// # Errors
    /// [`Error::ExportDamaged`] if it is not an exported account, [`Error::KeyVersion`], [`Error::KeyCost`],
    /// [`Error::File`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        // Opening a pipe would wait for its other end.
        if !fs::metadata(path).map_err(Error::file(path))?.is_file() {
            return Err(Error::ExportDamaged { path: path.to_owned() });
        }
        let bytes = File::open(path).and_then(file::read).map_err(Error::file(path))?;
        Self::parse(&bytes).map_err(|flaw| match flaw {
            Flaw::Damaged => Error::ExportDamaged { path: path.to_owned() },
            Flaw::Version(version) => Error::KeyVersion { path: path.to_owned(), version },
            Flaw::Cost(source) => Error::KeyCost { path: path.to_owned(), source },
        })
    }

    /// Opens it and returns its owner.
    pub(crate) fn owner(&self, passphrase: &Passphrase) -> Result<Owner, Error> {
        let person = self.open(passphrase)?.person();
        Ok(Owner { name: self.name().clone(), person })
    }
}
