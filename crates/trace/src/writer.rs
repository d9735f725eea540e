//! Appending to a trace.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::Path;

use crate::Record;

/// Appends records to a file.
///
/// The file is locked as long as the writer lives: two peers that write one trace would mix parts of their lines.
#[derive(Debug)]
pub struct Writer {
    file: File,
    lines: Vec<u8>,
    failed: bool,
}

impl Writer {
    /// Opens `path` for appending, and makes the file if it is not there. Cuts off a last line without an end: a peer that was
    /// killed while it wrote leaves one behind.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, read or cut, or another writer has it open ([`io::ErrorKind::ResourceBusy`]).
    pub fn append(path: &Path) -> io::Result<Self> {
        Self::resume(path, &[])
    }

    /// As [`append`](Self::append), for a peer that stores the lines of each turn elsewhere before it acts on them. It may have
    /// been killed before it wrote them here. `last` has the whole lines of its last turn. Those that are not yet at the end of
    /// the file are appended. If they stand further up in the file, nothing is appended: then the other store was restored from
    /// a copy, and is older than the file.
    ///
    /// # Errors
    ///
    /// As [`append`](Self::append), or the lines cannot be appended.
    pub fn resume(path: &Path, last: &[u8]) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(io::ErrorKind::ResourceBusy, "another peer writes this trace"),
            TryLockError::Error(error) => error,
        })?;
        cut_torn_line(&mut file)?;
        let there = already_there(&mut file, last)?;
        if there > 0 || !contains_first_line(&mut file, last)? {
            file.write_all(&last[there..])?;
        }
        Ok(Self { file, lines: Vec::new(), failed: false })
    }

    /// Appends `records` in one write, and returns when the operating system has them. A peer that is killed after that loses
    /// none of them.
    ///
    /// # Errors
    ///
    /// Only the first write that fails is reported. Later records would follow a gap, so they are dropped silently. A trace
    /// on a full disk ends at that point.
    pub fn write<'a>(&mut self, records: impl IntoIterator<Item = &'a Record>) -> io::Result<()> {
        let mut lines = std::mem::take(&mut self.lines);
        lines.clear();
        write_lines(records, &mut lines)?;
        let result = self.write_whole(&lines);
        self.lines = lines;
        result
    }

    /// As [`write`](Self::write), for lines that [`write_lines`] made.
    ///
    /// # Errors
    ///
    /// As [`write`](Self::write).
    pub fn write_whole(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.failed {
            return Ok(());
        }
        let result = self.file.write_all(lines);
        self.failed = result.is_err();
        result
    }
}

/// Appends `records` to `lines`, in the form of a trace.
///
/// # Errors
///
/// None with records of this crate.
pub fn write_lines<'a>(records: impl IntoIterator<Item = &'a Record>, lines: &mut Vec<u8>) -> io::Result<()> {
    for record in records {
        serde_json::to_writer(&mut *lines, record)?;
        lines.push(b'\n');
    }
    Ok(())
}

/// The length of the part of `last`, in whole lines from its start, with which the file ends.
fn already_there(file: &mut File, last: &[u8]) -> io::Result<usize> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = length.saturating_sub(last.len() as u64);
    file.seek(SeekFrom::Start(start))?;
    let mut end = Vec::new();
    file.take(length - start).read_to_end(&mut end)?;
    let ends = last.iter().enumerate().filter(|&(_, &byte)| byte == b'\n').map(|(at, _)| at + 1);
    Ok(ends.rev().find(|&length| end.ends_with(&last[..length])).unwrap_or(0))
}

/// Whether the first line of `last` stands anywhere in the file. The file is long, so this takes time. It is needed only
/// after a kill between storing a turn and writing it, or if the stored turn is not the latest any more.
fn contains_first_line(file: &mut File, last: &[u8]) -> io::Result<bool> {
    let Some(end) = last.iter().position(|&byte| byte == b'\n') else { return Ok(false) };
    file.seek(SeekFrom::Start(0))?;
    let mut file = BufReader::with_capacity(1 << 18, file);
    let mut line = Vec::new();
    loop {
        line.clear();
        if file.read_until(b'\n', &mut line)? == 0 {
            return Ok(false);
        }
        if line == last[..=end] {
            return Ok(true);
        }
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

    /// The peer was killed after it had stored three lines and before it had written all of them.
    #[test]
    fn lines_that_were_stored_but_not_written_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let lines = |from: i64, to: i64| {
            let mut lines = Vec::new();
            write_lines(&(from..to).map(stop).collect::<Vec<_>>(), &mut lines).unwrap();
            lines
        };
        let all = lines(1, 6);
        for written in 0..=all.len() {
            if written < lines(1, 3).len() {
                // The turn before was written completely.
                continue;
            }
            fs::write(&path, &all[..written]).unwrap();
            Writer::resume(&path, &lines(3, 6)).unwrap();
            assert_eq!(fs::read(&path).unwrap(), all, "{written} bytes were written");
        }
        fs::remove_file(&path).unwrap();
        Writer::resume(&path, &lines(3, 6)).unwrap();
        assert_eq!(fs::read(&path).unwrap(), lines(3, 6));
    }

    #[test]
    fn nothing_is_appended_twice_if_the_stored_lines_come_from_an_older_copy() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trace");
        let mut all = Vec::new();
        write_lines(&(1..9).map(stop).collect::<Vec<_>>(), &mut all).unwrap();
        fs::write(&path, &all).unwrap();
        let line = all.len() / 8;
        for kept in 0..8 {
            for lines in 1..=8 - kept {
                Writer::resume(&path, &all[kept * line..][..lines * line]).unwrap();
                assert_eq!(fs::read(&path).unwrap(), all, "{lines} lines from {kept} on had been stored");
            }
        }
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
