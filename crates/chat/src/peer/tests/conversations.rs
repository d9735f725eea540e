//! Talking when nothing breaks.

use std::net::SocketAddr;
use std::time::Duration;

use super::world::World;
use crate::store::Store;
use crate::{Answer, Command, Config, Event, Recipients, Refusal, Target};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// Whoever hands it on, and whoever reads a store, sees that it is and from whom to whom; what it says he does not see.
#[test]
fn a_direct_message_travels_sealed_and_both_sides_can_read_it() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "bob", "between us");
    world.say(ALICE, "all", "for everybody");
    world.settle();
    assert_eq!(world.heard(BOB), ["between us", "for everybody"]);
    assert_eq!(world.history(ALICE, "bob"), ["between us"]);
    assert_eq!(world.history(BOB, "alice"), ["between us"]);
    let (alice, bob) = (world.people[ALICE].peer.process(), &mut world.people[BOB].peer);
    let kept = bob.store_mut().kept_by(alice, 0, u64::MAX, 100);
    let says = |words: &[u8]| kept.iter().any(|kept| kept.body().windows(words.len()).any(|window| window == words));
    assert!(says(b"for everybody") && !says(b"between us"));
}

#[test]
fn a_text_to_all_reaches_everybody_once_and_its_author_never() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    assert_eq!(world.heard(BOB), ["hello"]);
    assert_eq!(world.heard(CAROL), ["hello"]);
    assert!(world.heard(ALICE).is_empty(), "the answer to the command shows one's own text");
    assert_eq!(world.history(ALICE, "all"), ["hello"]);
}

#[test]
fn an_answer_waits_for_its_question() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    assert_eq!(world.heard(BOB), ["question"]);
    let answer = world.say(BOB, "all", "answer");
    world.pass(Duration::from_millis(150));
    assert!(world.heard(CAROL).is_empty(), "nobody reads an answer before its question");
    let held = world.people[CAROL].events.iter().find_map(|event| match event {
        Event::Held { held } => Some(held.clone()),
        _ => None,
    });
    let held = held.expect("the user is told after an eye-blink");
    assert_eq!(held.id, answer.id);
    assert_eq!(held.missing[0].1.name, "alice");
    match world.command(CAROL, Command::Pending) {
        Ok(Answer::Pending { held: pending, .. }) => assert_eq!(pending, [held]),
        other => panic!("{other:?}"),
    }
    world.fast(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
    let released = |event: &Event| matches!(event, Event::Released { id, .. } if *id == answer.id);
    assert!(world.people[CAROL].events.iter().any(released));
}

#[test]
fn each_message_of_a_run_that_was_held_is_released_by_itself() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.say_many(BOB, "all", 3);
    world.pass(Duration::from_millis(150));
    world.fast(ALICE, CAROL);
    world.settle();
    let told = world.people[CAROL].events.iter().filter_map(|event| match event {
        Event::Released { id, .. } => Some(format!("released {}", id.clock)),
        Event::Message { message } => Some(format!("{} {}", message.text, message.id.clock)),
        _ => None,
    });
    let told: Vec<String> = told.skip_while(|told| !told.starts_with("question")).skip(1).collect();
    let clock = world.shown(CAROL)[1].id.clock;
    let expected = (0..3).flat_map(|nth| [format!("released {}", clock + nth), format!("{nth} {}", clock + nth)]);
    assert_eq!(told, expected.collect::<Vec<_>>());
}

fn told_held(world: &World, who: usize) -> usize {
    world.people[who].events.iter().filter(|event| matches!(event, Event::Held { .. })).count()
}

fn told_released(world: &World, who: usize) -> usize {
    world.people[who].events.iter().filter(|event| matches!(event, Event::Released { .. })).count()
}

#[test]
fn of_more_held_messages_than_a_person_can_follow_few_are_told_and_only_after_a_while() {
    for (count, at_once, later) in [(9, 9, 9), (10, 0, 9), (50, 0, 9)] {
        let mut world = World::mesh(&["alice", "bob", "carol"]);
        world.slow(ALICE, CAROL);
        world.say(ALICE, "all", "question");
        world.settle();
        for nth in 0..count {
            world.say(BOB, "all", &format!("{nth}"));
        }
        world.cut(ALICE, BOB);
        world.pass(Duration::from_millis(150));
        assert_eq!(told_held(&world, CAROL), at_once, "of {count}");
        match world.command(CAROL, Command::Pending) {
            Ok(Answer::Pending { held, .. }) => assert_eq!(held.len(), count),
            other => panic!("{other:?}"),
        }
        // Bob does not hand the question on.
        world.slow(BOB, CAROL);
        world.pass(Duration::from_millis(1900));
        assert_eq!(told_held(&world, CAROL), later, "of {count}");
        world.fast(ALICE, CAROL);
        world.settle();
        assert_eq!(world.heard(CAROL).len(), 1 + count);
        assert_eq!(told_released(&world, CAROL), later);
    }
}

