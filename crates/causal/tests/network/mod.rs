//! A network of three processes for a model checker, which goes through every order of events. Each process runs the state
//! machine itself, not a model of it.
//!
//! A state keeps the events at each process. Each step makes the process again from these events, since it cannot be cloned.
//! Two states count as one if the same envelopes were sent, and the processes have the same snapshots and hold the same
//! messages, which arrived in the same order. Nothing else affects what a process does. Its statistics may differ.
//!
//! A copy that has arrived may arrive again at any time, and any number of times. A process that drops it is in the same
//! state as before, so this makes no further states. Happened-before is computed from the events alone.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use causal::{Config, Delivery, Envelope, Hole, Process};
use stateright::{Checker, Model, Property};

type Id = u8;
type Peer = Process<Id, Message>;

const PROCESSES: Id = 3;
/// The most multicasts that a run may have.
const MOST: u8 = 5;

/// The events that may happen, and how often.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub(crate) config: Config,
    /// How many messages are sent, by any processes, to any destinations.
    pub(crate) multicasts: u8,
    /// Whether one process may crash for good. The others may forget it, and one copy of a message that it sent may be lost.
    pub(crate) crash: bool,
    /// How often a copy that is merely slow may be given up. A lost copy may always be given up.
    pub(crate) hasty: u8,
    /// Whether a message is given up alone, like one that its author has not vouched for.
    pub(crate) alone: bool,
}

/// By author and clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Message {
    author: Id,
    clock: u8,
}

/// A set of messages.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
struct Messages(u16);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// To the processes whose bits are set.
    Multicast(Id, u8),
    /// A copy arrives, for the first time or again, and all deliverable messages are delivered.
    Arrive(Message, Id),
    Crash(Id),
    /// A copy of a message of the crashed process will never arrive.
    Lose(Message, Id),
    Abandon(Id, Message),
    Forget(Id, Id),
}

/// A broken property.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Fault {
    /// A message was delivered before another one that happened before it.
    Order { at: Id, message: Message, before: Message },
    /// A message was delivered twice.
    Twice { at: Id, message: Message },
    /// A message was delivered as late but not given up, or given up but not delivered as late.
    Late { at: Id, message: Message },
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    members: Vec<Member>,
    sent: Vec<Sent>,
    crashed: Option<Id>,
    lost: Option<(Message, Id)>,
    /// How often a copy that was merely slow was given up.
    hasty: u8,
    fault: Option<Fault>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    message: Message,
    dests: u8,
    past: Messages,
    bytes: Vec<u8>,
    envelope: Unhashed<Envelope<Id>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Member {
    /// The snapshot of the process, as bytes.
    snapshot: Vec<u8>,
    /// In the order of arrival.
    held: Vec<Message>,
    missing: Vec<Message>,
    /// The messages that happened before the next event here.
    past: Messages,
    delivered: Messages,
    given_up: Messages,
    forgot: bool,
    events: Unhashed<Vec<Event>>,
}

/// An event at a process.
#[derive(Clone, Debug)]
enum Event {
    Sent(u8),
    Arrived(Message, Arc<Envelope<Id>>),
    GaveUp(Message),
    Disregarded(Message),
    Forgot(Id),
}

/// A part of a state that follows from its other fields, and so does not distinguish states: its history, or bytes in another
/// form.
#[derive(Clone, Debug)]
struct Unhashed<T>(Arc<T>);

/// Visits every state, and returns how many there are.
///
/// # Panics
/// If a property does not hold. The message gives the events that lead there.
#[expect(clippy::print_stdout, reason = "the figures are for a run with --nocapture")]
pub(crate) fn check(network: Network) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let checker = network.checker().threads(threads).spawn_bfs().join();
    checker.assert_properties();
    println!("{} states, {} steps", checker.unique_state_count(), checker.state_count());
    checker.unique_state_count()
}

impl Network {
    fn start(&self, id: Id) -> Peer {
        let mut peer = Peer::new(id, self.config.clone());
        for other in 0..PROCESSES {
            peer.intern(other).expect("there is room for three");
        }
        peer
    }

