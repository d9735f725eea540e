//! Taking an account to another machine.

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};

use account::{Accounts, Error, Key, verify};
use common::{mode, name, opened, phrase, sealed, seed};

#[test]
fn an_exported_account_is_verified_and_imported_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("alice.causerie");
    sealed("alice").export(&file).unwrap();
    assert_eq!(mode(&file), 0o600);
    // A memory stick shows files like this.
    fs::set_permissions(&file, Permissions::from_mode(0o755)).unwrap();

    let before = common::entries(folder.path());
    let owner = verify(&file, &phrase("old")).unwrap();
    assert_eq!((owner.name.as_str(), owner.person), ("alice", seed().person()));
    assert_eq!(common::entries(folder.path()), before);

    let accounts = Accounts::new(folder.path().join("accounts"));
    assert_eq!(accounts.import(&file, &phrase("old")).unwrap(), owner);
    assert_eq!(accounts.list().unwrap(), [name("alice")]);
    let imported = accounts.folder(&name("alice"));
    assert_eq!(opened(&imported, "old").unwrap().expose(), seed().expose());
    assert_eq!(fs::read(&file).unwrap(), fs::read(common::key_file(&imported)).unwrap());
    assert_eq!(mode(&common::key_file(&imported)), 0o600);
}

#[test]
fn an_import_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    sealed("alice").export(&file).unwrap();
    let accounts = Accounts::new(folder.path().join("accounts"));
    let other = account::Seed::draw().unwrap();
    accounts.create(&name("alice"), &Key::Plain(account::Seed::new(other.expose()))).unwrap();
    let refused = accounts.import(&file, &phrase("old")).unwrap_err();
    assert!(matches!(refused, Error::NameTaken { .. }), "{refused}");
    assert_eq!(opened(&accounts.folder(&name("alice")), "").unwrap().expose(), other.expose());
}

#[test]
fn an_export_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
    fs::write(&file, "kept").unwrap();
    symlink("/nowhere/at/all", &link).unwrap();
    for path in [&file, &link] {
        let refused = sealed("alice").export(path).unwrap_err();
        assert!(matches!(refused, Error::KeyExists { .. }), "{refused}");
    }
    assert_eq!(fs::read_to_string(file).unwrap(), "kept");
    assert!(link.is_symlink());
    let refused = sealed("alice").export(&folder.path().join("no/such/folder")).unwrap_err();
    assert!(matches!(refused, Error::File { .. }), "{refused}");
}

#[test]
fn only_a_whole_export_makes_an_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    sealed("alice").export(&file).unwrap();
    let whole = fs::read(&file).unwrap();
    let accounts = Accounts::new(folder.path().join("accounts"));

    let mut foreign = vec![b"".to_vec(), vec![b'x'; 1_000_000], format!("{}\n", "07".repeat(32)).into_bytes()];
    foreign.extend((0..whole.len()).map(|length| whole[..length].to_vec()));
    foreign.extend((0..whole.len()).map(|at| {
        let mut damaged = whole.clone();
        damaged[at] ^= 4;
        damaged
    }));
    for bytes in foreign {
        fs::write(&file, &bytes).unwrap();
        for refused in [verify(&file, &phrase("old")).unwrap_err(), accounts.import(&file, &phrase("old")).unwrap_err()]
        {
            assert!(matches!(refused, Error::ExportDamaged { .. } | Error::KeyVersion { .. }), "{refused}");
        }
    }
    let refused = verify(folder.path(), &phrase("old")).unwrap_err();
    assert!(matches!(refused, Error::ExportDamaged { .. }), "{refused}");
    assert!(matches!(verify(&folder.path().join("none"), &phrase("old")), Err(Error::File { .. })));
    assert!(accounts.list().unwrap().is_empty());
}

#[test]
fn a_wrong_passphrase_makes_no_account() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    sealed("alice").export(&file).unwrap();
    let accounts = Accounts::new(folder.path().join("accounts"));
    for refused in [verify(&file, &phrase("x")).unwrap_err(), accounts.import(&file, &phrase("x")).unwrap_err()] {
        assert!(matches!(refused, Error::WrongPassphrase { .. }), "{refused}");
    }
    assert!(accounts.list().unwrap().is_empty());
}
