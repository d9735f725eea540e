//! Everybody's newest record, and what follows from them: who is in which group, who goes by which name, who is here.
//!
//! Each peer alone writes its own record; the newest version of each wins however it came, so merging needs no order and
//! all directories that have seen the same records are the same. A group exists while somebody's record names it.

mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::hlc::Hlc;
use crate::name::{self, Name};
use crate::record::{BadRecord, Record, SignedRecord};
use crate::{Config, PersonId, ProcessId, Refusal, Who};

pub(crate) use lookup::{Resolved, Wanted};

/// What is shown for an address that is not known.
const NO_ADDRESS: &str = "?";

/// The directory of one peer.
#[derive(Debug)]
pub(crate) struct Directory {
    me: PersonId,
    max_people: usize,
    max_aliases: usize,
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
    record: Record,
    present: bool,
    /// The process of this record is gone for good: it is nobody's and nowhere, but still has a name in the history.
    departed: bool,
    /// Where the person's last link came from.
    seen_at: Option<IpAddr>,
    who: Arc<Who>,
}

impl Person {
    fn name(&self) -> &Name {
        &self.record.name
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
        // One that others can use, if there is one.
        let listening = || {
            let addresses = self.record.addresses.iter().map(|address| address.ip().to_canonical());
            addresses.min_by_key(|address| (address.is_loopback(), address.is_ipv6()))
        };
        (self.name().clone(), self.seen_at.or_else(listening))
    }

    /// Older versions lose. Two records of one version, which no honest peer writes, are told apart by their bytes, so
    /// that everybody keeps the same one.
    fn is_older_than(&self, signed: &SignedRecord, record: &Record) -> bool {
        (self.record.version, self.signed.bytes()) < (record.version, signed.bytes())
    }
}

/// What a record did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Merge {
    /// It was newer than what was known, and changed this, in this order.
    Newer(Vec<News>),
    /// It was known.
    Same,
    /// A newer one was known.
    Older,
    /// It is one of my own that this process did not write, and no older than what it wrote: it has to write another one,
    /// of [`Directory::next_version`].
    OwnIsNewer,
}

/// One change of the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// Somebody of whom no record was known, or only that of a process that had departed.
    Appeared(PersonId),
    /// Somebody goes by another name, or is shown at another address.
    Changed {
        person: PersonId,
        /// The person as shown before.
        before: Arc<Who>,
    },
    /// This process was its person's and is so no more.
    Superseded(ProcessId),
    /// Nobody was in this group; the `Joined` of its first member follows.
    GroupAppeared(Name),
    Joined {
        person: PersonId,
        group: Name,
    },
    Left {
        person: PersonId,
        group: Name,
    },
    /// Nobody is in this group any more; it follows the `Left` of its last member.
    GroupGone(Name),
}

/// Why a record was not merged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotMerged {
    /// Nobody honest hands out such a record.
    #[error(transparent)]
    Bad(#[from] BadRecord),
    /// As many people are known as may be.
    #[error("{limit} people are known already, the limit (max_processes)")]
    TooMany { limit: usize },
}

impl Directory {
    /// The directory of `me`, empty. It takes `Config::max_processes` people at most, myself included: keys cost nothing, so
    /// somebody could make up any number of people.
    pub(crate) fn new(me: PersonId, config: &Config) -> Self {
        Self {
            me,
            max_people: config.max_processes,
            max_aliases: config.max_aliases,
            people: BTreeMap::new(),
            members: BTreeMap::new(),
            everybody: BTreeSet::new(),
            generation: 0,
            aliases: BTreeMap::new(),
            namesakes: BTreeMap::new(),
            own_version: Hlc::default(),
        }
    }

