//! The session for other processes: JSON lines over the socket in the data folder.
//!
//! Each client has two sides that do not wait for each other. One reads requests and hands them to the peer. One writes
//! events and answers. The peer never waits for anything here. A client that does not take its events is dropped by its
//! [`Feed`](crate::feed::Feed). A client that does not take its answers is no longer read.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio::io::{AsyncBufRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};

use crate::Submitted;
use crate::clients::{Attach, Attached};
use crate::feed::{End, Told};
use crate::line::{Ending, Hello, Line, MAX_LINE, RequestId, VERSION, asks, hello_of, open};
use crate::lines;
use crate::session::{Ended, InterfaceId, Outbound};
use crate::socket::Socket;

/// How many requests of one client may be unanswered. Beyond that, no more are read.
const UNANSWERED: usize = 64;

/// How many bytes of lines are written at once.
const CHUNK: usize = 1 << 16;

/// How long clients may take to read the last lines when the peer stops.
const GOODBYE: Duration = Duration::from_millis(500);

/// How long to wait before another try when no connection can be accepted, for example because no more files can be
/// opened.
const ACCEPT_AGAIN: Duration = Duration::from_secs(1);

/// What serving a client needs.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// [`Hello::program`].
    pub(crate) program: String,
    pub(crate) outbound: Outbound,
    pub(crate) attach: mpsc::Sender<Attach>,
    pub(crate) max_clients: usize,
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<StillAttached>,
}

/// The clients that are still attached, once no more are let in.
#[derive(Debug)]
pub(crate) struct StillAttached(JoinSet<()>);

impl Server {
    pub(crate) fn start(socket: Socket, service: Service) -> Self {
        let (stop, asked) = oneshot::channel();
        let stopped = tokio::spawn(run(socket, service, asked));
        Self { stop, stopped }
    }

    /// Takes no more clients: the socket goes, and another peer can have its place.
    pub(crate) async fn close(self) -> StillAttached {
        // The task may have ended by a panic, which has been reported.
        let _ = self.stop.send(());
        self.stopped.await.unwrap_or_else(|_| StillAttached(JoinSet::new()))
    }
}

impl StillAttached {
    /// Waits until each client has been told the end, or has had the time for it.
    pub(crate) async fn leave(mut self) {
        // A client that does not take it in time is cut off.
        let _ = timeout(GOODBYE, async { while self.0.join_next().await.is_some() {} }).await;
    }
}

async fn run(socket: Socket, service: Service, mut stop: oneshot::Receiver<()>) -> StillAttached {
    let mut clients = JoinSet::new();
    let mut door = Door::new(&socket.listener);
    loop {
        tokio::select! {
            stream = door.accept() => {
                if clients.len() < service.max_clients {
                    clients.spawn(serve(stream, service.clone()));
                } else {
                    clients.spawn(turn_away(stream, service.max_clients));
                }
            }
            Some(_) = clients.join_next() => {}
            _ = &mut stop => break,
        }
    }
    drop(socket);
    StillAttached(clients)
}

/// Where clients come in.
struct Door<'a> {
    listener: &'a UnixListener,
    /// The links may use all files that this process may open. This one is held for a client that asks why nothing
    /// works.
    spare: Option<File>,
    /// It was reported that no client can come in.
    told: bool,
}

impl<'a> Door<'a> {
    fn new(listener: &'a UnixListener) -> Self {
        Self { listener, spare: None, told: false }
    }

    async fn accept(&mut self) -> UnixStream {
        if self.spare.is_none() {
            self.spare = File::open("/dev/null").ok();
            self.told &= self.spare.is_none();
        }
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return stream,
                Err(_) if self.spare.take().is_some() => {}
                Err(error) => {
                    if !self.told {
                        tracing::warn!("no client can attach until this is over: {error}");
                        self.told = true;
                    }
                    sleep(ACCEPT_AGAIN).await;
                }
            }
        }
    }
}

async fn turn_away(stream: UnixStream, limit: usize) {
    let text = format!("{limit} clients are attached already, the limit (max_clients); close one of them");
    let mut lines = Lines::new(stream);
    // A client that has gone away already needs no reason.
    let _ = lines.end(Ended::other(text)).await;
}

async fn serve(stream: UnixStream, service: Service) {
    match converse(stream, service).await {
        Ok(()) => {}
        Err(gone) => tracing::debug!("a client has gone: {gone}"),
    }
}

