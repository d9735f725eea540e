//! Any sequence of calls to a few processes, over a network that loses, repeats and reorders, with a liar among them. After
//! each call the [`invariants`] must hold. The first byte tells how much the liar may lie:
//!
//! - Not at all. Then causal order holds except across what was given up, and every message is delivered in the end.
//! - About clocks that do not exist, under [`Trust::Vouched`]. Then the same holds.
//! - About everything, in the name of every process. Then order cannot be promised, but nothing else may break.

#[path = "invariants.rs"]
mod invariants;

use std::collections::{BTreeMap, BTreeSet};

use causal::{
    Clock, Config, Delivery, Entry, Envelope, Hole, Index, Limits, MAX_CLOCK, Markers, Receipt, Refusal, Set, Stamp,
    Trust,
};
use invariants::{Counted, Peer};

type Id = u8;

/// The number of processes that do not lie.
const HONEST: Id = 4;
const LIAR: Id = HONEST;
/// The number of ids. Only the liar names those above its own.
const IDS: Id = 8;
/// Clocks from here on are made up.
const MADE_UP: Clock = 1_000_000;
/// Messages of the liar have higher numbers than this, and honest ones have lower numbers.
const FOREIGN: usize = 1_000;
/// The most honest messages.
const MOST: usize = 128;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Lies {
    None,
    Clocks,
    Anything,
}

struct Input<'a>(&'a [u8]);

struct Sent {
    author: Id,
    envelope: Envelope<Id>,
    dests: BTreeSet<Id>,
    /// The messages that happened before it, one bit for each.
    past: u128,
}

struct Member {
    process: Peer,
    counted: Counted,
    /// The messages that were taken in and not delivered yet, by number.
    taken: BTreeMap<usize, Stamp>,
    /// The authors and clocks of all delivered messages.
    ids: BTreeSet<(Index, Clock)>,
    past: u128,
    delivered: u128,
    given_up: Vec<(Id, Hole)>,
}

struct World {
    lies: Lies,
    config: Config,
    members: BTreeMap<Id, Member>,
    gone: BTreeSet<Id>,
    sent: Vec<Sent>,
    wire: Vec<(Id, usize)>,
    lost: Vec<(Id, usize)>,
    foreign: usize,
    /// The clock of the liar's last message.
    lied: Clock,
}

pub(crate) fn run(data: &[u8]) {
    let mut input = Input(data);
    let Some(setup) = input.byte() else { return };
    let mut world = World::new(setup);
    while let Some(call) = input.byte() {
        if world.step(call, &mut input).is_none() {
            break;
        }
    }
    if world.lies != Lies::Anything {
        world.settle();
    }
}

impl Input<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn place(&mut self, length: usize) -> Option<usize> {
        let byte = usize::from(self.byte()?);
        (length > 0).then(|| byte % length)
    }

    /// Mostly a small clock; now and then one near the last or beyond it.
    fn clock(&mut self) -> Option<Clock> {
        Some(match self.byte()? {
            byte @ 0..248 => Clock::from(byte) % 40,
            byte => MAX_CLOCK + 2 - Clock::from(255 - byte),
        })
    }
}

impl World {
    fn new(setup: u8) -> Self {
        let lies = match setup % 4 {
            0 => Lies::None,
            1 => Lies::Clocks,
            _ => Lies::Anything,
        };
        let trust = match lies {
            Lies::None | Lies::Anything if setup & 4 == 0 => Trust::Everyone,
            Lies::None | Lies::Clocks | Lies::Anything => Trust::Vouched,
        };
        let markers = if setup & 8 == 0 { Markers::Always } else { Markers::Beyond(1) };
        let mut config = Config { markers, trust, ..Config::default() };
        if setup & 16 != 0 {
            config.max_held = 4;
        }
        if lies == Lies::Anything && setup & 32 != 0 {
            config.max_held_entries = 5;
            (config.max_processes, config.max_entries, config.max_log, config.max_holes) = (7, 2, 8, 3);
        }
        let mut world = Self {
            lies,
            config,
            members: BTreeMap::new(),
            gone: BTreeSet::new(),
            sent: Vec::new(),
            wire: Vec::new(),
            lost: Vec::new(),
            foreign: FOREIGN,
            lied: 0,
        };
        for id in 0..HONEST {
            let member = Member {
                process: Peer::new(id, world.config.clone()),
                counted: Counted::default(),
                taken: BTreeMap::new(),
                ids: BTreeSet::new(),
                past: 0,
                delivered: 0,
                given_up: Vec::new(),
            };
            world.members.insert(id, member);
        }
        world
    }