    /// Takes a record, however it came. Only what would change something has its signature checked: that is the slow part,
    /// and at each new link hundreds of records come that are known already.
    ///
    /// # Errors
    /// [`NotMerged`]; nothing changed.
    pub(crate) fn merge(&mut self, signed: &SignedRecord) -> Result<Merge, NotMerged> {
        let claim = signed.claim()?;
        let person = claim.process.person;
        match self.people.get(&person) {
            Some(known) if known.signed.bytes() == signed.bytes() => return Ok(Merge::Same),
            // Of my own, one of the same version was written by somebody who has my key and is not me.
            Some(known) if person == self.me && claim.version < known.record.version => return Ok(Merge::Older),
            Some(known) if person != self.me && !known.is_older_than(signed, &claim) => return Ok(Merge::Older),
            None if person != self.me && self.people.len() >= self.max_people => {
                return Err(NotMerged::TooMany { limit: self.max_people });
            }
            Some(_) | None => {}
        }
        let record = signed.verify()?;
        if person == self.me {
            self.own_version = self.own_version.max(record.version);
            return Ok(Merge::OwnIsNewer);
        }
        Ok(Merge::Newer(self.replace(signed.clone(), record)))
    }

    /// Puts my own record, which `signed` holds, in place of the one before. Its version is
    /// [`next_version`](Self::next_version).
    pub(crate) fn write_own(&mut self, signed: SignedRecord, record: Record) -> Vec<News> {
        debug_assert_eq!(record.process.person, self.me);
        debug_assert!(record.version > self.own_version, "each version is newer than the one before");
        self.own_version = record.version;
        self.replace(signed, record)
    }

    /// The version of my next record: `stamp`, or later if a record of mine as late as that is about.
    pub(crate) fn next_version(&self, stamp: Hlc) -> Hlc {
        stamp.max(self.own_version.successor())
    }

    fn replace(&mut self, signed: SignedRecord, record: Record) -> Vec<News> {
        let (process, groups) = (record.process, record.groups.clone());
        let person = process.person;
        let Some(known) = self.people.get_mut(&person) else {
            let who = self.who(person);
            let new = Person { signed, record, present: person == self.me, departed: false, seen_at: None, who };
            let shown = new.shown_by();
            self.people.insert(person, new);
            let mut news = vec![News::Appeared(person)];
            self.replace_process(None, process);
            self.replace_memberships((None, &BTreeSet::new()), (process, &groups), &mut news);
            self.show_by(person, None, shown);
            return news;
        };
        let mut news = Vec::new();
        let shown = known.shown_by();
        let old = std::mem::replace(&mut known.record, record);
        known.signed = signed;
        let now_shown = known.shown_by();
        let returns = std::mem::take(&mut known.departed);
        if shown != now_shown {
            news.push(News::Changed { person, before: Arc::clone(&known.who) });
        }
        if returns {
            news.push(News::Appeared(person));
            self.replace_process(None, process);
            self.replace_memberships((None, &BTreeSet::new()), (process, &groups), &mut news);
            self.show_by(person, Some(shown), now_shown);
            return news;
        }
        if old.process != process {
            news.push(News::Superseded(old.process));
            self.replace_process(Some(old.process), process);
        }
        self.replace_memberships((Some(old.process), &old.groups), (process, &groups), &mut news);
        self.show_by(person, Some(shown), now_shown);
        news
    }

    /// This process is gone for good, and so is its person until a record of another one comes. Answers what that changes;
    /// `None` if the process is nobody's.
    pub(crate) fn depart(&mut self, process: ProcessId) -> Option<Vec<News>> {
        let person = process.person;
        let known = self.people.get_mut(&person).filter(|known| known.record.process == process && !known.departed)?;
        if person == self.me {
            return None;
        }
        known.departed = true;
        known.present = false;
        let groups = known.record.groups.clone();
        self.generation += 1;
        self.everybody.remove(&process);
        let mut news = Vec::new();
        self.leave((process, &groups), &BTreeSet::new(), &mut news);
        Some(news)
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
        news: &mut Vec<News>,
    ) {
        for group in groups {
            let members = self.members.entry(group.clone()).or_default();
            if members.is_empty() {
                news.push(News::GroupAppeared(group.clone()));
            }
            if let Some(old) = old_process {
                members.remove(&old);
            }
            members.insert(process);
            if !old_groups.contains(group) {
                self.generation += 1;
                news.push(News::Joined { person: process.person, group: group.clone() });
            }
        }
        if let Some(old) = old_process {
            self.leave((old, old_groups), groups, news);
        }
    }

