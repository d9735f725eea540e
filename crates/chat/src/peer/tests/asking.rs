//! What stays missing is asked for, of whoever may have it.

use std::time::Duration;

use super::world::World;
use crate::Config;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// What alice says reaches carol neither by herself nor by a pull, as she is there; so bob is asked for it, who has had much of
/// alice's that was not for carol, too.
#[test]
fn whoever_is_asked_is_asked_on_past_what_was_for_others() {
    let config = Config { max_piece: 5, journal: true, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.slow(ALICE, CAROL);
    for round in 0..300 {
        world.say(ALICE, "cars", &format!("{round}"));
        world.settle();
    }
    world.say(ALICE, "all", "question");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    assert!(world.heard(CAROL).is_empty());
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}

/// As many are missing as there are messages before the one that came, but one question is enough.
#[test]
fn what_is_missing_of_one_author_is_asked_for_together() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    for round in 0..50 {
        world.say(ALICE, "all", &format!("question {round}"));
        world.settle();
        world.say(BOB, "all", &format!("answer {round}"));
        world.settle();
    }
    let before = world.crossed[&(CAROL, BOB)].pulls;
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(CAROL).len(), 100);
    let asked = world.crossed[&(CAROL, BOB)].pulls - before;
    assert!(asked <= 2, "bob was asked {asked} times");
}
