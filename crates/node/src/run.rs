//! The event loop: one task that owns the peer.
//!
//! A turn waits for one input, takes what else is there already (bounded), and then carries out all their effects in
//! one order: commit, trace, send, show. This order keeps every promise. So all messages of a turn share the cost of a
//! commit, of a write to the trace and of a hand-over to the user interface, and nothing on this path takes a lock.

use std::collections::BTreeSet;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chat::{
    Answer, Change, Command, Effects, Event, LinkId, News, Now, Peer, PersonId, Refusal, Store as _, StoreError, Who,
};
use net::{BadAddress, Net, Room, Status};
use store::Retention;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, sleep_until};

use crate::DataFolder;
use crate::clients::{Attach, Clients};
use crate::clock::Clock;
use crate::drawing::Lately;
use crate::feed::Told;
use crate::journal::Trace;
use crate::keep::Keep;
use crate::problems::{Problem, Problems};
use crate::server::{self, Server};
use crate::session::{Far, InterfaceId, Request, stopped};
use crate::stuck::{Owed, Stuck};

/// About how many bytes of frames are taken in one turn, before its effects are carried out. They hold some 500 short
/// messages. That is enough to share a commit, and few enough that their data is still in the cache when the effects
/// are carried out.
const FRAMES: usize = 64 * 1024;

/// What an event of the links counts for, in addition to its frames.
const EVENT: usize = 64;

/// How many commands are taken in one turn.
const COMMANDS: usize = 256;

/// How many bytes of text are taken in one turn. A link says that it is full only when the turn's frames are handed to
/// it, and it is closed at twice its bound of 1 MiB. A quarter of that bound per turn cannot reach this.
const TEXT: usize = 256 * 1024;

/// How often the store is checked for messages that are too old, and how soon again while there are more.
const RETENTION: Duration = Duration::from_secs(3600);
const MORE_RETENTION: Duration = Duration::from_millis(200);

/// How long nothing must happen before the store does the work that it has put off.
const IDLE: Duration = Duration::from_millis(100);

/// How often to check that the store is still where it was: it may be removed at any time.
pub(crate) const LOOK: Duration = Duration::from_secs(2);

/// How long a peer that was just heard of may be without a link before that counts as unhealthy. A link is made within
/// a second of hearing. A busy machine takes a little longer.
const HEARD_JUST_NOW: Duration = Duration::from_secs(5);

/// A peer and everything that it touches.
pub(crate) struct Node {
    pub(crate) peer: Peer<Keep>,
    pub(crate) net: Net,
    pub(crate) links: net::Events,
    pub(crate) trace: Option<Trace>,
    /// What a drawing shows.
    pub(crate) lately: Lately,
    pub(crate) clock: Clock,
    pub(crate) far: Far,
    /// The user interfaces in other processes, those that want to attach, and the server that lets them in.
    pub(crate) clients: Clients,
    pub(crate) attaching: mpsc::Receiver<Attach>,
    pub(crate) server: Option<Server>,
    /// Its data folder. No other process has it open while this one runs.
    pub(crate) folder: Option<DataFolder>,
    /// What a user interface has done, for the others to be told.
    pub(crate) done: Vec<Told>,
    /// Questions about the health of this peer, while the links are being asked.
    pub(crate) checks: JoinSet<(AnswerTo, Option<Status>)>,
    /// How long the goodbye may take.
    pub(crate) drain: Duration,
    /// What the user interface has no room for. While there is any, nothing else is taken in.
    pub(crate) backlog: News,
    /// Links that are being closed for what came on them.
    pub(crate) condemned: BTreeSet<LinkId>,
    /// The goodbye stands in the trace. Nothing may be delivered after it: what others send from now on stays with
    /// them.
    pub(crate) deaf: bool,
    /// Answers that are given once their effects have been carried out.
    pub(crate) owed: Vec<Owed>,
    /// A turn whose changes the store could not keep. Until it can, the peer answers questions and takes in nothing
    /// else.
    pub(crate) stuck: Option<Stuck>,
    /// What keeps this peer from working as it should.
    pub(crate) problems: Problems,
    /// When to check next that the store is still where it was.
    pub(crate) next_look: Instant,
    /// The store has put off some work.
    pub(crate) untidy: bool,
    /// What the store need not keep, and when to check that next.
    pub(crate) retention: Retention,
    pub(crate) next_retention: Instant,
}

