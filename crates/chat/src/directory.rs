//! Everybody's newest record, and what follows from them: who is in which group, who goes by which name, who is here.
//!
//! Each peer alone writes its own record; the newest version of each wins however it came, so merging needs no order and
//! all directories that have seen the same records are the same. A group exists while somebody's record names it.

mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::hlc::Hlc;
use crate::name::Name;
use crate::record::SignedRecord;
use crate::{PersonId, ProcessId, Refusal, Who};

pub(crate) use lookup::Resolved;

/// What is shown for an address that is not known.
const NO_ADDRESS: &str = "?";

/// The directory of one peer.
#[derive(Debug)]
pub(crate) struct Directory {
    me: PersonId,
    max_people: usize,
    people: BTreeMap<PersonId, Person>,
    members: BTreeMap<Name, BTreeSet<ProcessId>>,
    everybody: BTreeSet<ProcessId>,
    generation: u64,
    aliases: BTreeMap<Name, PersonId>,
    /// Who is shown by one name at one address. Two of them are told apart by their fingerprints.
    namesakes: BTreeMap<(Name, Option<IpAddr>), BTreeSet<PersonId>>,
    /// The newest record of my own that anybody has shown me.
    own_version: Hlc,
}

#[derive(Debug)]
struct Person {
    signed: SignedRecord,
    present: bool,
    /// Where the person's last link came from.
    seen_at: Option<IpAddr>,
    who: Arc<Who>,
}

impl Person {
    fn name(&self) -> &Name {
        &self.signed.record().name
    }

    /// The address that is shown.
    fn address(&self) -> &str {
        self.who.address.as_deref().unwrap_or(NO_ADDRESS)
    }

    /// Whether this is the address that is shown, in any spelling.
    fn is_at(&self, address: &str) -> bool {
        self.address() == address || address.parse().is_ok_and(|address| self.shown_by().1 == Some(address))
    }

    /// What the person is shown by, but for alias and fingerprint.
    fn shown_by(&self) -> (Name, Option<IpAddr>) {
        let listening = || self.signed.record().addresses.first().map(|address| address.ip().to_canonical());
        (self.name().clone(), self.seen_at.or_else(listening))
    }

    /// Older versions lose. Two records of one version, which no honest peer writes, are told apart by their bytes, so
    /// that everybody keeps the same one.
    fn is_older_than(&self, signed: &SignedRecord) -> bool {
        (self.signed.record().version, self.signed.bytes()) < (signed.record().version, signed.bytes())
    }
}

/// What a record did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// It was newer than what was known, and changed this, in this order.
    Newer(Vec<Change>),
    /// It was known.
    Same,
    /// A newer one was known.
    Older,
    /// It is one of my own that this process did not write, and no older than what it wrote: it has to write another one,
    /// of [`Directory::next_version`].
    OwnIsNewer,
    /// As many people are known as may be. Nothing changed.
    Full,
}

/// One change of the directory that a person's record made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// No record of this person was known.
    Appeared,
    /// The person goes by another name.
    Renamed {
        /// The label before.
        before: String,
    },
    /// The person is shown at another address.
    Moved {
        /// The label before.
        before: String,
    },
    /// This process was the person's and is so no more.
    Superseded(ProcessId),
    /// Nobody was in this group; the `Joined` of its first member follows.
    GroupAppeared(Name),
    /// The person is in this group.
    Joined(Name),
    /// The person is in this group no more.
    Left(Name),
    /// Nobody is in this group any more; it follows the `Left` of its last member.
    GroupGone(Name),
}

impl Directory {
    /// The directory of `me`, empty. It takes `max_people` at most, myself included: keys cost nothing, so somebody could
    /// make up any number of people.
    pub(crate) fn new(me: PersonId, max_people: usize) -> Self {
        Self {
            me,
            max_people,
            people: BTreeMap::new(),
            members: BTreeMap::new(),
            everybody: BTreeSet::new(),
            generation: 0,
            aliases: BTreeMap::new(),
            namesakes: BTreeMap::new(),
            own_version: Hlc::default(),
        }
    }

    /// Whether [`merge`](Self::merge) would do nothing with this record: whoever asks first need not check the signature,
    /// which is the slow part. At each new link hundreds of records come that are known already.
    pub(crate) fn is_old(&self, signed: &SignedRecord) -> bool {
        match self.people.get(&signed.record().process.person) {
            Some(known) if signed.bytes() == known.signed.bytes() => true,
            Some(known) if signed.record().process.person == self.me => {
                // Of my own, one of the same version was written by somebody who has my key and is not me.
                signed.record().version < known.signed.record().version
            }
            Some(known) => !known.is_older_than(signed),
            None => false,
        }
    }

