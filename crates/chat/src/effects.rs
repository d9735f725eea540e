//! What a peer wants done: drained after each turn of inputs, in the manner of raft-rs's `Ready`.

use std::mem;
use std::net::SocketAddr;

use bytes::Bytes;

use crate::store::Change;
use crate::{MessageId, News, PersonId, ProcessId};

/// A link to another peer, as the caller numbers it. Numbers are never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// What is to be done, in this order: `durable` is committed as one batch; then `journal` is written; then frames are
/// sent, links renewed, addresses dialled, and events shown. Whoever is killed in between has promised nothing that is
/// not kept.
#[derive(Debug, Default)]
#[must_use = "effects that are dropped are promises that are broken"]
pub struct Effects {
    /// What must be durable before anything else happens.
    pub durable: Vec<Change>,
    /// What the trace says, in order.
    pub journal: Vec<Journal>,
    /// Frames to hand to links, in order.
    pub frames: Vec<(LinkId, Bytes)>,
    /// Links to close so that they come up anew, each with a reason that both users see.
    pub renew: Vec<(LinkId, String)>,
    /// Addresses to connect to.
    pub dial: Vec<String>,
    /// Addresses to dial to learn who is there, also where a link is up: [`Peer::handle_reached`](crate::Peer::handle_reached)
    /// is the answer, or [`Peer::handle_connect_failed`](crate::Peer::handle_connect_failed).
    pub reach: Vec<SocketAddr>,
    /// People to whom there was a link for the first time.
    pub met: Vec<PersonId>,
    /// What the user interface is told.
    pub events: News,
}

impl Effects {
    /// Takes all of it. What is left has room for as much, or nearly what there was room for: one turn is much like those
    /// before it. Where there was nothing, the room stays as it is.
    pub(crate) fn take(&mut self) -> Self {
        fn take<T>(used: &mut Vec<T>) -> Vec<T> {
            if used.is_empty() {
                return Vec::new();
            }
            let room = used.len().max(used.capacity() / 8 * 7);
            mem::replace(used, Vec::with_capacity(room))
        }
        Self {
            durable: take(&mut self.durable),
            journal: take(&mut self.journal),
            frames: take(&mut self.frames),
            renew: mem::take(&mut self.renew),
            dial: mem::take(&mut self.dial),
            reach: mem::take(&mut self.reach),
            met: mem::take(&mut self.met),
            events: mem::take(&mut self.events),
        }
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        let Self { durable, journal, frames, renew, dial, reach, met, events } = self;
        durable.is_empty()
            && journal.is_empty()
            && frames.is_empty()
            && renew.is_empty()
            && dial.is_empty()
            && reach.is_empty()
            && met.is_empty()
            && events.is_empty()
    }
}

/// One line of the trace: what this peer did to the causal order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Journal {
    /// The process began.
    Start {
        /// The process.
        process: ProcessId,
        /// The name that its person goes by.
        name: String,
        /// The incarnation that it replaces.
        supersedes: Option<ProcessId>,
    },
    /// The process left on purpose.
    Stop,
    /// A message was stamped.
    Send {
        /// The message.
        id: MessageId,
        /// Its destinations.
        dests: Vec<ProcessId>,
        /// The group it went to, if it went to one.
        group: Option<String>,
    },
    /// A message was delivered.
    Deliver {
        /// The message.
        id: MessageId,
    },
    /// A message arrived and is held back.
    Hold {
        /// The message.
        id: MessageId,
        /// What it waits for.
        missing: Vec<MessageId>,
    },
    /// Messages of one author were given up: those with clocks from `first.clock` to `upto`.
    Abandon {
        /// The first of them.
        first: MessageId,
        /// The clock of the last.
        upto: u64,
    },
    /// A message that had been given up was delivered after all.
    Late {
        /// The message.
        id: MessageId,
    },
    /// A text was shown that was not delivered to this process: it came as history.
    Show {
        /// The message.
        id: MessageId,
        /// Some of the conversation's history is missing, as the user was told, or a long history is still on its way behind its
        /// newest messages: what answers this may have been shown before.
        late: bool,
    },
    /// A process is gone for good.
    Forget {
        /// The process.
        process: ProcessId,
    },
}
