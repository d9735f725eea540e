//! Overwriting and removing files. The crate's documentation says what that cannot promise.

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::Error;

/// Overwrites `file` with zeros, unless it has more than `links` names: another name is a copy that its owner made.
pub(crate) fn overwrite(mut file: &File, links: u64) -> io::Result<()> {
    let found = file.metadata()?;
    if found.nlink() > links {
        return Ok(());
    }
    let zeros = [0; 64 * 1024];
    let mut left = found.len();
    while left > 0 {
        let part = left.min(zeros.len() as u64);
        file.write_all(&zeros[..usize::try_from(part).unwrap_or(zeros.len())])?;
        left -= part;
    }
    file.sync_data()
}

/// Overwrites and removes all that is in `folder`, and `folder` itself. Links are removed, and what they lead to is left.
///
/// It goes on after what could not be removed.
///
/// # Errors
/// [`Error::Remains`] names the first file or folder that is still there.
pub(crate) fn erase(folder: &Path) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return absent_or_remains(folder, error),
    };
    let mut outcome = Ok(());
    for entry in entries {
        let erased = match entry {
            Ok(entry) => erase_entry(&entry),
            Err(error) => absent_or_remains(folder, error),
        };
        outcome = outcome.and(erased);
    }
    outcome.and_then(|()| fs::remove_dir(folder).or_else(|error| absent_or_remains(folder, error)))
}

fn erase_entry(entry: &DirEntry) -> Result<(), Error> {
    let path = entry.path();
    let kind = match entry.file_type() {
        Ok(kind) => kind,
        Err(error) => return absent_or_remains(&path, error),
    };
    if kind.is_dir() {
        return erase(&path);
    }
    if kind.is_file() {
        // Keeping a file because it cannot be overwritten would be worse.
        let _ = OpenOptions::new().write(true).open(&path).and_then(|file| overwrite(&file, 1));
    }
    fs::remove_file(&path).or_else(|error| absent_or_remains(&path, error))
}

/// Another process may be removing the same.
fn absent_or_remains(path: &Path, source: io::Error) -> Result<(), Error> {
    if source.kind() == io::ErrorKind::NotFound {
        return Ok(());
    }
    Err(Error::Remains { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        for length in [0, 1, 64 * 1024, 64 * 1024 + 7, 200_000] {
            fs::write(&path, vec![7; length]).unwrap();
            overwrite(&OpenOptions::new().write(true).open(&path).unwrap(), 1).unwrap();
            assert_eq!(fs::read(&path).unwrap(), vec![0; length]);
        }
    }

    #[test]
    fn a_copy_under_another_name_and_what_a_link_leads_to_are_left() {
        let folder = tempfile::tempdir().unwrap();
        let [copy, outside, gone] = ["copy", "elsewhere/outside", "gone"].map(|name| folder.path().join(name));
        fs::create_dir_all(gone.join("deep/er")).unwrap();
        fs::write(gone.join("deep/er/file"), "kept under another name").unwrap();
        fs::hard_link(gone.join("deep/er/file"), &copy).unwrap();
        fs::create_dir(folder.path().join("elsewhere")).unwrap();
        fs::write(&outside, "kept").unwrap();
        std::os::unix::fs::symlink(&outside, gone.join("link")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), gone.join("folder")).unwrap();
        erase(&gone).unwrap();
        assert!(!gone.exists());
        assert_eq!(fs::read_to_string(copy).unwrap(), "kept under another name");
        assert_eq!(fs::read_to_string(outside).unwrap(), "kept");
    }

    #[test]
    fn what_is_gone_already_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        erase(&folder.path().join("nothing")).unwrap();
    }
}
