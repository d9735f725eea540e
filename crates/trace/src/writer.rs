//! Appending to a trace.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::Record;

/// Appends records to a file.
///
/// The file is locked for as long as the writer lives: two peers that wrote one trace would tear each other's lines.
#[derive(Debug)]
pub struct Writer {
    file: File,
    lines: Vec<u8>,
    failed: bool,
}

impl Writer {
    /// Opens `path` for appending and makes it if it is not there. A last line without its end, left behind by a peer
    /// that was killed while it wrote, is cut off.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, read or cut, or somebody else is writing it ([`io::ErrorKind::ResourceBusy`]).
    pub fn append(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another peer writes this trace"),
            TryLockError::Error(error) => error,
        })?;
        cut_torn_line(&mut file)?;
        Ok(Self { file, lines: Vec::new(), failed: false })
    }

    /// Appends `records` in one write, and returns when the operating system has them: a peer that is killed after
    /// that loses none of them.
    ///
    /// # Errors
    ///
    /// The first write that fails. Whatever is appended after it would follow a gap, so it is dropped without a word:
    /// a trace on a full disk ends there, and is said to once.
    pub fn write<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) -> io::Result<()> {
        if self.failed {
            return Ok(());
        }
        self.lines.clear();
        for record in records {
            serde_json::to_writer(&mut self.lines, record)?;
            self.lines.push(b'\n');
        }
        let result = self.file.write_all(&self.lines);
        self.failed = result.is_err();
        result
    }
}

fn cut_torn_line(file: &mut File) -> io::Result<()> {
    const BLOCK: u64 = 4096;
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut block = Vec::new();
    while end > 0 {
        let start = end.saturating_sub(BLOCK);
        file.seek(SeekFrom::Start(start))?;
        block.clear();
        file.take(end - start).read_to_end(&mut block)?;
        if let Some(newline) = block.iter().rposition(|&byte| byte == b'\n') {
            end = start + newline as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length { file.set_len(end) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Event;

    fn stop(ts: i64) -> Record {
        Record { ts, peer: "P".into(), name: "p".into(), event: Event::Stop }
    }

    #[test]
    fn a_restarted_peer_appends_after_the_last_whole_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        Writer::append(&path).unwrap().write(&[stop(1), stop(2)]).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        assert_eq!(whole.lines().count(), 2);
        for torn in ["", "{\"ts\":3", &"x".repeat(10_000)] {
            fs::write(&path, format!("{whole}{torn}")).unwrap();
            Writer::append(&path).unwrap().write(&[stop(3)]).unwrap();
            let line = "{\"ts\":3,\"peer\":\"P\",\"name\":\"p\",\"event\":\"stop\"}\n";
            assert_eq!(fs::read_to_string(&path).unwrap(), format!("{whole}{line}"));
        }
        fs::write(&path, "torn from the first byte").unwrap();
        Writer::append(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "");
    }

    #[test]
    fn one_trace_has_one_writer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let first = Writer::append(&path).unwrap();
        assert_eq!(Writer::append(&path).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(first);
        Writer::append(&path).unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_reported_once() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut writer = Writer { file, lines: Vec::new(), failed: false };
        assert_eq!(writer.write(&[stop(1)]).unwrap_err().kind(), io::ErrorKind::StorageFull);
        writer.write(&[stop(2)]).unwrap();
    }
}
