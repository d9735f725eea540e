//! A vector clock, which can only broadcast in a fixed group.

use std::collections::BTreeSet;
use std::rc::Rc;

use reference::bss::{Message, Process};

use super::BEFORE;
use crate::{Posted, Rival, plain};

/// Birman, Schiper and Stephenson's algorithm.
pub(crate) struct Bss {
    process: Process,
    size: usize,
}

impl Bss {
    /// Process `me` of `size`.
    pub(crate) fn new(me: usize, size: usize) -> Self {
        Self { process: Process::resumed(me, vec![BEFORE; size]), size }
    }
}

impl Rival for Bss {
    type Sent = Rc<Message>;
    type Message = Message;

    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>> {
        assert_eq!(dests.len(), self.size - 1, "a vector clock can only broadcast");
        let sent = Rc::new(self.process.send());
        let bytes = plain::process(sent.sender) + sent.vector.iter().map(|&count| plain::number(count)).sum::<usize>();
        dests.iter().map(|_| Posted { sent: Rc::clone(&sent), bytes, additions: 0 }).collect()
    }

    fn read(&self, sent: &Self::Sent) -> Message {
        Message::clone(sent)
    }

    fn receive(&mut self, message: Message) -> usize {
        self.process.receive(message).len()
    }

    fn log(&self) -> usize {
        self.size
    }
}
