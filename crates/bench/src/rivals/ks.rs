//! The book's algorithm: one message for each destination, with every marker.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use reference::ks::{Message, Process};

use super::BEFORE;
use crate::{Posted, Rival, plain};

/// Kshemkalyani and Singhal's algorithm, as published.
pub(crate) struct Ks {
    process: Process<usize>,
    size: usize,
}

impl Ks {
    /// Process `me` of `size`.
    pub(crate) fn new(me: usize, size: usize) -> Self {
        Self { process: Process::resumed(me, BEFORE, BTreeMap::new(), BTreeMap::new()), size }
    }

    fn bytes(&self, message: &Message<usize>) -> usize {
        let entries = message.log.iter().map(|((author, clock), dests)| {
            plain::process(*author) + plain::number(*clock) + plain::set(dests, self.size)
        });
        plain::process(message.sender)
            + plain::number(message.clock)
            + plain::set(&message.dests, self.size)
            + plain::process(message.log.len())
            + entries.sum::<usize>()
    }
}

impl Rival for Ks {
    type Sent = Rc<Message<usize>>;
    type Message = Message<usize>;

    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>> {
        let sent = self.process.send(dests).into_iter();
        sent.map(|(_, message)| Posted { bytes: self.bytes(&message), sent: Rc::new(message), additions: 0 }).collect()
    }

    fn read(&self, sent: &Self::Sent) -> Message<usize> {
        Message::clone(sent)
    }

    fn receive(&mut self, message: Message<usize>) -> usize {
        self.process.receive(message).len()
    }

    fn log(&self) -> usize {
        self.process.log().len()
    }
}
