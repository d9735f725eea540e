//! Processes that make up clocks. Under [`Trust::Vouched`] they do not erase what others wait for. Once the authors were asked,
//! they do not hold any message back either.
#![expect(clippy::unwrap_used, reason = "a test may")]

use std::collections::BTreeSet;

use causal::{Config, Delivery, Entry, Index, Process, Receipt, Set, Stamp, Trust};
use proptest::prelude::*;
use proptest::sample::Index as Pick;

type Id = u8;

/// The number of processes that do not lie.
const HONEST: Id = 4;
const LIAR: Id = HONEST;
/// Clocks from here on are made up.
const MADE_UP: u64 = 1_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// An honest process sends to those whose bits are set.
    Multicast(Pick, u8),
    /// A copy arrives, and its author vouches for its clock.
    Arrive(Pick),
    /// The liar sends an entry to an honest process: about this author, with this made-up clock and these destinations.
    Lie(Pick, Pick, u64, u8),
    /// An honest process asks another, or the liar, how far its clock goes.
    Ask(Pick, Pick),
    /// An honest process restarts from a snapshot.
    Restart(Pick),
}

fn program() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (any::<Pick>(), any::<u8>()).prop_map(|(who, to)| Step::Multicast(who, to)),
        3 => (any::<Pick>(), 0..8_u8).prop_map(|(who, bit)| Step::Multicast(who, 1 << bit)),
        12 => any::<Pick>().prop_map(Step::Arrive),
        4 => (any::<Pick>(), any::<Pick>(), MADE_UP..2 * MADE_UP, any::<u8>())
            .prop_map(|(to, about, clock, dests)| Step::Lie(to, about, clock, dests)),
        2 => (any::<Pick>(), any::<Pick>()).prop_map(|(who, whom)| Step::Ask(who, whom)),
        1 => any::<Pick>().prop_map(Step::Restart),
    ];
    prop::collection::vec(step, 0..120)
}

struct Sent {
    dests: BTreeSet<Id>,
    envelope: causal::Envelope<Id>,
    past: BTreeSet<usize>,
}

struct Member {
    process: Process<Id, Option<usize>>,
    past: BTreeSet<usize>,
    delivered: BTreeSet<usize>,
}

struct World {
    honest: Vec<Member>,
    sent: Vec<Sent>,
    wire: Vec<(Id, usize)>,
    lies: u64,
}

fn config() -> Config {
    Config { trust: Trust::Vouched, ..Config::default() }
}

impl World {
    fn new() -> Self {
        let member = |id| {
            let mut process = Process::new(id, config());
            for other in 0..=LIAR {
                process.intern(other).unwrap();
            }
            Member { process, past: BTreeSet::new(), delivered: BTreeSet::new() }
        };
        Self { honest: (0..HONEST).map(member).collect(), sent: Vec::new(), wire: Vec::new(), lies: 0 }
    }

    fn run(&mut self, program: &[Step]) {
        for step in program {
            match step {
                Step::Multicast(who, to) => self.multicast(who.index(self.honest.len()), *to),
                Step::Arrive(copy) => {
                    if !self.wire.is_empty() {
                        self.arrive(copy.index(self.wire.len()));
                    }
                }
                Step::Lie(to, about, clock, dests) => {
                    self.lie(to.index(self.honest.len()), about.index(self.honest.len() + 1) as Id, *clock, *dests);
                }
                Step::Ask(who, whom) => self.ask(who.index(self.honest.len()), whom.index(self.honest.len() + 1) as Id),
                Step::Restart(who) => {
                    let process = &mut self.honest[who.index(HONEST.into())].process;
                    let mut restored = Process::restore(process.snapshot(), config()).unwrap();
                    for (stamp, message) in process.held_messages() {
                        restored.receive(stamp.clone(), *message).unwrap();
                    }
                    assert_eq!(restored.snapshot(), process.snapshot());
                    *process = restored;
                    // It asks again about the entries that were void.
                    for whom in 0..=LIAR {
                        self.ask(who.index(HONEST.into()), whom);
                    }
                }
            }
        }
    }

