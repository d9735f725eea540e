//! The oldest messages are dropped, in whole batches, and those that are needed stay.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for some variants")]

mod support;

use std::time::Duration;

use chat::{Change, Entry, Store, Target};
use store::{Retention, SqliteStore};
use support::{Mesh, START, flood, kept_of, numbered, texts, to};

fn all(store: &mut SqliteStore, retention: Retention, now: i64) -> usize {
    let mut sum = 0;
    loop {
        let dropped = store.retain(retention, now).unwrap();
        if dropped == 0 {
            return sum;
        }
        sum += dropped;
    }
}

#[test]
fn messages_that_are_too_old_are_dropped_and_no_longer_found() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("causerie.db");
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&flood(&numbered(640))).unwrap();
    store.tidy_all().unwrap();
    let before: Vec<Entry> = store.newest(None, None, usize::MAX);
    assert_eq!(store.retain(Retention::default(), i64::MAX).unwrap(), 0, "both are off by default");
    // Turns are 10 ms apart, so four of the ten batches are older.
    let cutoff = START + 35_000;
    let retention = Retention { max_age: Some(Duration::from_secs(60)), max_bytes: None };
    assert_eq!(all(&mut store, retention, cutoff + 60_000_000), 256);
    drop(store);
    let mut store = SqliteStore::open(&file).unwrap();
    let after = store.newest(None, None, usize::MAX);
    assert_eq!(texts(&after), texts(&before)[..384]);
    assert!(after.iter().all(|entry| entry.hlc.micros >= cutoff));
    for entry in &before[384..] {
        let id = entry.kept.id();
        assert!(!store.contains(id));
        assert!(store.kept_by(id.process, id.clock - 1, id.clock, 1).is_empty());
    }
    assert!(store.search(None, &["=255"], 10).is_empty());
    assert_eq!(store.search(None, &["=256"], 10).len(), 1);
    let reader = rusqlite::Connection::open(&file).unwrap();
    let words = "SELECT count(*) FROM words WHERE words MATCH '\"===\"'";
    assert_eq!(reader.query_row(words, [], |row| row.get::<_, i64>(0)).unwrap(), 384);
    // What comes again is kept again.
    store.apply(&flood(&numbered(64))).unwrap();
    assert_eq!(store.newest(None, None, usize::MAX).len(), 448);
}

#[test]
fn the_file_shrinks_to_its_bound() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("causerie.db");
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&flood(&numbered(9000))).unwrap();
    store.tidy_all().unwrap();
    let full = store.bytes().unwrap();
    let retention = Retention { max_age: None, max_bytes: Some(full / 3) };
    let dropped = all(&mut store, retention, 0);
    assert!(store.bytes().unwrap() <= full / 3);
    assert!(store.bytes().unwrap() > full / 4, "no more than must");
    let left = store.newest(None, None, usize::MAX);
    assert_eq!(left.len() + dropped, 9000);
    assert!(texts(&left)[0].ends_with("=8999"), "the newest stays");
    drop(store);
    let size = std::fs::metadata(&file).unwrap().len();
    assert!(size <= full / 3 + 64 * 1024, "{size} bytes for {} of content", full / 3);
}

#[test]
fn messages_that_are_needed_stay_whatever_the_bounds() {
    let mut mesh = Mesh::new(1);
    mesh.say(0, &[(Target::All, "mine, settled")]);
    mesh.say(0, &[(Target::All, "mine")]);
    mesh.say(1, &[(Target::All, "held"), (to("alice"), "its batch")]);
    mesh.say(2, &[(Target::All, "carried")]);
    mesh.say(1, &[(Target::All, "the rest")]);
    let mut store = SqliteStore::in_memory().unwrap();
    let mut settled = 0;
    for change in mesh.take() {
        let text = match &change {
            Change::Shown(run) => run.first().text().unwrap().1.to_string(),
            _ => String::new(),
        };
        let kept = kept_of(&change).cloned();
        store
            .apply(&[match (&text[..], kept) {
                ("held", Some(kept)) => Change::Held(kept),
                ("carried", Some(kept)) => Change::Carried(chat::Parcel {
                    message: kept.id(),
                    to: kept.id().process,
                    sealed: vec![1; 100].into(),
                    signature: chat::Signature([1; 64]),
                }),
                ("mine, settled", Some(kept)) => {
                    settled = kept.id().clock;
                    change
                }
                _ => change,
            }])
            .unwrap();
    }
    store.apply(&[Change::Settled { up_to: settled }]).unwrap();
    for retention in
        [Retention { max_age: Some(Duration::ZERO), max_bytes: None }, Retention { max_age: None, max_bytes: Some(0) }]
    {
        all(&mut store, retention, START + 1_000_000_000);
        assert_eq!(texts(&store.newest(None, None, usize::MAX)), ["its batch", "mine"]);
        let saved = store.load().unwrap();
        assert_eq!((saved.held.len(), saved.carried.len(), saved.own.len()), (1, 1, 1));
    }
}
