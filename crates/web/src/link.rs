//! Links that log a browser in. The peer gives them to its own user alone, over a socket in its data folder.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use node::{AttachError, Socket, connect};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::by_code::OnePeer;

/// The name of the socket that gives links.
pub(crate) const SOCKET: &str = "page.sock";

/// How long a link may take: a turn of the machine, and no work.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait before another try when no connection can be taken, as when no more files may be open.
const AGAIN: Duration = Duration::from_secs(1);

/// The longest link, in bytes.
const LONGEST: u64 = 400;

/// A link to the page of the peer that runs on the data folder `folder`. It works once, and for two minutes.
///
/// # Errors
/// [`Error::NoPage`] if no peer runs there or it has no page.
pub async fn link(folder: &Path) -> Result<String, Error> {
    let socket = match connect(folder, SOCKET).await {
        Err(AttachError::NoPeer { path }) => return Err(Error::NoPage { path }),
        connected => connected.map_err(Error::Attach)?,
    };
    let mut link = String::new();
    let read = timeout(PATIENCE, socket.take(LONGEST).read_to_string(&mut link)).await;
    match (read, link.strip_suffix('\n')) {
        (Ok(Ok(_)), Some(link)) => Ok(link.to_owned()),
        _ => Err(Error::NoLink),
    }
}

/// Gives a link to any process that can connect, until it is dropped.
pub(crate) async fn give(socket: Socket, peer: Arc<OnePeer>) {
    loop {
        let Ok(mut asking) = socket.accept().await else {
            sleep(AGAIN).await;
            continue;
        };
        let code = peer.codes.lock().issue(Instant::now());
        match code {
            Ok(code) => {
                let link = format!("{}#{}\n", peer.page.reach.link(), code.write());
                // It fits into the buffer of any socket; one that has gone away needs no link.
                let _ = asking.write_all(link.as_bytes()).await;
            }
            Err(error) => tracing::warn!("no link to the page can be given: {error}"),
        }
    }
}
