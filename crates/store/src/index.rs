//! The index of history and the index of authors' clocks, which are both built after messages are written.
//!
//! A bounded number of places and runs that they do not know yet is in memory. These are found again after `indexed`
//! when the store is opened. So writing a message only appends it, the indexes grow by sorted runs of thousands, and
//! reading never writes.

use chat::{Hlc, MessageId, ProcessId, SortKey};
use rusqlite::{Connection, OptionalExtension, params};

use crate::batches::{Run, signed};
use crate::cache::{Cache, Place, SILENT, set_state};
use crate::fault::Fault;

const INSERT: &str = "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?)";

/// How many places one statement adds. The end of the index stays found from one to the next.
const AT_ONCE: usize = 32;

/// Catches the index up with everything that is filed.
pub(crate) fn catch_up(db: &Connection, cache: &mut Cache) -> Result<(), Fault> {
    cache.tail.sort_unstable();
    let (many, rest) = cache.tail.as_chunks::<AT_ONCE>();
    let mut insert = db.prepare_cached(&format!("{INSERT}{}", ", (?, ?, ?, ?, ?, ?)".repeat(AT_ONCE - 1)))?;
    for places in many {
        for (Place { conversation, hlc, author, clock, id }, at) in places.iter().zip((1..).step_by(6)) {
            let values = [*conversation, hlc.micros, hlc.logical.into(), (*author).into(), *clock, *id];
            for (value, at) in values.iter().zip(at..) {
                insert.raw_bind_parameter(at, value)?;
            }
        }
        insert.raw_execute()?;
    }
    for place in rest {
        add(db, place)?;
    }
    cache.tail.clear();
    for run in std::mem::take(&mut cache.runs) {
        add_run(db, &run)?;
    }
    let end = cache.end();
    let mut wait = db.prepare_cached("INSERT OR IGNORE INTO waiting VALUES (?1)")?;
    for (id, _) in cache.aside.range(cache.indexed + 1..) {
        wait.execute([id])?;
    }
    cache.indexed = end;
    set_state(db, "indexed", end)
}

/// Adds a run.
pub(crate) fn add_run(db: &Connection, run: &Run) -> Result<(), Fault> {
    let Run { author, first, batch, place, count } = run;
    let mut insert = db.prepare_cached("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5)")?;
    insert.execute(params![author, first, signed(*batch), place, count])?;
    Ok(())
}

/// Adds a place for a message that the index has already passed.
pub(crate) fn add(db: &Connection, place: &Place) -> Result<(), Fault> {
    let Place { conversation, hlc, author, clock, id } = place;
    db.prepare_cached(INSERT)?.execute(params![conversation, hlc.micros, hlc.logical, author, clock, id])?;
    Ok(())
}

/// A place and what it sorts by.
pub(crate) type Found = (SortKey, Place);

/// The places of the newest messages before `before`, newest first: of a conversation, or of all that show something.
pub(crate) fn newest(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    before: Option<SortKey>,
    count: usize,
) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    let conversations = match of {
        Some(one) => vec![one],
        None => cache.conversations.values().copied().collect(),
    };
    for conversation in conversations {
        older(db, cache, conversation, before, count, &mut found)?;
        // Once some conversations have given enough, that bounds the search in the others.
        if found.len() > count.saturating_add(64).saturating_mul(4) {
            keep_newest(&mut found, count);
        }
    }
    for place in cache.tail.iter().filter(|place| place.conversation != SILENT) {
        if of.is_none_or(|of| of == place.conversation) {
            let key = (place.hlc, key(cache, place)?);
            if before.is_none_or(|before| key < before) {
                found.push((key, *place));
            }
        }
    }
    keep_newest(&mut found, count);
    Ok(found)
}

/// The places of the oldest messages after `after`, oldest first: of a conversation, or of all that show something.
///
/// First finds where that many messages end, and then reads back from there.
pub(crate) fn oldest(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    after: SortKey,
    count: usize,
) -> Result<Vec<Found>, Fault> {
    let conversations = match of {
        Some(one) => vec![one],
        None => cache.conversations.values().copied().collect(),
    };
    let (from, mut stamps) = (after.0, Vec::new());
    let mut select = db.prepare_cached(
        "SELECT micros, logical FROM history WHERE conversation = ?1 AND (micros, logical) >= (?2, ?3)
         ORDER BY micros, logical LIMIT ?4",
    )?;
    let ask = i64::try_from(count.saturating_add(ALIKE)).unwrap_or(i64::MAX);
    for conversation in &conversations {
        let mut rows = select.query(params![conversation, from.micros, from.logical, ask])?;
        while let Some(row) = rows.next()? {
            stamps.push(Hlc { micros: row.get(0)?, logical: row.get(1)? });
        }
    }
    let tail = cache.tail.iter().filter(|place| place.conversation != SILENT && place.hlc >= from);
    stamps.extend(tail.filter(|place| of.is_none_or(|of| of == place.conversation)).map(|place| place.hlc));
    stamps.sort_unstable();
    stamps.truncate(count.saturating_add(ALIKE));
    let Some(Hlc { micros, logical }) = stamps.last().copied() else { return Ok(Vec::new()) };
    // No stamp lies between this one and the next.
    let end = match logical.checked_add(1) {
        Some(logical) => Hlc { micros, logical },
        None => Hlc { micros: micros.saturating_add(1), logical: 0 },
    };
    let nobody = ProcessId { person: chat::PersonId::new([0; 32]), incarnation: chat::Incarnation(0) };
    let before = Some((end, MessageId { process: nobody, clock: 0 }));
    let mut found = newest(db, cache, of, before, stamps.len().saturating_add(ALIKE))?;
    found.retain(|(key, _)| *key > after);
    found.reverse();
    found.truncate(count);
    Ok(found)
}