    /// Takes a record, however it came, that is [`verify`](SignedRecord::verify)ed.
    pub(crate) fn merge(&mut self, signed: SignedRecord) -> Merge {
        let person = signed.record().process.person;
        if self.is_old(&signed) {
            let same = self.people.get(&person).is_some_and(|known| known.signed.bytes() == signed.bytes());
            return if same { Merge::Same } else { Merge::Older };
        }
        if person == self.me {
            self.own_version = self.own_version.max(signed.record().version);
            return Merge::OwnIsNewer;
        }
        if self.people.len() >= self.max_people && !self.people.contains_key(&person) {
            return Merge::Full;
        }
        Merge::Newer(self.replace(signed))
    }

    /// Puts my own record in place of the one before. Its version is [`next_version`](Self::next_version).
    pub(crate) fn write_own(&mut self, signed: SignedRecord) -> Vec<Change> {
        debug_assert_eq!(signed.record().process.person, self.me);
        debug_assert!(signed.record().version > self.own_version, "each version is newer than the one before");
        self.own_version = signed.record().version;
        self.replace(signed)
    }

    /// The version of my next record: `stamp`, or later if a record of mine as late as that is about.
    pub(crate) fn next_version(&self, stamp: Hlc) -> Hlc {
        stamp.max(self.own_version.successor())
    }

    fn replace(&mut self, signed: SignedRecord) -> Vec<Change> {
        let (process, groups) = (signed.record().process, signed.record().groups.clone());
        let person = process.person;
        let Some(known) = self.people.get_mut(&person) else {
            let new = Person { signed, present: person == self.me, seen_at: None, who: self.who(person) };
            let shown = new.shown_by();
            self.people.insert(person, new);
            let mut changes = vec![Change::Appeared];
            self.replace_process(None, process);
            self.replace_memberships((None, &BTreeSet::new()), (process, &groups), &mut changes);
            self.show_by(person, None, shown);
            return changes;
        };
        let mut changes = Vec::new();
        let shown = known.shown_by();
        let old = std::mem::replace(&mut known.signed, signed);
        let now_shown = known.shown_by();
        let before = known.who.label.clone();
        if shown.0 != now_shown.0 {
            changes.push(Change::Renamed { before });
        } else if shown.1 != now_shown.1 {
            changes.push(Change::Moved { before });
        }
        let old = (old.record().process, &old.record().groups);
        if old.0 != process {
            changes.push(Change::Superseded(old.0));
            self.replace_process(Some(old.0), process);
        }
        self.replace_memberships((Some(old.0), old.1), (process, &groups), &mut changes);
        self.show_by(person, Some(shown), now_shown);
        changes
    }

    fn replace_process(&mut self, old: Option<ProcessId>, new: ProcessId) {
        self.generation += 1;
        if let Some(old) = old {
            self.everybody.remove(&old);
        }
        self.everybody.insert(new);
    }

    fn replace_memberships(
        &mut self,
        (old_process, old_groups): (Option<ProcessId>, &BTreeSet<Name>),
        (process, groups): (ProcessId, &BTreeSet<Name>),
        changes: &mut Vec<Change>,
    ) {
        for group in groups {
            let members = self.members.entry(group.clone()).or_default();
            if members.is_empty() {
                changes.push(Change::GroupAppeared(group.clone()));
            }
            if let Some(old) = old_process {
                members.remove(&old);
            }
            members.insert(process);
            if !old_groups.contains(group) {
                self.generation += 1;
                changes.push(Change::Joined(group.clone()));
            }
        }
        for group in old_groups.difference(groups) {
            self.generation += 1;
            changes.push(Change::Left(group.clone()));
            let members = self.members.get_mut(group).expect("a group has members while a record names it");
            members.retain(|member| Some(*member) != old_process);
            if members.is_empty() {
                self.members.remove(group);
                changes.push(Change::GroupGone(group.clone()));
            }
        }
    }

    /// There is a link to this person, from this address.
    pub(crate) fn set_present(&mut self, person: PersonId, address: IpAddr) {
        let Some(entry) = self.people.get_mut(&person) else { return };
        let before = entry.shown_by();
        entry.present = true;
        entry.seen_at = Some(address.to_canonical());
        let after = entry.shown_by();
        self.show_by(person, Some(before), after);
    }

    /// There is no link to this person any more.
    pub(crate) fn set_absent(&mut self, person: PersonId) {
        if let Some(entry) = self.people.get_mut(&person) {
            entry.present = false;
        }
    }

    /// The person as shown. Before anything is known of somebody the name is `?`.
    pub(crate) fn who(&self, person: PersonId) -> Arc<Who> {
        match self.people.get(&person) {
            Some(known) => Arc::clone(&known.who),
            None => Arc::new(Who {
                person,
                name: "?".to_owned(),
                address: None,
                label: match self.alias_of(person) {
                    Some(alias) => alias.to_string(),
                    None => format!("? ({})", person.fingerprint()),
                },
            }),
        }
    }

