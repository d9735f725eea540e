//! How a peer is doing.

use std::net::SocketAddr;

use crate::store::Store;
use crate::{Answer, PersonId, Problem};

use super::Peer;

impl<S: Store> Peer<S> {
    /// The answer to [`Command::Health`](crate::Command::Health) by a caller who knows better than this peer's mind
    /// where it listens now, who (`missing`) was heard of and should have a link, and what else is wrong.
    pub fn health(&self, listening: &[SocketAddr], missing: &[PersonId], problems: Vec<Problem>) -> Answer {
        Answer::Health {
            healthy: !listening.is_empty() && missing.is_empty() && problems.is_empty(),
            listening: listening.iter().map(ToString::to_string).collect(),
            links: self.link_of.len(),
            missing: missing.iter().map(|&person| (*self.directory.who(person)).clone()).collect(),
            problems,
        }
    }

    /// The name to call a person by, if they are known.
    pub fn label_of(&self, person: PersonId) -> Option<String> {
        self.directory.knows(person).then(|| self.directory.who(person).label.clone())
    }
}
