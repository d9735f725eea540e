//! Finding texts by words.
//!
//! A word is found anywhere, even inside a longer word, as in [`MemoryStore`](chat::MemoryStore). So search works the
//! same for scripts without spaces between words, and nobody has to know how a text was cut into words. FTS5 keeps
//! every sequence of three letters (its trigram tokenizer) of the texts in lower case. It only proposes: each text that
//! it names is checked. If it cannot help (words of one or two letters) or would not help (words that half of all texts
//! have), history is read from its end until enough is found.
//!
//! What a user asks for never reaches FTS5's query language. FTS5 only gets strings of three letters, quoted.

use std::borrow::Cow;

use chat::{MessageId, SortKey};
use rusqlite::{Connection, params};

use crate::batches::{Batches, Row, Status, signed};
use crate::cache::{Cache, set_state};
use crate::fault::Fault;
use crate::index::{self, Found};
use crate::rows::{self, COLUMNS, each};

/// How many proposals are checked one by one. If more texts have the words, reading from the end finds them fast.
const PROPOSALS: usize = 4096;

/// How many trigrams are asked for. More are not needed, because each text is checked anyway.
const THREES: usize = 24;

/// How many messages one read of history covers.
const PAGE: usize = 512;

/// How many messages go into the index in one piece: some 20 ms of work, including the merging. If the last one shares
/// a row, the rest of the row goes too. And how many must be waiting for this to be worth a commit.
const PIECE: i64 = 256;
const WORTH: i64 = 256;

/// The text at the end of a body.
pub(crate) fn text_of(body: &[u8], start: usize) -> Cow<'_, str> {
    String::from_utf8_lossy(body.get(start..).unwrap_or_default())
}

/// FTS5 takes a zero for the end of a text.
fn spelled(lower: &str) -> Cow<'_, str> {
    if lower.contains('\0') { lower.replace('\0', " ").into() } else { lower.into() }
}

pub(crate) fn add(db: &Connection, id: i64, text: &str) -> Result<(), Fault> {
    let lower = text.to_lowercase();
    db.prepare_cached("INSERT INTO words (rowid, text) VALUES (?1, ?2)")?.execute(params![id, spelled(&lower)])?;
    Ok(())
}

/// Whether enough is missing from the index that a piece of [`catch_up`] is worth it.
pub(crate) fn is_behind(db: &Connection, cache: &Cache) -> Result<bool, Fault> {
    let mut select = db.prepare_cached(
        "SELECT coalesce(json_array_length(parts), 1) FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let (mut rows, mut messages) = (select.query([cache.searched, WORTH])?, 0);
    while messages < WORTH
        && let Some(row) = rows.next()?
    {
        messages += row.get::<_, i64>(0)?;
    }
    Ok(messages >= WORTH)
}

/// Puts some of what is filed into the index. Returns whether there was any.
pub(crate) fn catch_up(db: &Connection, cache: &mut Cache) -> Result<bool, Fault> {
    let before = cache.searched;
    let mut select =
        db.prepare_cached(&format!("SELECT {COLUMNS} FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2"))?;
    let (mut rows, mut messages) = (select.query([cache.searched, PIECE])?, 0);
    while messages < PIECE
        && let Some(row) = rows.next()?
    {
        each(row, |message| {
            if message.status == Status::Shown {
                add(db, message.id, &text_of(message.plain(), message.start))?;
            }
            cache.searched = message.id;
            messages += 1;
            Ok(())
        })?;
    }
    set_state(db, "searched", cache.searched)?;
    merge(db)?;
    Ok(cache.searched > before)
}

/// Merges segments of the index, one of which comes from each piece, and leaves out what was deleted. It writes at most
/// this many pages, about what a piece adds to all levels together. A page takes some 0.4 ms.
pub(crate) fn merge(db: &Connection) -> Result<(), Fault> {
    const PAGES: i64 = 32;
    db.prepare_cached("INSERT INTO words (words, rank) VALUES ('merge', ?1)")?.execute([PAGES])?;
    Ok(())
}

/// The places of the newest messages whose texts have all of `words`.
pub(crate) fn search(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    words: &[&str],
    count: usize,
) -> Result<Vec<Found>, Fault> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    match proposals(db, &words)? {
        Some(ids) => among(db, cache, of, &words, count, &ids),
        None => from_the_end(db, cache, of, &words, count),
    }
}

