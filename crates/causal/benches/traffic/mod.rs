//! Each process sends to all at random times, over a network with random delays. This gives the messages that one process of
//! the group receives, in the form of each rival.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use causal::wire::{Mark, Numbering, Table};
use causal::{Config, Entries, Entry, Index, Limits, Markers, Process, Set, Snapshot, Stamp};
use reference::{bss, ks};

pub(crate) const GROUPS: [usize; 4] = [2, 8, 50, 450];

/// The messages that arrive at process 0, in this order, once every process has sent something.
pub(crate) struct Traffic {
    /// Process 0 before that, with fewer markers. `book` and `bss` have the same state.
    pub(crate) thin: Snapshot<u16>,
    pub(crate) book: ks::Process<u16>,
    pub(crate) bss: bss::Process,
    pub(crate) arrivals: Vec<Arrival>,
    /// The link from each process to process 0, with all additions.
    pub(crate) links: Vec<Table>,
}

#[derive(Clone)]
pub(crate) struct Arrival {
    pub(crate) author: usize,
    pub(crate) thin: Stamp,
    /// Its bytes on the links of its author.
    pub(crate) frame: Vec<u8>,
    pub(crate) book: ks::Message<u16>,
    pub(crate) bss: bss::Message,
}

impl Traffic {
    /// The same arrivals in an order in which none has to wait.
    pub(crate) fn in_order(&self) -> Vec<Arrival> {
        let mut process = restore(&self.thin);
        let mut order = Vec::new();
        for (number, arrival) in self.arrivals.iter().enumerate() {
            process.receive(arrival.thin.clone(), number).expect("honest");
            while let Some(delivery) = process.next_delivery() {
                order.push(self.arrivals[delivery.message].clone());
            }
        }
        order
    }

    /// The share of the arrivals that have to wait.
    pub(crate) fn held(&self) -> f64 {
        let mut process = restore(&self.thin);
        for (number, arrival) in self.arrivals.iter().enumerate() {
            process.receive(arrival.thin.clone(), number).expect("honest");
            while process.next_delivery().is_some() {}
        }
        process.stats().held_back as f64 / self.arrivals.len() as f64
    }
}

pub(crate) fn restore<M>(snapshot: &Snapshot<u16>) -> Process<u16, M> {
    Process::restore(snapshot.clone(), Config::default()).expect("a process of this run")
}

struct Member {
    exact: Process<u16, usize>,
    thin: Process<u16, usize>,
    /// For each process of the group, its index here.
    indices: Vec<Index>,
    numbering: Numbering,
    bss: bss::Process,
}

struct Sent {
    author: usize,
    exact: Stamp,
    thin: Stamp,
    frame: Vec<u8>,
    bss: bss::Message,
}

