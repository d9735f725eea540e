//! Whoever comes back is told what was missed.

use std::time::Duration;

use super::world::World;
use crate::{Config, Event};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn told(world: &World, who: usize) -> Vec<Event> {
    let about = |event: &&Event| matches!(event, Event::CaughtUp { .. } | Event::CatchingUp { .. });
    world.people[who].events.iter().filter(about).cloned().collect()
}

#[test]
fn what_was_said_meanwhile_is_counted_once_it_is_all_here() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(BOB, "all", "before");
    world.pass(Duration::from_secs(5));
    world.kill(ALICE);
    for round in 0..30 {
        world.say(BOB, "all", &format!("{round}"));
    }
    world.say(CAROL, "alice", "to you");
    world.pass(Duration::from_secs(100));
    world.link(ALICE, BOB);
    world.pass(Duration::from_millis(300));
    world.link(ALICE, CAROL);
    world.pass(Duration::from_millis(900));
    assert_eq!(told(&world, ALICE), []);
    world.say(CAROL, "all", "live");
    world.pass(Duration::from_secs(10));
    assert_eq!(told(&world, ALICE), [Event::CaughtUp { messages: 31, people: 2 }]);
    for who in [BOB, CAROL] {
        assert_eq!(told(&world, who), [], "they were not away");
    }
}

/// What the user is told of what is held.
fn held(world: &World, who: usize) -> Vec<String> {
    let text = |event: &Event| match event {
        Event::Held { held } => Some(format!("{}#{}", held.from.name, held.id.clock)),
        _ => None,
    };
    world.people[who].events.iter().filter_map(text).collect()
}

#[test]
fn who_comes_back_sees_the_messages_and_one_summary() {
    for turns in [3, 750] {
        let mut world = World::mesh(&["alice", "bob", "carol"]);
        world.say(CAROL, "all", "before");
        world.pass(Duration::from_secs(5));
        world.kill(CAROL);
        for turn in 0..turns {
            world.say(ALICE, "all", &format!("question {turn}"));
            world.settle();
            world.say(BOB, "all", &format!("answer {turn}"));
            world.settle();
        }
        world.say(ALICE, "carol", "to you");
        world.pass(Duration::from_secs(60));
        let told = world.people[CAROL].events.len();
        // Bob's answers come first, and wait.
        world.link(ALICE, CAROL);
        world.link(BOB, CAROL);
        world.slow(ALICE, CAROL);
        world.pass(Duration::from_millis(700));
        assert_eq!(held(&world, CAROL), Vec::<String>::new());
        world.fast(ALICE, CAROL);
        world.pass(Duration::from_secs(10));
        assert_eq!(held(&world, CAROL), Vec::<String>::new());
        let mut new: Vec<&Event> = world.people[CAROL].events[told..].iter().collect();
        new.retain(|event| !matches!(event, Event::PeerUp { .. } | Event::Message { .. } | Event::Unread(_)));
        let messages = 2 * turns + 1;
        assert!(
            matches!(new[..], [Event::CaughtUp { messages: counted, people: 2 }] if *counted == messages),
            "{new:?}"
        );
    }
}

#[test]
fn what_is_said_now_is_told_as_held_while_the_rest_comes_in() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(CAROL, "all", "before");
    world.pass(Duration::from_secs(5));
    world.kill(CAROL);
    world.say(BOB, "all", "missed");
    world.pass(Duration::from_secs(60));
    world.link(ALICE, CAROL);
    world.link(BOB, CAROL);
    world.settle();
    world.slow(ALICE, CAROL);
    world.pass(Duration::from_millis(10));
    world.say(ALICE, "all", "question");
    world.settle();
    let answer = world.say(BOB, "all", "answer");
    world.pass(Duration::from_millis(150));
    assert_eq!(held(&world, CAROL), [format!("bob#{}", answer.id.clock)]);
    assert_eq!(told(&world, CAROL), []);
}

