//! Whom and what a user can write to: what completion offers.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use node::chat::{Answer, Event, PersonId, Who};
use node::line::Hello;

use crate::options::ShownAs;

/// People and groups as this user may write them, kept up to date by the events.
#[derive(Debug)]
pub(super) struct Known {
    me: Who,
    /// Where this peer listens, if that is all that is known of its address.
    listening: Option<IpAddr>,
    people: BTreeMap<PersonId, (Who, bool)>,
    groups: BTreeSet<String>,
}

/// Somebody or something to write to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Addressee {
    /// What stands behind the `@`.
    pub(super) name: String,
    /// What it is.
    pub(super) about: &'static str,
}

impl Known {
    pub(super) fn new(hello: &Hello) -> Self {
        let others = hello.known.users.iter().filter(|user| !user.me);
        Self {
            me: hello.known.me.clone(),
            listening: None,
            people: others.map(|user| (user.who.person, (user.who.clone(), user.present))).collect(),
            groups: hello.known.groups.iter().map(|group| group.name.clone()).collect(),
        }
    }

    /// Takes in what happened.
    pub(super) fn learn(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::PeerUp { who, .. } => self.meet(who, true),
                Event::PeerDown { who, .. } => self.meet(who, false),
                Event::PersonChanged { who, .. } if who.person == self.me.person => self.me = Who::clone(who),
                Event::PersonChanged { who, .. } => self.rename(who),
                Event::Forgotten { who, .. } => {
                    self.people.remove(&who.person);
                }
                Event::GroupAppeared { group, .. } | Event::GroupJoined { group, .. } => {
                    self.groups.insert(group.clone());
                }
                Event::GroupGone { group } => {
                    self.groups.remove(group);
                }
                Event::Listening { address } => self.listen(address),
                Event::Message { .. }
                | Event::Scheduled { .. }
                | Event::Cancelled { .. }
                | Event::Held { .. }
                | Event::Released { .. }
                | Event::Gap { .. }
                | Event::Unspread { .. }
                | Event::Spread { .. }
                | Event::Delivered { .. }
                | Event::Unread(_)
                | Event::CatchingUp { .. }
                | Event::CaughtUp { .. }
                | Event::GroupLeft { .. }
                | Event::Fetched { .. }
                | Event::LinkRefused { .. }
                | Event::ConnectFailed { .. }
                | Event::NameTaken { .. }
                | Event::Problem(_)
                | Event::Solved(_)
                | Event::Warning { .. } => {}
                // What is not known yet says nothing about people and groups.
                _ => {}
            }
        }
    }

    /// How this user is shown to everybody, or `name@address` if that is asked for and an address is known.
    pub(super) fn own_label(&self, shown: ShownAs) -> String {
        let address = match shown {
            ShownAs::Name => None,
            ShownAs::Address => self.me.address.clone().or_else(|| self.listening.map(|address| address.to_string())),
        };
        match address {
            Some(address) => format!("{}@{address}", self.me.name),
            None => self.me.label.clone(),
        }
    }

    /// Takes in what this user did himself.
    pub(super) fn learn_answer(&mut self, answer: &Answer) {
        match answer {
            Answer::Created { group } => {
                self.groups.insert(group.clone());
            }
            Answer::Joined { group, .. } => {
                self.groups.insert(group.name.clone());
            }
            Answer::Forgotten { who } => {
                self.people.remove(&who.person);
            }
            Answer::Renamed { who } => self.me.clone_from(who),
            Answer::Aliased { who } | Answer::Unaliased { who } => self.rename(who),
            Answer::Users { .. }
            | Answer::Who { .. }
            | Answer::Groups { .. }
            | Answer::Left { .. }
            | Answer::Sent { .. }
            | Answer::Scheduled { .. }
            | Answer::Cancelled { .. }
            | Answer::Connecting { .. }
            | Answer::Read
            | Answer::Diagram(_)
            | Answer::History { .. }
            | Answer::Found { .. }
            | Answer::Seen { .. }
            | Answer::Shown { .. }
            | Answer::Pending { .. }
            | Answer::Code { .. }
            | Answer::Verified { .. }
            | Answer::Health { .. }
            | Answer::LoggingOut { .. }
            | Answer::Deleting { .. } => {}
        }
    }

    /// Everybody and everything to write to, under names that mean one only: labels do, but for the name of a group.
    pub(super) fn addressees(&self) -> Vec<Addressee> {
        let groups: BTreeSet<String> = self.groups.iter().map(|group| group.to_lowercase()).collect();
        let person = |(who, present): &(Who, bool)| {
            let about = if *present { "here" } else { "away" };
            let name = if groups.contains(&who.label.to_lowercase()) {
                format!("{}·{}", who.label, who.person.fingerprint())
            } else {
                who.label.clone()
            };
            Addressee { name, about }
        };
        let mut all: Vec<_> = self.people.values().map(person).collect();
        let people: BTreeSet<String> = self.people.values().map(|(who, _)| who.label.to_lowercase()).collect();
        let group = |group: &String| {
            let name = if people.contains(&group.to_lowercase()) { format!("group:{group}") } else { group.clone() };
            Addressee { name, about: "group" }
        };
        all.extend(self.groups.iter().map(group));
        all.push(Addressee { name: "all".to_owned(), about: "everybody" });
        all.sort();
        all.dedup();
        all
    }

    fn meet(&mut self, who: &Who, present: bool) {
        self.people.insert(who.person, (who.clone(), present));
    }

    fn rename(&mut self, who: &Who) {
        if let Some((known, _)) = self.people.get_mut(&who.person) {
            who.clone_into(known);
        }
    }

    /// The address most worth showing: one of the network before one of this machine.
    fn listen(&mut self, address: &str) {
        let Ok(address) = address.parse::<SocketAddr>() else { return };
        let worth = |ip: &IpAddr| (!ip.is_loopback(), !ip.is_unspecified(), ip.is_ipv4());
        if self.listening.is_none_or(|known| worth(&known) < worth(&address.ip())) {
            self.listening = Some(address.ip());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use node::chat::{Incarnation, ProcessId};

    use super::*;

    fn who(key: u8, name: &str, label: &str) -> Arc<Who> {
        Arc::new(Who { person: PersonId::new([key; 32]), name: name.into(), address: None, label: label.into() })
    }

    fn known() -> Known {
        let me = Who::clone(&who(1, "alice", "alice"));
        let process = ProcessId { person: me.person, incarnation: Incarnation(1) };
        let known = node::chat::Hello {
            me,
            process,
            users: Vec::new(),
            groups: Vec::new(),
            unread: Vec::new(),
            name_taken_by: None,
        };
        Known::new(&Hello { hello: 1, program: "causerie".into(), known })
    }

    fn names(known: &Known) -> Vec<String> {
        known.addressees().into_iter().map(|to| to.name).collect()
    }

    #[test]
    fn whoever_and_whatever_comes_up_can_be_written_to() {
        let mut known = known();
        assert_eq!(names(&known), ["all"]);
        let bob = who(2, "bob", "bob");
        known.learn(&[
            Event::PeerUp { who: Arc::clone(&bob), new: true },
            Event::GroupAppeared { group: "cars".into(), by: Arc::clone(&bob) },
        ]);
        assert_eq!(names(&known), ["all", "bob", "cars"]);
        known.learn(&[Event::PeerDown { who: bob, reason: "left".into() }, Event::GroupGone { group: "cars".into() }]);
        assert_eq!(names(&known), ["all", "bob"]);
        assert!(known.addressees().iter().any(|to| to.name == "bob" && to.about == "away"));
        let dave = who(3, "dave", "dave");
        known.learn(&[Event::PeerUp { who: Arc::clone(&dave), new: true }]);
        known.learn(&[Event::Forgotten { by: Arc::clone(&dave), who: dave }]);
        known.learn(&[Event::PersonChanged {
            who: who(2, "rob", "rob"),
            before: "bob".into(),
            before_name: "bob".into(),
        }]);
        assert_eq!(names(&known), ["all", "rob"]);
    }

    #[test]
    fn a_name_that_could_be_two_is_offered_with_what_tells_them_apart() {
        let mut known = known();
        let up = |who| Event::PeerUp { who, new: true };
        known.learn(&[up(who(2, "bob", "bob"))]);
        known.learn(&[
            Event::PersonChanged { who: who(2, "bob", "bob·aaaa"), before: "bob".into(), before_name: "bob".into() },
            up(who(3, "bob", "bob·bbbb")),
        ]);
        assert_eq!(names(&known), ["all", "bob·aaaa", "bob·bbbb"]);
        known.learn(&[
            up(who(4, "cars", "cars")),
            Event::GroupAppeared { group: "Cars".into(), by: who(2, "bob", "bob·aaaa") },
        ]);
        let cars = format!("cars·{}", PersonId::new([4; 32]).fingerprint());
        assert_eq!(names(&known), ["all", "bob·aaaa", "bob·bbbb", &cars, "group:Cars"]);
    }

    #[test]
    fn the_prompt_shows_the_name_or_the_address_that_others_can_use() {
        let mut known = known();
        assert_eq!(known.own_label(ShownAs::Address), "alice");
        for (address, label) in [
            ("[::1]:9", "alice@::1"),
            ("127.0.0.1:9", "alice@127.0.0.1"),
            ("[fd00::1]:9", "alice@fd00::1"),
            ("10.0.0.1:9", "alice@10.0.0.1"),
            ("127.0.0.2:9", "alice@10.0.0.1"),
        ] {
            known.learn(&[Event::Listening { address: address.into() }]);
            assert_eq!(known.own_label(ShownAs::Address), label);
            assert_eq!(known.own_label(ShownAs::Name), "alice");
        }
        let me = Who { address: Some("192.0.2.1".into()), ..Who::clone(&who(1, "alice", "alice·aaaa")) };
        known.learn(&[Event::PersonChanged { who: Arc::new(me), before: "alice".into(), before_name: "alice".into() }]);
        assert_eq!(known.own_label(ShownAs::Address), "alice@192.0.2.1");
        assert_eq!(known.own_label(ShownAs::Name), "alice·aaaa");
    }
}
