//! What keeps the peers of a host from working, told to the people who run it: each problem once, however many peers have it.
//!
//! Most of it concerns the machine, so the users can do nothing about it. And of all peers of the host, only the one that speaks for
//! the others finds out what is in the way of discovery.

use std::collections::{BTreeMap, BTreeSet};

use node::chat::{Event, News, PersonId};

/// Problems of one peer. Its own user is told of them.
const OF_ONE: [&str; 2] = ["superseded", "same_machine_name"];

/// The present problems by kind, each with the peers that have it.
#[derive(Debug, Default)]
pub(crate) struct Troubles(BTreeMap<String, BTreeSet<PersonId>>);

impl Troubles {
    /// Takes what happened at a peer.
    pub(crate) fn heard(&mut self, at: PersonId, news: &News) {
        for text in news.events().filter_map(|event| self.is_to_be_told(at, event)) {
            tracing::warn!("{text}");
        }
    }

    fn is_to_be_told<'a>(&mut self, at: PersonId, event: &'a Event) -> Option<&'a str> {
        if let Event::Problem(problem) = event
            && !OF_ONE.contains(&problem.kind.as_str())
        {
            let have_it = self.0.entry(problem.kind.clone()).or_default();
            let is_new = have_it.is_empty();
            have_it.insert(at);
            return is_new.then_some(&problem.text);
        }
        if let Event::Solved(problem) = event
            && let Some(have_it) = self.0.get_mut(&problem.kind)
        {
            have_it.remove(&at);
            if have_it.is_empty() {
                self.0.remove(&problem.kind);
                return Some(&problem.text);
            }
        }
        if let Event::Warning { text } = event { Some(text) } else { None }
    }

    /// A peer has stopped. If another one has a problem of it now, that is told again.
    pub(crate) fn left(&mut self, peer: PersonId) {
        self.0.retain(|_, have_it| !have_it.remove(&peer) || !have_it.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use node::chat::Problem;

    use super::*;

    #[test]
    fn a_problem_is_told_once_and_its_end_once_however_many_peers_have_it() {
        let mut troubles = Troubles::default();
        let problem = |kind: &str, text: &str| Problem { kind: kind.to_owned(), text: text.to_owned() };
        let begins = Event::Problem(problem("offline", "no network"));
        let ends = Event::Solved(problem("offline", "online again"));
        let [alice, bob] = [1, 2].map(|key| PersonId::new([key; 32]));
        assert_eq!(troubles.is_to_be_told(alice, &begins), Some("no network"));
        assert_eq!(troubles.is_to_be_told(bob, &begins), None);
        assert_eq!(troubles.is_to_be_told(alice, &ends), None, "bob still has it");
        assert_eq!(troubles.is_to_be_told(bob, &ends), Some("online again"));
        assert_eq!(troubles.is_to_be_told(bob, &ends), None);

        assert_eq!(troubles.is_to_be_told(alice, &begins), Some("no network"));
        troubles.left(alice);
        assert_eq!(troubles.is_to_be_told(bob, &begins), Some("no network"), "nobody had it any more");
        let of_one = Event::Problem(problem("superseded", "a copy"));
        assert_eq!(troubles.is_to_be_told(bob, &of_one), None);
    }
}
