//! One link: it greets, then carries frames both ways until either side ends it.
//!
//! Frames go straight between the stream and the user's queues. Only what concerns the mesh passes through the
//! [`driver`](crate::driver): greetings, which connection stays, introductions, the end.
//!
//! A link in memory has no stream: each side takes what waits in the other side's queue. Everything above the transport
//! is the same. Heartbeats are not needed, because one side always learns when the other is gone.

use std::{convert::Infallible, future, sync::Arc, time::Duration};

use bytes::{Bytes, BytesMut};
use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    time::{self, MissedTickBehavior},
};

use crate::{
    DownReason, Event, Frames, Limits, LinkId,
    frame::{Kind, Split, split, write_frame},
    greeting::{BadGreeting, Greeting},
    neighbours::End,
    outgoing::{Finish, Outgoing, Work},
};

/// The size of the first read of a burst, and all that an idle link holds.
const READ_LEAST: usize = 4 << 10;
/// The largest read.
const READ_MOST: usize = 64 << 10;
/// What one batch counts against the link's credit in addition to its bytes: events of tiny frames are not free.
const BATCH_COST: usize = 128;
/// Why a link is lost when the other side ends it without a word.
const GONE: &str = "the other side is gone";
/// The longest reason of the other side that is passed on, in characters.
const MAX_REASON: usize = 300;

/// What a link tells the driver.
#[derive(Debug)]
pub(crate) enum Report {
    /// The other side greeted.
    Greeted(Result<Greeting, BadGreeting>),
    /// The other side has decided that this connection stays.
    Accepted,
    /// The other side introduces peers.
    Introduced(Bytes),
    /// The other side's digest.
    Digest(Bytes),
    /// A question about an older start.
    Elsewhere(Bytes),
    /// A proof of a newer start.
    Supersedes(Bytes),
    /// The link has ended. Nothing comes from it any more.
    Ended(Ended),
}

/// How a link ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The link is down, with the reason that the user is told.
    Down(DownReason),
    /// The other side refused it before it was up.
    Refused(String),
    /// The other side keeps another connection.
    Duplicate,
}

/// What connects a link with the other parts.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) outgoing: Arc<Outgoing>,
    pub(crate) reports: mpsc::Sender<(LinkId, Report)>,
    pub(crate) events: mpsc::Sender<Event>,
    /// Fires when the link is up and its user knows: from then on frames may be handed over.
    pub(crate) up: oneshot::Receiver<()>,
    /// The version of the protocol that this peer speaks.
    pub(crate) version: u16,
    pub(crate) limits: Arc<Limits>,
}

/// Runs a link to its end on a fresh stream.
pub(crate) async fn run_on_stream<S>(link: Link, stream: S)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (read, write) = stream.split();
    let (outgoing, limits) = (Arc::clone(&link.outgoing), Arc::clone(&link.limits));
    // Silence is counted in ticks of this task, not by the clock. A machine that slept, or a program that was stopped,
    // must not take its own absence for the silence of all others.
    let mut tick = time::interval(limits.dead / 10);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let wire = Wire { read, next_read: READ_LEAST, tick };
    run(link, wire, write_all(write, &outgoing, limits.heartbeat)).await;
}

/// Runs one end of a link in memory. This side reads what the other side's queue holds, so there is nothing to write.
pub(crate) async fn run_in_memory(link: Link, end: End) {
    run(link, end, future::pending()).await;
}

async fn run(link: Link, source: impl Source, writes: impl Future<Output = Result<Infallible, DownReason>>) {
    let Link { id, outgoing, reports, events, up, version, limits } = link;
    let mut reader = Reader {
        id,
        source,
        buffer: BytesMut::new(),
        credit: Arc::new(Semaphore::new(limits.incoming)),
        up: Some(up),
        version,
        outgoing: &outgoing,
        reports: &reports,
        events: &events,
        limits: &limits,
    };
    let ended = tokio::select! {
        Err(ended) = reader.run() => ended,
        Err(reason) = writes => Ended::Down(reason),
        Err(reason) = tell_writable(id, &outgoing, &events) => Ended::Down(reason),
        // If this side wants the link to end, it ends, whether the other side still reads or not.
        () = overdue(&outgoing, limits.shutdown) => Ended::Down(DownReason::Shutdown),
    };
    let ended = outgoing.finish_reason().map_or(ended, Ended::Down);
    outgoing.gone();
    drop(reader);
    // The driver is gone only if the whole net is.
    let _ = reports.send((id, Report::Ended(ended))).await;
}

