//! What becomes of what a peer had said when others have forgotten it: it begins anew, and what not everybody has goes out again.

use std::time::Duration;

use super::world::World;
use crate::{Answer, Command};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn forget(world: &mut World, who: usize, person: &str) {
    world.command(who, Command::Forget { person: person.to_owned() }).unwrap();
    world.settle();
}

/// The first link tells dave that alice has forgotten his peer. The next one is to his new incarnation.
fn return_to_alice(world: &mut World) {
    let before = world.people[DAVE].peer.process();
    world.link(ALICE, DAVE);
    world.settle();
    assert_ne!(world.people[DAVE].peer.process(), before, "it begins anew");
    world.link(ALICE, DAVE);
    world.settle();
}

fn waiting(world: &mut World) -> Vec<String> {
    match world.command(DAVE, Command::Pending) {
        Ok(Answer::Pending { waiting, .. }) => waiting.iter().map(|waiting| waiting.text.to_string()).collect(),
        other => panic!("nothing pending: {other:?}"),
    }
}

/// What was said behind it waits for it, and is handed on.
#[test]
fn a_delayed_text_goes_out_at_once() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(DAVE);
    world.settle();
    world.say_later(DAVE, "all", "later", 20_000);
    world.say(DAVE, "all", "next");
    forget(&mut world, ALICE, "dave");
    return_to_alice(&mut world);
    assert!(waiting(&mut world).is_empty());
    world.link_all();
    world.pass(Duration::from_secs(5));
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(world.heard(who), ["later", "next"], "{who}");
    }
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(ALICE), ["later", "next"]);
    assert_eq!(world.history(DAVE, "all"), ["later", "next"]);
}

/// It cannot go out again to all of them, and to the others alone it would be another conversation.
#[test]
fn a_text_to_several_people_one_of_whom_is_gone_is_left_unsent() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(CAROL);
    world.kill(DAVE);
    world.cut(ALICE, BOB);
    world.settle();
    world.say(DAVE, "bob carol", "lunch?");
    world.link(ALICE, DAVE);
    world.settle();
    forget(&mut world, ALICE, "carol");
    world.cut(ALICE, DAVE);
    world.settle();
    forget(&mut world, ALICE, "dave");
    return_to_alice(&mut world);
    assert_eq!(waiting(&mut world), ["lunch?"]);
    assert_eq!(world.history(DAVE, "bob carol"), ["lunch?"]);
    assert!(world.history(DAVE, "bob").is_empty());
    world.link(BOB, DAVE);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB), ["lunch?"], "what it was said as first is handed on");
}
