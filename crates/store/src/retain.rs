//! Dropping what is old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chat::Hlc;
use rusqlite::{Connection, OptionalExtension, params};

use crate::apply::delete_batch;
use crate::batches::{Status, batch_of, id, signed};
use crate::cache::{Cache, Place, SILENT, set_state};
use crate::fault::Fault;
use crate::rows::{COLUMNS, each};
use crate::{index, words};

/// What may be dropped: by default nothing. Messages that are held back, carried, or this user's own and not settled
/// stay in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Drops messages that were written longer ago than this, by the stamp that history is sorted by.
    pub max_age: Option<Duration>,
    /// Drops the oldest messages while the database takes more bytes than this. That includes indexes, but not the
    /// -wal.
    pub max_bytes: Option<u64>,
}

/// How many messages are dropped in one call, and how many batches it looks at: some 20 ms, so that other work gets its
/// turn.
const MESSAGES: usize = 256;
const LOOKS: usize = 1024;

/// How many pages are given back to the system in one call: several times what that many messages take.
const PAGES: usize = 256;

/// Drops batches, the oldest first. Returns how many delivered messages were dropped.
pub(crate) fn drop_oldest(
    db: &Connection,
    cache: &mut Cache,
    retention: Retention,
    now_micros: i64,
) -> Result<usize, Fault> {
    let age = retention.max_age.map(|age| i64::try_from(age.as_micros()).unwrap_or(i64::MAX));
    let cutoff = age.map(|age| now_micros.saturating_sub(age));
    if cutoff.is_none() && retention.max_bytes.is_none() {
        return Ok(0);
    }
    index::catch_up(db, cache)?;
    // The oldest message of each conversation.
    let mut oldest: BTreeMap<(Hlc, i64), Place> = BTreeMap::new();
    let conversations = cache.conversations.values().copied().chain([SILENT]);
    for conversation in conversations.collect::<BTreeSet<_>>() {
        oldest.extend(next(db, conversation, None)?.map(|place| ((place.hlc, conversation), place)));
    }
    let (mut dropped, mut floor_rose) = (0, false);
    for _ in 0..LOOKS {
        let Some((_, place)) = oldest.pop_first() else { break };
        let is_large = retention.max_bytes.is_some_and(|max| bytes(db).is_ok_and(|bytes| bytes > max));
        // A message that was delivered before anything was shown has no age.
        let is_old = cutoff.is_some_and(|cutoff| place.hlc.micros < cutoff);
        if dropped >= MESSAGES || !(is_large || is_old) {
            break;
        }
        let number = batch_of(place.id);
        let by = if is_large { None } else { cutoff };
        if let Some(messages) = droppable(db, cache, number, by)? {
            dropped += messages;
            floor_rose |= delete_batch(db, cache, number)?;
        }
        let next = next(db, place.conversation, Some(place))?;
        oldest.extend(next.map(|next| ((next.hlc, place.conversation), next)));
    }
    if dropped > 0 {
        words::merge(db)?;
    }
    if floor_rose {
        set_state(db, "floor", signed(cache.floor))?;
    }
    Ok(dropped)
}

/// How many bytes the database takes, without its free pages.
pub(crate) fn bytes(db: &Connection) -> Result<u64, Fault> {
    let value = |name: &str| db.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let used = value("page_count")?.saturating_sub(value("freelist_count")?);
    Ok(used.saturating_mul(value("page_size")?).try_into().unwrap_or(0))
}

/// Gives free pages back to the system. The file gets shorter at the next checkpoint.
pub(crate) fn give_back(db: &Connection) -> Result<(), Fault> {
    let mut vacuum = db.prepare_cached(&format!("PRAGMA incremental_vacuum({PAGES})"))?;
    let mut rows = vacuum.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

fn next(db: &Connection, conversation: i64, after: Option<Place>) -> Result<Option<Place>, Fault> {
    let mut select = db.prepare_cached(
        "SELECT micros, logical, author, clock, id FROM history
         WHERE conversation = ?1 AND (micros, logical, author, clock, id) > (?2, ?3, ?4, ?5, ?6)
         ORDER BY micros, logical, author, clock, id LIMIT 1",
    )?;
    let place = |row: &rusqlite::Row<'_>| {
        let hlc = Hlc { micros: row.get(0)?, logical: row.get(1)? };
        Ok(Place { conversation, hlc, author: row.get(2)?, clock: row.get(3)?, id: row.get(4)? })
    };
    let found = match after {
        Some(Place { hlc, author, clock, id, .. }) => {
            select.query_row(params![conversation, hlc.micros, hlc.logical, author, clock, id], place)
        }
        None => select.query_row(params![conversation, i64::MIN, -1, -1, -1, -1], place),
    };
    Ok(found.optional()?)
}

/// How many delivered messages a batch has, if it may be dropped. It goes as a whole, so all of it must be older than
/// `cutoff`.
fn droppable(db: &Connection, cache: &Cache, number: u64, cutoff: Option<i64>) -> Result<Option<usize>, Fault> {
    let mut select = db.prepare_cached(&format!(
        "SELECT {COLUMNS}, author FROM messages JOIN batches ON number = ?3 WHERE id BETWEEN ?1 AND ?2"
    ))?;
    let mut rows = select.query(params![id(number, 0), id(number, 63), signed(number)])?;
    let (mut messages, mut stay) = (0, 0);
    while let Some(row) = rows.next()? {
        let author: u32 = row.get("author")?;
        each(row, |message| {
            let is_needed = author == 0 && message.clock > signed(cache.settled);
            let is_young = || cutoff.is_some_and(|cutoff| message.micros.is_some_and(|micros| micros >= cutoff));
            match message.status {
                Status::Held => stay += 1,
                Status::Shown | Status::Delivered if is_needed || is_young() => stay += 1,
                Status::Shown | Status::Delivered => messages += 1,
                Status::Spare => {}
            }
            Ok(())
        })?;
        if stay > 0 {
            return Ok(None);
        }
    }
    Ok((messages > 0).then_some(messages))
}