/// Where the other side's bytes come from.
trait Source: Send {
    /// Appends the next bytes to the buffer. Waits for them as long as the other side may be silent.
    fn fill(&mut self, buffer: &mut BytesMut, outgoing: &Outgoing) -> impl Future<Output = Result<(), Ended>> + Send;

    /// Takes and drops what comes, until the other side is gone.
    fn ignore(&mut self) -> impl Future<Output = ()> + Send;
}

struct Wire<R> {
    read: R,
    next_read: usize,
    tick: time::Interval,
}

struct Reader<'a, S> {
    id: LinkId,
    source: S,
    buffer: BytesMut,
    credit: Arc<Semaphore>,
    /// `None` once it has fired.
    up: Option<oneshot::Receiver<()>>,
    version: u16,
    outgoing: &'a Outgoing,
    reports: &'a mpsc::Sender<(LinkId, Report)>,
    events: &'a mpsc::Sender<Event>,
    limits: &'a Limits,
}

impl<S: Source> Reader<'_, S> {
    async fn run(&mut self) -> Result<Infallible, Ended> {
        match self.take_all().await {
            Err(Ended::Down(DownReason::Protocol(what))) => {
                let reason = DownReason::Protocol(what.clone());
                self.outgoing.finish(Finish { last: Some(Kind::Close), text: what, reason });
                self.buffer = BytesMut::new();
                // So the other side has time to read why it is cut off.
                self.source.ignore().await;
                Err(lost(GONE.to_owned()))
            }
            ended => ended,
        }
    }

    /// Takes what comes until the link ends.
    async fn take_all(&mut self) -> Result<Infallible, Ended> {
        let mut greeted = false;
        loop {
            match split(&mut self.buffer, self.limits.max_frame).map_err(|error| protocol(error.to_string()))? {
                Split::Control { kind: Kind::Greeting, payload } if !greeted => {
                    greeted = true;
                    self.report(Report::Greeted(Greeting::decode(&payload, self.version))).await;
                }
                Split::Control { kind, .. } if !greeted && !kind.may_come_first() => {
                    return Err(protocol("no greeting".to_owned()));
                }
                Split::Data { .. } if !greeted => return Err(protocol("no greeting".to_owned())),
                Split::Data { checked, count } => self.hand_over(checked, count).await?,
                Split::Control { kind, payload } => self.control(kind, payload).await?,
                Split::Nothing => self.source.fill(&mut self.buffer, self.outgoing).await?,
            }
        }
    }

    async fn hand_over(&mut self, checked: Bytes, count: usize) -> Result<(), Ended> {
        if let Some(up) = self.up.take() {
            up.await.map_err(|_| lost("closed before it was up".to_owned()))?;
        }
        if self.outgoing.is_down() {
            return Ok(());
        }
        let cost = (checked.len() + BATCH_COST).min(self.limits.incoming);
        let cost = u32::try_from(cost).unwrap_or(u32::MAX);
        let credit = Arc::clone(&self.credit).acquire_many_owned(cost).await.expect("the semaphore is never closed");
        let frames = Frames::new(checked, count, credit);
        let event = Event::Frames { link: self.id, frames };
        let permit = self.events.reserve().await.map_err(|_| Ended::Down(DownReason::Shutdown))?;
        self.outgoing.unless_down(|| permit.send(event));
        Ok(())
    }

    async fn control(&mut self, kind: Kind, payload: Bytes) -> Result<(), Ended> {
        match kind {
            Kind::Heartbeat => {}
            Kind::Accept => self.report(Report::Accepted).await,
            Kind::Introduce => self.report(Report::Introduced(payload)).await,
            Kind::Digest => self.report(Report::Digest(payload)).await,
            Kind::Elsewhere => self.report(Report::Elsewhere(payload)).await,
            Kind::Supersedes => self.report(Report::Supersedes(payload)).await,
            Kind::Goodbye => return Err(Ended::Down(DownReason::Goodbye)),
            Kind::Close => return Err(Ended::Down(DownReason::ClosedByPeer(reason(&payload)))),
            Kind::Renew => return Err(Ended::Down(DownReason::Renewed(reason(&payload)))),
            Kind::Refuse => return Err(Ended::Refused(reason(&payload))),
            Kind::Duplicate => return Err(Ended::Duplicate),
            Kind::Greeting => return Err(protocol("a second greeting".to_owned())),
            Kind::Data => unreachable!("data frames come in batches"),
        }
        Ok(())
    }

    async fn report(&self, report: Report) {
        // The driver is gone only if the whole net is.
        let _ = self.reports.send((self.id, report)).await;
    }
}

