//! What a store remembers of what it wrote. It is read afresh when the store is opened, and after a failed transaction.

use std::collections::{BTreeMap, BTreeSet};

use chat::{Conversation, Hlc, Incarnation, Name, PersonId, ProcessId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::batches::{self, Run, Status, batch_of, place_of, signed, unsigned};
use crate::fault::Fault;
use crate::rows::{COLUMNS, each};

/// A message's place in history, with what it is sorted by. A message that shows nothing has one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) conversation: i64,
    pub(crate) hlc: Hlc,
    pub(crate) author: u32,
    pub(crate) clock: i64,
    pub(crate) id: i64,
}

/// The conversation of messages that show nothing.
pub(crate) const SILENT: i64 = 0;

#[derive(Debug, Default)]
pub(crate) struct Cache {
    /// The processes by number. `None` for an unknown number.
    pub(crate) processes: Vec<Option<ProcessId>>,
    numbers: BTreeMap<ProcessId, u32>,
    /// For each earlier life, the number of the process that this one was then.
    pub(crate) lives: Vec<u32>,
    pub(crate) conversations: BTreeMap<Conversation, i64>,
    pub(crate) settled: u64,
    /// The greatest ids that `history` and `words` know.
    pub(crate) indexed: i64,
    pub(crate) searched: i64,
    /// A batch number that was used, if it is greater than all that are there.
    pub(crate) floor: u64,
    /// The number of the next batch.
    pub(crate) next: u64,
    /// Messages that are held back.
    pub(crate) aside: BTreeMap<i64, Status>,
    /// The number of the next message to be held back, counted in the order in which they come.
    pub(crate) arrival: i64,
    /// For each author, a clock that no delivered message is beyond.
    pub(crate) greatest: Vec<i64>,
    /// The greatest time of any shown message.
    pub(crate) latest: i64,
    /// Delivered messages that are not in the index of history yet.
    pub(crate) tail: Vec<Place>,
    /// The runs of the batches that are not in that index yet.
    pub(crate) runs: BTreeSet<Run>,
    /// Some of the batches that are known to be filed.
    pub(crate) filed: BTreeSet<u64>,
}

