//! The trait of all rivals.

use std::collections::BTreeSet;

/// One process of a protocol for causal multicast, by number within a fixed group.
pub trait Rival {
    /// A copy of a message on its way to a destination. Cheap to clone.
    type Sent: Clone;
    /// The copy after the receiver's decoder has read it.
    type Message;

    /// Stamps a message to `dests`, which do not include the process itself. Returns the copy for each, in their order.
    fn send(&mut self, dests: &BTreeSet<usize>) -> Vec<Posted<Self::Sent>>;

    /// Reads a copy that was sent to this process.
    fn read(&self, sent: &Self::Sent) -> Self::Message;

    /// Takes a message in. Returns how many messages are delivered now.
    fn receive(&mut self, message: Self::Message) -> usize;

    /// How many entries the process remembers, or how many counters if the rival keeps counters.
    fn log(&self) -> usize;
}

/// A message that leaves for one destination.
pub struct Posted<S> {
    /// The copy for this destination.
    pub sent: S,
    /// How many bytes it takes on the link, without payload and signature.
    pub bytes: usize,
    /// How many bytes of additions the link has to be told before it.
    pub additions: usize,
}