impl<R: AsyncRead + Send + Unpin> Source for Wire<R> {
    async fn fill(&mut self, buffer: &mut BytesMut, outgoing: &Outgoing) -> Result<(), Ended> {
        let held = buffer.len();
        buffer.resize(held + self.next_read, 0);
        let mut silent = 0;
        let read = loop {
            tokio::select! {
                read = self.read.read(&mut buffer[held..]) => break read,
                _ = self.tick.tick() => {
                    silent += 1;
                    outgoing.is_quiet_for(silent);
                    // The first tick may be due at once.
                    if silent > 10 {
                        return Err(Ended::Down(DownReason::Silent));
                    }
                    if held == 0 && buffer.len() > READ_LEAST {
                        // An idle link holds no more than it must.
                        self.next_read = READ_LEAST;
                        *buffer = BytesMut::zeroed(READ_LEAST);
                    }
                }
            }
        };
        let n = match read {
            Ok(0) => return Err(lost(GONE.to_owned())),
            Ok(n) => n,
            Err(error) => return Err(lost(error.to_string())),
        };
        outgoing.is_quiet_for(0);
        buffer.truncate(held + n);
        // The part of the buffer that is not filled was cleared in vain.
        let next = if n == self.next_read { n * 4 } else { n * 2 };
        self.next_read = next.clamp(READ_LEAST, READ_MOST);
        Ok(())
    }

    async fn ignore(&mut self) {
        let mut buffer = vec![0; READ_LEAST];
        while self.read.read(&mut buffer).await.is_ok_and(|n| n > 0) {}
    }
}

impl Source for End {
    async fn fill(&mut self, buffer: &mut BytesMut, _: &Outgoing) -> Result<(), Ended> {
        if buffer.is_empty() {
            // An idle link holds nothing.
            *buffer = BytesMut::new();
        }
        match self.theirs.work().await {
            Work::Write(piece) => {
                self.theirs.taken(piece.as_ref().len());
                piece.append_to(buffer);
            }
            Work::Finish(Finish { last: Some(kind), text, .. }) => {
                let mut last = Vec::new();
                write_frame(kind, text.as_bytes(), &mut last);
                buffer.extend_from_slice(&last);
            }
            Work::Finish(Finish { last: None, .. }) | Work::Gone => return Err(lost(GONE.to_owned())),
        }
        Ok(())
    }

    async fn ignore(&mut self) {
        while let Work::Write(piece) = self.theirs.work().await {
            self.theirs.taken(piece.as_ref().len());
        }
    }
}

fn protocol(what: String) -> Ended {
    Ended::Down(DownReason::Protocol(what))
}

fn lost(why: String) -> Ended {
    Ended::Down(DownReason::Lost(why))
}

/// The other side's words, cut to length. Control characters are replaced: a person will read the text.
fn reason(payload: &[u8]) -> String {
    let text = String::from_utf8_lossy(payload);
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_REASON).collect()
}

async fn write_all(
    mut write: impl AsyncWrite + Unpin,
    outgoing: &Outgoing,
    heartbeat: Duration,
) -> Result<Infallible, DownReason> {
    let lost = |error: std::io::Error| DownReason::Lost(error.to_string());
    let mut tick = time::interval(heartbeat / 3);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut idle = 0;
    loop {
        let work = tokio::select! {
            biased;
            work = outgoing.work() => work,
            _ = tick.tick() => {
                outgoing.rest();
                idle += 1;
                if idle >= 3 {
                    outgoing.push_control(Kind::Heartbeat, &[]);
                }
                continue;
            }
        };
        idle = 0;
        match work {
            Work::Write(piece) => {
                write.write_all(piece.as_ref()).await.map_err(lost)?;
                outgoing.written(piece);
            }
            Work::Finish(finish) => {
                let mut last = Vec::new();
                if let Some(kind) = finish.last {
                    write_frame(kind, finish.text.as_bytes(), &mut last);
                }
                write.write_all(&last).await.map_err(lost)?;
                write.close().await.map_err(lost)?;
                // The other side reads the last frame and closes. Only then has everything arrived for certain.
                future::pending::<()>().await;
            }
            // Only happens when this task itself ends.
            Work::Gone => future::pending::<()>().await,
        }
    }
}

/// Completes once this side has wanted the link to end for long enough.
async fn overdue(outgoing: &Outgoing, patience: Duration) {
    if outgoing.finishing().await {
        time::sleep(patience).await;
    }
}

async fn tell_writable(
    id: LinkId,
    outgoing: &Outgoing,
    events: &mpsc::Sender<Event>,
) -> Result<Infallible, DownReason> {
    loop {
        outgoing.writable().await;
        let permit = events.reserve().await.map_err(|_| DownReason::Shutdown)?;
        outgoing.unless_down(|| permit.send(Event::Writable { link: id }));
    }
}
