//! Messages that never come or come late, and processes that are gone. Order is lost only for the messages that were given up.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::{BTreeMap, BTreeSet};

use causal::{Config, Delivery, Envelope, Hole, Limits, Missing, Process, Receipt, Snapshot};
use proptest::prelude::*;
use proptest::sample::Index as Pick;

type Id = u8;

const PROCESSES: Id = 6;

#[derive(Clone, Debug)]
enum Step {
    /// A process sends to those whose bits are set.
    Multicast(Pick, u8),
    /// A copy arrives.
    Arrive(Pick),
    /// A copy is lost.
    Lose(Pick),
    /// A lost copy comes after all, and may come again.
    ComeBack(Pick, bool),
    /// A process gives up one of the messages that it misses.
    Abandon(Pick, Pick),
    /// A process is gone for good, together with the copies on their way to it.
    Crash(Pick),
    /// A process forgets one that is gone.
    Forget(Pick),
    /// A process asks another for all the messages of that one, and hears that these were all.
    Ask(Pick, Pick),
    /// A process restarts from a snapshot, and receives the held messages again.
    Restart(Pick),
}

fn program() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (any::<Pick>(), any::<u8>()).prop_map(|(who, to)| Step::Multicast(who, to)),
        4 => (any::<Pick>(), 0..8_u8).prop_map(|(who, bit)| Step::Multicast(who, 1 << bit)),
        14 => any::<Pick>().prop_map(Step::Arrive),
        3 => any::<Pick>().prop_map(Step::Lose),
        2 => (any::<Pick>(), any::<bool>()).prop_map(|(copy, again)| Step::ComeBack(copy, again)),
        3 => (any::<Pick>(), any::<Pick>()).prop_map(|(who, what)| Step::Abandon(who, what)),
        1 => any::<Pick>().prop_map(Step::Crash),
        2 => any::<Pick>().prop_map(Step::Forget),
        2 => (any::<Pick>(), any::<Pick>()).prop_map(|(who, whom)| Step::Ask(who, whom)),
        1 => any::<Pick>().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 0..160)
}

struct Sent {
    author: Id,
    envelope: Envelope<Id>,
    dests: BTreeSet<Id>,
    past: BTreeSet<usize>,
}

struct Member {
    process: Process<Id, usize>,
    past: BTreeSet<usize>,
    delivered: BTreeSet<usize>,
    given_up: Vec<(Id, Hole)>,
}

#[derive(Default)]
struct World {
    members: BTreeMap<Id, Member>,
    gone: BTreeSet<Id>,
    sent: Vec<Sent>,
    wire: Vec<(Id, usize)>,
    lost: Vec<(Id, usize)>,
}

impl World {
    fn new() -> Self {
        let member = |id| Member {
            process: Process::new(id, Config::default()),
            past: BTreeSet::new(),
            delivered: BTreeSet::new(),
            given_up: Vec::new(),
        };
        Self { members: (0..PROCESSES).map(|id| (id, member(id))).collect(), ..Self::default() }
    }

    fn run(&mut self, program: &[Step]) {
        for step in program {
            let ids: Vec<Id> = self.members.keys().copied().collect();
            match step {
                Step::Multicast(who, to) => self.multicast(*who.get(&ids), *to),
                Step::Arrive(copy) if !self.wire.is_empty() => {
                    let (to, number) = self.wire.swap_remove(copy.index(self.wire.len()));
                    self.arrive(to, number);
                }
                Step::Lose(copy) if !self.wire.is_empty() => {
                    let copy = self.wire.swap_remove(copy.index(self.wire.len()));
                    self.lost.push(copy);
                }
                Step::ComeBack(copy, again) if !self.lost.is_empty() => {
                    let place = copy.index(self.lost.len());
                    let (to, number) = if *again { self.lost[place] } else { self.lost.swap_remove(place) };
                    self.arrive(to, number);
                }
                Step::Abandon(who, what) => {
                    let who = *who.get(&ids);
                    let missing: Vec<_> = self.members[&who].process.missing().collect();
                    if !missing.is_empty() {
                        self.abandon(who, *what.get(&missing));
                    }
                }
                Step::Crash(who) if ids.len() > 2 => self.crash(*who.get(&ids)),
                Step::Forget(who) => {
                    if let Some(&gone) = self.gone.first() {
                        self.forget(*who.get(&ids), gone);
                    }
                }
                Step::Ask(who, whom) => self.ask(*who.get(&ids), *whom.get(&ids)),
                Step::Restart(who) => {
                    let process = &mut self.members.get_mut(who.get(&ids)).unwrap().process;
                    let bytes = process.snapshot().to_bytes();
                    let snapshot = Snapshot::from_bytes(&bytes, &Limits::default()).unwrap();
                    assert_eq!(snapshot, process.snapshot());
                    let mut restored = Process::restore(snapshot, Config::default()).unwrap();
                    for (stamp, &message) in process.held_messages() {
                        assert_eq!(restored.receive(stamp.clone(), message).unwrap(), Receipt::Held);
                    }
                    assert_eq!(restored.snapshot(), process.snapshot());
                    *process = restored;
                }
                Step::Arrive(_) | Step::Lose(_) | Step::ComeBack(..) | Step::Crash(_) => {}
            }
        }
    }

