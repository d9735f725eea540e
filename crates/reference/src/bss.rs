//! Birman, Schiper and Stephenson, "Lightweight causal and atomic group multicast" (ACM TOCS 9, 1991), §5.1: causal
//! broadcast in a fixed group by a vector clock that counts each process's broadcasts.

/// A broadcast's timestamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The author.
    pub sender: usize,
    /// For each process, how many of its broadcasts the author had delivered, or sent itself, this one included.
    pub vector: Vec<u64>,
}

/// One process of a fixed group.
#[derive(Clone, Debug)]
pub struct Process {
    me: usize,
    delivered: Vec<u64>,
    waiting: Vec<Message>,
}

impl Process {
    /// Process `me` of a group of `size`.
    pub fn new(me: usize, size: usize) -> Self {
        Self { me, delivered: vec![0; size], waiting: Vec::new() }
    }

    /// Process `me` of a group in which all broadcasts so far were delivered. `delivered` is their number for each process.
    pub fn resumed(me: usize, delivered: Vec<u64>) -> Self {
        Self { me, delivered, waiting: Vec::new() }
    }

    /// Stamps a broadcast.
    pub fn send(&mut self) -> Message {
        self.delivered[self.me] += 1;
        Message { sender: self.me, vector: self.delivered.clone() }
    }

    /// Takes a broadcast in. Returns the broadcasts that are delivered now, in order: author and number.
    pub fn receive(&mut self, message: Message) -> Vec<(usize, u64)> {
        let mut delivered = Vec::new();
        self.waiting.push(message);
        while let Some(at) = self.waiting.iter().position(|message| self.is_next(message)) {
            let Message { sender, vector } = self.waiting.swap_remove(at);
            self.delivered[sender] = vector[sender];
            delivered.push((sender, vector[sender]));
        }
        delivered
    }

    /// How many broadcasts wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    fn is_next(&self, message: &Message) -> bool {
        self.delivered.iter().zip(&message.vector).enumerate().all(|(process, (&seen, &stamped))| {
            if process == message.sender { stamped == seen + 1 } else { stamped <= seen }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_waits_for_the_question() {
        let [mut a, mut b, mut c] = [0, 1, 2].map(|me| Process::new(me, 3));
        let question = a.send();
        assert_eq!(b.receive(question.clone()), [(0, 1)]);
        let answer = b.send();
        assert_eq!(c.receive(answer), []);
        assert_eq!(c.receive(question), [(0, 1), (1, 1)]);
        assert_eq!(c.waiting(), 0);
    }
}
