//! Writing changes, in their order, within one transaction.

use std::collections::BTreeMap;

use chat::{Change, Conversation, Entry, Hlc, Kept, MessageId, Parcel, ProcessId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::batches::{self, Status, batch_of, id, siblings, signed};
use crate::cache::{Cache, Place, SILENT, set_state, spelled};
use crate::fault::Fault;
use crate::rows::{self, COLUMNS, Columns, Inserter, each};
use crate::{index, words};

/// How many messages the index of history may lack before an apply catches it up. Sorted runs of this length go in
/// fast. The missing ones are held in memory, 48 bytes each.
const TAIL: usize = 8192;

/// The changes of one transaction.
pub(crate) struct Writer<'a> {
    db: &'a Connection,
    cache: &'a mut Cache,
    messages: Inserter<'a>,
    /// Batches that this transaction files, each with the places written so far.
    fresh: BTreeMap<u64, (Kept, u64)>,
    /// The batch of the previous message.
    last: Option<u64>,
    floor_rose: bool,
}

pub(crate) const FETCHED: i64 = 1;
pub(crate) const LATE: i64 = 2;
pub(crate) const CLOCK_OFF: i64 = 4;

impl<'a> Writer<'a> {
    pub(crate) fn new(db: &'a Connection, cache: &'a mut Cache) -> Result<Self, Fault> {
        let messages = Inserter::new(db)?;
        Ok(Self { db, cache, messages, fresh: BTreeMap::new(), last: None, floor_rose: false })
    }

    /// Writes all of `changes`. If several changes replace the same value, only the last is written.
    pub(crate) fn write(mut self, changes: &[Change]) -> Result<(), Fault> {
        let (mut causal, mut mind, mut traced, mut settled, mut talks) = (None, None, None, None, BTreeMap::new());
        for change in changes {
            match change {
                Change::Process { number, process } => self.process(*number, *process)?,
                Change::Reborn => {
                    settled = None;
                    self.reborn()?;
                }
                Change::Held(kept) => self.aside(kept, Status::Held)?,
                Change::Carried(parcel) => self.carried(parcel)?,
                Change::HandedOver { message, to } => self.handed_over(message, to)?,
                Change::Shown(run) => run.entries().try_for_each(|entry| self.show(&entry))?,
                Change::Delivered { kept } => self.deliver(kept)?,
                Change::Dropped(kept) => self.dropped(kept)?,
                Change::Delayed { clock, due } => self.delayed(*clock, *due)?,
                Change::Withdrawn(kept) => self.withdrawn(kept)?,
                Change::Scheduled { number, text } => self.scheduled(*number, text.as_deref())?,
                Change::Settled { up_to } => settled = Some(*up_to),
                Change::Causal(bytes) => causal = Some(bytes),
                Change::Mind(bytes) => mind = Some(bytes),
                Change::Traced(lines) => traced = Some(lines),
                Change::Talk { conversation, vectors } => drop(talks.insert(conversation, vectors)),
                Change::Greeting { of, signed } => {
                    let greeting = "INSERT INTO greetings VALUES (?1, ?2) ON CONFLICT DO UPDATE SET signed = ?2";
                    self.db.prepare_cached(greeting)?.execute(params![of.to_string(), &signed[..]])?;
                }
                Change::Record(record) => self.record(record)?,
                Change::Addresses { of, known } => {
                    let known: Vec<String> = known.iter().map(ToString::to_string).collect();
                    let set = "INSERT INTO addresses VALUES (?1, ?2) ON CONFLICT DO UPDATE SET known = ?2";
                    self.db.prepare_cached(set)?.execute(params![of.to_string(), known.join(" ")])?;
                }
                Change::Verified(people) => set_state(self.db, "verified", &people[..])?,
                Change::Alias { alias, person } => match person {
                    Some(person) => {
                        let set = "INSERT INTO aliases VALUES (?1, ?2) ON CONFLICT DO UPDATE SET person = ?2";
                        self.db.prepare_cached(set)?.execute(params![alias.as_str(), person.to_string()])?;
                    }
                    None => drop(self.db.execute("DELETE FROM aliases WHERE alias = ?1", [alias.as_str()])?),
                },
            }
        }
        self.write_spares()?;
        if let Some(bytes) = causal {
            set_state(self.db, "causal", &bytes[..])?;
        }
        if let Some(lines) = traced {
            set_state(self.db, "traced", &lines[..])?;
        }
        if let Some(bytes) = mind {
            set_state(self.db, "mind", &bytes[..])?;
        }
        if let Some(up_to) = settled {
            self.cache.settled = up_to;
            set_state(self.db, "settled", signed(up_to))?;
        }
        for (conversation, vectors) in talks {
            let id = self.conversation(conversation)?;
            let set = "UPDATE conversations SET vectors = ?2 WHERE id = ?1";
            self.db.prepare_cached(set)?.execute(params![id, &vectors[..]])?;
        }
        if self.floor_rose {
            set_state(self.db, "floor", signed(self.cache.floor))?;
        }
        if self.cache.tail.len() >= TAIL { index::catch_up(self.db, self.cache) } else { Ok(()) }
    }

