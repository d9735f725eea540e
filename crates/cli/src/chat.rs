//! `causerie` and `causerie attach`: a session of a peer, and the user interface that fits where it runs.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use clap::ValueEnum as _;
use jiff::tz::TimeZone;
use node::chat::Name;
use node::{Ending, Session};
use parking_lot::RwLock;
use tokio::runtime::{Builder, Runtime};

use crate::Misuse;
use crate::options::{Attach, Links, Look, NAME, PROMPT, Peer, ShownAs};
use crate::show::{Paint, Show};
use crate::signals::Signals;
use crate::{headless, home, log, page, prompt};

/// The most characters in a name.
const MAX_NAME: usize = 32;

/// Runs a peer until its user leaves.
pub(crate) fn run(options: Peer, look: &Look) -> anyhow::Result<ExitCode> {
    let (filter, json, web, folder) = (options.log.clone(), options.json, options.web, options.folder.clone());
    let config = config(options)?;
    let outcome =
        converse(&filter, json, shown(look)?, "-h lists the commands", async || page::start(config, web).await)?;
    if outcome.ending == Ending::Deleted {
        home::remove(&folder)?;
    }
    Ok(outcome.code())
}

/// How a conversation ended.
pub(crate) struct Outcome {
    /// Every command was carried out.
    pub(crate) is_all_done: bool,
    /// Why its session ended.
    pub(crate) ending: Ending,
}

impl Outcome {
    fn code(&self) -> ExitCode {
        if self.is_all_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// Attaches to a running peer until the user leaves, or the peer does.
pub(crate) fn attach(options: Attach) -> anyhow::Result<ExitCode> {
    let data = home::folder(&options.folder)?;
    let hint = "-h lists the commands; -quit closes this prompt and leaves the peer running";
    let outcome = converse("warn", options.json, shown(&options.look)?, hint, async || Ok(node::attach(&data).await?))?;
    Ok(outcome.code())
}

/// What the prompt shows: as the option says, or else the environment.
fn shown(look: &Look) -> anyhow::Result<ShownAs> {
    match (look.prompt, variable(PROMPT)) {
        (Some(shown), _) => Ok(shown),
        (None, None) => Ok(ShownAs::Name),
        (None, Some(named)) => ShownAs::from_str(&named.to_string_lossy(), true)
            .map_err(|_| Misuse(format!("{PROMPT} is {named:?}: make it name or address")).into()),
    }
}

/// Opens a session and converses over it until its end. A prompt shows the user as `shown`; `hint` is for a user who begins.
fn converse(
    filter: &str,
    json: bool,
    shown: ShownAs,
    hint: &str,
    open: impl AsyncFnOnce() -> anyhow::Result<Session>,
) -> anyhow::Result<Outcome> {
    let runtime = runtime()?;
    if json || !terminal() {
        log::to_stderr(filter)?;
        runtime.block_on(async {
            let signals = Signals::listen()?;
            let form = if json { headless::Form::Json } else { headless::Form::Plain(show(false)) };
            headless::run(open().await?, form, signals, hint).await
        })
    } else {
        let screen = prompt::Screen::new();
        log::to_screen(filter, screen.clone())?;
        runtime.block_on(async {
            let signals = Signals::listen()?;
            let ending = prompt::run(open().await?, show(colours()), screen, signals, shown, hint).await?;
            Ok(Outcome { is_all_done: true, ending })
        })
    }
}

/// Two workers at least: what blocks on a slow terminal is never the peer.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let workers = thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    try_threads(workers + SPARE_THREADS).context("no threads to run on")?;
    try_files().context("no files to work with")?;
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().context("no threads to run on")
}

/// Threads beside the workers: discovery, the input, and what blocks.
const SPARE_THREADS: usize = 4;

/// Files that a peer needs before it has a single link: its runtime, its signals, its store, its ports.
const FILES: usize = 24;

/// Whether so many files can be opened: what gets none in the middle of its work may only panic.
fn try_files() -> io::Result<()> {
    let opened: io::Result<Vec<File>> = (0..FILES).map(|_| File::open("/dev/null")).collect();
    opened.map(drop)
}

/// Whether so many threads can be had: a runtime that gets none in the middle of its work can only panic.
fn try_threads(count: usize) -> io::Result<()> {
    let gate = Arc::new(RwLock::new(()));
    let closed = gate.write();
    let wait = || {
        let gate = Arc::clone(&gate);
        thread::Builder::new().name("try".to_owned()).spawn(move || drop(gate.read()))
    };
    let threads: Vec<_> = (0..count).map(|_| wait()).collect();
    drop(closed);
    threads.into_iter().try_for_each(|thread| {
        let thread = thread.map_err(|error| io::Error::new(error.kind(), format!("a thread: {error}")))?;
        // It does nothing that could panic.
        let _ = thread.join();
        Ok(())
    })
}

/// Whether there is a terminal to type at: the prompt reads standard input, and draws on both other ones. A dumb one
/// (in an editor's window, say) edits lines by itself and takes plain ones.
pub(crate) fn terminal() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    io::stdin().is_terminal() && io::stdout().is_terminal() && io::stderr().is_terminal() && !dumb
}

