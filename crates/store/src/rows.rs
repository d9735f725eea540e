//! Rows of messages. Each row has one message, or several that were shown together.
//!
//! A row costs more for its statement than for its bytes. So consecutive messages of a batch that are filed and shown
//! in one transaction share a row. In a flood all messages are like that. The column `parts` says where in the row each
//! message is. Such a row never changes: a message that may still change has a row of its own.

use std::fmt::Write as _;

use chat::{Hlc, Kept};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use crate::batches::{PLACES, Status, place_of, signed};
use crate::cache::{Place, SILENT};
use crate::fault::Fault;

/// What is written of a message besides the message itself.
#[derive(Clone, Default)]
pub(crate) struct Columns<'a> {
    pub(crate) conversation: Option<i64>,
    pub(crate) micros: Option<i64>,
    pub(crate) logical: Option<u32>,
    pub(crate) flags: Option<i64>,
    pub(crate) sent: Option<i64>,
    pub(crate) start: Option<i64>,
    pub(crate) opened: Option<&'a [u8]>,
}

/// A delivered message stays delivered. Any other can become anything.
const INSERT: &str = "
    INSERT INTO messages (id, status, clock, conversation, micros, logical, flags, sent, start, opened, stamp, body, parts)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT (id) DO UPDATE SET status = excluded.status, conversation = excluded.conversation,
        micros = excluded.micros, logical = excluded.logical, flags = excluded.flags, sent = excluded.sent,
        start = excluded.start, opened = excluded.opened
    WHERE status >= 2";

/// Writes rows.
pub(crate) struct Inserter<'a> {
    /// The statement that nearly every message needs.
    insert: CachedStatement<'a>,
    delete: CachedStatement<'a>,
    stamp: Vec<u8>,
    /// Messages that are not written yet, because more may join their row.
    open: Option<Open>,
    /// The contents of the open row.
    stamps: Vec<u8>,
    bodies: Vec<u8>,
    parts: String,
}

/// A row that messages may join.
struct Open {
    id: i64,
    clock: i64,
    /// The columns of the first message.
    columns: Columns<'static>,
    micros: i64,
    count: i64,
    /// Some of its messages have rows of their own, because they were held back.
    replaces: bool,
}

impl<'a> Inserter<'a> {
    pub(crate) fn new(db: &'a Connection) -> Result<Self, Fault> {
        Ok(Self {
            insert: db.prepare_cached(INSERT)?,
            delete: db.prepare_cached("DELETE FROM messages WHERE id BETWEEN ?1 AND ?2")?,
            stamp: Vec::with_capacity(64),
            open: None,
            stamps: Vec::new(),
            bodies: Vec::new(),
            parts: String::new(),
        })
    }

    /// Writes a message. Returns whether it was new or anything but delivered before.
    pub(crate) fn write(&mut self, id: i64, kept: &Kept, status: Status, columns: &Columns<'_>) -> Result<bool, Fault> {
        self.flush()?;
        self.stamp.clear();
        kept.stamp_bytes(&mut self.stamp);
        let which = (id, status, signed(kept.id().clock));
        insert(&mut self.insert, which, columns, (&self.stamp, kept.body(), None))
    }

    /// Writes a message that is shown, and that was either not here at all or held back.
    pub(crate) fn show(&mut self, id: i64, kept: &Kept, columns: &Columns<'_>, is_held: bool) -> Result<(), Fault> {
        let (Some(micros), None) = (columns.micros, columns.opened) else {
            return self.write(id, kept, Status::Shown, columns).map(drop);
        };
        let clock = signed(kept.id().clock);
        let joins = |open: &Open| {
            id == open.id + open.count
                && place_of(id) != 0
                && clock != i64::MAX
                && clock == open.clock + open.count
                && (columns.conversation, columns.flags) == (open.columns.conversation, open.columns.flags)
        };
        if !self.open.as_ref().is_some_and(joins) {
            self.flush()?;
            let columns = Columns { opened: None, ..columns.clone() };
            self.open = Some(Open { id, clock, columns, micros, count: 0, replaces: false });
        }
        let Some(open) = &mut self.open else { return Ok(()) };
        open.count += 1;
        open.replaces |= is_held;
        let before = signed(self.bodies.len() as u64);
        kept.stamp_bytes(&mut self.stamps);
        self.bodies.extend_from_slice(kept.body());
        let (micros, logical) = (micros.wrapping_sub(open.micros), columns.logical.unwrap_or(0));
        let (sent, start) = (columns.sent.unwrap_or(0), before + columns.start.unwrap_or(1));
        let (body, stamp) = (self.bodies.len(), self.stamps.len());
        let comma = if open.count == 1 { "[" } else { "," };
        write!(self.parts, "{comma}[{micros},{logical},{sent},{start},{body},{stamp}]").expect("a string has room");
        Ok(())
    }

    /// Writes what is not written yet. Must happen before anything is read or changed.
    pub(crate) fn flush(&mut self) -> Result<(), Fault> {
        let Some(Open { id, clock, columns, count, replaces, .. }) = self.open.take() else { return Ok(()) };
        if replaces {
            self.delete.execute([id, id + count - 1])?;
        }
        self.parts.push(']');
        let parts = (count > 1).then_some(&self.parts[..]);
        insert(&mut self.insert, (id, Status::Shown, clock), &columns, (&self.stamps, &self.bodies, parts))?;
        self.stamps.clear();
        self.bodies.clear();
        self.parts.clear();
        Ok(())
    }
}

