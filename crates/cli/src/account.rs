//! `causerie account`: makes, lists, seals, exports and deletes identities. No peer runs for that.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use account::{Cost, Key, Passphrase, SealedKey, Seed, verify};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::options::AccountTask;
use crate::passphrase::{self, line, new_passphrase};
use crate::show::harmless_line;
use crate::{Misuse, chat, delete, home};

/// Does what was asked for.
pub(crate) fn run(task: AccountTask) -> anyhow::Result<()> {
    home::dump_nothing()?;
    match task {
        AccountTask::New(new) => make(new.name, new.words, new.passphrase.passphrase_file.as_deref()),
        AccountTask::List => list(),
        AccountTask::Lock(lock) => {
            let folder = home::folder(&lock.folder)?;
            let name = match (lock.name, home::account_named(&lock.folder)?) {
                (Some(_), Some(_)) => {
                    return Err(Misuse("an account has its name already: leave --name out".to_owned()).into());
                }
                (None, Some(name)) => name,
                (given, None) => home::account_name(&chat::name(given)?)?,
            };
            let passphrase = new_passphrase(lock.passphrase.passphrase_file.as_deref(), name.as_str())?;
            account::seal(&folder, &name, &passphrase, Cost::default())?;
            say(&format!("sealed: the identity in {} needs the passphrase from now on", folder.display()))
        }
        AccountTask::Passwd(passwd) => {
            let folder = home::folder(&passwd.opened.folder)?;
            let sealed = sealed(&folder)?;
            let (_, old) = passphrase::open(&sealed, passwd.opened.passphrase.passphrase_file.as_deref())?;
            let new = new_passphrase(passwd.new_passphrase_file.as_deref(), sealed.name().as_str())?;
            account::reseal(&folder, &old, &new, Cost::default())?;
            say("the passphrase is changed; files that were exported before keep the old one")
        }
        AccountTask::Unlock(opened) => {
            let folder = home::folder(&opened.folder)?;
            let (_, passphrase) = passphrase::open(&sealed(&folder)?, opened.passphrase.passphrase_file.as_deref())?;
            account::unseal(&folder, &passphrase)?;
            say(&format!("the identity in {} needs no passphrase any more", folder.display()))
        }
        AccountTask::Export(export) => {
            let name = home::account_named(&export.folder)?;
            let sealed = match key(&home::folder(&export.folder)?)? {
                Key::Sealed(sealed) => sealed,
                // What leaves the machine is sealed in any case.
                Key::Plain(seed) => {
                    let name = name.map_or_else(|| home::account_name(&chat::name(None)?), Ok)?;
                    let passphrase = new_passphrase(export.passphrase.passphrase_file.as_deref(), name.as_str())?;
                    SealedKey::seal(&seed, &name, &passphrase, Cost::default())?
                }
            };
            sealed.export(&export.file)?;
            say(&format!("{} holds the identity of {}; its passphrase opens it", export.file.display(), sealed.name()))
        }
        AccountTask::Import(exported) => {
            let passphrase = of_export(&exported.file, exported.passphrase.passphrase_file.as_deref())?;
            let owner = home::accounts()?.import(&exported.file, &passphrase)?;
            say(&format!(
                "imported {} ({}): start it with causerie --account {}",
                owner.name,
                owner.person.fingerprint(),
                owner.name
            ))
        }
        AccountTask::Verify(exported) => {
            let passphrase = of_export(&exported.file, exported.passphrase.passphrase_file.as_deref())?;
            let owner = verify(&exported.file, &passphrase)?;
            say(&format!(
                "{} is whole, and the passphrase opens it: {} ({})",
                exported.file.display(),
                owner.name,
                owner.person.fingerprint()
            ))
        }
        AccountTask::Words(opened) => {
            let folder = home::folder(&opened.folder)?;
            let seed = match key(&folder)? {
                Key::Plain(seed) => seed,
                Key::Sealed(sealed) => passphrase::open(&sealed, opened.passphrase.passphrase_file.as_deref())?.0,
            };
            say(seed.words().expose_secret())
        }
        AccountTask::Delete(options) => delete::run(options),
    }
}

fn make(name: Option<String>, from_words: bool, passphrase_file: Option<&str>) -> anyhow::Result<()> {
    let name = home::account_name(&chat::name(name)?)?;
    let seed = if from_words {
        let words = if io::stdin().is_terminal() { line(None, "The 24 recovery words: ")? } else { piped_line()? };
        Seed::from_words(&words)?
    } else {
        Seed::draw()?
    };
    let passphrase = new_passphrase(passphrase_file, name.as_str())?;
    let sealed = SealedKey::seal(&seed, &name, &passphrase, Cost::default())?;
    home::accounts()?.create(&name, &Key::Sealed(sealed))?;
    say(&format!(
        "made {name} ({}): start it with causerie --account {name}\n\
         If the passphrase is forgotten, only the recovery words help: causerie account words --account {name}",
        seed.person().fingerprint()
    ))
}

fn list() -> anyhow::Result<()> {
    let accounts = home::accounts()?;
    accounts.sweep()?;
    let names = accounts.list()?;
    if names.is_empty() {
        return say("there is no account yet; make one with causerie account new");
    }
    for name in names {
        let state = match accounts.key(&name) {
            Ok(Key::Sealed(_)) => "sealed".to_owned(),
            Ok(Key::Plain(_)) => "no passphrase".to_owned(),
            Err(error) => error.to_string(),
        };
        say(&format!("{name}  {}", harmless_line(&state)))?;
    }
    Ok(())
}

/// The key of a folder that has one.
fn key(folder: &Path) -> anyhow::Result<Key> {
    let path = folder.to_owned();
    Ok(Key::read(folder)?.ok_or(account::Error::NoKey { path })?)
}

fn sealed(folder: &Path) -> anyhow::Result<SealedKey> {
    match key(folder)? {
        Key::Sealed(sealed) => Ok(sealed),
        Key::Plain(_) => Err(account::Error::NotSealed { path: folder.to_owned() }.into()),
    }
}

fn of_export(file: &Path, passphrase_file: Option<&str>) -> anyhow::Result<Passphrase> {
    let name = SealedKey::load(file)?.name().clone();
    passphrase::passphrase(passphrase_file, &format!("Passphrase for {name}: "))
}

pub(crate) fn piped_line() -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut text)?;
    Ok(text)
}

pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    Ok(writeln!(io::stdout(), "{text}")?)
}