/// Whether a terminal wants colours (<https://no-color.org>).
pub(crate) fn colours() -> bool {
    variable("NO_COLOR").is_none()
}

pub(crate) fn show(colours: bool) -> Show {
    Show::new(Paint { on: colours }, TimeZone::system())
}

/// What a peer is started with by these options.
pub(crate) fn config(options: Peer) -> anyhow::Result<node::Config> {
    if let Some(twice) = first_repeated(&options.links.listen).filter(|address| address.port() != 0) {
        return Err(Misuse(format!("--listen {twice} is given twice: give each address once")).into());
    }
    let folder = home::folder(&options.folder)?;
    let account = home::account_named(&options.folder)?.map(|name| name.to_string());
    let mut config = node::Config::new(name(options.name.or(account))?);
    config.home = Some(home::open(&folder, options.passphrase.passphrase_file.as_deref())?);
    reach(&mut config, options.links);
    config.trace = options.trace;
    config.keep = options.keep.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    config.keep_bytes = options.keep_size.map(|megabytes| u64::from(megabytes) << 20);
    Ok(config)
}

/// How a peer finds the others, as the options say.
pub(crate) fn reach(config: &mut node::Config, links: Links) {
    config.listen = links.listen;
    config.peers = links.peer;
    config.mdns = !links.no_mdns;
    config.interface = links.interface;
}

fn first_repeated<T: PartialEq>(of: &[T]) -> Option<&T> {
    of.iter().enumerate().find_map(|(nth, one)| of[..nth].contains(one).then_some(one))
}

/// The name that was given, else the login name.
pub(crate) fn name(given: Option<String>) -> anyhow::Result<String> {
    let given = given.or_else(|| variable(NAME)?.into_string().ok());
    match given {
        Some(name) if name == "@host" => {
            let name = hostname::get().context("this host has no name; give yourself one with --name")?;
            own_name(&name.to_string_lossy()).context("this host's name makes none; give yourself one with --name")
        }
        Some(name) => Ok(name),
        None => login_name()
            .and_then(|name| own_name(&name))
            .context("there is no login name; give yourself one with --name or CAUSERIE_NAME"),
    }
}

/// What the system calls this user or this host, made a name: of `DOMAIN\user` the user, of a host's name that is too long the
/// first part, without what no name has in it, and cut.
fn own_name(system: &str) -> Option<String> {
    let is_name = |name: &str| Name::parse(name).is_ok();
    if is_name(system) {
        return Some(system.to_owned());
    }
    let user = system.rsplit_once('\\').map_or(system, |(_, user)| user);
    let user = user.split_once('@').map_or(user, |(user, _)| user);
    let first = user.split_once('.').map_or(user, |(first, _)| first);
    let fitting = |name: &str| {
        let kept = name.chars().filter(|c| is_name(&format!("a{c}")));
        let kept: String = kept.collect::<String>().trim_start_matches('-').chars().take(MAX_NAME).collect();
        is_name(&kept).then_some(kept)
    };
    [user, first]
        .into_iter()
        .find(|name| is_name(name))
        .map(str::to_owned)
        .or_else(|| fitting(first))
        .or_else(|| fitting(user))
}

/// A variable of the environment, if it says something.
pub(crate) fn variable(name: &str) -> Option<OsString> {
    env::var_os(name).filter(|value| !value.is_empty())
}

/// By the environment, or else (services and containers have none) by the table of users.
fn login_name() -> Option<String> {
    let named = |name| variable(name)?.into_string().ok();
    named("USER").or_else(|| named("LOGNAME")).or_else(|| field_of_user(0))
}

/// What the table of users says of this one.
pub(crate) fn field_of_user(nth: usize) -> Option<String> {
    let uid = fs::metadata("/proc/self").ok()?.uid().to_string();
    let users = fs::read_to_string("/etc/passwd").ok()?;
    let fields = users.lines().map(|user| user.split(':').collect::<Vec<_>>());
    let mine = fields.into_iter().find(|fields| fields.get(2) == Some(&uid.as_str()))?;
    mine.get(nth).filter(|field| !field.is_empty()).map(|field| (*field).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_system_calls_a_user_or_a_host_is_made_a_name() {
        for (system, name) in [
            ("alice", "alice"),
            ("ünal", "ünal"),
            ("CORP\\alice", "alice"),
            ("CORP\\alice.b", "alice.b"),
            ("alice@corp.example.org", "alice"),
            ("ip-10-0-0-1.eu-central-1.compute.internal", "ip-10-0-0-1"),
            ("host.example.org", "host.example.org"),
            ("a+b c", "abc"),
            ("-dash", "dash"),
            ("build$", "build"),
        ] {
            assert_eq!(own_name(system).as_deref(), Some(name), "{system}");
        }
        let long = "x".repeat(63);
        for system in [long.clone(), format!("{long}.example.org"), format!("CORP\\{long}")] {
            assert_eq!(own_name(&system).as_deref(), Some(&long[..32]), "{system}");
        }
        for none in ["", "\\", "all", "---", "!?"] {
            assert_eq!(own_name(none), None, "{none:?}");
        }
    }
}
