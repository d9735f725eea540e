//! The journals of a run as trace files, for `causerie check` and `causerie diagram`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chat::{Journal, MessageId, ProcessId};
use trace::{Event, Record, Writer};

use crate::machine::Machine;

/// Writes one file for each machine into `folder`.
///
/// # Errors
/// The first file that cannot be written.
pub fn write(folder: &Path, machines: &[Machine]) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    machines.iter().map(|machine| write_one(folder, machine)).collect()
}

fn write_one(folder: &Path, machine: &Machine) -> io::Result<PathBuf> {
    let path = folder.join(format!("{machine}.jsonl"));
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let name: Arc<str> = machine.name.to_string().into();
    let mut peer: Arc<str> = "?".into();
    let mut records = Vec::with_capacity(machine.journal.len());
    for (ts, entry) in &machine.journal {
        if let Journal::Start { process, .. } = entry {
            peer = process.to_string().into();
        }
        records.push(Record { ts: *ts, peer: Arc::clone(&peer), name: Arc::clone(&name), event: event(entry) });
    }
    Writer::append(&path)?.write(&records)?;
    Ok(path)
}

fn event(entry: &Journal) -> Event {
    let spell = |process: &ProcessId| -> Arc<str> { process.to_string().into() };
    let id = |id: &MessageId| trace::MessageId { process: spell(&id.process), clock: id.clock };
    match entry {
        Journal::Start { supersedes, .. } => Event::Start { supersedes: supersedes.as_ref().map(spell) },
        Journal::Stop => Event::Stop,
        Journal::Send { id: sent, dests, group } => Event::Send {
            id: id(sent),
            dests: dests.iter().map(spell).collect(),
            group: group.as_deref().map(Into::into),
        },
        Journal::Deliver { id: delivered } => Event::Deliver { id: id(delivered) },
        Journal::Hold { id: held, missing } => Event::Hold { id: id(held), missing: missing.iter().map(id).collect() },
        Journal::Abandon { first, upto } => Event::Abandon { id: id(first), upto: *upto },
        Journal::Late { id: late } => Event::Late { id: id(late) },
        Journal::Show { id: shown, late } => Event::Show { id: id(shown), late: *late },
        Journal::Forget { process } => Event::Forget { process: spell(process) },
    }
}
