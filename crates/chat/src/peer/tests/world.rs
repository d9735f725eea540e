//! A small world of peers with a clock of its own. Whatever is random comes from a seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;

use super::store::TestStore;
use crate::frame::{Control, Frame};
use crate::peer::piece::messages_in;
use crate::peer::{Now, Peer};
use crate::store::{MemoryLimits, Store};
use crate::{
    Answer, Command, Config, Effects, Event, Identity, Incarnation, Journal, LinkId, Message, MessageId, Name,
    ProcessId, Refusal, Target,
};

/// One peer and what its user saw.
pub(super) struct Someone {
    pub(super) peer: Peer<TestStore>,
    pub(super) events: Vec<Event>,
    pub(super) journal: Vec<Journal>,
    pub(super) closed: Vec<String>,
    /// The addresses that were to be dialled to learn who is there.
    pub(super) reaches: Vec<SocketAddr>,
    seed: u8,
    life: u64,
}

/// A directed half of a link.
#[derive(Default)]
struct Half {
    frames: VecDeque<Bytes>,
    slow: bool,
}

/// Peers and the links between them.
pub(super) struct World {
    pub(super) people: Vec<Someone>,
    now: Duration,
    /// How far everybody's wall clock was set back.
    set_back: Duration,
    /// By how many microseconds the wall clock of a peer is off.
    off: BTreeMap<usize, i64>,
    config: Config,
    limits: MemoryLimits,
    links: BTreeMap<(usize, usize), LinkId>,
    halves: BTreeMap<LinkId, (usize, usize, Half)>,
    slow: BTreeSet<(usize, usize)>,
    last_link: u64,
    random: u64,
    /// Who is not called at all.
    stopped: Option<usize>,
    /// What crossed each link, by (from, to).
    pub(super) crossed: BTreeMap<(usize, usize), Crossed>,
}

/// How much of what went over a link, in one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Crossed {
    /// Messages fresh from their author, and handed on.
    pub(super) messages: usize,
    /// Messages handed over as history.
    pub(super) history: usize,
    pub(super) parcels: usize,
    pub(super) pulls: usize,
    pub(super) bytes: usize,
}

impl Crossed {
    fn count(&mut self, frame: &[u8]) {
        self.bytes += frame.len();
        match Frame::decode(frame) {
            Ok(Frame::Batch(batch)) => {
                let mask = batch.get(65..73).map_or(0, |mask| u64::from_be_bytes(mask.try_into().unwrap()));
                self.messages += mask.count_ones() as usize;
            }
            Ok(Frame::Control(control)) => match *control {
                Control::Pulled(pulled) => self.messages += messages_in(&pulled.piece),
                Control::History { piece, .. } => self.history += messages_in(&piece),
                Control::Parcels { parcels } => self.parcels += parcels.len(),
                Control::Pull { .. } => self.pulls += 1,
                _ => {}
            },
            Ok(Frame::Numbers(_)) | Err(_) => {}
        }
    }
}

pub(super) const START: i64 = 1_800_000_000_000_000;

impl World {
    /// Peers of these names, not linked yet.
    pub(super) fn new(names: &[&str]) -> Self {
        Self::with_config(names, Config { journal: true, ..Config::default() })
    }

    pub(super) fn with_config(names: &[&str], config: Config) -> Self {
        Self::with_limits(names, config, MemoryLimits::default())
    }

    pub(super) fn with_limits(names: &[&str], config: Config, limits: MemoryLimits) -> Self {
        let mut world = Self {
            people: Vec::new(),
            now: Duration::from_secs(1),
            set_back: Duration::ZERO,
            off: BTreeMap::new(),
            config,
            limits,
            links: BTreeMap::new(),
            halves: BTreeMap::new(),
            slow: BTreeSet::new(),
            last_link: 0,
            random: 1,
            crossed: BTreeMap::new(),
            stopped: None,
        };
        for name in names {
            world.add(name);
        }
        world
    }

    /// Peers of these names, all linked to one another, everything settled.
    pub(super) fn mesh(names: &[&str]) -> Self {
        Self::mesh_with(names, Config { journal: true, ..Config::default() })
    }

    /// The same, with peers that stamp what goes out in an hour, as they did once: others give it up before it comes.
    pub(super) fn mesh_of_old(names: &[&str]) -> Self {
        let mut world = Self::of_old(names);
        world.link_all();
        world.settle();
        world
    }

