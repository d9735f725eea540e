//! A line of text, read as a command.
//!
//! - A line that begins with `-` or `/` and a letter is a command; `- so`, `-5` and `->` are text.
//! - `@TARGET MESSAGE` goes to a person, a group, or an `ip:port`; one `:` or `,` behind the name is passed over.
//! - A line that begins with white space is text, whatever comes behind it; the white space itself is not sent.
//! - Everything else is text to everybody. White space at the end never counts.

use std::net::SocketAddr;

use node::chat::{Command, Target};

use super::Misread;
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

/// Reads one line.
///
/// # Errors
/// [`Misread`] says in one line what to write instead.
pub(crate) fn parse(line: &str) -> Result<Input, Misread> {
    let line = line.trim_end();
    let text = line.trim_start();
    if text.is_empty() {
        return Ok(Input::Nothing);
    }
    if text.len() < line.len() {
        return Ok(Input::Command(to_all(text)));
    }
    if let Some(rest) = text.strip_prefix('@') {
        let (target, message) = word(rest);
        return message_to(target, message, 0);
    }
    match text.strip_prefix(['-', '/']) {
        Some(rest) if rest.starts_with(char::is_alphabetic) => command(text, rest),
        Some(_) | None => Ok(Input::Command(to_all(text))),
    }
}

fn command(line: &str, rest: &str) -> Result<Input, Misread> {
    let (name, arguments) = word(rest);
    let Some(spec) = find(name) else {
        let given = line.split_whitespace().next().unwrap_or(line).chars().take(40).collect();
        return Err(Misread::UnknownCommand { given, nearest: nearest(name) });
    };
    let command = match spec.verb {
        Verb::Help => return none(spec, arguments, Input::Help),
        Verb::Quit => return none(spec, arguments, Input::Quit),
        Verb::ListUsers => return none(spec, arguments, Input::Command(Command::ListUsers)),
        Verb::ListGroups => return none(spec, arguments, Input::Command(Command::ListGroups)),
        Verb::MyGroups => return none(spec, arguments, Input::Command(Command::MyGroups)),
        Verb::Pending => return none(spec, arguments, Input::Command(Command::Pending)),
        Verb::Who if arguments.is_empty() => Command::ListUsers,
        Verb::Who => Command::Who { person: name_of(spec, arguments)? },
        Verb::FindUser => Command::FindUser { pattern: some(spec, arguments)?.to_owned() },
        Verb::FindGroup => Command::FindGroup { pattern: some(spec, arguments)?.to_owned() },
        Verb::CreateGroup => Command::CreateGroup { group: name_of(spec, arguments)? },
        Verb::JoinGroup => Command::JoinGroup { group: name_of(spec, arguments)? },
        Verb::LeaveGroup => Command::LeaveGroup { group: name_of(spec, arguments)? },
        Verb::Unalias => Command::Unalias { name: name_of(spec, arguments)? },
        Verb::Forget => Command::Forget { person: name_of(spec, arguments)? },
        Verb::Connect => Command::Connect { address: one(spec, arguments)?.to_owned() },
        Verb::Me => to_all(&format!("*{}*", some(spec, arguments)?)),
        Verb::Alias => {
            let (person, name) = word(some(spec, arguments)?);
            Command::Alias { person: bare(person).to_owned(), name: name_of(spec, name)? }
        }
        Verb::Message => {
            let (target, message) = word(some(spec, arguments)?);
            return message_to(bare(target), message, 0);
        }
        Verb::Delay => return delay(spec, arguments),
        Verb::History => history(spec, arguments)?,
        Verb::Search => search(spec, arguments)?,
        Verb::Seen => seen(spec, arguments)?,
        Verb::Show => show(spec, arguments)?,
        Verb::Cancel => Command::Cancel { number: number(spec, arguments)? },
        Verb::Resend => Command::Resend { number: number(spec, arguments)? },
    };
    Ok(Input::Command(command))
}

fn delay(spec: &Spec, arguments: &str) -> Result<Input, Misread> {
    let (seconds, message) = word(some(spec, arguments)?);
    let delay_ms = milliseconds(seconds)
        .ok_or_else(|| Misread::BadDelay { given: seconds.chars().take(40).collect(), usage: spec.usage() })?;
    if let Some(rest) = message.strip_prefix('@') {
        let (target, message) = word(rest);
        return message_to(target, message, delay_ms);
    }
    let text = some(spec, message)?.to_owned();
    Ok(Input::Command(Command::Send { to: Target::All, text, delay_ms }))
}

fn milliseconds(seconds: &str) -> Option<u64> {
    let seconds: f64 = seconds.parse().ok()?;
    // The range leaves out what is not a number, and what would not fit.
    (0.0..=MAX_DELAY).contains(&seconds).then(|| (seconds * 1000.0).round() as u64)
}

