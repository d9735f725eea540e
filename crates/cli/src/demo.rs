//! `causerie demo`: causal order, seen at work on one machine.
//!
//! Three peers with links of their own play the dependency triangle: alice's question to carol is slow, bob's answer to
//! it is quick, and carol is shown them in their order all the same. Then their traces are verified, and on a terminal
//! the user becomes the fourth peer, at the prompt and in a browser, and the one who waits.

mod cast;
mod triangle;

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use tokio::time::{Instant, sleep};

use crate::chat::{colours, name, runtime, show, terminal};
use crate::options::ShownAs;
use crate::signals::Signals;
use crate::{home, log, page, prompt};

use cast::Cast;
use triangle::triangle;

/// How long it may take until everybody has everything: the acknowledgements of a quiet network take a second.
const COMPLETE: Duration = Duration::from_secs(10);

/// Plays, verifies, and leaves a user at a terminal in a prompt and with the link to its page. 1 if the traces show a violation.
pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let folder = tempfile::tempdir().context("no temporary folder for the traces")?;
    let screen = prompt::Screen::new();
    let at_terminal = terminal();
    if at_terminal {
        log::to_screen("warn", screen.clone())?;
    } else {
        log::to_stderr("warn")?;
    }
    runtime()?.block_on(async {
        let mut signals = Signals::listen()?;
        let mut show = show(at_terminal && colours());
        let play = async {
            say("Three peers start on this machine. They have real links on 127.0.0.1, and no multicast.")?;
            let mut cast = Cast::start(folder.path()).await?;
            say("")?;
            triangle(&mut cast, "carol", &mut show).await?;
            say("")?;
            let verified = verify(cast.traces()).await?;
            anyhow::Ok((cast, verified))
        };
        let (cast, verified) = tokio::select! {
            played = play => played?,
            () = signals.leave() => anyhow::bail!("interrupted"),
        };
        if !verified {
            return Ok(ExitCode::FAILURE);
        }
        if at_terminal {
            say("\nNow you join them. Write  @alice hello  and you are the one who waits.")?;
            let name = name(None).ok().filter(|name| !cast::plays(name)).unwrap_or_else(|| "you".to_owned());
            let yours = folder.path().join("yours");
            let config = node::Config { home: Some(home::open(&yours, None)?), ..cast.config(&name) };
            let session = page::start(config, Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))).await?;
            say("Or do it in your browser. This link works once, and for two minutes:")?;
            say(&format!("  {}\n", web::link(&yours).await?))?;
            let encore = tokio::spawn(cast.play_on());
            prompt::run(session, show, screen, signals, ShownAs::Name, "-h lists the commands").await?;
            encore.abort();
        } else {
            say("At a terminal you would be the fourth now, at a prompt and in your browser.")?;
            cast.leave().await;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Verifies the traces as `causerie check --complete` does, once everybody has everything.
async fn verify(traces: Vec<PathBuf>) -> anyhow::Result<bool> {
    let options = trace::Options { complete: true, running: true, ..trace::Options::default() };
    let deadline = Instant::now() + COMPLETE;
    let report = loop {
        let report = trace::check(&traces, &options)?;
        if report.violations == 0 || Instant::now() > deadline {
            break report;
        }
        sleep(Duration::from_millis(100)).await;
    };
    say("Verified from what the three wrote down while it happened (causerie check --complete):")?;
    say(&format!("  {report}"))?;
    Ok(report.violations == 0)
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