    /// The process after `events`.
    fn replay(&self, id: Id, events: &[Event]) -> Peer {
        let mut peer = self.start(id);
        for event in events {
            apply(&mut peer, event);
            while peer.next_delivery().is_some() {}
        }
        peer
    }

    fn deliver(&self, state: &mut State, at: Id, event: Event) {
        let mut peer = self.replay(at, &state.members[usize::from(at)].events.0);
        let envelope = apply(&mut peer, &event);
        let State { members, sent, fault, .. } = state;
        let member = &mut members[usize::from(at)];
        if let Event::Arrived(message, _) = event
            && !member.held.contains(&message)
        {
            member.held.push(message);
        }
        if let Event::GaveUp(what) | Event::Disregarded(what) = event {
            let given_up =
                sent.iter().map(|sent| sent.message).filter(|m| m.author == what.author && m.clock <= what.clock);
            member.given_up.extend(given_up.filter(|&m| !member.delivered.contains(m)).collect::<Vec<_>>());
        }
        if let Some(envelope) = envelope {
            let message = Message { author: at, clock: envelope.clock() as u8 };
            let dests = envelope.dests().fold(0, |bits, dest| bits | 1 << dest);
            sent.push(Sent {
                message,
                dests,
                past: member.past,
                bytes: envelope.to_bytes(),
                envelope: Unhashed(Arc::new(envelope)),
            });
            sent.sort_by_key(|sent| sent.message);
            member.past.insert(message);
        }
        while let Some(Delivery { message, late, .. }) = peer.next_delivery() {
            if fault.is_none() {
                *fault = member.judge(at, message, late, sent);
            }
            let past = sent.iter().find(|sent| sent.message == message).expect("it was sent").past;
            member.delivered.insert(message);
            member.past.0 |= past.0;
            member.past.insert(message);
        }
        member.held.retain(|held| peer.held_messages().any(|(_, message)| message == held));
        member.missing = missing(&peer);
        member.snapshot = peer.snapshot().to_bytes();
        let mut events = (*member.events.0).clone();
        events.push(event);
        member.events = Unhashed(Arc::new(events));
    }
}

/// Applies an event. Returns the envelope if the event was a multicast.
fn apply(peer: &mut Peer, event: &Event) -> Option<Envelope<Id>> {
    match event {
        Event::Sent(dests) => {
            Some(peer.send((0..PROCESSES).filter(|id| dests >> id & 1 == 1)).expect("all processes are known"))
        }
        Event::Arrived(message, envelope) => {
            peer.accept(envelope, *message).expect("an honest message is taken");
            None
        }
        Event::GaveUp(message) => {
            let author = peer.roster().index(&message.author).expect("all processes are known");
            let hole: Option<Hole> = peer.abandon(author, message.clock.into());
            assert!(hole.is_some(), "a missing message has not been given up");
            None
        }
        Event::Disregarded(message) => {
            let author = peer.roster().index(&message.author).expect("all processes are known");
            assert!(peer.disregard(author, message.clock.into()).is_some(), "a missing message is awaited");
            None
        }
        Event::Forgot(id) => {
            let gone = peer.roster().index(id).expect("all processes are known");
            peer.forget(gone);
            None
        }
    }
}

fn missing(peer: &Peer) -> Vec<Message> {
    let message = |missing: causal::Missing| Message {
        author: *peer.roster().id(missing.author),
        clock: u8::try_from(missing.clock).expect("few are sent"),
    };
    peer.missing().map(message).collect()
}

impl Member {
    fn knows(&self, message: Message) -> bool {
        self.delivered.contains(message) || self.held.contains(&message)
    }

