//! A peer among liars: bytes become calls, frames that are well-formed and signed, and some that are not.
//!
//! Three people with keys of their own say whatever the bytes tell them to, in the forms that this crate writes itself; what they say
//! is changed before it is signed, so it gets as far into a peer as its author can bring it. A friend, who is a peer of its own and does not
//! lie, is there as well: it is given what the peer sends it, and must never have reason to call that a bad frame.
//!
//! What is checked: nothing panics and nothing goes on for ever, whatever was kept can be kept and read back, and every control frame
//! of the peer can be read. A test of `store` runs it on random bytes with the program's own store, and the fuzz target `peer` for hours.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causal::wire::{Mark, Numbering};
use causal::{Entry, Index, Limits, MAX_CLOCK, Set, Stamp};

use crate::body::{self, Scope, TextHead, Welcome};
use crate::frame::{BATCH, Control, Frame, Have, NUMBERS, ParcelIds, Pulled, Returned, Shown};
use crate::hlc::Hlc;
use crate::kept::{Causal, Kept, SignedBatch};
use crate::parcel::Parcel;
use crate::record::{Record, SignedRecord};
use crate::store::{MemoryStore, Store};
use crate::{Command, Config, Effects, Identity, Incarnation, LinkId, MessageId, Name, PersonId, ProcessId, Target};

use super::greeting::{self, Greeting};
use super::piece::Builder;
use super::{Now, Peer, arrival, batch_frame};

const START: i64 = 1_800_000_000_000_000;
const NAMES: [&str; 4] = ["mallory", "trudy", "oscar", "friend"];
const GROUPS: [&str; 2] = ["cars", "boats"];
/// How many calls for what is due at one moment are believed to come to an end.
const AT_ONCE: usize = 5000;
/// How many frames of the peer a liar remembers.
const HEARD: usize = 32;

/// Does what `data` says to a peer that begins with `store`, an empty one. `copy` gives the store that is opened again on what another
/// one has kept.
///
/// # Panics
/// If the peer breaks a promise.
pub fn run<S: Store>(data: &[u8], store: S, copy: impl FnMut(&mut S) -> S) {
    let mut input = Input(data);
    let Some(setup) = input.byte() else { return };
    let mut world = World::new(setup, store, copy);
    while world.step(&mut input).is_some() {}
    world.pass(Duration::from_secs(40));
    world.restart(None);
    world.pass(Duration::from_secs(4));
    for command in ["", "all", "cars", "friend"] {
        let of = (!command.is_empty()).then(|| target(command));
        world.command(Command::History { of, count: Some(1000), before: None, after: None });
    }
    for command in
        [Command::ListUsers, Command::ListGroups, Command::Pending, Command::Seen { nth: None, message: None }]
    {
        world.command(command);
    }
    world.command(Command::Search { words: "hello".to_owned(), of: None, count: None });
    world.restart(None);
}

fn target(name: &str) -> Target {
    if name == "all" { Target::All } else { Target::Name(name.to_owned()) }
}

/// What is left of the bytes.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn below(&mut self, count: usize) -> Option<usize> {
        let byte = usize::from(self.byte()?);
        (count > 0).then(|| byte % count)
    }

    fn pick<'b, T>(&mut self, among: &'b [T]) -> Option<&'b T> {
        let at = self.below(among.len())?;
        among.get(at)
    }

    /// Mostly small, now and then at the end of the clocks or of the integers, or beyond.
    fn clock(&mut self) -> Option<u64> {
        Some(match self.byte()? {
            byte @ 0..224 => u64::from(byte) % 14,
            byte @ 224..240 => MAX_CLOCK + 3 - u64::from(byte - 224),
            byte @ 240..248 => (1 << 63) + 3 - u64::from(byte - 240),
            byte => u64::MAX - u64::from(255 - byte),
        })
    }

    fn clocks(&mut self) -> Option<Vec<u64>> {
        let count = self.below(4)?;
        (0..count).map(|_| self.clock()).collect()
    }

    fn hlc(&mut self) -> Option<Hlc> {
        let micros = match self.byte()? {
            byte @ 0..230 => START + i64::from(byte) * 1_000_000,
            byte @ 230..240 => i64::MAX - i64::from(byte - 230),
            byte @ 240..250 => i64::MIN + i64::from(byte - 240),
            byte => i64::from(byte) - 252,
        };
        Some(Hlc { micros, logical: if self.byte()? < 250 { 0 } else { u32::MAX } })
    }
}

