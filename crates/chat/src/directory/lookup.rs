//! From what a user writes to whom it means, and the lists that a user sees.

use std::collections::BTreeSet;
use std::net::IpAddr;

use unicode_normalization::UnicodeNormalization;

use super::{Directory, Person};
use crate::name::{self, Name, Pattern, SHORTEST_FINGERPRINT, TELLS_APART};
use crate::{GroupInfo, PersonId, PersonInfo, Refusal, UserInfo};

/// What stands before a group's name where a person goes by the same: no name has a colon in it.
const GROUP: &str = "group:";

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A person or a group, as behind `@`.
    Anyone,
    /// Only a person.
    Person,
    /// Only a group.
    Group,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    All,
    Group(Name),
    /// A person; it may be oneself.
    Person(PersonId),
}

impl Directory {
    /// Whom or what `text` means. A person is spelled
    ///
    /// - by name or by this user's alias, if nobody else is called anything that looks like it;
    /// - as shown, `name·fingerprint`, or `name@fingerprint`: the last four characters of the peer id, or more;
    /// - `name@address`, by any address that is known to have been theirs;
    /// - by fingerprint (eight characters) or peer id;
    /// - by the address of their last link, or by `address:port` where they listen;
    ///
    /// and a group by its name or, in case a person goes by it too, `group:name`. Upper and lower case tell groups apart where
    /// that makes a difference; they never tell people apart.
    ///
    /// # Errors
    /// [`Refusal::Ambiguous`] with spellings that are not, or the refusal of an unknown name that fits `wanted`, with a
    /// guess.
    pub(crate) fn resolve(&self, text: &str, wanted: Wanted) -> Result<Resolved, Refusal> {
        let text: String = text.nfc().collect();
        if wanted != Wanted::Person && name::fold(&text) == "all" {
            return Ok(Resolved::All);
        }
        let people = match wanted {
            Wanted::Group => People::default(),
            Wanted::Anyone | Wanted::Person => self.people_called(&text),
        };
        let groups = match wanted {
            Wanted::Person => Vec::new(),
            Wanted::Anyone | Wanted::Group => self.groups_called(&text),
        };
        let mut named = people.meant.iter();
        match (named.next(), named.next(), groups.as_slice()) {
            (None, None, []) => Err(self.unknown(&text, wanted)),
            (Some(&person), None, []) if people.exactly => Ok(Resolved::Person(person)),
            (Some(&person), None, []) => Err(unknown(&text, wanted, Some(self.spelling(person)))),
            (None, None, [group]) => Ok(Resolved::Group((*group).clone())),
            (_, _, _) => {
                let people = people.meant.iter().map(|person| self.spelling(*person));
                // Where only groups are looked for, their names do.
                let prefix = if wanted == Wanted::Group { "" } else { GROUP };
                let groups = groups.iter().map(|group| format!("{prefix}{group}"));
                Err(Refusal::Ambiguous { name: cut(&text), candidates: people.chain(groups).collect() })
            }
        }
    }

    /// Everybody whom `text` may mean, by name, with all that is known of them.
    ///
    /// # Errors
    /// [`Refusal::UnknownUser`].
    pub(crate) fn people_meant(&self, text: &str) -> Result<Vec<PersonInfo>, Refusal> {
        let text: String = text.nfc().collect();
        let people = self.people_called(&text).meant;
        if people.is_empty() {
            return Err(self.unknown(&text, Wanted::Person));
        }
        let info = |id: &PersonId| {
            let person = &self.people[id];
            PersonInfo {
                user: self.user(*id, person),
                fingerprint: id.fingerprint(),
                addresses: person.known_at.iter().rev().map(IpAddr::to_string).collect(),
                listening: person.record.addresses.iter().map(ToString::to_string).collect(),
                forgotten: person.departed,
            }
        };
        Ok(people.iter().map(info).collect())
    }

