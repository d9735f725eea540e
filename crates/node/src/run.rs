//! The event loop: one task that owns the peer's mind.
//!
//! A turn waits for one input, takes what else is there already (bounded), and then carries out the effects of them
//! all, in the order that makes every promise keep: commit, trace, send, show. So the cost of a commit, a write to the
//! trace and a hand-over to the user interface is shared by all the messages of a turn, and nothing on the path locks.

use std::collections::BTreeSet;
use std::mem;
use std::time::Duration;

use chat::{Answer, Command, Event, LinkId, MemoryStore, Now, Peer, PersonId, Refusal, Store as _, StoreError};
use net::{BadAddress, Net, Room};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::journal::Trace;
use crate::session::{Far, Request};

/// Frames taken in one turn before its effects are carried out. 4,096 short messages are some 20 ms of work: long enough
/// to share a commit among many, short enough for a user not to notice.
const FRAMES: usize = 4096;

/// Commands taken in one turn.
const COMMANDS: usize = 64;

/// Bytes of text taken in one turn. A link says that it is full only when the turn's frames are handed to it, and is
/// closed at twice its bound of 1 MiB: a quarter of that a turn cannot get there.
const TEXT: usize = 256 * 1024;

/// A peer and all that it touches.
pub(crate) struct Node {
    pub(crate) peer: Peer<MemoryStore>,
    pub(crate) net: Net,
    pub(crate) links: net::Events,
    pub(crate) trace: Option<Trace>,
    pub(crate) clock: Clock,
    pub(crate) far: Far,
    /// How long the goodbye may take.
    pub(crate) drain: Duration,
    /// What the user interface has no room for. While there is some, nothing else is taken in.
    pub(crate) backlog: Vec<Event>,
}

/// An answer that is given once its effects have been carried out.
type Owed = (oneshot::Sender<Result<Answer, Refusal>>, Result<Answer, Refusal>);

/// What ended the wait.
enum Woken {
    Link(net::Event),
    Command(Request),
    Time,
    Shown,
    Stop,
}

impl Node {
    /// Runs until the user interface asks to stop or is gone; then says goodbye.
    pub(crate) async fn run(mut self) {
        if let Err(lost) = self.serve().await {
            self.give_up(lost).await;
        }
        self.net.shutdown().await;
    }

    async fn serve(&mut self) -> Result<(), StoreError> {
        let mut condemned = BTreeSet::new();
        let mut owed = Vec::new();
        self.perform(self.clock.now(), &mut owed)?;
        loop {
            let woken = self.wait().await;
            let now = self.clock.now();
            match woken {
                Woken::Link(event) => {
                    let mut frames = self.link(now, event, &mut condemned);
                    while frames < FRAMES
                        && let Some(event) = self.links.try_recv()
                    {
                        frames += 1 + self.link(now, event, &mut condemned);
                    }
                }
                Woken::Command(request) => self.commands(now, request, &mut owed),
                Woken::Time => self.peer.handle_timeout(now),
                Woken::Shown => {}
                Woken::Stop => break,
            }
            self.perform(now, &mut owed)?;
        }
        let now = self.clock.now();
        self.peer.handle_shutdown(now);
        self.perform(now, &mut owed)?;
        self.drain(&mut owed).await
    }

    /// Waits, within [`Config::drain`](crate::Config), until every link has taken what was said. What others say meanwhile is not acknowledged,
    /// so they keep it.
    async fn drain(&mut self, owed: &mut Vec<Owed>) -> Result<(), StoreError> {
        let patience = Instant::now() + self.drain;
        while self.peer.has_unsent() {
            let deadline = self.peer.poll_timeout().map_or(patience, |(at, _)| self.clock.instant(at).min(patience));
            let event = tokio::select! {
                event = self.links.recv() => Some(event),
                () = sleep_until(deadline) => None,
            };
            let now = self.clock.now();
            match event {
                Some(Some(net::Event::Writable { link })) => self.peer.handle_link_ready(now, LinkId(link.0)),
                Some(Some(net::Event::Down { link, reason, .. })) => {
                    self.peer.handle_link_down(now, LinkId(link.0), &reason.to_string());
                }
                Some(Some(_)) => {}
                Some(None) => break,
                None if Instant::now() >= patience => break,
                None => self.peer.handle_timeout(now),
            }
            self.perform(now, owed)?;
        }
        Ok(())
    }

    /// What cannot be kept must not be sent or shown: the peer stops where it is, and says why.
    async fn give_up(&mut self, lost: StoreError) {
        tracing::error!("{lost}");
        self.backlog.push(Event::Warning { text: format!("this peer stops: {lost}") });
        // Whoever has gone away misses nothing.
        let _ = self.far.events.send(mem::take(&mut self.backlog)).await;
    }