#[test]
fn what_a_run_holds_is_told_up_to_the_limit_too() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.say_many(BOB, "all", 40);
    world.pass(Duration::from_millis(10));
    world.slow(BOB, CAROL);
    world.pass(Duration::from_millis(2100));
    assert_eq!(told_held(&world, CAROL), 9);
    world.fast(ALICE, CAROL);
    world.fast(BOB, CAROL);
    world.settle();
    assert_eq!((world.heard(CAROL).len(), told_released(&world, CAROL)), (41, 9));
}

#[test]
fn what_is_said_in_one_breath_to_several_is_shown_each_where_it_belongs() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    // All of it goes to bob alone, so it is one run.
    let to = ["all", "all", "cars", "cars", "bob", "bob", "all", "cars"];
    world.say_together(ALICE, to.iter().enumerate().map(|(nth, to)| (*to, format!("{nth}"))));
    world.settle();
    assert_eq!(world.heard(BOB), ["0", "1", "2", "3", "4", "5", "6", "7"]);
    for who in [ALICE, BOB] {
        assert_eq!(world.history(who, "all"), ["0", "1", "6"]);
        assert_eq!(world.history(who, "cars"), ["2", "3", "7"]);
        assert_eq!(world.history(who, if who == ALICE { "bob" } else { "alice" }), ["4", "5"]);
    }
    let of: Vec<_> = world.shown(BOB).into_iter().map(|message| message.to).collect();
    assert_eq!(of[..2], [Recipients::All, Recipients::All]);
    assert_eq!(of[2..4], [Recipients::Group("cars".into()), Recipients::Group("cars".into())]);
}

#[test]
fn a_delayed_message_is_overtaken_and_then_waited_for() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say_later(ALICE, "carol", "slow question", 3000);
    world.say(ALICE, "all", "I have asked carol something");
    world.settle();
    assert_eq!(world.heard(BOB), ["I have asked carol something"]);
    world.say(BOB, "carol", "so answer her");
    world.pass(Duration::from_secs(2));
    assert!(world.heard(CAROL).is_empty());
    world.pass(Duration::from_secs(2));
    assert_eq!(world.heard(CAROL), ["slow question", "I have asked carol something", "so answer her"]);
}

#[test]
fn quitting_sends_what_is_under_delay() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say_later(ALICE, "bob", "later", 30_000);
    world.settle();
    let now = world.now();
    world.people[ALICE].peer.handle_shutdown(now);
    world.settle();
    assert!(world.heard(BOB).is_empty(), "nothing moved: the effects were not taken");
    world.command(ALICE, Command::MyGroups).unwrap();
    world.settle();
    assert_eq!(world.heard(BOB), ["later"]);
}

#[test]
fn groups_are_heard_by_their_members_alone() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.say(ALICE, "cars", "vroom");
    world.settle();
    assert_eq!(world.heard(BOB), ["vroom"]);
    assert!(world.heard(CAROL).is_empty());
    let refused = world
        .command(CAROL, Command::Send { to: Target::Name("cars".to_owned()), text: "me too".to_owned(), delay_ms: 0 });
    assert_eq!(refused, Err(Refusal::NotAMember { group: "cars".to_owned() }));
    world.command(BOB, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.settle();
    world.say(ALICE, "cars", "anybody?");
    world.settle();
    assert_eq!(world.heard(BOB), ["vroom"]);
}

#[test]
fn a_direct_message_goes_to_one_person() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "bob", "psst");
    world.settle();
    assert_eq!(world.heard(BOB), ["psst"]);
    assert!(world.heard(CAROL).is_empty());
    assert_eq!(world.history(ALICE, "bob"), ["psst"]);
    assert_eq!(world.history(BOB, "alice"), ["psst"]);
}

#[test]
fn what_was_answered_for_is_acknowledged_and_forgotten() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    for round in 0..100 {
        world.say(ALICE, "all", &format!("{round}"));
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(world.people[ALICE].peer.outbox.len(), 0);
    assert_eq!(world.people[ALICE].peer.outbox.bytes(), 0);
}

