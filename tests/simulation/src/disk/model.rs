//! A store that is obviously right: everything is in maps, which are searched from end to end. It survives its process.
//! A copy of it stands for a copy of the file.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::net::IpAddr;

use bytes::Bytes;
use chat::{
    Change, Conversation, Entry as Shown, Filed, Kept, MessageId, Name, Parcel, PersonId, ProcessId, Saved,
    SignedRecord, SortKey, Store, StoreError,
};

/// What a message is here.
#[derive(Clone, Debug)]
enum Role {
    Shown(Box<Shown>),
    Delivered(Kept),
    Held(Kept),
}

impl Role {
    fn kept(&self) -> &Kept {
        match self {
            Self::Shown(entry) => &entry.kept,
            Self::Delivered(kept) | Self::Held(kept) => kept,
        }
    }

    fn is_delivered(&self) -> bool {
        matches!(self, Self::Shown(_) | Self::Delivered(_))
    }
}

/// The store.
#[derive(Clone, Debug, Default)]
pub struct ModelStore {
    processes: BTreeMap<u32, ProcessId>,
    causal: Option<Bytes>,
    mind: Option<Bytes>,
    talks: BTreeMap<Conversation, Bytes>,
    greetings: BTreeMap<ProcessId, Bytes>,
    records: BTreeMap<PersonId, SignedRecord>,
    addresses: BTreeMap<PersonId, Vec<IpAddr>>,
    aliases: BTreeMap<Name, PersonId>,
    verified: Option<Bytes>,
    messages: BTreeMap<MessageId, Role>,
    carried: Vec<Parcel>,
    /// The held-back messages in the order in which they came.
    order: Vec<MessageId>,
    /// The process that this one is: the author of its own messages.
    me: Option<ProcessId>,
    settled: u64,
    delayed: BTreeMap<u64, i64>,
    scheduled: BTreeMap<u64, Bytes>,
    batches: u64,
}

impl ModelStore {
    /// The messages that it keeps although no peer needs them once all have everything. For each, its role in the
    /// store.
    pub fn in_vain(&self) -> Vec<(MessageId, &'static str)> {
        let aside = self.messages.iter().filter(|(_, role)| !role.is_delivered());
        let aside = aside.map(|(&id, role)| (id, if matches!(role, Role::Held(_)) { "held" } else { "carried" }));
        let own = self.own().into_iter().map(|kept| (kept.id(), "unsettled"));
        aside.chain(own).collect()
    }

    fn own(&self) -> Vec<Kept> {
        let mine = self.messages.iter().filter(|(id, _)| Some(id.process) == self.me && id.clock > self.settled);
        mine.map(|(_, role)| role.kept().clone()).collect()
    }

    fn file(&mut self, kept: &Kept) {
        if kept.batch_number().is_none() {
            self.batches += 1;
            kept.file_batch(self.batches);
        }
        if kept.author_number() == 0 {
            self.me = Some(kept.id().process);
        }
    }

    fn put(&mut self, role: Role) {
        let kept = role.kept().clone();
        self.file(&kept);
        let id = kept.id();
        // A delivered message stays delivered.
        if self.messages.get(&id).is_none_or(|before| !before.is_delivered()) {
            self.order.retain(|held| *held != id);
            if matches!(role, Role::Held(_)) {
                self.order.push(id);
            }
            self.messages.insert(id, role);
        }
    }

    /// Begins a new life: the process that this one was wrote everything so far, and has a number among the others now.
    fn reborn(&mut self) -> Result<(), StoreError> {
        self.messages.retain(|_, role| !matches!(role, Role::Held(_)));
        self.order.clear();
        self.delayed.clear();
        self.settled = 0;
        self.me = None;
        let former = self.processes.keys().next_back().copied();
        self.reread(former)
    }

    /// Reads everything as a store reads it from its file, where nothing is shared with the writer.
    fn reread(&mut self, former: Option<u32>) -> Result<(), StoreError> {
        let count = self.processes.len() + 1;
        let mut batches: BTreeMap<u64, BTreeMap<MessageId, Kept>> = BTreeMap::new();
        for (id, role) in &mut self.messages {
            let kept = role.kept();
            let batch = match batches.entry(kept.batch_number().unwrap_or_default()) {
                Entry::Occupied(read) => read.into_mut(),
                Entry::Vacant(free) => free.insert(reread(kept, former, count)?),
            };
            let kept = batch.get(id).cloned().ok_or_else(|| unreadable("it is not there"))?;
            match role {
                Role::Shown(entry) => entry.kept = kept,
                Role::Delivered(of) | Role::Held(of) => *of = kept,
            }
        }
        Ok(())
    }
}

fn unreadable(reason: impl ToString) -> StoreError {
    StoreError::Unreadable { reason: reason.to_string() }
}

/// The messages of a batch, read back from the bytes that a store would have filed.
fn reread(kept: &Kept, former: Option<u32>, processes: usize) -> Result<BTreeMap<MessageId, Kept>, StoreError> {
    let mask = kept.places_here();
    let siblings = (0..64).filter(|place| mask & (1 << place) != 0).filter_map(|place| kept.sibling(place));
    let filed = siblings.map(|sibling| {
        let mut stamp = Vec::new();
        sibling.stamp_bytes(&mut stamp);
        Filed { place: sibling.place(), stamp, body: Bytes::copy_from_slice(sibling.body()) }
    });
    let number = kept.batch_number().unwrap_or_default();
    let read = Kept::read(number, &kept.batch_head(), filed.collect(), former, processes).map_err(unreadable)?;
    Ok(read.into_iter().map(|kept| (kept.id(), kept)).collect())
}

