//! Overwriting files. The crate's documentation says what that cannot promise.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;

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

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};

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
}