impl Cache {
    pub(crate) fn read(db: &Connection) -> Result<Self, Fault> {
        let mut cache = Self {
            settled: unsigned(state(db, "settled")?.unwrap_or(0))?,
            indexed: state(db, "indexed")?.unwrap_or(-1),
            searched: state(db, "searched")?.unwrap_or(-1),
            floor: unsigned(state(db, "floor")?.unwrap_or(0))?,
            ..Self::default()
        };
        let mut select = db.prepare("SELECT number, person, incarnation FROM processes ORDER BY number")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let number = row.get(0)?;
            cache.number(
                number,
                process(row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?, &row.get::<_, String>(2)?)?,
            )?;
        }
        let mut select = db.prepare("SELECT life, process FROM lives ORDER BY life")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? != i64::try_from(cache.lives.len()).unwrap_or(-1) {
                return Err(Fault::Damaged("a life is missing".to_owned()));
            }
            cache.lives.push(row.get(1)?);
        }
        let mut select = db.prepare("SELECT id, kind, name FROM conversations")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name): (String, String) = (row.get(1)?, row.get(2)?);
            cache.conversations.insert(conversation(&kind, &name)?, row.get(0)?);
        }
        let last: Option<i64> = db.query_row("SELECT max(number) FROM batches", [], |row| row.get(0))?;
        cache.next = unsigned(last.unwrap_or(0))?.max(cache.floor) + 1;
        cache.read_aside(db)?;
        cache.read_tail(db)?;
        cache.read_greatest(db)?;
        cache.read_latest(db)?;
        Ok(cache)
    }

    fn read_aside(&mut self, db: &Connection) -> Result<(), Fault> {
        let mut select = db.prepare(
            "SELECT id, status, micros FROM messages WHERE id > ?1 AND status IN (2, 3)
             UNION SELECT id, status, micros FROM messages WHERE id IN (SELECT id FROM waiting)",
        )?;
        let mut rows = select.query([self.indexed])?;
        while let Some(row) = rows.next()? {
            let status = Status::from_number(row.get(1)?)?;
            if status == Status::Held {
                self.arrival = self.arrival.max(row.get::<_, i64>(2)?.saturating_add(1));
            }
            self.aside.insert(row.get(0)?, status);
        }
        Ok(())
    }

    /// To be called after the runs that are not in the index were read. Earlier versions filed clocks up to the
    /// greatest integer, beyond which SQLite goes on with floating-point numbers.
    fn read_greatest(&mut self, db: &Connection) -> Result<(), Fault> {
        let mut select = db.prepare(
            "SELECT max(min(first, 9007199254740992) + count - 1) FROM runs
             WHERE author = ?1 AND first > (SELECT max(first) FROM runs WHERE author = ?1) - 64",
        )?;
        for number in 0..self.processes.len() {
            let greatest: Option<i64> = select.query_row([signed(number as u64)], |row| row.get(0))?;
            self.greatest[number] = greatest.unwrap_or(0);
        }
        for Run { author, first, count, .. } in &self.runs {
            if let Some(greatest) = self.greatest.get_mut(*author as usize) {
                *greatest = (*greatest).max(first.saturating_add(count - 1));
            }
        }
        Ok(())
    }

    fn read_tail(&mut self, db: &Connection) -> Result<(), Fault> {
        let mut select = db.prepare(&format!(
            "SELECT {COLUMNS}, author FROM messages JOIN batches ON number = id >> 6 WHERE id > ?1 ORDER BY id"
        ))?;
        let mut rows = select.query([self.indexed])?;
        let mut messages: Vec<(u32, i64, i64)> = Vec::new();
        while let Some(row) = rows.next()? {
            let author = row.get("author")?;
            each(row, |message| {
                self.tail.extend(message.place(author)?);
                messages.push((author, message.clock, message.id));
                Ok(())
            })?;
        }
        for of_batch in messages.chunk_by(|(.., one), (.., other)| batch_of(*one) == batch_of(*other)) {
            let runs = of_batch.iter().map(|&(_, clock, id)| (clock, batch_of(id), place_of(id)));
            self.runs.extend(batches::runs(of_batch[0].0, runs));
        }
        Ok(())
    }

    fn read_latest(&mut self, db: &Connection) -> Result<(), Fault> {
        let mut select =
            db.prepare("SELECT micros FROM history WHERE conversation = ?1 ORDER BY micros DESC LIMIT 1")?;
        let of_tail = self.tail.iter().map(|place| place.hlc.micros).max();
        self.latest = of_tail.unwrap_or(0);
        for conversation in self.conversations.values() {
            let latest: Option<i64> = select.query_row([conversation], |row| row.get(0)).optional()?;
            self.latest = self.latest.max(latest.unwrap_or(0));
        }
        Ok(())
    }

    /// Notes a process's number.
    pub(crate) fn number(&mut self, number: u32, process: ProcessId) -> Result<(), Fault> {
        let place = number as usize;
        if place >= MOST_PROCESSES {
            return Err(Fault::Damaged(format!("a process with number {number}")));
        }
        if self.processes.len() <= place {
            self.processes.resize(place + 1, None);
            self.greatest.resize(place + 1, 0);
        }
        if let Some(before) = self.processes[place].replace(process)
            && self.numbers.get(&before) == Some(&number)
        {
            self.numbers.remove(&before);
        }
        // This process is 0 until it becomes a new incarnation, even if its number among the others is known before.
        if number == 0 || self.processes[0] != Some(process) {
            self.numbers.insert(process, number);
        }
        Ok(())
    }

    pub(crate) fn number_of(&self, process: &ProcessId) -> Option<u32> {
        self.numbers.get(process).copied()
    }

    /// The number that this process has among the others once it begins a new life. Its own messages tell which one
    /// that is. If it never sent any, it got its number last.
    pub(crate) fn former(&self) -> u32 {
        let others = || self.processes.iter().enumerate().skip(1);
        let me = self.processes.first().copied().flatten();
        let mine = me.and_then(|me| others().find(|(_, process)| **process == Some(me)));
        let last = || others().rev().find(|(_, process)| process.is_some());
        mine.or_else(last).map_or(0, |(number, _)| u32::try_from(number).unwrap_or(0))
    }

    /// Begins a new life: forgets which process this one was.
    pub(crate) fn reborn(&mut self, former: u32) {
        self.lives.push(former);
        let of_mine = self.greatest.first().copied().unwrap_or(0);
        if let Some(greatest) = self.greatest.get_mut(former as usize) {
            *greatest = (*greatest).max(of_mine);
        }
        if let Some(greatest) = self.greatest.first_mut() {
            *greatest = 0;
        }
        if let Some(Some(before)) = self.processes.first().copied() {
            self.processes[0] = None;
            self.numbers.remove(&before);
            if let Some(Some(process)) = self.processes.get(former as usize).copied() {
                self.numbers.insert(process, former);
            }
        }
    }

    pub(crate) fn process(&self, number: u32) -> Result<ProcessId, Fault> {
        let process = self.processes.get(number as usize).copied().flatten();
        process.ok_or_else(|| Fault::Damaged(format!("process {number} is missing")))
    }

    pub(crate) fn life(&self) -> i64 {
        signed(self.lives.len() as u64)
    }

    /// The process in whose numbering the stamps of that life are read. `None`: this process itself.
    pub(crate) fn written_by(&self, life: i64) -> Result<Option<u32>, Fault> {
        if life == self.life() {
            return Ok(None);
        }
        let former = usize::try_from(life).ok().and_then(|life| self.lives.get(life));
        former.copied().map(Some).ok_or_else(|| Fault::Damaged(format!("life {life} is missing")))
    }

    /// Notes that a batch is known to be filed.
    pub(crate) fn note_filed(&mut self, number: u64) {
        const MOST: usize = 4096;
        if self.filed.len() >= MOST {
            self.filed.clear();
        }
        self.filed.insert(number);
    }

    /// Where the index of history ends once it knows everything that is filed.
    pub(crate) fn end(&self) -> i64 {
        signed(self.next) * 64 - 1
    }

    pub(crate) fn conversation(&self, id: i64) -> Result<&Conversation, Fault> {
        let found = self.conversations.iter().find(|&(_, &number)| number == id).map(|(conversation, _)| conversation);
        found.ok_or_else(|| Fault::Damaged(format!("conversation {id} is missing")))
    }

    /// Removes a batch from the tail.
    pub(crate) fn forget_batch(&mut self, number: u64) {
        self.filed.remove(&number);
        self.tail.retain(|place| batch_of(place.id) != number);
        self.runs.retain(|run| run.batch != number);
    }
}

