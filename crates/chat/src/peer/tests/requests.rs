//! Somebody asks for much, a thousand times a second: so much is done for him and no more, and the others are served as ever.

use std::time::Duration;

use super::world::World;
use crate::body::Scope;
use crate::frame::{BATCH, Control, Frame, HistoryWanted, ParcelIds};
use crate::{Config, ProcessId};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

/// How many requests may be answered in three seconds.
const MOST: usize = 20 + 100;

/// Dave has said something and is gone, and carol is away while bob asks alice three thousand times in three seconds. How often
/// alice answered.
fn answers_to(asked: impl Fn(&[ProcessId], u32) -> Control) -> usize {
    let config = Config {
        answers_at_once: 20,
        answer_every: Duration::from_millis(30),
        max_requests: 50,
        journal: true,
        ..Config::default()
    };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link_all();
    world.settle();
    world.kill(CAROL);
    world.settle();
    world.say(DAVE, "all", "farewell");
    world.settle();
    world.kill(DAVE);
    world.settle();
    world.say(ALICE, "dave", "wait");
    // What alice says next bob does not hear, so he acknowledges nothing.
    world.slow(ALICE, BOB);
    world.say(ALICE, "all", "bob?");
    world.settle();
    let before = answers(&world).count();
    let everybody: Vec<ProcessId> = world.people.iter().map(|someone| someone.peer.process()).collect();
    for round in 0..3000 {
        let frame = asked(&everybody, round).encode();
        world.carry(BOB, ALICE, &frame);
        world.pass(Duration::from_millis(1));
        if round == 1500 {
            world.link(CAROL, ALICE);
        }
    }
    assert!(world.people[ALICE].closed.is_empty());
    assert!(world.people[ALICE].peer.repair.refused > 2000, "what is not answered is counted");
    let mut heard = world.heard(CAROL);
    heard.sort();
    assert_eq!(heard, ["bob?", "farewell"], "carol is served all the same");
    answers(&world).count() - before
}

/// What alice has answered bob: pieces, or what she said anew.
fn answers(world: &World) -> impl Iterator<Item = ()> {
    let frames = world.frames_on_the_way(ALICE, BOB).into_iter();
    let is_answer = |frame: &bytes::Bytes| match Frame::decode(frame) {
        Ok(Frame::Control(control)) => matches!(
            *control,
            Control::Pulled(_) | Control::History { .. } | Control::Parcels { .. } | Control::CarryWanted { .. }
        ),
        _ => frame[0] == BATCH,
    };
    frames.filter(is_answer).map(drop)
}

#[test]
fn pulls_are_answered_so_often_and_no_more() {
    let answers = answers_to(|everybody, _| Control::Pull { author: everybody[DAVE], after: 0, up_to: 1000 });
    assert!((MOST / 2..=MOST + 1).contains(&answers), "{answers}");
}

#[test]
fn history_is_handed_over_so_often_and_no_more() {
    let answers = answers_to(|everybody, request| {
        let up_to = vec![(everybody[DAVE], 1000)];
        let (scope, after) = (Scope::All, Vec::new());
        Control::HistoryWanted(HistoryWanted { request, scope, after, up_to, also: Vec::new(), before: None })
    });
    assert!((MOST / 2..=MOST + 1).contains(&answers), "{answers}");
}

#[test]
fn nobody_is_handed_what_is_under_delay_as_history() {
    for (delay_ms, handed) in [(30_000, 0), (0, 1)] {
        let mut world = World::mesh(&["alice"]);
        let said = world.say_later(ALICE, "all", "not yet", delay_ms);
        let bob = world.add("bob");
        world.link(bob, ALICE);
        world.slow(ALICE, bob);
        world.settle();
        let (scope, up_to) = (Scope::All, vec![(said.id.process, said.id.clock)]);
        let (after, also) = (Vec::new(), vec![(said.id.process, vec![said.id.clock])]);
        let wanted = HistoryWanted { request: 1, scope, after, up_to, also, before: None };
        world.carry(bob, ALICE, &Control::HistoryWanted(wanted).encode());
        world.settle();
        let pieces = world.frames_on_the_way(ALICE, bob).into_iter().filter_map(|frame| match Frame::decode(&frame) {
            Ok(Frame::Control(control)) => Some(*control),
            _ => None,
        });
        let pieces = pieces.filter(|control| matches!(control, Control::History { piece, .. } if piece.len() > 10));
        assert_eq!(pieces.count(), handed, "due in {delay_ms} ms");
    }
}

#[test]
fn parcels_are_given_so_often_and_no_more() {
    let answers = answers_to(|everybody, _| {
        let clocks = (1..100).collect();
        let wanted = vec![ParcelIds { author: everybody[ALICE], to: everybody[DAVE], clocks }];
        Control::CarryWanted { wanted, done: Vec::new() }
    });
    assert!((MOST / 2..=MOST + 1).contains(&answers), "{answers}");
}

#[test]
fn parcels_are_considered_so_often_and_no_more() {
    let answers = answers_to(|everybody, _| {
        let clocks = (1000..1100).collect();
        Control::Carrying { offered: vec![ParcelIds { author: everybody[DAVE], to: everybody[CAROL], clocks }] }
    });
    assert!((MOST / 2..=MOST + 1).contains(&answers), "{answers}");
}

#[test]
fn what_was_refused_is_pushed_again_so_often_and_no_more() {
    let answers = answers_to(|_, _| Control::Have { clock: 0, have: Vec::new(), again: true });
    assert!((MOST / 2..=MOST + 1).contains(&answers), "{answers}");
}

#[test]
fn nothing_is_handed_over_while_the_link_is_full() {
    let mut world = World::mesh(&["alice", "bob"]);
    let author = world.people[ALICE].peer.process();
    world.full(ALICE, BOB);
    world.slow(ALICE, BOB);
    for after in 0..5 {
        world.carry(BOB, ALICE, &Control::Pull { author, after, up_to: 10 }.encode());
    }
    // Other things fall due meanwhile.
    world.pass(Duration::from_secs(5));
    assert_eq!(answers(&world).count(), 0);
    world.ready(ALICE, BOB);
    world.settle();
    assert_eq!(answers(&world).count(), 5);
}

/// An honest peer has to ask for history of many conversations at once, all of which name many authors.
#[test]
fn what_waits_is_bounded_in_bytes() {
    let config = Config { max_request_bytes: 100_000, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob"], config);
    world.link_all();
    world.settle();
    let author = world.people[ALICE].peer.process();
    world.full(ALICE, BOB);
    for request in 0..100 {
        let (scope, after) = (Scope::All, vec![(author, 1); 100]);
        let wanted = HistoryWanted { request, scope, after, up_to: Vec::new(), also: Vec::new(), before: None };
        world.carry(BOB, ALICE, &Control::HistoryWanted(wanted).encode());
    }
    assert!(world.people[ALICE].peer.repair.refused >= 80, "{}", world.people[ALICE].peer.repair.refused);
    world.slow(ALICE, BOB);
    world.ready(ALICE, BOB);
    world.settle();
    let answers = answers(&world).count();
    assert!((5..=20).contains(&answers), "{answers}");
}
