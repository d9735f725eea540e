//! The one task that owns the swarm and decides: which peer to dial, which connection stays, and which peers are
//! introduced to each other.
//!
//! Frames do not pass through here: a [`link`](crate::link) moves them between its stream and the user's queues.

mod decide;
mod dialing;
mod elsewhere;
mod hearing;
mod neighbours;
mod opening;
mod trouble;

use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    future,
    net::SocketAddr,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use futures::StreamExt;
use libp2p::{
    Swarm,
    identity::Keypair,
    swarm::{ConnectionId, SwarmEvent},
};
use tokio::{
    sync::{
        mpsc::{self, OwnedPermit},
        oneshot,
    },
    task::JoinHandle,
    time,
};

use dialing::Resolved;
use opening::Established;

use crate::{
    BadAddress, Config, DownReason, Error, Event, Limits, LinkId, Problem, Status,
    address::{Place, from_multiaddr, is_link_local_v6, parse, to_multiaddr},
    behaviour::{Behaviour, StreamOpened},
    book::Book,
    by_hand::{ByHand, EntryId, Purpose},
    discovery::{Discovery, Found, Setting},
    elsewhere::Rate,
    frame::Kind,
    greeting::Greeting,
    handler::Opened,
    introduce::Circle,
    link::Report,
    listen::{Reserved, local_addresses, reserve},
    met::Met,
    neighbours::{Membership, Neighbour, News},
    net::{Command, Links},
    outgoing::{Finish, Outgoing},
    peer::{Key, Start, key_of, peer_id},
    questions::Questions,
    rumours::Rumours,
    swarm,
    tiebreak::{Action, TieBreak, Timing},
};
use trouble::Suspect;

/// How many events of the driver itself may wait for the user. Beyond that the driver waits.
const MAX_OUTBOX: usize = 256;
/// Reports of links that wait for the driver.
const REPORTS: usize = 256;
/// Findings of discovery that wait for the driver.
const FINDINGS: usize = 256;

pub(crate) struct Driver {
    keypair: Keypair,
    me: Key,
    start: Start,
    /// A newer start of this identity has proved that it runs.
    superseded: bool,
    version: u16,
    limits: Arc<Limits>,
    swarm: Swarm<Behaviour>,
    /// Held so that no other program gets the ports.
    _reserved: Vec<Reserved>,
    listening: Vec<SocketAddr>,
    /// Held until this peer stops or a newer start of it runs.
    membership: Option<Membership>,
    /// When this peer begins to speak for its neighbours, if it is going to.
    speaks_at: Option<Instant>,
    /// What it announces by mDNS once it speaks for them.
    to_announce: Option<Setting>,
    discovery: Option<Discovery>,

    tiebreak: TieBreak,
    by_hand: ByHand,
    circle: Circle,
    book: Book,
    questions: Questions,
    rumours: Rumours,

    /// Dials under way that are not connected yet.
    dials: HashMap<ConnectionId, Dial>,
    dialled: u64,
    /// How many ends of links in memory there have been so far.
    ends: usize,
    connections: BTreeMap<ConnectionId, Connection>,
    /// Every connection that the swarm has, including those that are being closed.
    open: HashSet<ConnectionId>,
    /// No connection is overdue before this. It is computed once for all of them and not in each turn: there may be
    /// hundreds.
    next_overdue: Option<Instant>,
    by_link: HashMap<LinkId, ConnectionId>,
    up: HashMap<Key, ConnectionId>,
    next_link: u64,
    refusals: HashMap<Key, (Instant, String)>,
    /// What is in the way of discovery.
    surveyed: Vec<Problem>,
    /// The known peers that announce themselves by mDNS.
    announced: HashSet<Key>,
    suspects: HashMap<Key, Suspect>,
    /// All links fell silent at once, and none is back.
    is_offline: bool,
    /// When something last failed because too many files were open.
    no_files: Option<Instant>,
    /// How many files could be open when this peer started.
    max_files: Option<u64>,
    /// How many frames and greetings have broken the protocol so far.
    violations: u64,