    /// Every copy that was not lost arrives. Then each process gives up what it misses, and forgets the processes that are
    /// gone. At last the lost copies arrive.
    fn settle(&mut self) {
        while let Some((to, number)) = self.wire.pop() {
            self.arrive(to, number);
        }
        let ids: Vec<Id> = self.members.keys().copied().collect();
        for &id in &ids {
            while self.members[&id].process.held() > 0 {
                let missing = self.members[&id].process.missing().next();
                self.abandon(id, missing.expect("a held message waits for one that is not held"));
            }
            for gone in self.gone.clone() {
                self.forget(id, gone);
            }
            let snapshot = self.members[&id].process.snapshot();
            let gone = |index: causal::Index| self.gone.contains(&snapshot.processes[index.position()]);
            assert!(
                snapshot.log.iter().all(|entry| !entry.dests.iter().any(gone)),
                "{id} still names a process that is gone"
            );
        }
        for (to, number) in std::mem::take(&mut self.lost) {
            self.arrive(to, number);
        }
        for (id, member) in &self.members {
            let addressed = self.sent.iter().enumerate().filter(|(_, sent)| sent.dests.contains(id)).map(|(n, _)| n);
            assert_eq!(member.delivered, addressed.collect(), "in the end {id} has every message, late or not");
            assert_eq!(member.process.held(), 0);
        }
    }

    fn multicast(&mut self, author: Id, to: u8) {
        let dests: BTreeSet<Id> = (0..PROCESSES).filter(|&d| d != author && to >> d & 1 == 1).collect();
        let member = self.members.get_mut(&author).unwrap();
        let envelope = member.process.send(dests).unwrap();
        let dests: BTreeSet<Id> = envelope.dests().copied().collect();
        let roster = member.process.roster();
        let forgotten: BTreeSet<Id> = member.process.forgotten().iter().map(|index| *roster.id(index)).collect();
        assert!(dests.is_disjoint(&forgotten), "no forgotten process is addressed");
        let past = member.past.clone();
        member.past.insert(self.sent.len());
        let copies = dests.iter().filter(|d| self.members.contains_key(d)).map(|&d| (d, self.sent.len()));
        self.wire.extend(copies);
        self.sent.push(Sent { author, envelope, dests, past });
    }

    fn arrive(&mut self, to: Id, number: usize) {
        let member = self.members.get_mut(&to).unwrap();
        let held = member.process.held_messages().any(|(_, &message)| message == number);
        let known = held || member.delivered.contains(&number);
        let receipt = member.process.accept(&self.sent[number].envelope, number).unwrap();
        assert_eq!(receipt == Receipt::Duplicate, known, "message {number} at {to}");
        self.deliver(to);
    }

    fn abandon(&mut self, at: Id, missing: Missing) {
        let member = self.members.get_mut(&at).unwrap();
        let hole =
            member.process.abandon(missing.author, missing.clock).expect("what is missing has not been given up");
        assert_eq!(hole.to, missing.clock);
        assert!(member.process.missing().all(|other| (other.author, other.clock) != (missing.author, missing.clock)));
        member.given_up.push((*member.process.roster().id(missing.author), hole));
        self.deliver(at);
    }

    fn ask(&mut self, who: Id, whom: Id) {
        let of_whom = |sent: &Sent| sent.author == whom && sent.dests.contains(&who);
        let all: Vec<usize> = (0..self.sent.len()).filter(|&number| of_whom(&self.sent[number])).collect();
        for &number in &all {
            self.arrive(who, number);
        }
        let clock = self.members[&whom].process.clock();
        let member = self.members.get_mut(&who).unwrap();
        if all.iter().all(|number| member.delivered.contains(number)) {
            let author = member.process.intern(whom).unwrap();
            member.process.complete(author, clock);
            let within = member.process.holes(author).iter().all(|hole| hole.to > member.process.delivered(author));
            assert!(within, "no gap is left below the last delivered message");
            self.deliver(who);
        }
    }

    fn deliver(&mut self, to: Id) {
        let member = self.members.get_mut(&to).unwrap();
        while let Some(Delivery { message: number, late, .. }) = member.process.next_delivery() {
            let given_up = |number: usize| {
                let Sent { author, envelope, .. } = &self.sent[number];
                member.given_up.iter().any(|(of, hole)| of == author && hole.contains(envelope.clock()))
            };
            let message = &self.sent[number];
            assert_eq!(late, given_up(number), "message {number} at {to}");
            for &earlier in message.past.iter().filter(|&&earlier| self.sent[earlier].dests.contains(&to)) {
                let across = |&hole: &usize| {
                    let through = &self.sent[hole];
                    through.dests.contains(&to) && given_up(hole) && through.past.contains(&earlier)
                };
                let excused = given_up(earlier) || message.past.iter().any(across);
                let came = member.delivered.contains(&earlier);
                assert!(came || excused, "{to} delivers {number} before {earlier}, which happened before it");
            }
            assert!(member.delivered.insert(number), "{to} delivers {number} twice");
            member.past.extend(&message.past);
            member.past.insert(number);
        }
    }

    fn crash(&mut self, who: Id) {
        self.members.remove(&who);
        self.gone.insert(who);
        self.wire.retain(|&(to, _)| to != who);
        self.lost.retain(|&(to, _)| to != who);
    }

    fn forget(&mut self, at: Id, gone: Id) {
        let process = &mut self.members.get_mut(&at).unwrap().process;
        let gone = process.intern(gone).unwrap();
        let before = process.delivered(gone);
        process.forget(gone);
        assert_eq!(process.delivered(gone), before, "it stays as an author");
    }
}

proptest! {
    #[test]
    fn order_is_lost_only_for_messages_that_were_given_up(program in program()) {
        let mut world = World::new();
        world.run(&program);
        world.settle();
    }
}
