//! What all rivals have in common.

use std::collections::BTreeSet;

/// One process of a protocol for causal multicast, by number within a fixed group.
pub trait Rival {
    /// What is on its way to a destination. Cheap to clone.
    type Sent: Clone;
    /// The same as the receiver's decoder hands it over.
    type Message;

    /// Stamps a message to `dests`, which the process itself is not among: what goes to each, in their order.
    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>>;

    /// Reads what was sent to this process.
    fn read(&self, sent: &Self::Sent) -> Self::Message;

    /// Takes a message in. Returns how many are delivered by it.
    fn receive(&mut self, message: Self::Message) -> usize;

    /// How many entries (counters, for those who keep counters) the process remembers.
    fn log(&self) -> usize;
}

/// A message as it leaves for one destination.
pub struct Posted<S> {
    /// What leaves.
    pub sent: S,
    /// How many bytes it takes on the link, without payload and signature.
    pub bytes: usize,
    /// How many bytes the link has to be told before it.
    pub additions: usize,
}