/// The asker that an answer is owed to.
pub(crate) type AnswerTo = oneshot::Sender<Result<Answer, Refusal>>;

/// What ended the wait.
pub(crate) enum Woken {
    Link(net::Event),
    Command(Request),
    Attach(Attach),
    Checked(AnswerTo, Option<Status>),
    Time,
    Room,
    Idle,
    Look,
    LogFull,
    Retention,
    Shown,
    Stop,
}

impl Node {
    /// Runs until the user interface asks to stop or is gone, or the user logs out. Then says goodbye. Once a user
    /// interface is told the end, it can start another peer on the data folder.
    pub(crate) async fn run(mut self) {
        if let Err(lost) = self.serve().await {
            self.give_up(lost).await;
        }
        // Any client that still waits to be let in learns that it is too late.
        self.attaching.close();
        while self.attaching.try_recv().is_ok() {}
        let Self { peer, net, trace, far, clients, server, folder, .. } = self;
        let still_attached = match server {
            Some(server) => Some(server.close().await),
            None => None,
        };
        net.shutdown().await;
        drop((peer, trace, folder));
        clients.stop(&far.ended.get().cloned().unwrap_or_else(server::stopped));
        if let Some(still_attached) = still_attached {
            still_attached.leave().await;
        }
    }

    async fn serve(&mut self) -> Result<(), StoreError> {
        self.perform(self.clock.now())?;
        loop {
            let woken = self.wait(false).await;
            if let Woken::Stop = woken {
                break;
            }
            // During the last commit the links heard more. They hand it on now, and this turn takes that too.
            yield_now().await;
            self.turn(woken)?;
            if self.is_asked_to_stop() {
                break;
            }
        }
        self.leave().await
    }

    pub(crate) fn turn(&mut self, woken: Woken) -> Result<(), StoreError> {
        let now = self.clock.now();
        match woken {
            Woken::Link(event) => {
                let mut taken = self.link(now, event);
                while taken < FRAMES
                    && let Some(event) = self.links.try_recv()
                {
                    taken += self.link(now, event);
                }
            }
            Woken::Command(request) if let Some(reason) = self.why_refused() => {
                self.answer_while_stuck(now, request, reason);
                return Ok(());
            }
            Woken::Command(request) => self.commands(now, request),
            Woken::Attach(client) => {
                // The hello includes what this turn brings. The feed begins after it.
                self.perform(now)?;
                let known = self.peer.hello();
                self.clients.add(client, known);
            }
            Woken::Checked(answer, status) => {
                let answered = Ok(self.health(status));
                // It promises nothing that must be kept.
                self.give(Owed { to: answer, answered, question: None });
                return Ok(());
            }
            Woken::Time => self.peer.handle_timeout(now),
            Woken::Room => {
                if let Some(Stuck { effects, lines, .. }) = self.stuck.take() {
                    return self.carry_out(now, effects, lines, true);
                }
            }
            Woken::Retention => {
                let dropped = self.peer.store_mut().retain(self.retention, now.unix_micros);
                if let Err(lost @ StoreError::Unreadable { .. }) = dropped {
                    return Err(lost);
                }
                // What could not be dropped now is dropped another time.
                let more = dropped.is_ok_and(|dropped| dropped > 0);
                self.next_retention = Instant::now() + if more { MORE_RETENTION } else { RETENTION };
                return Ok(());
            }
            Woken::Look => {
                self.next_look = Instant::now() + LOOK;
                return self.look_at_store();
            }
            Woken::LogFull => {
                self.log_is_full();
                return Ok(());
            }
            Woken::Idle => {
                self.untidy = self.peer.store_mut().tidy();
                return Ok(());
            }
            Woken::Shown | Woken::Stop => {}
        }
        self.perform(now)
    }