    /// Every copy arrives, and each honest process asks all processes.
    fn settle(&mut self) {
        while !self.wire.is_empty() {
            self.arrive(self.wire.len() - 1);
        }
        for who in 0..self.honest.len() {
            for whom in 0..=LIAR {
                self.ask(who, whom);
            }
        }
        for (id, member) in self.honest.iter().enumerate() {
            let addressed = self.sent.iter().enumerate().filter(|(_, sent)| sent.dests.contains(&(id as Id)));
            assert_eq!(member.delivered, addressed.map(|(n, _)| n).collect(), "{id} delivers everything");
            assert_eq!(member.process.held(), 0, "no message is held at {id}");
            let made_up = |entry: &Entry| entry.clock >= MADE_UP && entry.sender.position() != usize::from(LIAR);
            assert!(!member.process.snapshot().log.iter().any(made_up), "no made-up entry stays at {id}");
        }
    }

    fn multicast(&mut self, author: usize, to: u8) {
        let dests: BTreeSet<Id> = (0..HONEST).filter(|&d| usize::from(d) != author && to >> d & 1 == 1).collect();
        let member = &mut self.honest[author];
        let envelope = member.process.send(dests.iter().copied()).unwrap();
        let past = member.past.clone();
        member.past.insert(self.sent.len());
        self.wire.extend(dests.iter().map(|&d| (d, self.sent.len())));
        self.sent.push(Sent { dests, envelope, past });
    }

    fn arrive(&mut self, copy: usize) {
        let (to, number) = self.wire.swap_remove(copy);
        let envelope = &self.sent[number].envelope;
        let process = &mut self.honest[usize::from(to)].process;
        let author = process.intern(*envelope.sender()).unwrap();
        process.vouch(author, envelope.clock());
        process.accept(envelope, Some(number)).unwrap();
        self.deliver(to.into());
    }

    fn lie(&mut self, to: usize, about: Id, clock: u64, dests: u8) {
        self.lies += 1;
        let clock = if about == LIAR { self.lies } else { clock };
        let process = &mut self.honest[to].process;
        let index = |id: Id| process.roster().index(&id).unwrap();
        let dests: Set = (0..=LIAR).filter(|d| dests >> d & 1 == 1).map(index).collect();
        let lie = Entry { sender: index(about), clock, dests };
        let me = [process.me()].into_iter().collect();
        let stamp = Stamp { sender: index(LIAR), clock: self.lies + 1, dests: me, log: [lie].into_iter().collect() };
        process.vouch(stamp.sender, stamp.clock);
        process.receive(stamp, None).unwrap();
        self.deliver(to);
    }

    /// The answer is true, and comes at once.
    fn ask(&mut self, who: usize, whom: Id) {
        let clock = if whom == LIAR { self.lies + 1 } else { self.honest[usize::from(whom)].process.clock() };
        let process = &mut self.honest[who].process;
        let author = process.roster().index(&whom).unwrap();
        process.vouch(author, clock);
        process.void(author, clock, 2 * MADE_UP);
        if whom == LIAR {
            // The liar withholds the messages that it says it has sent.
            process.abandon(author, clock);
        }
        self.deliver(who);
    }

    fn deliver(&mut self, to: usize) {
        let member = &mut self.honest[to];
        while let Some(Delivery { message, .. }) = member.process.next_delivery() {
            let Some(number) = message else { continue };
            for &earlier in &self.sent[number].past {
                let came = !self.sent[earlier].dests.contains(&(to as Id)) || member.delivered.contains(&earlier);
                assert!(came, "{to} delivers {number} before {earlier}, which happened before it");
            }
            assert!(member.delivered.insert(number), "exactly once");
            member.past.extend(&self.sent[number].past);
            member.past.insert(number);
        }
    }
}

