//! Departure: a process that is gone for good leaves the causal order, by a causal multicast of a tombstone.
//!
//! A tombstone is final. Whoever delivers one forgets the process, though he may have a link to it that its author lacks: who
//! has forgotten it says to others what no longer mentions it, so one who went on addressing it could tell it an answer without
//! the question. Since the tombstone is a causal message, whoever still addresses the process knows nothing yet that
//! comes after the tombstone; so up to its end the old incarnation is told everything in order. It learns from whoever has
//! forgotten it, over the link they have or at the next one, begins anew as another incarnation, and fetches what it missed; all
//! that a mistake costs is that. The reasons in full: `docs/departure.md`.

use std::collections::BTreeMap;
use std::time::Duration;

use causal::Index;

use crate::body;
use crate::directory::{Resolved, Wanted};
use crate::frame::Control;
use crate::history::Conversation;
use crate::record::{Record, SignedRecord};
use crate::store::Store;
use crate::{Answer, Event, LinkId, PersonId, ProcessId, Refusal};

use super::anew::Anew;
use super::{BadFrame, Now, Peer};

/// How often those who are away are counted. What is counted survives a restart in whole ticks.
const TICK: Duration = Duration::from_secs(600);

/// Why a process that was forgotten, and is here, is so no more.
pub(super) const BEGINS_ANEW: &str = "it was forgotten, and begins anew";

/// Who is away, and for how long.
#[derive(Debug, Default)]
pub(super) struct Absent {
    /// For how many ticks, with others around, nothing was seen of a process. Time by no clock: one that was set wrong, or
    /// a holiday of this peer's own, makes nobody forgotten.
    unseen: BTreeMap<Index, u32>,
    next: Duration,
    /// When this peer last believed that it was forgotten.
    reborn: Option<Duration>,
}

impl Absent {
    pub(super) fn unseen(&self) -> impl Iterator<Item = (Index, u32)> {
        self.unseen.iter().map(|(&process, &ticks)| (process, ticks))
    }

    pub(super) fn go_on_counting(&mut self, unseen: BTreeMap<Index, u32>) {
        self.unseen = unseen;
    }

    /// Nobody is numbered as before.
    pub(super) fn begin_anew(&mut self) {
        self.unseen.clear();
    }
}

impl<S: Store> Peer<S> {
    /// Forgets somebody for everybody, as the user asks.
    pub(super) fn forget_person(&mut self, now: Now, person: &str) -> Result<Answer, Refusal> {
        let Resolved::Person(person) = self.directory.resolve(person, Wanted::Person)? else {
            return Err(Refusal::UnknownUser { name: person.to_owned(), nearest: None });
        };
        let who = self.directory.who(person);
        let label = || who.label.clone();
        let process = self.directory.process_of(person).ok_or_else(|| Refusal::Departed { who: label() })?;
        let index = self.causal.roster().index(&process);
        if process == self.me || index.is_some_and(|index| self.link_of.contains_key(&index)) {
            return Err(Refusal::Present { who: label() });
        }
        self.bury(now, process);
        Ok(Answer::Forgotten { who: (*who).clone() })
    }

    /// Tells everybody that a process is gone for good, and forgets it.
    fn bury(&mut self, now: Now, process: ProcessId) {
        let mut dests = self.dests(&Conversation::All);
        if let Some(index) = self.causal.roster().index(&process) {
            dests.remove(index);
        }
        if !dests.is_empty() {
            self.welcome_unaddressed(&dests);
            self.multicast(&dests, &body::tombstone(process), None, None, None);
        }
        self.depart(now, process);
    }

    /// A process says that another one is gone for good, or that it is itself: then its person has deleted the account.
    pub(super) fn take_tombstone(&mut self, now: Now, author: ProcessId, process: ProcessId) {
        // It is addressed to all others; whoever forgot me says so at the next link.
        if process == self.me {
            return;
        }
        // An old record of an unknown person may still come from a peer that lacks the tombstone.
        let Some(index) = self.number_of_hearsay(process) else { return };
        let is_news = self.directory.process_of(process.person) == Some(process);
        self.depart(now, process);
        let is_deleted = author == process;
        // A person who says so of another process of theirs goes on as the newer one.
        if is_news && (is_deleted || author.person != process.person) {
            let (who, by) = (self.directory.who(process.person), self.directory.who(author.person));
            self.tell(Event::Forgotten { who, by });
        }
        self.part_with(index, process, (!is_deleted).then_some(BEGINS_ANEW));
    }

    /// The number of a process that a peer speaks of, a new one if there is room. Half of the roster is kept for the processes that
    /// people's records name: so nobody fills it with processes that were made up.
    pub(super) fn number_of_hearsay(&mut self, process: ProcessId) -> Option<Index> {
        let roster = self.causal.roster();
        if let Some(index) = roster.index(&process) {
            return Some(index);
        }
        let is_on_record = self.directory.process_of(process.person) == Some(process);
        if !is_on_record && roster.len() >= self.config.max_processes / 2 {
            return None;
        }
        self.causal.intern(process).ok()
    }

