//! What is missing: given up, or not to be had as history; and whom it is told.

use std::time::Duration;

use super::newcomers::asked_among_two;
use super::world::World;
use crate::{Command, Config, Event};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// How many times somebody was warned about a conversation.
fn warned_of(world: &World, who: usize, conversation: &str) -> usize {
    let about = format!("some of what was said in {conversation} before could not be fetched");
    let warned = |event: &&Event| matches!(event, Event::Warning { text } if text.starts_with(&about));
    world.people[who].events.iter().filter(warned).count()
}

/// Alice and bob were in a group, in which she asked something; carol got his answer, and could not fetch the question.
fn carol_lacks_the_question() -> World {
    let mut world = asked_among_two();
    // Her requests for history never arrive.
    world.join(CAROL, "cars");
    world.slow(CAROL, ALICE);
    world.deliver_all(CAROL, BOB);
    world.slow(CAROL, BOB);
    world.say(BOB, "cars", "answer");
    world.pass(Duration::from_secs(70));
    assert_eq!(world.heard(CAROL), ["answer"]);
    world
}

/// dave comes when carol alone is there, joins the group, and has had five seconds.
fn dave_meets_carol_alone(world: &mut World) -> usize {
    world.kill(ALICE);
    world.kill(BOB);
    let dave = world.add("dave");
    world.link(dave, CAROL);
    world.settle();
    world.join(dave, "cars");
    world.pass(Duration::from_secs(5));
    dave
}

/// carol was told that alice's history could not be fetched. So she does not pass for one who has it.
#[test]
fn whoever_could_not_fetch_the_history_is_not_asked_for_it_in_vain() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.settle();
    world.slow(ALICE, CAROL);
    world.join(CAROL, "cars");
    world.settle();
    // Her requests for history never arrive.
    world.slow(CAROL, ALICE);
    world.fast(ALICE, CAROL);
    world.say(ALICE, "cars", "second");
    world.pass(Duration::from_secs(70));
    assert_eq!(warned_of(&world, CAROL, "cars"), 1);
    assert_eq!(world.heard(CAROL), ["second"]);
    world.kill(ALICE);
    world.join(BOB, "cars");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["second"]);
    assert_eq!(warned_of(&world, BOB, "cars"), 1, "carol does not have the question");
}

/// carol was told that alice's question is missing. bob, who has it, hears her requests in the end.
#[test]
fn what_could_not_be_fetched_is_fetched_when_somebody_comes_who_has_it() {
    let mut world = carol_lacks_the_question();
    let handed_over = |world: &World| world.crossed[&(BOB, CAROL)].history;
    world.cut(ALICE, CAROL);
    world.fast(CAROL, BOB);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.history(CAROL, "cars"), ["question", "answer"]);
    assert_eq!(world.heard(CAROL), ["answer", "question"], "she is shown what belongs among the newest");
    let fetched =
        |event: &&Event| matches!(event, Event::Fetched { conversation, messages: 1 } if conversation == "cars");
    assert_eq!(world.people[CAROL].events.iter().filter(fetched).count(), 1, "she hears of it");
    // Nothing is asked for any more.
    let before = handed_over(&world);
    world.cut(BOB, CAROL);
    world.link(BOB, CAROL);
    world.settle();
    assert_eq!(handed_over(&world), before);
    assert_eq!(warned_of(&world, CAROL, "cars"), 1);
    // She has all of it now, and says so.
    let dave = dave_meets_carol_alone(&mut world);
    assert_eq!(world.heard(dave), ["question", "answer"]);
    assert_eq!(warned_of(&world, dave, "cars"), 0);
}

/// carol waits for what alice said in an earlier life, which nobody has. What alice and bob tell her of now she can have at once.
#[test]
fn whoever_has_not_what_one_welcome_names_may_have_what_another_names() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "lost");
    world.slow(CAROL, ALICE);
    world.link(ALICE, CAROL);
    world.deliver_all(CAROL, ALICE);
    world.settle();
    assert!(world.people[CAROL].peer.gate.is_busy(), "she has the welcome, and alice not her request");
    world.restart(ALICE);
    world.fast(CAROL, ALICE);
    world.link(ALICE, BOB);
    world.settle();
    world.say(ALICE, "all", "fresh");
    world.settle();
    world.link(ALICE, CAROL);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(CAROL), ["fresh"]);
}

/// carol was told that alice's question is missing, and has bob's answer. She welcomes dave with it.
#[test]
fn whoever_is_welcomed_with_gaps_asks_others_for_what_is_missing_or_is_told() {
    for comes_back in [true, false] {
        let mut world = carol_lacks_the_question();
        let dave = dave_meets_carol_alone(&mut world);
        assert!(world.heard(dave).is_empty(), "{:?}", world.heard(dave));
        if comes_back {
            world.link(dave, ALICE);
            world.pass(Duration::from_secs(5));
            assert_eq!(world.heard(dave), ["question", "answer"]);
        } else {
            world.pass(Duration::from_secs(60));
            assert_eq!(world.heard(dave), ["answer"]);
            assert_eq!(warned_of(&world, dave, "cars"), 1);
        }
    }
}