    /// The property that delivering `message` here and now would break, if any.
    fn judge(&self, at: Id, message: Message, late: bool, sent: &[Sent]) -> Option<Fault> {
        if self.delivered.contains(message) {
            return Some(Fault::Twice { at, message });
        }
        if late != self.given_up.contains(message) {
            return Some(Fault::Late { at, message });
        }
        let to_me = |message: Message| sent.iter().any(|sent| sent.message == message && sent.dests >> at & 1 == 1);
        let past =
            |message: Message| sent.iter().find(|sent| sent.message == message).map_or(Messages(0), |sent| sent.past);
        // A given-up message in this message's past may be overtaken, and so may the messages that happened before that one.
        let across = |earlier: Message| {
            let mut hole = past(message).iter().filter(|&hole| to_me(hole) && self.given_up.contains(hole));
            self.given_up.contains(earlier) || hole.any(|hole| past(hole).contains(earlier))
        };
        let before = past(message)
            .iter()
            .find(|&earlier| to_me(earlier) && !self.delivered.contains(earlier) && !across(earlier))?;
        Some(Fault::Order { at, message, before })
    }
}

impl State {
    /// The copies for the processes that have not crashed.
    fn copies(&self) -> impl Iterator<Item = (Message, Id)> + '_ {
        let copies = self
            .sent
            .iter()
            .flat_map(|sent| (0..PROCESSES).filter(|to| sent.dests >> to & 1 == 1).map(|to| (sent.message, to)));
        copies.filter(|&(_, to)| self.crashed != Some(to))
    }

    fn alive(&self) -> impl Iterator<Item = (Id, &Member)> {
        (0..PROCESSES).zip(&self.members).filter(|&(id, _)| self.crashed != Some(id))
    }

    /// Whether no copy is on its way any more, and no process waits for the lost one.
    fn is_settled(&self) -> bool {
        let waits_for_lost = |(message, to): (Message, Id)| self.members[usize::from(to)].missing.contains(&message);
        self.copies()
            .all(|(message, to)| self.members[usize::from(to)].knows(message) || self.lost == Some((message, to)))
            && !self.lost.is_some_and(|lost| self.crashed != Some(lost.1) && waits_for_lost(lost))
    }

    /// Whether the same has happened to processes 1 and 2, so that the next event may as well happen to 1.
    fn is_symmetric(&self) -> bool {
        let both = |sent: &Sent| sent.message.author == 0 && sent.dests == 0b110;
        self.crashed.is_none()
            && self.sent.iter().all(both)
            && self.members[1..].iter().all(|member| member.events.0.is_empty())
    }
}

