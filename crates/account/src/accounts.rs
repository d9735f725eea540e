use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use chat::{BadName, Name};

use crate::erase::{RUNNING, erase};
use crate::file::{lock_file, sync_folder};
use crate::seed::fill;
use crate::{AccountFolder, Error, Key, Owner, Passphrase, SealedKey};

/// The names of this module's own files. An account's name never contains a `~`.
const LOCK: &str = "~lock";
const NEW: &str = "~new-";
const GONE: &str = "~gone-";

/// The accounts of one machine: the folders in a base folder. Each is a data folder, named after its account.
///
/// An account appears and disappears at once, by a rename. After a crash it is there as a whole, or not at all. What a
/// crash leaves behind begins with `~`, and [`sweep`](Self::sweep) removes it.
///
/// An account's name is one that [`Name::choose`] accepts and that does not begin with a dot. Names that look alike
/// ([`Name::looks_like`]) cannot be on one machine: people cannot tell them apart, and some file systems cannot if only
/// the case differs.
#[derive(Clone, Debug)]
pub struct Accounts {
    base: PathBuf,
}

impl Accounts {
    /// The accounts in `base`. The first of them creates the folder.
    pub fn new(base: PathBuf) -> Self {
        Self { base }
    }

    /// The data folder of an account, whether or not there is one.
    pub fn folder(&self, name: &Name) -> PathBuf {
        self.base.join(name.as_str())
    }

    /// The names of all accounts, in alphabetical order.
    ///
    /// # Errors
    /// [`Error::File`].
    pub fn list(&self) -> Result<Vec<Name>, Error> {
        let mut names = Vec::new();
        for entry in self.entries()? {
            let Some(name) =
                entry.to_str().and_then(|text| Name::parse(text).ok().filter(|name| name.as_str() == text))
            else {
                continue;
            };
            if fit(&name).is_ok() && self.folder(&name).is_dir() {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The key of an account.
    ///
    /// # Errors
    /// [`Error::NoAccount`], [`Error::NoKey`], [`Error::OtherName`] if the key was sealed for another name, and those
    /// of [`Key::read`].
    pub fn key(&self, name: &Name) -> Result<Key, Error> {
        let folder = self.folder(name);
        if fit(name).is_err() || !folder.is_dir() {
            return Err(self.no_account(name));
        }
        let key = Key::read(&folder)?.ok_or_else(|| Error::NoKey { path: crate::key::path(&folder) })?;
        belongs(&key, name, &folder)?;
        Ok(key)
    }

    /// An account's folder, and the key in it.
    ///
    /// # Errors
    /// As for [`key`](Self::key).
    pub fn open(&self, name: &Name) -> Result<(AccountFolder, Key), Error> {
        let held = self.hold(name)?;
        let key = self.key(name)?;
        // The account may have been deleted, and another one made under its name.
        if held.is_there() { Ok((held, key)) } else { Err(self.no_account(name)) }
    }

    fn hold(&self, name: &Name) -> Result<AccountFolder, Error> {
        let path = self.folder(name);
        if fit(name).is_err() || !path.is_dir() {
            return Err(self.no_account(name));
        }
        match AccountFolder::open(name.clone(), path.clone(), &path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.no_account(name)),
            held => held.map_err(Error::file(&path)),
        }
    }

    /// Makes an account with this key. Returns its folder.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::NameTaken`] if there is a file or folder whose name looks like it;
    /// [`Error::OtherName`] if the key was sealed for another name; [`Error::ReadBack`]; [`Error::File`]. After any of
    /// these there is no new account, and no old one was changed.
    pub fn create(&self, name: &Name, key: &Key) -> Result<AccountFolder, Error> {
        fit(name)?;
        let folder = self.folder(name);
        belongs(key, name, &folder)?;
        new_folder().recursive(true).create(&self.base).map_err(Error::file(&self.base))?;
        let _lock = self.lock()?;
        self.free(name)?;
        let draft = self.base.join(unique(NEW)?);
        new_folder().create(&draft).map_err(Error::file(&draft))?;
        let made = key.create(&draft).and_then(|()| {
            let held = AccountFolder::open(name.clone(), folder.clone(), &draft).map_err(Error::file(&draft))?;
            fs::rename(&draft, &folder).map_err(Error::file(&folder))?;
            Ok(held)
        });
        if made.is_err() {
            let _ = erase(&draft);
        }
        made.and_then(|held| sync_folder(&self.base).map(|()| held).map_err(Error::file(&self.base)))
    }

    /// Makes an account from an exported file, under its name. The passphrase stays the same.
    ///
    /// # Errors
    /// [`Error::WrongPassphrase`], [`Error::Memory`], and those of [`SealedKey::load`] and [`create`](Self::create).
    pub fn import(&self, path: &Path, passphrase: &Passphrase) -> Result<Owner, Error> {
        let sealed = SealedKey::load(path)?;
        let owner = sealed.owner(passphrase)?;
        self.create(&owner.name, &Key::Sealed(sealed))?;
        Ok(owner)
    }

    /// The data folder of an account that can be deleted. Its key may be damaged or missing.
    ///
    /// # Errors
    /// [`Error::NoAccount`], [`Error::LinkedAccount`], [`Error::File`].
    pub fn find(&self, name: &Name) -> Result<PathBuf, Error> {
        let folder = self.folder(name);
        match fs::symlink_metadata(&folder) {
            Ok(found) if found.is_dir() && fit(name).is_ok() => Ok(folder),
            Ok(found) if found.is_symlink() => Err(Error::LinkedAccount { path: folder }),
            Ok(_) => Err(self.no_account(name)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.no_account(name)),
            Err(source) => Err(Error::File { path: folder, source }),
        }
    }

    /// Deletes an account, with its key and everything that its peer kept. This needs no passphrase. The name is free
    /// at once. Then the files are overwritten and removed.
    ///
    /// The crate's documentation says what deleting cannot promise.
    ///
    /// # Errors
    /// [`Error::NoAccount`], [`Error::InUse`] while a peer runs on it, [`Error::LinkedAccount`], [`Error::File`]: after
    /// these, the account is as before. [`Error::Remains`]: the account is deleted, but some file is still there.
    pub fn delete(&self, name: &Name) -> Result<(), Error> {
        self.find(name)?;
        self.delete_held(&self.hold(name)?)
    }

    /// Deletes the account that has this folder. One that was made since under its name stays.
    ///
    /// # Errors
    /// As for [`delete`](Self::delete).
    pub fn delete_held(&self, held: &AccountFolder) -> Result<(), Error> {
        let lock = self.lock()?;
        // It may have been deleted meanwhile.
        let folder = self.find(held.name())?;
        if !held.is_there() {
            return Err(self.no_account(held.name()));
        }
        let running_path = folder.join(RUNNING);
        let running = lock_file(&running_path)?;
        match running.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::InUse { path: folder }),
            Err(TryLockError::Error(source)) => return Err(Error::File { path: running_path, source }),
        }
        let gone = self.base.join(unique(GONE)?);
        fs::rename(&folder, &gone).map_err(Error::file(&folder))?;
        sync_folder(&self.base).map_err(Error::file(&self.base))?;
        // Overwriting a large database takes a while, and other processes need not wait for it.
        drop(lock);
        erase(&gone)?;
        sync_folder(&self.base).map_err(Error::file(&self.base))
    }

