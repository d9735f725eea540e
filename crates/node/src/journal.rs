//! What the peer did to the causal order, as lines of the trace.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chat::{Journal, MessageId, ProcessId};
use trace::{Event, Record, Writer, write_lines};

/// How many spelled process ids are kept: as many as a peer knows. Others are simply spelled again.
const SPELLED: usize = 8192;

/// This peer's trace.
#[derive(Debug)]
pub(crate) struct Trace {
    writer: Writer,
    spelling: Spelling,
    records: Vec<Record>,
}

/// Turns what the peer did into records of a trace.
#[derive(Debug)]
pub(crate) struct Spelling {
    peer: Arc<str>,
    name: Arc<str>,
    spelled: BTreeMap<ProcessId, Arc<str>>,
}

impl Trace {
    /// Opens the trace. If the lines of the last turn are missing, adds them.
    pub(crate) fn open(path: &Path, last: &[u8]) -> io::Result<Self> {
        Ok(Self { writer: Writer::resume(path, last)?, spelling: Spelling::default(), records: Vec::new() })
    }

    /// The lines of what happened at `ts` (Unix µs).
    pub(crate) fn lines(&mut self, journal: &[Journal], ts: i64) -> Bytes {
        let mut records = std::mem::take(&mut self.records);
        records.extend(journal.iter().map(|entry| self.spelling.record(entry.clone(), ts)));
        let mut lines = Vec::with_capacity(256 * records.len());
        write_lines(&records, &mut lines).expect("a record is no more than texts and numbers, and memory takes them");
        records.clear();
        self.records = records;
        lines.into()
    }

    /// Writes lines.
    ///
    /// # Errors
    /// The first write that fails. The trace ends there.
    pub(crate) fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if lines.is_empty() { Ok(()) } else { self.writer.write_whole(lines) }
    }
}

impl Default for Spelling {
    fn default() -> Self {
        Self { peer: "?".into(), name: "?".into(), spelled: BTreeMap::new() }
    }
}

impl Spelling {
    /// What happened at `ts` (Unix µs).
    pub(crate) fn record(&mut self, entry: Journal, ts: i64) -> Record {
        let event = self.event(entry);
        Record { ts, peer: Arc::clone(&self.peer), name: Arc::clone(&self.name), event }
    }

    fn event(&mut self, entry: Journal) -> Event {
        match entry {
            Journal::Start { process, name, supersedes } => {
                self.peer = self.spell(process);
                self.name = name.into();
                Event::Start { supersedes: supersedes.map(|process| self.spell(process)) }
            }
            Journal::Stop => Event::Stop,
            Journal::Send { id, dests, group } => Event::Send {
                id: self.id(id),
                dests: dests.into_iter().map(|process| self.spell(process)).collect(),
                group: group.map(Into::into),
            },
            Journal::Deliver { id } => Event::Deliver { id: self.id(id) },
            Journal::Hold { id, missing } => {
                Event::Hold { id: self.id(id), missing: missing.into_iter().map(|id| self.id(id)).collect() }
            }
            Journal::Abandon { first, upto } => Event::Abandon { id: self.id(first), upto },
            Journal::Late { id } => Event::Late { id: self.id(id) },
            Journal::Show { id, late } => Event::Show { id: self.id(id), late },
            Journal::Forget { process } => Event::Forget { process: self.spell(process) },
        }
    }

    fn id(&mut self, id: MessageId) -> trace::MessageId {
        trace::MessageId { process: self.spell(id.process), clock: id.clock }
    }

    /// Base58 of a key is slow compared to everything else in a line.
    fn spell(&mut self, process: ProcessId) -> Arc<str> {
        if self.spelled.len() >= SPELLED {
            self.spelled.clear();
        }
        let spelled = self.spelled.entry(process).or_insert_with(|| process.to_string().into());
        Arc::clone(spelled)
    }
}
