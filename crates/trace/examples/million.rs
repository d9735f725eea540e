//! Makes the traces of a run of a million events and checks them: `cargo run --release --example million -- PEERS DESTS`.
//!
//! In turn, every peer delivers the messages that it has received, and sends a message to DESTS others. So each message depends
//! on many others. Ids are as long as those of the program.

#![allow(clippy::print_stdout, reason = "the purpose of the example is to print figures")]

use std::collections::VecDeque;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use trace::{Event, MessageId, Options, Record, Writer, check};

const EVENTS: usize = 1_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<usize>());
    let peers = arguments.next().unwrap_or(Ok(8))?;
    let dests = arguments.next().unwrap_or(Ok(peers - 1))?.min(peers - 1);
    let folder = tempfile::tempdir()?;
    let files: Vec<_> = (0..peers).map(|peer| folder.path().join(format!("{peer}.jsonl"))).collect();

    let began = Instant::now();
    let mut run = Run::new(&files)?;
    let mut events = 0;
    while events < EVENTS {
        events += run.round(dests)?;
    }
    events += run.finish()?;
    let written = began.elapsed();
    let bytes: u64 = files.iter().map(|file| file.metadata().map_or(0, |data| data.len())).sum();

    let began = Instant::now();
    let report = check(&files, &Options { complete: true, ..Options::default() })?;
    let checked = began.elapsed();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM: not known").to_owned();
    println!("{report}");
    println!("{events} events, {} MB: written in {written:.2?}, checked in {checked:.2?}; {peak}", bytes / 1_000_000);
    Ok(())
}

struct Run {
    peers: Vec<Peer>,
    clock: u64,
}

struct Peer {
    process: Arc<str>,
    name: Arc<str>,
    trace: Writer,
    inbox: VecDeque<MessageId>,
}

impl Run {
    fn new(files: &[std::path::PathBuf]) -> Result<Self, Box<dyn Error>> {
        let peer = |(number, file): (usize, &std::path::PathBuf)| {
            Ok(Peer {
                process: format!("12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp-{number:016x}").into(),
                name: format!("peer{number}").into(),
                trace: Writer::append(file)?,
                inbox: VecDeque::new(),
            })
        };
        Ok(Self { peers: files.iter().enumerate().map(peer).collect::<Result<_, Box<dyn Error>>>()?, clock: 0 })
    }

    /// Each peer delivers what has arrived, and sends one message.
    fn round(&mut self, dests: usize) -> Result<usize, Box<dyn Error>> {
        self.clock += 1;
        let mut events = 0;
        for author in 0..self.peers.len() {
            let id = MessageId { process: self.peers[author].process.clone(), clock: self.clock };
            let others = self.peers.len() - 1;
            let mut names = Vec::new();
            for place in 0..dests {
                let to = (author + 1 + (self.clock as usize + place) % others) % self.peers.len();
                self.peers[to].inbox.push_back(id.clone());
                names.push(self.peers[to].process.clone());
            }
            let send = Event::Send { id, dests: names, group: None };
            let peer = &mut self.peers[author];
            let deliveries = peer.inbox.drain(..).map(|id| Event::Deliver { id });
            let (process, name) = (&peer.process, &peer.name);
            let record = |event| Record { ts: 0, peer: process.clone(), name: name.clone(), event };
            let records: Vec<Record> = deliveries.chain([send]).map(record).collect();
            events += records.len();
            peer.trace.write(&records)?;
        }
        Ok(events)
    }

    fn finish(&mut self) -> Result<usize, Box<dyn Error>> {
        let mut events = 0;
        for peer in &mut self.peers {
            let deliveries = peer.inbox.drain(..).map(|id| Event::Deliver { id }).chain([Event::Stop]);
            let (process, name) = (&peer.process, &peer.name);
            let record = |event| Record { ts: 0, peer: process.clone(), name: name.clone(), event };
            let records: Vec<Record> = deliveries.map(record).collect();
            events += records.len();
            peer.trace.write(&records)?;
        }
        Ok(events)
    }
}
