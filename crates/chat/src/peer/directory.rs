//! What a change of the directory does: to the user, to newcomers, and to the causal order.

use crate::body;
use crate::directory::{Changed, Merge, News};
use crate::history::Conversation;
use crate::record::{MAX_ADDRESSES, Record, SignedRecord};
use crate::store::{Change, Store};
use crate::{Event, Journal, PersonId, ProcessId};

use super::departure::BEGINS_ANEW;
use super::{Now, Peer};

impl<S: Store> Peer<S> {
    /// Writes and signs my record as it now is. Answers who is shown in another way now.
    pub(super) fn write_own_record(&mut self, now: Now) -> Vec<Changed> {
        let rank = self.rank();
        let stamp = self.clock.tick(now.unix_micros);
        let record = Record {
            process: self.me,
            name: self.name.clone(),
            groups: self.groups.clone(),
            addresses: self.addresses.iter().copied().take(MAX_ADDRESSES).collect(),
            version: self.directory.next_version(stamp),
            rank,
            started_as: self.claim.started_as().cloned(),
        };
        let signed = SignedRecord::sign(&self.identity, &record);
        self.record_is_stale = false;
        self.record_is_untold = false;
        self.effects.durable.push(Change::Record(signed.clone()));
        // What else changes in my own record was my own doing: the answer to the command says so.
        let changed = |news| if let News::Changed(changed) = news { Some(changed) } else { None };
        self.directory.write_own(signed, record).into_iter().filter_map(changed).collect()
    }

    /// Writes my record if it changed, and tells everybody.
    ///
    /// Of its own accord a peer that was started again stamps nothing before somebody has shown it that its store is not older
    /// than what it signed: the clock might have been used. Until then the record goes along with greetings.
    pub(super) fn multicast_stale_record(&mut self, now: Now) {
        if self.record_is_stale {
            let changed = self.write_own_record(now);
            let is_news = |changed: &&Changed| changed.before.name != self.directory.who(changed.person).name;
            let changed: Vec<_> = changed.iter().filter(|c| c.person != self.me.person || is_news(c)).collect();
            self.tell_changed(now, changed);
            self.look_at_claims(now);
            self.record_is_untold = true;
        }
        if self.deleted || !self.record_is_untold || (self.ledger.went_on() && self.link_of.is_empty()) {
            return;
        }
        self.record_is_untold = false;
        let dests = self.dests(&Conversation::All);
        if !dests.is_empty()
            && let Some(body) = self.directory.signed_record_of(self.me.person).map(body::record)
        {
            self.multicast(&dests, &body, None, None, None);
        }
    }

    /// Takes records, however they came.
    pub(super) fn merge_records(&mut self, now: Now, records: Vec<SignedRecord>) {
        for signed in records {
            if self.is_of_a_forgotten(&signed) {
                continue;
            }
            match self.directory.merge(&signed) {
                Ok(Merge::Newer(news)) => {
                    let record = signed.claim().expect("it was merged, so it is one");
                    // What its author says next may answer what I say now. (A version that no stamp reaches still orders that
                    // person's records.)
                    self.clock.observe(now.unix_micros, record.version);
                    self.effects.durable.push(Change::Record(signed));
                    self.keep_addresses_of(record.process.person);
                    if let Some(index) = self.causal.roster().index(&record.process) {
                        self.note_seen(index);
                    }
                    self.take_news(now, record.process, news);
                }
                Ok(Merge::OwnIsNewer) => self.record_is_stale = true,
                Ok(Merge::Same | Merge::Older) => {}
                Err(_) => self.repair.refused += 1,
            }
        }
        self.look_at_claims(now);
    }

    pub(super) fn take_news(&mut self, now: Now, process: ProcessId, news: Vec<News>) {
        let mut newcomer_to: Vec<Conversation> = Vec::new();
        for news in news {
            match news {
                News::Appeared(person) => {
                    newcomer_to.extend([Conversation::All, Conversation::Direct(person)]);
                    newcomer_to.extend(self.talks.among_several(person, self.config.max_welcomed));
                }
                News::Superseded(old) => {
                    newcomer_to.extend([Conversation::All, Conversation::Direct(process.person)]);
                    newcomer_to.extend(self.talks.among_several(process.person, self.config.max_welcomed));
                    newcomer_to.extend(self.shared_groups(process));
                    self.forget(now, old);
                    // It may be the older record that has the newer stamp, of a clock that was ahead: then who is here is the
                    // one to begin anew. Otherwise the link is a dead one.
                    if let Some(index) = self.causal.roster().index(&old) {
                        self.part_with(index, old, Some(BEGINS_ANEW));
                    }
                }
                News::Changed(changed) => self.tell_changed(now, [&changed]),
                News::Joined { person, group } => {
                    if self.groups.contains(&group) {
                        newcomer_to.push(Conversation::Group(group.clone()));
                    }
                    let who = self.directory.who(person);
                    self.tell(Event::GroupJoined { group: group.to_string(), who });
                }
                News::Left { person, group } => {
                    let who = self.directory.who(person);
                    self.tell(Event::GroupLeft { group: group.to_string(), who });
                }
                News::GroupAppeared(group) => {
                    let by = self.directory.who(process.person);
                    self.tell(Event::GroupAppeared { group: group.to_string(), by });
                }
                News::GroupGone(group) => self.tell(Event::GroupGone { group: group.to_string() }),
            }
        }
        newcomer_to.sort();
        newcomer_to.dedup();
        self.welcome(process, &newcomer_to);
    }

    /// Keeps where a person is, so that a restart does not forget it.
    pub(super) fn keep_addresses_of(&mut self, person: PersonId) {
        if let Some(known) = self.directory.new_addresses_of(person) {
            self.effects.durable.push(Change::Addresses { of: person, known });
        }
    }

    fn shared_groups(&self, process: ProcessId) -> Vec<Conversation> {
        let shared = self.groups.iter().filter(|group| self.directory.members(group).any(|member| member == process));
        shared.cloned().map(Conversation::Group).collect()
    }

    /// A process is gone for good: it is never addressed again, and nobody waits for what it should have had.
    pub(super) fn forget(&mut self, now: Now, process: ProcessId) {
        let Some(index) = self.causal.roster().index(&process) else { return };
        if self.causal.forgotten().contains(index) {
            return;
        }
        // What was said in this turn is addressed to it still.
        self.flush(now);
        self.causal.forget(index);
        self.ledger.causal_moved = true;
        self.outbox.forget(index);
        self.gate.owe_nothing(index);
        self.note_seen(index);
        self.note_spread();
        self.journal(Journal::Forget { process });
    }
}