fn history(spec: &Spec, arguments: &str) -> Result<Command, Misread> {
    let mut words = arguments.split_whitespace();
    let (first, second) = (words.next(), words.next());
    if words.next().is_some() {
        return Err(Misread::TooMany { usage: spec.usage() });
    }
    let (of, count) = match (first, second) {
        (None, _) => (None, None),
        (Some(only), None) if only.bytes().all(|byte| byte.is_ascii_digit()) => (None, Some(count(spec, only)?)),
        (Some(of), None) => (Some(of), None),
        (Some(of), Some(number)) => (Some(of), Some(count(spec, number)?)),
    };
    let of = match of.map(bare) {
        Some("") => return Err(Misread::EmptyTarget),
        Some(of) => Some(target(of)),
        None => None,
    };
    Ok(Command::History { of, count })
}

/// What is looked for may be anything, so a target stands first and with its `@`.
fn search(spec: &Spec, arguments: &str) -> Result<Command, Misread> {
    let (of, words) = match some(spec, arguments)?.strip_prefix('@') {
        Some(rest) => {
            let (of, words) = word(rest);
            (Some(of), words)
        }
        None => (None, arguments),
    };
    if of == Some("") {
        return Err(Misread::EmptyTarget);
    }
    Ok(Command::Search { words: some(spec, words)?.to_owned(), of: of.map(target), count: None })
}

fn seen(spec: &Spec, arguments: &str) -> Result<Command, Misread> {
    let nth = number(spec, arguments)?;
    Ok(Command::Seen { nth: nth.map(|nth| usize::try_from(nth).unwrap_or(usize::MAX)) })
}

/// A number from 1 on, or nothing.
fn number(spec: &Spec, arguments: &str) -> Result<Option<u64>, Misread> {
    if arguments.is_empty() {
        return Ok(None);
    }
    let given = one(spec, arguments)?;
    match given.parse() {
        Ok(0) | Err(_) => Err(bad_count(spec, given)),
        Ok(number) => Ok(Some(number)),
    }
}

/// A message as it is named everywhere, `alice#12`, or by its id.
fn show(spec: &Spec, arguments: &str) -> Result<Command, Misread> {
    let given = bare(one(spec, arguments)?);
    let read = given.rsplit_once(['#', ':']).filter(|(author, _)| !author.is_empty());
    match read.and_then(|(author, clock)| Some((author, clock.parse().ok()?))) {
        Some((author, clock)) => Ok(Command::Show { author: author.to_owned(), clock }),
        None => Err(Misread::NoMessageName { given: given.chars().take(40).collect(), usage: spec.usage() }),
    }
}

fn count(spec: &Spec, given: &str) -> Result<usize, Misread> {
    given.parse().map_err(|_| bad_count(spec, given))
}

fn bad_count(spec: &Spec, given: &str) -> Misread {
    Misread::BadCount { given: given.chars().take(40).collect(), usage: spec.usage() }
}

fn message_to(written: &str, message: &str, delay_ms: u64) -> Result<Input, Misread> {
    let written = written.strip_suffix([':', ',']).unwrap_or(written);
    if written.is_empty() {
        return Err(Misread::EmptyTarget);
    }
    if message.is_empty() {
        return Err(Misread::NoMessage { target: written.chars().take(40).collect() });
    }
    Ok(Input::Command(Command::Send { to: target(written), text: message.to_owned(), delay_ms }))
}

fn target(written: &str) -> Target {
    match written.parse::<SocketAddr>() {
        Ok(address) => Target::Address(address),
        Err(_) if written.eq_ignore_ascii_case("all") => Target::All,
        Err(_) => Target::Name(written.to_owned()),
    }
}

fn to_all(text: &str) -> Command {
    Command::Send { to: Target::All, text: text.to_owned(), delay_ms: 0 }
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

fn none(spec: &Spec, arguments: &str, input: Input) -> Result<Input, Misread> {
    if arguments.is_empty() { Ok(input) } else { Err(Misread::TooMany { usage: spec.usage() }) }
}

fn some<'a>(spec: &Spec, arguments: &'a str) -> Result<&'a str, Misread> {
    if arguments.is_empty() { Err(Misread::Incomplete { usage: spec.usage() }) } else { Ok(arguments) }
}

fn one<'a>(spec: &Spec, arguments: &'a str) -> Result<&'a str, Misread> {
    let only = some(spec, arguments)?;
    if only.contains(char::is_whitespace) { Err(Misread::TooMany { usage: spec.usage() }) } else { Ok(only) }
}

fn name_of(spec: &Spec, arguments: &str) -> Result<String, Misread> {
    some(spec, bare(one(spec, arguments)?)).map(str::to_owned)
}
