//! Raynal, Schiper and Toueg, "The causal ordering abstraction and a simple way to implement it" (Information Processing
//! Letters 39, 1991): causal order for messages to one destination. A matrix counts the messages from each process to each
//! other one.
//!
//! In the paper a message has one destination. Here a message to several destinations is one message for each, all sent at
//! once. All carry the counts from before, and each names the other destinations.

use std::collections::BTreeSet;
use std::rc::Rc;

/// What a message carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The author.
    pub sender: usize,
    /// Its destinations.
    pub dests: BTreeSet<usize>,
    /// `ST`, row after row: how many messages from one process to another the author knew of when it sent this one.
    pub sent: Vec<u64>,
}

/// One process of a fixed group.
#[derive(Clone, Debug)]
pub struct Process {
    me: usize,
    size: usize,
    /// `SENT`.
    sent: Vec<u64>,
    /// `DELIV`.
    delivered: Vec<u64>,
    waiting: Vec<Rc<Message>>,
}

impl Process {
    /// Process `me` of a group of `size`.
    pub fn new(me: usize, size: usize) -> Self {
        Self { me, size, sent: vec![0; size * size], delivered: vec![0; size], waiting: Vec::new() }
    }

    /// Process `me` of a group of `size`. Each process has sent `count` messages to each, and all have been delivered.
    pub fn resumed(me: usize, size: usize, count: u64) -> Self {
        Self { me, size, sent: vec![count; size * size], delivered: vec![count; size], waiting: Vec::new() }
    }

    /// Stamps a message.
    pub fn send(&mut self, dests: &BTreeSet<usize>) -> Message {
        let message = Message { sender: self.me, dests: dests.clone(), sent: self.sent.clone() };
        for dest in dests {
            self.sent[self.me * self.size + dest] += 1;
        }
        message
    }

    /// Takes a message in. Returns the messages that are delivered now, in order: the author, and the number of the message
    /// among those from that author to this process.
    pub fn receive(&mut self, message: Rc<Message>) -> Vec<(usize, u64)> {
        let mut delivered = Vec::new();
        self.waiting.push(message);
        while let Some(at) = self.waiting.iter().position(|message| self.is_next(message)) {
            let message = self.waiting.swap_remove(at);
            let sender = message.sender;
            self.delivered[sender] += 1;
            for (known, told) in self.sent.iter_mut().zip(&message.sent) {
                *known = (*known).max(*told);
            }
            for dest in &message.dests {
                let place = sender * self.size + dest;
                self.sent[place] = self.sent[place].max(message.sent[place] + 1);
            }
            delivered.push((sender, self.delivered[sender]));
        }
        delivered
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// `for all k, DELIV[k] ≥ ST[k, me]`.
    fn is_next(&self, message: &Message) -> bool {
        let to_me = message.sent.iter().skip(self.me).step_by(self.size);
        self.delivered.iter().zip(to_me).all(|(seen, told)| seen >= told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_waits_for_the_question() {
        let [mut a, mut b, mut c] = [0, 1, 2].map(|me| Process::new(me, 3));
        let question = Rc::new(a.send(&BTreeSet::from([1, 2])));
        assert_eq!(b.receive(question.clone()), [(0, 1)]);
        let answer = Rc::new(b.send(&BTreeSet::from([2])));
        assert_eq!(c.receive(answer), []);
        assert_eq!(c.receive(question), [(0, 1), (1, 1)]);
        assert_eq!(c.waiting(), 0);
    }
}