    /// The group of this very name, else one whose name looks like it.
    pub(crate) fn group_called(&self, name: &Name) -> Option<&Name> {
        let exact = self.members.get_key_value(name).map(|(name, _)| name);
        exact.or_else(|| self.members.keys().find(|group| group.looks_like(name)))
    }

    /// Whether a person who is known goes by `name` or by one that looks like it, or has it as an alias.
    pub(crate) fn is_a_person(&self, name: &Name) -> bool {
        self.namesakes.called(&name.looks()).iter().any(|id| self.people.get(id).is_none_or(|person| !person.departed))
    }

    /// Who goes by a name or is meant by it in another way, an alias apart. Those who have gone for good are not.
    pub(super) fn bearer(&self, name: &Name) -> Option<PersonId> {
        let is_alike = |other: &Name| other.looks_like(name);
        let by_alias_alone = |id: PersonId, known: &Name| self.alias_of(id).is_some_and(is_alike) && !is_alike(known);
        let meant = self.people_called(name.as_str()).meant.into_iter();
        let mut bearers = meant.filter(|id| {
            let person = &self.people[id];
            !person.departed && !by_alias_alone(*id, person.name())
        });
        bearers.next()
    }

    /// The people who match, sorted by name; oneself may be among them.
    pub(crate) fn users(&self, pattern: &Pattern) -> Vec<UserInfo> {
        let mut users: Vec<_> = self
            .people
            .iter()
            .filter(|(_, person)| !person.departed)
            .filter(|(_, person)| {
                let shown = format!("{}@{}", person.name(), person.who.address.as_deref().unwrap_or_default());
                pattern.matches(&shown) || pattern.matches(&person.who.label)
            })
            .map(|(id, person)| self.user(*id, person))
            .collect();
        users.sort_by_cached_key(|user| (name::fold(&user.who.name), user.who.label.clone()));
        users
    }

    /// A person of whom a record is known, as listed.
    pub(crate) fn user_info(&self, id: PersonId) -> UserInfo {
        self.user(id, &self.people[&id])
    }

    fn user(&self, id: PersonId, person: &Person) -> UserInfo {
        UserInfo {
            who: (*person.who).clone(),
            present: person.present,
            me: id == self.me,
            verified: self.verified.contains(&id),
            groups: person.record.groups.iter().map(Name::to_string).collect(),
        }
    }

    /// The groups whose names match, sorted by name.
    pub(crate) fn groups(&self, pattern: &Pattern) -> Vec<GroupInfo> {
        let matching = self.members.keys().filter(|name| pattern.matches(name.as_str()));
        let mut groups: Vec<GroupInfo> = matching.filter_map(|name| self.group(name)).collect();
        groups.sort_by_cached_key(|group| (name::fold(&group.name), group.name.clone()));
        groups
    }

    /// One group, if there is one of this very name.
    pub(crate) fn group(&self, name: &Name) -> Option<GroupInfo> {
        let members = self.members.get(name)?;
        let mut labels: Vec<String> =
            members.iter().map(|member| self.people[&member.person].who.label.clone()).collect();
        labels.sort_by_cached_key(|label| (name::fold(label), label.clone()));
        let member = members.iter().any(|member| member.person == self.me);
        Some(GroupInfo { name: name.to_string(), member, members: labels })
    }

