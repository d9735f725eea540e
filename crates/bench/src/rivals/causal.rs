//! This project's algorithm: one message for all destinations, in its form for links.

use std::collections::BTreeSet;
use std::rc::Rc;

use ::causal::wire::{Mark, Numbering};
use ::causal::{Config, Entry, Index, Limits, Markers, Process, Set, Snapshot, Stamp};

use super::BEFORE;
use crate::{Posted, Rival};

/// An id as long as those in the chat: a public key and eight bytes more.
type Id = [u8; 40];

/// Kshemkalyani and Singhal's algorithm as `causal` implements it.
pub(crate) struct Causal {
    me: usize,
    process: Process<Id, ()>,
    /// By number in the group.
    indices: Vec<Index>,
    numbering: Numbering,
    /// How much each link has been told.
    marks: Vec<Mark>,
}

impl Causal {
    /// Process `me` of `size`.
    pub(crate) fn new(me: usize, size: usize, markers: Markers) -> Self {
        let config = Config { markers, ..Config::default() };
        let snapshot = Snapshot { clock: BEFORE, ..Process::<Id, ()>::new(id(me), config.clone()).snapshot() };
        let mut process = Process::restore(snapshot, config).expect("only its clock was changed");
        let indices = (0..size).map(|other| process.intern(id(other)).expect("a group is within the limit")).collect();
        let numbering = Numbering::new(&Limits::default());
        Self { me, process, indices, numbering, marks: vec![Mark::default(); size] }
    }

    /// The index here of the process that has `index` in the roster of `author`. That roster has its owner first, then the
    /// others by number.
    fn index(&self, author: usize, index: Index) -> Index {
        self.indices[match index.position() {
            0 => author,
            position if position <= author => position - 1,
            position => position,
        }]
    }
}

fn id(number: usize) -> Id {
    let mut id = [0; 40];
    id[..8].copy_from_slice(&number.to_be_bytes());
    id
}

impl Rival for Causal {
    type Sent = Rc<(usize, Stamp)>;
    type Message = Stamp;

    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>> {
        let set = dests.iter().map(|&dest| self.indices[dest]).collect();
        let stamp = self.process.multicast(&set);
        if self.numbering.is_full() {
            self.numbering.renew();
        }
        let mut message = Vec::new();
        self.numbering.encode(&stamp, &mut message);
        let sent = Rc::new((self.me, stamp));
        let mut additions = Vec::new();
        let posted = dests.iter().map(|&dest| {
            additions.clear();
            self.marks[dest] = self.numbering.additions_since(self.marks[dest], self.process.roster(), &mut additions);
            Posted { sent: Rc::clone(&sent), bytes: message.len(), additions: additions.len() }
        });
        posted.collect()
    }

    fn read(&self, sent: &Self::Sent) -> Stamp {
        let (author, stamp) = &**sent;
        let set = |dests: &Set| dests.iter().map(|index| self.index(*author, index)).collect::<Set>();
        let entry = |entry: &Entry| Entry {
            sender: self.index(*author, entry.sender),
            clock: entry.clock,
            dests: set(&entry.dests),
        };
        Stamp {
            sender: self.index(*author, stamp.sender),
            clock: stamp.clock,
            dests: set(&stamp.dests),
            log: stamp.log.iter().map(entry).collect(),
        }
    }

    fn receive(&mut self, message: Stamp) -> usize {
        self.process.receive(message, ()).expect("an honest message is taken");
        std::iter::from_fn(|| self.process.next_delivery()).count()
    }

    fn log(&self) -> usize {
        self.process.stats().log
    }
}