#[test]
fn nothing_is_said_where_nothing_was_missed_or_nobody_was_here_before() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say(ALICE, "all", "before");
    world.pass(Duration::from_secs(5));
    let carol = world.add("carol");
    world.link_all();
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(carol), ["before"]);
    assert_eq!(told(&world, carol), [], "a newcomer was not away");
    world.kill(carol);
    world.pass(Duration::from_secs(5));
    world.link_all();
    world.pass(Duration::from_secs(5));
    assert_eq!(told(&world, carol), []);
}

#[test]
fn history_that_a_new_incarnation_fetches_counts() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.cut(ALICE, CAROL);
    world.cut(BOB, CAROL);
    for round in 0..300 {
        world.say(BOB, "all", &format!("{round}"));
    }
    world.settle();
    world.command(ALICE, crate::Command::Forget { person: "carol".to_owned() }).unwrap();
    world.pass(Duration::from_secs(1));
    world.link_all();
    world.settle();
    world.link_all();
    world.pass(Duration::from_secs(5));
    assert_eq!(told(&world, CAROL), [Event::CaughtUp { messages: 300, people: 1 }]);
}

#[test]
fn a_long_catch_up_says_how_it_goes() {
    let config = Config { window: 100, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob"], config);
    world.link_all();
    world.say(BOB, "all", "before");
    world.pass(Duration::from_secs(5));
    world.cut(ALICE, BOB);
    for round in 0..3000 {
        world.say(BOB, "all", &format!("{round}"));
    }
    world.pass(Duration::from_secs(1));
    world.link(ALICE, BOB);
    // A window at a time: acknowledgements come every 200 ms.
    world.pass(Duration::from_secs(20));
    let told = told(&world, ALICE);
    let (last, before) = told.split_last().unwrap();
    assert_eq!(*last, Event::CaughtUp { messages: 3000, people: 1 });
    assert!(!before.is_empty());
    for event in before {
        assert!(matches!(event, Event::CatchingUp { messages, of: 2900..3100 } if *messages < 2900), "{event:?}");
    }
}

#[test]
fn what_comes_late_into_the_past_is_marked_unless_one_was_away_oneself() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.say(BOB, "all", "bob's");
    world.pass(Duration::from_secs(50));
    world.say(ALICE, "all", "in time");
    world.pass(Duration::from_secs(50));
    world.say(CAROL, "all", "and in time");
    world.settle();
    world.link_all();
    world.pass(Duration::from_secs(5));
    let late = |world: &World, who: usize| -> Vec<(String, bool)> {
        world.shown(who).into_iter().map(|message| (message.text.to_string(), message.late)).collect()
    };
    assert_eq!(late(&world, ALICE), [("and in time".to_owned(), false), ("bob's".to_owned(), true)]);
    assert_eq!(late(&world, BOB), [("in time".to_owned(), false), ("and in time".to_owned(), false)]);
}

#[test]
fn what_one_missed_oneself_is_not_marked_in_whatever_order_it_comes() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.cut(ALICE, CAROL);
    world.say(ALICE, "all", "first");
    world.pass(Duration::from_secs(100));
    world.say(CAROL, "all", "second");
    world.pass(Duration::from_secs(100));
    world.link(BOB, CAROL);
    world.pass(Duration::from_millis(300));
    world.link(BOB, ALICE);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB), ["second", "first"]);
    assert!(world.shown(BOB).iter().all(|message| !message.late));
    assert_eq!(told(&world, BOB), [Event::CaughtUp { messages: 2, people: 2 }]);
}

#[test]
fn somebody_is_new_once_even_over_restarts() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.come_back(ALICE);
    world.link_all();
    world.settle();
    let new = |world: &World, who: usize| -> Vec<bool> {
        let new = |event: &Event| if let Event::PeerUp { new, .. } = event { Some(*new) } else { None };
        world.people[who].events.iter().filter_map(new).collect()
    };
    assert_eq!(new(&world, BOB), [true, false]);
    assert_eq!(new(&world, ALICE), [true, false], "her store remembers whom she met");
}
