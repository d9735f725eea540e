//! `causerie` and `causerie attach`: a session of a peer, and the user interface that fits where it runs.

use std::env;
use std::fs::{self, File};
use std::io::{self, IsTerminal as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use etcetera::BaseStrategy as _;
use jiff::tz::TimeZone;
use node::Session;
use parking_lot::RwLock;
use tokio::runtime::{Builder, Runtime};

use crate::options::{Attach, Folder, Look, Peer, ShownAs};
use crate::show::{Paint, Show};
use crate::signals::Signals;
use crate::{headless, log, prompt};

/// Runs a peer until its user leaves.
pub(crate) fn run(options: Peer, look: &Look) -> anyhow::Result<ExitCode> {
    let (filter, json) = (options.log.clone(), options.json);
    let config = config(options)?;
    converse(&filter, json, look.prompt, "-h lists the commands", async || Ok(node::start(config).await?))
}

/// Attaches to a running peer until the user leaves, or the peer does.
pub(crate) fn attach(options: Attach) -> anyhow::Result<ExitCode> {
    let data = data_folder(options.folder)?;
    let hint = "-h lists the commands; -quit closes this prompt and leaves the peer running";
    converse("warn", options.json, options.look.prompt, hint, async || Ok(node::attach(&data).await?))
}

/// Opens a session and converses over it until its end. A prompt shows the user as `shown`; `hint` is for a user who begins.
fn converse(
    filter: &str,
    json: bool,
    shown: ShownAs,
    hint: &str,
    open: impl AsyncFnOnce() -> anyhow::Result<Session>,
) -> anyhow::Result<ExitCode> {
    let runtime = runtime()?;
    if json || !terminal() {
        log::to_stderr(filter)?;
        runtime.block_on(async {
            let signals = Signals::listen()?;
            let form = if json { headless::Form::Json } else { headless::Form::Plain(show(false)) };
            headless::run(open().await?, form, signals, hint).await
        })?;
    } else {
        let screen = prompt::Screen::new();
        log::to_screen(filter, screen.clone())?;
        runtime.block_on(async {
            let signals = Signals::listen()?;
            prompt::run(open().await?, show(colours()), screen, signals, shown, hint).await
        })?;
    }
    Ok(ExitCode::SUCCESS)
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
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

pub(crate) fn show(colours: bool) -> Show {
    Show::new(Paint { on: colours }, TimeZone::system())
}

/// What a peer is started with by these options.
pub(crate) fn config(options: Peer) -> anyhow::Result<node::Config> {
    let mut config = node::Config::new(name(options.name)?);
    config.data = Some(data_folder(options.folder)?);
    config.listen = options.listen;
    config.peers = options.peer;
    config.mdns = !options.no_mdns;
    config.interface = options.interface;
    config.trace = options.trace;
    config.keep = options.keep.map(|days| Duration::from_secs(u64::from(days) * 24 * 3600));
    config.keep_bytes = options.keep_size.map(|megabytes| u64::from(megabytes) << 20);
    Ok(config)
}

/// The name that was given, else the login name.
pub(crate) fn name(given: Option<String>) -> anyhow::Result<String> {
    match given {
        Some(name) if name == "@host" => {
            let name = hostname::get().context("this host has no name; give yourself one with --name")?;
            Ok(name.to_string_lossy().into_owned())
        }
        Some(name) => Ok(name),
        None => login_name().context("there is no login name; give yourself one with --name or CAUSERIE_NAME"),
    }
}

/// By the environment, or else (services and containers have none) by the table of users.
fn login_name() -> Option<String> {
    let named = |variable| env::var(variable).ok().filter(|name| !name.is_empty());
    named("USER").or_else(|| named("LOGNAME")).or_else(|| {
        let uid = fs::metadata("/proc/self").ok()?.uid().to_string();
        let users = fs::read_to_string("/etc/passwd").ok()?;
        users.lines().find_map(|user| {
            let mut fields = user.split(':');
            let name = fields.next()?;
            (fields.nth(1)? == uid).then(|| name.to_owned())
        })
    })
}

/// The folder that was named, else the one in the user's data folder.
pub(crate) fn data_folder(named: Folder) -> anyhow::Result<PathBuf> {
    if let Some(folder) = named.data {
        return Ok(folder);
    }
    let folders = etcetera::choose_base_strategy()
        .context("there is no home folder to keep your identity in; name one with --data")?;
    Ok(folders.data_dir().join("causerie"))
}
