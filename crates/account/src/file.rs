//! Reading files within a bound, and writing them so that a crash leaves the old or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use secrecy::zeroize::Zeroizing;

use crate::Error;

/// The most bytes of a key file. A sealed key with the longest name has some 450.
pub(crate) const LIMIT: usize = 1024;

/// The contents of `file`, up to one byte more than [`LIMIT`].
pub(crate) fn read(file: File) -> io::Result<Zeroizing<Vec<u8>>> {
    // Reserves all the room at once: a vector that grows leaves its old bytes behind in memory.
    let mut bytes = Zeroizing::new(Vec::with_capacity(LIMIT + 1));
    file.take(LIMIT as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Makes a new file (mode 0600) and syncs it. Fails if there is one already. If writing fails half-way, removes the
/// file.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}

/// Makes the entries of a folder durable.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Opens a file that is only there to be locked. If it is missing, makes it.
pub(crate) fn lock_file(path: &Path) -> Result<File, Error> {
    let options = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path);
    options.map_err(Error::file(path))
}

/// A link that leads nowhere is not a missing file: its target may only be unmounted.
pub(crate) fn follow(path: &Path) -> Result<(), Error> {
    match fs::read_link(path) {
        Ok(target) if !path.exists() => Err(Error::LinkLeadsNowhere { path: path.to_owned(), target }),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// The same path with `end` appended to its last part.
pub(crate) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut path = path.as_os_str().to_owned();
    path.push(end);
    path.into()
}
