//! A store that is put back from an older copy.

use std::time::Duration;

use super::world::World;
use crate::Command;

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

/// bob's store is put back to before carol and alice forgot him and he began anew. Neither returns him a greeting of who he was then;
/// but they have his record of since.
#[test]
fn whoever_is_put_back_to_before_he_began_anew_begins_anew_again() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.keep(BOB);
    world.link_all();
    world.settle();
    world.say(BOB, "all", "before");
    world.settle();
    let copy = world.people[BOB].peer.store_mut().copy();
    let old = world.people[BOB].peer.process();
    world.say(BOB, "all", "behind the copy");
    world.settle();
    world.kill(BOB);
    world.command(ALICE, Command::Forget { person: "bob".to_owned() }).unwrap();
    world.settle();
    world.link(BOB, ALICE);
    world.settle();
    world.link_all();
    world.settle();
    let new = world.people[BOB].peer.process();
    assert_ne!(new, old, "he begins anew");
    // Each life draws other incarnations.
    world.come_back(BOB);
    *world.people[BOB].peer.store_mut() = copy;
    world.come_back(BOB);
    assert_eq!(world.people[BOB].peer.process(), old);
    world.link(BOB, ALICE);
    world.settle();
    let newest = world.people[BOB].peer.process();
    assert!(newest != old && newest != new);
    world.link_all();
    world.settle();
    world.say(BOB, "all", "after");
    world.settle();
    assert_eq!(world.heard(ALICE), ["before", "behind the copy", "after"]);
    assert_eq!(world.history(BOB, "all"), ["before", "behind the copy", "after"]);
    assert!(world.people.iter().all(|someone| !someone.closed.iter().any(|reason| reason.contains("never sent"))));
}
