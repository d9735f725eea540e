//! Two copies of one peer run at the same time: the older start is superseded, and nothing is shown twice.

use std::time::Duration;

use super::world::World;
use crate::kept::Kept;
use crate::{Answer, Command, Config, Event, Refusal};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const COPY: usize = 3;
/// Where dave is there, too, the copy comes after him.
const DAVE: usize = 3;

/// bob is copied after a talk. Then he is linked to alice, and the copy to carol.
fn two_bobs() -> World {
    two_bobs_with(Config { journal: true, ..Config::default() })
}

fn two_bobs_with(config: Config) -> World {
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.keep(BOB);
    world.link_all();
    world.settle();
    world.say(BOB, "all", "before");
    world.pass(Duration::from_secs(1));
    world.kill(BOB);
    world.come_back(BOB);
    assert_eq!(world.copy(BOB), COPY);
    world.link(BOB, ALICE);
    world.link(COPY, CAROL);
    world.settle();
    world
}

/// The copy meets alice as well: bob is told, and the copy goes on alone.
fn the_copy_goes_on(world: &mut World) {
    world.superseded(BOB);
    for _ in 0..3 {
        for other in [ALICE, CAROL] {
            if !world.is_linked(COPY, other) {
                world.link(COPY, other);
            }
            world.settle();
        }
    }
    world.pass(Duration::from_secs(5));
}

fn unsent(world: &mut World, who: usize) -> Vec<String> {
    match world.command(who, Command::Pending) {
        Ok(Answer::Pending { waiting, .. }) => waiting.iter().map(|waiting| waiting.text.to_string()).collect(),
        other => panic!("nothing pending: {other:?}"),
    }
}

#[test]
fn a_text_that_some_were_shown_is_not_shown_to_them_again() {
    let mut world = two_bobs();
    world.say(BOB, "all", "from bob");
    world.say(COPY, "all", "from the copy");
    world.say(COPY, "carol", "to carol alone");
    world.settle();
    assert_eq!(world.heard(CAROL), ["before", "from the copy", "to carol alone"]);
    the_copy_goes_on(&mut world);
    world.say(COPY, "all", "after");
    world.settle();
    assert_eq!(world.heard(ALICE), ["before", "from bob", "from the copy", "after"]);
    assert_eq!(world.heard(CAROL), ["before", "from the copy", "to carol alone", "after"]);
    assert_eq!(world.history(ALICE, "all"), ["before", "from bob", "from the copy", "after"]);
    assert_eq!(world.history(CAROL, "all"), ["before", "from the copy", "after"]);
    assert_eq!(world.history(CAROL, "bob"), ["to carol alone"]);
    assert_eq!(world.history(COPY, "all"), ["before", "from the copy", "after"]);
}

/// Whichever of the others the newcomer meets first: the text may come under the id that it was said as first, or as it was said again.
#[test]
fn a_newcomer_is_shown_each_text_once() {
    for bob_speaks_to in ["all", "alice"] {
        for order in [[CAROL, ALICE, COPY], [ALICE, CAROL, COPY], [COPY, ALICE, CAROL], [ALICE, COPY, CAROL]] {
            let mut world = two_bobs();
            world.say(BOB, bob_speaks_to, "from bob");
            world.say(COPY, "all", "from the copy");
            world.settle();
            world.say(CAROL, "all", "answer to the copy");
            world.settle();
            the_copy_goes_on(&mut world);
            let dave = world.add("dave");
            for other in order {
                world.link(dave, other);
                world.pass(Duration::from_secs(40));
            }
            let shown = world.heard(dave);
            for text in ["before", "from the copy", "answer to the copy"] {
                let times = shown.iter().filter(|shown| *shown == text).count();
                assert_eq!(times, 1, "{text}, where {order:?} are met: {shown:?}");
            }
            let (mut history, mut shown) = (world.history(dave, "all"), shown);
            history.sort();
            shown.sort();
            assert_eq!(history, shown);
        }
    }
}

#[test]
fn who_is_superseded_sends_nothing_and_keeps_what_did_not_reach_all() {
    let mut world = two_bobs();
    world.say(BOB, "alice", "to alice alone");
    world.say(BOB, "all", "to alice and carol");
    world.pass(Duration::from_secs(1));
    the_copy_goes_on(&mut world);
    let send = Command::Send { to: crate::Target::All, text: "again".to_owned(), delay_ms: 0 };
    assert_eq!(world.command(BOB, send), Err(Refusal::Superseded));
    assert_eq!(world.command(BOB, Command::Resend { number: None }), Err(Refusal::Superseded));
    assert_eq!(world.history(BOB, "all"), ["before", "to alice and carol"]);
    assert_eq!(unsent(&mut world, BOB), ["to alice and carol"]);
    assert_eq!(world.heard(ALICE), ["before", "to alice alone", "to alice and carol"]);
    world.command(BOB, Command::Cancel { number: None }).unwrap();
    assert!(unsent(&mut world, BOB).is_empty());
}