/// A peer that lies.
struct Liar {
    identity: Identity,
    process: ProcessId,
    numbering: Numbering,
    mark: Mark,
    link: Option<LinkId>,
    /// The clock of its last message.
    clock: u64,
    said: Vec<Arc<SignedBatch>>,
    /// What the peer asked and nobody answered yet.
    asked: VecDeque<Control>,
    /// What the peer sent last.
    heard: VecDeque<Bytes>,
}

struct World<S, C> {
    config: Config,
    copy: C,
    now: Duration,
    last_link: u64,
    last_life: u64,
    peer: Option<Peer<S>>,
    backup: Option<S>,
    friend: Peer<MemoryStore>,
    /// The peer's end of the link to the friend, and the friend's.
    friends_link: Option<(LinkId, LinkId)>,
    to_friend: VecDeque<Bytes>,
    from_friend: VecDeque<Bytes>,
    liars: Vec<Liar>,
    /// The numbers of everybody whom the liars speak of.
    names: Causal,
    known: Vec<ProcessId>,
}

fn identity(number: u8) -> Identity {
    Identity::from_seed([number; 32])
}

fn process(number: u8, life: u64) -> ProcessId {
    ProcessId { person: identity(number).person(), incarnation: Incarnation(life) }
}

/// Limits so small that everything reaches them.
fn config(setup: u8) -> Config {
    let is = |bit: u8| setup & (1 << bit) != 0;
    let few = |bit, few, many| if is(bit) { few } else { many };
    let config = Config::default();
    Config {
        max_processes: few(0, 8, 24),
        max_held: few(1, 3, 40),
        max_waiting_welcomes: few(2, 1, 4),
        history_first: few(3, 2, 20),
        max_requests: few(4, 2, 20),
        max_carried: few(5, 3, 40),
        max_piece: few(6, 2, 40),
        max_held_bytes: 20_000,
        max_carried_bytes: 20_000,
        max_piece_bytes: 4000,
        max_request_bytes: 2000,
        max_outbox: 40_000,
        max_batch: 4,
        window: 4,
        max_groups: 3,
        acknowledge_every: 3,
        pull_after: Duration::from_millis(10),
        rebirth_interval: Duration::from_secs(5),
        journal: is(7),
        ..config
    }
}

impl<S: Store, C: FnMut(&mut S) -> S> World<S, C> {
    fn new(setup: u8, store: S, copy: C) -> Self {
        let config = config(setup);
        let now = Duration::from_secs(1);
        let at = Now { monotonic: now, unix_micros: START };
        let name = |name: &str| Name::parse(name).expect("it is a name");
        let peer = Peer::new(config.clone(), identity(1), name("peer"), Incarnation(1), store, at);
        let friend =
            Peer::new(Config::default(), identity(2), name("friend"), Incarnation(1), MemoryStore::default(), at);
        let liar = |number| Liar {
            identity: identity(number),
            process: process(number, 1),
            numbering: Numbering::new(&Limits::default()),
            mark: Mark::default(),
            link: None,
            clock: 0,
            said: Vec::new(),
            asked: VecDeque::new(),
            heard: VecDeque::new(),
        };
        let mut world = Self {
            config,
            copy,
            now,
            last_link: 0,
            last_life: 1,
            peer: Some(peer.expect("the store is empty")),
            backup: None,
            friend: friend.expect("the store is empty"),
            friends_link: None,
            to_friend: VecDeque::new(),
            from_friend: VecDeque::new(),
            liars: (3..6).map(liar).collect(),
            names: Causal::lending(process(99, 1), causal::Config::default()),
            known: Vec::new(),
        };
        for number in 1..6 {
            world.know(process(number, 1));
        }
        // Of these there is no record.
        world.know(process(7, 1));
        world.know(process(3, 2));
        world.toggle_friend();
        (0..world.liars.len()).for_each(|liar| world.link_up(liar, 0));
        world
    }

    fn know(&mut self, process: ProcessId) -> Option<Index> {
        if !self.known.contains(&process) {
            self.known.push(process);
        }
        self.names.intern(process).ok()
    }

    fn at(&self) -> Now {
        let micros = i64::try_from(self.now.as_micros()).unwrap_or(i64::MAX);
        Now { monotonic: self.now, unix_micros: START.saturating_add(micros) }
    }

    fn peer(&mut self) -> &mut Peer<S> {
        self.peer.as_mut().expect("it is gone only while it is started again")
    }

