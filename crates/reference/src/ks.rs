//! Algorithm 6.3 of Kshemkalyani and Singhal, "Distributed Computing: Principles, Algorithms, and Systems" (Cambridge
//! University Press, 2008), §6.5.2, line by line: optimal causal multicast, one message for each destination.
//!
//! Two things are added. Neither changes a run of the book's algorithm. First, a message that arrives twice is dropped; the
//! book has no duplicates. Second, a process is known when it is first named. The book begins with an entry `(i, 0, ∅)` for
//! each of `n` processes, but an entry with clock 0 and no destinations never affects whether another entry is obsolete.

use std::collections::{BTreeMap, BTreeSet};

/// `LOG` and `O_M`: for each message `(i, clock_i)` its `Dests`.
pub type Log<P> = BTreeMap<(P, u64), BTreeSet<P>>;

/// `(j, clock_j, M, Dests, O_M)`, without the `M`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<P> {
    /// `j`, the author.
    pub sender: P,
    /// `clock_j`.
    pub clock: u64,
    /// `Dests`.
    pub dests: BTreeSet<P>,
    /// `O_M`.
    pub log: Log<P>,
}

/// Process `j`.
#[derive(Clone, Debug)]
pub struct Process<P> {
    me: P,
    clock: u64,
    sr: BTreeMap<P, u64>,
    log: Log<P>,
    waiting: BTreeMap<(P, u64), Message<P>>,
}

impl<P: Ord + Clone> Process<P> {
    /// A process that has sent and received nothing.
    pub fn new(me: P) -> Self {
        Self { me, clock: 0, sr: BTreeMap::new(), log: Log::new(), waiting: BTreeMap::new() }
    }

    /// A process in a given state: `clock_j`, `SR_j`, `LOG_j`.
    pub fn resumed(me: P, clock: u64, sr: BTreeMap<P, u64>, log: Log<P>) -> Self {
        Self { me, clock, sr, log, waiting: BTreeMap::new() }
    }

    /// `LOG_j`.
    pub fn log(&self) -> &Log<P> {
        &self.log
    }

    /// `SR_j[k]`.
    pub fn delivered(&self, author: &P) -> u64 {
        self.sr.get(author).copied().unwrap_or(0)
    }

    /// (1) SND: the message for each of `dests`.
    pub fn send(&mut self, dests: &BTreeSet<P>) -> Vec<(P, Message<P>)> {
        // (1a) clock_j ← clock_j + 1
        self.clock += 1;
        let mut sent = Vec::new();
        // (1b) for all d ∈ M.Dests do
        for d in dests {
            //   O_M ← LOG_j
            let mut o = self.log.clone();
            //   for all o ∈ O_M, modify o.Dests as follows:
            for o_dests in o.values_mut() {
                if !o_dests.contains(d) {
                    // if d ∉ o.Dests then o.Dests ← o.Dests \ M.Dests
                    *o_dests = &*o_dests - dests;
                } else {
                    // if d ∈ o.Dests then o.Dests ← (o.Dests \ M.Dests) ∪ {d}
                    *o_dests = &*o_dests - dests;
                    o_dests.insert(d.clone());
                }
            }
            //   for all o_{s,t} ∈ O_M do if o_{s,t}.Dests = ∅ ∧ (∃ o'_{s,t'} ∈ O_M | t < t') then O_M ← O_M \ {o_{s,t}}
            purge_null_entries(&mut o);
            //   send (j, clock_j, M, Dests, O_M) to d
            let message = Message { sender: self.me.clone(), clock: self.clock, dests: dests.clone(), log: o };
            sent.push((d.clone(), message));
        }
        // (1c) for all l ∈ LOG_j do l.Dests ← l.Dests \ Dests
        for l_dests in self.log.values_mut() {
            *l_dests = &*l_dests - dests;
        }
        //   Execute PURGE_NULL_ENTRIES(LOG_j)
        purge_null_entries(&mut self.log);
        // (1d) LOG_j ← LOG_j ∪ {(j, clock_j, Dests)}
        self.log.insert((self.me.clone(), self.clock), dests.clone());
        sent
    }

    /// `(2)` RCV, up to the wait of `(2a)`: takes a message in, unless it has arrived before.
    pub fn arrive(&mut self, message: Message<P>) {
        if message.clock > self.delivered(&message.sender) {
            self.waiting.entry((message.sender.clone(), message.clock)).or_insert(message);
        }
    }