fn has_all(text: &str, words: &[String]) -> bool {
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// The messages that the index has with all trigrams of the words, in the order of their ids. `None` if it does not
/// help.
fn proposals(db: &Connection, words: &[String]) -> Result<Option<Vec<i64>>, Fault> {
    let Some(query) = query(words) else { return Ok(None) };
    let mut select = db.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rowid LIMIT ?2")?;
    let limit = signed(PROPOSALS as u64 + 1);
    let ids: Vec<i64> = select.query_map(params![query, limit], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok((ids.len() <= PROPOSALS).then_some(ids))
}

fn query(words: &[String]) -> Option<String> {
    let mut threes: Vec<String> = Vec::new();
    for word in words {
        let letters: Vec<char> = spelled(word).chars().collect();
        for three in letters.windows(3) {
            let three = three.iter().collect();
            if threes.len() < THREES && !threes.contains(&three) {
                threes.push(three);
            }
        }
    }
    let quoted: Vec<String> = threes.iter().map(|three| format!("\"{}\"", three.replace('"', "\"\""))).collect();
    (!quoted.is_empty()).then(|| quoted.join(" AND "))
}

/// Checks what the index proposes, and everything that it does not know yet.
fn among(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    words: &[String],
    count: usize,
    ids: &[i64],
) -> Result<Vec<Found>, Fault> {
    let mut found = Vec::new();
    // Checks the messages of a row that are proposed or not known to the index. Returns the last message of the row.
    let mut look = |row: &rusqlite::Row<'_>| -> Result<i64, Fault> {
        let (author, mut last) = (row.get("author")?, 0);
        each(row, |message| {
            last = message.id;
            let is_meant = message.id > cache.searched || ids.binary_search(&message.id).is_ok();
            if !is_meant || message.status != Status::Shown || of.is_some_and(|of| message.conversation != Some(of)) {
                return Ok(());
            }
            if let Some(place) = message.place(author)?
                && has_all(&text_of(message.plain(), message.start), words)
            {
                let message = MessageId { process: cache.process(place.author)?, clock: place.clock.cast_unsigned() };
                found.push(((place.hlc, message), place));
            }
            Ok(())
        })?;
        Ok(last)
    };
    let select = format!("SELECT {COLUMNS}, author FROM messages JOIN batches ON number = id >> 6");
    let mut one = db.prepare_cached(&format!("{select} WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1"))?;
    let mut looked_at = -1;
    for &id in ids.iter().filter(|&&id| id <= cache.searched) {
        if id > looked_at {
            looked_at = one.query(rows::up_to(id))?.next()?.map_or(Ok(id), &mut look)?;
        }
    }
    let mut behind = db.prepare_cached(&format!("{select} WHERE id > ?1 AND status = 0"))?;
    let mut rows = behind.query([cache.searched])?;
    while let Some(row) = rows.next()? {
        look(row)?;
    }
    found.sort_unstable_by(|one, other| other.cmp(one));
    found.truncate(count);
    Ok(found)
}

fn from_the_end(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    words: &[String],
    count: usize,
) -> Result<Vec<Found>, Fault> {
    let mut batches = Batches::default();
    let (mut found, mut before): (Vec<Found>, Option<SortKey>) = (Vec::new(), None);
    while found.len() < count {
        let page = index::newest(db, cache, of, before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.0);
        for one in &page {
            let Row { start, opened, kept, .. } = batches.message(db, cache, one.1.id)?;
            if has_all(&text_of(opened.as_deref().unwrap_or_else(|| kept.body()), *start), words) {
                found.push(*one);
            }
        }
    }
    found.truncate(count);
    Ok(found)
}
