//! Who shares a name with whom, and how much of each key tells them apart.
//!
//! People share a name if their names look alike ([`name::looks`]). The fingerprint that a label shows is the end of the peer
//! id, [`SHORTEST_FINGERPRINT`] characters of it, or as many more as it takes to differ from everybody who shares the name;
//! case does not count, since few readers heed it. So a label is a function of the keys and names known, and of nothing else.

use std::collections::{BTreeMap, BTreeSet};

use crate::PersonId;
use crate::name::{self, Name, SHORTEST_FINGERPRINT, TELLS_APART};

/// All that a person is called, by its looks.
pub(super) type Looks = BTreeSet<String>;

/// Everybody, by what they are called.
#[derive(Debug, Default)]
pub(super) struct Namesakes {
    called: BTreeMap<String, BTreeSet<Ending>>,
}

/// A peer id in lower case and from its end, so that neighbours are those who have most of their ends in common.
type Ending = (String, PersonId);

impl Namesakes {
    /// `person` is called by `after` and no more by `before`. Answers those whose labels may be others now.
    pub(super) fn rename(&mut self, person: PersonId, before: &Looks, after: &Looks) -> BTreeSet<PersonId> {
        let ending = ending(person);
        let mut changed = BTreeSet::new();
        for look in before.difference(after) {
            let Some(alike) = self.called.get_mut(look) else { continue };
            changed.extend(neighbours(alike, &ending).map(|(_, person)| *person));
            alike.remove(&ending);
            if alike.is_empty() {
                self.called.remove(look);
            }
        }
        for look in after.difference(before) {
            let alike = self.called.entry(look.clone()).or_default();
            alike.insert(ending.clone());
            changed.extend(neighbours(alike, &ending).map(|(_, person)| *person));
        }
        changed
    }

    /// How many characters of the fingerprint tell `person` from everybody who is called by one of `looks`; `None` if nobody
    /// else is.
    pub(super) fn fingerprint_length(&self, person: PersonId, looks: &Looks) -> Option<usize> {
        let ending = ending(person);
        let in_common = |(other, _): &Ending| {
            let same = ending.0.bytes().zip(other.bytes()).take_while(|(one, other)| one == other);
            same.count()
        };
        let alike = looks.iter().filter_map(|look| self.called.get(look));
        let longest = alike.flat_map(|alike| neighbours(alike, &ending)).map(in_common).max()?;
        Some(SHORTEST_FINGERPRINT.max(longest + 1))
    }

    /// Those who are called by one of `looks`.
    pub(super) fn called<'a>(&self, looks: impl IntoIterator<Item = &'a String>) -> BTreeSet<PersonId> {
        let alike = looks.into_iter().filter_map(|look| self.called.get(look));
        alike.flatten().map(|(_, person)| *person).collect()
    }
}

/// Those next to a person, who have the most of the ending in common.
fn neighbours<'a>(alike: &'a BTreeSet<Ending>, ending: &Ending) -> impl Iterator<Item = &'a Ending> {
    use std::ops::Bound::{Excluded, Unbounded};
    let before = alike.range::<Ending, _>((Unbounded, Excluded(ending))).next_back();
    let behind = alike.range::<Ending, _>((Excluded(ending), Unbounded)).next();
    before.into_iter().chain(behind)
}

fn ending(person: PersonId) -> Ending {
    (name::fold(&person.to_string()).chars().rev().collect(), person)
}

/// All that a person of this name can be taken for: by the name, by name and fingerprint, and, if the name itself
/// ends like a label but for the separator (`bob.PUWe`), by the person whose label it imitates.
pub(super) fn looks(name: &Name, person: PersonId) -> Looks {
    let labelled = |front: &str, end: &str| {
        let end = name::looks(end)[0].clone();
        name::looks(front).map(|look| format!("{look}{TELLS_APART}{end}"))
    };
    let mut looks = Looks::from(name.looks());
    looks.extend(labelled(name.as_str(), &person.ending(SHORTEST_FINGERPRINT)));
    if let Some((front, end)) = name.as_str().rsplit_once(['.', '-', '_']) {
        let skipped = end.chars().count().checked_sub(SHORTEST_FINGERPRINT);
        let end = skipped.and_then(|skipped| end.char_indices().nth(skipped)).map(|(at, _)| &end[at..]);
        looks.extend(end.into_iter().flat_map(|end| labelled(front, end)));
    }
    looks
}