    async fn wait(&mut self) -> Woken {
        let free = self.backlog.is_empty();
        let deadline = self.peer.poll_timeout().map(|(at, _)| self.clock.instant(at));
        tokio::select! {
            () = stopped(&mut self.far.stop) => Woken::Stop,
            event = self.links.recv(), if free => event.map_or(Woken::Stop, Woken::Link),
            request = self.far.requests.recv(), if free => request.map_or(Woken::Stop, Woken::Command),
            room = self.far.events.reserve(), if !free => match room {
                Ok(room) => {
                    room.send(mem::take(&mut self.backlog));
                    Woken::Shown
                }
                Err(_) => Woken::Stop,
            },
            () = async { sleep_until(deadline.expect("the branch is off without a deadline")).await },
                if deadline.is_some() => Woken::Time,
        }
    }

    /// Carries out a command, and more that are there already.
    fn commands(&mut self, now: Now, first: Request, owed: &mut Vec<Owed>) {
        let mut text = 0;
        let mut next = Some(first);
        while let Some(request) = next {
            if let Command::Send { text: sent, .. } = &request.command {
                text += sent.len();
            }
            self.command(now, request, owed);
            let more = owed.len() < COMMANDS && text < TEXT;
            next = if more { self.far.requests.try_recv().ok() } else { None };
        }
    }

    fn command(&mut self, now: Now, request: Request, owed: &mut Vec<Owed>) {
        let answered = if let Command::Connect { address } = request.command {
            self.connect(address)
        } else {
            self.peer.handle_command(now, request.command)
        };
        owed.push((request.answer, answered));
    }

    /// Only the links know what an address is.
    fn connect(&mut self, address: String) -> Result<Answer, Refusal> {
        match self.net.connect(&address) {
            Ok(()) => {}
            Err(BadAddress::Syntax(address)) => return Err(Refusal::BadAddress { address }),
            Err(bad) => self.peer.handle_connect_failed(address.clone(), bad.to_string()),
        }
        Ok(Answer::Connecting { address })
    }

    /// Hands one event of the links to the peer; the number of frames in it.
    fn link(&mut self, now: Now, event: net::Event, condemned: &mut BTreeSet<LinkId>) -> usize {
        match event {
            net::Event::Listening { address } => self.peer.handle_listening(address),
            net::Event::Up { link, peer, address } => {
                self.peer.handle_link_up(now, LinkId(link.0), PersonId::new(peer), address);
            }
            net::Event::Frames { link, frames } => return self.frames(now, LinkId(link.0), frames, condemned),
            net::Event::Writable { link } => self.peer.handle_link_ready(now, LinkId(link.0)),
            net::Event::Down { link, reason, .. } => {
                condemned.remove(&LinkId(link.0));
                self.peer.handle_link_down(now, LinkId(link.0), &reason.to_string());
            }
            net::Event::Refused { peer, reason } => self.peer.handle_refused(peer, reason),
            net::Event::ConnectFailed { address, reason } => self.peer.handle_connect_failed(address, reason),
            net::Event::Warning { text } => self.peer.handle_warning(text),
            // `net::Event` may grow; what this crate does not know yet, its user cannot miss.
            _ => {}
        }
        0
    }

    /// After a bad frame a link is closed, and what had come behind that frame is not looked at.
    fn frames(&mut self, now: Now, link: LinkId, frames: net::Frames, condemned: &mut BTreeSet<LinkId>) -> usize {
        let mut count = 0;
        if condemned.contains(&link) {
            return count;
        }
        for frame in frames {
            count += 1;
            if let Err(bad) = self.peer.handle_frame(now, link, &frame) {
                tracing::warn!(link = link.0, "closing a link: {bad}");
                self.net.close(net::LinkId(link.0), bad.to_string());
                condemned.insert(link);
                break;
            }
        }
        count
    }

    fn perform(&mut self, now: Now, owed: &mut Vec<Owed>) -> Result<(), StoreError> {
        let effects = self.peer.take_effects(now);
        self.peer.store_mut().apply(&effects.durable)?;
        if let Some(trace) = &mut self.trace
            && let Err(error) = trace.write(effects.journal, now.unix_micros)
        {
            self.peer.handle_warning(format!("the trace ends here: {error}"));
        }
        for (link, frame) in effects.frames {
            match self.net.send(net::LinkId(link.0), frame) {
                Ok(Room::Full) => self.peer.handle_link_full(link),
                // A link that is gone says so by an event of its own.
                Ok(Room::Plenty) | Err(net::Gone(_)) => {}
            }
        }
        for (link, reason) in effects.close {
            self.net.close(net::LinkId(link.0), reason);
        }
        for address in effects.dial {
            if let Err(bad) = self.net.connect(&address) {
                self.peer.handle_connect_failed(address, bad.to_string());
            }
        }
        for (answer, answered) in owed.drain(..) {
            // Whoever asked may have gone away.
            let _ = answer.send(answered);
        }
        self.show(effects.events);
        Ok(())
    }

    fn show(&mut self, events: Vec<Event>) {
        let events = if self.backlog.is_empty() {
            events
        } else {
            self.backlog.extend(events);
            mem::take(&mut self.backlog)
        };
        if events.is_empty() {
            return;
        }
        match self.far.events.try_send(events) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(events) | mpsc::error::TrySendError::Closed(events)) => {
                self.backlog = events;
            }
        }
    }
}

/// When the user interface has asked to stop, or nobody is left to ask.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that every sender is gone, which is as good as a request.
    let _ = stop.wait_for(|stop| *stop).await;
}
