//! Finding texts by words.
//!
//! A word is found wherever it stands, inside of longer words too, as in [`MemoryStore`](chat::MemoryStore): so it works
//! alike for scripts that put no spaces between words, and nobody has to know how a text was cut into words. FTS5 keeps every
//! three letters in a row (its trigram tokenizer) of the texts in lower case. It only proposes: each text that it names is
//! looked at. Where it cannot help (words of one or two letters) or would not (words that half of all texts have), history
//! is read from its end until enough is found.
//!
//! What is asked for never reaches FTS5's query language: it is given strings of three letters, quoted.

use std::borrow::Cow;

use chat::{Hlc, MessageId, SortKey};
use rusqlite::{Connection, params};

use crate::batches::signed;
use crate::cache::{Cache, Place, set_state};
use crate::fault::Fault;
use crate::index::{self, Found};

/// How many proposals are looked at one by one. Words that more texts have are found fast by reading from the end.
const PROPOSALS: usize = 4096;

/// How many threes of letters are asked for: each text is looked at anyway.
const THREES: usize = 24;

/// How many messages are looked at in one read of history.
const PAGE: usize = 512;

/// Messages that go into the index in one piece, some 20 ms of work with the merging, and how many have to be there for it to
/// be worth a commit.
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

/// Whether so much is not in the index that it is worth to [`catch_up`] by a piece.
pub(crate) fn is_behind(db: &Connection, cache: &Cache) -> Result<bool, Fault> {
    let probe = "SELECT EXISTS (SELECT 1 FROM messages WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2)";
    Ok(db.prepare_cached(probe)?.query_row([cache.searched, WORTH - 1], |row| row.get(0))?)
}

/// Puts a piece of what is filed into the index. Whether there was any.
pub(crate) fn catch_up(db: &Connection, cache: &mut Cache) -> Result<bool, Fault> {
    let before = cache.searched;
    let mut select = db.prepare_cached(
        "SELECT id, status, coalesce(opened, body), start FROM messages WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let mut rows = select.query([cache.searched, PIECE])?;
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        if row.get::<_, i64>(1)? == 0 {
            add(db, id, &text(row, 2, 3)?)?;
        }
        cache.searched = id;
    }
    set_state(db, "searched", cache.searched)?;
    merge(db)?;
    Ok(cache.searched > before)
}

/// Merges segments of the index, of which each piece is one, and leaves out what was deleted: at most so many pages, about
/// what a piece adds to all levels together. A page takes some 0.4 ms.
pub(crate) fn merge(db: &Connection) -> Result<(), Fault> {
    const PAGES: i64 = 32;
    db.prepare_cached("INSERT INTO words (words, rank) VALUES ('merge', ?1)")?.execute([PAGES])?;
    Ok(())
}

fn text<'a>(row: &'a rusqlite::Row<'_>, body: usize, start: usize) -> Result<Cow<'a, str>, Fault> {
    let body = row.get_ref(body)?.as_blob().map_err(rusqlite::Error::from)?;
    let start = usize::try_from(row.get::<_, i64>(start)?).unwrap_or(usize::MAX);
    Ok(text_of(body, start.saturating_sub(1)))
}

/// The places of the newest messages that have all of `words` in them.
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

/// The messages that the index has with every three letters in a row of the words; `None` if it does not help.
fn proposals(db: &Connection, words: &[String]) -> Result<Option<Vec<i64>>, Fault> {
    let Some(query) = query(words) else { return Ok(None) };
    let mut select = db.prepare_cached("SELECT rowid FROM words WHERE words MATCH ?1 LIMIT ?2")?;
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

/// Looks at what the index proposes, and at all that it does not know yet.
fn among(
    db: &Connection,
    cache: &Cache,
    of: Option<i64>,
    words: &[String],
    count: usize,
    ids: &[i64],
) -> Result<Vec<Found>, Fault> {
    const COLUMNS: &str =
        "SELECT m.id, m.conversation, m.micros, m.logical, b.author, m.clock, coalesce(m.opened, m.body),
        m.start FROM messages m JOIN batches b ON b.number = m.id >> 6";
    let mut found = Vec::new();
    let mut look = |row: &rusqlite::Row<'_>| -> Result<(), Fault> {
        let conversation = row.get(1)?;
        if of.is_some_and(|of| of != conversation) || !has_all(&text(row, 6, 7)?, words) {
            return Ok(());
        }
        let hlc = Hlc { micros: row.get(2)?, logical: row.get(3)? };
        let place = Place { conversation, hlc, author: row.get(4)?, clock: row.get(5)?, id: row.get(0)? };
        let message = MessageId { process: cache.process(place.author)?, clock: place.clock.cast_unsigned() };
        found.push(((hlc, message), place));
        Ok(())
    };
    let mut select = db.prepare_cached(&format!("{COLUMNS} WHERE m.id = ?1 AND m.status = 0"))?;
    for &id in ids.iter().filter(|&&id| id <= cache.searched) {
        let mut rows = select.query([id])?;
        while let Some(row) = rows.next()? {
            look(row)?;
        }
    }
    let mut select = db.prepare_cached(&format!("{COLUMNS} WHERE m.id > ?1 AND m.status = 0"))?;
    let mut rows = select.query([cache.searched])?;
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
    let mut select = db.prepare_cached("SELECT coalesce(opened, body), start FROM messages WHERE id = ?1")?;
    let (mut found, mut before): (Vec<Found>, Option<SortKey>) = (Vec::new(), None);
    while found.len() < count {
        let page = index::newest(db, cache, of, before, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.0);
        for one in &page {
            let mut rows = select.query([one.1.id])?;
            if let Some(row) = rows.next()?
                && has_all(&text(row, 0, 1)?, words)
            {
                found.push(*one);
            }
        }
    }
    found.truncate(count);
    Ok(found)
}