    links: Links,
    /// What the user is to be told, in order. Beside it, the link that begins to hand over frames once the user has
    /// taken the event.
    outbox: VecDeque<(Event, Option<oneshot::Sender<()>>)>,
    events: mpsc::Sender<Event>,
    orders: mpsc::Receiver<Command>,
    reports: mpsc::Receiver<(LinkId, Report)>,
    /// The sender that links report with.
    report: mpsc::Sender<(LinkId, Report)>,
    found: mpsc::Receiver<Found>,
    /// How many names are being resolved.
    resolving: usize,
    resolved: mpsc::Receiver<(EntryId, Resolved)>,
    /// The sender that resolvers answer with.
    resolver: mpsc::Sender<(EntryId, Resolved)>,
    closing: Option<Closing>,
}

struct Closing {
    by: Instant,
    /// Takes back what mDNS announced.
    unannounced: Option<JoinHandle<()>>,
    done: Option<oneshot::Sender<()>>,
}

#[derive(Clone, Copy, Debug)]
struct Dial {
    reason: Reason,
    number: u64,
}

/// Why a connection was dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Rule(Key),
    ByHand(EntryId),
    /// Another start of a linked peer is said to be there.
    Rumour,
}

/// A connection, from the moment it is authenticated.
#[derive(Debug)]
struct Connection {
    peer: Key,
    remote: SocketAddr,
    /// The neighbour that it leads to, if it is in memory.
    neighbour: Option<Arc<Neighbour>>,
    /// This side's dial. `None` if the other side dialled.
    dial: Option<Dial>,
    since: Instant,
    stage: Stage,
    link: Option<Attached>,
    /// The other side's greeting.
    greeting: Option<Greeting>,
    /// The peer was unknown before it appeared here.
    stranger: bool,
    /// The rate of the other side's questions about older starts.
    asks: Rate,
    /// The rate of the questions that this peer passes on to it for others.
    relays: Rate,
}

#[derive(Debug)]
struct Attached {
    id: LinkId,
    outgoing: Arc<Outgoing>,
    up: Option<oneshot::Sender<()>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The stream or the greeting is still to come.
    Opening,
    /// Both sides have greeted. Which connection stays is not decided yet.
    Greeted,
    /// The other side has chosen this connection. The one that it replaces is not down yet.
    Accepted,
    Up,
    /// A newer start of the peer is linked instead of this one. This one waits for the proof of that, until then at the
    /// latest.
    Outlived {
        until: Instant,
    },
    Ending,
}

