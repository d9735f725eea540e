//! A run that is made event by event, written to files and checked.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Event, MessageId, Options, Record, Report, Writer, check};

/// The records of each peer, by the peer's number. Process n is called `Pn`, and message (n, t) is `Pn:t`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Run(pub(crate) Vec<Vec<Record>>);

pub(crate) fn process(number: usize) -> Arc<str> {
    format!("P{number}").into()
}

pub(crate) fn id(author: usize, clock: u64) -> MessageId {
    MessageId { process: process(author), clock }
}

impl Run {
    pub(crate) fn new(peers: usize) -> Self {
        Self(vec![Vec::new(); peers])
    }

    pub(crate) fn push(&mut self, peer: usize, event: Event) -> &mut Self {
        self.push_to(peer, peer, event)
    }

    /// Adds an event of one process to the file of another: a later run of the same peer.
    pub(super) fn push_to(&mut self, file: usize, peer: usize, event: Event) -> &mut Self {
        let ts = self.0.iter().map(Vec::len).sum::<usize>() as i64;
        self.0[file].push(Record { ts, peer: process(peer), name: format!("p{peer}").into(), event });
        self
    }

    pub(crate) fn send(&mut self, peer: usize, clock: u64, dests: &[usize]) -> &mut Self {
        let dests = dests.iter().copied().map(process).collect();
        self.push(peer, Event::Send { id: id(peer, clock), dests, group: None })
    }

    /// As [`send`](Self::send), to a group.
    pub(crate) fn say(&mut self, peer: usize, clock: u64, group: &str, dests: &[usize]) -> &mut Self {
        let dests = dests.iter().copied().map(process).collect();
        self.push(peer, Event::Send { id: id(peer, clock), dests, group: Some(group.into()) })
    }

    pub(crate) fn show(&mut self, peer: usize, author: usize, clock: u64, late: bool) -> &mut Self {
        self.push(peer, Event::Show { id: id(author, clock), late })
    }

    pub(crate) fn deliver(&mut self, peer: usize, author: usize, clock: u64) -> &mut Self {
        self.push(peer, Event::Deliver { id: id(author, clock) })
    }

    pub(crate) fn late(&mut self, peer: usize, author: usize, clock: u64) -> &mut Self {
        self.push(peer, Event::Late { id: id(author, clock) })
    }

    pub(crate) fn abandon(&mut self, peer: usize, author: usize, from: u64, upto: u64) -> &mut Self {
        self.push(peer, Event::Abandon { id: id(author, from), upto })
    }

    /// All peers end on purpose.
    pub(crate) fn stop(&mut self) -> &mut Self {
        for peer in 0..self.0.len() {
            self.push(peer, Event::Stop);
        }
        self
    }

    pub(crate) fn check(&self) -> Report {
        self.check_with(&Options::default())
    }

    pub(crate) fn complete(&self) -> Report {
        self.check_with(&Options { complete: true, ..Options::default() })
    }

    pub(crate) fn check_with(&self, options: &Options) -> Report {
        self.written(|files| check(files, options)).unwrap()
    }

    /// Writes the run to files and reads it from them, as a user does.
    pub(crate) fn written<T>(&self, read: impl FnOnce(&[PathBuf]) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = (0..self.0.len()).map(|peer| folder.path().join(format!("p{peer}"))).collect();
        for (file, records) in files.iter().zip(&self.0) {
            Writer::append(file).unwrap().write(records).unwrap();
        }
        read(&files)
    }
}
