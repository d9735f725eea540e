use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chat::Name;

/// The folder of one account, held open. A name can change hands: its account is deleted and another one made. This stays the
/// folder of the account that it was opened for.
#[derive(Debug)]
pub struct AccountFolder {
    name: Name,
    path: PathBuf,
    /// The system gives its number to no other folder while this is open.
    directory: File,
}

impl AccountFolder {
    /// Holds the folder that is at `now_at`, and is or will be at `path`.
    pub(crate) fn open(name: Name, path: PathBuf, now_at: &Path) -> io::Result<Self> {
        Ok(Self { name, path, directory: File::open(now_at)? })
    }

    /// The account.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Where it is, or was.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the account is still there. It is not once it was deleted, even if another one has its name.
    pub fn is_there(&self) -> bool {
        let number = |folder: io::Result<fs::Metadata>| folder.ok().map(|folder| (folder.dev(), folder.ino()));
        let mine = number(self.directory.metadata());
        mine.is_some() && mine == number(fs::metadata(&self.path))
    }
}