    pub(crate) async fn wait(&mut self, leaving: bool) -> Woken {
        let again = self.stuck.as_ref().map(|stuck| stuck.again);
        let stuck = again.is_some();
        let free = self.backlog.is_empty() && !stuck;
        let deadline = self.peer.poll_timeout().map(|(at, _)| self.clock.instant(at));
        tokio::select! {
            () = stopped(&mut self.far.stop), if !leaving => Woken::Stop,
            event = self.links.recv(), if free => event.map_or(Woken::Stop, Woken::Link),
            request = self.far.requests.recv(), if (free || stuck || self.far.is_log_full()) && !leaving => request.map_or(Woken::Stop, Woken::Command),
            room = self.far.events.reserve(), if !self.backlog.is_empty() => match room {
                Ok(room) => {
                    room.send(mem::take(&mut self.backlog));
                    Woken::Shown
                }
                Err(_) => Woken::Stop,
            },
            () = async { sleep_until(again.expect("the branch is off unless it is stuck")).await }, if stuck => Woken::Room,
            () = sleep_until(self.next_look), if !stuck => Woken::Look,
            Ok(()) = self.far.log_full.changed() => Woken::LogFull,
            () = sleep(IDLE), if self.untidy && free => Woken::Idle,
            () = sleep_until(self.next_retention), if self.retention != Retention::default() && free => {
                Woken::Retention
            }
            Some(client) = self.attaching.recv(), if !leaving => Woken::Attach(client),
            Some(Ok((answer, status))) = self.checks.join_next() => Woken::Checked(answer, status),
            () = async { sleep_until(deadline.expect("the branch is off without a deadline")).await },
                if deadline.is_some() && !stuck => Woken::Time,
        }
    }

    /// Carries out a command, and more that are there already.
    fn commands(&mut self, now: Now, first: Request) {
        let mut text = 0;
        let mut next = Some(first);
        while let Some(request) = next {
            if let Command::Send { text: sent, .. } = &request.command {
                text += sent.len();
            }
            let asks_to_stop = request.command.asks_to_stop();
            self.command(now, request);
            let more = self.owed.len() < COMMANDS && text < TEXT && !asks_to_stop;
            next = if more { self.far.requests.try_recv().ok() } else { None };
        }
    }

    fn command(&mut self, now: Now, Request { from, command, answer }: Request) {
        if command == Command::Health {
            return self.check(answer);
        }
        if command == Command::Diagram {
            return self.draw(answer);
        }
        let question = (!command.changes_state()).then(|| command.clone());
        let are_others_told = from != InterfaceId::LOCAL || !self.clients.is_empty();
        let before = are_others_told.then(|| {
            let (Command::Alias { person: name, .. } | Command::Unalias { name }) = &command else {
                return (String::new(), self.peer.who());
            };
            (name.clone(), self.peer.who())
        });
        let answered = if let Command::Connect { address } = command {
            self.connect(address)
        } else {
            self.peer.handle_command(now, command)
        };
        if let (Ok(answer), Some((subject, before))) = (&answered, before)
            && let Some(event) = self.seen_by_others(answer, subject, &before)
        {
            self.done.push(Told { event, by: Some(from) });
        }
        self.owed.push(Owed { to: answer, answered, question });
    }

    /// What other user interfaces are told of what the user has done at one of them. `subject` is what the user wrote.
    /// `before` is the user as shown before.
    fn seen_by_others(&self, answer: &Answer, subject: String, before: &Who) -> Option<Event> {
        match answer {
            Answer::Sent { message, .. } => Some(Event::Message { message: message.clone() }),
            Answer::Scheduled { waiting } => Some(Event::Scheduled { waiting: Box::new(waiting.clone()) }),
            Answer::Cancelled { waiting } => Some(Event::Cancelled { waiting: Box::new(waiting.clone()) }),
            Answer::Created { group } => Some(Event::GroupJoined { group: group.clone(), who: self.peer.who() }),
            Answer::Joined { group, .. } => {
                Some(Event::GroupJoined { group: group.name.clone(), who: self.peer.who() })
            }
            Answer::Left { group } => Some(Event::GroupLeft { group: group.clone(), who: self.peer.who() }),
            Answer::Renamed { who } => {
                let (who, before_name) = (Arc::new(who.clone()), before.name.clone());
                Some(Event::PersonChanged { who, before: before.label.clone(), before_name })
            }
            Answer::Verified { user } => {
                let (who, before, before_name) = (user.who.clone(), user.who.label.clone(), user.who.name.clone());
                Some(Event::PersonChanged { who: Arc::new(who), before, before_name })
            }
            Answer::Aliased { who } | Answer::Unaliased { who } => {
                let before_name = who.name.clone();
                Some(Event::PersonChanged { who: Arc::new(who.clone()), before: subject, before_name })
            }
            Answer::Forgotten { who } => Some(Event::Forgotten { who: Arc::new(who.clone()), by: self.peer.who() }),
            Answer::Users { .. }
            | Answer::Who { .. }
            | Answer::Groups { .. }
            | Answer::Connecting { .. }
            | Answer::Read
            | Answer::History { .. }
            | Answer::Found { .. }
            | Answer::Seen { .. }
            | Answer::Shown { .. }
            | Answer::Pending { .. }
            | Answer::Code { .. }
            | Answer::Diagram(_)
            | Answer::Health { .. }
            | Answer::LoggingOut { .. }
            | Answer::Deleting { .. } => None,
        }
    }