    fn people_called(&self, text: &str) -> People {
        let (name, place) = match text.split_once([TELLS_APART, '@']) {
            Some((name, place)) => (name, Some(place)),
            None => (text, None),
        };
        let mut named = self.namesakes.called(&name::looks(name));
        // An alias may name a person of whom nothing else is known yet.
        named.retain(|id| self.people.contains_key(id));
        let Some(place) = place else {
            // A name that looks like a fingerprint or an address does not take it from the person whose it is.
            let by_key = |id: &PersonId| id.fingerprint() == text;
            let address: Option<IpAddr> = text.parse().ok();
            let there =
                |person: &Person| address.is_some_and(|address| person.address() == Some(address.to_canonical()));
            let listens = text.parse().ok().or_else(|| self.at_address(text.parse().ok()?));
            let exactly = named.iter().all(|id| self.is_spelled(*id, name));
            let others = self.people.iter().filter(|(id, person)| by_key(id) || there(person) || listens == Some(**id));
            let others: Vec<PersonId> = others.map(|(id, _)| *id).collect();
            return People { exactly: exactly || !others.is_empty(), meant: named.into_iter().chain(others).collect() };
        };
        // A fingerprint says which of those who look alike is meant, an address does not.
        for case_counts in [true, false] {
            let meant: BTreeSet<PersonId> =
                named.iter().copied().filter(|id| ends_in(*id, place, case_counts)).collect();
            if !meant.is_empty() {
                return People { meant, exactly: true };
            }
        }
        let Ok(address) = place.parse::<IpAddr>() else { return People::default() };
        named.retain(|id| self.people[id].known_at.contains(&address.to_canonical()));
        let exactly = !text.contains(TELLS_APART) && named.iter().all(|id| self.is_spelled(*id, name));
        People { meant: named, exactly }
    }

    /// Whether one writes `name` for this person, and not for one who looks like this one.
    fn is_spelled(&self, person: PersonId, name: &str) -> bool {
        let names = self.people.get(&person).map(Person::name).into_iter().chain(self.alias_of(person));
        names.into_iter().any(|known| is(known, name, false))
    }

    /// The groups of this very name, else those that differ from it in case only.
    fn groups_called(&self, text: &str) -> Vec<&Name> {
        let group = text.strip_prefix(GROUP).unwrap_or(text);
        let called = |case_counts| self.members.keys().filter(move |name| is(name, group, case_counts));
        let exact: Vec<&Name> = called(true).collect();
        if exact.is_empty() { called(false).collect() } else { exact }
    }

    /// What means this person alone, whatever groups there are.
    fn spelling(&self, person: PersonId) -> String {
        let known = &self.people[&person];
        let called = self.alias_of(person).unwrap_or(known.name());
        let length = self.namesakes.fingerprint_length(person, &super::namesakes::looks(called, person));
        format!("{called}{TELLS_APART}{}", person.ending(length.unwrap_or(SHORTEST_FINGERPRINT)))
    }

    fn unknown(&self, text: &str, wanted: Wanted) -> Refusal {
        let people = self.people.values().map(Person::name).chain(self.aliases.keys()).map(Name::as_str);
        let groups = self.members.keys().map(Name::as_str);
        let nearest = match wanted {
            Wanted::Anyone => name::nearest(text, people.chain(groups)),
            Wanted::Person => name::nearest(text, people),
            Wanted::Group => name::nearest(text, groups),
        };
        unknown(text, wanted, nearest.map(str::to_owned))
    }
}

/// Whom a text may mean.
#[derive(Debug, Default)]
struct People {
    meant: BTreeSet<PersonId>,
    /// The text spells them, and nothing that only looks like it.
    exactly: bool,
}

/// Whether `text` is so much of the end of this peer id that it is a fingerprint.
fn ends_in(person: PersonId, text: &str, case_counts: bool) -> bool {
    if text.len() < SHORTEST_FINGERPRINT {
        return false;
    }
    let ending = person.ending(text.len());
    if case_counts { ending == text } else { ending.eq_ignore_ascii_case(text) }
}

fn unknown(text: &str, wanted: Wanted, nearest: Option<String>) -> Refusal {
    let name = cut(text);
    match wanted {
        Wanted::Anyone => Refusal::UnknownTarget { name, nearest },
        Wanted::Person => Refusal::UnknownUser { name, nearest },
        Wanted::Group => Refusal::UnknownGroup { group: name, nearest },
    }
}

/// Whether `text` spells `name`.
fn is(name: &Name, text: &str, case_counts: bool) -> bool {
    if case_counts { name.as_str() == text } else { name.folded() == name::fold(text) }
}

/// What a refusal repeats of a user's text.
fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
