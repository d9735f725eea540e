//! Everybody's newest record, and what follows from them: who is in which group, who goes by which name, who is here.
//!
//! Each peer alone writes its own record; the newest version of each wins however it came, so merging needs no order and
//! all directories that have seen the same records are the same. A group exists while somebody's record names it.

mod claims;
mod lookup;
mod namesakes;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::hlc::Hlc;
use crate::name::{self, Name, SHORTEST_FINGERPRINT, TELLS_APART};
use crate::record::{BadRecord, Record, SignedRecord};
use crate::{Config, PersonId, ProcessId, Refusal, Who};

pub(crate) use lookup::{Resolved, Wanted};
use namesakes::{Looks, Namesakes};

/// The directory of one peer.
#[derive(Debug)]
pub(crate) struct Directory {
    me: PersonId,
    max_people: usize,
    max_aliases: usize,
    max_known_addresses: usize,
    people: BTreeMap<PersonId, Person>,
    members: BTreeMap<Name, BTreeSet<ProcessId>>,
    everybody: BTreeSet<ProcessId>,
    generation: u64,
    aliases: BTreeMap<Name, PersonId>,
    /// Whose keys this user has compared.
    pub(crate) verified: BTreeSet<PersonId>,
    /// Everybody by name and by alias, those who departed included: the history still shows them.
    namesakes: Namesakes,
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
    /// Every address that was theirs, as far as is known, the latest last.
    known_at: VecDeque<IpAddr>,
    /// One of them was not among them when they were told to the store.
    known_at_is_news: bool,
    who: Arc<Who>,
}

impl Person {
    fn name(&self) -> &Name {
        &self.record.name
    }

    /// The address that is told.
    fn address(&self) -> Option<IpAddr> {
        // One that others can use, if there is one.
        let listening = || self.listens_at().min_by_key(|address| (address.is_loopback(), address.is_ipv6()));
        self.seen_at.or_else(listening)
    }

    fn listens_at(&self) -> impl Iterator<Item = IpAddr> {
        self.record.addresses.iter().map(|address| address.ip().to_canonical())
    }