/// Returns whether there was no row, or one that could become this one.
fn insert(
    insert: &mut CachedStatement<'_>,
    (id, status, clock): (i64, Status, i64),
    columns: &Columns<'_>,
    (stamp, body, parts): (&[u8], &[u8], Option<&str>),
) -> Result<bool, Fault> {
    let Columns { conversation, micros, logical, flags, sent, start, opened } = columns;
    let status = status.number();
    let values =
        params![id, status, clock, conversation, micros, logical, flags, sent, start, opened, stamp, body, parts];
    Ok(insert.execute(values)? > 0)
}

/// A message as it is in its row.
#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub(crate) id: i64,
    pub(crate) status: Status,
    pub(crate) clock: i64,
    pub(crate) conversation: Option<i64>,
    pub(crate) micros: Option<i64>,
    pub(crate) logical: Option<u32>,
    pub(crate) flags: i64,
    /// Where its text begins, from 0.
    pub(crate) start: usize,
    pub(crate) stamp: &'a [u8],
    pub(crate) body: &'a [u8],
    pub(crate) opened: Option<&'a [u8]>,
}

/// The columns that [`each`] reads, in its order.
pub(crate) const COLUMNS: &str =
    "id, status, clock, conversation, micros, logical, coalesce(flags, 0), start, stamp, body, opened, parts";

/// Calls `look` with each message of a row.
pub(crate) fn each(row: &Row<'_>, mut look: impl FnMut(Message<'_>) -> Result<(), Fault>) -> Result<(), Fault> {
    let blob = |at: usize| row.get_ref(at)?.as_blob().map_err(rusqlite::Error::from);
    let (id, stamp, body) = (row.get(0)?, blob(8)?, blob(9)?);
    let message = Message {
        id,
        status: Status::from_number(row.get(1)?)?,
        clock: row.get(2)?,
        conversation: row.get(3)?,
        micros: row.get(4)?,
        logical: row.get(5)?,
        flags: row.get(6)?,
        start: row
            .get::<_, Option<i64>>(7)?
            .and_then(|start| usize::try_from(start.checked_sub(1)?).ok())
            .unwrap_or(usize::MAX),
        stamp,
        body,
        opened: row.get_ref(10)?.as_blob_or_null().map_err(rusqlite::Error::from)?,
    };
    let Some(parts) = row.get_ref(11)?.as_str_or_null().map_err(rusqlite::Error::from)? else { return look(message) };
    let damaged = || Fault::Damaged(format!("message {id}: its row does not say where each message is"));
    let list = parts.strip_prefix("[[").and_then(|parts| parts.strip_suffix("]]")).ok_or_else(damaged)?;
    let (mut body_end, mut stamp_end) = (0, 0);
    for (part, behind) in list.split("],[").zip(0i64..) {
        let mut numbers = part.split(',').map(str::parse::<i64>);
        let mut next = || numbers.next().and_then(Result::ok).ok_or_else(damaged);
        let (micros, logical, _sent) = (next()?, next()?, next()?);
        let mut place = || next().and_then(|place| usize::try_from(place).map_err(|_| damaged()));
        let (start, body_at, stamp_at) = (place()?, body_end, stamp_end);
        (body_end, stamp_end) = (place()?, place()?);
        look(Message {
            id: id + behind,
            clock: message.clock.saturating_add(behind),
            micros: message.micros.map(|first| first.wrapping_add(micros)),
            logical: Some(u32::try_from(logical).map_err(|_| damaged())?),
            start: start.checked_sub(body_at + 1).ok_or_else(damaged)?,
            stamp: stamp.get(stamp_at..stamp_end).ok_or_else(damaged)?,
            body: body.get(body_at..body_end).ok_or_else(damaged)?,
            ..message
        })?;
    }
    Ok(())
}

impl Message<'_> {
    /// Its place in history, if it is delivered.
    pub(crate) fn place(&self, author: u32) -> Result<Option<Place>, Fault> {
        let conversation = match self.status {
            Status::Shown => self.conversation,
            Status::Delivered => Some(SILENT),
            Status::Held | Status::Spare => return Ok(None),
        };
        let Self { id, clock, .. } = *self;
        let place =
            |(conversation, (micros, logical))| Place { conversation, hlc: Hlc { micros, logical }, author, clock, id };
        let place = conversation.zip(self.micros.zip(self.logical)).map(place);
        place.map(Some).ok_or_else(|| Fault::Damaged(format!("message {id} has no place in history")))
    }

    /// What it says, also if it travels sealed.
    pub(crate) fn plain(&self) -> &[u8] {
        self.opened.unwrap_or(self.body)
    }
}

/// The row that holds a message, if there is one: the id of its first message, and its status.
pub(crate) fn row_of(db: &Connection, id: i64) -> Result<Option<(i64, Status)>, Fault> {
    let mut select = db.prepare_cached(
        "SELECT id, status FROM (SELECT * FROM messages WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1)
         WHERE id + coalesce(json_array_length(parts), 1) > ?2",
    )?;
    let row = select.query_row(up_to(id), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    row.map(|(first, status)| Ok((first, Status::from_number(status)?))).transpose()
}

/// The range of ids in which the message's row is the last one up to the message's own id.
pub(crate) fn up_to(id: i64) -> [i64; 2] {
    [id - id.rem_euclid(signed(PLACES)), id]
}
