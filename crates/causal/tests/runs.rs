//! Receiving messages as runs has the same result as receiving them one by one.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;

use causal::{Config, Envelope, Index, Process, Receipt, Stamp};
use proptest::prelude::*;
use proptest::sample::Index as Pick;

type Id = u8;
/// What the caller attaches to a message: its author and clock.
type Name = (Id, u64);

const PROCESSES: Id = 4;

#[derive(Clone, Debug)]
enum Step {
    /// A process sends `count` messages in a row to those whose bits are set.
    Say { who: Pick, to: u8, count: usize },
    /// All messages that were sent in a row arrive at one destination.
    Arrive(Pick),
    /// One of these messages arrives there.
    ArriveInPart(Pick, Pick),
    /// A process gives up the missing messages of an author.
    Abandon { who: Pick, author: Pick, up_to: u64 },
    /// A process notes that all messages of an author have come.
    Complete { who: Pick, author: Pick, up_to: u64 },
}

fn program() -> impl Strategy<Value = Vec<Step>> {
    let pick = any::<Pick>;
    let step = prop_oneof![
        6 => (pick(), prop_oneof![Just(u8::MAX), any::<u8>()], 1..6_usize).prop_map(|(who, to, count)| Step::Say { who, to, count }),
        14 => pick().prop_map(Step::Arrive),
        3 => (pick(), pick()).prop_map(|(copy, part)| Step::ArriveInPart(copy, part)),
        1 => (pick(), pick(), 1..12_u64).prop_map(|(who, author, up_to)| Step::Abandon { who, author, up_to }),
        1 => (pick(), pick(), 1..12_u64).prop_map(|(who, author, up_to)| Step::Complete { who, author, up_to }),
    ];
    prop::collection::vec(step, 0..80)
}

/// The same peer twice. One takes in runs where it can, and the other takes in all messages one by one.
struct Twins {
    in_runs: Process<Id, Name>,
    singly: Process<Id, Name>,
}

impl Twins {
    fn new(id: Id) -> Self {
        let process = || {
            let mut process = Process::new(id, Config::default());
            for id in 0..PROCESSES {
                process.intern(id).expect("there is room");
            }
            process
        };
        Self { in_runs: process(), singly: process() }
    }

    fn say(&mut self, to: u8) -> Envelope<Id> {
        let me = *self.singly.roster().id(self.singly.me());
        let dests = || (0..PROCESSES).filter(move |&id| id != me && to >> id & 1 == 1);
        let (one, other) = (self.in_runs.send(dests()).unwrap(), self.singly.send(dests()).unwrap());
        assert_eq!(one, other);
        one
    }

    fn take(&mut self, said: &[Envelope<Id>], runs: &mut usize) {
        for envelope in said {
            self.singly.accept(envelope, (*envelope.sender(), envelope.clock())).unwrap();
        }
        let stamps: Vec<Stamp> = said.iter().map(|envelope| self.in_runs.localise(envelope).unwrap()).collect();
        for run in stamps.chunk_by(|before, next| next.follows(before)) {
            let (first, followers) = (&run[0], u32::try_from(run.len() - 1).unwrap());
            let name = (*self.in_runs.roster().id(first.sender), first.clock);
            if self.in_runs.takes_run(first.sender, first.clock, followers) {
                *runs += usize::from(followers > 0);
                let receipt = self.in_runs.receive_run(first.clone(), followers, name).unwrap();
                assert_ne!(receipt, Receipt::Duplicate);
            } else {
                for stamp in run {
                    self.in_runs.receive(stamp.clone(), (name.0, stamp.clock)).unwrap();
                }
            }
        }
    }