    fn process(&mut self, number: u32, process: ProcessId) -> Result<(), Fault> {
        if self.cache.processes.get(number as usize) == Some(&Some(process)) {
            return Ok(());
        }
        self.cache.number(number, process)?;
        let set = "INSERT INTO processes VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET person = ?2, incarnation = ?3";
        let incarnation = format!("{:016x}", process.incarnation.0);
        self.db.prepare_cached(set)?.execute(params![number, process.person.to_string(), incarnation])?;
        Ok(())
    }

    fn record(&mut self, record: &chat::SignedRecord) -> Result<(), Fault> {
        let Ok(claim) = record.claim() else {
            return Err(Fault::Damaged("a record that is none was to be kept".to_owned()));
        };
        let set = "INSERT INTO records VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET name = ?2, signed = ?3";
        let (person, name) = (claim.process.person.to_string(), claim.name.as_str());
        self.db.prepare_cached(set)?.execute(params![person, name, &record.to_stored()[..]])?;
        Ok(())
    }

    fn delayed(&mut self, clock: u64, due: Option<i64>) -> Result<(), Fault> {
        match due {
            Some(due) => {
                let set = "INSERT INTO delayed VALUES (?1, ?2) ON CONFLICT DO UPDATE SET due = ?2";
                self.db.prepare_cached(set)?.execute(params![signed(clock), due])?;
            }
            None => {
                self.db.prepare_cached("DELETE FROM delayed WHERE clock = ?1")?.execute([signed(clock)])?;
            }
        }
        Ok(())
    }

    fn scheduled(&mut self, number: u64, text: Option<&[u8]>) -> Result<(), Fault> {
        match text {
            Some(text) => {
                let set = "INSERT INTO scheduled VALUES (?1, ?2) ON CONFLICT DO UPDATE SET text = ?2";
                self.db.prepare_cached(set)?.execute(params![signed(number), text])?;
            }
            None => {
                self.db.prepare_cached("DELETE FROM scheduled WHERE number = ?1")?.execute([signed(number)])?;
            }
        }
        Ok(())
    }

    /// Removes a message that has a batch of its own.
    fn withdrawn(&mut self, kept: &Kept) -> Result<(), Fault> {
        self.write_spares()?;
        let Some(number) = kept.batch_number() else { return Ok(()) };
        self.drop_aside(id(number, kept.place()))?;
        let mut select = self.db.prepare_cached("SELECT 1 FROM batches WHERE number = ?1")?;
        if select.query_row([signed(number)], |_| Ok(())).optional()?.is_some() {
            self.last = None;
            self.floor_rose |= delete_batch(self.db, self.cache, number)?;
        }
        Ok(())
    }

    fn conversation(&mut self, conversation: &Conversation) -> Result<i64, Fault> {
        if let Some(&id) = self.cache.conversations.get(conversation) {
            return Ok(id);
        }
        let (kind, name) = spelled(conversation);
        self.db.execute("INSERT INTO conversations (kind, name) VALUES (?1, ?2)", params![kind, name])?;
        let id = self.db.last_insert_rowid();
        self.cache.conversations.insert(conversation.clone(), id);
        Ok(id)
    }