    /// Only the links know which peers were heard of.
    pub(crate) fn check(&mut self, answer: AnswerTo) {
        let net = self.net.clone();
        self.checks.spawn(async move { (answer, net.status().await) });
    }

    /// It promises nothing that must be kept.
    pub(crate) fn draw(&mut self, answer: AnswerTo) {
        let answered = Ok(Answer::Diagram(self.lately.drawn(|person| self.peer.label_of(person))));
        self.give(Owed { to: answer, answered, question: None });
    }

    fn health(&self, status: Option<Status>) -> Answer {
        let problems = self.problems.told(|person| self.peer.label_of(person));
        let Some(Status { listening, unlinked }) = status else { return self.peer.health(&[], &[], problems) };
        let missing = unlinked.iter().filter(|peer| !peer.unreachable && peer.waits >= HEARD_JUST_NOW);
        let missing: Vec<_> = missing.map(|peer| PersonId::new(peer.peer)).collect();
        self.peer.health(&listening, &missing, problems)
    }

    /// Only the links know what an address is.
    pub(crate) fn connect(&mut self, address: String) -> Result<Answer, Refusal> {
        match self.net.connect(&address) {
            Ok(()) => {}
            Err(BadAddress::Syntax(address)) => return Err(Refusal::BadAddress { address }),
            Err(bad) => self.peer.handle_connect_failed(address.clone(), bad.to_string()),
        }
        Ok(Answer::Connecting { address })
    }

    /// Hands one event of the links to the peer. Returns about how many bytes it took.
    fn link(&mut self, now: Now, event: net::Event) -> usize {
        match event {
            net::Event::Listening { address } => self.peer.handle_listening(address),
            net::Event::Up { link, peer, address } => {
                self.peer.handle_link_up(now, LinkId(link.0), PersonId::new(peer), address);
            }
            net::Event::Frames { link, frames } => return self.frames(now, LinkId(link.0), frames),
            net::Event::Writable { link } => self.peer.handle_link_ready(LinkId(link.0)),
            net::Event::Down { link, reason, .. } => {
                self.condemned.remove(&LinkId(link.0));
                self.peer.handle_link_down(now, LinkId(link.0), &reason.to_string());
            }
            net::Event::Refused { peer, reason } => self.peer.handle_refused(peer, reason),
            net::Event::ConnectFailed { address, reason } => self.peer.handle_connect_failed(address, reason),
            net::Event::Reached { address, peer } => self.peer.handle_reached(now, address, PersonId::new(peer)),
            net::Event::Superseded => {
                self.peer.handle_superseded(now);
                self.raise(Problem::Superseded);
            }
            net::Event::Warning { text } => self.peer.handle_warning(text),
            net::Event::Problem { problem } => self.raise(Problem::Links(problem)),
            net::Event::Solved { problem } => self.solve(&Problem::Links(problem)),
            // `net::Event` may grow. The user cannot miss an event that this crate does not know yet.
            _ => {}
        }
        EVENT
    }

    /// After a bad frame the link is closed, and the frames behind it are ignored.
    fn frames(&mut self, now: Now, link: LinkId, frames: net::Frames) -> usize {
        let mut taken = EVENT;
        if self.deaf || self.condemned.contains(&link) {
            return taken;
        }
        for frame in frames {
            taken += frame.len();
            if let Err(bad) = self.peer.handle_frame(now, link, &frame) {
                tracing::warn!(link = link.0, "closing a link: {bad}");
                self.net.close(net::LinkId(link.0), bad.to_string());
                self.condemned.insert(link);
                break;
            }
        }
        taken
    }