    fn me(&mut self) -> ProcessId {
        self.peer().process()
    }

    /// Does one thing. Nothing once there are no bytes left.
    fn step(&mut self, input: &mut Input<'_>) -> Option<()> {
        let call = input.byte()?;
        let liar = usize::from(call >> 4) % self.liars.len();
        match call % 16 {
            0 | 1 => self.say_something(liar, input)?,
            2 => self.say_welcome(liar, input)?,
            3 | 4 => self.answer(liar, input)?,
            5 => {
                let (clock, have, again) = (input.clock()?, self.have(input)?, input.byte()? % 8 == 0);
                self.control(liar, &Control::Have { clock, have, again });
            }
            6 => self.say_control(liar, input)?,
            7 => self.say_rubbish(liar, input)?,
            8 => {
                if let Some(link) = self.liars[liar].link.take() {
                    let now = self.at();
                    self.peer().handle_link_down(now, link, "gone");
                } else {
                    let clock = input.clock()?;
                    self.link_up(liar, clock);
                }
            }
            9 => self.toggle_friend(),
            10 => {
                let seconds = [0, 1, 3, 31, 700];
                let millis = *input.pick(&seconds)? * 1000;
                self.pass(Duration::from_millis(millis + 50));
            }
            11 => {
                let command = self.some_command(input)?;
                self.command(command);
            }
            12 => {
                let command = self.some_command(input)?;
                let now = self.at();
                drop(self.friend.handle_command(now, command));
                self.perform_friend();
            }
            13 => match input.byte()? % 6 {
                0 => self.back_up(),
                1 => {
                    let backup = self.backup.take();
                    self.restart(backup);
                }
                _ => self.restart(None),
            },
            14 => {
                let link = self.friends_link.map(|(link, _)| link).or(self.liars[liar].link);
                let is_full = input.byte()? % 2 == 0;
                match link {
                    Some(link) if is_full => self.peer().handle_link_full(link),
                    Some(link) => self.peer().handle_link_ready(link),
                    None => self.peer().handle_listening(SocketAddr::from(([10, 0, 0, 1], 4000))),
                }
            }
            _ => self.carry(),
        }
        // Now and then more is taken in the same turn.
        if input.byte()? % 4 != 0 {
            self.perform();
            self.carry();
        }
        Some(())
    }

    // The peer.

    /// Carries out what the peer wants done.
    fn perform(&mut self) {
        for _ in 0..AT_ONCE {
            let now = self.at();
            let effects = self.peer().take_effects(now);
            if effects.is_empty() {
                return;
            }
            let Effects { durable, frames, renew, .. } = effects;
            let kept = self.peer().store_mut().apply(&durable);
            kept.unwrap_or_else(|error| panic!("what came from others cannot be kept: {error}"));
            for (link, frame) in frames {
                self.sent(link, frame);
            }
            for (link, _) in renew {
                self.link_down(link, "renewed");
            }
        }
        panic!("there is always more to do");
    }

    fn sent(&mut self, link: LinkId, frame: Bytes) {
        let read = Frame::decode(&frame).expect("a peer sends what can be read");
        if self.friends_link.is_some_and(|(mine, _)| mine == link) {
            self.to_friend.push_back(frame);
            return;
        }
        let Some(liar) = self.liars.iter_mut().find(|liar| liar.link == Some(link)) else { return };
        if let Frame::Control(control) = read {
            liar.asked.push_back(*control);
            if liar.asked.len() > HEARD {
                liar.asked.pop_front();
            }
        }
        liar.heard.push_back(frame);
        if liar.heard.len() > HEARD {
            liar.heard.pop_front();
        }
    }

    fn link_down(&mut self, link: LinkId, reason: &str) {
        let now = self.at();
        self.peer().handle_link_down(now, link, reason);
        if self.friends_link.is_some_and(|(mine, _)| mine == link) {
            self.end_friends_link();
        }
        for liar in self.liars.iter_mut().filter(|liar| liar.link == Some(link)) {
            liar.link = None;
        }
    }

    fn frame(&mut self, link: LinkId, frame: &[u8]) {
        let now = self.at();
        if self.peer().handle_frame(now, link, frame).is_err() {
            self.link_down(link, "a bad frame");
        }
    }

