//! Random programs over a network that delays, reorders and duplicates. Four implementations run each program at once:
//!
//! - the book's algorithm;
//! - `causal` with all markers, given the envelope that serves all destinations;
//! - `causal` with all markers, given the reduction for each destination;
//! - `causal` with fewer markers.
//!
//! The second and third must be in the book's state after every step. The fourth must deliver the same messages, and forget
//! nothing. Happened-before is computed here from the events alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::AddAssign;

use causal::{Config, Delivery, Envelope, Limits, Markers, Process, Receipt, Snapshot};
use reference::ks;

type Id = u8;
type Peer = Process<Id, usize>;

/// The most processes that a program ever has.
pub(crate) const PROCESSES: Id = 12;

/// Chooses one of any number of things.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick(pub(crate) u32);

/// One step of a program. It picks from the processes or copies that exist at that time.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A new process joins.
    Join,
    /// A process leaves. It no longer sends and is no destination any more, but receives what is on its way.
    Leave(Pick),
    /// A process sends to those present whose bits are set.
    Multicast(Pick, u16),
    /// A copy arrives. The process with fewer markers gets it as it was sent, or reduced for its destination if this is set.
    Arrive(Pick, bool),
    /// The network duplicates a copy that is on its way.
    Duplicate(Pick),
    /// A process restarts from a snapshot, and receives the held messages again.
    Restart(Pick),
}

impl Pick {
    fn index(self, length: usize) -> usize {
        self.0 as usize % length
    }

    fn get<T: Copy>(self, of: &[T]) -> T {
        of[self.index(of.len())]
    }
}

/// A set of messages, by number. A program has fewer than 128.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Numbers(u128);

struct Sent {
    author: Id,
    clock: u64,
    dests: BTreeSet<Id>,
    exact: Envelope<Id>,
    thin: Envelope<Id>,
    book: BTreeMap<Id, ks::Message<Id>>,
    /// The messages that happened before it.
    past: Numbers,
}

struct Member {
    /// Given the envelopes that serve all destinations.
    exact: Peer,
    /// Given the reductions for this destination.
    reduced: Peer,
    /// With fewer markers.
    thin: Peer,
    book: ks::Process<Id>,
    /// The messages that happened before the next event here: those sent and delivered here, and those that happened before
    /// them.
    past: Numbers,
    delivered: Numbers,
}

/// Entries remembered and bytes sent, each with fewer markers and with all; summed over the steps of a program.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sizes {
    pub(crate) remembered: (usize, usize),
    pub(crate) sent: (usize, usize),
}

pub(crate) struct World {
    thin: Config,
    sizes: Sizes,
    members: BTreeMap<Id, Member>,
    present: Vec<Id>,
    sent: Vec<Sent>,
    /// Copies on their way: the destination and the number of the message.
    wire: Vec<(Id, usize)>,
}

impl World {
    /// A world that begins with this many processes. `fewer` is the rule for fewer markers.
    pub(crate) fn new(processes: usize, fewer: Markers) -> Self {
        let mut world = Self {
            thin: Config { markers: fewer, ..Config::default() },
            sizes: Sizes::default(),
            members: BTreeMap::new(),
            present: Vec::new(),
            sent: Vec::new(),
            wire: Vec::new(),
        };
        for _ in 0..processes {
            world.join();
        }
        world
    }

    pub(crate) fn sizes(&self) -> Sizes {
        self.sizes
    }

