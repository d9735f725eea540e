//! Anything but a whole store of a known version is refused, with the file's name and what to do, and is left
//! unchanged.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use chat::{Change, Store, StoreError};
use rusqlite::Connection;
use store::SqliteStore;
use support::{flood, numbered};

/// A store with messages in it, closed.
fn filled(messages: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("causerie.db");
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&flood(&numbered(messages))).unwrap();
    store.tidy_all().unwrap();
    (folder, file)
}

/// Checks that opening is refused for this reason and changes nothing.
fn refused(file: &Path, why: &str) {
    let before = fs::read(file).unwrap();
    let error = SqliteStore::open(file).map(drop).unwrap_err();
    let StoreError::Unreadable { reason } = &error else { panic!("{error}") };
    for part in [why, file.to_str().unwrap(), "nothing was changed"] {
        assert!(reason.contains(part), "{reason:?} does not say {part:?}");
    }
    assert!(fs::read(file).unwrap() == before, "{error}");
}

#[test]
fn an_empty_file_is_not_taken_for_a_new_store() {
    let (_folder, file) = filled(1);
    fs::write(&file, "").unwrap();
    refused(&file, "it is empty");
}

#[test]
fn a_journal_without_its_store_is_not_taken_for_a_new_store() {
    let (_folder, file) = filled(1);
    let store = SqliteStore::open(&file).unwrap();
    let journal = file.with_extension("db-wal");
    // A reader keeps the journal from being folded in when the store closes.
    let copy = fs::read(&journal).unwrap_or_default();
    drop(store);
    fs::remove_file(&file).unwrap();
    fs::write(&journal, copy).unwrap();
    let error = SqliteStore::open(&file).map(drop).unwrap_err();
    assert!(error.to_string().contains("it is gone"), "{error}");
    assert!(!file.exists());
}

#[test]
fn a_file_of_another_kind_is_refused() {
    let (_folder, file) = filled(1);
    fs::write(&file, "what is written here is no database at all, however long it may be").unwrap();
    refused(&file, "not an SQLite database");
    fs::remove_file(&file).unwrap();
    Connection::open(&file).unwrap().execute_batch("CREATE TABLE notes (text)").unwrap();
    refused(&file, "a database of another program");
}

#[test]
fn a_newer_version_is_refused_with_a_way_out() {
    let (_folder, file) = filled(1);
    Connection::open(&file).unwrap().execute_batch("PRAGMA user_version = 7").unwrap();
    refused(&file, "written by a newer causerie (version 7 of its tables; this one knows 6)");
    Connection::open(&file).unwrap().execute_batch("PRAGMA user_version = 0").unwrap();
    refused(&file, "version 0");
}

#[test]
fn missing_tables_are_named() {
    let (_folder, file) = filled(1);
    Connection::open(&file).unwrap().execute_batch("DROP TABLE aliases").unwrap();
    refused(&file, "the table aliases is missing");
}

#[test]
fn a_truncated_file_is_refused() {
    let (_folder, file) = filled(300);
    let whole = fs::read(&file).unwrap();
    for length in [whole.len() - 4096, whole.len() / 2 / 4096 * 4096, whole.len() - 100, 4096, 1000, 100, 17] {
        fs::write(&file, &whole[..length]).unwrap();
        refused(&file, "is damaged");
    }
}

#[test]
fn rubbish_in_any_page_is_refused_or_read_without_a_panic() {
    let (_folder, file) = filled(300);
    let whole = fs::read(&file).unwrap();
    let (mut refused, mut met) = (0, 0);
    for page in 1..whole.len() / 4096 {
        let mut damaged = whole.clone();
        damaged[page * 4096..(page + 1) * 4096].fill(0xa5);
        fs::write(&file, &damaged).unwrap();
        match SqliteStore::open(&file) {
            Err(StoreError::Unreadable { .. }) => refused += 1,
            Err(error) => panic!("page {page}: {error}"),
            Ok(mut store) => {
                store.newest(None, None, 300);
                let _ = store.load();
                met += 1;
            }
        }
    }
    assert!(refused > 10 && refused > 5 * met, "{refused} refused, {met} let in");
}

#[test]
fn a_damaged_row_answers_nothing_and_the_next_apply_says_so() {
    for damage in ["stamp = x'0102'", "status = 9", "stamp = x''"] {
        let (_folder, file) = filled(10);
        Connection::open(&file)
            .unwrap()
            .execute_batch(&format!("UPDATE messages SET {damage} WHERE id % 64 = 3"))
            .unwrap();
        let mut store = SqliteStore::open(&file).unwrap();
        assert!(store.newest(None, None, 100).is_empty());
        for _ in 0..2 {
            let error = store.apply(&[Change::Mind("more".into())]).unwrap_err();
            assert!(matches!(&error, StoreError::Unreadable { reason } if reason.contains("causerie.db")), "{error}");
        }
    }
}

/// Version 4 filed clocks up to the greatest integer, and then could not open the store.
#[test]
fn a_store_with_impossible_clocks_is_opened() {
    let (_folder, file) = filled(300);
    let filed = format!("INSERT INTO runs VALUES (1, {}, 1, 63, 1)", i64::MAX);
    Connection::open(&file).unwrap().execute_batch(&filed).unwrap();
    let mut store = SqliteStore::open(&file).unwrap();
    let newest = store.newest(None, None, 1000).len();
    store.apply(&[Change::Mind("more".into())]).unwrap();
    store.load().unwrap();
    assert_eq!(newest, 300);
}