    /// Removes what a crash has left of an account that was being made or deleted. Call it when the program starts.
    ///
    /// # Errors
    /// [`Error::Remains`], [`Error::File`].
    pub fn sweep(&self) -> Result<(), Error> {
        if !self.base.is_dir() {
            return Ok(());
        }
        // A process that makes an account holds this lock until the account is in its place.
        let _lock = self.lock()?;
        let mut outcome = Ok(());
        for entry in self.entries()? {
            let (path, entry) = (self.base.join(&entry), entry.to_string_lossy());
            if entry.starts_with(NEW) || entry.starts_with(GONE) && !is_locked(&path.join(RUNNING)) {
                outcome = outcome.and(erase(&path));
            }
        }
        outcome
    }

    fn entries(&self) -> Result<Vec<std::ffi::OsString>, Error> {
        let entries = match fs::read_dir(&self.base) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file(&self.base))?,
        };
        entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>().map_err(Error::file(&self.base))
    }

    /// Waits while another process makes or deletes an account.
    fn lock(&self) -> Result<File, Error> {
        let path = self.base.join(LOCK);
        let lock = lock_file(&path)?;
        lock.lock().map_err(Error::file(&path))?;
        Ok(lock)
    }

    fn free(&self, name: &Name) -> Result<(), Error> {
        for entry in self.entries()? {
            let entry = entry.to_string_lossy();
            if Name::parse(&entry).is_ok_and(|other| other.looks_like(name)) {
                return Err(Error::NameTaken { name: entry.into_owned() });
            }
        }
        Ok(())
    }

    fn no_account(&self, name: &Name) -> Error {
        Error::NoAccount { name: name.clone(), base: self.base.clone() }
    }
}

/// Refuses a name that an account cannot have.
fn fit(name: &Name) -> Result<(), Error> {
    Name::choose(name.as_str()).map_err(Error::BadName)?;
    if name.as_str().starts_with('.') {
        let reason = "the name of an account does not begin with a dot".to_owned();
        return Err(Error::BadName(BadName { text: name.to_string(), reason }));
    }
    Ok(())
}

/// Refuses a key that was sealed for another account.
fn belongs(key: &Key, name: &Name, folder: &Path) -> Result<(), Error> {
    match key {
        Key::Sealed(sealed) if sealed.name() != name => Err(Error::OtherName {
            path: crate::key::path(folder),
            expected: name.clone(),
            found: sealed.name().clone(),
        }),
        Key::Sealed(_) | Key::Plain(_) => Ok(()),
    }
}

/// A folder that only its owner can use.
fn new_folder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.mode(0o700);
    builder
}

/// A name that nothing else has.
fn unique(start: &str) -> Result<String, Error> {
    let mut bytes = [0; 8];
    fill(&mut bytes)?;
    Ok(format!("{start}{}", base16ct::lower::encode_string(&bytes)))
}

/// Whether another process holds a lock on the file, so that it is still at work.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}
