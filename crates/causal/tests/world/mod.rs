//! Random programs over a network that delays, reorders and duplicates, run at once by the book's algorithm, by `causal` with
//! every marker travelling (which must do the same), and by `causal` as it is (which must deliver the same).
//!
//! Happened-before is computed here from the events alone.

use std::collections::{BTreeMap, BTreeSet};

use causal::{Config, Delivery, Envelope, Limits, Markers, Process, Receipt, Snapshot};
use proptest::prelude::*;
use proptest::sample::Index as Pick;
use reference::ks;

type Id = u8;
type Peer = Process<Id, usize>;

/// The most processes that a program ever has.
const PROCESSES: Id = 8;

/// One step of a program. What it picks, it picks from what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Somebody new joins.
    Join,
    /// Somebody leaves: he sends nothing any more and is no destination any more, but gets what is on its way.
    Leave(Pick),
    /// Somebody sends to those present whose bits are set.
    Multicast(Pick, u8),
    /// A copy arrives; reduced for its destination, or as it serves everybody.
    Arrive(Pick, bool),
    /// The network makes another copy of one that is on its way.
    Duplicate(Pick),
    /// Somebody restarts from a snapshot, and is given again what waited.
    Restart(Pick),
}

pub(crate) fn program() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Join),
        1 => any::<Pick>().prop_map(Step::Leave),
        // All of a group, a few, or one: each makes entries of its own kind.
        4 => (any::<Pick>(), any::<u8>()).prop_map(|(who, to)| Step::Multicast(who, to)),
        4 => (any::<Pick>(), 0..8_u8).prop_map(|(who, bit)| Step::Multicast(who, 1 << bit)),
        3 => any::<Pick>().prop_map(|who| Step::Multicast(who, u8::MAX)),
        18 => (any::<Pick>(), any::<bool>()).prop_map(|(copy, reduced)| Step::Arrive(copy, reduced)),
        2 => any::<Pick>().prop_map(Step::Duplicate),
        1 => any::<Pick>().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 0..120)
}

struct Sent {
    author: Id,
    clock: u64,
    dests: BTreeSet<Id>,
    exact: Envelope<Id>,
    thin: Envelope<Id>,
    book: BTreeMap<Id, ks::Message<Id>>,
    /// What happened before it, of all that was sent.
    past: BTreeSet<usize>,
}

struct Member {
    exact: Peer,
    thin: Peer,
    book: ks::Process<Id>,
    /// What happened before now, here: what was sent and delivered here, and what had happened before that.
    past: BTreeSet<usize>,
    delivered: BTreeSet<usize>,
}

pub(crate) struct World {
    members: BTreeMap<Id, Member>,
    present: Vec<Id>,
    sent: Vec<Sent>,
    /// Copies on their way: to whom, and what.
    wire: Vec<(Id, usize)>,
}

impl World {
    pub(crate) fn new() -> Self {
        let mut world = Self { members: BTreeMap::new(), present: Vec::new(), sent: Vec::new(), wire: Vec::new() };
        for _ in 0..3 {
            world.join();
        }
        world
    }

    pub(crate) fn run(&mut self, program: &[Step]) {
        for step in program {
            match step {
                Step::Join => self.join(),
                Step::Leave(who) => {
                    if !self.present.is_empty() {
                        self.present.remove(who.index(self.present.len()));
                    }
                }
                Step::Multicast(who, to) => {
                    if !self.present.is_empty() {
                        self.multicast(*who.get(&self.present), *to);
                    }
                }
                Step::Arrive(copy, reduced) => {
                    if !self.wire.is_empty() {
                        self.arrive(copy.index(self.wire.len()), *reduced);
                    }
                }
                Step::Duplicate(copy) => {
                    if !self.wire.is_empty() {
                        self.wire.push(*copy.get(&self.wire));
                    }
                }
                Step::Restart(who) => {
                    let ids: Vec<Id> = self.members.keys().copied().collect();
                    self.restart(*who.get(&ids));
                }
            }
        }
    }

    /// Lets everything arrive that is on its way, the newest first, which is the worst order; then checks that nothing is left.
    pub(crate) fn settle(&mut self) {
        while !self.wire.is_empty() {
            self.arrive(self.wire.len() - 1, false);
        }
        for (id, member) in &self.members {
            let addressed = self.sent.iter().enumerate().filter(|(_, sent)| sent.dests.contains(id)).map(|(n, _)| n);
            assert_eq!(member.delivered, addressed.collect(), "everything addressed to {id} was delivered");
            for peer in [&member.exact, &member.thin] {
                assert_eq!((peer.held(), peer.missing().count()), (0, 0), "nothing is held at {id}");
            }
        }
    }

    fn join(&mut self) {
        let id = self.members.len() as Id;
        if id >= PROCESSES {
            return;
        }
        let exact = Config { markers: Markers::Always, ..Config::default() };
        let thin = Config { markers: Markers::Beyond(2), ..Config::default() };
        let member = Member {
            exact: Process::new(id, exact),
            thin: Process::new(id, thin),
            book: ks::Process::new(id),
            past: BTreeSet::new(),
            delivered: BTreeSet::new(),
        };
        self.members.insert(id, member);
        self.present.push(id);
    }

