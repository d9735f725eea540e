//! Setting, changing and removing a passphrase, and what a crash in the middle of that leaves.

mod common;

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::symlink;

use account::{Error, Key, reseal, seal, unseal};
use common::{cheap, entries, folder_with, is_sealed, key_file, mode, name, opened, phrase, sealed, seed, write};

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let folder = folder_with(&Key::Plain(seed()));
    let path = folder.path();
    seal(path, &name("alice"), &phrase("old"), cheap()).unwrap();
    assert!(is_sealed(path));
    assert_eq!(opened(path, "old").unwrap().expose(), seed().expose());

    let dearer = account::Cost::new(64, 2, 1).unwrap();
    reseal(path, &phrase("old"), &phrase("new"), dearer).unwrap();
    assert!(matches!(opened(path, "old").unwrap_err(), Error::WrongPassphrase { .. }));
    assert_eq!(opened(path, "new").unwrap().expose(), seed().expose());
    match Key::read(path).unwrap() {
        Some(Key::Sealed(sealed)) => assert_eq!((sealed.name(), sealed.cost()), (&name("alice"), dearer)),
        other => panic!("{other:?}"),
    }
    assert_eq!(mode(&key_file(path)), 0o600);

    unseal(path, &phrase("new")).unwrap();
    assert!(!is_sealed(path));
    assert_eq!(opened(path, "").unwrap().expose(), seed().expose());
    assert_eq!(entries(path), ["identity.key", "identity.key.lock"]);
}

#[test]
fn a_change_that_does_not_fit_is_refused_and_changes_nothing() {
    let plain = folder_with(&Key::Plain(seed()));
    let sealed = folder_with(&Key::Sealed(sealed("alice")));
    let before = [&plain, &sealed].map(|folder| fs::read(key_file(folder.path())).unwrap());
    let (old, wrong) = (phrase("old"), phrase("wrong"));

    let refused = seal(sealed.path(), &name("alice"), &old, cheap()).unwrap_err();
    assert!(matches!(refused, Error::AlreadySealed { .. }), "{refused}");
    for refused in [reseal(plain.path(), &old, &wrong, cheap()), unseal(plain.path(), &old)] {
        assert!(matches!(refused, Err(Error::NotSealed { .. })), "{refused:?}");
    }
    for refused in [reseal(sealed.path(), &wrong, &old, cheap()), unseal(sealed.path(), &wrong)] {
        let refused = refused.unwrap_err();
        assert!(matches!(refused, Error::WrongPassphrase { .. }), "{refused}");
        assert!(refused.to_string().contains("recovery words"), "{refused}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(seal(empty.path(), &name("alice"), &old, cheap()), Err(Error::NoKey { .. })));
    let after = [&plain, &sealed].map(|folder| fs::read(key_file(folder.path())).unwrap());
    assert_eq!(before, after);
}

/// Each state that a crash can leave: no draft yet, part of one, a whole one, and the new key in its place.
#[test]
fn the_key_opens_after_a_crash_between_any_two_steps() {
    let folder = folder_with(&Key::Sealed(sealed("alice")));
    let path = folder.path();
    let old = fs::read(key_file(path)).unwrap();
    reseal(path, &phrase("old"), &phrase("new"), cheap()).unwrap();
    let new = fs::read(key_file(path)).unwrap();
    let draft = path.join("identity.key.new");

    let parts = (0..new.len()).step_by(11).chain([new.len()]).map(|length| Some(&new[..length]));
    for left in std::iter::once(None).chain(parts) {
        for (in_place, passphrase) in [(&old, "old"), (&new, "new")] {
            write(&key_file(path), in_place);
            if let Some(left) = left {
                write(&draft, left);
            }
            assert_eq!(opened(path, passphrase).unwrap().expose(), seed().expose());
            reseal(path, &phrase(passphrase), &phrase("newest"), cheap()).unwrap();
            assert_eq!(opened(path, "newest").unwrap().expose(), seed().expose());
            assert_eq!(entries(path), ["identity.key", "identity.key.lock"]);
        }
    }
}

#[test]
fn a_crash_while_making_the_first_key_leaves_no_key_or_a_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("identity.key.new"), b"0707");
    assert!(Key::read(folder.path()).unwrap().is_none());
    Key::Plain(seed()).create(folder.path()).unwrap();
    assert_eq!(opened(folder.path(), "").unwrap().expose(), seed().expose());
}

#[test]
fn a_draft_that_cannot_be_written_leaves_the_old_key() {
    let folder = folder_with(&Key::Sealed(sealed("alice")));
    fs::create_dir(folder.path().join("identity.key.new")).unwrap();
    let refused = reseal(folder.path(), &phrase("old"), &phrase("new"), cheap()).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
    assert_eq!(opened(folder.path(), "old").unwrap().expose(), seed().expose());
}

#[test]
fn the_replaced_key_is_overwritten_on_disk() {
    let folder = folder_with(&Key::Plain(seed()));
    let mut old = File::open(key_file(folder.path())).unwrap();
    seal(folder.path(), &name("alice"), &phrase("old"), cheap()).unwrap();
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, [0; 65]);
}

#[test]
fn a_copy_under_another_name_is_left_as_it_is() {
    let folder = folder_with(&Key::Plain(seed()));
    let copy = folder.path().join("copy");
    fs::hard_link(key_file(folder.path()), &copy).unwrap();
    seal(folder.path(), &name("alice"), &phrase("old"), cheap()).unwrap();
    assert_eq!(fs::read_to_string(copy).unwrap(), format!("{}\n", "07".repeat(32)));
}

#[test]
fn a_key_behind_a_link_is_sealed_where_it_is() {
    let elsewhere = folder_with(&Key::Plain(seed()));
    let folder = tempfile::tempdir().unwrap();
    symlink(key_file(elsewhere.path()), key_file(folder.path())).unwrap();
    seal(folder.path(), &name("alice"), &phrase("old"), cheap()).unwrap();
    assert!(key_file(folder.path()).is_symlink());
    assert!(is_sealed(elsewhere.path()));
    assert_eq!(opened(folder.path(), "old").unwrap().expose(), seed().expose());
}

#[test]
fn many_changes_at_once_leave_one_whole_key() {
    let folder = folder_with(&Key::Sealed(sealed("alice")));
    let path = folder.path();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    reseal(path, &phrase("old"), &phrase("old"), cheap()).unwrap();
                }
            });
        }
    });
    assert_eq!(opened(path, "old").unwrap().expose(), seed().expose());
    assert_eq!(entries(path), ["identity.key", "identity.key.lock"]);
}