impl Model for Network {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        assert!(self.multicasts <= MOST);
        let member = |id| Member {
            snapshot: self.start(id).snapshot().to_bytes(),
            held: Vec::new(),
            missing: Vec::new(),
            past: Messages::default(),
            delivered: Messages::default(),
            given_up: Messages::default(),
            forgot: false,
            events: Unhashed(Arc::default()),
        };
        let members = (0..PROCESSES).map(member).collect();
        vec![State { members, sent: Vec::new(), crashed: None, lost: None, hasty: 0, fault: None }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        if state.fault.is_some() {
            return;
        }
        if state.sent.len() < usize::from(self.multicasts) {
            for (id, _) in state.alive() {
                let dests = (1..1_u8 << PROCESSES).filter(|dests| dests >> id & 1 == 0);
                actions.extend(dests.map(|dests| Action::Multicast(id, dests)));
            }
        }
        for (message, to) in state.copies() {
            if state.lost != Some((message, to)) {
                actions.push(Action::Arrive(message, to));
            }
            let arrived = state.members[usize::from(to)].knows(message);
            if state.crashed == Some(message.author) && state.lost.is_none() && !arrived {
                actions.push(Action::Lose(message, to));
            }
        }
        for (id, member) in state.alive() {
            for &message in &member.missing {
                if state.lost == Some((message, id)) || state.hasty < self.hasty {
                    actions.push(Action::Abandon(id, message));
                }
            }
        }
        match state.crashed {
            None if self.crash => actions.extend((0..PROCESSES).map(Action::Crash)),
            None => {}
            Some(gone) => {
                let to_tell = state.alive().filter(|(_, member)| !member.forgot);
                actions.extend(to_tell.map(|(id, _)| Action::Forget(id, gone)));
            }
        }
        // The names of processes do not matter. So the first message comes from 0, and of two processes to which the same has
        // happened, the next event happens to 1.
        if state.sent.is_empty() {
            actions.retain(|action| match action {
                Action::Multicast(id, dests) => *id == 0 && *dests != 0b100,
                Action::Arrive(..) | Action::Crash(_) | Action::Lose(..) | Action::Abandon(..) | Action::Forget(..) => {
                    false
                }
            });
        } else if state.is_symmetric() {
            actions.retain(|action| match action {
                Action::Multicast(id, dests) => *id == 1 || *id == 0 && *dests != 0b100,
                Action::Arrive(_, id) | Action::Crash(id) => *id != 2,
                Action::Lose(..) | Action::Abandon(..) | Action::Forget(..) => true,
            });
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        match action {
            Action::Multicast(id, dests) => self.deliver(&mut next, id, Event::Sent(dests)),
            Action::Arrive(message, to) => {
                let sent = state.sent.iter().find(|sent| sent.message == message)?;
                self.deliver(&mut next, to, Event::Arrived(message, sent.envelope.0.clone()));
            }
            Action::Crash(id) => next.crashed = Some(id),
            Action::Lose(message, to) => next.lost = Some((message, to)),
            Action::Abandon(id, message) => {
                next.hasty += u8::from(state.lost != Some((message, id)));
                let event = if self.alone { Event::Disregarded(message) } else { Event::GaveUp(message) };
                self.deliver(&mut next, id, event);
            }
            Action::Forget(id, gone) => {
                next.members[usize::from(id)].forgot = true;
                self.deliver(&mut next, id, Event::Forgot(gone));
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            Property::always("causal order", |_, state: &State| !matches!(state.fault, Some(Fault::Order { .. }))),
            Property::always("exactly once", |_, state: &State| !matches!(state.fault, Some(Fault::Twice { .. }))),
            Property::always("late if and only if given up", |_, state: &State| {
                !matches!(state.fault, Some(Fault::Late { .. }))
            }),
            Property::always("nothing held at the end", |_, state: &State| {
                let in_the_end = |(message, to): (Message, Id)| {
                    state.members[usize::from(to)].delivered.contains(message) || state.lost == Some((message, to))
                };
                !state.is_settled()
                    || state.alive().all(|(_, member)| member.held.is_empty()) && state.copies().all(in_the_end)
            }),
            // These show that the search reaches the states that it is meant for.
            Property::sometimes("a message is held", |_, state: &State| {
                state.alive().any(|(_, member)| !member.held.is_empty())
            }),
            Property::sometimes("all is delivered", |network: &Self, state: &State| {
                state.sent.len() == usize::from(network.multicasts) && state.is_settled()
            }),
        ];
        if self.hasty > 0 {
            properties.push(Property::sometimes("a message is delivered late", |_, state: &State| {
                state.alive().any(|(_, member)| member.delivered.iter().any(|m| member.given_up.contains(m)))
            }));
        }
        if self.crash {
            properties.push(Property::sometimes("a lost message is given up", |_, state: &State| {
                state.lost.is_some_and(|(message, to)| state.members[usize::from(to)].given_up.contains(message))
            }));
        }
        properties
    }
}

impl Messages {
    fn bit(message: Message) -> u16 {
        1 << (message.author * MOST + message.clock - 1)
    }

    fn contains(self, message: Message) -> bool {
        self.0 & Self::bit(message) != 0
    }

    fn insert(&mut self, message: Message) {
        self.0 |= Self::bit(message);
    }

    fn extend(&mut self, messages: impl IntoIterator<Item = Message>) {
        messages.into_iter().for_each(|message| self.insert(message));
    }

    fn iter(self) -> impl Iterator<Item = Message> {
        let all = (0..PROCESSES).flat_map(|author| (1..=MOST).map(move |clock| Message { author, clock }));
        all.filter(move |&message| self.contains(message))
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl<T> PartialEq for Unhashed<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<T> Eq for Unhashed<T> {}

impl<T> Hash for Unhashed<T> {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
