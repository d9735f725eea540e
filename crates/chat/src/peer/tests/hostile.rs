//! What nobody honest sends.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::world::World;
use crate::ProcessId;
use crate::frame::{Control, Have, Returned};
use crate::peer::greeting;

const ALICE: usize = 0;
const BOB: usize = 1;

fn hello(process: ProcessId) -> Control {
    let (greeting, returned) = (greeting::forged(process), Box::new(Returned::default()));
    Control::Hello { greeting, have: Vec::new(), records: Vec::new(), returned }
}

fn refusal(frame: Bytes) -> Option<String> {
    let mut world = World::mesh(&["alice", "bob"]);
    world.carry(ALICE, BOB, &frame);
    world.people[BOB].closed.first().cloned()
}

#[test]
fn a_second_greeting_closes_the_link() {
    let world = World::mesh(&["alice", "bob"]);
    let process = world.people[ALICE].peer.process();
    let hello = hello(process);
    assert!(refusal(hello.encode()).is_some());
}

#[test]
fn an_acknowledgement_from_the_future_closes_the_link() {
    let world = World::mesh(&["alice", "bob"]);
    let author = world.people[BOB].peer.process();
    let have = vec![Have { author, delivered: 1_000_000, holes: Vec::new() }];
    let frame = Control::Have { clock: 0, have, again: false };
    assert!(refusal(frame.encode()).is_some_and(|reason| reason.contains("never sent")));
}

#[test]
fn an_empty_frame_and_an_unknown_kind_close_the_link() {
    assert!(refusal(Bytes::new()).is_some());
    assert!(refusal(Bytes::from_static(&[99, 1, 2, 3])).is_some());
}

#[test]
fn a_greeting_under_another_name_closes_the_link() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    let carol = world.people[2].peer.process();
    world.link(ALICE, BOB);
    let hello = hello(carol);
    world.carry(ALICE, BOB, &hello.encode());
    assert!(world.people[BOB].closed[0].contains("somebody else's name"));
}

proptest! {
    #[test]
    fn rubbish_never_panics(kind in 0..5u8, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let frame: Bytes = [vec![kind], bytes].concat().into();
        drop(refusal(frame));
    }

    #[test]
    fn a_damaged_batch_never_panics(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut world = World::mesh(&["alice", "bob"]);
        world.slow(ALICE, BOB);
        world.say(ALICE, "all", "hello");
        world.settle();
        let frames = world.frames_on_the_way(ALICE, BOB);
        let batch = frames.iter().position(|frame| frame[0] == crate::frame::BATCH).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            let mut frame = frame.to_vec();
            if index == batch {
                let at = at.index(frame.len());
                frame[at] ^= 1 << bit;
            }
            world.carry(ALICE, BOB, &frame.into());
        }
    }
}

/// bob names a message of alice's that she has not sent, and she answers him with it: each waits for the other's at carol.
#[test]
fn messages_that_wait_for_each_other_are_cut_loose() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let (alice, carol) = (world.people[0].peer.process(), world.people[2].peer.process());
    world.slow(0, 2);
    world.slow(1, 2);
    world.settle();
    let clock = world.people[0].peer.causal.clock() + 1;
    let bob = &mut world.people[1].peer;
    let mut snapshot = bob.causal.snapshot();
    let index = |process| bob.causal.roster().index(&process).unwrap();
    let made_up = causal::Entry { sender: index(alice), clock, dests: [index(carol)].into_iter().collect() };
    snapshot.remember(&[made_up]);
    let config = causal::Config { trust: causal::Trust::Vouched, ..causal::Config::default() };
    bob.causal = causal::Process::restore(snapshot, config).unwrap();
    world.say(1, "all", "what will you say?");
    world.settle();
    world.say(0, "all", "this");
    world.settle();
    world.fast(0, 2);
    world.fast(1, 2);
    world.pass(Duration::from_secs(20));
    assert!(world.heard(2).is_empty());
    world.pass(Duration::from_secs(20));
    let heard = world.heard(2);
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(world.people[2].peer.causal.held(), 0);
}