    /// Lets time pass, with everything that is due.
    fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        let mut at_once = 0;
        self.perform();
        self.carry();
        loop {
            let next = [self.peer().poll_timeout(), self.friend.poll_timeout()].into_iter().flatten().min();
            let Some((at, what)) = next.filter(|(at, _)| *at <= end) else { break };
            at_once = if at > self.now { 0 } else { at_once + 1 };
            assert!(at_once < AT_ONCE, "it is always time for this: {what}");
            self.now = self.now.max(at);
            let now = self.at();
            if self.peer().poll_timeout().is_some_and(|(at, _)| at <= now.monotonic) {
                self.peer().handle_timeout(now);
                self.perform();
            }
            if self.friend.poll_timeout().is_some_and(|(at, _)| at <= now.monotonic) {
                self.friend.handle_timeout(now);
                self.perform_friend();
            }
            self.carry();
        }
        self.now = end;
    }

    fn command(&mut self, command: Command) {
        let now = self.at();
        drop(self.peer().handle_command(now, command));
        self.perform();
    }

    fn some_command(&mut self, input: &mut Input<'_>) -> Option<Command> {
        let whom = ["all", "all", "cars", "boats", "friend", "peer", "mallory", "trudy"];
        let group = (*input.pick(&GROUPS)?).to_owned();
        Some(match input.byte()? % 16 {
            0 => Command::CreateGroup { group },
            1 => Command::JoinGroup { group },
            2 => Command::LeaveGroup { group },
            3 => Command::ListUsers,
            4 => Command::History { of: None, count: None, before: None, after: None },
            5 => Command::Forget { person: (*input.pick(&NAMES)?).to_owned() },
            6 => Command::Search { words: "hell".to_owned(), of: None, count: None },
            7 => Command::Pending,
            byte => {
                let delay_ms = if byte == 8 { 10_000 } else { 0 };
                Command::Send { to: target(input.pick(&whom)?), text: "hello".to_owned(), delay_ms }
            }
        })
    }

    fn back_up(&mut self) {
        self.perform();
        let Some(peer) = self.peer.as_mut() else { return };
        self.backup = Some((self.copy)(peer.store_mut()));
    }

    /// The peer is killed, and started again with what it kept, or with a copy of that.
    fn restart(&mut self, from: Option<S>) {
        self.end_friends_link();
        self.liars.iter_mut().for_each(|liar| liar.link = None);
        let Some(peer) = self.peer.take() else { return };
        let mut store = from.unwrap_or_else(|| peer.into_store());
        let store = (self.copy)(&mut store);
        self.last_life += 1;
        let name = Name::parse("peer").expect("it is a name");
        let peer = Peer::new(self.config.clone(), identity(1), name, Incarnation(self.last_life), store, self.at());
        self.peer = Some(peer.unwrap_or_else(|error| panic!("what was kept cannot be read back: {error}")));
        let me = self.me();
        self.know(me);
        self.perform();
    }

    // The friend.

    fn toggle_friend(&mut self) {
        let now = self.at();
        if let Some((link, _)) = self.friends_link {
            return self.link_down(link, "gone");
        }
        let (mine, others) = (self.next_link(), self.next_link());
        self.friends_link = Some((mine, others));
        let remote = SocketAddr::from(([10, 0, 0, 2], 4000));
        let (me, friend) = (self.me().person, self.friend.process().person);
        self.peer().handle_link_up(now, mine, friend, remote);
        self.friend.handle_link_up(now, others, me, remote);
        self.perform();
        self.perform_friend();
        self.carry();
    }

    fn end_friends_link(&mut self) {
        if let Some((_, others)) = self.friends_link.take() {
            let now = self.at();
            self.friend.handle_link_down(now, others, "gone");
            self.perform_friend();
        }
        self.to_friend.clear();
        self.from_friend.clear();
    }

    fn perform_friend(&mut self) {
        for _ in 0..AT_ONCE {
            let now = self.at();
            let effects = self.friend.take_effects(now);
            if effects.is_empty() {
                return;
            }
            let Effects { durable, frames, renew, .. } = effects;
            self.friend.store_mut().apply(&durable).expect("memory keeps everything");
            let link = self.friends_link.map(|(_, others)| others);
            self.from_friend.extend(frames.into_iter().filter(|(to, _)| Some(*to) == link).map(|(_, frame)| frame));
            if let Some((mine, others)) = self.friends_link
                && renew.iter().any(|(link, _)| *link == others)
            {
                self.link_down(mine, "renewed");
            }
        }
        panic!("the friend always has more to do");
    }

    /// Carries what is on its way between the peer and its friend.
    fn carry(&mut self) {
        for _ in 0..AT_ONCE {
            let Some((mine, others)) = self.friends_link else { return };
            if let Some(frame) = self.to_friend.pop_front() {
                let now = self.at();
                if let Err(bad) = self.friend.handle_frame(now, others, &frame) {
                    // Liars can make the two forget each other's processes.
                    assert!(bad.to_string().contains("too soon"), "a friend is sent a bad frame: {bad}");
                    self.link_down(mine, "a bad frame");
                }
                self.perform_friend();
            } else if let Some(frame) = self.from_friend.pop_front() {
                self.frame(mine, &frame);
                self.perform();
            } else {
                return;
            }
        }
        panic!("two friends never stop talking");
    }

    // The liars.

    fn next_link(&mut self) -> LinkId {
        self.last_link += 1;
        LinkId(self.last_link)
    }

    fn link_up(&mut self, liar: usize, clock: u64) {
        let link = self.next_link();
        let (now, person) = (self.at(), self.liars[liar].identity.person());
        let remote = SocketAddr::from(([10, 0, 0, 3], 4000));
        self.peer().handle_link_up(now, link, person, remote);
        let its = &mut self.liars[liar];
        (its.link, its.mark) = (Some(link), Mark::default());
        its.numbering = Numbering::new(&Limits::default());
        its.asked.clear();
        let hello = Control::Hello {
            greeting: its.greeting(clock.max(its.clock), clock),
            have: Vec::new(),
            records: vec![its.record(liar, Hlc { micros: START, logical: 0 })],
            returned: Box::new(Returned::default()),
        };
        self.control(liar, &hello);
        self.perform();
    }

    fn control(&mut self, liar: usize, control: &Control) {
        if let Some(link) = self.liars[liar].link {
            self.frame(link, &control.encode());
        }
    }

    /// Signs these messages together and sends those whose bits are set.
    fn send_batch(&mut self, liar: usize, messages: &[(Stamp, Bytes)], mask: u64) {
        let its = &mut self.liars[liar];
        let parts = messages.iter().map(|(stamp, body)| (stamp, &body[..]));
        let batch = Arc::new(SignedBatch::sign(&its.identity, its.process, parts, &self.names));
        its.clock =
            messages.iter().map(|(stamp, _)| stamp.clock).filter(|&clock| clock < 1000).fold(its.clock, u64::max);
        let frame = batch_frame::encode(&batch, mask, &mut its.numbering, &self.names);
        its.said.push(batch);
        let mut numbers = vec![NUMBERS];
        let is_news = its.mark != its.numbering.mark();
        its.mark = its.numbering.additions_since(its.mark, self.names.roster(), &mut numbers);
        let Some(link) = its.link else { return };
        if is_news {
            self.frame(link, &numbers);
        }
        if self.liars[liar].link.is_some() {
            self.frame(link, &frame);
        }
    }

    fn say_something(&mut self, liar: usize, input: &mut Input<'_>) -> Option<()> {
        let count = 1 + input.below(4)?;
        let mut messages = Vec::new();
        let mut next = self.liars[liar].clock + 1;
        for _ in 0..count {
            let stamp = self.stamp(liar, next, input)?;
            next = stamp.clock.wrapping_add(1);
            let body = self.body(liar, input)?;
            messages.push((stamp, body));
        }
        let all = (1 << count) - 1;
        let mask = match u64::from(input.byte()?) & all {
            0 => all,
            some => some,
        };
        self.send_batch(liar, &messages, mask);
        Some(())
    }

    fn say_welcome(&mut self, liar: usize, input: &mut Input<'_>) -> Option<()> {
        let next = self.liars[liar].clock + 1;
        let mut stamp = self.stamp(liar, next, input)?;
        let me = self.me();
        stamp.dests.insert(self.know(me)?);
        let body = self.welcome(input)?;
        self.send_batch(liar, &[(stamp, body)], 1);
        Some(())
    }

    /// Mostly the next message of a liar, to the peer and others.
    fn stamp(&mut self, liar: usize, next: u64, input: &mut Input<'_>) -> Option<Stamp> {
        let kind = input.byte()?;
        let clock = if kind % 4 == 0 { input.clock()?.max(1) } else { next };
        let sender = self.know(self.liars[liar].process)?;
        let me = self.me();
        let mut dests = if kind % 16 == 1 { Set::new() } else { [self.know(me)?].into_iter().collect() };
        dests.extend_from(&self.some_set(input)?);
        dests.remove(sender);
        let mut log = BTreeSet::new();
        let mut entries = Vec::new();
        for _ in 0..kind >> 6 {
            let author = *input.pick(&self.known)?;
            let (author, clock) = (self.know(author)?, input.clock()?.max(1));
            let dests = self.some_set(input)?;
            if log.insert((author, clock)) {
                entries.push(Entry { sender: author, clock, dests });
            }
        }
        if kind & 32 != 0 && clock > 1 && log.insert((sender, clock - 1)) {
            entries.push(Entry { sender, clock: clock - 1, dests: dests.clone() });
        }
        Some(Stamp { sender, clock, dests, log: entries.into_iter().collect() })
    }

    fn some_set(&mut self, input: &mut Input<'_>) -> Option<Set> {
        let bits = input.byte()?;
        let known = self.known.clone();
        let picked = known.iter().enumerate().filter(|(at, _)| bits >> (at % 8) & 1 == 1).map(|(_, process)| *process);
        Some(picked.filter_map(|process| self.know(process)).collect())
    }

    fn body(&mut self, liar: usize, input: &mut Input<'_>) -> Option<Bytes> {
        let text =
            |scope, hlc: Hlc, text: &str| body::text(&TextHead { scope, sent_at: hlc.micros, hlc, first: None }, text);
        Some(match input.byte()? % 16 {
            0..4 => text(Scope::All, input.hlc()?, "hello to all"),
            4 => {
                let group = Name::parse(input.pick(&GROUPS)?).ok()?;
                text(Scope::Group(group), input.hlc()?, "hello, group")
            }
            5 => {
                let plain = text(Scope::Direct, input.hlc()?, "hello, you");
                let (me, its) = (self.me().person, &self.liars[liar]);
                body::sealed(&its.identity.seal(&me, &arrival::sealing(its.process), &plain)?)
            }
            6 => text(Scope::Direct, input.hlc()?, "not sealed"),
            7 => text(Scope::All, input.hlc()?, &"long ".repeat(1200)),
            8 => {
                let version = input.hlc()?;
                if input.byte()? % 4 == 0 {
                    let its = &mut self.liars[liar];
                    its.process.incarnation.0 += 1;
                    let process = its.process;
                    self.know(process);
                }
                body::record(&self.liars[liar].record(usize::from(input.byte()?), version))
            }
            9 | 10 => self.welcome(input)?,
            11 => body::tombstone(*input.pick(&self.known)?),
            12 => body::sealed(b"nothing of the kind"),
            13 => Bytes::new(),
            _ => {
                let count = input.below(40)?;
                (0..count).map(|_| input.byte()).collect::<Option<Vec<u8>>>()?.into()
            }
        })
    }

    fn welcome(&mut self, input: &mut Input<'_>) -> Option<Bytes> {
        let count = input.below(3)?;
        let shown = (0..count).map(|_| {
            Some(body::Shown {
                scope: self.scope(input)?,
                up_to: self.by_author(input)?,
                newest: self.clocks_by_author(input)?,
            })
        });
        let shown = shown.collect::<Option<Vec<_>>>()?;
        let gone = if input.byte()? % 8 == 0 { vec![*input.pick(&self.known)?] } else { Vec::new() };
        Some(body::welcome(&Welcome { shown, gone }))
    }

    fn scope(&self, input: &mut Input<'_>) -> Option<Scope> {
        Some(match input.byte()? % 4 {
            0 | 1 => Scope::All,
            2 => Scope::Direct,
            _ => Scope::Group(Name::parse(input.pick(&GROUPS)?).ok()?),
        })
    }

    /// Mostly a known process; now and then one that never was.
    fn some_process(&mut self, input: &mut Input<'_>) -> Option<ProcessId> {
        match input.byte()? {
            made_up @ 240.. => Some(process(made_up, u64::from(input.byte()?))),
            life @ 224..240 => Some(process(1 + life % 5, u64::from(input.byte()?))),
            byte => self.known.get(usize::from(byte) % self.known.len()).copied(),
        }
    }

    fn by_author(&mut self, input: &mut Input<'_>) -> Option<Vec<(ProcessId, u64)>> {
        let count = input.below(6)?;
        (0..count).map(|_| Some((self.some_process(input)?, input.clock()?))).collect()
    }

    fn clocks_by_author(&mut self, input: &mut Input<'_>) -> Option<Vec<(ProcessId, Vec<u64>)>> {
        let count = input.below(3)?;
        (0..count).map(|_| Some((self.some_process(input)?, input.clocks()?))).collect()
    }

    fn have(&mut self, input: &mut Input<'_>) -> Option<Vec<Have>> {
        let count = input.below(7)?;
        let one = |_| {
            let (author, delivered) = (self.some_process(input)?, input.clock()?);
            let mut ends = if input.byte()? % 3 == 0 { input.clocks()? } else { Vec::new() };
            if input.byte()? % 8 != 0 {
                ends.sort_unstable();
                ends.dedup();
            }
            let holes = ends.as_chunks::<2>().0.iter().map(|&[from, to]| (from, to)).collect();
            Some(Have { author, delivered, holes })
        };
        (0..count).map(one).collect()
    }

    fn ids(&mut self, input: &mut Input<'_>) -> Option<Vec<ParcelIds>> {
        let count = input.below(4)?;
        let one = |_| {
            Some(ParcelIds {
                author: self.some_process(input)?,
                to: self.some_process(input)?,
                clocks: input.clocks()?,
            })
        };
        (0..count).map(one).collect()
    }

    /// Some of what the liars have said, or of one of them.
    fn piece(&mut self, author: Option<PersonId>, input: &mut Input<'_>) -> Option<Bytes> {
        let kept = self.some_kept(author, input)?;
        let mut piece = Builder::new(100, 100_000);
        kept.iter().for_each(|kept| piece.put(kept));
        let mut piece = piece.finish(&self.names).to_vec();
        if input.byte()? % 16 == 0 && !piece.is_empty() {
            let at = input.below(piece.len())?;
            piece[at] ^= input.byte()?;
        }
        Some(piece.into())
    }

    fn some_kept(&mut self, author: Option<PersonId>, input: &mut Input<'_>) -> Option<Vec<Kept>> {
        let is_meant = |liar: &&Liar| author.is_none_or(|author| liar.identity.person() == author);
        let said = self.liars.iter().filter(is_meant).flat_map(|liar| &liar.said);
        let all: Vec<Kept> =
            said.flat_map(|batch| batch.here().map(|index| Kept::new(Arc::clone(batch), index))).collect();
        let count = input.below(6)?;
        if all.is_empty() {
            return Some(Vec::new());
        }
        (0..count).map(|_| Some(all[all.len() - 1 - input.below(all.len())?].clone())).collect()
    }

    /// Answers what the peer asked first, more or less as it was asked.
    fn answer(&mut self, liar: usize, input: &mut Input<'_>) -> Option<()> {
        while let Some(asked) = self.liars[liar].asked.pop_front() {
            let answer = match asked {
                Control::Pull { author, after, up_to } => {
                    let piece = self.piece(Some(author.person), input)?;
                    let kind = input.byte()?;
                    let through = if kind & 1 == 0 { up_to } else { input.clock()? };
                    let clock = if kind & 2 == 0 { None } else { Some(input.clock()?) };
                    let due_ms = if kind & 12 == 0 { Some(input.clock()?) } else { None };
                    Control::Pulled(Pulled { author, after, piece, through, up_to, clock, due_ms })
                }
                Control::HistoryWanted(wanted) => {
                    let piece = self.piece(None, input)?;
                    let kind = input.byte()?;
                    let more = if kind & 1 == 0 {
                        None
                    } else {
                        let message = MessageId { process: self.some_process(input)?, clock: input.clock()? };
                        Some((input.hlc()?, message))
                    };
                    let shown = [Shown::Behind, Shown::Lacking, Shown::GivenUp, Shown::All][usize::from(kind >> 6)];
                    Control::History { request: wanted.request, piece, more, shown }
                }
                Control::Carrying { offered } => {
                    let wanted = if input.byte()? % 2 == 0 { offered.clone() } else { self.ids(input)? };
                    let done = if input.byte()? % 8 == 0 { offered } else { Vec::new() };
                    Control::CarryWanted { wanted, done }
                }
                Control::CarryWanted { wanted, .. } => Control::Parcels { parcels: self.parcels(&wanted) },
                Control::Hello { .. }
                | Control::Greeting { .. }
                | Control::Have { .. }
                | Control::Pulled(_)
                | Control::Parcels { .. }
                | Control::History { .. }
                | Control::Forgotten { .. } => continue,
            };
            self.control(liar, &answer);
            return Some(());
        }
        Some(())
    }

    /// The parcels that are wanted, of those that the liars can make.
    fn parcels(&mut self, wanted: &[ParcelIds]) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        for ids in wanted {
            let Some(author) = self.liars.iter().find(|liar| liar.process == ids.author) else { continue };
            let said = author.said.iter().flat_map(|batch| batch.here().map(|at| Kept::new(Arc::clone(batch), at)));
            for kept in said.filter(|kept| ids.clocks.contains(&kept.clock())) {
                parcels.extend(Parcel::seal(&author.identity, kept.id(), ids.to, &kept.handed(&self.names)));
            }
        }
        parcels
    }

    fn say_control(&mut self, liar: usize, input: &mut Input<'_>) -> Option<()> {
        let control = match input.byte()? % 12 {
            0 => Control::Greeting { signed: self.liars[liar].greeting(input.clock()?, input.clock()?) },
            1 => Control::Pull { author: self.some_process(input)?, after: input.clock()?, up_to: input.clock()? },
            2 => Control::Carrying { offered: self.ids(input)? },
            3 => Control::CarryWanted { wanted: self.ids(input)?, done: self.ids(input)? },
            4 => Control::Forgotten { process: self.some_process(input)? },
            5 => {
                let ids = self.ids(input)?;
                Control::Parcels { parcels: self.parcels(&ids) }
            }
            6 | 7 => Control::HistoryWanted(crate::frame::HistoryWanted {
                request: 7,
                scope: self.scope(input)?,
                after: self.by_author(input)?,
                up_to: self.by_author(input)?,
                also: self.clocks_by_author(input)?,
                before: if input.byte()? % 2 == 0 {
                    None
                } else {
                    Some((input.hlc()?, MessageId { process: self.some_process(input)?, clock: input.clock()? }))
                },
            }),
            8 => {
                // Parcels are offered that are there to be given.
                let kept = self.some_kept(None, input)?;
                let to = self.some_process(input)?;
                let one = |kept: &Kept| ParcelIds { author: kept.id().process, to, clocks: vec![kept.clock()] };
                Control::Carrying { offered: kept.iter().map(one).collect() }
            }
            9 => Control::Pulled(Pulled {
                author: self.some_process(input)?,
                after: input.clock()?,
                piece: self.piece(None, input)?,
                through: input.clock()?,
                up_to: input.clock()?,
                clock: Some(input.clock()?),
                due_ms: None,
            }),
            10 => Control::Hello {
                greeting: self.liars[liar].greeting(input.clock()?, 0),
                have: self.have(input)?,
                records: Vec::new(),
                returned: Box::new(Returned::default()),
            },
            _ => Control::Have { clock: self.liars[liar].clock, have: self.have(input)?, again: true },
        };
        self.control(liar, &control);
        Some(())
    }

    /// What the peer said itself, more or less, or bytes of no kind.
    fn say_rubbish(&mut self, liar: usize, input: &mut Input<'_>) -> Option<()> {
        let heard: Vec<Bytes> = self.liars.iter().flat_map(|liar| liar.heard.iter().cloned()).collect();
        let mut frame = match input.byte()? % 4 {
            0 => {
                let count = input.below(60)?;
                (0..count).map(|_| input.byte()).collect::<Option<Vec<u8>>>()?
            }
            _ if heard.is_empty() => vec![BATCH],
            _ => heard[input.below(heard.len())?].to_vec(),
        };
        for _ in 0..input.below(3)? {
            if !frame.is_empty() {
                let at = input.below(frame.len())?;
                frame[at] = input.byte()?;
            }
        }
        if let Some(link) = self.liars[liar].link {
            self.frame(link, &frame);
        }
        Some(())
    }
}

impl Liar {
    fn greeting(&self, clock: u64, delivered: u64) -> Bytes {
        greeting::sign(&self.identity, &Greeting { process: self.process, clock, last: None, delivered })
    }

    fn record(&self, name: usize, version: Hlc) -> SignedRecord {
        let name = Name::parse(NAMES[name % NAMES.len()]).expect("it is a name");
        let groups = GROUPS.iter().filter_map(|group| Name::parse(group).ok()).take(1).collect();
        let addresses = vec![SocketAddr::from(([10, 0, 0, 3], 4000))];
        let (process, rank, started_as) = (self.process, 0, None);
        SignedRecord::sign(&self.identity, &Record { process, name, groups, addresses, version, rank, started_as })
    }
}