    fn show(&mut self, entry: &Entry) -> Result<(), Fault> {
        let Entry { conversation, hlc, kept, fetched, late, clock_off, opened } = entry;
        let body = opened.as_deref().unwrap_or_else(|| kept.body());
        // The text is the end of the body.
        let (sent_at, start) =
            entry.text().map_or((hlc.micros, body.len()), |(sent_at, text)| (sent_at, body.len() - text.len()));
        let flags = [(*fetched, FETCHED), (*late, LATE), (*clock_off, CLOCK_OFF)];
        let conversation = self.conversation(conversation)?;
        let columns = Columns {
            conversation: Some(conversation),
            micros: Some(hlc.micros),
            logical: Some(hlc.logical),
            flags: Some(flags.iter().filter(|(is, _)| *is).map(|(_, flag)| flag).sum()),
            sent: Some(sent_at.wrapping_sub(hlc.micros)),
            start: i64::try_from(start + 1).ok(),
            opened: opened.as_deref(),
        };
        if !clock_off {
            self.cache.latest = self.cache.latest.max(hlc.micros);
        }
        let Some(place) = self.delivered(kept, Status::Shown, &columns, conversation, *hlc)? else { return Ok(()) };
        if place.id <= self.cache.searched {
            words::add(self.db, place.id, &words::text_of(body, start))?;
        }
        Ok(())
    }

    fn deliver(&mut self, kept: &Kept) -> Result<(), Fault> {
        // It shows nothing, so it has no place in history. But it must go one day, together with what was shown when it
        // came.
        let hlc = Hlc { micros: self.cache.latest, logical: 0 };
        let columns = Columns { micros: Some(hlc.micros), logical: Some(0), ..Columns::default() };
        self.delivered(kept, Status::Delivered, &columns, SILENT, hlc).map(drop)
    }

    /// Writes a message that was delivered or shown. Returns `None` if it was delivered already.
    fn delivered(
        &mut self,
        kept: &Kept,
        status: Status,
        columns: &Columns<'_>,
        conversation: i64,
        hlc: Hlc,
    ) -> Result<Option<Place>, Fault> {
        let (author, message) = (kept.author_number(), kept.id());
        let clock = signed(message.clock);
        self.process(author, message.process)?;
        let greatest = self.cache.greatest[author as usize];
        if clock <= greatest {
            self.messages.flush()?;
            if batches::delivered(self.db, self.cache, message)?.is_some() {
                return Ok(None);
            }
        }
        let (id, is_new) = self.put(kept, status, columns)?;
        if !is_new {
            return Ok(None);
        }
        self.cache.greatest[author as usize] = greatest.max(clock);
        let place = Place { conversation, hlc, author, clock, id };
        if !self.cache.aside.is_empty() && self.cache.aside.remove(&id).is_some() && id <= self.cache.indexed {
            self.db.prepare_cached("DELETE FROM waiting WHERE id = ?1")?.execute([id])?;
        }
        if id <= self.cache.indexed {
            index::add(self.db, &place)?;
        } else {
            self.cache.tail.push(place);
        }
        Ok(Some(place))
    }

    fn carried(&mut self, parcel: &Parcel) -> Result<(), Fault> {
        let Parcel { message, to, sealed, signature } = parcel;
        let insert = "INSERT OR REPLACE INTO parcels (message, recipient, sealed, signature) VALUES (?1, ?2, ?3, ?4)";
        let values = params![message.to_string(), to.to_string(), &sealed[..], &signature.0[..]];
        self.db.prepare_cached(insert)?.execute(values)?;
        Ok(())
    }

    fn handed_over(&mut self, message: &MessageId, to: &ProcessId) -> Result<(), Fault> {
        let delete = "DELETE FROM parcels WHERE message = ?1 AND recipient = ?2";
        self.db.prepare_cached(delete)?.execute([message.to_string(), to.to_string()])?;
        Ok(())
    }