    /// One call; `None` when the input is at its end.
    fn step(&mut self, call: u8, input: &mut Input<'_>) -> Option<()> {
        let ids: Vec<Id> = self.members.keys().copied().collect();
        let who = ids[input.place(ids.len())?];
        match call % 16 {
            0..3 => self.multicast(who, input.byte()?),
            3..7 => {
                let form = input.byte()?;
                if let Some(copy) = input.place(self.wire.len()) {
                    let (to, number) = self.wire.swap_remove(copy);
                    self.arrive(to, number, form);
                }
            }
            7 => {
                if let Some(copy) = input.place(self.wire.len()) {
                    let copy = self.wire.swap_remove(copy);
                    self.lost.push(copy);
                }
            }
            8 => {
                if let Some(copy) = input.place(self.wire.len()) {
                    self.wire.push(self.wire[copy]);
                }
            }
            9 => {
                if let Some(copy) = input.place(self.lost.len()) {
                    let (to, number) = self.lost.swap_remove(copy);
                    self.arrive(to, number, 0);
                }
            }
            10 => {
                let missing = self.members[&who].process.missing().count();
                if let Some(which) = input.place(missing) {
                    self.give_up(who, which);
                }
            }
            11 => self.restart(who),
            12 => {
                let whom = input.byte()? % HONEST;
                self.ask(who, whom);
            }
            13 if ids.len() > 2 && input.byte()? % 4 == 0 => self.crash(who),
            13 => {
                for gone in self.gone.clone() {
                    self.forget(who, gone);
                }
            }
            _ => match self.lies {
                Lies::None => self.disregard(who, input)?,
                Lies::Clocks if call / 16 % 4 == 0 => self.disregard(who, input)?,
                Lies::Clocks => self.lie_about_clocks(who, input)?,
                Lies::Anything if call % 16 == 14 => self.lie(who, input)?,
                Lies::Anything => self.call(who, input)?,
            },
        }
        if let Some(member) = self.members.get(&who) {
            invariants::check(&member.process, &self.config, &member.counted);
        }
        Some(())
    }

