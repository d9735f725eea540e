//! *The directory converges*: once the network has healed, every peer knows all people who are there, by the right name
//! and as present, and all peers see the same groups with the same members.
//!
//! Source: the rule of `chat::directory`: the newest version of each record wins, however it came. So membership needs
//! no consensus, and it heals after any partition.

use std::collections::{BTreeMap, BTreeSet};

use super::{Invariant, Rest, Verdict};

pub(super) struct Directory;

impl Invariant for Directory {
    fn name(&self) -> &'static str {
        "the directory converges"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let mut truth: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for standing in rest.people.values() {
            for group in standing.lineage.groups.keys() {
                truth.entry(group).or_default().insert(&standing.name);
            }
        }
        let alive: BTreeSet<&str> = rest.people.values().map(|standing| &*standing.name).collect();
        for (who, standing) in &rest.people {
            for other in rest.people.values() {
                let known = standing.users.get(&other.process.person);
                if known.is_none_or(|(name, present)| *name != other.name || !present) {
                    return Err(format!("p{who} takes {} for {known:?} (name, present)", other.name));
                }
            }
            for (group, members) in &truth {
                let seen = standing.groups.get(*group);
                let seen: BTreeSet<&str> = seen.into_iter().flatten().map(|name| &**name).collect();
                let seen: BTreeSet<&str> = seen.intersection(&alive).copied().collect();
                if seen != *members {
                    return Err(format!("p{who} sees {seen:?} in the group {group}; its members are {members:?}"));
                }
            }
            for (group, members) in &standing.groups {
                let living = members.iter().any(|member| alive.contains(&**member));
                if living && !truth.contains_key(&**group) {
                    return Err(format!("p{who} sees {members:?} in the group {group}, which has no members"));
                }
            }
        }
        Ok(())
    }
}