/// bob gave alice's first text up, and handed dave what he had. It comes to bob late; dave was never addressed.
#[test]
fn what_comes_late_to_whom_a_newcomer_had_his_history_from_reaches_him_too() {
    let mut world = World::mesh_of_old(&["alice", "bob"]);
    world.say_later(ALICE, "all", "late", 120_000);
    world.say(ALICE, "all", "afterwards");
    world.settle();
    world.cut(ALICE, BOB);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["afterwards"]);
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.settle();
    assert_eq!(world.heard(dave), ["afterwards"]);
    assert_eq!(warned_of(&world, dave, "all"), 1, "bob has waited for what he has given up");
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(120));
    assert_eq!(world.history(BOB, "all"), ["late", "afterwards"]);
    assert_eq!(world.history(dave, "all"), ["late", "afterwards"]);
}

/// carol's answer reaches bob, and neither what she answers to nor a word of alice's does, until he has given it up.
#[test]
fn what_comes_before_something_that_was_given_up_unseen_comes_late() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, BOB);
    world.say(ALICE, "all", "first");
    let second = world.say(ALICE, "all", "second");
    world.settle();
    world.say(CAROL, "all", "answer");
    world.settle();
    world.kill(ALICE);
    world.cut(BOB, CAROL);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.heard(BOB), ["answer"]);
    let gap = |event: &Event| if let Event::Gap { first, last, .. } = event { Some((*first, *last)) } else { None };
    assert_eq!(
        world.people[BOB].events.iter().filter_map(gap).collect::<Vec<_>>(),
        [(second.id.clock, second.id.clock)],
        "of the first he has not heard"
    );
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(BOB), ["answer", "first", "second"]);
    assert_eq!(world.shown(BOB).iter().map(|message| message.late).collect::<Vec<_>>(), [false, true, true]);
}

/// alice is back without her store: she does not know what she had said, and bob has given up some of it.
#[test]
fn whoever_gave_up_something_of_somebody_who_is_gone_for_good_says_so() {
    let mut world = World::mesh_of_old(&["alice", "bob"]);
    world.say_later(ALICE, "all", "late", 120_000);
    world.say(ALICE, "all", "afterwards");
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["afterwards"]);
    world.restart(ALICE);
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(5));
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(dave), ["afterwards"]);
    assert_eq!([warned_of(&world, ALICE, "all"), warned_of(&world, dave, "all")], [1, 1]);
}

/// bob, who is the only one that dave is linked to, has given something up; dave gets what there is, that behind the newest as well.
#[test]
fn all_that_is_there_is_fetched_where_something_was_given_up() {
    let max_stamped_delay = Duration::from_secs(120);
    let config = Config { history_first: 3, max_piece: 2, max_stamped_delay, ..Config::default() };
    let mut world = World::mesh_with(&["alice", "bob", "carol"], config);
    world.say_later(ALICE, "all", "late", 120_000);
    let said: Vec<String> = (0..10).map(|number| number.to_string()).collect();
    for text in &said {
        world.say(ALICE, "all", text);
    }
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(60));
    // She does not hear of dave.
    world.slow(BOB, CAROL);
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.settle();
    assert_eq!(world.history(dave, "all"), said);
    assert_eq!(warned_of(&world, dave, "all"), 1);
    // What she says is more of it. Of what dave has he gets the newest once more, in case there is nothing missing by now.
    let superfluous = |world: &World| world.people[dave].peer.repair.refused;
    let before = superfluous(&world);
    world.say(CAROL, "all", "more");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.history(dave, "all").last().map(String::as_str), Some("more"));
    assert!(superfluous(&world) - before <= 4, "{}", superfluous(&world) - before);
}

/// Once dave knows that some of what was said is not to be had, he does not wait as long for it with each welcome that names more.
#[test]
fn what_was_told_to_be_missing_is_not_waited_for_again() {
    let mut world = carol_lacks_the_question();
    let dave = world.add("dave");
    world.kill(ALICE);
    world.link(dave, CAROL);
    world.settle();
    world.join(dave, "cars");
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(dave), ["answer"]);
    // Of what bob says now he tells dave nothing, whom he has not heard of; and still carol's requests do not arrive.
    world.say(BOB, "cars", "more");
    world.settle();
    assert_eq!(world.heard(CAROL), ["answer", "more"]);
    world.kill(BOB);
    world.say(CAROL, "cars", "and more");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(dave), ["answer", "more", "and more"]);
    assert_eq!(warned_of(&world, dave, "cars"), 1, "once is enough");
}

/// bob was out of the group when alice's welcome to it came, and got no history. He is in it again when her answer comes.
#[test]
fn whoever_comes_back_to_a_group_hears_that_he_lacks_its_history() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.slow(ALICE, BOB);
    world.join(BOB, "cars");
    world.settle();
    world.slow(CAROL, BOB);
    world.say(CAROL, "all", "hello");
    world.settle();
    world.say(ALICE, "cars", "answer");
    world.command(BOB, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.settle();
    world.fast(ALICE, BOB);
    world.settle();
    assert_eq!(warned_of(&world, BOB, "cars"), 0, "it is not his");
    world.slow(BOB, ALICE);
    world.join(BOB, "cars");
    world.fast(CAROL, BOB);
    world.settle();
    assert_eq!(world.heard(BOB), ["hello", "answer"]);
    assert_eq!(warned_of(&world, BOB, "cars"), 1);
    world.fast(BOB, ALICE);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.history(BOB, "cars"), ["question", "answer"]);
}