    /// Delivers every deliverable message, and compares the two.
    fn settle(&mut self) {
        let mut delivered = [BTreeSet::new(), BTreeSet::new()];
        for (process, delivered) in [&mut self.in_runs, &mut self.singly].into_iter().zip(&mut delivered) {
            while let Some(delivery) = process.next_delivery() {
                for clock in delivery.message.1..=delivery.message.1 + u64::from(delivery.followers) {
                    assert!(delivered.insert((delivery.message.0, clock)));
                }
            }
        }
        assert_eq!(delivered[0], delivered[1]);
        assert_eq!(self.in_runs.snapshot(), self.singly.snapshot());
        assert_eq!(self.in_runs.stats(), self.singly.stats());
        let missing = |process: &Process<Id, Name>| process.missing().map(|m| (m.author, m.clock)).collect::<Vec<_>>();
        assert_eq!(missing(&self.in_runs), missing(&self.singly));
        for (author, _) in self.singly.roster().iter() {
            for clock in 1..40 {
                assert_eq!(self.in_runs.knows(author, clock), self.singly.knows(author, clock));
                assert_eq!(self.in_runs.waits_for(author, clock), self.singly.waits_for(author, clock));
            }
        }
    }
}

fn index(process: &Process<Id, Name>, id: Id) -> Index {
    process.roster().index(&id).expect("all processes know one another")
}

fn run(program: &[Step]) -> usize {
    let mut peers: Vec<Twins> = (0..PROCESSES).map(Twins::new).collect();
    let mut wire: Vec<(usize, Vec<Envelope<Id>>)> = Vec::new();
    let mut runs = 0;
    for step in program {
        let at = match step {
            Step::Say { who, to, count } => {
                let who = who.index(peers.len());
                let said: Vec<_> = (0..*count).map(|_| peers[who].say(*to)).collect();
                let dests: Vec<Id> = said[0].dests().copied().collect();
                wire.extend(dests.into_iter().map(|dest| (usize::from(dest), said.clone())));
                who
            }
            Step::Arrive(copy) if !wire.is_empty() => {
                let (to, said) = wire.swap_remove(copy.index(wire.len()));
                peers[to].take(&said, &mut runs);
                to
            }
            Step::ArriveInPart(copy, part) if !wire.is_empty() => {
                let (to, said) = wire[copy.index(wire.len())].clone();
                peers[to].take(&said[part.index(said.len())..][..1], &mut runs);
                to
            }
            Step::Arrive(_) | Step::ArriveInPart(..) => continue,
            Step::Abandon { who, author, up_to } | Step::Complete { who, author, up_to } => {
                let (who, author) = (who.index(peers.len()), author.index(peers.len()));
                let Twins { in_runs, singly } = &mut peers[who];
                // A message that came by itself need not wait for a held one before it that is given up. In a run it would
                // wait.
                let held = index(singly, author as Id);
                if (1..=*up_to).any(|clock| !singly.waits_for(held, clock).is_empty()) {
                    continue;
                }
                for process in [in_runs, singly] {
                    let author = index(process, author as Id);
                    if let Step::Abandon { .. } = step {
                        process.abandon(author, *up_to);
                    } else {
                        process.complete(author, *up_to);
                    }
                }
                who
            }
        };
        peers[at].settle();
    }
    runs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn a_run_has_the_effect_of_its_messages_one_by_one(program in program()) {
        run(&program);
    }
}

#[test]
fn a_run_that_is_held_is_released_as_one() {
    let mut peers: Vec<Twins> = (0..3).map(Twins::new).collect();
    let question = [peers[0].say(u8::MAX)];
    let mut runs = 0;
    peers[1].take(&question, &mut runs);
    peers[1].settle();
    let answers: Vec<_> = (0..3).map(|_| peers[1].say(u8::MAX)).collect();
    peers[2].take(&answers, &mut runs);
    assert_eq!((runs, peers[2].in_runs.held()), (1, 3));
    peers[2].settle();
    peers[2].take(&question, &mut runs);
    peers[2].settle();
    assert_eq!((peers[2].in_runs.held(), peers[2].in_runs.stats().delivered), (0, 4));
}
