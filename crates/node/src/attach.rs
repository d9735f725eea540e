//! A session with a peer in another process.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chat::{Answer, Event, News, Refusal};
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::line::{Hello, Line, RequestId, RequestLine, VERSION};
use crate::session::{Ended, Far, Request, session, stopped};
use crate::socket::{SESSION, path_in};
use crate::{Error, Session};

/// How long a peer may take to say hello. It does so between two turns. If it takes this long, it is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many batches of events wait for the user interface. Any more wait at the peer, which drops a client that does
/// not take them.
const EVENT_BATCHES: usize = 16;

/// How many events a batch holds.
const EVENTS: usize = 1024;

/// Why there is no session. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachError {
    /// No peer runs on that data folder.
    #[error(
        "no peer is running on the data folder {}; start one with `causerie run`, or name another folder with --data, or \
         another account with --account", path.display()
    )]
    NoPeer {
        /// The folder.
        path: PathBuf,
    },
    /// The folder cannot hold a socket.
    #[error(transparent)]
    Folder(#[from] Error),
    /// The socket cannot be used.
    #[error("the session at {} cannot be opened", path.display())]
    Socket {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another user's process listens there.
    #[error("the session at {} is another user's (uid {owner}); name the folder of your own peer with --data", path.display())]
    Stranger {
        /// The socket.
        path: PathBuf,
        /// The user whose process it is.
        owner: u32,
    },
    /// The peer speaks another version of the session.
    #[error(
        "the peer speaks version {theirs} of the session and this program version {ours}: use the same causerie for both"
    )]
    Version {
        /// The peer's version.
        theirs: u32,
        /// The version of this program.
        ours: u32,
    },
    /// The peer does not take in this client.
    #[error("{0}")]
    TurnedAway(String),
    /// The peer does not say hello.
    #[error("the peer at {} does not answer; is it stopped, or stuck?", path.display())]
    Silent {
        /// The socket.
        path: PathBuf,
    },
}

/// Opens a session with the peer that runs on the data folder `data`, on the caller's Tokio runtime. Any number of
/// sessions can be open. Dropping the session, or [`Requests::stop`](crate::Requests::stop), closes it. The peer goes
/// on.
///
/// # Errors
/// Every [`AttachError`] says what to do.
pub async fn attach(data: &Path) -> Result<Session, AttachError> {
    let stream = connect(data, SESSION).await?;
    let path = path_in(data, SESSION)?;
    let refuse = |source| AttachError::Socket { path: path.clone(), source };
    let (input, mut output) = stream.into_split();
    let mut input = BufReader::new(input);
    let hello = timeout(PATIENCE, greet(&mut input, &mut output)).await;
    let first = hello.map_err(|_| AttachError::Silent { path: path.clone() })?.map_err(refuse)?;
    let hello = understand(&first).map_err(|source| refuse(source.into()))??;
    let (session, far) = session(hello, EVENT_BATCHES);
    tokio::spawn(carry(far, input, output));
    Ok(session)
}

/// Connects to the socket of that name in the data folder of a running peer. The connection carries lines.
///
/// # Errors
/// [`AttachError::NoPeer`] if nothing listens there, [`AttachError::Stranger`] if another user's process does.
pub async fn connect(data: &Path, name: &str) -> Result<UnixStream, AttachError> {
    let path = path_in(data, name)?;
    let refuse = |source: io::Error| {
        // A socket on which no process listens is one that a dead process left behind.
        let nobody = matches!(source.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused);
        if nobody {
            AttachError::NoPeer { path: data.to_owned() }
        } else {
            AttachError::Socket { path: path.clone(), source }
        }
    };
    let stream = UnixStream::connect(&path).await.map_err(refuse)?;
    let owner = stream.peer_cred().map_err(refuse)?.uid();
    if is_trusted(owner, own_uid().map_err(refuse)?) { Ok(stream) } else { Err(AttachError::Stranger { path, owner }) }
}

/// In a folder such as /tmp, where every user can make files, any user may have made the socket. A process trusts its
/// own user and the superuser, and the superuser's process trusts all users.
fn is_trusted(owner: u32, me: u32) -> bool {
    owner == me || owner == 0 || me == 0
}

/// The user that this process runs as, as the other end of a connection sees it.
fn own_uid() -> io::Result<u32> {
    let (_here, there) = UnixStream::pair()?;
    Ok(there.peer_cred()?.uid())
}

/// Sends the version of this side, and reads the first line of the other.
async fn greet(input: &mut BufReader<OwnedReadHalf>, output: &mut OwnedWriteHalf) -> io::Result<String> {
    // A peer that turns this client away may have closed its end already. Its line says why.
    let _ = output.write_all(format!("{{\"hello\":{VERSION}}}\n").as_bytes()).await;
    let mut first = String::new();
    input.read_line(&mut first).await?;
    Ok(first)
}

