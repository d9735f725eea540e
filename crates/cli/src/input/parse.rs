//! A line of text, read as a command.
//!
//! - A line that begins with `-` or `/` and a letter is a command; `- so`, `-5` and `->` are text.
//! - `@TARGET MESSAGE` goes to a person, a group, or an `ip:port`; `@TARGET @TARGET MESSAGE` goes to these people. One `:` or
//!   `,` behind a name is passed over. Of the message nothing is taken away but the blank that ends the name.
//! - A line that begins with a space or a tab is text, whatever comes behind it ([`ForAll::escaped`]).
//! - Everything else is text to everybody, unless it looks like one of the others ([`ForAll::plain`]).

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};

use node::chat::{Command, Target};

use super::Misread;
use super::everybody::{ForAll, behind_mark, is_blank};
use super::misread::{Escape, Flaw, first_word, shortened};
use super::spec::{Spec, Verb, find, nearest};

/// The longest `-delay`, in seconds.
const MAX_DELAY: f64 = 3600.0;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Input {
    /// An empty line.
    Nothing,
    /// The list of commands.
    Help,
    /// Leave.
    Quit,
    /// Something for the peer.
    Command(Command),
}

/// Reads one line, or several that were pasted.
///
/// # Errors
/// [`Misread`] says in one line what to write instead.
pub(crate) fn parse(line: &str) -> Result<Input, Misread> {
    let line = without_end(line);
    if is_blank(line) {
        return Ok(Input::Nothing);
    }
    if line.starts_with([' ', '\t']) {
        return Ok(Input::Command(ForAll::escaped(line).send(0)));
    }
    if let Some(addressed) = line.strip_prefix('@') {
        return Ok(Input::Command(message_to(addressed, 0)?));
    }
    if let Some(rest) = behind_mark(line) {
        return command(line, rest);
    }
    Ok(Input::Command(ForAll::plain(line)?.send(0)))
}

/// Sends a text that is not looked at to whom `addressees` name: `@bob`, or `@bob @carol`.
///
/// # Errors
/// [`Misread`] says what to write instead.
pub(crate) fn send_to(addressees: &str, text: &str) -> Result<Command, Misread> {
    let misread = |flaw| Misread { flaw, escape: Escape::All };
    let text = without_end(text);
    if is_blank(text) {
        return Err(misread(Flaw::NoMessage { targets: shortened(addressees) }));
    }
    let (names, behind) = addressees_of(addressees.strip_prefix('@').unwrap_or(addressees)).map_err(misread)?;
    if !behind.is_empty() {
        return Err(misread(Flaw::NoMessage { targets: shortened(addressees) }));
    }
    Ok(Command::Send { to: target_of(names), text: text.to_owned(), delay_ms: 0 })
}

fn command(line: &str, rest: &str) -> Result<Input, Misread> {
    let (name, arguments) = word(rest);
    let (arguments, text) = (arguments.trim_end(), behind_word(rest));
    let Some(spec) = find(name) else {
        return Err(Flaw::UnknownCommand { given: first_word(line), nearest: nearest(name) }.into());
    };
    let command = match spec.verb {
        Verb::Help => return Ok(none(spec, arguments, Input::Help)?),
        Verb::Quit => return Ok(none(spec, arguments, Input::Quit)?),
        Verb::ListUsers => return Ok(none(spec, arguments, Input::Command(Command::ListUsers))?),
        Verb::ListGroups => return Ok(none(spec, arguments, Input::Command(Command::ListGroups))?),
        Verb::MyGroups => return Ok(none(spec, arguments, Input::Command(Command::MyGroups))?),
        Verb::LogOut => return Ok(none(spec, arguments, Input::Command(Command::LogOut))?),
        Verb::Pending => return Ok(none(spec, arguments, Input::Command(Command::Pending))?),
        Verb::Who if arguments.is_empty() => Command::ListUsers,
        Verb::Who => Command::Who { person: name_of(spec, arguments)? },
        Verb::FindUser => Command::FindUser { pattern: some(spec, arguments)?.to_owned() },
        Verb::FindGroup => Command::FindGroup { pattern: some(spec, arguments)?.to_owned() },
        Verb::CreateGroup => Command::CreateGroup { group: name_of(spec, arguments)? },
        Verb::JoinGroup => Command::JoinGroup { group: name_of(spec, arguments)? },
        Verb::LeaveGroup => Command::LeaveGroup { group: name_of(spec, arguments)? },
        Verb::Nick => Command::Nick { name: name_of(spec, arguments)? },
        Verb::Unalias => Command::Unalias { name: name_of(spec, arguments)? },
        Verb::Forget => Command::Forget { person: name_of(spec, arguments)? },
        // Without a name the peer says what this does, and which name to write.
        Verb::DeleteAccount if arguments.is_empty() => Command::DeleteAccount { name: String::new() },
        Verb::DeleteAccount => Command::DeleteAccount { name: name_of(spec, arguments)? },
        Verb::Connect => Command::Connect { address: one(spec, arguments)?.to_owned() },
        Verb::Me => ForAll::by_name(&format!("*{}*", some(spec, arguments)?)).send(0),
        Verb::Alias => {
            let (person, name) = word(some(spec, arguments)?);
            Command::Alias { person: bare(person).to_owned(), name: name_of(spec, name)? }
        }
        Verb::Verify => {
            let (person, found) = word(some(spec, arguments)?);
            Command::Verify { person: bare(person).to_owned(), same: same(spec, found)? }
        }
        Verb::Message => {
            some(spec, arguments)?;
            message_to(bare(text.trim_start()), 0)?
        }
        Verb::Delay => delay(spec, text)?,
        Verb::History => history(spec, arguments)?,
        Verb::Search => search(spec, arguments)?,
        Verb::Seen => seen(spec, arguments)?,
        Verb::Show => show(spec, arguments)?,
        Verb::Cancel => Command::Cancel { number: number(spec, arguments)? },
        Verb::Resend => Command::Resend { number: number(spec, arguments)? },
    };
    Ok(Input::Command(command))
}