    /// A process leaves its groups, but for those that its person stays in.
    fn leave(
        &mut self,
        (old, old_groups): (ProcessId, &BTreeSet<Name>),
        groups: &BTreeSet<Name>,
        news: &mut Vec<News>,
    ) {
        for group in old_groups.difference(groups) {
            self.generation += 1;
            news.push(News::Left { person: old.person, group: group.clone() });
            let members = self.members.get_mut(group).expect("a group has members while a record names it");
            members.remove(&old);
            if members.is_empty() {
                self.members.remove(group);
                news.push(News::GroupGone(group.clone()));
            }
        }
    }

    /// There is a link to this person, from this address. Answers whether it is the first one since the start.
    pub(crate) fn set_present(&mut self, person: PersonId, address: IpAddr) -> bool {
        let Some(entry) = self.people.get_mut(&person) else { return false };
        let before = entry.shown_by();
        entry.present = true;
        let first = entry.seen_at.replace(address.to_canonical()).is_none();
        let after = entry.shown_by();
        self.show_by(person, Some(before), after);
        first
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

    /// Whether a record of `person` is or was known.
    pub(crate) fn knows(&self, person: PersonId) -> bool {
        self.people.contains_key(&person)
    }

    /// The process that is `person`'s now.
    pub(crate) fn process_of(&self, person: PersonId) -> Option<ProcessId> {
        self.people.get(&person).filter(|person| !person.departed).map(|person| person.record.process)
    }

    /// The record of `person`, to hand to somebody else.
    pub(crate) fn signed_record_of(&self, person: PersonId) -> Option<&SignedRecord> {
        self.people.get(&person).map(|person| &person.signed)
    }

    /// Everybody's record, my own included, to hand to `person`: of those who departed only his own, so that he writes one that
    /// is newer.
    pub(crate) fn records_for(&self, person: PersonId) -> impl Iterator<Item = &SignedRecord> {
        let known = self.people.iter().filter(move |(of, known)| !known.departed || **of == person);
        known.map(|(_, known)| &known.signed)
    }

    /// The processes of those who departed and have not come back.
    pub(crate) fn departed(&self) -> impl Iterator<Item = ProcessId> {
        self.people.values().filter(|person| person.departed).map(|person| person.record.process)
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

    /// Shows `person` as `alias` from now on, in place of any alias before. Whoever had this alias has it no more.
    ///
    /// # Errors
    /// [`Refusal::TooMany`], or [`Refusal::GroupExists`]: a group goes by that name.
    pub(crate) fn set_alias(&mut self, person: PersonId, alias: Name) -> Result<Arc<Who>, Refusal> {
        if let Some(group) = self.group_called(&alias) {
            return Err(Refusal::GroupExists { group: group.to_string() });
        }
        let old = self.alias_of(person).cloned();
        if old.is_none() && self.aliases.len() >= self.max_aliases && !self.aliases.contains_key(&alias) {
            let (limit, config) = (self.max_aliases, "max_aliases".to_owned());
            return Err(Refusal::TooMany { what: "aliases".to_owned(), limit, config });
        }
        if let Some(old) = old {
            self.aliases.remove(&old);
        }
        if let Some(other) = self.aliases.insert(alias, person) {
            self.relabel(other);
        }
        self.relabel(person);
        Ok(self.who(person))
    }

    /// Forgets an alias, and answers whose it was.
    ///
    /// # Errors
    /// [`Refusal::UnknownUser`] where there is no such alias.
    pub(crate) fn remove_alias(&mut self, alias: &str) -> Result<PersonId, Refusal> {
        let Some(person) = self.aliases.remove(alias) else {
            let nearest = name::nearest(alias, self.aliases.keys().map(Name::as_str)).map(str::to_owned);
            return Err(Refusal::UnknownUser { name: alias.chars().take(80).collect(), nearest });
        };
        self.relabel(person);
        Ok(person)
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
        let claims = |person: &Person| !person.departed && person.record.addresses.contains(&address);
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