    pub(crate) fn perform(&mut self, now: Now) -> Result<(), StoreError> {
        if self.stuck.is_some() {
            // One turn at a time.
            return Ok(());
        }
        let (effects, lines) = self.take_effects(now);
        self.carry_out(now, effects, lines, false)
    }

    pub(crate) fn take_effects(&mut self, now: Now) -> (Effects, Bytes) {
        let mut effects = self.peer.take_effects(now);
        let mut lines = Bytes::new();
        if let Some(trace) = &mut self.trace {
            lines = trace.lines(&effects.journal, now.unix_micros);
            if !lines.is_empty() && self.peer.store_mut().survives() {
                effects.durable.push(Change::Traced(lines.clone()));
            }
        }
        Lately::cut(&mut effects.journal);
        (effects, lines)
    }

    /// Commits, traces, sends, shows, in this order, so that every promise is kept. If the commit fails, the turn waits
    /// and is tried `again` and again. Until then nothing is told to anyone.
    fn carry_out(&mut self, now: Now, effects: Effects, lines: Bytes, again: bool) -> Result<(), StoreError> {
        match self.peer.store_mut().apply(&effects.durable) {
            Ok(()) => {}
            Err(StoreError::NotKept { reason }) if again => {
                self.stay_stuck(effects, lines, reason);
                return Ok(());
            }
            Err(StoreError::NotKept { reason }) => {
                let problem = Problem::NotKept { reason: reason.clone() };
                self.get_stuck(now, effects, lines, reason)?;
                self.raise(problem);
                return Ok(());
            }
            Err(lost @ StoreError::Unreadable { .. }) => return Err(lost),
        }
        self.untidy |= !effects.durable.is_empty();
        self.lately.note(effects.journal, now.unix_micros);
        if again {
            self.solve(&Problem::NotKept { reason: String::new() });
        }
        if let Some(trace) = &mut self.trace
            && let Err(error) = trace.write(&lines)
        {
            self.peer.handle_warning(format!("the trace ends here: {error}"));
        }
        for (link, frame) in effects.frames {
            match self.net.send(net::LinkId(link.0), frame) {
                Ok(Room::Full) => self.peer.handle_link_full(link),
                // A link that is gone is reported by an event of its own.
                Ok(Room::Plenty) | Err(net::Gone(_)) => {}
            }
        }
        for (link, reason) in effects.renew {
            self.net.renew(net::LinkId(link.0), reason);
        }
        for address in effects.dial {
            if let Err(bad) = self.net.connect(&address) {
                self.peer.handle_connect_failed(address, bad.to_string());
            }
        }
        for person in effects.met {
            self.net.met(*person.public_key());
        }
        for address in effects.reach {
            if let Err(bad) = self.net.reach(address) {
                self.peer.handle_connect_failed(address.to_string(), bad.to_string());
            }
        }
        // Only the last command of a turn can ask the peer to stop.
        let last = self.owed.pop();
        self.owed.drain(..).for_each(Owed::give);
        if let Some(last) = last {
            self.give(last);
        }
        self.show(effects.events);
        Ok(())
    }

    /// Tells the clients what happened, and tells all user interfaces what was done at another one. Adds the latter to
    /// `events`, which are for the interface in this process.
    fn tell_all(&mut self, events: &mut News) {
        let mut all = mem::take(&mut self.done);
        let of_clients = all.iter().filter(|told| told.by != Some(InterfaceId::LOCAL));
        let mut of_clients: News = of_clients.map(|told| told.event.clone()).collect();
        all.extend(events.clone().map(|event| Told { event, by: None }));
        if !all.is_empty() {
            self.clients.tell(&all.into());
        }
        of_clients.append(mem::take(events));
        *events = of_clients;
    }

    pub(crate) fn raise(&mut self, problem: Problem) {
        if let Some(told) = self.problems.raise(problem, |person| self.peer.label_of(person)) {
            self.show(Event::Problem(told).into());
        }
    }

    pub(crate) fn solve(&mut self, problem: &Problem) {
        if let Some(told) = self.problems.solve(problem, |person| self.peer.label_of(person)) {
            self.show(Event::Solved(told).into());
        }
    }

    pub(crate) fn show(&mut self, mut events: News) {
        if !self.clients.is_empty() || !self.done.is_empty() {
            self.tell_all(&mut events);
        }
        let events = if self.backlog.is_empty() {
            events
        } else {
            self.backlog.append(events);
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
