//! `causerie run`: the peer without a prompt, for services and containers. Prompts attach to it and leave again.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use node::Ending;

use crate::chat::{config, runtime, show};
use crate::headless::{self, Form};
use crate::home;
use crate::log;
use crate::options::{DATA, Peer};
use crate::page;
use crate::signals::Signals;

/// Runs the peer until a signal asks it to leave, or its user logs out or deletes the account.
pub(crate) fn run(options: Peer) -> anyhow::Result<ExitCode> {
    log::to_stderr(&options.log)?;
    let form = if options.json { Form::Json } else { Form::Plain(show(false)) };
    let web = options.web;
    let folder = options.folder.data.as_deref();
    let mut hint = format!("{} gives you a prompt", command("attach", folder));
    if web.is_some() {
        hint += &format!(", and {} a link to the page", command("page", folder));
    }
    let named = options.folder.clone();
    let config = config(options)?;
    let ending = runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let session = page::start(config, web).await?;
        headless::report(session, form, signals, &hint).await
    })?;
    if ending == Ending::Deleted {
        home::remove(&named)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What to type for a task about this peer: in the environment of this peer, the folder that it names goes without saying.
fn command(task: &str, data: Option<&Path>) -> String {
    match data.filter(|folder| env::var_os(DATA).is_none_or(|named| named != folder.as_os_str())) {
        Some(folder) => format!("causerie {task} --data {}", folder.display()),
        None => format!("causerie {task}"),
    }
}