impl Store for ModelStore {
    fn survives(&self) -> bool {
        true
    }

    fn load(&mut self) -> Result<Saved, StoreError> {
        self.reread(None)?;
        Ok(Saved {
            causal: self.causal.clone(),
            mind: self.mind.clone(),
            talks: self.talks.iter().map(|(of, bytes)| (of.clone(), bytes.clone())).collect(),
            greetings: self.greetings.iter().map(|(&of, bytes)| (of, bytes.clone())).collect(),
            records: self.records.values().cloned().collect(),
            addresses: self.addresses.iter().map(|(&person, known)| (person, known.clone())).collect(),
            verified: self.verified.clone(),
            aliases: self.aliases.iter().map(|(alias, &person)| (alias.clone(), person)).collect(),
            held: self.order.iter().map(|id| self.messages[id].kept().clone()).collect(),
            carried: self.carried.clone(),
            own: self.own(),
            delayed: self.delayed.iter().map(|(&clock, &due)| (clock, due)).collect(),
            scheduled: self.scheduled.iter().map(|(&number, text)| (number, text.clone())).collect(),
        })
    }

    fn apply(&mut self, changes: &[Change]) -> Result<(), StoreError> {
        for change in changes {
            match change {
                Change::Process { number, process } => drop(self.processes.insert(*number, *process)),
                Change::Reborn => self.reborn()?,
                Change::Held(kept) => self.put(Role::Held(kept.clone())),
                Change::Shown(run) => run.entries().for_each(|entry| self.put(Role::Shown(Box::new(entry)))),
                Change::Delivered { kept } => self.put(Role::Delivered(kept.clone())),
                Change::Carried(parcel) => self.carried.push(parcel.clone()),
                Change::HandedOver { message, to } => {
                    self.carried.retain(|parcel| (parcel.message, parcel.to) != (*message, *to));
                }
                Change::Dropped(kept) => {
                    let id = kept.id();
                    if self.messages.get(&id).is_some_and(|role| !role.is_delivered()) {
                        self.messages.remove(&id);
                        self.order.retain(|held| *held != id);
                    }
                }
                Change::Delayed { clock, due: Some(due) } => drop(self.delayed.insert(*clock, *due)),
                Change::Delayed { clock, due: None } => drop(self.delayed.remove(clock)),
                Change::Withdrawn(kept) => drop(self.messages.remove(&kept.id())),
                Change::Scheduled { number, text: Some(text) } => drop(self.scheduled.insert(*number, text.clone())),
                Change::Scheduled { number, text: None } => drop(self.scheduled.remove(number)),
                Change::Settled { up_to } => self.settled = *up_to,
                Change::Causal(bytes) => self.causal = Some(bytes.clone()),
                Change::Traced(_) => {}
                Change::Mind(bytes) => self.mind = Some(bytes.clone()),
                Change::Talk { conversation, vectors } => {
                    self.talks.insert(conversation.clone(), vectors.clone());
                }
                Change::Greeting { of, signed } => drop(self.greetings.insert(*of, signed.clone())),
                Change::Record(record) => {
                    if let Ok(claim) = record.claim() {
                        self.records.insert(claim.process.person, record.clone());
                    }
                }
                Change::Addresses { of, known } => drop(self.addresses.insert(*of, known.clone())),
                Change::Verified(people) => self.verified = Some(people.clone()),
                Change::Alias { alias, person: Some(person) } => drop(self.aliases.insert(alias.clone(), *person)),
                Change::Alias { alias, person: None } => drop(self.aliases.remove(alias)),
            }
        }
        Ok(())
    }

    fn contains(&self, id: MessageId) -> bool {
        self.messages.get(&id).is_some_and(Role::is_delivered)
    }

    fn kept_by(&self, author: ProcessId, after: u64, up_to: u64, count: usize) -> Vec<Kept> {
        let wanted = |id: &MessageId| id.process == author && id.clock > after && id.clock <= up_to;
        let found = self.messages.iter().filter(|(id, role)| wanted(id) && !matches!(role, Role::Held(_)));
        found.map(|(_, role)| role.kept().clone()).take(count).collect()
    }

    fn newest(&self, of: Option<&Conversation>, before: Option<SortKey>, count: usize) -> Vec<Shown> {
        let shown = self.messages.values().filter_map(|role| match role {
            Role::Shown(entry) => Some(&**entry),
            Role::Delivered(_) | Role::Held(_) => None,
        });
        let wanted = |entry: &&Shown| {
            of.is_none_or(|of| entry.conversation == *of) && before.is_none_or(|before| entry.sort_key() < before)
        };
        let mut found: Vec<Shown> = shown.filter(wanted).cloned().collect();
        found.sort_by_key(|entry| std::cmp::Reverse(entry.sort_key()));
        found.truncate(count);
        found
    }

    fn oldest(&self, of: Option<&Conversation>, after: SortKey, count: usize) -> Vec<Shown> {
        let mut found = self.newest(of, None, usize::MAX);
        found.retain(|entry| entry.sort_key() > after);
        found.reverse();
        found.truncate(count);
        found
    }

    fn search(&self, of: Option<&Conversation>, words: &[&str], count: usize) -> Vec<Shown> {
        let has = |entry: &Shown| {
            let text = entry.text().map(|(_, text)| text.to_lowercase());
            text.is_some_and(|text| words.iter().all(|word| text.contains(&word.to_lowercase())))
        };
        self.newest(of, None, usize::MAX).into_iter().filter(has).take(count).collect()
    }
}