#[test]
fn what_did_not_reach_all_is_kept_however_much_others_have_said_since() {
    let mut world = two_bobs_with(Config { journal: true, max_resent: 10, ..Config::default() });
    world.say(BOB, "all", "from bob");
    world.settle();
    world.say_many(ALICE, "all", 20);
    world.settle();
    world.superseded(BOB);
    assert_eq!(unsent(&mut world, BOB), ["from bob"]);
}

/// carol has something else of the copy under the clock of what bob said, so it never comes to her by itself.
#[test]
fn what_was_left_unsent_can_be_sent_once_the_copy_is_stopped() {
    let mut world = two_bobs();
    world.say(BOB, "all", "from bob");
    world.say(COPY, "carol", "to carol alone");
    world.settle();
    the_copy_goes_on(&mut world);
    world.kill(COPY);
    world.come_back(BOB);
    for _ in 0..2 {
        for other in [ALICE, CAROL] {
            if !world.is_linked(BOB, other) {
                world.link(BOB, other);
            }
            world.pass(Duration::from_secs(5));
        }
    }
    assert_eq!(world.heard(CAROL), ["before", "to carol alone"], "nothing goes out by itself");
    assert_eq!(unsent(&mut world, BOB), ["from bob"]);
    world.command(BOB, Command::Resend { number: None }).unwrap();
    world.say(BOB, "all", "I am back");
    world.settle();
    assert_eq!(world.heard(CAROL), ["before", "to carol alone", "from bob", "I am back"]);
    assert_eq!(world.heard(ALICE), ["before", "from bob", "I am back"]);
    assert_eq!(world.history(BOB, "all"), ["before", "from bob", "I am back"]);
    assert!(unsent(&mut world, BOB).is_empty());
}

#[test]
fn what_both_had_scheduled_is_said_by_the_copy_alone() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.keep(BOB);
    world.link_all();
    world.settle();
    let later = Command::Send { to: crate::Target::All, text: "later".to_owned(), delay_ms: 60_000 };
    world.command(BOB, later).unwrap();
    world.kill(BOB);
    world.come_back(BOB);
    assert_eq!(world.copy(BOB), COPY);
    world.link(BOB, ALICE);
    world.settle();
    let here = Command::Send { to: crate::Target::All, text: "scheduled here".to_owned(), delay_ms: 60_000 };
    world.command(BOB, here).unwrap();
    the_copy_goes_on(&mut world);
    world.pass(Duration::from_secs(100));
    assert_eq!((world.heard(ALICE), world.heard(CAROL)), (vec!["later".to_owned()], vec!["later".to_owned()]));
    assert_eq!(unsent(&mut world, BOB), ["later", "scheduled here"]);
    world.kill(COPY);
    world.come_back(BOB);
    for _ in 0..2 {
        if !world.is_linked(BOB, ALICE) {
            world.link(BOB, ALICE);
        }
        world.pass(Duration::from_secs(100));
    }
    assert_eq!(world.heard(ALICE), ["later", "scheduled here"]);
    assert_eq!(unsent(&mut world, BOB), ["later"]);
}

#[test]
fn what_a_copy_said_before_it_was_started_again_is_not_forgotten() {
    let mut world = two_bobs();
    world.say(BOB, "all", "from bob");
    world.say(COPY, "all", "from the copy");
    world.settle();
    world.kill(COPY);
    world.come_back(COPY);
    the_copy_goes_on(&mut world);
    assert_eq!(world.heard(ALICE), ["before", "from bob", "from the copy"]);
    assert_eq!(world.heard(CAROL), ["before", "from the copy"]);
}

/// The copy said its answer before it learnt of bob, so it says it again. It may not forget what that answers.
#[test]
fn what_was_said_to_a_copy_goes_before_what_it_says_again() {
    let mut world = two_bobs();
    world.cut(ALICE, CAROL);
    world.say(BOB, "alice", "from bob");
    world.say(CAROL, "all", "question");
    world.settle();
    world.say(COPY, "all", "answer");
    world.settle();
    the_copy_goes_on(&mut world);
    assert_eq!(world.heard(ALICE), ["before", "from bob", "question", "answer"]);
}