#[test]
fn whoever_is_owed_an_acknowledgement_soon_gets_it_with_that_of_another() {
    let config = Config { acknowledge_every: 4, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.pass(Duration::from_secs(1));
    for (count, waiting) in [(1, 1), (2, 0)] {
        world.say_many(CAROL, "alice", count);
        world.settle();
        assert_eq!(world.people[CAROL].peer.outbox.len(), count);
        world.say_many(BOB, "alice", 4);
        world.settle();
        assert_eq!(world.people[CAROL].peer.outbox.len(), waiting, "{count} of the 4 that are acknowledged at once");
        world.pass(Duration::from_secs(1));
    }
}

#[test]
fn two_bobs_are_told_apart() {
    let mut world = World::mesh(&["alice", "bob", "bob"]);
    let refused = world.command(
        ALICE,
        Command::Send { to: Target::Name("bob".to_owned()), text: "which one?".to_owned(), delay_ms: 0 },
    );
    let Err(Refusal::Ambiguous { candidates, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(candidates.len(), 2);
    world.say(ALICE, &candidates[1], "you");
    world.settle();
    assert_eq!(world.heard(1).len() + world.heard(2).len(), 1);
}

#[test]
fn where_a_person_was_is_known_after_a_restart() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    let bob = world.people[BOB].peer.process().person;
    world.people[ALICE].peer.directory.set_present(bob, "192.0.2.7".parse().unwrap());
    world.create(BOB, "cars");
    world.settle();
    world.come_back(ALICE);
    assert!(!world.is_linked(ALICE, BOB));
    world.say(ALICE, "bob@192.0.2.7", "wherever you are");
    world.link_all();
    world.settle();
    assert_eq!(world.heard(BOB), ["wherever you are"]);
}

/// carol's record claims bob's address, and nothing is said to her for that.
#[test]
fn what_is_said_to_an_address_is_for_whoever_proves_to_be_there() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let there: SocketAddr = "10.9.0.3:7000".parse().unwrap();
    world.people[CAROL].peer.handle_listening(there);
    world.say(CAROL, "all", "here I am");
    world.settle();
    let mut said = Vec::new();
    for to in [Target::Address(there), Target::Name(there.to_string())] {
        let answer = world.command(ALICE, Command::Send { to, text: "secret".to_owned(), delay_ms: 0 });
        assert_eq!(answer, Ok(Answer::Connecting { address: there.to_string() }));
        world.settle();
        assert!(world.heard(BOB).iter().all(|text| text == "here I am") && world.heard(CAROL).is_empty());
        said.push("secret");
    }
    assert_eq!(world.people[ALICE].reaches, [there, there], "it is dialled anew for each");
    world.reached(ALICE, "10.9.0.3:7001".parse().unwrap(), CAROL);
    world.reached(ALICE, there, BOB);
    world.settle();
    assert_eq!(world.heard(BOB)[1..], said);
    assert!(world.heard(CAROL).is_empty());
    // Nor for the address alone, unless a link to her came from it.
    for to in [Target::Name("10.9.0.3".to_owned()), Target::People(vec!["bob".to_owned(), "10.9.0.3".to_owned()])] {
        let refused = world.command(ALICE, Command::Send { to, text: "secret".to_owned(), delay_ms: 0 });
        assert!(matches!(refused, Err(Refusal::UnknownTarget { .. } | Refusal::UnknownUser { .. })), "{refused:?}");
    }
    // Nobody is there: nothing is said, then or later.
    world.command(ALICE, Command::Send { to: Target::Address(there), text: "again".to_owned(), delay_ms: 0 }).unwrap();
    world.people[ALICE].peer.handle_connect_failed(there.to_string(), "no answer".to_owned());
    world.reached(ALICE, there, BOB);
    world.settle();
    assert_eq!(world.heard(BOB)[1..], said);
}

#[test]
fn what_is_said_to_an_address_waits_for_the_greeting_of_a_stranger_there() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    let there: SocketAddr = "10.9.0.3:7000".parse().unwrap();
    let send = |text: &str| Command::Send { to: Target::Address(there), text: text.to_owned(), delay_ms: 0 };
    world.command(ALICE, send("hello")).unwrap();
    world.link(ALICE, CAROL);
    world.link(ALICE, BOB);
    world.reached(ALICE, there, BOB);
    world.settle();
    assert_eq!(world.heard(BOB), ["hello"]);
    assert!(world.heard(CAROL).is_empty());
    // The link goes down before the stranger has said who they are: the sender is told, and nothing is said.
    let mut world = World::new(&["alice", "bob"]);
    world.command(ALICE, send("hello")).unwrap();
    world.link(ALICE, BOB);
    world.reached(ALICE, there, BOB);
    world.cut(ALICE, BOB);
    let failed =
        |event: &&Event| matches!(event, Event::ConnectFailed { address, .. } if *address == there.to_string());
    assert_eq!(world.people[ALICE].events.iter().filter(failed).count(), 1);
    world.link(ALICE, BOB);
    world.settle();
    assert!(world.heard(BOB).is_empty());
}