/// Simulates a group of `size` in which each process sends at random times. On average four messages of the group are on their
/// way (two in a pair). It ends when process 0 has received `count` messages after every process has sent something.
pub(crate) fn broadcast(size: usize, count: usize) -> Traffic {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let config = |markers| Config { markers, ..Config::default() };
    let mut members: Vec<Member> = (0..size)
        .map(|me| {
            let mut exact = Process::new(me as u16, config(Markers::Always));
            let mut thin = Process::new(me as u16, Config::default());
            let indices = (0..size as u16).map(|id| {
                exact.intern(id).expect("within the limit");
                thin.intern(id).expect("within the limit")
            });
            let indices = indices.collect();
            let numbering = Numbering::new(&Limits::default());
            Member { exact, thin, indices, numbering, bss: bss::Process::new(me, size) }
        })
        .collect();
    let (delay, interval) = (4.0, 1.0_f64);
    let mut sent: Vec<Sent> = Vec::new();
    let mut wire: BinaryHeap<Reverse<(u64, usize, usize)>> = BinaryHeap::new();
    let mut clock = 0.0;
    let mut book = ks::Process::new(0);
    let mut start: Option<(Snapshot<u16>, bss::Process, usize)> = None;
    let mut arrivals = Vec::new();
    loop {
        clock += random.exponential(interval);
        while let Some(&Reverse((_, to, number))) = wire.peek().filter(|next| (next.0.0 as f64) < clock * 1e6) {
            wire.pop();
            let Sent { author, exact, thin, frame, bss } = &sent[number];
            let translate = |stamp: &Stamp, to: &Member| translated(stamp, &members[*author], to);
            let (exact, thin) = (translate(exact, &members[to]), translate(thin, &members[to]));
            if let (0, Some((.., left @ 1..))) = (to, &mut start) {
                *left -= 1;
                let book = spelled(&exact, &members[0]);
                let frame = frame.clone();
                arrivals.push(Arrival { author: *author, thin: thin.clone(), frame, book, bss: bss.clone() });
            }
            let member = &mut members[to];
            member.bss.receive(bss.clone());
            member.exact.receive(exact, number).expect("honest");
            member.thin.receive(thin, number).expect("honest");
            while member.thin.next_delivery().is_some() {}
            while member.exact.next_delivery().is_some() {}
        }
        if matches!(start, Some((.., 0))) {
            break;
        }
        if start.is_none() && sent.len() >= size * 2 && members[0].thin.held() == 0 {
            start = Some((members[0].thin.snapshot(), members[0].bss.clone(), count));
            book = book_of(&members[0]);
        }
        let author = if sent.len() < size { sent.len() } else { random.below(size) };
        if author == 0 && start.is_some() {
            continue;
        }
        let all: Set = members[author].indices.iter().copied().collect();
        let member = &mut members[author];
        let (exact, thin) = (member.exact.multicast(&all), member.thin.multicast(&all));
        let bss = member.bss.send();
        let mut frame = Vec::new();
        member.numbering.encode(&thin, &mut frame);
        for to in (0..size).filter(|&to| to != author) {
            let time = ((clock + random.exponential(delay)) * 1e6) as u64;
            wire.push(Reverse((time, to, sent.len())));
        }
        sent.push(Sent { author, exact, thin, frame, bss });
    }
    let (thin, bss, _) = start.expect("every process has sent something");
    let links = members.iter().map(|author| link(author, &thin)).collect();
    Traffic { thin, book, bss, arrivals, links }
}

/// The table of a link of `author` at the end, for the process in the state of `reader`.
fn link(author: &Member, reader: &Snapshot<u16>) -> Table {
    let mut additions = Vec::new();
    author.numbering.additions_since(Mark::default(), author.thin.roster(), &mut additions);
    let mut table = Table::default();
    if !additions.is_empty() {
        table.learn(&mut &additions[..], &mut restore::<()>(reader), &Limits::default()).expect("within the limits");
    }
    table
}

fn translated(stamp: &Stamp, from: &Member, to: &Member) -> Stamp {
    let index = |index: Index| to.indices[usize::from(*from.thin.roster().id(index))];
    let set = |dests: &Set| dests.iter().map(index).collect::<Set>();
    let entries = stamp.log.iter();
    let log: Entries = entries
        .map(|entry| Entry { sender: index(entry.sender), clock: entry.clock, dests: set(&entry.dests) })
        .collect();
    Stamp { sender: index(stamp.sender), clock: stamp.clock, dests: set(&stamp.dests), log }
}

/// What the book's algorithm would have sent to process 0.
fn spelled(stamp: &Stamp, to: &Member) -> ks::Message<u16> {
    let stamp = stamp.for_destination(to.thin.me());
    let id = |index: Index| *to.thin.roster().id(index);
    let ids = |dests: &Set| dests.iter().map(id).collect::<BTreeSet<u16>>();
    let log = stamp.log.iter().map(|entry| ((id(entry.sender), entry.clock), ids(&entry.dests)));
    ks::Message { sender: id(stamp.sender), clock: stamp.clock, dests: ids(&stamp.dests), log: log.collect() }
}

/// The book's process 0 in the state of the exact one.
fn book_of(member: &Member) -> ks::Process<u16> {
    let snapshot = member.exact.snapshot();
    let id = |index: Index| snapshot.processes[index.position()];
    let log = snapshot.log.iter().map(|entry| ((id(entry.sender), entry.clock), entry.dests.iter().map(id).collect()));
    let delivered = snapshot.processes.iter().zip(&snapshot.authors).map(|(&id, author)| (id, author.delivered));
    ks::Process::resumed(id(member.exact.me()), snapshot.clock, delivered.collect(), log.collect())
}

/// A xorshift generator: the same run each time.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * ((self.next() >> 11) as f64 / (1_u64 << 53) as f64).max(1e-12).ln()
    }
}