    /// Peers of these names that stamp what goes out in an hour, not linked yet.
    pub(super) fn of_old(names: &[&str]) -> Self {
        let config = Config { journal: true, ..Config::default() };
        Self::with_config(names, Config { max_stamped_delay: config.max_delay, ..config })
    }

    pub(super) fn mesh_with(names: &[&str], config: Config) -> Self {
        let mut world = Self::with_config(names, config);
        world.link_all();
        world.settle();
        world
    }

    pub(super) fn link_all(&mut self) {
        for a in 0..self.people.len() {
            for b in a + 1..self.people.len() {
                if !self.is_linked(a, b) {
                    self.link(a, b);
                }
            }
        }
    }

    /// Somebody new, not linked yet.
    pub(super) fn add(&mut self, name: &str) -> usize {
        let seed = u8::try_from(self.people.len() + 1).unwrap();
        let someone = self.born(name, seed, 1);
        self.people.push(someone);
        self.people.len() - 1
    }

    fn born(&self, name: &str, seed: u8, life: u64) -> Someone {
        self.born_with(TestStore::new(self.limits), name, seed, life)
    }

    fn born_with(&self, store: TestStore, name: &str, seed: u8, life: u64) -> Someone {
        let mut peer = Peer::new(
            self.config.clone(),
            Identity::from_seed([seed; 32]),
            Name::parse(name).unwrap(),
            Incarnation(u64::from(seed) * 1000 + life),
            store,
            self.now_of(usize::from(seed) - 1),
        )
        .unwrap();
        peer.handle_listening(SocketAddr::from(([10, 0, 0, seed], 4000)));
        Someone { peer, events: Vec::new(), journal: Vec::new(), closed: Vec::new(), reaches: Vec::new(), seed, life }
    }

    pub(super) fn now(&self) -> Now {
        let micros = |span: Duration| i64::try_from(span.as_micros()).unwrap();
        Now { monotonic: self.now, unix_micros: START + micros(self.now) - micros(self.set_back) }
    }

    /// The time as `who` has it.
    fn now_of(&self, who: usize) -> Now {
        let Now { monotonic, unix_micros } = self.now();
        Now { monotonic, unix_micros: unix_micros.saturating_add(self.off.get(&who).copied().unwrap_or(0)) }
    }

    /// From now on the wall clock of `who` is off by so many microseconds.
    pub(super) fn set_off(&mut self, who: usize, by: i64) {
        self.off.insert(who, by);
    }

    /// Sets everybody's wall clock back.
    pub(super) fn set_back(&mut self, by: Duration) {
        self.set_back += by;
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        self.links.contains_key(&(a, b))
    }

    pub(super) fn link(&mut self, a: usize, b: usize) {
        assert!(!self.is_linked(a, b));
        for (from, to) in [(a, b), (b, a)] {
            self.last_link += 1;
            let id = LinkId(self.last_link);
            self.links.insert((from, to), id);
            let half = Half { slow: self.slow.contains(&(from, to)), ..Half::default() };
            self.halves.insert(id, (from, to, half));
        }
        for (me, other) in [(a, b), (b, a)] {
            let person = self.people[other].peer.process().person;
            let remote = SocketAddr::from(([10, 0, 0, self.people[other].seed], 50_000));
            let (now, link) = (self.now_of(me), self.links[&(me, other)]);
            self.people[me].peer.handle_link_up(now, link, person, remote);
            self.perform(me);
        }
    }

    /// The link breaks: what is on its way is lost.
    pub(super) fn cut(&mut self, a: usize, b: usize) {
        for (me, other) in [(a, b), (b, a)] {
            let Some(link) = self.links.remove(&(me, other)) else { return };
            self.halves.remove(&link);
            let now = self.now_of(me);
            self.people[me].peer.handle_link_down(now, link, "cut");
            self.perform(me);
        }
    }

    /// Cuts every link between the two sides.
    pub(super) fn split(&mut self, left: &[usize], right: &[usize]) {
        for &a in left {
            for &b in right {
                self.cut(a, b);
            }
        }
    }

    /// Its user is about to leave.
    pub(super) fn leaving(&mut self, who: usize) {
        self.people[who].peer.handle_leaving();
        self.perform(who);
    }

    /// Its user deletes the account, and it takes the steps to that.
    pub(super) fn delete(&mut self, who: usize) {
        let name = self.people[who].peer.name.to_string();
        self.command(who, Command::DeleteAccount { name }).unwrap();
        let now = self.now_of(who);
        self.people[who].peer.handle_leaving_for_good(now);
        self.perform(who);
        self.settle();
        let now = self.now_of(who);
        self.people[who].peer.handle_deletion(now);
        self.perform(who);
        self.settle();
    }

