//! My own name: how it is kept and changed, and what happens if another person had it first.

use std::time::Duration;

use crate::hlc::Hlc;
use crate::name::Name;
use crate::record::{Record, SignedRecord};
use crate::store::{Saved, Store};
use crate::{Answer, Event, PersonId, Refusal, Who};

use super::commands::bad_name;
use super::{Now, Peer};

/// My claim to my name.
#[derive(Debug, Default)]
pub(super) struct Claim {
    /// See [`Record::rank`]; nothing until the first record with this name is written.
    rank: Option<u32>,
    /// See [`Record::started_as`].
    started_as: Option<Name>,
    /// The version of the newest record that was taken over from another life of mine.
    inherited: Hlc,
    /// Who had the name first, and when the user is told: what looks like it at first may be a newcomer's claim, which is made again.
    clash: Option<(PersonId, Duration)>,
    /// The user was told that another person had this name first.
    is_told: bool,
}

impl Claim {
    pub(super) fn started_as(&self) -> Option<&Name> {
        self.started_as.as_ref()
    }

    pub(super) fn next(&self) -> Option<(Duration, &'static str)> {
        let (_, at) = self.clash.filter(|_| !self.is_told)?;
        Some((at, "another person has this name"))
    }
}

impl<S: Store> Peer<S> {
    /// The rank of my claim, which is made now if it was not made before.
    pub(super) fn rank(&mut self) -> u32 {
        *self.claim.rank.get_or_insert_with(|| self.directory.rank_of_new_claim(&self.name))
    }

    /// Goes on with the name of my record as it was kept. A name that was chosen stays, until this peer is started with another one
    /// than when it was chosen.
    pub(super) fn resume_claim(&mut self, saved: &Saved) {
        self.claim.rank = None;
        let records = saved.records.iter().filter_map(|signed| signed.claim().ok());
        if let Some(record) = records.into_iter().find(|record| record.process.person == self.me.person) {
            self.follow_own(record);
        }
    }

    /// Takes over what others know of a life of mine that this store knows nothing of, because it is on another machine, was lost
    /// or was put back from a copy: the groups that I am in, and my name if I have chosen one since I was started with this one.
    pub(super) fn inherit(&mut self, records: &[SignedRecord]) {
        for signed in records {
            let Ok(record) = signed.claim() else { continue };
            if record.process.person != self.me.person
                || record.version <= self.claim.inherited
                || self.causal.roster().index(&record.process).is_some()
                || signed.verify().is_err()
            {
                continue;
            }
            self.claim.inherited = record.version;
            let before = (self.groups.len(), self.name.clone(), self.claim.rank, self.claim.started_as.clone());
            let room = self.config.max_groups.saturating_sub(self.groups.len());
            self.groups.extend(record.groups.difference(&self.groups).take(room).cloned().collect::<Vec<_>>());
            self.follow_own(record);
            let after = (self.groups.len(), self.name.clone(), self.claim.rank, self.claim.started_as.clone());
            self.record_is_stale |= before != after;
        }
    }

    fn follow_own(&mut self, Record { name, rank, started_as, .. }: Record) {
        let start = self.claim.started_as.as_ref().unwrap_or(&self.name);
        if started_as.as_ref().unwrap_or(&name) == start {
            (self.name, self.claim.started_as, self.claim.rank) = (name, started_as, Some(rank));
        } else if name == self.name {
            self.claim.rank = Some(rank);
        }
    }

    /// Whether nobody has been shown my claim before the link with these records: I know nobody, and nobody remembers me.
    pub(super) fn is_a_newcomer(&self, records: &[SignedRecord]) -> bool {
        let is_mine = |signed: &SignedRecord| signed.person() == Some(self.me.person);
        !self.directory.knows_others() && !records.iter().any(is_mine)
    }

    /// A newcomer has met another peer. A claim counts from when it is shown to others, so one that is taken by then is made again: it is
    /// later than those that it meets.
    pub(super) fn claim_among_others(&mut self) {
        let rank = self.directory.rank_of_new_claim(&self.name);
        if rank > self.rank() {
            self.claim.rank = Some(rank);
            self.record_is_stale = true;
        }
    }

    /// Takes another name.
    pub(super) fn nick(&mut self, now: Now, name: &str) -> Result<Answer, Refusal> {
        let name = Name::choose(name).map_err(bad_name)?;
        if name == self.name {
            return Err(Refusal::SameName { name: name.to_string() });
        }
        self.directory.may_be_called(&name)?;
        let before = std::mem::replace(&mut self.name, name);
        // It is the same claim if only upper or lower case differs.
        if !before.looks_like(&self.name) {
            self.claim.rank = None;
        }
        let start = self.claim.started_as.take().unwrap_or(before);
        self.claim.started_as = Some(start).filter(|start| *start != self.name);
        self.claim.is_told = false;
        let changed = self.write_own_record(now);
        let me = self.me.person;
        self.tell_changed(now, changed.iter().filter(|changed| changed.person != me));
        self.look_at_claims(now);
        self.record_is_untold = true;
        self.multicast_stale_record(now);
        Ok(Answer::Renamed { who: (*self.who()).clone() })
    }

    #[cfg(test)]
    pub(super) fn lie_about_rank(&mut self, rank: u32) {
        self.claim.rank = Some(rank);
    }

    /// Looks whether another person had my name first.
    pub(super) fn look_at_claims(&mut self, now: Now) {
        let first = self.directory.who_had_my_name_first();
        let since = self.claim.clash.map_or(now.monotonic + self.config.clash_notice, |(_, at)| at);
        self.claim.clash = first.map(|first| (first, since));
    }

    /// Asks the user for another name, once.
    pub(super) fn announce_clash(&mut self, now: Now) {
        if self.claim.next().is_some_and(|(at, _)| at <= now.monotonic)
            && let Some((first, _)) = self.claim.clash
        {
            self.claim.is_told = true;
            let who = self.directory.who(first);
            self.tell(Event::NameTaken { name: self.name.to_string(), who });
        }
    }

    /// Who had my name first, as far as the user was told.
    pub(super) fn name_taken_by(&self) -> Option<Who> {
        let (first, _) = self.claim.clash.filter(|_| self.claim.is_told)?;
        Some((*self.directory.who(first)).clone())
    }
}
