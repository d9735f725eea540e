//! Whether the files of a store are still where they were opened. If they are removed or replaced, the process still
//! has the old files open, without a name. It could write on, but all of that would be lost when it ends.

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

    /// Whether one of them is no longer the same file. The -wal appears with the first write.
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
