//! Any bytes for every decoder: they give a value or an error, never a panic, and nothing beyond the limits. A value that
//! has one canonical form was read from that form.

use causal::wire::{Mark, Numbering, Table};
use causal::{Config, Envelope, Id, Limits, MAX_CLOCK, Process, Progress, Snapshot, Stamp};

const LIMITS: Limits = Limits { processes: 40, entries: 6, sets: 5 };

/// The first byte chooses the decoder for the others.
pub(crate) fn run(data: &[u8]) {
    let Some((&decoder, bytes)) = data.split_first() else { return };
    match decoder % 7 {
        0 => envelope::<u8>(bytes),
        1 => envelope::<String>(bytes),
        2 => envelope::<[u8; 3]>(bytes),
        3 => snapshot::<u8>(bytes),
        4 => snapshot::<String>(bytes),
        5 => link::<u8>(bytes, 0),
        _ => link::<String>(bytes, "me".to_owned()),
    }
}

fn envelope<P: Id + std::fmt::Debug>(bytes: &[u8]) {
    let Ok(envelope) = Envelope::<P>::from_bytes(bytes, &LIMITS) else { return };
    assert_eq!(envelope.to_bytes(), bytes, "an envelope has one form");
    assert!((1..=MAX_CLOCK).contains(&envelope.clock()));
    assert!(envelope.log().len() <= LIMITS.entries);
    assert!(envelope.log().all(|entry| (1..=MAX_CLOCK).contains(&entry.clock())));
    for destination in envelope.dests() {
        assert!(envelope.is_for(destination));
        let reduced = envelope.for_destination(destination);
        assert!(reduced.dependencies(destination).eq(envelope.dependencies(destination)), "it waits for the same");
        assert!(reduced.log().len() <= envelope.log().len());
        assert_eq!(Envelope::from_bytes(&reduced.to_bytes(), &LIMITS).as_ref(), Ok(&reduced));
    }
    let mut reader = Process::<P, ()>::new(envelope.sender().clone(), Config::default());
    let stamp = reader.localise(&envelope).expect("there is room for so few");
    assert_eq!(reader.spell(&stamp), envelope);
    let mut spelled = Vec::new();
    reader.speller().write(&stamp, &mut spelled);
    assert_eq!(spelled, bytes);
}

fn snapshot<P: Id + std::fmt::Debug>(bytes: &[u8]) {
    let Ok(snapshot) = Snapshot::<P>::from_bytes(bytes, &LIMITS) else { return };
    let again = snapshot.to_bytes();
    assert_eq!(Snapshot::from_bytes(&again, &LIMITS).as_ref(), Ok(&snapshot));
    let of_author = |author: &Progress| author.vouched == MAX_CLOCK || author.delivered == MAX_CLOCK;
    let of_hole = |author: &Progress| author.holes.iter().any(|hole| hole.to == MAX_CLOCK);
    let was_beyond = snapshot.clock == MAX_CLOCK
        || snapshot.authors.iter().any(|author| of_author(author) || of_hole(author))
        || again.len() < bytes.len();
    assert!(again == bytes || was_beyond, "a snapshot has one form, except for clocks beyond the last");
    assert!(snapshot.processes.len() <= LIMITS.processes && snapshot.log.len() <= LIMITS.entries);
    let Ok(process) = Process::<P, ()>::restore(snapshot.clone(), Config::default()) else { return };
    let mut expected = snapshot;
    for entry in &mut expected.log {
        entry.dests.remove(process.me());
    }
    assert_eq!(process.snapshot(), expected, "a restored process is in the state of its snapshot");
}

/// The bytes of a link: pieces, each with a byte for its kind and one for its length.
fn link<P: Id + std::fmt::Debug>(mut bytes: &[u8], me: P) {
    let config = Config { max_processes: 60, ..Config::default() };
    let (mut table, mut process) = (Table::default(), Process::<P, ()>::new(me, config));
    while let [kind, length, rest @ ..] = bytes {
        let (piece, others) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = others;
        let mut piece = piece;
        if kind % 2 == 0 {
            if table.learn(&mut piece, &mut process, &LIMITS).is_err() {
                return;
            }
            assert!(process.roster().len() <= 60);
        } else {
            while let Ok(stamp) = table.decode(&mut piece, &LIMITS) {
                said_again(&stamp, &process);
            }
        }
    }
}

/// Checks that a stamp that was read can be written, and is then read as the same.
fn said_again<P: Id + std::fmt::Debug>(stamp: &Stamp, process: &Process<P, ()>) {
    assert!((1..=MAX_CLOCK).contains(&stamp.clock) && stamp.log.len() <= LIMITS.entries);
    assert!(stamp.log.is_sorted_by(|a, b| (a.sender, a.clock) < (b.sender, b.clock)));
    assert!(stamp.log.iter().all(|entry| (1..=MAX_CLOCK).contains(&entry.clock)));
    let (mut numbering, mut message, mut additions) = (Numbering::new(&Limits::default()), Vec::new(), Vec::new());
    // An entry of the message's own author must lie below the message's clock. Otherwise it has no form on a link, and a
    // receiver refuses the stamp.
    if stamp.log.iter().any(|entry| entry.sender == stamp.sender && entry.clock >= stamp.clock) {
        return;
    }
    numbering.encode(stamp, &mut message);
    numbering.additions_since(Mark::default(), process.roster(), &mut additions);
    let me = process.roster().id(process.me()).clone();
    let (mut table, mut reader) = (Table::default(), Process::<P, ()>::new(me, Config::default()));
    let mut input = &additions[..];
    table.learn(&mut input, &mut reader, &Limits::default()).expect("they were written just now");
    assert!(input.is_empty());
    let mut input = &message[..];
    let read = table.decode(&mut input, &Limits::default()).expect("it was written just now");
    assert!(input.is_empty());
    assert_eq!(reader.spell(&read), process.spell(stamp));
}
