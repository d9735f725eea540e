//! What was applied is there, and reads as a person would expect.
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for some variants")]

mod support;

use chat::{Change, Conversation, Store, Target};
use store::SqliteStore;
use support::{Mesh, conversation, flood, kept_of, numbered, print, texts, to};

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("causerie.db");
    (folder, file)
}

#[test]
fn everything_that_was_kept_is_there_after_reopening() {
    let (_folder, file) = folder();
    let changes = flood(&numbered(300));
    let kept: Vec<_> = changes.iter().filter_map(kept_of).map(print).collect();
    let mut store = SqliteStore::open(&file).unwrap();
    for changes in changes.chunks(50) {
        store.apply(changes).unwrap();
    }
    drop(store);
    let mut store = SqliteStore::open(&file).unwrap();
    let newest = store.newest(Some(&Conversation::All), None, usize::MAX);
    assert_eq!(newest.len(), 300);
    assert!(newest.is_sorted_by(|one, other| one.sort_key() > other.sort_key()));
    let carol = newest[0].kept.id().process;
    let of_carol: Vec<_> = kept.iter().filter(|(id, ..)| id.process == carol).cloned().collect();
    let read = store.kept_by(carol, 0, u64::MAX, usize::MAX);
    assert_eq!(read.iter().map(print).collect::<Vec<_>>(), of_carol);
    assert!(store.contains(newest[0].kept.id()));
    assert_eq!(store.load().unwrap().held.len(), 0);
}

#[test]
fn a_run_is_kept_the_same_as_its_single_messages() {
    let texts = numbered(100);
    let kept = [Mesh::take_runs, Mesh::take].map(|take| {
        let mut mesh = Mesh::new(1);
        for (who, texts) in [(1, &texts[..90]), (2, &texts[90..])] {
            mesh.say(who, &texts.iter().map(|text| (Target::All, &text[..])).collect::<Vec<_>>());
        }
        let changes = take(&mut mesh);
        let mut store = SqliteStore::in_memory().unwrap();
        store.apply(&changes).unwrap();
        let entries = store.newest(None, None, usize::MAX);
        (changes.len(), entries.iter().map(|entry| (print(&entry.kept), entry.sort_key())).collect::<Vec<_>>())
    });
    assert!(kept[0].0 < kept[1].0 / 2, "{} changes and {}", kept[0].0, kept[1].0);
    assert_eq!(kept[0].1.len(), 100);
    assert_eq!(kept[0].1, kept[1].1);
}

#[test]
fn words_are_found_anywhere_in_a_text() {
    let (_folder, file) = folder();
    let (numbers, entries) = conversation(1);
    let mut store = SqliteStore::open(&file).unwrap();
    let numbers = numbers.into_iter().map(|(number, process)| Change::Process { number, process });
    let changes: Vec<Change> = numbers.chain(entries.into_iter().map(|entry| Change::Shown(entry.into()))).collect();
    store.apply(&changes).unwrap();
    let find = |store: &SqliteStore, words: &[&str]| texts(&store.search(None, words, 10));
    assert_eq!(find(&store, &["WORD"]), ["A wordless answer", "three wordy words", "two words"]);
    assert_eq!(find(&store, &["word", "wordy"]), ["three wordy words"]);
    assert_eq!(find(&store, &["grüsse"]), [""; 0]);
    assert_eq!(find(&store, &["GRÜß", "alle"]), ["Grüße an ALLE"]);
    assert_eq!(find(&store, &["読"]), ["字を読む"]);
    assert_eq!(find(&store, &["字を読"]), ["字を読む"]);
    assert_eq!(find(&store, &["\"quoted\"", "(not)", "and", "*"]), ["\"quoted\" AND (NOT) *"]);
    assert_eq!(texts(&store.search(Some(&Conversation::All), &["word"], 1)), ["three wordy words"]);
    assert_eq!(texts(&store.search(None, &[], 2)), texts(&store.newest(None, None, 2)));
}

#[test]
fn a_person_can_read_it_while_it_is_written() {
    let (_folder, file) = folder();
    let mut mesh = Mesh::new(1);
    mesh.say(1, &[(Target::All, "hello \u{1b}[31mall"), (to("alice"), "psst")]);
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&mesh.take()).unwrap();
    let reader = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut select = reader.prepare("SELECT * FROM chat").unwrap();
    let rows = select.query_map([], |row| Ok([row.get::<_, String>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]));
    let rows: Vec<[String; 4]> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(rows[0], ["2027-01-15 08:00:00", "bob", "all", "hello ?[31mall"]);
    assert_eq!(rows[1], ["2027-01-15 08:00:00", "bob", "bob", "psst"]);
    // And writing goes on beside a reader.
    store.apply(&[Change::Mind("on".into())]).unwrap();
}

#[test]
fn messages_that_are_shown_together_share_a_row_and_read_one_by_one() {
    let (_folder, file) = folder();
    let texts = numbered(130);
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&flood(&texts)).unwrap();
    let reader = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let rows: i64 = reader.query_row("SELECT count(*) FROM messages", [], |row| row.get(0)).unwrap();
    assert!(rows < 10, "{rows} rows of {} messages", texts.len());
    let mut select = reader.prepare("SELECT text FROM chat").unwrap();
    let read: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    assert_eq!(read, texts);
}

#[test]
fn the_number_of_a_batch_is_never_given_again() {
    let (_folder, file) = folder();
    let changes = flood(&numbered(3));
    let kept: Vec<_> = changes.iter().filter_map(kept_of).cloned().collect();
    let mut store = SqliteStore::open(&file).unwrap();
    store.apply(&[Change::Held(kept[0].clone())]).unwrap();
    store.apply(&[Change::Dropped(kept[0].clone())]).unwrap();
    assert!(store.load().unwrap().held.is_empty());
    drop(store);
    let mut store = SqliteStore::open(&file).unwrap();
    let others = flood(&numbered(1));
    store.apply(&others).unwrap();
    let number = others.iter().filter_map(kept_of).next().unwrap().batch_number();
    assert!(number > kept[0].batch_number(), "{number:?} after {:?}", kept[0].batch_number());
}