/// Far beyond what any peer knows. A number from a damaged file must not take all memory.
const MOST_PROCESSES: usize = 1 << 20;

/// A single value.
pub(crate) fn state<T: rusqlite::types::FromSql>(db: &Connection, name: &str) -> Result<Option<T>, Fault> {
    let mut select = db.prepare_cached("SELECT value FROM state WHERE name = ?1")?;
    Ok(select.query_row([name], |row| row.get(0)).optional()?)
}

pub(crate) fn set_state(db: &Connection, name: &str, value: impl rusqlite::ToSql) -> Result<(), Fault> {
    let mut set = db.prepare_cached(
        "INSERT INTO state (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    set.execute(params![name, value])?;
    Ok(())
}

pub(crate) fn process(person: &str, incarnation: &str) -> Result<ProcessId, Fault> {
    let bad = || Fault::Damaged(format!("{person}-{incarnation} is no process"));
    let number = u64::from_str_radix(incarnation, 16).map_err(|_| bad())?;
    Ok(ProcessId { person: self::person(person)?, incarnation: Incarnation(number) })
}

pub(crate) fn person(text: &str) -> Result<PersonId, Fault> {
    text.parse().map_err(|bad: chat::ParseIdError| Fault::Damaged(bad.to_string()))
}

pub(crate) fn name(text: &str) -> Result<Name, Fault> {
    Name::parse(text).map_err(|bad| Fault::Damaged(format!("{:?} is no name: {bad}", bad.text)))
}

fn conversation(kind: &str, text: &str) -> Result<Conversation, Fault> {
    match kind {
        "all" => Ok(Conversation::All),
        "group" => Ok(Conversation::Group(name(text)?)),
        "direct" => Ok(Conversation::Direct(person(text)?)),
        "people" => {
            let others: BTreeSet<_> = text.split(' ').map(person).collect::<Result<_, _>>()?;
            let several = Conversation::with(others).filter(|with| matches!(with, Conversation::People(_)));
            several.ok_or_else(|| Fault::Damaged(format!("a conversation among several people with {text:?} alone")))
        }
        _ => Err(Fault::Damaged(format!("a conversation of kind {kind:?}"))),
    }
}

/// The kind and name of a conversation.
pub(crate) fn spelled(conversation: &Conversation) -> (&'static str, String) {
    match conversation {
        Conversation::All => ("all", String::new()),
        Conversation::Group(name) => ("group", name.as_str().to_owned()),
        Conversation::Direct(person) => ("direct", person.to_string()),
        Conversation::People(others) => {
            ("people", others.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "))
        }
    }
}
