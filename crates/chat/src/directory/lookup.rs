//! From what a user writes to whom it means, and the lists that a user sees.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;

use super::{Directory, NO_ADDRESS, Person};
use crate::name::{self, Name, Pattern};
use crate::{GroupInfo, PersonId, Refusal, UserInfo};

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
    /// - by an alias of this user's, which goes before the same name claimed by anybody;
    /// - by name, `name@address` or `name@fingerprint`;
    /// - by fingerprint or peer id;
    /// - by the address shown, or by `address:port` where the person listens;
    ///
    /// and a group by its name or, in case a person goes by it too, `group:name`. Upper and lower case count where that
    /// makes a difference, and only then.
    ///
    /// # Errors
    /// [`Refusal::Ambiguous`] with spellings that are not, or the refusal of an unknown name that fits `wanted`, with a
    /// guess.
    pub(crate) fn resolve(&self, text: &str, wanted: Wanted) -> Result<Resolved, Refusal> {
        let text: String = text.nfc().collect();
        if wanted != Wanted::Person && name::fold(&text) == "all" {
            return Ok(Resolved::All);
        }
        for case_counts in [true, false] {
            let people = match wanted {
                Wanted::Group => BTreeSet::new(),
                Wanted::Anyone | Wanted::Person => self.people_called(&text, case_counts),
            };
            let groups = match wanted {
                Wanted::Person => Vec::new(),
                Wanted::Anyone | Wanted::Group => self.groups_called(&text, case_counts),
            };
            match (people.first(), groups.as_slice()) {
                (None, []) => {}
                (Some(&person), []) if people.len() == 1 => return Ok(Resolved::Person(person)),
                (None, [group]) => return Ok(Resolved::Group((*group).clone())),
                (Some(_) | None, [..]) => {
                    let people = people.iter().map(|person| self.spelling(*person));
                    // Where only groups are looked for, their names do.
                    let prefix = if wanted == Wanted::Group { "" } else { GROUP };
                    let groups = groups.iter().map(|group| format!("{prefix}{group}"));
                    return Err(Refusal::Ambiguous { name: cut(&text), candidates: people.chain(groups).collect() });
                }
            }
        }
        Err(self.unknown(&text, wanted))
    }

    /// The group of this very name, else one that differs from it in case only.
    pub(crate) fn group_called(&self, name: &Name) -> Option<&Name> {
        let exact = self.members.get_key_value(name).map(|(name, _)| name);
        exact.or_else(|| self.members.keys().find(|group| is(group, name.as_str(), false)))
    }

    /// Whether a person who is known goes by `name`, however capitalised, or has it as an alias.
    pub(crate) fn is_a_person(&self, name: &Name) -> bool {
        let same = |other: &Name| is(other, name.as_str(), false);
        let mut people = self.people.values().filter(|person| !person.departed);
        people.any(|person| same(person.name())) || self.aliases.keys().any(same)
    }

    /// The people who match, sorted by name; oneself may be among them.
    pub(crate) fn users(&self, pattern: &Pattern) -> Vec<UserInfo> {
        let mut users: Vec<_> = self
            .people
            .iter()
            .filter(|(_, person)| !person.departed)
            .filter(|(_, person)| {
                let shown = format!("{}@{}", person.name(), person.address());
                pattern.matches(&shown) || pattern.matches(&person.who.label)
            })
            .map(|(id, person)| UserInfo {
                who: (*person.who).clone(),
                present: person.present,
                me: *id == self.me,
                groups: person.record.groups.iter().map(Name::to_string).collect(),
            })
            .collect();
        users.sort_by_cached_key(|user| (name::fold(&user.who.name), user.who.label.clone()));
        users
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

    fn people_called(&self, text: &str, case_counts: bool) -> BTreeSet<PersonId> {
        if let Some((_, &person)) = self.aliases.iter().find(|(alias, _)| is(alias, text, case_counts)) {
            return BTreeSet::from([person]);
        }
        let by_id = text.parse().ok().or_else(|| self.at_address(text.parse().ok()?));
        let means = |id: PersonId, person: &Person| match text.split_once('@') {
            Some((name, place)) => {
                is(person.name(), name, case_counts) && (person.is_at(place) || id.fingerprint() == place)
            }
            None => {
                is(person.name(), text, case_counts)
                    || by_id == Some(id)
                    || (text != NO_ADDRESS && person.is_at(text))
                    || id.fingerprint() == text
            }
        };
        let called = |departed| {
            let people = self.people.iter().filter(move |(_, person)| person.departed == departed);
            people.filter(|&(id, person)| means(*id, person)).map(|(id, _)| *id).collect::<BTreeSet<_>>()
        };
        // Whoever has departed is meant only where nobody else can be: his conversation can still be read.
        let people = called(false);
        if people.is_empty() { called(true) } else { people }
    }

    fn groups_called(&self, text: &str, case_counts: bool) -> Vec<&Name> {
        let group = text.strip_prefix(GROUP).unwrap_or(text);
        self.members.keys().filter(|name| is(name, group, case_counts)).collect()
    }

    /// The shortest spelling that means this person alone, whatever aliases there are.
    fn spelling(&self, person: PersonId) -> String {
        let known = &self.people[&person];
        let name = known.name();
        if self.namesakes[&known.shown_by()].len() == 1 {
            return format!("{name}@{}", known.address());
        }
        let fingerprint = person.fingerprint();
        let alike = |other: &&PersonId| other.fingerprint() == fingerprint;
        match self.people.keys().filter(alike).count() {
            1 => format!("{name}@{fingerprint}"),
            _ => person.to_string(),
        }
    }

    fn unknown(&self, text: &str, wanted: Wanted) -> Refusal {
        let people = self.people.values().map(Person::name).chain(self.aliases.keys()).map(Name::as_str);
        let groups = self.members.keys().map(Name::as_str);
        let nearest = match wanted {
            Wanted::Anyone => name::nearest(text, people.chain(groups)),
            Wanted::Person => name::nearest(text, people),
            Wanted::Group => name::nearest(text, groups),
        };
        let (name, nearest) = (cut(text), nearest.map(str::to_owned));
        match wanted {
            Wanted::Anyone => Refusal::UnknownTarget { name, nearest },
            Wanted::Person => Refusal::UnknownUser { name, nearest },
            Wanted::Group => Refusal::UnknownGroup { group: name, nearest },
        }
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