async fn converse(stream: UnixStream, service: Service) -> io::Result<()> {
    let (input, output) = stream.into_split();
    let mut lines = Lines::new(output);
    let (attach, attached) = oneshot::channel();
    // If this fails, the answer never comes either.
    let _ = service.attach.send(attach).await;
    let Attached { id, known, feed } = match attached.await {
        Ok(Ok(attached)) => attached,
        Ok(Err(why_not)) => return lines.end(Ended::other(why_not)).await,
        Err(_) => return lines.end(stopped()).await,
    };
    lines.push(&Hello { hello: VERSION, program: service.program, known })?;
    lines.flush().await?;

    let (owe, owed) = mpsc::channel(UNANSWERED);
    let mut owed = Answers { owed, first: None };
    let reading = read(BufReader::new(input), service.outbound, id, owe);
    let writing = async {
        loop {
            tokio::select! {
                line = owed.next() => match line {
                    Some(Line::End { end: text, why }) => return lines.end(Ended { text, why }).await,
                    Some(line) => lines.push(&line)?,
                    // The client will ask nothing more, and has all its answers.
                    None => return Ok(()),
                },
                batch = feed.next() => match batch {
                    Ok(batch) => lines.tell(&batch, id).await?,
                    Err(End::Stopped(why)) => {
                        // Commands that were carried out are still answered.
                        while let Ok(Some(line)) = timeout(Duration::ZERO, owed.next()).await {
                            lines.push(&line)?;
                        }
                        return lines.end(why).await;
                    }
                    Err(End::Slow) => return lines.end(slow()).await,
                },
            }
            lines.flush().await?;
        }
    };
    tokio::pin!(writing);
    tokio::select! {
        written = &mut writing => written,
        () = reading => writing.await,
    }
}

/// The reason that clients read when the peer's own user interface has stopped it.
pub(crate) fn stopped() -> Ended {
    Ended::other("the peer has left")
}

fn slow() -> Ended {
    Ended::other("too many events were waiting to be read: what happened since is not told; attach again")
}

/// What is owed to a client.
enum Owed {
    /// The peer's answer.
    Answer(Option<RequestId>, Submitted),
    /// The request could not be understood.
    Misunderstood(Option<RequestId>, String),
    /// The client must leave.
    End(String),
}

/// Everything that is owed to a client, in the order of its requests.
struct Answers {
    owed: mpsc::Receiver<Owed>,
    first: Option<Owed>,
}

impl Answers {
    /// The next line, once it is there. `None` once nothing more is owed. Cancel-safe.
    async fn next(&mut self) -> Option<Line> {
        loop {
            if self.first.is_none() {
                self.first = Some(self.owed.recv().await?);
            }
            let answered = match &mut self.first {
                Some(Owed::Answer(_, submitted)) => submitted.answer().await.ok(),
                Some(Owed::Misunderstood(..) | Owed::End(_)) | None => None,
            };
            match (self.first.take(), answered) {
                (Some(Owed::Answer(id, _)), Some(answered)) => return Some(Line::answering(id, answered)),
                (Some(Owed::Misunderstood(id, wrong)), _) => return Some(Line::misunderstood(id, wrong)),
                (Some(Owed::End(end)), _) => return Some(Line::End { end, why: Ending::Other }),
                // The peer stops. The end of the events says so.
                (Some(Owed::Answer(..)) | None, _) => {}
            }
        }
    }
}

/// Reads requests until the client sends no more.
async fn read(mut input: impl AsyncBufRead + Unpin, outbound: Outbound, id: InterfaceId, owe: mpsc::Sender<Owed>) {
    let mut line = Vec::new();
    while let Ok(Some(length)) = lines::read(&mut input, &mut line).await {
        let owed = match request(&line, length) {
            Read::Nothing => continue,
            Read::Command(request, command) => match outbound.submit(id, command).await {
                Ok(submitted) => Owed::Answer(request, submitted),
                // The end of the events says so.
                Err(_) => return,
            },
            Read::Misunderstood(request, wrong) => Owed::Misunderstood(request, wrong),
            Read::Version(theirs) => Owed::End(format!(
                "this peer speaks version {VERSION} of the session and the client version {theirs}: use the same \
                 causerie for both"
            )),
        };
        if owe.send(owed).await.is_err() {
            return;
        }
    }
}

/// What a line says.
enum Read {
    Nothing,
    Command(Option<RequestId>, chat::Command),
    Misunderstood(Option<RequestId>, String),
    /// The client speaks another version.
    Version(u32),
}

fn request(line: &[u8], length: usize) -> Read {
    if length > MAX_LINE {
        let wrong = format!("that line has {length} bytes and was not read; a line holds {MAX_LINE} at most");
        return Read::Misunderstood(None, wrong);
    }
    if line.trim_ascii().is_empty() {
        return Read::Nothing;
    }
    let (id, object) = match open(line) {
        Ok(opened) => opened,
        Err(wrong) => return Read::Misunderstood(None, wrong),
    };
    match hello_of(&object) {
        Some(VERSION) => Read::Nothing,
        Some(theirs) => Read::Version(theirs),
        None => match asks(&object) {
            Ok(command) => Read::Command(id, command),
            Err(wrong) => Read::Misunderstood(id, wrong),
        },
    }
}

/// Lines on their way to a client.
struct Lines<W> {
    output: W,
    buffer: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> Lines<W> {
    fn new(output: W) -> Self {
        Self { output, buffer: Vec::new() }
    }

    fn push(&mut self, line: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.buffer, line)?;
        self.buffer.push(b'\n');
        Ok(())
    }

    async fn tell(&mut self, batch: &Arc<[Told]>, to: InterfaceId) -> io::Result<()> {
        for told in batch.iter().filter(|told| told.by != Some(to)) {
            self.push(&told.event)?;
            if self.buffer.len() > CHUNK {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self, Ended { text: end, why }: Ended) -> io::Result<()> {
        self.push(&Line::End { end, why })?;
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer).await?;
        self.buffer.clear();
        self.buffer.shrink_to(2 * CHUNK);
        Ok(())
    }
}
