//! Whether the files of a store are still where they were opened. Who removes or replaces them leaves the process with files
//! that have no name: it could write on, and all of that would be lost with the process.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The database and its -wal.
#[derive(Debug)]
pub(crate) struct Place {
    files: [(PathBuf, Option<Identity>); 2],
}

/// A file system, and a file in it.
type Identity = (u64, u64);

impl Place {
    pub(crate) fn of(path: &Path) -> Self {
        let mut wal = path.as_os_str().to_owned();
        wal.push("-wal");
        Self { files: [path.to_owned(), wal.into()].map(|path| (path.clone(), identity(&path))) }
    }

    /// Whether one of them is not the file any more that it was. The -wal is made when something is written first.
    pub(crate) fn is_gone(&mut self) -> bool {
        self.files.iter_mut().any(|(path, before)| {
            let now = identity(path);
            let is_gone = before.is_some_and(|before| now != Some(before));
            *before = before.or(now);
            is_gone
        })
    }
}

fn identity(path: &Path) -> Option<Identity> {
    fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}
