//! How a peer is doing.

use std::net::SocketAddr;

use crate::store::Store;
use crate::{Answer, PersonId};

use super::Peer;

impl<S: Store> Peer<S> {
    /// The answer to [`Command::Health`](crate::Command::Health) by a caller who knows better than this peer's mind
    /// where it listens now, and who (`missing`) was heard of and should have a link.
    pub fn health(&self, listening: &[SocketAddr], missing: &[PersonId]) -> Answer {
        Answer::Health {
            healthy: !listening.is_empty() && missing.is_empty(),
            listening: listening.iter().map(ToString::to_string).collect(),
            links: self.link_of.len(),
            missing: missing.iter().map(|&person| (*self.directory.who(person)).clone()).collect(),
        }
    }
}
