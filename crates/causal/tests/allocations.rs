//! A message that is deliverable at once allocates nothing on its way, in a group of any size in which each process sends to
//! all.

#![expect(clippy::unwrap_used, reason = "a test may")]

use allocation_counter::measure;
use causal::wire::{Mark, Numbering, Table};
use causal::{Config, Entry, Index, Limits, Process, Receipt, Set, Stamp};

type Peer = Process<u16, ()>;

/// The messages that process 0 of a group receives. The others send to all in turn, each right after it has delivered the
/// message before.
fn broadcasts(size: u16, rounds: u64) -> (Peer, Vec<Stamp>) {
    let mut peer = Peer::new(0, Config::default());
    let others: Vec<Index> = (1..size).map(|id| peer.intern(id).unwrap()).collect();
    let everybody: Set = others.iter().copied().chain([peer.me()]).collect();
    let without = |set: &Set, author| set.difference(&[author].into_iter().collect());
    let mut before = None;
    let mut stamps = Vec::new();
    for clock in 1..=rounds {
        for &sender in &others {
            let dests = without(&everybody, sender);
            let entry = before.map(|(sender_before, clock)| Entry {
                sender: sender_before,
                clock,
                dests: without(&without(&everybody, sender_before), sender),
            });
            stamps.push(Stamp { sender, clock, dests, log: entry.into_iter().collect() });
            before = Some((sender, clock));
        }
    }
    (peer, stamps)
}

#[test]
fn a_message_deliverable_at_once_allocates_nothing() {
    for size in [3, 8, 50, 450, 1000] {
        let (mut peer, mut stamps) = broadcasts(size, 4);
        let measured = stamps.split_off(stamps.len() / 2);
        for stamp in stamps {
            peer.receive(stamp, ()).unwrap();
            peer.next_delivery().unwrap();
        }
        let count = measured.len();
        let allocated = measure(|| {
            for stamp in measured {
                assert_eq!(peer.receive(stamp, ()), Ok(Receipt::Delivered));
                assert!(peer.next_delivery().is_some());
            }
        });
        assert_eq!(allocated.bytes_total, 0, "{count} messages in a group of {size}");
    }
}

/// Reading a message allocates only those of its sets that are not in the table, and these are few.
#[test]
fn a_message_from_a_link_allocates_only_its_one_new_set() {
    for size in [450, 1000] {
        let limits = Limits::default();
        let mut peer = Peer::new(0, Config::default());
        let mut author = Peer::new(1, Config::default());
        let [everybody, speaker] = [0, 2].map(|first: u16| {
            (first..size)
                .filter(|&id| id != 1 && (first == 0 || id == 2))
                .map(|id| author.intern(id).unwrap())
                .collect::<Set>()
        });
        let speaker = speaker.iter().next().unwrap();
        let (mut numbering, mut table) = (Numbering::new(&limits), Table::default());
        let mut message = Vec::new();
        for _ in 0..3 {
            let mut stamp = author.multicast(&everybody);
            let dests = everybody.difference(&[speaker].into_iter().collect());
            stamp.log = [Entry { sender: speaker, clock: 7, dests }].into_iter().collect();
            message.clear();
            numbering.encode(&stamp, &mut message);
        }
        let mut additions = Vec::new();
        numbering.additions_since(Mark::default(), author.roster(), &mut additions);
        table.learn(&mut &additions[..], &mut peer, &limits).unwrap();
        let read = measure(|| _ = table.decode(&mut &message[..], &limits).unwrap());
        assert_eq!(read.count_total, 1, "in a group of {size}");
        assert!(read.bytes_total < u64::from(size) / 8 + 32, "in a group of {size}: {} bytes", read.bytes_total);
    }
}