    /// The messages for which the wait of (2a) is over: `for all o_{m,t_m} ∈ O_M, if j ∈ o_{m,t_m}.Dests then t_m ≤ SR_j[m]`.
    pub fn deliverable(&self) -> Vec<(P, u64)> {
        let over = |message: &Message<P>| {
            message.log.iter().all(|((m, t_m), dests)| !dests.contains(&self.me) || *t_m <= self.delivered(m))
        };
        self.waiting.iter().filter(|(_, message)| over(message)).map(|(id, _)| id.clone()).collect()
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// (2) RCV, from (2b) on, for a deliverable message.
    ///
    /// # Panics
    /// If the message has not arrived, or was delivered.
    pub fn deliver(&mut self, author: &P, clock: u64) {
        let message = self.waiting.remove(&(author.clone(), clock)).expect("it has arrived and waits");
        let Message { sender: k, clock: t_k, dests, log: mut o } = message;
        // (2b) Deliver M; SR_j[k] ← t_k
        self.sr.insert(k.clone(), t_k);
        // (2c) O_M ← {(k, t_k, Dests)} ∪ O_M
        o.insert((k, t_k), dests);
        //   for all o_{m,t_m} ∈ O_M do o_{m,t_m}.Dests ← o_{m,t_m}.Dests \ {j}
        for o_dests in o.values_mut() {
            o_dests.remove(&self.me);
        }
        // (2d) for all o_{m,t} ∈ O_M and l_{s,t'} ∈ LOG_j such that s = m do
        let (mut marked_o, mut marked_l) = (BTreeSet::new(), BTreeSet::new());
        for (m, t) in o.keys() {
            for (s, t_) in self.log.keys().filter(|(s, _)| s == m) {
                //   if t < t' ∧ l_{s,t} ∉ LOG_j then mark o_{m,t}
                if t < t_ && !self.log.contains_key(&(s.clone(), *t)) {
                    marked_o.insert((m.clone(), *t));
                }
                //   if t' < t ∧ o_{m,t'} ∉ O_M then mark l_{s,t'}
                if t_ < t && !o.contains_key(&(m.clone(), *t_)) {
                    marked_l.insert((s.clone(), *t_));
                }
            }
        }
        //   Delete all marked elements in O_M and LOG_j
        o.retain(|id, _| !marked_o.contains(id));
        self.log.retain(|id, _| !marked_l.contains(id));
        //   for all l_{s,t'} ∈ LOG_j and o_{m,t} ∈ O_M, such that s = m ∧ t' = t do
        for (id, l_dests) in &mut self.log {
            if let Some(o_dests) = o.get(id) {
                //     l_{s,t'}.Dests ← l_{s,t'}.Dests ∩ o_{m,t}.Dests
                *l_dests = &*l_dests & o_dests;
                //     Delete o_{m,t} from O_M
                o.remove(id);
            }
        }
        //   LOG_j ← LOG_j ∪ O_M
        self.log.append(&mut o);
        // (2e) PURGE_NULL_ENTRIES(LOG_j)
        purge_null_entries(&mut self.log);
    }

    /// All of (2) in one call. Returns the messages that are delivered when `message` arrives.
    pub fn receive(&mut self, message: Message<P>) -> Vec<(P, u64)> {
        self.arrive(message);
        let mut delivered = Vec::new();
        while let Some((author, clock)) = self.deliverable().into_iter().next() {
            self.deliver(&author, clock);
            delivered.push((author, clock));
        }
        delivered
    }
}

/// `PURGE_NULL_ENTRIES`: `for all l_{s,t} ∈ LOG do if l_{s,t}.Dests = ∅ ∧ (∃ l'_{s,t'} ∈ LOG | t < t') then
/// LOG ← LOG \ {l_{s,t}}`.
pub fn purge_null_entries<P: Ord + Clone>(log: &mut Log<P>) {
    let ids: BTreeSet<(P, u64)> = log.keys().cloned().collect();
    log.retain(|(s, t), dests| !(dests.is_empty() && ids.iter().any(|(s_, t_)| s == s_ && t < t_)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_waits_for_the_question() {
        let [mut a, mut b, mut c] = ["a", "b", "c"].map(Process::new);
        let question: BTreeMap<_, _> = a.send(&BTreeSet::from(["b", "c"])).into_iter().collect();
        assert_eq!(b.receive(question["b"].clone()), [("a", 1)]);
        let answer: BTreeMap<_, _> = b.send(&BTreeSet::from(["a", "c"])).into_iter().collect();
        assert_eq!(c.receive(answer["c"].clone()), []);
        assert_eq!(c.receive(question["c"].clone()), [("a", 1), ("b", 1)]);
        assert_eq!(a.receive(answer["a"].clone()), [("b", 1)]);
    }
}
