//! The page in the browser: `--web`, and `causerie page`.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;

use node::Session;
use web::{Limits, Listening};

use crate::chat::runtime;
use crate::home;
use crate::options::Folder;

/// Starts a peer, with its page if it is to have one.
pub(crate) async fn start(config: node::Config, web: Option<SocketAddr>) -> anyhow::Result<Session> {
    // A port that cannot be had is told before anybody sees this peer.
    let listening = match web {
        Some(address) => Some(Listening::on_loopback(address).await?),
        None => None,
    };
    let folder = config.home.as_ref().map(|home| home.folder.path().to_owned());
    let session = node::start(config).await?;
    if let (Some(listening), Some(folder)) = (listening, folder) {
        listening.serve(&folder, &session.hello.known.me.person.to_string(), Limits::default())?;
    }
    Ok(session)
}

/// `causerie page`.
pub(crate) fn link(folder: Folder) -> anyhow::Result<ExitCode> {
    let data = home::folder(&folder)?;
    let link = runtime()?.block_on(web::link(&data))?;
    writeln!(io::stdout(), "{link}")?;
    Ok(ExitCode::SUCCESS)
}