    /// Remembers these addresses as the latest, and as many of the others as `limit` leaves room for.
    fn note_addresses(&mut self, addresses: &[IpAddr], limit: usize) {
        for address in addresses {
            let known = self.known_at.iter().position(|known| known == address);
            self.known_at_is_news |= known.is_none();
            known.map(|at| self.known_at.remove(at));
            self.known_at.push_back(*address);
        }
        let over = self.known_at.len().saturating_sub(limit);
        self.known_at.drain(..over);
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
    /// A person is shown in another way.
    Changed(Changed),
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

/// A person has another name or address, or their name is no longer theirs alone, or is so again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Changed {
    pub(crate) person: PersonId,
    /// The person as shown before.
    pub(crate) before: Arc<Who>,
}

/// What an alias that was set has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewAlias {
    /// The alias that the person had before and has no more.
    pub(crate) replaced: Option<Name>,
    /// Who is shown in another way now.
    pub(crate) changed: Vec<Changed>,
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
            max_known_addresses: config.max_known_addresses,
            people: BTreeMap::new(),
            members: BTreeMap::new(),
            everybody: BTreeSet::new(),
            generation: 0,
            aliases: BTreeMap::new(),
            verified: BTreeSet::new(),
            namesakes: Namesakes::default(),
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
        let looks = self.looks_of(person);
        let mut news = Vec::new();
        let old = match self.people.get_mut(&person) {
            Some(known) => {
                let old = std::mem::replace(&mut known.record, record);
                known.signed = signed;
                let returns = std::mem::take(&mut known.departed);
                news.extend(self.relabel(person, &looks).into_iter().map(News::Changed));
                if returns {
                    news.push(News::Appeared(person));
                }
                (!returns).then_some(old)
            }
            None => {
                let (present, who) = (person == self.me, self.who(person));
                let (departed, seen_at, known_at, known_at_is_news) = (false, None, VecDeque::new(), false);
                let new = Person { signed, record, present, departed, seen_at, known_at, known_at_is_news, who };
                self.people.insert(person, new);
                news.push(News::Appeared(person));
                let others = self.relabel(person, &looks).into_iter().filter(|changed| changed.person != person);
                news.extend(others.map(News::Changed));
                None
            }
        };
        let known = self.people.get_mut(&person).expect("there by now");
        let addresses: Vec<IpAddr> = known.listens_at().collect();
        known.note_addresses(&addresses, self.max_known_addresses);
        let Some(old) = old else {
            self.replace_process(None, process);
            self.replace_memberships((None, &BTreeSet::new()), (process, &groups), &mut news);
            return news;
        };
        if old.process != process {
            news.push(News::Superseded(old.process));
            self.replace_process(Some(old.process), process);
        }
        self.replace_memberships((Some(old.process), &old.groups), (process, &groups), &mut news);
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
        let address = address.to_canonical();
        entry.present = true;
        entry.note_addresses(&[address], self.max_known_addresses);
        let first = entry.seen_at.replace(address).is_none();
        self.show(person);
        first
    }

    /// The addresses of `person`, the latest last, if there is one among them that was not when they were last asked for.
    pub(crate) fn new_addresses_of(&mut self, person: PersonId) -> Option<Vec<IpAddr>> {
        let known = self.people.get_mut(&person)?;
        std::mem::take(&mut known.known_at_is_news).then(|| known.known_at.iter().copied().collect())
    }

    /// What was kept of the addresses of `person`: those that are known by now are later.
    pub(crate) fn restore_addresses_of(&mut self, person: PersonId, addresses: &[IpAddr]) {
        let limit = self.max_known_addresses;
        if let Some(known) = self.people.get_mut(&person) {
            let later: Vec<IpAddr> = known.known_at.drain(..).collect();
            known.note_addresses(addresses, limit);
            known.known_at_is_news = false;
            known.note_addresses(&later, limit);
        }
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
                    None => format!("?{TELLS_APART}{}", person.fingerprint()),
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

    /// The process that was `person`'s last, gone for good or not.
    pub(crate) fn last_process_of(&self, person: PersonId) -> Option<ProcessId> {
        self.people.get(&person).map(|person| person.record.process)
    }

    /// Whether this record is the one that is known of its person. A peer that greets hands over all that it knows, so this is asked
    /// before anything is decoded.
    pub(crate) fn has(&self, signed: &SignedRecord) -> bool {
        let known = signed.person().and_then(|person| self.people.get(&person));
        known.is_some_and(|known| known.signed.bytes() == signed.bytes())
    }

    /// The record of `person`, to hand to another peer.
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

    /// Shows `person` as `alias` from now on, in place of any alias before. If another person had this alias, they have none now.
    ///
    /// # Errors
    /// [`Refusal::GroupExists`] or [`Refusal::AliasTaken`] if a group or a person goes by that name, or [`Refusal::TooMany`].
    pub(crate) fn set_alias(&mut self, person: PersonId, alias: Name) -> Result<NewAlias, Refusal> {
        if let Some(group) = self.group_called(&alias) {
            return Err(Refusal::GroupExists { group: group.to_string() });
        }
        if let Some(bearer) = self.bearer(&alias) {
            return Err(Refusal::AliasTaken { name: alias.to_string(), who: self.who(bearer).label.clone() });
        }
        if self.alias_of(person).is_none()
            && self.aliases.len() >= self.max_aliases
            && !self.aliases.contains_key(&alias)
        {
            let (limit, config) = (self.max_aliases, "max_aliases".to_owned());
            return Err(Refusal::TooMany { what: "aliases".to_owned(), limit, config });
        }
        Ok(self.put_alias(person, alias))
    }

    /// Sets an alias that was set before, whatever else goes by it now.
    pub(crate) fn put_alias(&mut self, person: PersonId, alias: Name) -> NewAlias {
        let replaced = self.alias_of(person).filter(|old| **old != alias).cloned();
        let mut changed = Vec::new();
        if let Some(&other) = self.aliases.get(&alias).filter(|&&other| other != person) {
            changed.extend(self.name_otherwise(other, |aliases| aliases.retain(|known, _| *known != alias)));
        }
        changed.extend(self.name_otherwise(person, |aliases| {
            aliases.retain(|_, whose| *whose != person);
            aliases.insert(alias, person);
        }));
        NewAlias { replaced, changed }
    }

    /// Forgets an alias. Answers whose it was, and who is shown in another way now.
    ///
    /// # Errors
    /// [`Refusal::UnknownUser`] where there is no such alias.
    pub(crate) fn remove_alias(&mut self, alias: &str) -> Result<(PersonId, Vec<Changed>), Refusal> {
        let Some(&person) = self.aliases.get(alias) else {
            let nearest = name::nearest(alias, self.aliases.keys().map(Name::as_str)).map(str::to_owned);
            return Err(Refusal::UnknownUser { name: alias.chars().take(80).collect(), nearest });
        };
        Ok((person, self.name_otherwise(person, |aliases| aliases.retain(|known, _| known.as_str() != alias))))
    }

    fn alias_of(&self, person: PersonId) -> Option<&Name> {
        self.aliases.iter().find(|&(_, whose)| *whose == person).map(|(alias, _)| alias)
    }

    fn name_otherwise(&mut self, person: PersonId, change: impl FnOnce(&mut BTreeMap<Name, PersonId>)) -> Vec<Changed> {
        let looks = self.looks_of(person);
        change(&mut self.aliases);
        self.relabel(person, &looks)
    }

    /// All that `person` can be taken for.
    fn looks_of(&self, person: PersonId) -> Looks {
        let name = self.people.get(&person).map(Person::name);
        let names = name.into_iter().chain(self.alias_of(person));
        names.flat_map(|name| namesakes::looks(name, person)).collect()
    }

    /// Shows `person`, who could be taken for `before` until now, as they are, and those who share a name with them. Answers
    /// who is shown in another way now.
    fn relabel(&mut self, person: PersonId, before: &Looks) -> Vec<Changed> {
        let after = self.looks_of(person);
        let mut people = self.namesakes.rename(person, before, &after);
        people.remove(&person);
        std::iter::once(person).chain(people).filter_map(|person| self.show(person)).collect()
    }

    /// Shows one person as they are. Answers what was shown before, if that is another thing.
    fn show(&mut self, person: PersonId) -> Option<Changed> {
        let entry = self.people.get(&person)?;
        let (name, address) = (entry.name().to_string(), entry.address().map(|address| address.to_string()));
        let called = self.alias_of(person).unwrap_or(entry.name());
        let shared = self.namesakes.fingerprint_length(person, &namesakes::looks(called, person));
        let label = match shared.or(called.looks_like_a_label().then_some(SHORTEST_FINGERPRINT)) {
            Some(length) => format!("{called}{TELLS_APART}{}", person.ending(length)),
            None => called.to_string(),
        };
        let who = Who { person, name, address, label };
        let entry = self.people.get_mut(&person).expect("looked up above");
        if *entry.who == who {
            return None;
        }
        Some(Changed { person, before: std::mem::replace(&mut entry.who, Arc::new(who)) })
    }

    /// Whether the last link to this person came from this address.
    pub(crate) fn was_seen_at(&self, person: PersonId, address: IpAddr) -> bool {
        self.people.get(&person).is_some_and(|person| person.seen_at == Some(address.to_canonical()))
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