/// How many messages with the same stamp are read.
const ALIKE: usize = 64;

fn keep_newest(found: &mut Vec<Found>, count: usize) {
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(count);
}

fn key(cache: &Cache, place: &Place) -> Result<MessageId, Fault> {
    Ok(MessageId { process: cache.process(place.author)?, clock: place.clock.cast_unsigned() })
}

/// At most `count` places of one conversation that the index knows: the newest before `before`.
fn older(
    db: &Connection,
    cache: &Cache,
    conversation: i64,
    before: Option<SortKey>,
    count: usize,
    found: &mut Vec<Found>,
) -> Result<(), Fault> {
    let start = found.len();
    let limit = (i64::MAX, i64::MAX);
    let (micros, logical) = match before {
        Some((hlc, message)) => {
            tied(db, cache, conversation, hlc, Some(message), count, found)?;
            (hlc.micros, i64::from(hlc.logical))
        }
        None => limit,
    };
    let Some(wanted) = count.checked_sub(found.len() - start).filter(|&wanted| wanted > 0) else { return Ok(()) };
    let mut select = db.prepare_cached(
        "SELECT micros, logical, author, clock, id FROM history
         WHERE conversation = ?1 AND (micros, logical) < (?2, ?3) ORDER BY micros DESC, logical DESC LIMIT ?4",
    )?;
    // One more than wanted tells whether the last ones are all that share their stamp.
    let ask = i64::try_from(wanted).ok().and_then(|wanted| wanted.checked_add(1)).unwrap_or(-1);
    let mut rows = select.query(params![conversation, micros, logical, ask])?;
    let mut places: Vec<Place> = Vec::new();
    while let Some(row) = rows.next()? {
        let hlc = Hlc { micros: row.get(0)?, logical: row.get(1)? };
        places.push(Place { conversation, hlc, author: row.get(2)?, clock: row.get(3)?, id: row.get(4)? });
    }
    let is_cut = places.len() > wanted;
    let (whole, cut) = match places.last().map(|last| last.hlc) {
        Some(last) if is_cut => {
            let shared = places.iter().rev().take_while(|place| place.hlc == last).count();
            (places.len() - shared, (shared > 1).then_some(last))
        }
        Some(_) | None => (places.len(), None),
    };
    for place in &places[..whole] {
        found.push(((place.hlc, key(cache, place)?), *place));
    }
    if let Some(hlc) = cut {
        tied(db, cache, conversation, hlc, None, wanted - whole, found)?;
    }
    Ok(())
}

/// At most `count` of the places that share a stamp, the greatest ids before `before` first. An honest author never
/// gives two messages the same stamp. A liar that does so a million times must not make this slow, so whole authors are
/// skipped.
fn tied(
    db: &Connection,
    cache: &Cache,
    conversation: i64,
    hlc: Hlc,
    before: Option<MessageId>,
    count: usize,
    found: &mut Vec<Found>,
) -> Result<(), Fault> {
    let mut next = db.prepare_cached(
        "SELECT author FROM history WHERE conversation = ?1 AND micros = ?2 AND logical = ?3 AND author > ?4
         ORDER BY author LIMIT 1",
    )?;
    let mut authors: Vec<(ProcessId, u32)> = Vec::new();
    let mut last = -1i64;
    while let Some(author) =
        next.query_row(params![conversation, hlc.micros, hlc.logical, last], |row| row.get::<_, u32>(0)).optional()?
    {
        authors.push((cache.process(author)?, author));
        last = i64::from(author);
    }
    authors.sort_unstable_by(|one, other| other.cmp(one));
    let mut select = db.prepare_cached(
        "SELECT clock, id FROM history WHERE conversation = ?1 AND micros = ?2 AND logical = ?3 AND author = ?4
         AND clock <= ?5 ORDER BY clock DESC LIMIT ?6",
    )?;
    let end = found.len().saturating_add(count);
    for (process, author) in authors {
        let wanted = end - found.len();
        let below = match before {
            Some(before) if process > before.process => continue,
            Some(before) if process == before.process => signed(before.clock) - 1,
            Some(_) | None => i64::MAX,
        };
        if wanted == 0 {
            break;
        }
        let limit = i64::try_from(wanted).unwrap_or(-1);
        let mut rows = select.query(params![conversation, hlc.micros, hlc.logical, author, below, limit])?;
        while let Some(row) = rows.next()? {
            let clock: i64 = row.get(0)?;
            let place = Place { conversation, hlc, author, clock, id: row.get(1)? };
            found.push(((hlc, MessageId { process, clock: clock.cast_unsigned() }), place));
        }
    }
    Ok(())
}