    /// A process that was forgotten may be here: it is told so, and listened to no more. The user is told that it is here no more, if there
    /// is a reason to tell.
    pub(super) fn part_with(&mut self, index: Index, process: ProcessId, reason: Option<&str>) {
        if let Some(link) = self.link_of.remove(&index) {
            if !self.link_of.keys().any(|&other| self.person_of(other) == process.person) {
                self.directory.set_absent(process.person);
                if let Some(reason) = reason {
                    let who = self.directory.who(process.person);
                    self.tell(Event::PeerDown { who, reason: reason.to_owned() });
                }
            }
            self.dismiss(link, process);
        }
    }

    fn depart(&mut self, now: Now, process: ProcessId) {
        self.forget(now, process);
        if let Some(news) = self.directory.depart(process) {
            self.take_news(now, process, news);
            self.look_at_claims(now);
        }
    }

    /// Tells the process at the other end that it was forgotten, and listens to it no more.
    pub(super) fn dismiss(&mut self, link_id: LinkId, process: ProcessId) {
        if let Some(link) = self.links.get_mut(&link_id) {
            link.dismissed = true;
            link.process = None;
            self.send_control(link_id, &Control::Forgotten { process });
        }
    }

    /// Whoever is at the other end has forgotten this process.
    ///
    /// # Errors
    /// [`BadFrame`] if this peer has begun anew just before: somebody wants to keep it at that.
    pub(super) fn handle_forgotten(&mut self, now: Now, by: PersonId, process: ProcessId) -> Result<(), BadFrame> {
        if process != self.me {
            return Ok(());
        }
        let interval = self.config.rebirth_interval;
        if self.absent.reborn.is_some_and(|reborn| now.monotonic < reborn + interval) {
            return Err(BadFrame("it has forgotten this peer again, too soon to be believed".to_owned()));
        }
        self.absent.reborn = Some(now.monotonic);
        let by = self.directory.who(by).label.clone();
        self.begin_anew(now, &Anew::Forgotten { by });
        Ok(())
    }

    /// Whether a record that I signed is newer than the one that this store had when this run began, and names a process that it does not
    /// know: then the store was put back to before I began anew as that process, and others have forgotten this one since.
    pub(super) fn was_superseded(&mut self, records: &[SignedRecord]) -> bool {
        let is_of_since = |record: &Record| {
            record.process.person == self.me.person
                && record.version > self.ledger.version_at_start
                && self.causal.roster().index(&record.process).is_none()
        };
        let of_since = records.iter().find(|signed| signed.claim().is_ok_and(|record| is_of_since(&record)));
        let was_superseded = self.ledger.went_on() && of_since.is_some_and(|signed| signed.verify().is_ok());
        if let Some(signed) = of_since.filter(|_| was_superseded) {
            // What I write next is to be newer still.
            drop(self.directory.merge(signed));
        }
        was_superseded
    }

    /// Whether this is the record of a process that was forgotten: then it brings nobody back. My own are another matter.
    pub(super) fn is_of_a_forgotten(&self, signed: &SignedRecord) -> bool {
        let Ok(record) = signed.claim() else { return false };
        let index = self.causal.roster().index(&record.process);
        record.process.person != self.me.person && index.is_some_and(|index| self.causal.forgotten().contains(index))
    }

    /// A sign of life.
    pub(super) fn note_seen(&mut self, process: Index) {
        if !self.absent.unseen.is_empty() {
            self.absent.unseen.remove(&process);
        }
    }

    /// Somebody is here: if nobody was, the time that the others are away begins now.
    pub(super) fn note_company(&mut self, now: Now) {
        if self.link_of.is_empty() {
            self.absent.next = now.monotonic + TICK;
        }
    }

    pub(super) fn next_count_of_absent(&self) -> Option<(Duration, &'static str)> {
        (!self.link_of.is_empty()).then_some((self.absent.next, "those who are away are counted"))
    }

    /// Counts those who are away while others are here, and forgets whoever has been for too long.
    pub(super) fn count_absent(&mut self, now: Now) {
        if self.deleted || self.link_of.is_empty() || now.monotonic < self.absent.next {
            return;
        }
        self.absent.next = now.monotonic + TICK;
        let everybody = self.dests(&Conversation::All);
        let linked = self.link_of.keys().copied().collect();
        let mut gone = Vec::new();
        for process in everybody.difference(&linked).iter() {
            let ticks = self.absent.unseen.entry(process).or_default();
            *ticks += 1;
            if TICK * *ticks >= self.config.forget_after {
                gone.push(*self.causal.roster().id(process));
            }
        }
        for process in gone {
            self.bury(now, process);
            let (who, by) = (self.directory.who(process.person), self.directory.who(self.me.person));
            self.tell(Event::Forgotten { who, by });
        }
    }
}
