//! Who has a message, and who has not.

use std::time::Duration;

use super::world::World;
use crate::{Answer, Command, Event, Refusal, Who};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// The text, and who has it, has not got it yet, and is away.
fn seen(world: &mut World, nth: Option<usize>) -> (String, [Vec<String>; 3]) {
    let names = |people: Vec<Who>| people.into_iter().map(|who| who.name).collect();
    match world.command(ALICE, Command::Seen { nth, message: None }) {
        Ok(Answer::Seen { message, by, not_by, away }) => {
            (message.text.to_string(), [names(by), names(not_by), names(away)])
        }
        other => panic!("{other:?}"),
    }
}

fn lists(by: &[&str], not_by: &[&str], away: &[&str]) -> [Vec<String>; 3] {
    [by, not_by, away].map(|names| names.iter().map(|&name| name.to_owned()).collect())
}

fn notices(world: &World) -> Vec<Event> {
    let is_notice = |event: &&Event| matches!(event, Event::Unspread { .. } | Event::Spread { .. });
    world.people[ALICE].events.iter().filter(is_notice).cloned().collect()
}

#[test]
fn who_has_it_who_will_and_who_is_away() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(3);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "bob", "to you");
    world.say(ALICE, "all", "hello");
    assert_eq!(seen(&mut world, None), ("hello".to_owned(), lists(&[], &["bob", "carol"], &["dave"])));
    world.pass(Duration::from_secs(1));
    assert_eq!(seen(&mut world, None), ("hello".to_owned(), lists(&["bob"], &["carol"], &["dave"])));
    assert_eq!(seen(&mut world, Some(2)), ("to you".to_owned(), lists(&["bob"], &[], &[])));
    world.fast(ALICE, CAROL);
    world.pass(Duration::from_secs(1));
    assert_eq!(seen(&mut world, Some(1)), ("hello".to_owned(), lists(&["bob", "carol"], &[], &["dave"])));
    for other in 0..3 {
        world.link(3, other);
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(seen(&mut world, None), ("hello".to_owned(), lists(&["bob", "carol", "dave"], &[], &[])));
}

#[test]
fn what_somebody_else_said_does_not_count() {
    let mut world = World::mesh(&["alice", "bob"]);
    let nothing = |said| Err(Refusal::NothingSaid { said });
    assert_eq!(world.command(ALICE, Command::Seen { nth: None, message: None }), nothing(0));
    world.say(BOB, "all", "hello");
    world.settle();
    assert_eq!(world.command(ALICE, Command::Seen { nth: None, message: None }), nothing(0));
    world.say(ALICE, "all", "one");
    world.say(ALICE, "all", "two");
    assert_eq!(world.command(ALICE, Command::Seen { nth: Some(3), message: None }), nothing(2));
    assert_eq!(world.command(ALICE, Command::Seen { nth: Some(0), message: None }), nothing(2));
}

#[test]
fn what_is_said_and_asked_in_one_turn_is_found() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say(ALICE, "all", "before");
    let now = world.now();
    let alice = &mut world.people[ALICE].peer;
    let to = crate::Target::All;
    alice.handle_command(now, Command::Send { to, text: "hello".to_owned(), delay_ms: 0 }).unwrap();
    match alice.handle_command(now, Command::Seen { nth: None, message: None }) {
        Ok(Answer::Seen { message, not_by, .. }) => {
            assert_eq!((&*message.text, not_by.len()), ("hello", 1));
        }
        other => panic!("{other:?}"),
    }
}

/// Whoever lives on as another incarnation gets it as history: the one that was addressed will never say that it has it.
#[test]
fn an_earlier_incarnation_is_in_no_list() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.say(ALICE, "all", "hello");
    world.restart(BOB);
    world.link_all();
    world.pass(Duration::from_secs(1));
    assert_eq!(seen(&mut world, None), ("hello".to_owned(), lists(&["carol"], &[], &[])));
    assert!(world.heard(BOB).contains(&"hello".to_owned()));
}

#[test]
fn nothing_is_said_of_a_message_that_is_everywhere_at_once() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "hello");
    world.say_later(ALICE, "all", "later", 5000);
    world.kill(CAROL);
    world.say(ALICE, "all", "carol is away, as the answer has said");
    world.pass(Duration::from_secs(10));
    assert_eq!(notices(&world), []);
}

#[test]
fn a_message_that_is_long_on_its_way_is_announced_once_and_its_arrival_too() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    let first = world.say(ALICE, "all", "one");
    world.pass(Duration::from_millis(500));
    let last = world.say(ALICE, "all", "two");
    world.pass(Duration::from_millis(400));
    assert_eq!(notices(&world), []);
    world.pass(Duration::from_secs(10));
    let missing = vec![world.people[CAROL].peer.who().name.clone()];
    match notices(&world).as_slice() {
        [Event::Unspread { id, messages: 1, missing: named }] => {
            assert_eq!(*id, first.id);
            assert_eq!(named.iter().map(|who| who.name.clone()).collect::<Vec<_>>(), missing);
        }
        other => panic!("{other:?}"),
    }
    world.fast(ALICE, CAROL);
    world.pass(Duration::from_secs(1));
    assert_eq!(notices(&world)[1..], [Event::Spread { id: last.id, messages: 2 }]);
    world.pass(Duration::from_secs(10));
    assert_eq!(notices(&world).len(), 2);
}

#[test]
fn a_message_that_was_announced_has_not_arrived_because_a_link_was_lost() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "one");
    world.pass(Duration::from_secs(2));
    assert!(matches!(notices(&world)[..], [Event::Unspread { .. }]));
    world.kill(CAROL);
    world.pass(Duration::from_secs(2));
    assert_eq!(notices(&world).len(), 1);
    // What is announced later is told again.
    world.slow(ALICE, BOB);
    let last = world.say(ALICE, "all", "two");
    world.pass(Duration::from_secs(2));
    world.fast(ALICE, BOB);
    world.pass(Duration::from_secs(2));
    assert_eq!(notices(&world)[2..], [Event::Spread { id: last.id, messages: 1 }]);
}

#[test]
fn a_flood_is_watched_in_part_only() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.slow(ALICE, BOB);
    for round in 0..1000 {
        world.say(ALICE, "all", &format!("{round}"));
    }
    world.pass(Duration::from_secs(3));
    assert!(matches!(notices(&world)[..], [Event::Unspread { messages: 32, .. }]));
    world.fast(ALICE, BOB);
    world.pass(Duration::from_secs(3));
    assert_eq!(notices(&world).len(), 2);
}
