//! A release looks at the released messages, and at no other held message.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::borrow::Borrow;
use std::cell::Cell;
use std::rc::Rc;

use causal::{Config, Entry, Index, Process, Receipt, Set, Stamp};

type Peer = Process<u8, (), Watched>;

/// A stamp that counts how often it is looked at.
struct Watched(Stamp, Rc<Cell<usize>>);

impl Borrow<Stamp> for Watched {
    fn borrow(&self) -> &Stamp {
        self.1.set(self.1.get() + 1);
        &self.0
    }
}

/// How often stamps are looked at while a message arrives. `released` others wait for it; in a `chain` each waits for the one
/// before it instead. `unrelated` others wait for other messages.
fn looks(released: u64, chain: bool, unrelated: u64) -> usize {
    let looks = Rc::new(Cell::new(0));
    let mut peer = Peer::lending(0, Config::default());
    let [question, answers, others, absent] = [1, 2, 3, 4].map(|id| peer.intern(id).unwrap());
    let to_me: Set = [peer.me()].into_iter().collect();
    let stamp = |sender: Index, clock, after: Option<(Index, u64)>| {
        let entry = after.map(|(sender, clock)| Entry { sender, clock, dests: to_me.clone() });
        Watched(Stamp { sender, clock, dests: to_me.clone(), log: entry.into_iter().collect() }, Rc::clone(&looks))
    };
    for clock in 1..=unrelated {
        assert_eq!(peer.receive(stamp(others, clock, Some((absent, clock))), ()).unwrap(), Receipt::Held);
    }
    for clock in 1..=released {
        let after = if chain && clock > 1 { (answers, clock - 1) } else { (question, 1) };
        assert_eq!(peer.receive(stamp(answers, clock, Some(after)), ()).unwrap(), Receipt::Held);
    }
    looks.set(0);
    assert_eq!(peer.receive(stamp(question, 1, None), ()).unwrap(), Receipt::Delivered);
    let delivered = std::iter::from_fn(|| peer.next_delivery()).count() as u64;
    assert_eq!((delivered, peer.held() as u64), (released + 1, unrelated));
    looks.get()
}

#[test]
fn a_release_does_not_look_at_other_held_messages() {
    for chain in [false, true] {
        assert_eq!(looks(10, chain, 0), looks(10, chain, 10_000));
    }
}

#[test]
fn each_released_message_is_looked_at_equally_often_however_many_there_are() {
    for chain in [false, true] {
        let each = |released| (looks(released, chain, 0) - looks(0, chain, 0)) as u64 / released;
        assert_eq!(each(10), each(5_000));
        assert!(each(10) <= 6, "{} times", each(10));
    }
}
