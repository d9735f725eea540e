//! Where passphrases come from: the terminal, without an echo, or a file. Never the command line or the environment, which
//! other programs can read.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::thread;
use std::time::Instant;

use account::{Passphrase, Patience, SealedKey, Seed};
use anyhow::Context as _;
use zeroize::Zeroizing;

use crate::{Misuse, tell};

/// The most of a file that is looked at, in bytes: more than the longest passphrase.
const MOST: u64 = 4 * Passphrase::MAX_BYTES as u64;

/// The passphrase in the first line of `file`, or else typed at the terminal after `prompt`.
pub(crate) fn passphrase(file: Option<&str>, prompt: &str) -> anyhow::Result<Passphrase> {
    Ok(Passphrase::new(&line(file, prompt)?)?)
}

/// A new passphrase; one that is typed is typed twice.
pub(crate) fn new_passphrase(file: Option<&str>, name: &str) -> anyhow::Result<Passphrase> {
    let first = line(file, &format!("New passphrase for {name}: "))?;
    let passphrase = Passphrase::new(&first)?;
    if file.is_none() && *first != *line(None, "The same again: ")? {
        return Err(Misuse("the two passphrases differ, so nothing was changed".to_owned()).into());
    }
    Ok(passphrase)
}

/// Opens a sealed key. At a terminal the user may try as often as they want, but not fast.
pub(crate) fn open(sealed: &SealedKey, file: Option<&str>) -> anyhow::Result<(Seed, Passphrase)> {
    open_unless(sealed, file, |_| false)?.context("there is no passphrase")
}

/// The same, unless the user wants to go on without: what they type, or the file holds, says so.
pub(crate) fn open_unless(
    sealed: &SealedKey,
    file: Option<&str>,
    goes_without: impl Fn(&str) -> bool,
) -> anyhow::Result<Option<(Seed, Passphrase)>> {
    let prompt = format!("Passphrase for {}: ", sealed.name());
    let mut patience = Patience::default();
    loop {
        if let Err(wait) = patience.begin(Instant::now()) {
            tell(&format!("too many wrong passphrases: wait {} s", wait.as_secs().max(1)));
            thread::sleep(wait);
            continue;
        }
        let given = line(file, &prompt)?;
        if goes_without(&given) {
            return Ok(None);
        }
        let passphrase = Passphrase::new(&given)?;
        match sealed.open(&passphrase) {
            Ok(seed) => return Ok(Some((seed, passphrase))),
            Err(wrong @ account::Error::WrongPassphrase { .. }) if file.is_none() => tell(&wrong.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
}

/// A secret line of text, without its end.
pub(crate) fn line(file: Option<&str>, prompt: &str) -> anyhow::Result<Zeroizing<String>> {
    match file {
        Some(file) => first_line(file).with_context(|| format!("the passphrase file {file}")),
        None => match rpassword::prompt_password(prompt) {
            Ok(typed) => Ok(Zeroizing::new(typed)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                Err(Misuse("there is no passphrase, so nothing was done".to_owned()).into())
            }
            Err(error) => Err(error)
                .context("there is no terminal to ask for the passphrase; give it with --passphrase-file FILE"),
        },
    }
}

fn first_line(file: &str) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(Passphrase::MAX_BYTES));
    BufReader::new(File::open(file)?.take(MOST)).read_line(&mut text)?;
    let end = text.trim_end_matches(['\r', '\n']).len();
    text.truncate(end);
    Ok(text)
}
