//! A store that is put back from an older copy.

use std::time::Duration;

use super::world::World;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// Alice's question is on its way to carol, and bob has read it. Then his store is put back from a copy that knows nothing of the
/// groups that he made after that, though alice has his signed greeting behind them.
fn rolled_back(groups: &[&str]) -> World {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.keep(BOB);
    world.link_all();
    world.settle();
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    let copy = world.people[BOB].peer.store_mut().copy();
    for group in groups {
        world.create(BOB, group);
        world.settle();
    }
    world.pass(Duration::from_millis(3200));
    world.kill(BOB);
    *world.people[BOB].peer.store_mut() = copy;
    world.come_back(BOB);
    world
}

/// What he says before he finds out goes out again as another incarnation's, and carries what he had read by then: that he had told
/// it under clocks that had been used before counts for nothing.
#[test]
fn what_he_says_before_he_finds_out_waits_for_what_he_had_read() {
    let mut world = rolled_back(&["cars", "boats", "trains"]);
    let before = world.people[BOB].peer.process();
    world.say(BOB, "all", "answer");
    world.link(BOB, ALICE);
    world.settle();
    assert_ne!(world.people[BOB].peer.process(), before, "he begins anew");
    world.link(BOB, ALICE);
    world.link(BOB, CAROL);
    world.settle();
    assert!(world.heard(CAROL).is_empty(), "{:?}", world.heard(CAROL));
    world.fast(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}

/// His clock is beyond that of his greeting by then, but under that clock he has signed something else.
#[test]
fn whoever_has_said_more_than_was_lost_finds_out_too() {
    let mut world = rolled_back(&["cars"]);
    let before = world.people[BOB].peer.process();
    for round in 1..=5 {
        world.say(BOB, "all", &format!("{round}"));
    }
    world.link(BOB, ALICE);
    world.settle();
    assert_ne!(world.people[BOB].peer.process(), before, "he begins anew");
    world.link(BOB, ALICE);
    world.settle();
    assert_eq!(world.heard(ALICE), ["1", "2", "3", "4", "5"]);
}