    /// The copies that were not lost arrive, missing messages are given up, and then the lost copies arrive.
    fn settle(&mut self) {
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            self.ask(id, LIAR);
        }
        while !self.wire.is_empty() {
            let (to, number) = self.wire.remove(0);
            let before = self.wire.len();
            self.arrive(to, number, 0);
            if self.wire.len() > before {
                self.give_up(to, 0);
            }
        }
        for id in self.members.keys().copied().collect::<Vec<_>>() {
            while self.members[&id].process.held() > 0 {
                self.give_up(id, 0);
            }
            for gone in self.gone.clone() {
                self.forget(id, gone);
            }
        }
        for (to, number) in std::mem::take(&mut self.lost) {
            self.arrive(to, number, 0);
            while self.members[&to].process.held() > 0 {
                self.give_up(to, 0);
            }
        }
        for (id, member) in &self.members {
            invariants::check(&member.process, &self.config, &member.counted);
            let addressed = self.sent.iter().enumerate().filter(|(_, sent)| sent.dests.contains(id));
            let addressed = addressed.fold(0, |all, (number, _)| all | 1 << number);
            assert_eq!(member.delivered, addressed, "in the end {id} has every message, late or not");
            assert!(member.taken.is_empty());
        }
    }

    fn multicast(&mut self, author: Id, to: u8) {
        if self.sent.len() >= MOST {
            return;
        }
        let dests = (0..HONEST).filter(|&d| d != author && to >> d & 1 == 1);
        let member = self.members.get_mut(&author).unwrap();
        let clock = member.process.clock();
        let envelope = match member.process.send(dests) {
            Ok(envelope) => envelope,
            Err(full) => {
                assert_eq!((full.limit, member.process.clock()), (self.config.max_processes, clock));
                return;
            }
        };
        assert_eq!(envelope.clock(), clock + 1);
        member.counted.sent += 1;
        member.counted.sent_since += 1;
        let number = self.sent.len();
        let dests: BTreeSet<Id> = envelope.dests().copied().collect();
        let past = member.past;
        member.past |= 1 << number;
        self.wire.extend(dests.iter().filter(|&d| self.members.contains_key(d)).map(|&d| (d, number)));
        self.sent.push(Sent { author, envelope, dests, past });
    }

    /// A copy arrives: as it was sent, reduced for its destination, or read from its bytes.
    fn arrive(&mut self, to: Id, number: usize, form: u8) {
        let Sent { author, envelope, .. } = &self.sent[number];
        let envelope = match form % 3 {
            0 => envelope.clone(),
            1 => envelope.for_destination(&to),
            _ => Envelope::from_bytes(&envelope.to_bytes(), &Limits::default()).expect("written just now"),
        };
        let process = &mut self.members.get_mut(&to).unwrap().process;
        let Ok(author) = process.intern(*author) else { return };
        process.vouch(author, envelope.clock());
        let Ok(stamp) = process.localise(&envelope) else { return };
        let known = process.knows(author, envelope.clock());
        match self.take(to, stamp, number) {
            Ok(receipt) => assert_eq!(receipt == Receipt::Duplicate, known),
            // It is offered again later.
            Err(Refusal::TooManyHeld { .. } | Refusal::TooManyHeldEntries { .. }) => self.wire.push((to, number)),
            Err(refusal) => assert!(self.lies == Lies::Anything, "refused: {refusal}"),
        }
    }

    /// Hands a stamp in, and delivers every message that can be delivered.
    fn take(&mut self, to: Id, stamp: Stamp, number: usize) -> Result<Receipt, Refusal> {
        let Member { process, counted, taken, .. } = self.members.get_mut(&to).unwrap();
        let before = (process.snapshot(), process.held());
        let receipt = match process.receive(stamp.clone(), number) {
            Ok(receipt) => receipt,
            Err(refused) => {
                assert_eq!(refused.message, number);
                assert_eq!((process.snapshot(), process.held()), before, "the state is as before");
                return Err(refused.reason);
            }
        };
        match receipt {
            Receipt::Duplicate => counted.duplicates += 1,
            Receipt::Held => counted.held_back += 1,
            Receipt::Delivered => {}
        }
        if receipt != Receipt::Duplicate {
            assert!(process.knows(stamp.sender, stamp.clock));
            counted.sent_since = 0;
            taken.insert(number, stamp);
        }
        self.deliver(to);
        Ok(receipt)
    }

    fn deliver(&mut self, to: Id) {
        let member = self.members.get_mut(&to).unwrap();
        while let Some(Delivery { message: number, late, stamp, .. }) = member.process.next_delivery() {
            member.counted.delivered += 1;
            member.counted.late += u64::from(late);
            assert!(member.ids.insert((stamp.sender, stamp.clock)), "{to} delivers {number} twice");
            assert!(stamp.dests.contains(member.process.me()));
            assert_eq!(member.taken.remove(&number), Some(stamp), "it is delivered as it was received");
            if self.lies == Lies::Anything || number >= FOREIGN {
                continue;
            }
            let given_up = |number: usize| {
                let Sent { author, envelope, .. } = &self.sent[number];
                member.given_up.iter().any(|(of, hole)| of == author && hole.contains(envelope.clock()))
            };
            let message = &self.sent[number];
            assert_eq!(late, given_up(number), "message {number} at {to}");
            let addressed = |n: &usize| self.sent[*n].dests.contains(&to);
            for earlier in bits(message.past).filter(addressed) {
                let across = |hole: usize| given_up(hole) && self.sent[hole].past >> earlier & 1 == 1;
                let came = member.delivered >> earlier & 1 == 1;
                let excused = given_up(earlier) || bits(message.past).filter(addressed).any(across);
                assert!(came || excused, "{to} delivers {number} before {earlier}, which happened before it");
            }
            member.delivered |= 1 << number;
            member.past |= message.past | 1 << number;
        }
    }

    /// A process gives up a message that it misses, after it has asked the author for its clock.
    fn give_up(&mut self, who: Id, which: usize) {
        let missing = self.members[&who].process.missing().nth(which).expect("a held message waits for something");
        let author = *self.members[&who].process.roster().id(missing.author);
        let real = match self.lies {
            Lies::Anything => missing.clock,
            Lies::None | Lies::Clocks => self.clock_of(author),
        };
        let member = self.members.get_mut(&who).unwrap();
        member.process.vouch(missing.author, real);
        if missing.clock > real {
            member.process.void(missing.author, real, missing.clock);
            member.given_up.retain(|&(of, hole)| of != author || hole.to <= real || hole.to > missing.clock);
        } else {
            let hole = member.process.abandon(missing.author, missing.clock).expect("it was not given up before");
            assert_eq!(hole.to, missing.clock);
            member.counted.abandoned += 1;
            member.given_up.push((author, hole));
        }
        let left = member.process.missing().any(|m| (m.author, m.clock) == (missing.author, missing.clock));
        assert!(!left, "no message waits for it any longer");
        self.deliver(who);
    }

    /// A process stops waiting for a message that it misses, and asks no process whether the message exists.
    fn disregard(&mut self, who: Id, input: &mut Input<'_>) -> Option<()> {
        let Some(which) = input.place(self.members[&who].process.missing().count()) else { return Some(()) };
        let member = self.members.get_mut(&who).unwrap();
        let missing = member.process.missing().nth(which).expect("it was counted");
        let author = *member.process.roster().id(missing.author);
        let hole = member.process.disregard(missing.author, missing.clock).expect("it was not given up before");
        assert_eq!(hole.to, missing.clock);
        assert_eq!(member.process.disregard(missing.author, missing.clock), None);
        member.counted.abandoned += 1;
        member.given_up.push((author, hole));
        let left = member.process.missing().any(|m| (m.author, m.clock) == (missing.author, missing.clock));
        assert!(!left, "no message waits for it any longer");
        self.deliver(who);
        Some(())
    }

    /// The clock that an author would give as its own.
    fn clock_of(&self, author: Id) -> Clock {
        match author {
            LIAR => self.lied,
            _ => self
                .sent
                .iter()
                .filter(|sent| sent.author == author)
                .map(|sent| sent.envelope.clock())
                .max()
                .unwrap_or(0),
        }
    }

    /// A process asks another for all the messages of that one, and hears that these were all. The liar withholds its messages.
    fn ask(&mut self, who: Id, whom: Id) {
        let of_whom = |sent: &Sent| sent.author == whom && sent.dests.contains(&who);
        let all: Vec<usize> = (0..self.sent.len()).filter(|&number| of_whom(&self.sent[number])).collect();
        if self.members.contains_key(&whom) {
            for &number in &all {
                self.arrive(who, number, 0);
            }
        }
        let clock = self.clock_of(whom);
        let anything = self.lies == Lies::Anything;
        let member = self.members.get_mut(&who).unwrap();
        let Ok(author) = member.process.intern(whom) else { return };
        member.process.vouch(author, clock);
        if self.lies == Lies::Clocks {
            member.process.void(author, clock, 2 * MADE_UP);
            member.given_up.retain(|&(of, hole)| of != whom || hole.to <= clock);
        }
        if whom == LIAR {
            if let Some(hole) = member.process.abandon(author, clock) {
                member.counted.abandoned += 1;
                member.given_up.push((whom, hole));
            }
        } else if anything || all.iter().all(|number| member.delivered >> number & 1 == 1) {
            member.process.complete(author, clock);
            let delivered = member.process.delivered(author);
            let left = member.process.holes(author).iter().find(|hole| hole.to <= delivered.min(clock));
            assert_eq!(left, None, "no gap is left below the last delivered message");
        }
        self.deliver(who);
    }

    fn crash(&mut self, who: Id) {
        self.members.remove(&who);
        self.gone.insert(who);
        self.wire.retain(|&(to, _)| to != who);
        self.lost.retain(|&(to, _)| to != who);
    }

    fn forget(&mut self, at: Id, gone: Id) {
        let process = &mut self.members.get_mut(&at).unwrap().process;
        let Ok(gone) = process.intern(gone) else { return };
        let before = process.delivered(gone);
        process.forget(gone);
        assert!(process.forgotten().contains(gone));
        assert_eq!(process.delivered(gone), before, "it stays as an author");
    }

    /// A process restarts from a snapshot, and receives the waiting messages again.
    fn restart(&mut self, who: Id) {
        let member = self.members.get_mut(&who).unwrap();
        let snapshot = member.process.snapshot();
        member.process = Peer::restore(snapshot, self.config.clone()).expect("a process's own snapshot is sound");
        member.counted = Counted { sent_since: member.counted.sent_since, ..Counted::default() };
        for (number, stamp) in std::mem::take(&mut member.taken) {
            match self.take(who, stamp, number) {
                Ok(Receipt::Held) => {}
                // A later message of the liar may have overtaken it. Only the liar's own messages can be lost in this way.
                Ok(_) => assert!(number >= FOREIGN || self.lies == Lies::Anything, "{number} is lost at {who}"),
                // It was taken in when less was remembered. It will be offered again.
                Err(Refusal::LogFull { .. }) => assert!(self.lies == Lies::Anything),
                Err(refusal) => panic!("refused: {refusal}"),
            }
        }
    }

    /// The liar sends a message that names made-up clocks, or its own messages, which it withholds.
    fn lie_about_clocks(&mut self, to: Id, input: &mut Input<'_>) -> Option<()> {
        self.lied += 2;
        let (about, clock, dests) = (input.byte()? % IDS, Clock::from(input.byte()?), input.byte()?);
        let clock = if about == LIAR { clock % (self.lied - 1) + 1 } else { MADE_UP + clock };
        let process = &mut self.members.get_mut(&to).unwrap().process;
        let mut number = |id: Id| process.intern(id).expect("there is room for so few");
        let dests = (0..IDS).filter(|d| dests >> d & 1 == 1).map(&mut number).collect();
        let lie = Entry { sender: number(about), clock, dests };
        let sender = number(LIAR);
        let me = [process.me()].into_iter().collect();
        process.vouch(sender, self.lied);
        let stamp = Stamp { sender, clock: self.lied, dests: me, log: [lie].into_iter().collect() };
        self.foreign += 1;
        let refusal = self.take(to, stamp, self.foreign).err();
        let full = matches!(refusal, Some(Refusal::TooManyHeld { .. } | Refusal::TooManyHeldEntries { .. }));
        assert!(refusal.is_none() || full, "{refusal:?}");
        Some(())
    }

    /// A process receives anything that the liar makes up, in the name of any process; sometimes with an index that the
    /// receiver does not have.
    fn lie(&mut self, to: Id, input: &mut Input<'_>) -> Option<()> {
        let kind = input.byte()?;
        let mut larger = Peer::new(0, Config::default());
        let stranger = (1..=20).map(|id| larger.intern(id).expect("there is room")).last().expect("twenty");
        let process = &mut self.members.get_mut(&to).unwrap().process;
        let limit = self.config.max_processes;
        let mut number = |id: u8| match process.intern(id % IDS) {
            Ok(index) => index,
            Err(full) => {
                assert_eq!(full.limit, limit);
                process.me()
            }
        };
        let set = |mask: u8, number: &mut dyn FnMut(Id) -> Index| -> Set {
            (0..IDS).filter(|id| mask >> id & 1 == 1).map(number).collect()
        };
        let (sender, clock) = (number(input.byte()?), input.clock()?);
        let mut dests = set(input.byte()?, &mut number);
        if kind & 1 == 0 {
            dests.insert(number(to));
        }
        let mut log = Vec::new();
        for _ in 0..kind >> 1 & 3 {
            let (author, clock, mask) = (number(input.byte()?), input.clock()?, input.byte()?);
            log.push(Entry { sender: author, clock, dests: set(mask, &mut number) });
        }
        let strange = kind >> 5 == 7;
        if strange {
            match log.first_mut() {
                Some(entry) if kind & 8 == 0 => _ = entry.dests.insert(stranger),
                Some(entry) => entry.sender = stranger,
                None => _ = dests.insert(stranger),
            }
        }
        let stamp = Stamp { sender, clock, dests, log: log.into_iter().collect() };
        self.foreign += 1;
        let process = &mut self.members.get_mut(&to).unwrap().process;
        let stamp = if kind & 16 == 0 || strange {
            stamp
        } else {
            let spelled = process.spell(&stamp);
            assert_eq!(process.localise(&spelled).as_ref(), Ok(&stamp));
            spelled_again(&spelled, process)
        };
        if kind & 32 == 0 && stamp.sender.position() < process.roster().len() {
            process.vouch(stamp.sender, stamp.clock);
        }
        let refused = self.take(to, stamp, self.foreign);
        assert!(!strange || matches!(refused, Ok(Receipt::Duplicate) | Err(_)));
        Some(())
    }

    /// Any other call, with any arguments.
    fn call(&mut self, who: Id, input: &mut Input<'_>) -> Option<()> {
        let (what, about, clock) = (input.byte()?, input.byte()? % IDS, input.clock()?);
        let member = self.members.get_mut(&who).unwrap();
        let process = &mut member.process;
        let Ok(author) = process.intern(about) else { return Some(()) };
        match what % 7 {
            what @ (0 | 1 | 6) => {
                let hole = if what == 6 { process.disregard(author, clock) } else { process.abandon(author, clock) };
                if let Some(hole) = hole {
                    assert!(hole.from < hole.to && hole.to <= clock && hole.given_up);
                    member.counted.abandoned += 1;
                }
            }
            2 => process.complete(author, clock),
            3 => {
                let above = input.clock()?;
                process.void(author, above, clock);
            }
            4 => {
                process.vouch(author, clock);
                assert!(process.vouched(author) >= clock.min(MAX_CLOCK));
            }
            _ => {
                process.forget(author);
                assert_eq!(process.forgotten().contains(author), author != process.me());
            }
        }
        self.deliver(who);
        Some(())
    }
}

/// The stamp of an envelope after a round trip through the canonical bytes.
fn spelled_again(envelope: &Envelope<Id>, process: &mut Peer) -> Stamp {
    match Envelope::from_bytes(&envelope.to_bytes(), &Limits::default()) {
        Ok(read) => {
            assert_eq!(&read, envelope);
            process.localise(&read).expect("it knows them all")
        }
        Err(_) => process.localise(envelope).expect("it knows them all"),
    }
}

fn bits(set: u128) -> impl Iterator<Item = usize> {
    (0..MOST).filter(move |bit| set >> bit & 1 == 1)
}