    /// Killed, without a word; all that it knew is gone.
    pub(super) fn kill(&mut self, who: usize) {
        for other in 0..self.people.len() {
            if other != who {
                self.cut(who, other);
            }
        }
    }

    /// Back as a new incarnation with nothing but its key.
    pub(super) fn restart(&mut self, who: usize) {
        let name = self.people[who].peer.name.to_string();
        self.restart_as(who, &name);
    }

    /// The same, and started with this name.
    pub(super) fn restart_as(&mut self, who: usize, name: &str) {
        self.kill(who);
        let Someone { seed, life, .. } = self.people[who];
        let events = std::mem::take(&mut self.people[who].events);
        self.people[who] = self.born(name, seed, life + 1);
        self.people[who].events = events;
    }

    /// From now on what `who` keeps survives it.
    pub(super) fn keep(&mut self, who: usize) {
        assert!(self.links.keys().all(|&(me, _)| me != who), "before it has heard of anybody");
        let Someone { seed, life, .. } = self.people[who];
        let name = self.people[who].peer.name.to_string();
        self.people[who] = self.born_with(TestStore::surviving(), &name, seed, life);
    }

    /// Killed, and back with all that it kept.
    pub(super) fn come_back(&mut self, who: usize) {
        let name = self.people[who].peer.name.to_string();
        self.come_back_as(who, &name);
    }

    /// The same, and started with this name.
    pub(super) fn come_back_as(&mut self, who: usize, name: &str) {
        self.kill(who);
        let Someone { seed, life, .. } = self.people[who];
        let placeholder = self.born(name, seed, life + 1);
        let before = std::mem::replace(&mut self.people[who], placeholder);
        let Someone { peer, events, journal, closed, .. } = before;
        let back = self.born_with(peer.into_store(), name, seed, life + 1);
        self.people[who] = Someone { events, journal, closed, ..back };
    }

    /// A copy of what `who` keeps is run too: a peer of the same person, not linked yet.
    pub(super) fn copy(&mut self, who: usize) -> usize {
        let Someone { seed, .. } = self.people[who];
        let name = self.people[who].peer.name.to_string();
        let store = self.people[who].peer.store_mut().copy();
        let life = 100 + u64::try_from(self.people.len()).unwrap();
        let copy = self.born_with(store, &name, seed, life);
        self.people.push(copy);
        self.people.len() - 1
    }

    /// The others keep their links with a copy of `who`.
    pub(super) fn superseded(&mut self, who: usize) {
        self.kill(who);
        let now = self.now_of(who);
        self.people[who].peer.handle_superseded(now);
        self.perform(who);
    }

    /// What `from` says to `to` stays on the way until the link is fast again.
    pub(super) fn slow(&mut self, from: usize, to: usize) {
        self.slow.insert((from, to));
        if let Some(link) = self.links.get(&(from, to)) {
            self.halves.get_mut(link).unwrap().2.slow = true;
        }
    }

    pub(super) fn fast(&mut self, from: usize, to: usize) {
        self.slow.remove(&(from, to));
        if let Some(link) = self.links.get(&(from, to)) {
            self.halves.get_mut(link).unwrap().2.slow = false;
        }
    }

    /// `who` is stopped for so long, and looks at its timers before it looks at what came meanwhile.
    pub(super) fn stop(&mut self, who: usize, duration: Duration) {
        let end = self.now + duration;
        self.stopped = Some(who);
        while self.now < end {
            self.pass((end - self.now).min(Duration::from_secs(1)));
        }
        self.stopped = None;
        let now = self.now_of(who);
        self.people[who].peer.handle_timeout(now);
        self.perform(who);
    }

    /// `from` is told that its link to `to` has no room.
    pub(super) fn full(&mut self, from: usize, to: usize) {
        self.people[from].peer.handle_link_full(self.links[&(from, to)]);
    }

    /// `from` is told that its link to `to` has room again.
    pub(super) fn ready(&mut self, from: usize, to: usize) {
        self.people[from].peer.handle_link_ready(self.links[&(from, to)]);
        self.perform(from);
    }

    /// What `from` sent to `to` and has not arrived.
    pub(super) fn frames_on_the_way(&self, from: usize, to: usize) -> Vec<Bytes> {
        self.halves[&self.links[&(from, to)]].2.frames.iter().cloned().collect()
    }

