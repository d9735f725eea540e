//! `causerie run`: the peer without a prompt, for services and containers. Prompts attach to it and leave again.

use std::env;
use std::path::Path;
use std::process::ExitCode;

use crate::chat::{config, runtime, show};
use crate::headless::{self, Form};
use crate::log;
use crate::options::{DATA, Peer};
use crate::signals::Signals;

/// Runs the peer until a signal asks it to leave.
pub(crate) fn run(options: Peer) -> anyhow::Result<ExitCode> {
    log::to_stderr(&options.log)?;
    let form = if options.json { Form::Json } else { Form::Plain(show(false)) };
    let hint = format!("{} gives you a prompt", attach_command(options.folder.data.as_deref()));
    let config = config(options)?;
    runtime()?.block_on(async {
        let signals = Signals::listen()?;
        let session = node::start(config).await?;
        headless::report(session, form, signals, &hint).await
    })?;
    Ok(ExitCode::SUCCESS)
}

/// What to type for a prompt: in the environment of this peer, the folder that it names goes without saying.
fn attach_command(data: Option<&Path>) -> String {
    match data.filter(|folder| env::var_os(DATA).is_none_or(|named| named != folder.as_os_str())) {
        Some(folder) => format!("causerie attach --data {}", folder.display()),
        None => "causerie attach".to_owned(),
    }
}