proptest! {
    #[test]
    fn made_up_clocks_neither_erase_nor_block(program in program()) {
        let mut world = World::new();
        world.run(&program);
        world.settle();
    }
}

type Peer = Process<u8, u8>;

fn peer(trust: Trust) -> (Peer, [Index; 4]) {
    let mut peer = Peer::new(0, Config { trust, ..Config::default() });
    let others = [1, 2, 3].map(|id| peer.intern(id).unwrap());
    let me = peer.me();
    (peer, [me, others[0], others[1], others[2]])
}

fn stamp(sender: Index, clock: u64, dests: &[Index], log: &[(Index, u64, &[Index])]) -> Stamp {
    let set = |members: &[Index]| members.iter().copied().collect::<Set>();
    let log = log.iter().map(|&(sender, clock, dests)| Entry { sender, clock, dests: set(dests) });
    Stamp { sender, clock, dests: set(dests), log: log.collect() }
}

fn drain(peer: &mut Peer) -> Vec<u8> {
    std::iter::from_fn(|| peer.next_delivery()).map(|delivery| delivery.message).collect()
}

/// `a` has sent message 1 to me and to `b`. A liar names a later message of `a`, and not this one. Then I forget that it may
/// not have reached `b`, unless only `a` can make its own entries obsolete.
#[test]
fn only_the_author_makes_its_entries_obsolete() {
    for (trust, remembered) in [(Trust::Everyone, false), (Trust::Vouched, true)] {
        let (mut peer, [me, a, b, liar]) = peer(trust);
        peer.vouch(a, 1);
        peer.receive(stamp(a, 1, &[me, b], &[]), 0).unwrap();
        peer.receive(stamp(liar, 1, &[me], &[(a, MADE_UP, &[])]), 1).unwrap();
        assert_eq!(drain(&mut peer), [0, 1]);
        let tells_b = peer.multicast(&[b].into_iter().collect());
        let depends = tells_b.log.iter().any(|entry| (entry.sender, entry.clock) == (a, 1) && entry.dests.contains(b));
        assert_eq!(depends, remembered, "{trust:?}");
    }
}

/// I have sent 1 to `b` and 2 to `a`. A liar names my 2 and not my 1, or names my 1 as if it had been delivered. If I believed
/// that, my next message to `b` would not name my 1. It could overtake my 1, and `b` would take my 1 for a duplicate then.
#[test]
fn no_other_process_makes_entries_about_my_own_messages_obsolete() {
    for (trust, remembered) in [(Trust::Everyone, false), (Trust::Vouched, true)] {
        for lie in [2, 1] {
            let (mut peer, [me, a, b, liar]) = peer(trust);
            peer.multicast(&[b].into_iter().collect());
            peer.multicast(&[a].into_iter().collect());
            peer.receive(stamp(liar, 1, &[me], &[(me, lie, &[])]), 0).unwrap();
            assert_eq!(drain(&mut peer), [0]);
            let tells_b = peer.multicast(&[b].into_iter().collect());
            let mine =
                tells_b.log.iter().any(|entry| (entry.sender, entry.clock) == (me, 1) && entry.dests.contains(b));
            assert_eq!(mine, remembered, "{trust:?}, about {lie}");
        }
    }
}

#[test]
fn a_message_that_its_author_denies_blocks_nothing_and_is_not_passed_on() {
    let (mut peer, [me, a, b, liar]) = peer(Trust::Vouched);
    let lie = stamp(liar, 1, &[me], &[(a, MADE_UP, &[me, b])]);
    assert_eq!(peer.receive(lie.clone(), 0).unwrap(), Receipt::Held);
    assert_eq!(peer.abandon(a, MADE_UP), None, "nothing is given up beyond the clock that its author vouched for");
    peer.void(a, 0, MADE_UP - 1);
    assert_eq!(peer.held(), 1, "its author was not asked about this one, and may have sent it after the answer");
    peer.void(a, 0, MADE_UP);
    let delivery = peer.next_delivery().unwrap();
    assert_eq!((delivery.message, delivery.stamp), (0, lie), "it is delivered as it was received");
    assert!(peer.multicast(&[b].into_iter().collect()).log.iter().all(|entry| entry.sender != a));

    // The denial does not affect a message that `a` sends later.
    assert_eq!(peer.receive(stamp(liar, 2, &[me], &[(a, 1, &[me])]), 1).unwrap(), Receipt::Held);
    assert_eq!(peer.receive(stamp(a, 1, &[me], &[]), 2).unwrap(), Receipt::Delivered);
    assert_eq!(drain(&mut peer), [2, 1]);
}

