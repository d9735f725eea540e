//! What a full disk and a crash in the middle of a write leave. These run in a process of their own in which no file
//! may grow.
#![allow(clippy::unwrap_used, reason = "only tests use it")]

mod common;

use std::path::Path;
use std::process::{Command, ExitStatus};

use account::{Accounts, Error, Key, reseal};
use common::{cheap, entries, folder_with, name, opened, phrase, sealed, seed};

/// Tells a part of a test where to work. The part runs in the other process.
const FOLDER: &str = "CAUSERIE_TEST_FOLDER";

fn where_no_file_may_grow(test: &str, folder: &Path, before: &str) -> ExitStatus {
    let mut child = Command::new("sh");
    child.args(["-c", &format!("{before}; ulimit -c 0; ulimit -f 0; exec \"$0\" \"$@\"")]);
    child.arg(std::env::current_exe().unwrap()).args(["--exact", test, "--ignored"]).env(FOLDER, folder);
    child.output().unwrap().status
}

#[test]
#[ignore = "a part of the tests below"]
fn part_reseal() {
    let folder = std::env::var(FOLDER).expect("a test starts this one");
    let refused = reseal(Path::new(&folder), &phrase("old"), &phrase("new"), cheap()).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
}

#[test]
#[ignore = "a part of the test below"]
fn part_export_and_create() {
    let folder = std::env::var(FOLDER).expect("a test starts this one");
    let refused = sealed("alice").export(&Path::new(&folder).join("file")).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
    let refused = Accounts::new(folder.into()).create(&name("alice"), &Key::Plain(seed())).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
}

#[test]
fn a_full_disk_leaves_the_old_key_and_no_draft() {
    let folder = folder_with(&Key::Sealed(sealed("alice")));
    let status = where_no_file_may_grow("part_reseal", folder.path(), "trap '' XFSZ");
    assert!(status.success(), "{status}");
    assert_eq!(opened(folder.path(), "old").unwrap().expose(), seed().expose());
    assert_eq!(entries(folder.path()), ["identity.key", "identity.key.lock"]);
}

#[test]
fn a_full_disk_leaves_no_part_of_an_export_or_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let status = where_no_file_may_grow("part_export_and_create", folder.path(), "trap '' XFSZ");
    assert!(status.success(), "{status}");
    assert_eq!(entries(folder.path()), ["~lock"]);
}

#[test]
fn a_process_killed_while_it_writes_leaves_the_old_key() {
    let folder = folder_with(&Key::Sealed(sealed("alice")));
    let status = where_no_file_may_grow("part_reseal", folder.path(), "true");
    assert_eq!(status.code(), None, "a signal ends it");
    assert!(folder.path().join("identity.key.new").exists());
    assert_eq!(opened(folder.path(), "old").unwrap().expose(), seed().expose());
    reseal(folder.path(), &phrase("old"), &phrase("new"), cheap()).unwrap();
    assert_eq!(opened(folder.path(), "new").unwrap().expose(), seed().expose());
}
