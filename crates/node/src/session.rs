use std::sync::{Arc, OnceLock};

use chat::{Answer, Command, Event, News, Refusal};
use tokio::sync::{mpsc, oneshot, watch};

use crate::line::{Ending, Hello};

/// How many commands may wait for the peer. A user types one at a time, and a script awaits its answers. More than this
/// wait in [`Requests::request`].
const REQUESTS: usize = 256;

/// A user interface's handle on a running peer, in this process ([`start`](crate::start())) or in another one
/// ([`attach`](crate::attach())).
///
/// Commands and events travel separately, so that a user interface can await an answer while it goes on taking events.
/// It has to do both: if nothing takes a peer's events, it stops after [`Config::event_batches`](crate::Config)
/// batches, and answers no command until they are taken. The answer to a command comes after all its changes have been
/// carried out.
#[derive(Debug)]
pub struct Session {
    /// Who this peer is, and what and which people it knew when the session began.
    pub hello: Hello,
    /// Commands in, answers out.
    pub requests: Requests,
    /// What happens.
    pub events: Events,
}

/// The way in. Clone it for every task that sends commands.
#[derive(Clone, Debug)]
pub struct Requests {
    outbound: Outbound,
    stop: watch::Sender<bool>,
    log_full: watch::Sender<Option<String>>,
}

/// Names a user interface to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InterfaceId(u64);

impl InterfaceId {
    /// The user interface in the peer's own process.
    pub(crate) const LOCAL: Self = Self(0);

    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// The peer has stopped, so no answer will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer has stopped")]
pub struct SessionEnded;

impl Requests {
    /// The way in for user interfaces other than the one that stops the peer.
    pub(crate) fn outbound(&self) -> Outbound {
        self.outbound.clone()
    }

    /// Carries out a command.
    ///
    /// # Errors
    /// [`SessionEnded`] if the peer stops before it answers. The inner result is the peer's own answer or refusal.
    pub async fn request(&self, command: Command) -> Result<Result<Answer, Refusal>, SessionEnded> {
        self.submit(command).await?.answer().await
    }

    /// Hands over a command without waiting for its answer. Commands are carried out and answered in the order in which
    /// they were handed over. Waits while too many others wait.
    ///
    /// # Errors
    /// [`SessionEnded`] if the peer has stopped.
    pub async fn submit(&self, command: Command) -> Result<Submitted, SessionEnded> {
        self.outbound.submit(InterfaceId::LOCAL, command).await
    }

    /// Tells the peer of this process why its events cannot be written at the moment (`None`: they can again). Until
    /// then the peer refuses commands that would cause events, and answers questions.
    pub fn log_full(&self, reason: Option<String>) {
        self.log_full.send_replace(reason);
    }

    /// Ends the session. [`Events::next`] ends once that is done. The peer of this process sends what is still delayed,
    /// says goodbye and stops. A peer in another process goes on.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }
}

/// Commands on their way to the peer.
#[derive(Clone, Debug)]
pub(crate) struct Outbound(mpsc::Sender<Request>);

impl Outbound {
    pub(crate) async fn submit(&self, from: InterfaceId, command: Command) -> Result<Submitted, SessionEnded> {
        let (answer, answered) = oneshot::channel();
        self.0.send(Request { from, command, answer }).await.map_err(|_| SessionEnded)?;
        Ok(Submitted(answered))
    }
}

/// A command whose answer is still to come.
#[derive(Debug)]
pub struct Submitted(oneshot::Receiver<Result<Answer, Refusal>>);

impl Submitted {
    /// The answer. Cancel-safe: it can be awaited again.
    ///
    /// # Errors
    /// [`SessionEnded`] if the peer stopped before it answered.
    pub async fn answer(&mut self) -> Result<Result<Answer, Refusal>, SessionEnded> {
        (&mut self.0).await.map_err(|_| SessionEnded)
    }
}

/// The way out.
#[derive(Debug)]
pub struct Events {
    batches: mpsc::Receiver<News>,
    current: News,
    ended: Arc<OnceLock<Ended>>,
}

/// Why a session has ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// For people to read.
    pub(crate) text: String,
    pub(crate) why: Ending,
}

impl Ended {
    /// For a reason that programs need not tell apart.
    pub(crate) fn other(text: impl Into<String>) -> Self {
        Self { text: text.into(), why: Ending::Other }
    }
}

impl Events {
    /// The next event. `None` once the peer has stopped and said goodbye. Then another peer can be started on its data
    /// folder.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.current.next() {
                return Some(event);
            }
            self.current = self.batches.recv().await?;
        }
    }

    /// All the events that are ready, at least one: what a fast user interface takes.
    pub async fn next_batch(&mut self) -> Option<News> {
        if !self.current.is_empty() {
            return Some(std::mem::take(&mut self.current));
        }
        self.batches.recv().await
    }

    /// Why the session has ended, unless this user interface ended it.
    pub fn reason(&self) -> &str {
        self.ended.get().map_or("the peer has stopped", |ended| &ended.text)
    }

    /// The same for programs. It is known once there are no more events.
    pub fn ending(&self) -> Ending {
        self.ended.get().map_or(Ending::Other, |ended| ended.why)
    }
}

/// One command on its way to the peer.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) from: InterfaceId,
    pub(crate) command: Command,
    pub(crate) answer: oneshot::Sender<Result<Answer, Refusal>>,
}

/// The peer's end of a session.
#[derive(Debug)]
pub(crate) struct Far {
    pub(crate) requests: mpsc::Receiver<Request>,
    pub(crate) events: mpsc::Sender<News>,
    pub(crate) stop: watch::Receiver<bool>,
    /// Why the user interface cannot write what happens.
    pub(crate) log_full: watch::Receiver<Option<String>>,
    /// Why the session ends.
    pub(crate) ended: Arc<OnceLock<Ended>>,
}

impl Far {
    pub(crate) fn is_log_full(&self) -> bool {
        self.log_full.borrow().is_some()
    }
}

/// Waits until the user interface has asked to stop, or is gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that every sender is gone, which is as good as a request.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A session and the peer's end of it.
pub(crate) fn session(hello: Hello, event_batches: usize) -> (Session, Far) {
    let (commands, requests) = mpsc::channel(REQUESTS);
    let (events, batches) = mpsc::channel(event_batches.max(1));
    let (stop, stopped) = watch::channel(false);
    let (log_full, is_log_full) = watch::channel(None);
    let ended = Arc::new(OnceLock::new());
    let session = Session {
        hello,
        requests: Requests { outbound: Outbound(commands), stop, log_full },
        events: Events { batches, current: News::default(), ended: Arc::clone(&ended) },
    };
    (session, Far { requests, events, stop: stopped, log_full: is_log_full, ended })
}
