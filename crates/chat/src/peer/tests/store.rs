//! A store that survives its peer, kept as simply as can be.

use std::cell::Cell;
use std::collections::BTreeMap;

use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::store::{Change, MemoryLimits, MemoryStore, Saved, Store, StoreError};
use crate::{MessageId, ProcessId};

/// Keeps messages as [`MemoryStore`] does, and if it survives also what a restart reads.
#[derive(Debug, Default)]
pub(super) struct TestStore {
    messages: MemoryStore,
    survives: bool,
    pub(super) saved: Saved,
    own: BTreeMap<u64, Kept>,
    /// All that was ever applied, if it survives.
    applied: Vec<Change>,
    /// How often messages were looked up by their clocks.
    pub(super) looked_up: Cell<usize>,
}

impl TestStore {
    pub(super) fn new(limits: MemoryLimits) -> Self {
        Self { messages: MemoryStore::new(limits), ..Self::default() }
    }

    pub(super) fn surviving() -> Self {
        Self { survives: true, ..Self::default() }
    }

    /// A copy of a store that survives.
    pub(super) fn copy(&self) -> Self {
        let mut copy = Self::surviving();
        copy.apply(&self.applied).expect("it is applied to memory");
        copy
    }

    fn delivered(&mut self, kept: &Kept) {
        self.saved.held.retain(|held| held.id() != kept.id());
        if kept.stamp().sender.position() == 0 {
            self.own.insert(kept.id().clock, kept.clone());
        }
    }

    fn keep(&mut self, change: &Change) {
        let saved = &mut self.saved;
        match change.clone() {
            Change::Process { .. } | Change::Traced(_) => {}
            Change::Reborn => {
                saved.held.clear();
                saved.delayed.clear();
                self.own.clear();
            }
            Change::Held(kept) => saved.held.push(kept),
            Change::Shown(run) => run.entries().for_each(|entry| self.delivered(&entry.kept)),
            Change::Delivered { kept } => self.delivered(&kept),
            Change::Carried(parcel) => saved.carried.push(parcel),
            Change::Dropped(kept) => saved.held.retain(|held| held.id() != kept.id()),
            Change::HandedOver { message, to } => {
                saved.carried.retain(|parcel| (parcel.message, parcel.to) != (message, to));
            }
            Change::Delayed { clock, due } => {
                saved.delayed.retain(|&(other, _)| other != clock);
                saved.delayed.extend(due.map(|due| (clock, due)));
            }
            Change::Withdrawn(kept) => drop(self.own.remove(&kept.id().clock)),
            Change::Scheduled { number, text } => {
                saved.scheduled.retain(|&(other, _)| other != number);
                saved.scheduled.extend(text.map(|text| (number, text)));
            }
            Change::Settled { up_to } => self.own.retain(|&clock, _| clock > up_to),
            Change::Causal(bytes) => saved.causal = Some(bytes),
            Change::Mind(bytes) => saved.mind = Some(bytes),
            Change::Talk { conversation, vectors } => {
                saved.talks.retain(|(other, _)| *other != conversation);
                saved.talks.push((conversation, vectors));
            }
            Change::Greeting { of, signed } => {
                saved.greetings.retain(|(other, _)| *other != of);
                saved.greetings.push((of, signed));
            }
            Change::Record(record) => {
                let person = |record: &crate::SignedRecord| record.claim().unwrap().process.person;
                saved.records.retain(|other| person(other) != person(&record));
                saved.records.push(record);
            }
            Change::Addresses { of, known } => {
                saved.addresses.retain(|(other, _)| *other != of);
                saved.addresses.push((of, known));
            }
            Change::Verified(people) => saved.verified = Some(people),
            Change::Alias { alias, person } => {
                saved.aliases.retain(|(other, _)| *other != alias);
                saved.aliases.extend(person.map(|person| (alias, person)));
            }
        }
    }
}

impl Store for TestStore {
    fn survives(&self) -> bool {
        self.survives
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        Ok(Saved { own: self.own.values().cloned().collect(), ..self.saved.clone() })
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        if self.survives {
            changes.iter().for_each(|change| self.keep(change));
            self.applied.extend_from_slice(changes);
        }
        self.messages.apply(changes)
    }

    fn contains(&self, id: MessageId) -> bool {
        self.messages.contains(id)
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        self.looked_up.set(self.looked_up.get() + 1);
        self.messages.kept_by(author, after, up_to, count)
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Entry> {
        self.messages.newest(of, before, count)
    }

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Entry> {
        self.messages.oldest(of, after, count)
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Entry> {
        self.messages.search(of, words, count)
    }
}