    /// Writes a message that is held back.
    fn aside(&mut self, kept: &Kept, status: Status) -> Result<(), Fault> {
        let message = kept.id();
        self.process(kept.author_number(), message.process)?;
        if let Some(number) = kept.batch_number()
            && self.cache.aside.get(&id(number, kept.place())) == Some(&status)
        {
            return Ok(());
        }
        let micros = (status == Status::Held).then_some(self.cache.arrival);
        let (id, is_new) = self.put(kept, status, &Columns { micros, ..Columns::default() })?;
        if !is_new {
            return Ok(());
        }
        if status == Status::Held {
            self.cache.arrival += 1;
        }
        if self.cache.aside.insert(id, status).is_none() && id <= self.cache.indexed {
            self.db.prepare_cached("INSERT OR IGNORE INTO waiting VALUES (?1)")?.execute([id])?;
        }
        Ok(())
    }

    fn dropped(&mut self, kept: &Kept) -> Result<(), Fault> {
        let Some(number) = kept.batch_number() else { return Ok(()) };
        self.drop_aside(id(number, kept.place()))
    }

    fn drop_aside(&mut self, id: i64) -> Result<(), Fault> {
        if self.cache.aside.remove(&id).is_none() {
            return Ok(());
        }
        if id <= self.cache.indexed {
            self.db.prepare_cached("DELETE FROM waiting WHERE id = ?1")?.execute([id])?;
        }
        self.messages.flush()?;
        let number = batch_of(id);
        if let Some((kept, written)) = self.fresh.remove(&number) {
            self.write_missing(number, &kept, written)?;
        }
        let spare = "UPDATE messages SET status = 4, micros = NULL WHERE id = ?1";
        self.db.prepare_cached(spare)?.execute([id])?;
        let used = "SELECT 1 FROM messages WHERE id BETWEEN ?1 AND ?2 AND status < 4 LIMIT 1";
        let (first, last) = (batches::id(number, 0), batches::id(number, 63));
        let used = self.db.prepare_cached(used)?.query_row([first, last], |_| Ok(())).optional()?;
        if used.is_none() {
            self.last = None;
            self.floor_rose |= delete_batch(self.db, self.cache, number)?;
        }
        Ok(())
    }

    /// Writes a message. Returns its id, and whether it was new or anything but delivered before.
    fn put(&mut self, kept: &Kept, status: Status, columns: &Columns<'_>) -> Result<(i64, bool), Fault> {
        let number = self.file(kept)?;
        let (id, place) = (id(number, kept.place()), 1 << kept.place());
        let is_new = self.fresh.get_mut(&number).is_some_and(|(_, written)| {
            let before = *written;
            *written |= place;
            before & place == 0
        });
        let is_held = self.cache.aside.contains_key(&id);
        if status == Status::Shown && (is_new || is_held) {
            self.messages.show(id, kept, columns, is_held)?;
            return Ok((id, true));
        }
        self.messages.flush()?;
        if !is_new && rows::row_of(self.db, id)?.is_some_and(|(first, _)| first != id) {
            // It was shown together with others.
            return Ok((id, false));
        }
        Ok((id, self.messages.write(id, kept, status, columns)?))
    }

    /// The number of the message's batch. Files the batch if it is not filed yet.
    fn file(&mut self, kept: &Kept) -> Result<u64, Fault> {
        if let Some(number) = kept.batch_number() {
            if self.last == Some(number) || self.cache.filed.contains(&number) {
                self.last = Some(number);
                return Ok(number);
            }
            let mut select = self.db.prepare_cached("SELECT head FROM batches WHERE number = ?1")?;
            let head: Option<Vec<u8>> = select.query_row([signed(number)], |row| row.get(0)).optional()?;
            match head {
                Some(head) if head == kept.batch_head() => self.cache.note_filed(number),
                Some(_) => return Err(Fault::Damaged(format!("a batch of another store has number {number}"))),
                // Its transaction failed, or it was no longer needed.
                None => self.file_as(number, kept)?,
            }
            self.last = Some(number);
            return Ok(number);
        }
        let number = self.cache.next;
        self.file_as(number, kept)?;
        kept.file_batch(number);
        self.last = Some(number);
        Ok(number)
    }

