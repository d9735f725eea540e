//! The folder of a peer, and the key in it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use account::{Accounts, Key, Seed};
use anyhow::Context as _;
use node::chat::Name;
use node::{DataFolder, Home};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use zeroize::Zeroizing;

use crate::chat::{field_of_user, variable};
use crate::options::{ACCOUNT, DATA, Folder};
use crate::{Misuse, passphrase};

/// Opens a folder and its key, and asks for the passphrase if there is one. A folder without a key gets one without a passphrase.
pub(crate) fn open(folder: &Path, passphrase_file: Option<&str>) -> anyhow::Result<Home> {
    let folder = DataFolder::open(folder)?;
    let seed = match Key::read(folder.path())? {
        Some(Key::Plain(seed)) => seed,
        Some(Key::Sealed(sealed)) => {
            dump_nothing().context("the system does not let this program keep its memory to itself")?;
            passphrase::open(&sealed, passphrase_file)?.0
        }
        None => {
            let seed = Seed::draw()?;
            let key = Key::Plain(seed);
            key.create(folder.path())?;
            let Key::Plain(seed) = key else { unreachable!("it was made so") };
            seed
        }
    };
    Ok(Home { folder, seed: Zeroizing::new(*seed.expose()) })
}

/// No crash writes what this process has in memory to a disk, and no other program of this user reads it.
pub(crate) fn dump_nothing() -> rustix::io::Result<()> {
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// The folder that was named or belongs to the account that was, else the one in the user's data folder.
pub(crate) fn folder(named: &Folder) -> anyhow::Result<PathBuf> {
    if let Some(folder) = &named.data {
        return Ok(folder.clone());
    }
    if let Some(name) = account_named(named)? {
        let accounts = accounts()?;
        // Says if there is none, or if its key belongs to another name.
        accounts.key(&name)?;
        return Ok(accounts.folder(&name));
    }
    match variable(DATA) {
        Some(folder) => Ok(folder.into()),
        None => Ok(user_data()?.join("causerie")),
    }
}

/// Removes what a peer kept whose user has deleted the account. Another process may have done so already.
pub(crate) fn remove(named: &Folder) -> anyhow::Result<()> {
    match account_named(named)? {
        Some(name) => match accounts()?.delete(&name) {
            Ok(()) | Err(account::Error::NoAccount { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        },
        None => Ok(account::erase_data(&folder(named)?)?),
    }
}

/// The account that was named, by an option or else by the environment.
pub(crate) fn account_named(named: &Folder) -> anyhow::Result<Option<Name>> {
    if named.data.is_some() {
        return Ok(None);
    }
    let text = match (&named.account, variable(ACCOUNT)) {
        (Some(name), _) => name.clone(),
        (None, Some(_)) if variable(DATA).is_some() => {
            return Err(Misuse(format!("{ACCOUNT} and {DATA} are both set: unset one of them")).into());
        }
        (None, Some(name)) => name.to_string_lossy().into_owned(),
        (None, None) => return Ok(None),
    };
    account_name(&text).map(Some)
}

pub(crate) fn account_name(text: &str) -> anyhow::Result<Name> {
    Name::choose(text).map_err(|bad| account::Error::BadName(bad).into())
}

/// The accounts of this user on this machine.
pub(crate) fn accounts() -> anyhow::Result<Accounts> {
    Ok(Accounts::new(user_data()?.join("causerie/accounts")))
}

/// Where a host keeps the certificate that it made for itself, with its key.
pub(crate) fn host_certificate() -> anyhow::Result<PathBuf> {
    Ok(user_data()?.join("causerie/host.pem"))
}

fn user_data() -> anyhow::Result<PathBuf> {
    if let Some(folders) = variable("XDG_DATA_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute()) {
        return Ok(folders);
    }
    let home: Option<OsString> = variable("HOME").or_else(|| field_of_user(5).map(Into::into));
    let home = home.context("there is no home folder to keep your identity in; name one with --data")?;
    Ok(PathBuf::from(home).join(".local/share"))
}