    /// The process that is `person`'s now.
    pub(crate) fn process_of(&self, person: PersonId) -> Option<ProcessId> {
        self.record(person).map(|signed| signed.record().process)
    }

    /// The record of `person`.
    pub(crate) fn record(&self, person: PersonId) -> Option<&SignedRecord> {
        self.people.get(&person).map(|person| &person.signed)
    }

    /// Everybody's record, my own included, to hand to somebody else.
    pub(crate) fn records(&self) -> impl Iterator<Item = &SignedRecord> {
        self.people.values().map(|person| &person.signed)
    }

    /// Everybody's process, my own included.
    pub(crate) fn everybody(&self) -> impl Iterator<Item = ProcessId> {
        self.everybody.iter().copied()
    }

    /// The processes of a group's members, my own included; none where there is no such group.
    pub(crate) fn members(&self, group: &Name) -> impl Iterator<Item = ProcessId> {
        self.members.get(group).into_iter().flatten().copied()
    }

    /// Changes whenever [`everybody`](Self::everybody), [`members`](Self::members) or
    /// [`process_of`](Self::process_of) answer otherwise than before.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// This user's aliases.
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (&Name, PersonId)> {
        self.aliases.iter().map(|(alias, &person)| (alias, person))
    }

    /// Shows `person` as `alias` from now on, in place of any alias before. Whoever had this alias has it no more.
    ///
    /// # Errors
    /// [`Refusal::GroupExists`]: a group goes by that name.
    pub(crate) fn set_alias(&mut self, alias: Name, person: PersonId) -> Result<(), Refusal> {
        if self.members.contains_key(&alias) {
            return Err(Refusal::GroupExists { group: alias.to_string() });
        }
        if let Some(old) = self.alias_of(person).cloned() {
            self.aliases.remove(&old);
        }
        if let Some(other) = self.aliases.insert(alias, person) {
            self.relabel(other);
        }
        self.relabel(person);
        Ok(())
    }

    /// Forgets an alias, and answers whose it was.
    pub(crate) fn remove_alias(&mut self, alias: &Name) -> Option<PersonId> {
        let person = self.aliases.remove(alias)?;
        self.relabel(person);
        Some(person)
    }

    fn alias_of(&self, person: PersonId) -> Option<&Name> {
        self.aliases.iter().find(|&(_, whose)| *whose == person).map(|(alias, _)| alias)
    }

    /// `person` is shown by another name or address than before: so are, perhaps, those who share the one or the other.
    fn show_by(&mut self, person: PersonId, before: Option<(Name, Option<IpAddr>)>, after: (Name, Option<IpAddr>)) {
        let mut changed = BTreeSet::from([person]);
        if before.as_ref() != Some(&after) {
            if let Some(before) = before {
                let left = self.namesakes.get_mut(&before).expect("whoever is shown is in its set");
                left.remove(&person);
                match left.len() {
                    0 => drop(self.namesakes.remove(&before)),
                    1 => changed.extend(left.iter()),
                    2.. => {}
                }
            }
            let joined = self.namesakes.entry(after).or_default();
            joined.insert(person);
            if joined.len() == 2 {
                changed.extend(joined.iter());
            }
        }
        for person in changed {
            self.relabel(person);
        }
    }

    fn relabel(&mut self, person: PersonId) {
        let Some(entry) = self.people.get(&person) else { return };
        let shown = entry.shown_by();
        let (name, address) = (shown.0.to_string(), shown.1.map(|address| address.to_string()));
        let label = match self.alias_of(person) {
            Some(alias) => alias.to_string(),
            None => {
                // An alias has no `@` in it, so nobody can take one for himself.
                let label = format!("{name}@{}", address.as_deref().unwrap_or(NO_ADDRESS));
                let alone = self.namesakes[&shown].len() == 1;
                if alone { label } else { format!("{label} ({})", person.fingerprint()) }
            }
        };
        let who = Who { person, name, address, label };
        let entry = self.people.get_mut(&person).expect("looked up above");
        if *entry.who != who {
            entry.who = Arc::new(who);
        }
    }

    /// Whoever listens at this address, as the records have it: of several who claim to, the one whose link comes from
    /// there.
    pub(crate) fn at_address(&self, address: SocketAddr) -> Option<PersonId> {
        let claims = |person: &Person| person.signed.record().addresses.contains(&address);
        let is_there = |person: &Person| person.seen_at == Some(address.ip().to_canonical()) && person.present;
        let mut claimants = self.people.iter().filter(|&(_, person)| claims(person));
        let mut there = claimants.clone().filter(|&(_, person)| is_there(person));
        match (there.next(), there.next()) {
            (Some((&person, _)), None) => Some(person),
            (Some(_), Some(_)) => None,
            (None, _) => claimants.next().filter(|_| claimants.next().is_none()).map(|(&person, _)| person),
        }
    }
}

#[cfg(test)]
mod tests;