/// `a` sent three messages in a row. Only `b` has named the second one to me, and I cannot get it for now.
#[test]
fn messages_before_a_disregarded_one_are_not_lost() {
    let (mut peer, [me, a, b, _]) = peer(Trust::Vouched);
    assert_eq!(peer.receive(stamp(b, 1, &[me], &[(a, 2, &[me, b])]), 0).unwrap(), Receipt::Held);
    let hole = peer.disregard(a, 2).map(|hole| (hole.from, hole.to, hole.given_up));
    assert_eq!(hole, Some((0, 2, true)), "the message before it may be overtaken, too");
    assert_eq!(peer.disregard(a, 2), None);
    assert_eq!(peer.disregard(me, 2), None);
    assert_eq!((drain(&mut peer), peer.stats().abandoned), (vec![0], 1));
    let is_for_b = |entry: &Entry| (entry.sender, entry.clock) == (a, 2) && entry.dests == [b].into_iter().collect();
    assert!(
        peer.multicast(&[b].into_iter().collect()).log.iter().any(is_for_b),
        "`b` decides for itself whether to give it up"
    );

    // No other message waits for it, even after a restart. But a message still waits for the one before it.
    let mut peer = Peer::restore(peer.snapshot(), config()).unwrap();
    assert_eq!(peer.receive(stamp(b, 2, &[me], &[(a, 2, &[me])]), 1).unwrap(), Receipt::Delivered);
    assert_eq!(peer.receive(stamp(b, 3, &[me], &[(a, 1, &[me])]), 2).unwrap(), Receipt::Held);
    assert_eq!(drain(&mut peer), [1]);
    assert_eq!(peer.receive(stamp(a, 3, &[me], &[(a, 2, &[me])]), 13).unwrap(), Receipt::Delivered);
    let late = |peer: &mut Peer| peer.next_delivery().map(|delivery| (delivery.message, delivery.late));
    assert_eq!(late(&mut peer), Some((13, false)), "it lies beyond the disregarded clock");
    assert_eq!(peer.receive(stamp(a, 2, &[me], &[(a, 1, &[me])]), 12).unwrap(), Receipt::Held);
    assert_eq!(peer.receive(stamp(a, 1, &[me], &[]), 11).unwrap(), Receipt::Delivered);
    assert_eq!(late(&mut peer), Some((11, true)), "it was overtaken");
    let rest = [late(&mut peer), late(&mut peer)];
    assert!(rest.contains(&Some((12, true))) && rest.contains(&Some((2, false))), "{rest:?}");
    assert_eq!(peer.holes(a), []);
    for clock in 1..=3 {
        assert_eq!(peer.receive(stamp(a, clock, &[me], &[]), 0).unwrap(), Receipt::Duplicate);
    }
}

#[test]
fn a_message_that_its_author_denies_is_not_disregarded_any_more() {
    let (mut peer, [me, a, b, _]) = peer(Trust::Vouched);
    peer.receive(stamp(b, 1, &[me], &[(a, MADE_UP, &[me])]), 0).unwrap();
    assert!(peer.disregard(a, MADE_UP).is_some());
    assert_eq!(drain(&mut peer), [0]);
    peer.void(a, 0, MADE_UP);
    assert_eq!(peer.holes(a), []);
    assert_eq!(peer.receive(stamp(a, 1, &[me], &[]), 1).unwrap(), Receipt::Delivered);
    assert!(peer.next_delivery().is_some_and(|delivery| !delivery.late), "no message of its author has been overtaken");
}

