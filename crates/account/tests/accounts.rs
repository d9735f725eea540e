//! The accounts of one machine.

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;

use account::{Accounts, Error, Key};
use common::{entries, mode, name, opened, sealed, seed};

fn accounts() -> (tempfile::TempDir, Accounts) {
    let parent = tempfile::tempdir().expect("a folder for the test");
    let accounts = Accounts::new(parent.path().join("deep/accounts"));
    (parent, accounts)
}

fn plain() -> Key {
    Key::Plain(seed())
}

#[test]
fn accounts_are_made_and_listed() {
    let (parent, accounts) = accounts();
    assert!(accounts.list().unwrap().is_empty());
    assert!(entries(parent.path()).is_empty());
    for other in ["zoë", "bob"] {
        accounts.create(&name(other), &plain()).unwrap();
    }
    accounts.create(&name("alice"), &Key::Sealed(sealed("alice"))).unwrap();
    assert_eq!(accounts.list().unwrap(), ["alice", "bob", "zoë"].map(name));
    assert!(matches!(accounts.key(&name("alice")).unwrap(), Key::Sealed(_)));
    assert!(matches!(accounts.key(&name("bob")).unwrap(), Key::Plain(_)));
    let folder = accounts.folder(&name("alice"));
    assert_eq!((mode(&folder), mode(folder.parent().unwrap())), (0o700, 0o700));
    assert_eq!(entries(folder.parent().unwrap()), ["alice", "bob", "zoë", "~lock"]);
}

#[test]
fn a_name_that_is_in_use_is_refused() {
    let (parent, accounts) = accounts();
    accounts.create(&name("Zoë"), &plain()).unwrap();
    let base = parent.path().join("deep/accounts");
    fs::write(base.join("file"), "kept").unwrap();
    fs::create_dir(base.join("empty")).unwrap();
    symlink("/nowhere", base.join("link")).unwrap();
    for taken in ["Zoë", "zoë", "ZOË", "Zоë", "fіle", "file", "empty", "link"] {
        let refused = accounts.create(&name(taken), &plain()).unwrap_err();
        assert!(matches!(refused, Error::NameTaken { .. }), "{taken}: {refused}");
    }
    assert_eq!(entries(&base), ["Zoë", "empty", "file", "link", "~lock"]);
    assert_eq!(fs::read_to_string(base.join("file")).unwrap(), "kept");
}

#[test]
fn a_name_that_would_lead_elsewhere_is_refused() {
    let (parent, accounts) = accounts();
    fs::create_dir_all(parent.path().join("deep/accounts")).unwrap();
    for text in [".", "..", ".hidden", "ɑll"] {
        let name = name(text);
        assert!(matches!(accounts.create(&name, &plain()), Err(Error::BadName(_))), "{text}");
        assert!(matches!(accounts.key(&name), Err(Error::NoAccount { .. })), "{text}");
        assert!(matches!(accounts.delete(&name), Err(Error::NoAccount { .. })), "{text}");
    }
    assert!(entries(&parent.path().join("deep/accounts")).is_empty());
}

#[test]
fn only_accounts_are_listed() {
    let (parent, accounts) = accounts();
    accounts.create(&name("alice"), &plain()).unwrap();
    accounts.create(&name("é"), &plain()).unwrap();
    let base = parent.path().join("deep/accounts");
    for folder in ["two words", ".hidden", "~new-1", "~gone-2", "e\u{301}"] {
        fs::create_dir(base.join(folder)).unwrap();
    }
    fs::write(base.join("file"), "").unwrap();
    assert_eq!(accounts.list().unwrap(), ["alice", "é"].map(name));
}

#[test]
fn a_key_of_another_account_is_reported() {
    let (_parent, accounts) = accounts();
    let refused = accounts.create(&name("bob"), &Key::Sealed(sealed("alice"))).unwrap_err();
    assert!(matches!(refused, Error::OtherName { .. }), "{refused}");
    accounts.create(&name("alice"), &Key::Sealed(sealed("alice"))).unwrap();
    fs::rename(accounts.folder(&name("alice")), accounts.folder(&name("bob"))).unwrap();
    let refused = accounts.key(&name("bob")).unwrap_err();
    assert!(matches!(refused, Error::OtherName { .. }), "{refused}");
    assert!(refused.to_string().contains("key of alice, not of bob"), "{refused}");
}

#[test]
fn an_account_without_a_key_and_a_missing_account_are_told_apart() {
    let (parent, accounts) = accounts();
    assert!(matches!(accounts.key(&name("alice")), Err(Error::NoAccount { .. })));
    assert!(matches!(accounts.delete(&name("alice")), Err(Error::NoAccount { .. })));
    assert!(entries(parent.path()).is_empty());
    accounts.create(&name("alice"), &plain()).unwrap();
    let key = common::key_file(&accounts.folder(&name("alice")));
    fs::remove_file(key).unwrap();
    assert!(matches!(accounts.key(&name("alice")), Err(Error::NoKey { .. })));
}

