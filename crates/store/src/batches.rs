//! Messages in their batches: filed whole, read back whole.

use std::collections::BTreeMap;

use bytes::Bytes;
use chat::{Filed, Kept, MessageId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::cache::Cache;
use crate::fault::Fault;

/// The most messages in a batch: the place takes the lowest six bits of an id.
pub(crate) const PLACES: u64 = 64;

/// What a message is to this peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Shown,
    Delivered,
    Held,
    /// It only stands here because others of its batch do.
    Spare = 4,
}

impl Status {
    pub(crate) fn number(self) -> i64 {
        self as i64
    }

    pub(crate) fn from_number(number: i64) -> Result<Self, Fault> {
        [Self::Shown, Self::Delivered, Self::Held, Self::Spare]
            .into_iter()
            .find(|status| status.number() == number)
            .ok_or_else(|| Fault::Damaged(format!("a message of status {number}")))
    }

    /// Whether it is part of what this peer has delivered or said.
    pub(crate) fn is_delivered(self) -> bool {
        matches!(self, Self::Shown | Self::Delivered)
    }
}

/// The id of the message in that place of a batch.
pub(crate) fn id(batch: u64, place: u16) -> i64 {
    signed(batch * PLACES + u64::from(place))
}

/// The batch of a message.
pub(crate) fn batch_of(id: i64) -> u64 {
    id.cast_unsigned() / PLACES
}

/// Clocks and numbers as SQLite has them. No honest clock gets near the end, where they become one.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Damaged(format!("{number} where a count should be")))
}

/// Clocks that follow one another in places that do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: i64,
    pub(crate) place: u16,
    pub(crate) count: i64,
}

/// The runs in the batch of this message.
pub(crate) fn runs(kept: &Kept) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(1);
    for sibling in siblings(kept, kept.places_here()) {
        let (place, clock) = (sibling.place(), signed(sibling.id().clock));
        match runs.last_mut() {
            Some(run)
                if clock != i64::MAX
                    && clock == run.first + run.count
                    && i64::from(place) == i64::from(run.place) + run.count =>
            {
                run.count += 1;
            }
            Some(_) | None => runs.push(Run { first: clock, place, count: 1 }),
        }
    }
    runs
}

/// The messages of the same batch in the places of `mask`.
pub(crate) fn siblings(kept: &Kept, mask: u64) -> impl Iterator<Item = Kept> {
    let places = (0..64u16).filter(move |place| mask & (1 << place) != 0);
    places.filter_map(|place| kept.sibling(place))
}

/// A message as it was read.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) id: i64,
    pub(crate) status: Status,
    pub(crate) flags: i64,
    pub(crate) opened: Option<Bytes>,
    pub(crate) kept: Kept,
}

/// Batches that were read for one question: what lies close together is asked for together.
#[derive(Debug, Default)]
pub(crate) struct Batches(BTreeMap<u64, Vec<Row>>);

impl Batches {
    /// All messages of a batch, by place; none if there is no such batch.
    pub(crate) fn read(&mut self, db: &Connection, cache: &Cache, number: u64) -> Result<&[Row], Fault> {
        const MOST: usize = 256;
        if self.0.len() >= MOST && !self.0.contains_key(&number) {
            self.0.clear();
        }
        match self.0.entry(number) {
            std::collections::btree_map::Entry::Occupied(read) => Ok(read.into_mut()),
            std::collections::btree_map::Entry::Vacant(free) => Ok(free.insert(read(db, cache, number)?)),
        }
    }

    /// One message.
    pub(crate) fn message(&mut self, db: &Connection, cache: &Cache, id: i64) -> Result<&Row, Fault> {
        let rows = self.read(db, cache, batch_of(id))?;
        rows.iter().find(|row| row.id == id).ok_or_else(|| Fault::Damaged(format!("message {id} is missing")))
    }
}

fn read(db: &Connection, cache: &Cache, number: u64) -> Result<Vec<Row>, Fault> {
    let mut head = db.prepare_cached("SELECT life, head FROM batches WHERE number = ?1")?;
    let head = head.query_row([signed(number)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)));
    let Some((life, head)) = head.optional()? else { return Ok(Vec::new()) };
    let mut select = db.prepare_cached(
        "SELECT id, status, coalesce(flags, 0), stamp, body, opened FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id",
    )?;
    let mut rows = select.query([id(number, 0), id(number, 63)])?;
    let (mut filed, mut beside) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let place = u16::try_from(id.cast_unsigned() % PLACES).unwrap_or_default();
        let body = Bytes::copy_from_slice(row.get_ref(4)?.as_blob().map_err(rusqlite::Error::from)?);
        let opened = row.get_ref(5)?.as_blob_or_null().map_err(rusqlite::Error::from)?;
        filed.push(Filed { place, stamp: row.get(3)?, body });
        beside.push((id, Status::from_number(row.get(1)?)?, row.get::<_, i64>(2)?, opened.map(Bytes::copy_from_slice)));
    }
    let kept = Kept::read(number, &head, filed, cache.written_by(life)?, cache.processes.len())
        .map_err(|malformed| Fault::Damaged(format!("batch {number}: {malformed}")))?;
    let rows = kept.into_iter().zip(beside);
    Ok(rows.map(|(kept, (id, status, flags, opened))| Row { id, status, flags, opened, kept }).collect())
}

/// The id and status of the message with this id of its author's, if it is filed as delivered or shown.
pub(crate) fn delivered(db: &Connection, cache: &Cache, message: MessageId) -> Result<Option<i64>, Fault> {
    let Some(author) = cache.number_of(&message.process) else { return Ok(None) };
    let clock = signed(message.clock);
    let mut select = db.prepare_cached(
        "SELECT batch, place, first FROM runs WHERE author = ?1 AND first > ?2 - 64 AND first <= ?2 AND first + count > ?2",
    )?;
    let mut status = db.prepare_cached("SELECT status FROM messages WHERE id = ?1")?;
    let mut rows = select.query(params![author, clock])?;
    while let Some(row) = rows.next()? {
        let (batch, place, first): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let id = batch * signed(PLACES) + place + (clock - first);
        let found = status.query_row([id], |row| row.get(0)).optional()?;
        if found.map(Status::from_number).transpose()?.is_some_and(Status::is_delivered)
            && (clock != i64::MAX || is_exactly(db, cache, id, message)?)
        {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Clocks at the very end are told apart by the stamps themselves.
fn is_exactly(db: &Connection, cache: &Cache, id: i64, message: MessageId) -> Result<bool, Fault> {
    Ok(Batches::default().message(db, cache, id)?.kept.id() == message)
}