    /// Replaces frames that are on their way.
    pub(super) fn tamper(&mut self, from: usize, to: usize, mut with: impl FnMut(&Bytes) -> Option<Bytes>) {
        let half = &mut self.halves.get_mut(&self.links[&(from, to)]).unwrap().2;
        for frame in &mut half.frames {
            if let Some(other) = with(frame) {
                *frame = other;
            }
        }
    }

    /// Carries what is on its way over one link, slow or not.
    pub(super) fn deliver_all(&mut self, from: usize, to: usize) {
        let half = &mut self.halves.get_mut(&self.links[&(from, to)]).unwrap().2;
        for frame in std::mem::take(&mut half.frames) {
            self.carry(from, to, &frame);
        }
    }

    /// A number from 0 to `sides` - 1.
    pub(super) fn dice(&mut self, sides: usize) -> usize {
        self.next_random(sides)
    }

    /// Computes happened-before from the journals alone and checks that nobody delivered a message before one that
    /// happened before it and was addressed to him too (Lamport 1978).
    pub(super) fn assert_causal_order(&self, seed: u64) {
        let mut past: BTreeMap<MessageId, (BTreeSet<MessageId>, Vec<ProcessId>)> = BTreeMap::new();
        let mut seen: Vec<BTreeSet<MessageId>> = vec![BTreeSet::new(); self.people.len()];
        let mut at = vec![0; self.people.len()];
        let mut moved = true;
        while std::mem::take(&mut moved) {
            for (who, someone) in self.people.iter().enumerate() {
                while let Some(entry) = someone.journal.get(at[who]) {
                    match entry {
                        Journal::Send { id, dests, .. } => {
                            past.insert(*id, (seen[who].clone(), dests.clone()));
                            seen[who].insert(*id);
                        }
                        Journal::Deliver { id } => {
                            let Some((before, _)) = past.get(id) else { break };
                            let me = someone.peer.process();
                            for earlier in before {
                                let mine = past[earlier].1.contains(&me);
                                assert!(!mine || seen[who].contains(earlier), "seed {seed}: {id} before {earlier}");
                            }
                            let before = before.clone();
                            seen[who].extend(before);
                            seen[who].insert(*id);
                        }
                        _ => {}
                    }
                    at[who] += 1;
                    moved = true;
                }
            }
        }
        for (who, someone) in self.people.iter().enumerate() {
            assert_eq!(at[who], someone.journal.len(), "seed {seed}: a message from nowhere");
        }
    }

