//! A matrix: how many messages each process has sent to each other one.

use std::collections::BTreeSet;
use std::rc::Rc;

use reference::rst::{Message, Process};

use super::BEFORE;
use crate::{Posted, Rival, plain};

/// Raynal, Schiper and Toueg's algorithm.
pub(crate) struct Rst {
    process: Process,
    size: usize,
}

impl Rst {
    /// Process `me` of `size`.
    pub(crate) fn new(me: usize, size: usize) -> Self {
        Self { process: Process::resumed(me, size, BEFORE), size }
    }
}

impl Rival for Rst {
    type Sent = Rc<Message>;
    type Message = Rc<Message>;

    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>> {
        let sent = Rc::new(self.process.send(dests));
        let counts: usize = sent.sent.iter().map(|&count| plain::number(count)).sum();
        let bytes = plain::process(sent.sender) + plain::set(dests, self.size) + counts;
        dests.iter().map(|_| Posted { sent: Rc::clone(&sent), bytes, additions: 0 }).collect()
    }

    fn read(&self, sent: &Self::Sent) -> Rc<Message> {
        Rc::clone(sent)
    }

    fn receive(&mut self, message: Rc<Message>) -> usize {
        self.process.receive(message).len()
    }

    fn log(&self) -> usize {
        self.size * self.size
    }
}
