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

    /// Another person who is here, from another machine, and has the same name as I.
    pub fn namesake(&mut self) -> Option<Who> {
        let mine: Vec<String> = self.addresses.iter().map(|address| address.ip().to_string()).collect();
        let users = self.directory.users(&Pattern::new(self.name.as_str()));
        let named = users.into_iter().filter(|user| user.present && !user.me).map(|user| user.who);
        let mut elsewhere = named.filter(|who| who.address.as_ref().is_none_or(|address| !mine.contains(address)));
        elsewhere.find(|who| who.name.eq_ignore_ascii_case(self.name.as_str()))
    }

    /// The name to call a person by, if they are known.
    pub fn label_of(&self, person: PersonId) -> Option<String> {
        self.directory.knows(person).then(|| self.directory.who(person).label.clone())
    }
}
