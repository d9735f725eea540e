//! On a full disk, the store refuses loudly and changes nothing. Once there is room, it goes on.
//!
//! A limit on file sizes, which the system sets for a child process, stands in for the full disk.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a test that fails then")]

mod support;

use std::path::Path;
use std::process::Command;

use chat::{Change, Conversation, Store, StoreError};
use store::SqliteStore;
use support::{flood, numbered};

/// Where the child finds its store.
const FOLDER: &str = "CAUSERIE_TEST_FULL_DISK";

#[test]
fn a_full_disk_refuses_and_then_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    SqliteStore::open(&folder.path().join("causerie.db")).unwrap();
    let this = std::env::current_exe().unwrap();
    // Files of at most 400 KiB, until the child lifts the limit. A write beyond that is an error, and does not end the
    // process.
    let limited = "trap '' XFSZ; ulimit -S -f 800; exec \"$0\" --exact the_child --ignored --nocapture";
    let child = Command::new("sh").args(["-c", limited]).arg(this).env(FOLDER, folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stdout).into_owned() + &String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success() && said.contains("went on"), "{said}");
    let store = SqliteStore::open(&folder.path().join("causerie.db")).unwrap();
    assert_eq!(store.newest(Some(&Conversation::All), None, usize::MAX).len(), 4000);
}

#[test]
#[ignore = "it is run by the other one"]
fn the_child() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let mut store = SqliteStore::open(&Path::new(&folder).join("causerie.db")).unwrap();
    let changes = flood(&numbered(4000));
    let mut pieces = changes.chunks(100);
    let mut kept = 0;
    let refused = loop {
        let piece = pieces.next().expect("it is more than there is room for");
        let shown = piece.iter().filter(|change| matches!(change, Change::Shown(_))).count();
        let before = store.newest(None, None, usize::MAX).len();
        match store.apply(piece) {
            Ok(()) => kept += shown,
            Err(StoreError::NotKept { reason }) => {
                assert!(reason.contains("causerie.db") && reason.contains("disk"), "{reason}");
                assert_eq!(before, kept);
                break piece;
            }
            Err(error) => panic!("{error}"),
        }
    };
    assert!(kept > 100);
    assert!(store.apply(refused).is_err(), "there is still no room");
    assert_eq!(store.newest(None, None, usize::MAX).len(), kept);
    let lifted = Command::new("prlimit").args(["--fsize=unlimited", "--pid", &std::process::id().to_string()]).status();
    assert!(lifted.unwrap().success());
    store.apply(refused).unwrap();
    pieces.for_each(|piece| store.apply(piece).unwrap());
    assert_eq!(store.newest(None, None, usize::MAX).len(), 4000);
    println!("went on");
}
