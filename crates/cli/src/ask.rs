//! `causerie health`: one question to a running peer.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use node::chat::{Answer, Command};
use node::{Requests, Session};
use tokio::time::timeout;

use crate::chat::{data_folder, runtime, show};
use crate::options::Folder;

/// How long a peer may take to answer. It does so between two turns; one that takes this long is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// `causerie health`: one line why; 0 if the peer is healthy.
pub(crate) fn health(folder: Folder) -> anyhow::Result<ExitCode> {
    let data = data_folder(folder)?;
    let answer = runtime()?.block_on(async {
        let Session { requests, .. } = node::attach(&data).await?;
        ask(&requests, Command::Health).await
    })?;
    for line in show(false).answer(&answer, Timestamp::now()) {
        writeln!(io::stdout(), "{line}")?;
    }
    let healthy = matches!(answer, Answer::Health { healthy: true, .. });
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn ask(requests: &Requests, command: Command) -> anyhow::Result<Answer> {
    let answered = timeout(PATIENCE, requests.request(command)).await;
    Ok(answered.context("the peer does not answer; is it stopped, or stuck?")???)
}
