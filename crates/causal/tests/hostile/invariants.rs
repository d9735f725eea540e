//! The invariants of a process between any two calls, whatever it was given.

use std::collections::{BTreeMap, BTreeSet};

use causal::{Clock, Config, Index, Missing, Process, Snapshot, Stamp};

pub(crate) type Peer = Process<u8, usize>;

/// The figures that a process should tell about itself, as its caller has counted them since it started.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) sent: u64,
    pub(crate) delivered: u64,
    pub(crate) late: u64,
    pub(crate) held_back: u64,
    pub(crate) duplicates: u64,
    pub(crate) abandoned: u64,
    /// Messages sent since the last one was taken in: they are remembered whatever the limits are.
    pub(crate) sent_since: usize,
}

pub(crate) fn check(process: &Peer, config: &Config, counted: &Counted) {
    let stats = process.stats();
    let snapshot = process.snapshot();
    let counts = (stats.sent, stats.delivered, stats.late, stats.held_back, stats.duplicates, stats.abandoned);
    let Counted { sent, delivered, late, held_back, duplicates, abandoned, sent_since } = *counted;
    assert_eq!(counts, (sent, delivered, late, held_back, duplicates, abandoned));

    assert_eq!((stats.processes, process.roster().len()), (snapshot.processes.len(), snapshot.authors.len()));
    assert!(stats.processes <= config.max_processes);

    assert_eq!(stats.log, snapshot.log.len());
    assert_eq!(stats.log_live, snapshot.log.iter().filter(|entry| !entry.dests.is_empty()).count());
    let released = config.max_held_entries + config.max_held;
    assert!(stats.log <= config.max_log + released + 1 + sent_since, "{} entries are remembered", stats.log);
    for entry in &snapshot.log {
        assert!(!entry.dests.contains(process.me()), "the process itself needs no reminder");
        assert!(entry.dests.intersection(process.forgotten()).is_empty(), "no forgotten process is remembered");
    }

    holdback(process, config, stats.held);

    for (author, _) in process.roster().iter() {
        let holes = process.holes(author);
        assert!(holes.len() <= config.max_holes, "{} gaps", holes.len());
        assert!(holes.iter().all(|hole| hole.from < hole.to) && holes.is_sorted_by(|a, b| a.to <= b.from));
        let delivered = process.delivered(author);
        assert!(delivered == 0 || author == process.me() || process.knows(author, delivered));
    }
    restores(&snapshot, config);
}

/// Every held message waits for something, and `missing` gives exactly the messages that they wait for.
fn holdback(process: &Peer, config: &Config, held: usize) {
    let stamps: Vec<&Stamp> = process.held_messages().map(|(stamp, _)| stamp).collect();
    assert_eq!((stamps.len(), process.held()), (held, held));
    assert!(held <= config.max_held);
    assert!(stamps.iter().map(|stamp| stamp.log.len()).sum::<usize>() <= config.max_held_entries);
    let ids: BTreeSet<(Index, Clock)> = stamps.iter().map(|stamp| (stamp.sender, stamp.clock)).collect();
    assert_eq!(ids.len(), held, "no message is held twice");
    let mut waited = BTreeMap::<(Index, Clock), usize>::new();
    for &(author, clock) in &ids {
        assert!(process.knows(author, clock));
        let waits_for = process.waits_for(author, clock);
        assert!(!waits_for.is_empty(), "a message that waits for nothing is not held");
        for what in waits_for {
            *waited.entry(what).or_default() += 1;
        }
    }
    waited.retain(|what, _| !ids.contains(what));
    let missing = process.missing().map(|Missing { author, clock, waiting }| ((author, clock), waiting));
    assert_eq!(missing.collect::<BTreeMap<_, _>>(), waited);
    assert!(waited.keys().all(|&(author, clock)| !process.knows(author, clock)));
}

/// Checks that the state can be written and restored.
fn restores(snapshot: &Snapshot<u8>, config: &Config) {
    let limits = causal::Limits { entries: usize::MAX, ..causal::Limits::default() };
    let read = Snapshot::from_bytes(&snapshot.to_bytes(), &limits);
    assert_eq!(read.as_ref(), Ok(snapshot));
    let restored = Peer::restore(snapshot.clone(), config.clone()).expect("a process's own snapshot is sound");
    assert_eq!(&restored.snapshot(), snapshot);
}