/// The hello in the first line, or why there is none.
fn understand(first: &str) -> serde_json::Result<Result<Hello, AttachError>> {
    /// What every version has in common.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum First {
        Hello { hello: u32 },
        End { end: String },
    }
    if first.is_empty() {
        return Ok(Err(AttachError::TurnedAway(GONE.to_owned())));
    }
    match serde_json::from_str(first)? {
        First::Hello { hello: VERSION } => serde_json::from_str(first).map(Ok),
        First::Hello { hello: theirs } => Ok(Err(AttachError::Version { theirs, ours: VERSION })),
        First::End { end } => Ok(Err(AttachError::TurnedAway(end))),
    }
}

/// The reason that a session ends for when its other end closes without a word.
const GONE: &str = "the peer has gone without a goodbye";

/// Requests that are not answered yet, in their order.
type Unanswered = Mutex<VecDeque<(u64, oneshot::Sender<Result<Answer, Refusal>>)>>;

/// Carries requests and lines between the two ends, until one of them closes.
async fn carry(far: Far, input: BufReader<OwnedReadHalf>, output: OwnedWriteHalf) {
    let Far { requests, events, mut stop, log_full: _, ended } = far;
    let unanswered = Unanswered::default();
    tokio::select! {
        why = hear(input, &events, &unanswered) => {
            // The reason is set only here.
            let _ = ended.set(why);
        }
        () = ask(requests, output, &unanswered, &mut stop) => {}
    }
}

/// Writes requests until the user interface is gone or wants to stop.
async fn ask(
    mut requests: mpsc::Receiver<Request>,
    mut output: OwnedWriteHalf,
    unanswered: &Unanswered,
    stop: &mut watch::Receiver<bool>,
) {
    let asking = async {
        let mut asked = 0;
        while let Some(Request { command, answer, .. }) = requests.recv().await {
            asked += 1;
            unanswered.lock().push_back((asked, answer));
            let request = RequestLine { id: Some(RequestId::from(asked)), command };
            let Ok(mut line) = serde_json::to_vec(&request) else { continue };
            line.push(b'\n');
            if output.write_all(&line).await.is_err() {
                // The other direction ends as well, and tells why.
                return std::future::pending().await;
            }
        }
    };
    tokio::select! {
        () = asking => {}
        () = stopped(stop) => {}
    }
}

/// Reads lines until the session ends. Returns why it ended.
async fn hear(mut input: BufReader<OwnedReadHalf>, events: &mpsc::Sender<News>, unanswered: &Unanswered) -> Ended {
    let mut line = Vec::new();
    let mut batch = Vec::new();
    loop {
        line.clear();
        match input.read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return Ended::other(GONE),
            Ok(_) => {}
        }
        match serde_json::from_slice(&line) {
            Ok(Line::Event(event)) => batch.push(event),
            Ok(Line::Answer { id, answer }) => answered(unanswered, id, Ok(answer)),
            Ok(Line::Error { id, error: _, refusal: Some(refusal) }) => answered(unanswered, id, Err(refusal)),
            Ok(Line::Error { id, error, refusal: None }) => {
                unanswered.lock().retain(|(asked, _)| Some(RequestId::from(*asked)) != id);
                batch.push(Event::Warning { text: error });
            }
            Ok(Line::End { end: text, why }) => {
                let _ = events.send(batch.into_iter().collect()).await;
                return Ended { text, why };
            }
            // A newer peer of the same version may send lines that this program does not know.
            Err(unknown) => tracing::debug!("passing over a line: {unknown}"),
        }
        let more = input.buffer().contains(&b'\n');
        // If the user interface is gone, the other direction ends.
        if !batch.is_empty()
            && (!more || batch.len() >= EVENTS)
            && events.send(batch.drain(..).collect()).await.is_err()
        {
            return Ended::other("");
        }
    }
}

fn answered(unanswered: &Unanswered, id: Option<RequestId>, answered: Result<Answer, Refusal>) {
    let mut unanswered = unanswered.lock();
    if let Some((asked, _)) = unanswered.front()
        && id == Some(RequestId::from(*asked))
        && let Some((_, answer)) = unanswered.pop_front()
    {
        // The caller may have gone away.
        let _ = answer.send(answered);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[tokio::test]
    async fn attaching_to_another_users_socket_is_refused() {
        assert_eq!(own_uid().unwrap(), fs::metadata(tempfile::tempdir().unwrap().path()).unwrap().uid());
        for (owner, me, trusted) in [(1000, 1000, true), (0, 1000, true), (1000, 0, true), (1001, 1000, false)] {
            assert_eq!(is_trusted(owner, me), trusted, "{owner} {me}");
        }
    }
}
