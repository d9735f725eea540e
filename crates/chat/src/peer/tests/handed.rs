//! What is handed on goes batch by batch, with one proof for each.

use std::time::Duration;

use super::world::World;
use crate::store::Store;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

/// Carol is away while alice says so many things to all in one turn; then alice is gone, and bob hands them on.
fn handed_on(messages: usize) -> World {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(CAROL);
    world.settle();
    world.say_many(ALICE, "all", messages);
    world.settle();
    world.kill(ALICE);
    world.settle();
    world.link(CAROL, BOB);
    world.pass(Duration::from_secs(1));
    world
}

#[test]
fn what_was_signed_together_is_handed_on_with_one_proof() {
    let world = handed_on(640);
    assert_eq!(world.heard(CAROL).len(), 640);
    let crossed = world.crossed[&(BOB, CAROL)];
    assert_eq!(crossed.messages, 640);
    assert!(crossed.bytes < 640 * 40, "{} bytes for messages of 25", crossed.bytes);
    let alice = world.people[ALICE].peer.process();
    let first = world.people[CAROL].peer.store.kept_by(alice, 0, u64::MAX, 1).remove(0);
    assert_eq!(first.batch().here().count(), 64, "a batch is kept whole");
}

#[test]
fn what_was_handed_on_can_be_handed_on_again() {
    let mut world = handed_on(640);
    // Dave has lost everything but his key, so he fetches from carol alone what he was told before.
    world.restart(DAVE);
    world.kill(BOB);
    world.link(DAVE, CAROL);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.history(DAVE, "all").len(), 640);
}

#[test]
fn of_a_batch_with_messages_for_others_each_gets_his_own() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.kill(CAROL);
    world.settle();
    let said = |round| [("all", format!("to all {round}")), ("cars", format!("to cars {round}"))];
    world.say_together(ALICE, (0..10).flat_map(said));
    world.settle();
    world.kill(ALICE);
    world.link(CAROL, BOB);
    world.pass(Duration::from_secs(1));
    let to_all: Vec<String> = (0..10).map(|round| format!("to all {round}")).collect();
    assert_eq!(world.heard(CAROL), to_all);
    assert_eq!(world.heard(BOB).len(), 20);
}