#[test]
fn a_deleted_account_is_overwritten_and_its_name_is_free() {
    let (parent, accounts) = accounts();
    accounts.create(&name("alice"), &plain()).unwrap();
    accounts.create(&name("bob"), &plain()).unwrap();
    let folder = accounts.folder(&name("alice"));
    fs::create_dir(folder.join("more")).unwrap();
    fs::write(folder.join("more/causerie.db"), "what alice said").unwrap();
    let kept_open = [common::key_file(&folder), folder.join("more/causerie.db")].map(|path| File::open(path).unwrap());

    accounts.delete(&name("alice")).unwrap();
    assert_eq!(accounts.list().unwrap(), [name("bob")]);
    assert_eq!(entries(&parent.path().join("deep/accounts")), ["bob", "~lock"]);
    for mut file in kept_open {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0), "{bytes:?}");
    }
    accounts.create(&name("alice"), &plain()).unwrap();
}

#[test]
fn an_account_with_a_damaged_or_lost_key_can_be_deleted() {
    let (_parent, accounts) = accounts();
    for damage in [Some("damaged"), None] {
        accounts.create(&name("alice"), &plain()).unwrap();
        let folder = accounts.folder(&name("alice"));
        fs::write(folder.join("causerie.db"), "").unwrap();
        match damage {
            Some(text) => fs::write(common::key_file(&folder), text).unwrap(),
            None => fs::remove_file(common::key_file(&folder)).unwrap(),
        }
        assert!(accounts.key(&name("alice")).is_err());
        accounts.delete(&name("alice")).unwrap();
        assert!(accounts.list().unwrap().is_empty());
    }
}

#[test]
fn an_account_in_use_is_not_deleted() {
    let (_parent, accounts) = accounts();
    accounts.create(&name("alice"), &plain()).unwrap();
    let folder = accounts.folder(&name("alice"));
    // A running peer does the same.
    let running = File::create(folder.join("lock")).unwrap();
    running.try_lock().unwrap();
    let refused = accounts.delete(&name("alice")).unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }), "{refused}");
    assert_eq!(opened(&folder, "").unwrap().expose(), seed().expose());
    drop(running);
    accounts.delete(&name("alice")).unwrap();
}

#[test]
fn an_account_behind_a_link_is_not_deleted() {
    let (parent, accounts) = accounts();
    accounts.create(&name("alice"), &plain()).unwrap();
    let folder = accounts.folder(&name("alice"));
    let elsewhere = parent.path().join("elsewhere");
    fs::rename(&folder, &elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert_eq!(accounts.list().unwrap(), [name("alice")]);
    let refused = accounts.delete(&name("alice")).unwrap_err();
    assert!(matches!(refused, Error::LinkedAccount { .. }), "{refused}");
    assert_eq!(opened(&elsewhere, "").unwrap().expose(), seed().expose());
}

#[test]
fn only_what_a_crash_left_behind_is_swept() {
    let (parent, accounts) = accounts();
    accounts.sweep().unwrap();
    assert!(entries(parent.path()).is_empty());
    accounts.create(&name("alice"), &plain()).unwrap();
    let base = parent.path().join("deep/accounts");
    for left in ["~new-0123", "~gone-4567", "~gone-busy"] {
        fs::create_dir(base.join(left)).unwrap();
        fs::write(base.join(left).join("identity.key"), "secret").unwrap();
    }
    // Another process is deleting this one.
    let busy = File::create(base.join("~gone-busy/lock")).unwrap();
    busy.try_lock().unwrap();
    accounts.sweep().unwrap();
    assert_eq!(entries(&base), ["alice", "~gone-busy", "~lock"]);
    drop(busy);
    accounts.sweep().unwrap();
    assert_eq!(entries(&base), ["alice", "~lock"]);
    assert_eq!(opened(&accounts.folder(&name("alice")), "").unwrap().expose(), seed().expose());
}

#[test]
fn of_many_that_want_one_name_exactly_one_gets_it() {
    let (parent, accounts) = accounts();
    let wins = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                let accounts = &accounts;
                scope.spawn(move || {
                    accounts.create(&name("alice"), &Key::Plain(account::Seed::new(&[number; 32]))).is_ok()
                })
            })
            .collect();
        tries.into_iter().map(|one| u32::from(one.join().unwrap())).sum::<u32>()
    });
    assert_eq!(wins, 1);
    assert_eq!(entries(&parent.path().join("deep/accounts")), ["alice", "~lock"]);
}

#[test]
fn a_held_folder_is_the_account_that_it_was_opened_for_and_no_other_of_its_name() {
    let (_parent, accounts) = accounts();
    let made = accounts.create(&name("alice"), &plain()).unwrap();
    let (opened, _) = accounts.open(&name("alice")).unwrap();
    assert!(made.is_there() && opened.is_there());
    accounts.delete(&name("alice")).unwrap();
    assert!(!made.is_there() && !opened.is_there());
    let other = accounts.create(&name("alice"), &plain()).unwrap();
    assert!(other.is_there() && !made.is_there() && !opened.is_there());
    assert!(matches!(accounts.delete_held(&opened), Err(Error::NoAccount { .. })));
    assert!(other.is_there(), "the other account stays");
    accounts.delete_held(&other).unwrap();
    assert!(matches!(accounts.open(&name("alice")), Err(Error::NoAccount { .. })));
}
