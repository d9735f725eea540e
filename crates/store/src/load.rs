//! What a peer needs to go on where it stopped.

use std::net::IpAddr;

use bytes::Bytes;
use chat::{Kept, Parcel, Saved, Signature, SignedRecord};
use rusqlite::Connection;

use crate::batches::{Batches, Status, each_run, signed, unsigned};
use crate::cache::{Cache, name, person, process, state};
use crate::fault::Fault;

pub(crate) fn load(db: &Connection, cache: &Cache) -> Result<Saved, Fault> {
    Ok(Saved {
        causal: state::<Vec<u8>>(db, "causal")?.map(Bytes::from),
        mind: state::<Vec<u8>>(db, "mind")?.map(Bytes::from),
        talks: talks(db, cache)?,
        greetings: greetings(db)?,
        records: records(db)?,
        addresses: addresses(db)?,
        aliases: aliases(db)?,
        verified: state::<Vec<u8>>(db, "verified")?.map(Bytes::from),
        held: held(db, cache)?,
        carried: carried(db)?,
        own: own(db, cache)?,
        delayed: delayed(db, cache)?,
        scheduled: scheduled(db)?,
    })
}

fn talks(db: &Connection, cache: &Cache) -> Result<Vec<(chat::Conversation, Bytes)>, Fault> {
    let mut talks = Vec::new();
    let mut select = db.prepare("SELECT vectors FROM conversations WHERE id = ?1")?;
    for (conversation, id) in &cache.conversations {
        let vectors: Option<Vec<u8>> = select.query_row([id], |row| row.get(0))?;
        talks.extend(vectors.map(|vectors| (conversation.clone(), vectors.into())));
    }
    Ok(talks)
}

fn greetings(db: &Connection) -> Result<Vec<(chat::ProcessId, Bytes)>, Fault> {
    let mut select = db.prepare("SELECT process, signed FROM greetings")?;
    let mut rows = select.query([])?;
    let mut greetings = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let (person, incarnation) = text.rsplit_once('-').unwrap_or((&text, ""));
        greetings.push((process(person, incarnation)?, row.get::<_, Vec<u8>>(1)?.into()));
    }
    Ok(greetings)
}

fn records(db: &Connection) -> Result<Vec<SignedRecord>, Fault> {
    let mut select = db.prepare("SELECT signed FROM records")?;
    let mut rows = select.query([])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let bytes = row.get_ref(0)?.as_blob().map_err(rusqlite::Error::from)?;
        let record = SignedRecord::from_stored(bytes);
        records.push(record.map_err(|malformed| Fault::Damaged(format!("a record: {malformed}")))?);
    }
    Ok(records)
}

fn addresses(db: &Connection) -> Result<Vec<(chat::PersonId, Vec<IpAddr>)>, Fault> {
    let mut select = db.prepare("SELECT person, known FROM addresses")?;
    let mut rows = select.query([])?;
    let mut addresses = Vec::new();
    while let Some(row) = rows.next()? {
        let known: String = row.get(1)?;
        let known = known.split_whitespace().map(str::parse).collect::<Result<_, _>>();
        let known = known.map_err(|error| Fault::Damaged(format!("an address of a person: {error}")))?;
        addresses.push((person(&row.get::<_, String>(0)?)?, known));
    }
    Ok(addresses)
}

fn aliases(db: &Connection) -> Result<Vec<(chat::Name, chat::PersonId)>, Fault> {
    let mut select = db.prepare("SELECT alias, person FROM aliases")?;
    let mut rows = select.query([])?;
    let mut aliases = Vec::new();
    while let Some(row) = rows.next()? {
        aliases.push((name(&row.get::<_, String>(0)?)?, person(&row.get::<_, String>(1)?)?));
    }
    Ok(aliases)
}

fn held(db: &Connection, cache: &Cache) -> Result<Vec<Kept>, Fault> {
    let mut arrival = db.prepare("SELECT micros FROM messages WHERE id = ?1")?;
    let mut held = Vec::new();
    for (id, _) in cache.aside.iter().filter(|(_, status)| **status == Status::Held) {
        held.push((arrival.query_row([id], |row| row.get::<_, i64>(0))?, *id));
    }
    held.sort_unstable();
    let mut batches = Batches::default();
    let kept = held.into_iter().map(|(_, id)| Ok(batches.message(db, cache, id)?.kept.clone()));
    kept.collect()
}

fn carried(db: &Connection) -> Result<Vec<Parcel>, Fault> {
    let mut select = db.prepare("SELECT message, recipient, sealed, signature FROM parcels ORDER BY rowid")?;
    let mut rows = select.query([])?;
    let mut carried = Vec::new();
    let damaged = |what: &dyn std::fmt::Display| Fault::Damaged(format!("a parcel: {what}"));
    while let Some(row) = rows.next()? {
        let (message, to): (String, String) = (row.get(0)?, row.get(1)?);
        let signature: Vec<u8> = row.get(3)?;
        carried.push(Parcel {
            message: message.parse().map_err(|error| damaged(&error))?,
            to: to.parse().map_err(|error| damaged(&error))?,
            sealed: row.get::<_, Vec<u8>>(2)?.into(),
            signature: Signature(signature.try_into().map_err(|_| damaged(&"its signature is not 64 bytes long"))?),
        });
    }
    Ok(carried)
}

fn own(db: &Connection, cache: &Cache) -> Result<Vec<Kept>, Fault> {
    let (mut batches, mut own) = (Batches::default(), Vec::new());
    each_run(db, cache, 0, signed(cache.settled), i64::MAX, |run| {
        let rows = batches.read(db, cache, run.batch)?;
        let delivered = rows.iter().filter(|row| row.status.is_delivered()).map(|row| row.kept.clone());
        own.extend(delivered.filter(|kept| kept.id().clock > cache.settled));
        Ok(true)
    })?;
    own.sort_by_key(|kept: &Kept| kept.id().clock);
    own.dedup_by_key(|kept| kept.id());
    Ok(own)
}

fn delayed(db: &Connection, cache: &Cache) -> Result<Vec<(u64, i64)>, Fault> {
    let mut select = db.prepare("SELECT clock, due FROM delayed WHERE clock > ?1 ORDER BY clock")?;
    let mut rows = select.query([signed(cache.settled)])?;
    let mut delayed = Vec::new();
    while let Some(row) = rows.next()? {
        delayed.push((unsigned(row.get(0)?)?, row.get(1)?));
    }
    Ok(delayed)
}

fn scheduled(db: &Connection) -> Result<Vec<(u64, Bytes)>, Fault> {
    let mut select = db.prepare("SELECT number, text FROM scheduled ORDER BY number")?;
    let mut rows = select.query([])?;
    let mut scheduled = Vec::new();
    while let Some(row) = rows.next()? {
        scheduled.push((unsigned(row.get(0)?)?, row.get::<_, Vec<u8>>(1)?.into()));
    }
    Ok(scheduled)
}