    pub(crate) fn run(&mut self, program: impl IntoIterator<Item = Step>) {
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
                        self.multicast(who.get(&self.present), to);
                    }
                }
                Step::Arrive(copy, reduced) => {
                    if !self.wire.is_empty() {
                        self.arrive(copy.index(self.wire.len()), reduced);
                    }
                }
                Step::Duplicate(copy) => {
                    if !self.wire.is_empty() {
                        self.wire.push(copy.get(&self.wire));
                    }
                }
                Step::Restart(who) => {
                    let ids: Vec<Id> = self.members.keys().copied().collect();
                    self.restart(who.get(&ids));
                }
            }
        }
    }

    /// Lets every copy on its way arrive, the newest first, which is the worst order. Then checks that nothing is left.
    pub(crate) fn settle(&mut self) {
        while !self.wire.is_empty() {
            self.arrive(self.wire.len() - 1, false);
        }
        for (id, member) in &self.members {
            let mut addressed = Numbers::default();
            self.sent
                .iter()
                .enumerate()
                .filter(|(_, sent)| sent.dests.contains(id))
                .for_each(|(n, _)| _ = addressed.insert(n));
            assert_eq!(member.delivered, addressed, "everything addressed to {id} was delivered");
            for peer in [&member.exact, &member.reduced, &member.thin] {
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
        let member = Member {
            exact: Process::new(id, exact.clone()),
            reduced: Process::new(id, exact),
            thin: Process::new(id, self.thin.clone()),
            book: ks::Process::new(id),
            past: Numbers::default(),
            delivered: Numbers::default(),
        };
        self.members.insert(id, member);
        self.present.push(id);
    }

    fn multicast(&mut self, author: Id, to: u16) {
        let dests: BTreeSet<Id> = self.present.iter().copied().filter(|&d| d != author && to >> d & 1 == 1).collect();
        let member = self.members.get_mut(&author).unwrap();
        let exact = member.exact.send(dests.iter().copied()).unwrap();
        assert_eq!(
            member.reduced.send(dests.iter().copied()).as_ref(),
            Ok(&exact),
            "both forms give the same envelope"
        );
        let thin = member.thin.send(dests.iter().copied().chain([author])).unwrap();
        self.sizes.sent.0 += thin.to_bytes().len();
        self.sizes.sent.1 += exact.to_bytes().len();
        let book: BTreeMap<_, _> = member.book.send(&dests).into_iter().collect();
        assert!(exact.dests().eq(&dests) && thin.dests().eq(&dests));
        for (destination, message) in &book {
            assert_eq!(log(&exact.for_destination(destination)), message.log, "the reduction is the book's O_M");
        }
        let past = member.past;
        member.past.insert(self.sent.len());
        self.wire.extend(dests.iter().map(|&destination| (destination, self.sent.len())));
        self.sent.push(Sent { author, clock: exact.clock(), dests, exact, thin, book, past });
        self.compare(author);
    }

    fn arrive(&mut self, copy: usize, reduced: bool) {
        let (to, number) = self.wire.swap_remove(copy);
        let message = &self.sent[number];
        let member = self.members.get_mut(&to).unwrap();
        let before = (member.delivered.contains(number), member.book.waiting());
        let receipt = member.exact.accept(&message.exact, number).unwrap();
        let for_it = member.reduced.accept(&message.exact.for_destination(&to), number).unwrap();
        assert_eq!(for_it, receipt, "the reduction holds back the same messages");
        let thin = if reduced { &message.thin.for_destination(&to) } else { &message.thin };
        assert_eq!(member.thin.accept(thin, number).unwrap(), receipt, "fewer markers hold back the same messages");
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
        let mut thin = Numbers::default();
        while let Some(Delivery { message, .. }) = member.thin.next_delivery() {
            assert!(thin.insert(message), "exactly once");
        }
        let order = |reduced: Delivery<usize>| reduced.message;
        let mut reduced =
            std::iter::from_fn(|| member.reduced.next_delivery().map(order)).collect::<Vec<_>>().into_iter();
        let mut exact = Numbers::default();
        while let Some(Delivery { message: number, late, stamp, .. }) = member.exact.next_delivery() {
            let message = &self.sent[number];
            assert!(!late);
            assert_eq!(reduced.next(), Some(number), "the reduction delivers the same");
            assert_eq!(member.exact.spell(&stamp).clock(), message.clock);
            assert!(message.dests.contains(&to), "only what is addressed to {to}");
            for earlier in message.past.iter() {
                let came = !self.sent[earlier].dests.contains(&to) || member.delivered.contains(earlier);
                assert!(came, "{to} delivers {number} before {earlier}, which happened before it");
            }
            assert!(member.delivered.insert(number), "{to} delivers {number} twice");
            member.past.extend(message.past);
            member.past.insert(number);
            assert!(member.book.deliverable().contains(&(message.author, message.clock)));
            member.book.deliver(&message.author, message.clock);
            exact.insert(number);
        }
        assert_eq!(reduced.next(), None, "the reduction delivers the same");
        assert_eq!(exact, thin, "fewer markers deliver the same");
        assert_eq!(member.book.deliverable(), [], "nothing waits longer than in the book");
        self.compare(to);
    }

    /// Checks that the state is the book's, and that the process with fewer markers has forgotten nothing that the exact one
    /// knows.
    fn compare(&mut self, id: Id) {
        let member = &self.members[&id];
        let exact = remembered(&member.exact.snapshot());
        let mut book = member.book.log().clone();
        ks::purge_null_entries(&mut book);
        assert_eq!(exact, book, "the log at {id}");
        assert_eq!(remembered(&member.reduced.snapshot()), book, "the log at {id}, with the reductions");
        let thin = remembered(&member.thin.snapshot());
        for (entry, dests) in &exact {
            let kept = dests.is_empty() || thin.get(entry).is_some_and(|kept| kept.is_superset(dests));
            assert!(kept, "{id} has forgotten {entry:?}, which may not have reached {dests:?}");
        }
        self.sizes.remembered.0 += thin.len();
        self.sizes.remembered.1 += exact.len();
        for peer in [&member.exact, &member.reduced, &member.thin] {
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
        let exact = Config { markers: Markers::Always, ..Config::default() };
        for (peer, config) in
            [(&mut member.exact, &exact), (&mut member.reduced, &exact), (&mut member.thin, &self.thin)]
        {
            let snapshot = peer.snapshot();
            let bytes = snapshot.to_bytes();
            let read = Snapshot::from_bytes(&bytes, &Limits::default()).unwrap();
            assert_eq!(read, snapshot);
            let mut restored = Peer::restore(read, config.clone()).unwrap();
            assert_eq!(restored.snapshot(), snapshot);
            for (stamp, &message) in peer.held_messages() {
                assert_eq!(restored.receive(stamp.clone(), message).unwrap(), Receipt::Held);
            }
            *peer = restored;
        }
        self.compare(id);
    }
}

impl AddAssign for Sizes {
    fn add_assign(&mut self, other: Self) {
        self.remembered.0 += other.remembered.0;
        self.remembered.1 += other.remembered.1;
        self.sent.0 += other.sent.0;
        self.sent.1 += other.sent.1;
    }
}

impl Numbers {
    fn contains(self, number: usize) -> bool {
        self.0 >> number & 1 == 1
    }

    /// Whether it is new.
    fn insert(&mut self, number: usize) -> bool {
        assert!(number < 128, "a program has fewer than 128 messages");
        let new = !self.contains(number);
        self.0 |= 1 << number;
        new
    }

    fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    fn iter(self) -> impl Iterator<Item = usize> {
        (0..128).filter(move |&number| self.contains(number))
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

fn log(envelope: &Envelope<Id>) -> ks::Log<Id> {
    envelope.log().map(|entry| ((*entry.sender(), entry.clock()), entry.dests().copied().collect())).collect()
}

fn remembered(snapshot: &Snapshot<Id>) -> ks::Log<Id> {
    let id = |index: causal::Index| snapshot.processes[index.position()];
    snapshot.log.iter().map(|entry| ((id(entry.sender), entry.clock), entry.dests.iter().map(id).collect())).collect()
}
