//! Messages in their batches. A batch is filed whole and read back whole.

use std::collections::BTreeMap;

use bytes::Bytes;
use chat::{Filed, Kept, MessageId};
use rusqlite::{Connection, OptionalExtension, params};

use crate::cache::Cache;
use crate::fault::Fault;
use crate::rows::{self, COLUMNS, Message, each};

/// The most messages in a batch: the place takes the lowest six bits of an id.
pub(crate) const PLACES: u64 = 64;

/// What a message is to this peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Shown,
    Delivered,
    Held,
    /// It is only here because other messages of its batch are.
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

    /// Whether this peer has delivered it or sent it.
    pub(crate) fn is_delivered(self) -> bool {
        matches!(self, Self::Shown | Self::Delivered)
    }
}

/// The id of the message in a place of a batch.
pub(crate) fn id(batch: u64, place: u16) -> i64 {
    signed(batch * PLACES + u64::from(place))
}

/// The batch of a message.
pub(crate) fn batch_of(id: i64) -> u64 {
    id.cast_unsigned() / PLACES
}

/// The place of a message in its batch.
pub(crate) fn place_of(id: i64) -> u16 {
    u16::try_from(id.cast_unsigned() % PLACES).unwrap_or_default()
}

/// A clock or number as SQLite stores it. The largest ones become one, but no honest clock gets near them.
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn unsigned(number: i64) -> Result<u64, Fault> {
    u64::try_from(number).map_err(|_| Fault::Damaged(format!("{number} where a count should be")))
}

/// Consecutive clocks of an author in consecutive places of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Run {
    pub(crate) author: u32,
    pub(crate) first: i64,
    pub(crate) batch: u64,
    pub(crate) place: u16,
    pub(crate) count: i64,
}

impl Run {
    /// Takes in the message in that place, if it follows.
    fn takes(&mut self, clock: i64, batch: u64, place: u16) -> bool {
        let follows = clock != i64::MAX
            && batch == self.batch
            && clock == self.first + self.count
            && i64::from(place) == i64::from(self.place) + self.count;
        self.count += i64::from(follows);
        follows
    }

    fn id(&self, clock: i64) -> i64 {
        id(self.batch, self.place) + (clock - self.first)
    }
}

/// The runs that messages form. Each message is given as its clock, the number of its batch, and its place there.
pub(crate) fn runs(author: u32, messages: impl Iterator<Item = (i64, u64, u16)>) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::with_capacity(1);
    for (clock, batch, place) in messages {
        if !runs.last_mut().is_some_and(|run| run.takes(clock, batch, place)) {
            runs.push(Run { author, first: clock, batch, place, count: 1 });
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
    /// Where its text begins, from 0.
    pub(crate) start: usize,
    pub(crate) opened: Option<Bytes>,
    pub(crate) kept: Kept,
}

/// Batches that were read for one query. Messages that are close together are asked for together.
#[derive(Debug, Default)]
pub(crate) struct Batches(BTreeMap<u64, Vec<Row>>);

impl Batches {
    /// All messages of a batch, by place. Empty if there is no such batch.
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
    let mut select =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id"))?;
    let mut rows = select.query([id(number, 0), id(number, 63)])?;
    let (mut filed, mut beside) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        each(row, |message| {
            let Message { id, status, flags, start, stamp, body, opened, .. } = message;
            filed.push(Filed { place: place_of(id), stamp: stamp.to_vec(), body: Bytes::copy_from_slice(body) });
            beside.push((id, status, flags, start, opened.map(Bytes::copy_from_slice)));
            Ok(())
        })?;
    }
    let kept = Kept::read(number, &head, filed, cache.written_by(life)?, cache.processes.len())
        .map_err(|malformed| Fault::Damaged(format!("batch {number}: {malformed}")))?;
    let rows = kept.into_iter().zip(beside);
    Ok(rows.map(|(kept, (id, status, flags, start, opened))| Row { id, status, flags, start, opened, kept }).collect())
}

/// The database id of the message with this message id, if it is filed as delivered or shown.
pub(crate) fn delivered(db: &Connection, cache: &Cache, message: MessageId) -> Result<Option<i64>, Fault> {
    let Some(author) = cache.number_of(&message.process) else { return Ok(None) };
    let clock = signed(message.clock);
    let mut found = None;
    each_run(db, cache, author, clock.saturating_sub(1), clock, |run| {
        let id = run.id(clock);
        if rows::row_of(db, id)?.is_some_and(|(_, status)| status.is_delivered())
            && (clock != i64::MAX || is_exactly(db, cache, id, message)?)
        {
            found = Some(id);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Calls `look` with each run of an author that has clocks in (after, up_to], in the order of their first clocks, until
/// `look` wants no more.
pub(crate) fn each_run(
    db: &Connection,
    cache: &Cache,
    author: u32,
    after: i64,
    up_to: i64,
    mut look: impl FnMut(Run) -> Result<bool, Fault>,
) -> Result<(), Fault> {
    // A batch has at most this many messages.
    let from = after.saturating_sub(signed(PLACES) - 1);
    let at = |first: i64| Run { author, first, batch: 0, place: 0, count: 0 };
    let has_some = |run: &&Run| run.first <= up_to && run.first.saturating_add(run.count - 1) > after;
    let mut recent = cache
        .runs
        .range(at(from)..)
        .take_while(|run| run.author == author && run.first <= up_to)
        .filter(has_some)
        .peekable();
    let mut select = db.prepare_cached(
        "SELECT first, batch, place, count FROM runs
         WHERE author = ?1 AND first >= ?2 AND first <= ?3 AND first + count - 1 > ?4 ORDER BY first",
    )?;
    let mut rows = select.query(params![author, from, up_to, after])?;
    while let Some(row) = rows.next()? {
        let (first, batch) = (row.get(0)?, unsigned(row.get(1)?)?);
        while let Some(run) = recent.next_if(|run| run.first < first) {
            if !look(*run)? {
                return Ok(());
            }
        }
        if !look(Run { author, first, batch, place: row.get(2)?, count: row.get(3)? })? {
            return Ok(());
        }
    }
    for run in recent {
        if !look(*run)? {
            break;
        }
    }
    Ok(())
}

/// Clocks at the very end of the range are only told apart by the stamps themselves.
fn is_exactly(db: &Connection, cache: &Cache, id: i64, message: MessageId) -> Result<bool, Fault> {
    Ok(Batches::default().message(db, cache, id)?.kept.id() == message)
}