impl Driver {
    /// A peer that speaks `version` of the protocol.
    pub(crate) fn new(
        config: Config,
        version: u16,
        links: Links,
        met: Met,
        orders: mpsc::Receiver<Command>,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, Error> {
        let Config { mut secret, listen, peers, mdns, interface, neighbours, limits } = config;
        let mut by_hand = ByHand::new(limits.backoff, random()?);
        for text in peers {
            let place = parse(&text)?;
            by_hand.add(Instant::now(), text, place, Purpose::Keep).map_err(BadAddress::Busy)?;
        }
        let keypair = Keypair::ed25519_from_bytes(&mut secret[..]).expect("32 bytes are an Ed25519 seed");
        let me = key_of(&keypair.public().to_peer_id()).expect("it is an Ed25519 key");
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let start = Start { r: random()?, at: u64::try_from(at.as_micros()).unwrap_or(u64::MAX) };
        let Limits { turn, fallback, backoff, peers, .. } = limits;
        let timing = Timing { turn, fallback, backoff, peers };

        let reserved = reserve(&listen)?;
        let mut swarm = swarm::build(&keypair, &limits, met);
        let mut hidden = None;
        for Reserved { address, .. } in &reserved {
            let Err(error) = swarm.listen_on(to_multiaddr(*address)) else { continue };
            let error = Error::listen(*address, error);
            // To listen everywhere, the system must tell which addresses there are. A single address needs no such
            // list.
            let mut listens = false;
            if address.ip().is_unspecified() {
                for ip in local_addresses(address.is_ipv4()) {
                    listens |= swarm.listen_on(to_multiaddr(SocketAddr::new(ip, address.port()))).is_ok();
                }
            }
            if !listens {
                return Err(error);
            }
            hidden = Some(Problem::InterfacesHidden { error: error.to_string() });
        }
        let (found_by, found) = mpsc::channel(FINDINGS);
        let listen: Vec<_> = reserved.iter().map(|reserved| reserved.address).collect();
        let neighbour = Arc::new(Neighbour { peer: me, start, listen: listen.clone() });
        let membership = neighbours.join(neighbour, limits.outgoing, limits.peers);
        let mut outbox = VecDeque::new();
        if let Some(problem) = hidden.filter(|_| !mdns) {
            outbox.push_back((Event::Problem { problem }, None));
        }
        let speaks_at = membership.is_first().then(Instant::now);
        let to_announce = mdns.then_some(Setting { me, start, version, listen, interface, found: found_by });
        let (report, reports) = mpsc::channel(REPORTS);
        let (resolver, resolved) = mpsc::channel(limits.dials.max(1));
        Ok(Self {
            keypair,
            me,
            start,
            superseded: false,
            version,
            tiebreak: TieBreak::new(me, start.r, timing, random()?),
            by_hand,
            circle: Circle::new(&me, &start),
            book: Book::new(limits.peers.saturating_mul(2)),
            questions: Questions::default(),
            rumours: Rumours::new(limits.backoff, random()?),
            limits: Arc::new(limits),
            swarm,
            _reserved: reserved,
            listening: Vec::new(),
            membership: Some(membership),
            speaks_at,
            to_announce,
            discovery: None,
            dials: HashMap::new(),
            dialled: 0,
            ends: 0,
            connections: BTreeMap::new(),
            open: HashSet::new(),
            next_overdue: None,
            by_link: HashMap::new(),
            up: HashMap::new(),
            next_link: 0,
            refusals: HashMap::new(),
            surveyed: Vec::new(),
            announced: HashSet::new(),
            suspects: HashMap::new(),
            is_offline: false,
            no_files: None,
            max_files: crate::limits::open_files(),
            violations: 0,
            links,
            outbox,
            events,
            orders,
            reports,
            report,
            found,
            resolving: 0,
            resolved,
            resolver,
            closing: None,
        })
    }

    pub(crate) async fn run(mut self) {
        while !self.finished() {
            if self.closing.is_none() {
                self.act(Instant::now());
            }
            let (deadline, why) = self.poll_timeout();
            let has_room = self.outbox.len() < MAX_OUTBOX;
            tokio::select! {
                permit = self.events.clone().reserve_owned(), if !self.outbox.is_empty() => match permit {
                    Ok(permit) => self.hand_out(permit),
                    // Nobody listens any more. Another handle may still close the net.
                    Err(_) => self.outbox.clear(),
                },
                event = self.swarm.select_next_some(), if has_room => self.on_swarm(event),
                Some(report) = self.reports.recv(), if has_room => self.on_reports(report),
                news = news(&mut self.membership), if has_room => self.on_news(news),
                Some(found) = self.found.recv(), if has_room => self.on_found(found),
                Some((entry, resolved)) = self.resolved.recv(), if has_room => self.on_resolved(entry, resolved),
                order = self.orders.recv(), if self.closing.is_none() => self.on_order(order),
                () = sleep_until(deadline) => tracing::trace!(why, "due"),
            }
        }
        drop(self.swarm);
        let Some(Closing { by, unannounced, done }) = self.closing else { return };
        if let Some(unannounced) = unannounced {
            // If this fails, others forget the announcement by themselves two minutes later.
            let _ = time::timeout_at(by.into(), unannounced).await;
        }
        if let Some(done) = done {
            // The caller may have gone away.
            let _ = done.send(());
        }
    }

    fn finished(&self) -> bool {
        let Some(closing) = &self.closing else { return false };
        (self.open.is_empty() && self.connections.is_empty() && self.outbox.is_empty()) || closing.by <= Instant::now()
    }

    fn poll_timeout(&self) -> (Option<Instant>, &'static str) {
        if let Some(closing) = &self.closing {
            return (Some(closing.by), "closing");
        }
        let timeouts = [
            self.tiebreak.poll_timeout(self.may_dial()),
            self.by_hand.poll_timeout().filter(|_| self.may_dial()).map(|at| (at, "address by hand")),
            self.rumours.poll_timeout().filter(|_| self.may_dial()).map(|at| (at, "rumour")),
            self.circle.poll_timeout().map(|at| (at, "introductions")),
            self.speaks_at.map(|at| (at, "speaks for its neighbours")),
            self.next_overdue.map(|at| (at, "handshake")),
            self.next_trouble().map(|at| (at, "trouble")),
        ];
        match timeouts.into_iter().flatten().min() {
            Some((at, why)) => (Some(at), why),
            None => (None, ""),
        }
    }

    /// Does what is due by now.
    fn act(&mut self, now: Instant) {
        if self.speaks_at.is_some_and(|at| at <= now) {
            self.speak();
        }
        // Addresses that the user asked for go before those that any peer may have announced.
        while self.may_dial()
            && let Some((entry, place)) = self.by_hand.poll(now)
        {
            match place {
                Place::At(target) => self.dial_entry(now, entry, target),
                Place::Host(host) => self.resolve(now, entry, host),
            }
        }
        while let Some(action) = self.tiebreak.poll(now, self.may_dial()) {
            match action {
                Action::Dial(peer) => self.dial(now, peer),
                Action::Announce => {
                    if let Some(discovery) = &mut self.discovery {
                        discovery.announce(now);
                    }
                }
            }
        }
        while self.may_dial()
            && let Some((peer, addresses)) = self.rumours.poll(now)
        {
            let opts = swarm::dial_peer(&peer, addresses);
            if !self.call(now, peer, Reason::Rumour) {
                self.start_dial(now, opts, Reason::Rumour);
            }
        }
        self.look_for_trouble(now);
        let letters = self.circle.poll(now);
        self.post(letters);
        if self.next_overdue.is_some_and(|at| at <= now) {
            self.end_overdue(now);
        }
    }

    /// Ends the connections whose time is up.
    fn end_overdue(&mut self, now: Instant) {
        let times = || self.connections.iter().filter_map(|(id, connection)| Some((*id, self.overdue_at(connection)?)));
        let (overdue, next): (Vec<_>, Vec<_>) = times().partition(|(_, at)| *at <= now);
        self.next_overdue = next.into_iter().map(|(_, at)| at).min();
        for (id, _) in overdue {
            match self.connections.get(&id).map(|connection| connection.stage) {
                Some(Stage::Outlived { .. }) => self.refuse_outlived(id),
                Some(_) | None => self.give_up(id, "the other side does not greet"),
            }
        }
    }

    /// When the time of a connection that is not up ends.
    ///
    /// Code that moves this time forward calls [`is_overdue_at`](Self::is_overdue_at).
    fn overdue_at(&self, connection: &Connection) -> Option<Instant> {
        match connection.stage {
            Stage::Opening => Some(connection.since + self.limits.greeting),
            // The other side may have to end an older connection first.
            Stage::Greeted | Stage::Accepted => Some(connection.since + self.limits.greeting * 3),
            Stage::Outlived { until } => Some(until),
            Stage::Up | Stage::Ending => None,
        }
    }

    /// Notes that a connection is overdue at `at`.
    fn is_overdue_at(&mut self, at: Instant) {
        self.next_overdue = Some(self.next_overdue.map_or(at, |next| next.min(at)));
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "libp2p adds events; none but these matter here")]
    fn on_swarm(&mut self, event: SwarmEvent<StreamOpened>) {
        let now = Instant::now();
        match event {
            SwarmEvent::Behaviour(StreamOpened { connection, opened }) => match opened {
                Opened::Stream(stream) => self.attach_stream(connection, stream),
                Opened::Failed(error) => {
                    tracing::debug!(error, "no stream");
                    self.give_up(connection, "the program that listens there does not speak this protocol");
                }
            },
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.open.insert(connection_id);
                let dial = self.dials.remove(&connection_id);
                let is_taken = match (key_of(&peer_id), from_multiaddr(endpoint.get_remote_address())) {
                    (Some(peer), Some(remote)) if !endpoint.is_dialer() || dial.is_some() => {
                        self.established(now, Established { id: connection_id, peer, remote, neighbour: None, dial })
                    }
                    // The dial was given up. Or something else is wrong, which cannot be: the behaviour has checked the
                    // key, and TCP has addresses.
                    _ => false,
                };
                if !is_taken {
                    self.swarm.behaviour_mut().abort(peer_id, connection_id);
                }
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.open.remove(&connection_id);
                // A link notices by itself.
                if self.connections.get(&connection_id).is_some_and(|connection| connection.link.is_none()) {
                    self.give_up(
                        connection_id,
                        "the other side hung up without a greeting: it may have all the links that it can have",
                    );
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.dial_failed(now, connection_id, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                if let Some(address) = from_multiaddr(&address).filter(|address| !is_link_local_v6(&address.ip())) {
                    self.listening.push(address);
                    self.machine_is_at();
                    self.tell(Event::Listening { address });
                }
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                let gone = from_multiaddr(&address);
                self.listening.retain(|address| Some(*address) != gone);
                self.machine_is_at();
            }
            SwarmEvent::ListenerClosed { addresses, reason: Err(error), .. } => {
                let gone: Vec<_> = addresses.iter().filter_map(from_multiaddr).collect();
                self.listening.retain(|address| !gone.contains(address));
                self.tell(Event::Warning { text: format!("not listening any more: {error}") });
            }
            SwarmEvent::ListenerError { error, .. } => {
                tracing::debug!(%error, "listener");
                self.may_lack_files(now, &error.to_string());
            }
            SwarmEvent::IncomingConnectionError { error, .. } => tracing::debug!(%error, "incoming connection"),
            _ => {}
        }
    }

    /// Hands the user as many events as there is room for.
    fn hand_out(&mut self, permit: OwnedPermit<Event>) {
        let mut room = Some(permit);
        while let Some(permit) = room.take()
            && let Some((event, up)) = self.outbox.pop_front()
        {
            room = permit.send(event).try_reserve_owned().ok();
            // The link may have ended meanwhile.
            up.map(|up| up.send(()));
        }
    }

    /// Takes as many link reports as are ready, within a bound: after each turn the driver looks at everything that
    /// waits for its time.
    fn on_reports(&mut self, first: (LinkId, Report)) {
        let (mut next, mut turn) = (Some(first), 0);
        while let Some((link, report)) = next {
            self.on_report(link, report);
            turn += 1;
            let has_room = turn < REPORTS && self.outbox.len() < MAX_OUTBOX;
            next = has_room.then(|| self.reports.try_recv().ok()).flatten();
        }
    }

    fn on_report(&mut self, link: LinkId, report: Report) {
        let Some(&id) = self.by_link.get(&link) else { return };
        let is_up = self.connections.get(&id).is_some_and(|connection| connection.stage == Stage::Up);
        match report {
            Report::Greeted(greeting) => self.greeted(id, greeting),
            Report::Accepted => self.accepted(id),
            // It is not decided yet whether this connection is to be listened to.
            Report::Introduced(_) | Report::Digest(_) if !is_up => {}
            Report::Introduced(payload) => self.introduced(id, link, &payload),
            Report::Digest(payload) => match self.circle.digest(link, &payload) {
                Some(letters) => self.post(letters),
                None => self.violated(id, "a malformed digest"),
            },
            Report::Elsewhere(payload) => self.on_question(id, &payload),
            Report::Supersedes(payload) => self.on_proof(id, &payload),
            Report::Ended(ended) => self.ended(id, link, ended),
        }
    }

    fn on_order(&mut self, order: Option<Command>) {
        match order {
            Some(Command::Connect { text, place }) => {
                let now = Instant::now();
                let linked = |connection: &Connection| match &place {
                    Place::At(target) => {
                        connection.stage == Stage::Up
                            && (target.peer == Some(connection.peer)
                                || (connection.dial.is_some() && connection.remote == target.address))
                    }
                    // Whether there is a link to it becomes known once the name is resolved and answers.
                    Place::Host(_) => false,
                };
                if self.connections.values().any(linked) {
                    self.tell(Event::Warning { text: format!("{text} is connected already") });
                } else {
                    self.dial_by_hand(now, text, place, Purpose::Once);
                }
            }
            Some(Command::Reach { address, target }) => {
                self.dial_by_hand(Instant::now(), address.to_string(), Place::At(target), Purpose::Reach(address));
            }
            Some(Command::Status(told)) => {
                let unlinked = self.tiebreak.unlinked(Instant::now()).collect();
                // The caller may have gone away.
                let _ = told.send(Status { listening: self.listening.clone(), unlinked });
            }
            Some(Command::Shutdown(done)) => self.close(Some(done)),
            None => self.close(None),
        }
    }

    fn dial_by_hand(&mut self, now: Instant, text: String, place: Place, purpose: Purpose) {
        if self.superseded {
            let reason = "this identity runs elsewhere, so this program makes no links any more".to_owned();
            return self.tell(Event::ConnectFailed { address: text, reason });
        }
        if let Err(address) = self.by_hand.add(now, text, place, purpose) {
            let reason = "too many addresses are being tried at once; try again in a moment".to_owned();
            self.tell(Event::ConnectFailed { address, reason });
        }
    }

    fn close(&mut self, done: Option<oneshot::Sender<()>>) {
        let by = Instant::now() + self.limits.shutdown;
        self.leave_neighbours();
        let unannounced = self.discovery.take().map(|discovery| tokio::spawn(discovery.stop()));
        self.closing = Some(Closing { by, unannounced, done });
        self.dials.clear();
        for (id, connection) in &mut self.connections {
            match &connection.link {
                Some(link) => link.outgoing.finish(Finish::goodbye()),
                None => self.swarm.behaviour_mut().abort(peer_id(&connection.peer), *id),
            }
        }
    }

    fn tell(&mut self, event: Event) {
        self.outbox.push_back((event, None));
    }
}

/// A number that nobody can guess.
fn random() -> Result<u64, Error> {
    getrandom::u64().map_err(|error| Error::Random(error.to_string()))
}

fn version_mismatch(theirs: u16, ours: u16) -> String {
    let who = if theirs > ours { "this program" } else { "the other one" };
    format!("it speaks version {theirs} of the protocol, this peer version {ours}: upgrade {who}")
}

/// The next news from the neighbours, for as long as this peer is one of them.
async fn news(membership: &mut Option<Membership>) -> News {
    match membership {
        Some(membership) => membership.news().await,
        None => future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline.into()).await,
        None => future::pending().await,
    }
}

impl Finish {
    fn goodbye() -> Self {
        Self { last: Some(Kind::Goodbye), text: String::new(), reason: DownReason::Shutdown }
    }
}
