//! How a peer is doing.

use std::net::SocketAddr;

use crate::name::Pattern;
use crate::store::Store;
use crate::{Answer, PersonId, Problem, Who};

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

    /// Another person who is here and has the same name as I.
    pub fn namesake(&mut self) -> Option<Who> {
        let users = self.directory.users(&Pattern::new(self.name.as_str()));
        let named = users.into_iter().filter(|user| user.present && !user.me);
        named.map(|user| user.who).find(|who| who.name.eq_ignore_ascii_case(self.name.as_str()))
    }

    /// The name to call a person by, if they are known.
    pub fn label_of(&self, person: PersonId) -> Option<String> {
        self.directory.knows(person).then(|| self.directory.who(person).label.clone())
    }
}