#[test]
fn what_was_said_in_an_earlier_run_is_left_unsent_too() {
    let mut world = two_bobs();
    world.say(BOB, "carol", "to carol");
    world.settle();
    world.kill(BOB);
    world.come_back(BOB);
    the_copy_goes_on(&mut world);
    assert_eq!(unsent(&mut world, BOB), ["to carol"]);
}

/// Each says something under one clock: bob to alice, and the copy alone. Then carol, who has heard of neither, forgets bob, and meets
/// the copy. What the copy said never comes to alice under that clock.
#[test]
fn what_a_copy_said_before_it_was_forgotten_reaches_everybody() {
    let mut world = two_bobs();
    for (one, other) in [(ALICE, CAROL), (COPY, CAROL)] {
        world.cut(one, other);
    }
    world.say(BOB, "all", "from bob");
    world.settle();
    world.say(COPY, "all", "from the copy");
    world.command(CAROL, Command::Forget { person: "bob".to_owned() }).unwrap();
    world.settle();
    let before = world.people[COPY].peer.process();
    world.link(COPY, CAROL);
    world.settle();
    assert_ne!(world.people[COPY].peer.process(), before, "it begins anew");
    the_copy_goes_on(&mut world);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(ALICE), ["before", "from bob", "from the copy"]);
    assert_eq!(world.heard(CAROL), ["before", "from the copy"]);
    assert_eq!(unsent(&mut world, BOB), ["from bob"]);
}

/// carol has a message of the copy, and has forgotten bob. Her first word to him proves that the copy came further.
#[test]
fn a_copy_learns_of_the_other_one_from_those_who_have_forgotten_it() {
    let mut world = two_bobs();
    world.say(COPY, "all", "from the copy");
    world.settle();
    world.kill(COPY);
    world.cut(BOB, ALICE);
    world.settle();
    world.command(CAROL, Command::Forget { person: "bob".to_owned() }).unwrap();
    world.settle();
    let before = world.people[BOB].peer.process();
    world.link(BOB, CAROL);
    world.settle();
    assert_ne!(world.people[BOB].peer.process(), before, "it begins anew");
    assert_eq!(world.people[BOB].closed, ["beginning anew: the store was rolled back"]);
    let is_told = |event: &Event| matches!(event, Event::Warning { text } if text.contains("a copy of it runs"));
    assert!(world.people[BOB].events.iter().any(is_told));
}

/// bob welcomes dave to what alice said, but dave's request for it is lost, so the welcome waits. Meanwhile dave gets from carol what the
/// copy said: the clock of the welcome is that of something that is not for dave, and a later one is.
fn a_welcome_that_is_overtaken() -> World {
    let mut world = World::new(&["alice", "bob", "carol", "dave"]);
    world.keep(BOB);
    world.keep(DAVE);
    world.link(ALICE, BOB);
    world.settle();
    world.cut(ALICE, BOB);
    // She does not know the others yet.
    world.say(ALICE, "all", "question");
    world.link(CAROL, DAVE);
    for who in [CAROL, DAVE] {
        world.link(BOB, who);
    }
    world.pass(Duration::from_secs(5));
    world.come_back(BOB);
    let copy = world.copy(BOB);
    world.cut(CAROL, DAVE);
    world.link(BOB, DAVE);
    world.settle();
    world.slow(DAVE, BOB);
    world.link(BOB, ALICE);
    world.pass(Duration::from_secs(5));
    world.kill(BOB);
    assert_eq!(held(&mut world).len(), 1);
    world.link(copy, CAROL);
    world.settle();
    world.link(CAROL, DAVE);
    world.settle();
    world.say(copy, "carol", "to carol alone");
    world.say(copy, "all", "from the copy");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(DAVE), ["from the copy"]);
    world
}

/// What dave's store keeps as held.
fn held(world: &mut World) -> &[Kept] {
    &world.people[DAVE].peer.store_mut().saved.held
}

#[test]
fn a_welcome_that_is_overtaken_is_not_kept() {
    let mut world = a_welcome_that_is_overtaken();
    assert_eq!(held(&mut world).len(), 1);
    world.pass(Duration::from_secs(60));
    assert!(held(&mut world).is_empty());
}

#[test]
fn a_welcome_that_is_overtaken_is_not_kept_across_a_restart() {
    let mut world = a_welcome_that_is_overtaken();
    world.come_back(DAVE);
    world.say(DAVE, "carol", "back");
    assert!(held(&mut world).is_empty());
}