    fn multicast(&mut self, author: Id, to: u8) {
        let dests: BTreeSet<Id> = self.present.iter().copied().filter(|&d| d != author && to >> d & 1 == 1).collect();
        let member = self.members.get_mut(&author).unwrap();
        let exact = member.exact.send(dests.iter().copied()).unwrap();
        let thin = member.thin.send(dests.iter().copied().chain([author])).unwrap();
        let book: BTreeMap<_, _> = member.book.send(&dests).into_iter().collect();
        assert!(exact.dests().eq(&dests) && thin.dests().eq(&dests));
        for (destination, message) in &book {
            assert_eq!(log(&exact.for_destination(destination)), message.log, "the reduction is the book's O_M");
        }
        let past = member.past.clone();
        member.past.insert(self.sent.len());
        self.wire.extend(dests.iter().map(|&destination| (destination, self.sent.len())));
        self.sent.push(Sent { author, clock: exact.clock(), dests, exact, thin, book, past });
        self.compare(author);
    }

    fn arrive(&mut self, copy: usize, reduced: bool) {
        let (to, number) = self.wire.swap_remove(copy);
        let message = &self.sent[number];
        let member = self.members.get_mut(&to).unwrap();
        let before = (member.delivered.contains(&number), member.book.waiting());
        let (exact, thin) = if reduced {
            (message.exact.for_destination(&to), message.thin.for_destination(&to))
        } else {
            (message.exact.clone(), message.thin.clone())
        };
        let receipt = member.exact.accept(&exact, number).unwrap();
        assert_eq!(member.thin.accept(&thin, number).unwrap(), receipt, "fewer markers hold back nothing else");
        member.book.arrive(message.book[&to].clone());
        let new = member.book.waiting() > before.1;
        let expected = match member.book.deliverable().contains(&(message.author, message.clock)) {
            _ if before.0 || !new => Receipt::Duplicate,
            true => Receipt::Delivered,
            false => Receipt::Held,
        };
        assert_eq!(receipt, expected, "message {number} at {to}");
        self.deliver(to);
    }

    fn deliver(&mut self, to: Id) {
        let member = self.members.get_mut(&to).unwrap();
        let mut thin = BTreeSet::new();
        while let Some(Delivery { message, .. }) = member.thin.next_delivery() {
            assert!(thin.insert(message), "exactly once");
        }
        let mut exact = BTreeSet::new();
        while let Some(Delivery { message: number, late, stamp, .. }) = member.exact.next_delivery() {
            let message = &self.sent[number];
            assert!(!late);
            assert_eq!(member.exact.spell(&stamp).clock(), message.clock);
            assert!(message.dests.contains(&to), "only what is addressed to {to}");
            for &earlier in &message.past {
                let came = !self.sent[earlier].dests.contains(&to) || member.delivered.contains(&earlier);
                assert!(came, "{to} is given {number} before {earlier}, which happened before it");
            }
            assert!(member.delivered.insert(number), "{to} is given {number} twice");
            member.past.extend(&message.past);
            member.past.insert(number);
            assert!(member.book.deliverable().contains(&(message.author, message.clock)));
            member.book.deliver(&message.author, message.clock);
            exact.insert(number);
        }
        assert_eq!(exact, thin, "fewer markers deliver the same");
        assert_eq!(member.book.deliverable(), [], "nothing waits longer than in the book");
        self.compare(to);
    }

    /// The same state as the book's; and the one with fewer markers has forgotten nothing that the exact one knows.
    fn compare(&self, id: Id) {
        let member = &self.members[&id];
        let exact = remembered(&member.exact.snapshot());
        let mut book = member.book.log().clone();
        ks::purge_null_entries(&mut book);
        assert_eq!(exact, book, "the log at {id}");
        let thin = remembered(&member.thin.snapshot());
        for (entry, dests) in &exact {
            let kept = dests.is_empty() || thin.get(entry).is_some_and(|kept| kept.is_superset(dests));
            assert!(kept, "{id} has forgotten {entry:?}, which may not have reached {dests:?}");
        }
        for peer in [&member.exact, &member.thin] {
            assert_eq!(peer.held(), member.book.waiting());
            for author in self.members.keys() {
                let delivered = peer.roster().index(author).map_or(0, |index| peer.delivered(index));
                assert_eq!(delivered, member.book.delivered(author));
            }
            let stats = peer.stats();
            let entries = peer.snapshot().log;
            assert_eq!(stats.log, entries.len());
            assert_eq!(stats.log_live, entries.iter().filter(|entry| !entry.dests.is_empty()).count());
        }
    }

    fn restart(&mut self, id: Id) {
        let member = self.members.get_mut(&id).unwrap();
        for (peer, markers) in [(&mut member.exact, Markers::Always), (&mut member.thin, Markers::Beyond(2))] {
            let snapshot = peer.snapshot();
            let bytes = snapshot.to_bytes();
            let read = Snapshot::from_bytes(&bytes, &Limits::default()).unwrap();
            assert_eq!(read, snapshot);
            let mut restored = Peer::restore(read, Config { markers, ..Config::default() }).unwrap();
            assert_eq!(restored.snapshot(), snapshot);
            for (stamp, &message) in peer.held_messages() {
                assert_eq!(restored.receive(stamp.clone(), message).unwrap(), Receipt::Held);
            }
            *peer = restored;
        }
        self.compare(id);
    }
}

fn log(envelope: &Envelope<Id>) -> ks::Log<Id> {
    envelope.log().map(|entry| ((*entry.sender(), entry.clock()), entry.dests().copied().collect())).collect()
}

fn remembered(snapshot: &Snapshot<Id>) -> ks::Log<Id> {
    let id = |index: causal::Index| snapshot.processes[index.position()];
    snapshot.log.iter().map(|entry| ((id(entry.sender), entry.clock), entry.dests.iter().map(id).collect())).collect()
}
