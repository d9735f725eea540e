//! What may be found where a key should be.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test looks for one variant")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use account::{Error, Key};
use common::{folder_with, key_file, mode, opened, sealed, seed, write};

#[test]
fn an_empty_folder_has_no_key() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Key::read(folder.path()).unwrap().is_none());
    assert!(Key::read(&folder.path().join("nowhere")).unwrap().is_none());
    assert!(common::entries(folder.path()).is_empty());
}

#[test]
fn both_kinds_of_key_are_read_as_they_were_made() {
    for key in [Key::Plain(seed()), Key::Sealed(sealed("alice"))] {
        let folder = folder_with(&key);
        assert_eq!(opened(folder.path(), "old").unwrap().expose(), seed().expose());
        assert_eq!(mode(&key_file(folder.path())), 0o600);
        assert_eq!(common::entries(folder.path()), ["identity.key", "identity.key.lock"]);
    }
}

/// 64 hexadecimal digits and a line feed.
#[test]
fn a_plain_key_of_an_earlier_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    write(&key_file(folder.path()), format!("{}\n", "07".repeat(32)).as_bytes());
    assert_eq!(opened(folder.path(), "").unwrap().expose(), seed().expose());
    let made = folder_with(&Key::Plain(seed()));
    assert_eq!(fs::read(key_file(made.path())).unwrap(), fs::read(key_file(folder.path())).unwrap());
}

#[test]
fn a_key_is_never_written_over_another() {
    for there in [Key::Plain(seed()), Key::Sealed(sealed("alice"))] {
        let folder = folder_with(&there);
        let before = fs::read(key_file(folder.path())).unwrap();
        let refused = Key::Plain(account::Seed::draw().unwrap()).create(folder.path()).unwrap_err();
        assert!(matches!(refused, Error::KeyExists { .. }), "{refused}");
        assert_eq!(fs::read(key_file(folder.path())).unwrap(), before);
    }
}

#[test]
fn a_key_that_others_can_read_is_refused() {
    for key in [Key::Plain(seed()), Key::Sealed(sealed("alice"))] {
        let folder = folder_with(&key);
        fs::set_permissions(key_file(folder.path()), Permissions::from_mode(0o640)).unwrap();
        let refused = Key::read(folder.path()).unwrap_err();
        assert!(matches!(refused, Error::KeyExposed { mode: 0o640, .. }), "{refused}");
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
}

#[test]
fn a_damaged_key_is_refused_and_left_alone() {
    let whole = fs::read_to_string(key_file(folder_with(&Key::Sealed(sealed("alice"))).path())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = key_file(folder.path());
    let long = format!("{whole}{}", "x".repeat(100_000));
    let far_behind = format!("{}{}x", "07".repeat(32), " ".repeat(960));
    for damaged in [
        "",
        "zz",
        &"g".repeat(64),
        &"a".repeat(63),
        &"a".repeat(70),
        "\0",
        &whole[..200],
        &whole[1..],
        &long,
        &far_behind,
    ] {
        write(&path, damaged.as_bytes());
        let refusals = [
            Key::read(folder.path()).unwrap_err(),
            Key::Plain(seed()).create(folder.path()).unwrap_err(),
            account::seal(folder.path(), &common::name("alice"), &common::phrase("new"), common::cheap()).unwrap_err(),
            account::reseal(folder.path(), &common::phrase("old"), &common::phrase("new"), common::cheap())
                .unwrap_err(),
            account::unseal(folder.path(), &common::phrase("old")).unwrap_err(),
        ];
        assert!(refusals.iter().all(|refused| matches!(refused, Error::KeyDamaged { .. })), "{refusals:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
        assert_eq!(common::entries(folder.path()), ["identity.key"]);
    }
}

#[test]
fn a_later_version_and_an_absurd_cost_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    write(&key_file(folder.path()), b"causerie sealed key 2\nwhatever comes then\n");
    assert!(matches!(Key::read(folder.path()).unwrap_err(), Error::KeyVersion { version: 2, .. }));
    // It has a matching checksum.
    let absurd = concat!(
        "causerie sealed key 1\nname alice\nargon2id memory=4294967295 passes=2 lanes=2\n",
        "salt 000102030405060708090a0b0c0d0e0f\nnonce 101112131415161718191a1b1c1d1e1f2021222324252627\n",
        "seed c86fd50387050319f7601a4bda26e88d70913a91255bf4340bb88a89e29568719afdf1a0dabffbe4f79a3bbeff28a388\n",
        "check 80086cd633f26477\n",
    );
    write(&key_file(folder.path()), absurd.as_bytes());
    let refused = Key::read(folder.path()).unwrap_err();
    assert!(matches!(refused, Error::KeyCost { .. }), "{refused}");
}

#[test]
fn a_key_that_is_lost_beside_a_database_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("causerie.db"), "kept").unwrap();
    for refused in [Key::read(folder.path()).unwrap_err(), Key::Plain(seed()).create(folder.path()).unwrap_err()] {
        assert!(matches!(refused, Error::KeyLost { .. }), "{refused}");
    }
    assert_eq!(common::entries(folder.path()), ["causerie.db"]);
}

#[test]
fn a_link_that_leads_nowhere_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    for file in [folder.path().join("causerie.db"), key_file(folder.path())] {
        symlink("/nowhere/at/all", &file).unwrap();
        for refused in [Key::read(folder.path()).unwrap_err(), Key::Plain(seed()).create(folder.path()).unwrap_err()] {
            assert!(matches!(refused, Error::LinkLeadsNowhere { .. }), "{refused}");
            assert!(refused.to_string().contains("/nowhere/at/all"), "{refused}");
        }
        assert!(file.is_symlink());
        fs::remove_file(file).unwrap();
    }
    Key::Plain(seed()).create(folder.path()).unwrap();
}