/// A blank in front of a delayed text is no escape: what stands behind it is looked at all the same.
fn delay(spec: &Spec, text: &str) -> Result<Command, Misread> {
    let text = some(spec, text.trim_start())?;
    let (seconds, message) = (word(text).0, behind_word(text));
    let delay_ms =
        milliseconds(seconds).ok_or_else(|| Flaw::BadDelay { given: shortened(seconds), usage: spec.usage() })?;
    if let Some(addressed) = message.trim_start().strip_prefix('@') {
        return Ok(message_to(addressed, delay_ms)?);
    }
    some(spec, message.trim_start())?;
    let text = ForAll::plain(message).map_err(|flaw| Misread { flaw, escape: Escape::All })?;
    Ok(text.send(delay_ms))
}

fn milliseconds(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.parse().ok()?;
    // The range leaves out what is not a number, and what would not fit.
    (0.0..=MAX_DELAY).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

fn history(spec: &Spec, arguments: &str) -> Result<Command, Flaw> {
    if let Some(addressed) = arguments.strip_prefix('@') {
        let (names, number) = addressees_of(addressed)?;
        let count = if number.is_empty() { None } else { Some(count(spec, one(spec, number.trim_start())?)?) };
        return Ok(Command::History { of: Some(target_of(names)), count, before: None, after: None });
    }
    let mut words = arguments.split_whitespace();
    let (first, second) = (words.next(), words.next());
    if words.next().is_some() {
        return Err(Flaw::TooMany { usage: spec.usage() });
    }
    let (of, count) = match (first, second) {
        (None, _) => (None, None),
        (Some(only), None) if only.bytes().all(|byte| byte.is_ascii_digit()) => (None, Some(count(spec, only)?)),
        (Some(of), None) => (Some(of), None),
        (Some(of), Some(number)) => (Some(of), Some(count(spec, number)?)),
    };
    Ok(Command::History { of: of.map(target), count, before: None, after: None })
}

/// What is looked for may be anything, so a target stands first and with its `@`.
fn search(spec: &Spec, arguments: &str) -> Result<Command, Flaw> {
    let (of, words) = match some(spec, arguments)?.strip_prefix('@') {
        Some(addressed) => {
            let (names, words) = addressees_of(addressed)?;
            (Some(target_of(names)), words.trim_start())
        }
        None => (None, arguments),
    };
    Ok(Command::Search { words: some(spec, words)?.to_owned(), of, count: None })
}

fn seen(spec: &Spec, arguments: &str) -> Result<Command, Flaw> {
    let nth = number(spec, arguments)?;
    Ok(Command::Seen { nth: nth.map(|nth| usize::try_from(nth).unwrap_or(usize::MAX)), message: None })
}

/// Yes, no or nothing.
fn same(spec: &Spec, found: &str) -> Result<Option<bool>, Flaw> {
    match found.to_lowercase().as_str() {
        "" => Ok(None),
        "yes" => Ok(Some(true)),
        "no" => Ok(Some(false)),
        _ => Err(Flaw::NeitherYesNorNo { given: shortened(found), usage: spec.usage() }),
    }
}

/// A number from 1 on, or nothing.
fn number(spec: &Spec, arguments: &str) -> Result<Option<u64>, Flaw> {
    if arguments.is_empty() {
        return Ok(None);
    }
    let given = one(spec, arguments)?;
    let number = given.parse::<NonZeroU64>().map_err(|_| bad_count(spec, given))?;
    Ok(Some(number.get()))
}

/// A message as it is named everywhere, `alice#12`, or by its id.
fn show(spec: &Spec, arguments: &str) -> Result<Command, Flaw> {
    let given = bare(one(spec, arguments)?);
    let read = given.rsplit_once(['#', ':']).filter(|(author, _)| !author.is_empty());
    match read.and_then(|(author, clock)| Some((author, clock.parse().ok()?))) {
        Some((author, clock)) => Ok(Command::Show { author: author.to_owned(), clock }),
        None => Err(Flaw::NoMessageName { given: shortened(given), usage: spec.usage() }),
    }
}

/// One or more.
fn count(spec: &Spec, given: &str) -> Result<usize, Flaw> {
    let count = given.parse::<NonZeroUsize>().map_err(|_| bad_count(spec, given))?;
    Ok(count.get())
}

fn bad_count(spec: &Spec, given: &str) -> Flaw {
    Flaw::BadCount { given: shortened(given), usage: spec.usage() }
}

/// `addressed` begins behind the first `@`.
fn message_to(addressed: &str, delay_ms: u64) -> Result<Command, Flaw> {
    let (names, message) = addressees_of(addressed)?;
    if is_blank(message) {
        return Err(Flaw::NoMessage { targets: shortened(&format!("@{}", names.join(" @"))) });
    }
    // As at the beginning of a line, a space before what would be one more addressee makes it text.
    let escaped = message.strip_prefix(' ').filter(|rest| rest.starts_with('@') && !rest.contains('\n'));
    let message = escaped.unwrap_or(message);
    Ok(match target_of(names) {
        Target::All => ForAll::by_name(message).send(delay_ms),
        to @ (Target::Name(_) | Target::People(_) | Target::Address(_)) => {
            Command::Send { to, text: message.to_owned(), delay_ms }
        }
    })
}

/// The names in front of a message, the first one without its `@`, and the message. Every further one stands right behind
/// the blank that ends the one before, on the same line.
fn addressees_of(addressed: &str) -> Result<(Vec<&str>, &str), Flaw> {
    let mut names = Vec::new();
    let mut rest = addressed;
    loop {
        let written = word(rest).0;
        let (line_ends, behind) = (rest[written.len()..].starts_with(['\n', '\r']), behind_word(rest));
        names.extend(written.split(",@").map(|name| name.strip_suffix([':', ',']).unwrap_or(name)));
        match behind.strip_prefix('@').filter(|_| !line_ends) {
            Some(next) => rest = next,
            None if names.contains(&"") => return Err(Flaw::EmptyTarget),
            None => return Ok((names, behind)),
        }
    }
}

fn target_of(names: Vec<&str>) -> Target {
    match names[..] {
        [name] => target(name),
        _ => Target::People(names.into_iter().map(str::to_owned).collect()),
    }
}

fn target(written: &str) -> Target {
    match written.parse::<SocketAddr>() {
        Ok(address) => Target::Address(address),
        Err(_) if written.eq_ignore_ascii_case("all") => Target::All,
        Err(_) => Target::Name(written.to_owned()),
    }
}

/// A text without the end of its last line, in which what is pasted or piped ends.
fn without_end(text: &str) -> &str {
    let text = text.strip_suffix('\n').unwrap_or(text);
    text.strip_suffix('\r').unwrap_or(text)
}

/// What stands behind the first word and the one character of white space that ends it.
fn behind_word(text: &str) -> &str {
    text.split_once(char::is_whitespace).map_or("", |(_, behind)| behind)
}

/// The first word, and what comes behind it without the white space in between.
fn word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// A name as one may write it in front of a message, too.
fn bare(name: &str) -> &str {
    name.strip_prefix('@').unwrap_or(name)
}

fn none(spec: &Spec, arguments: &str, input: Input) -> Result<Input, Flaw> {
    if arguments.is_empty() { Ok(input) } else { Err(Flaw::TooMany { usage: spec.usage() }) }
}

fn some<'a>(spec: &Spec, arguments: &'a str) -> Result<&'a str, Flaw> {
    if arguments.is_empty() { Err(Flaw::Incomplete { usage: spec.usage() }) } else { Ok(arguments) }
}

fn one<'a>(spec: &Spec, arguments: &'a str) -> Result<&'a str, Flaw> {
    let only = some(spec, arguments)?;
    if only.contains(char::is_whitespace) { Err(Flaw::TooMany { usage: spec.usage() }) } else { Ok(only) }
}

fn name_of(spec: &Spec, arguments: &str) -> Result<String, Flaw> {
    some(spec, bare(one(spec, arguments)?)).map(str::to_owned)
}