    fn file_as(&mut self, number: u64, kept: &Kept) -> Result<(), Fault> {
        let author = kept.author_number();
        let mut insert = self.db.prepare_cached("INSERT INTO batches VALUES (?1, ?2, ?3, ?4)")?;
        insert.execute(params![signed(number), author, self.cache.life(), kept.batch_head()])?;
        let messages = siblings(kept, kept.places_here());
        let messages = messages.map(|kept| (signed(kept.id().clock), number, kept.place()));
        let runs = batches::runs(author, messages);
        if id(number, 0) <= self.cache.indexed {
            runs.iter().try_for_each(|run| index::add_run(self.db, run))?;
        } else {
            self.cache.runs.extend(runs);
        }
        // A number is never used for another batch, not even after a failed transaction, so this one may keep its
        // number.
        self.cache.next = self.cache.next.max(number + 1);
        self.cache.note_filed(number);
        self.fresh.insert(number, (kept.clone(), 0));
        Ok(())
    }

    /// Writes the rest of each new batch: a batch can only be read back whole.
    fn write_spares(&mut self) -> Result<(), Fault> {
        self.messages.flush()?;
        for (number, (kept, written)) in std::mem::take(&mut self.fresh) {
            self.write_missing(number, &kept, written)?;
        }
        Ok(())
    }

    fn write_missing(&mut self, number: u64, kept: &Kept, written: u64) -> Result<(), Fault> {
        let missing = kept.places_here() & !written;
        for sibling in siblings(kept, missing) {
            self.messages.write(id(number, sibling.place()), &sibling, Status::Spare, &Columns::default())?;
        }
        Ok(())
    }

    fn reborn(&mut self) -> Result<(), Fault> {
        self.write_spares()?;
        index::catch_up(self.db, self.cache)?;
        let former = self.cache.former();
        let life = self.cache.life();
        self.db.execute("INSERT INTO lives VALUES (?1, ?2)", params![life, former])?;
        for table in ["batches", "runs", "history"] {
            self.db.execute(&format!("UPDATE {table} SET author = ?1 WHERE author = 0"), [former])?;
        }
        self.db.execute("DELETE FROM processes WHERE number = 0", [])?;
        self.db.execute("DELETE FROM delayed", [])?;
        set_state(self.db, "settled", 0)?;
        self.cache.settled = 0;
        self.cache.reborn(former);
        let held = self.cache.aside.iter().filter(|(_, status)| **status == Status::Held).map(|(&id, _)| id);
        for id in held.collect::<Vec<_>>() {
            self.drop_aside(id)?;
        }
        Ok(())
    }
}

/// Deletes a batch, and everything that refers to it. Returns whether `floor` rose.
pub(crate) fn delete_batch(db: &Connection, cache: &mut Cache, number: u64) -> Result<bool, Fault> {
    let (first, last) = (id(number, 0), id(number, 63));
    let author: u32 = db
        .prepare_cached("SELECT author FROM batches WHERE number = ?1")?
        .query_row([signed(number)], |row| row.get(0))?;
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id BETWEEN ?1 AND ?2"))?;
    let mut rows = select.query([first, last])?;
    while let Some(row) = rows.next()? {
        each(row, |message| {
            let mut delete = db.prepare_cached("DELETE FROM runs WHERE author = ?1 AND first = ?2 AND batch = ?3")?;
            delete.execute(params![author, message.clock, signed(number)])?;
            if let Some(Place { conversation, hlc, author, clock, id }) = message.place(author)?
                && id <= cache.indexed
            {
                let mut delete = db.prepare_cached(
                    "DELETE FROM history WHERE conversation = ?1 AND micros = ?2 AND logical = ?3 AND author = ?4
                     AND clock = ?5 AND id = ?6",
                )?;
                delete.execute(params![conversation, hlc.micros, hlc.logical, author, clock, id])?;
            }
            if message.status == Status::Shown && message.id <= cache.searched {
                db.prepare_cached("DELETE FROM words WHERE rowid = ?1")?.execute([message.id])?;
            }
            Ok(())
        })?;
    }
    db.prepare_cached("DELETE FROM messages WHERE id BETWEEN ?1 AND ?2")?.execute([first, last])?;
    db.prepare_cached("DELETE FROM batches WHERE number = ?1")?.execute([signed(number)])?;
    cache.forget_batch(number);
    let rises = number > cache.floor;
    cache.floor = cache.floor.max(number);
    Ok(rises)
}