/// A clock certainly exists if its author vouched for it, or if a later one was delivered.
#[test]
fn disregarding_a_message_that_certainly_exists_abandons_everything_up_to_it() {
    for trust in [Trust::Everyone, Trust::Vouched] {
        let (mut peer, [_, a, b, _]) = peer(trust);
        peer.vouch(a, 4);
        assert_eq!(peer.disregard(a, 4).map(|hole| (hole.from, hole.to)), Some((0, 4)));
        assert_eq!(peer.holes(a).len(), 1);
        assert_eq!(peer.disregard(b, 9).map(|hole| (hole.from, hole.to)), Some((0, 9)));
        let from = if trust == Trust::Everyone { 0 } else { 8 };
        assert_eq!(peer.holes(b), [causal::Hole { from, to: 9, given_up: true }]);
    }
}

#[test]
fn an_author_cannot_take_back_a_clock_that_it_has_vouched_for() {
    let (mut peer, [me, a, b, _]) = peer(Trust::Vouched);
    peer.vouch(a, 3);
    peer.vouch(a, 2);
    assert_eq!(peer.vouched(a), 3, "the vouched clock never goes back");
    assert_eq!(peer.receive(stamp(b, 1, &[me], &[(a, 3, &[me])]), 0).unwrap(), Receipt::Held);
    peer.void(a, 0, MADE_UP);
    assert_eq!(peer.held(), 1);
    assert_eq!(peer.waits_for(b, 1), [(a, 3)]);
    assert_eq!(peer.abandon(a, MADE_UP).map(|hole| (hole.from, hole.to)), Some((0, 3)));
    assert_eq!(drain(&mut peer), [0]);
}

#[test]
fn entries_about_own_messages_that_were_never_sent_are_left_out() {
    let (mut peer, [me, a, b, _]) = peer(Trust::Everyone);
    let about_me = stamp(a, 1, &[me], &[(me, MADE_UP, &[me, b])]);
    assert_eq!(peer.receive(about_me, 0).unwrap(), Receipt::Delivered);
    assert_eq!(drain(&mut peer), [0]);
    assert!(peer.snapshot().log.iter().all(|entry| entry.sender != me));
}

#[test]
fn a_denial_covers_only_the_clocks_that_were_asked_about() {
    let (mut peer, [me, a, b, liar]) = peer(Trust::Vouched);
    let asked = stamp(liar, 1, &[me], &[(a, 5, &[b]), (a, 9, &[b])]);
    peer.receive(asked, 0).unwrap();
    let later = stamp(liar, 2, &[me], &[(a, 4, &[b]), (a, 8, &[b])]);
    peer.receive(later, 1).unwrap();
    peer.next_delivery().unwrap();
    peer.void(a, 0, 5);
    peer.next_delivery().unwrap();
    let left: Vec<u64> =
        peer.snapshot().log.iter().filter(|entry| entry.sender == a).map(|entry| entry.clock).collect();
    assert_eq!(left, [8, 9]);
}

#[test]
fn a_vouched_entry_makes_older_markers_of_its_author_obsolete() {
    let (mut peer, [me, a, b, other]) = peer(Trust::Vouched);
    peer.receive(stamp(other, 1, &[me], &[(a, 1, &[]), (a, 2, &[b])]), 0).unwrap();
    peer.next_delivery().unwrap();
    let about_a = |peer: &Peer| peer.snapshot().log.iter().filter(|entry| entry.sender == a).count();
    assert_eq!(about_a(&peer), 2);
    peer.vouch(a, 2);
    assert_eq!(about_a(&peer), 1);
    assert_eq!(peer.stats().log, peer.snapshot().log.len());
}