    fn next_random(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.random >> 33).unwrap() % below
    }

    pub(super) fn seed(&mut self, seed: u64) {
        self.random = seed;
    }

    fn perform(&mut self, who: usize) {
        loop {
            let now = self.now_of(who);
            let someone = &mut self.people[who];
            let effects = someone.peer.take_effects(now);
            if effects.is_empty() {
                return;
            }
            let Effects { durable, journal, frames, renew, dial: _, reach, met: _, events } = effects;
            someone.reaches.extend(reach);
            someone.peer.store_mut().apply(&durable).unwrap();
            someone.journal.extend(journal);
            someone.events.extend(events);
            someone.closed.extend(renew.iter().map(|(_, reason)| reason.clone()));
            for (link, frame) in frames {
                if let Some((_, _, half)) = self.halves.get_mut(&link) {
                    half.frames.push_back(frame);
                }
            }
            for (link, _) in renew {
                if let Some(&(from, to, _)) = self.halves.get(&link) {
                    self.cut(from, to);
                }
            }
        }
    }

    /// Carries one frame over some link that is not slow. False if there is none.
    pub(super) fn step(&mut self) -> bool {
        let loaded: Vec<LinkId> = self
            .halves
            .iter()
            .filter(|(_, (_, to, h))| !h.slow && self.stopped != Some(*to) && !h.frames.is_empty())
            .map(|(&l, _)| l)
            .collect();
        if loaded.is_empty() {
            return false;
        }
        let link = loaded[self.next_random(loaded.len())];
        let (from, to, half) = self.halves.get_mut(&link).unwrap();
        let (from, to) = (*from, *to);
        let frame = half.frames.pop_front().unwrap();
        self.carry(from, to, &frame);
        true
    }

    /// Hands a frame to `to` as if `from` had sent it.
    pub(super) fn carry(&mut self, from: usize, to: usize, frame: &Bytes) {
        let Some(&link) = self.links.get(&(to, from)) else { return };
        self.crossed.entry((from, to)).or_default().count(frame);
        let now = self.now_of(to);
        if let Err(bad) = self.people[to].peer.handle_frame(now, link, frame) {
            self.people[to].closed.push(bad.to_string());
            self.perform(to);
            self.cut(from, to);
            return;
        }
        self.perform(to);
    }

    /// Carries everything that is on its way, timers that are due included, until nothing moves.
    pub(super) fn settle(&mut self) {
        self.pass(Duration::ZERO);
    }

    /// Lets time pass, carrying everything at once.
    pub(super) fn pass(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            while self.step() {}
            let awake = (0..self.people.len()).filter(|&who| self.stopped != Some(who));
            let next = awake.filter_map(|who| self.people[who].peer.poll_timeout()).map(|(at, _)| at).min();
            match next {
                Some(at) if at <= end => {
                    self.now = self.now.max(at);
                    for who in (0..self.people.len()).filter(|&who| self.stopped != Some(who)).collect::<Vec<_>>() {
                        let now = self.now_of(who);
                        if self.people[who].peer.poll_timeout().is_some_and(|(at, _)| at <= now.monotonic) {
                            self.people[who].peer.handle_timeout(now);
                            self.perform(who);
                        }
                    }
                }
                _ => break,
            }
        }
        self.now = end;
    }

    pub(super) fn command(&mut self, who: usize, command: Command) -> Result<Answer, Refusal> {
        let now = self.now_of(who);
        let answer = self.people[who].peer.handle_command(now, command);
        self.perform(who);
        answer
    }

    /// The dial of an address has proved that `there` is the one who answers.
    pub(super) fn reached(&mut self, who: usize, address: SocketAddr, there: usize) {
        let (now, person) = (self.now(), self.people[there].peer.process().person);
        self.people[who].peer.handle_reached(now, address, person);
        self.perform(who);
    }

    pub(super) fn say(&mut self, who: usize, to: &str, text: &str) -> Message {
        self.say_later(who, to, text, 0)
    }

    pub(super) fn say_later(&mut self, who: usize, to: &str, text: &str, delay_ms: u64) -> Message {
        let to = target(to);
        match self.command(who, Command::Send { to, text: text.to_owned(), delay_ms }) {
            Ok(Answer::Sent { message, .. }) => message,
            other => panic!("not sent: {other:?}"),
        }
    }

    /// Says `count` things in one turn.
    pub(super) fn say_many(&mut self, who: usize, to: &str, count: usize) {
        self.say_together(who, (0..count).map(|round| (to, format!("{round}"))));
    }

    /// Says these things, each to somebody, in one turn.
    pub(super) fn say_together<'a>(&mut self, who: usize, said: impl Iterator<Item = (&'a str, String)>) {
        let now = self.now_of(who);
        for (to, text) in said {
            let to = target(to);
            let said = self.people[who].peer.handle_command(now, Command::Send { to, text, delay_ms: 0 });
            said.unwrap();
        }
        self.perform(who);
    }

    pub(super) fn create(&mut self, who: usize, group: &str) {
        self.command(who, Command::CreateGroup { group: group.to_owned() }).unwrap();
    }

    pub(super) fn join(&mut self, who: usize, group: &str) {
        self.command(who, Command::JoinGroup { group: group.to_owned() }).unwrap();
    }

    /// The messages that were shown to `who`, in the order in which they were.
    pub(super) fn shown(&self, who: usize) -> Vec<Message> {
        let message = |event: &Event| match event {
            Event::Message { message } => Some(message.clone()),
            _ => None,
        };
        self.people[who].events.iter().filter_map(message).collect()
    }

    pub(super) fn heard(&self, who: usize) -> Vec<String> {
        self.shown(who).iter().map(|message| message.text.to_string()).collect()
    }

    pub(super) fn history(&mut self, who: usize, of: &str) -> Vec<String> {
        let of = target(of);
        match self.command(who, Command::History { of: Some(of), count: Some(10_000), before: None, after: None }) {
            Ok(Answer::History { messages, .. }) => messages.iter().map(|message| message.text.to_string()).collect(),
            other => panic!("no history: {other:?}"),
        }
    }
}

/// `all`, a name, or several with blanks in between.
fn target(written: &str) -> Target {
    match written {
        "all" => Target::All,
        several if several.contains(' ') => Target::People(several.split(' ').map(str::to_owned).collect()),
        name => Target::Name(name.to_owned()),
    }
}
