//! What nobody honest sends.

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
