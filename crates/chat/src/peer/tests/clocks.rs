//! Wall clocks that are wrong, by a day or by a century: history respects causality all the same, and nobody else is taken for late,
//! away or off because of them.

use std::time::Duration;

use super::world::{START, World};
use crate::hlc::TIMES;
use crate::{Event, Journal, Message};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// The year 2106, when 32 bits of seconds are full.
const IN_2106: i64 = 4_294_967_296_000_000 - START;

/// Set wrong by a day or a year; without a battery; of 32 bits; beyond what stamps can say.
const WRONG: [i64; 8] = [25 * HOUR, -25 * HOUR, 400 * DAY, -400 * DAY, -START, IN_2106, i64::MIN, TIMES];

const SAID: [&str; 5] = ["Q1", "A1", "Q2", "A2", "Q3"];

/// alice, whose clock is right, asks; bob answers, whose clock is off.
fn asked_and_answered(off: i64) -> World {
    let mut world = World::new(&["alice", "bob"]);
    world.set_off(BOB, off);
    world.link_all();
    world.settle();
    for (text, who) in SAID.iter().zip([ALICE, BOB].into_iter().cycle()) {
        world.pass(Duration::from_secs(1));
        world.say(who, "all", text);
        world.settle();
    }
    world
}

fn mark(world: &World, who: usize, text: &str) -> bool {
    let shown: Vec<Message> = world.shown(who);
    shown.iter().find(|message| *message.text == *text).expect("it was shown").clock_off
}

#[test]
fn an_answer_stands_below_its_question_on_every_peer() {
    for off in WRONG {
        let mut world = asked_and_answered(off);
        let carol = world.add("carol");
        world.link_all();
        world.settle();
        assert_eq!(world.heard(carol), SAID, "{off}");
        for who in [ALICE, BOB, carol] {
            assert_eq!(world.history(who, "all"), SAID, "{off}: {who}");
        }
    }
}

#[test]
fn what_a_newcomer_says_stands_below_what_it_was_shown() {
    for off in WRONG {
        let mut world = asked_and_answered(off);
        world.kill(BOB);
        let carol = world.add("carol");
        world.link(ALICE, carol);
        world.settle();
        world.say(carol, "all", "I have read it");
        world.settle();
        for who in [ALICE, carol] {
            assert_eq!(world.history(who, "all"), [&SAID[..], &["I have read it"]].concat(), "{off}: {who}");
        }
    }
}

#[test]
fn once_a_clock_is_put_right_what_its_owner_says_sorts_where_it_belongs() {
    for off in WRONG {
        let mut world = asked_and_answered(off);
        world.set_off(BOB, 0);
        world.pass(Duration::from_secs(1));
        world.say(BOB, "all", "A3");
        world.settle();
        world.say(ALICE, "all", "Q4");
        world.settle();
        assert_eq!(world.history(BOB, "all"), [&SAID[..], &["A3", "Q4"]].concat(), "{off}");
        assert!(!mark(&world, ALICE, "A3"), "{off}");
        // What neither of them has read of the other stands by wall time, unless the count went ahead of that.
        world.cut(ALICE, BOB);
        for (who, text) in [(BOB, "1"), (ALICE, "2"), (BOB, "3")] {
            world.pass(Duration::from_secs(1));
            world.say(who, "all", text);
        }
        world.link_all();
        world.settle();
        let history = world.history(ALICE, "all");
        assert_eq!(history, world.history(BOB, "all"), "{off}");
        if off < 0 {
            assert_eq!(history[7..], ["1", "2", "3"], "{off}");
        }
    }
}

#[test]
fn a_store_of_a_version_that_did_not_follow_far_stamps_goes_on_behind_them() {
    let mut world = World::new(&["alice", "bob"]);
    world.set_off(BOB, IN_2106);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    let before = world.people[ALICE].peer.store_mut().saved.mind.clone();
    assert!(before.is_some());
    // So that it is behind bob's record, too.
    world.pass(Duration::from_millis(10));
    world.say(BOB, "all", "by a clock in 2106");
    world.settle();
    world.kill(ALICE);
    // Such a version kept the greatest stamp that it had believed.
    world.people[ALICE].peer.store_mut().saved.mind = before;
    world.come_back(ALICE);
    world.say(ALICE, "all", "an answer");
    assert_eq!(world.history(ALICE, "all"), ["by a clock in 2106", "an answer"]);
}

#[test]
fn what_was_said_by_a_record_comes_before_what_is_said_then() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.set_off(BOB, IN_2106);
    world.create(BOB, "cars");
    world.settle();
    world.say(ALICE, "all", "a new group!");
    let record = world.people[BOB].peer.directory.signed_record_of(world.people[BOB].peer.me.person);
    let version = record.unwrap().claim().unwrap().version;
    assert!(version.micros > START + DAY);
    assert!(world.people[ALICE].peer.clock.last() > version);
}

#[test]
fn nobody_is_late_because_of_somebody_elses_clock() {
    for off in WRONG {
        let mut world = World::mesh(&["alice", "bob", "carol"]);
        world.set_off(BOB, off);
        world.split(&[ALICE, BOB], &[CAROL]);
        world.say(BOB, "all", "far");
        world.settle();
        world.say(ALICE, "all", "after that");
        world.pass(Duration::from_secs(10));
        world.say(CAROL, "all", "meanwhile");
        world.pass(Duration::from_secs(10));
        world.link(ALICE, CAROL);
        world.settle();
        assert_eq!(world.heard(ALICE), ["far", "meanwhile"], "{off}");
        assert!(world.shown(ALICE).iter().all(|message| !message.late), "{off}");
    }
}

#[test]
fn what_was_missed_is_counted_whatever_the_clocks_say() {
    for off in WRONG {
        let mut world = World::mesh(&["alice", "bob", "carol"]);
        world.say(BOB, "all", "before");
        world.pass(Duration::from_secs(5));
        world.cut(ALICE, BOB);
        world.cut(ALICE, CAROL);
        world.set_off(BOB, off);
        for round in 0..30 {
            world.say(BOB, "all", &format!("{round}"));
        }
        world.pass(Duration::from_secs(1));
        world.link(ALICE, BOB);
        world.link(ALICE, CAROL);
        world.pass(Duration::from_millis(300));
        world.say(BOB, "all", "live");
        world.say(CAROL, "all", "live, too");
        world.pass(Duration::from_secs(10));
        let told: Vec<&Event> =
            world.people[ALICE].events.iter().filter(|event| matches!(event, Event::CaughtUp { .. })).collect();
        assert_eq!(told, [&Event::CaughtUp { messages: 30, people: 1 }], "{off}");
    }
}

#[test]
fn a_time_that_cannot_be_is_marked() {
    for (off, live, fetched) in [
        (25 * HOUR, true, true),
        (IN_2106, true, true),
        (-START, true, true),
        (-400 * DAY, true, true),
        (-25 * HOUR, true, true),
        (23 * HOUR, false, false),
        (-23 * HOUR, false, false),
    ] {
        let mut world = asked_and_answered(off);
        let carol = world.add("carol");
        world.link_all();
        world.settle();
        assert_eq!((mark(&world, ALICE, "A1"), mark(&world, carol, "A1")), (live, fetched), "{off}");
        assert!(!mark(&world, carol, "Q1"), "{off}");
    }
}

#[test]
fn a_time_that_is_only_long_ago_is_not_marked() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.cut(ALICE, BOB);
    world.say(BOB, "all", "said before the holidays");
    for who in [ALICE, BOB] {
        world.set_off(who, 30 * DAY);
    }
    world.link_all();
    world.settle();
    assert!(!mark(&world, ALICE, "said before the holidays"));
    let carol = world.add("carol");
    world.set_off(carol, 30 * DAY);
    world.link_all();
    world.settle();
    assert!(!mark(&world, carol, "said before the holidays"));
}

#[test]
fn what_comes_as_history_stands_in_the_journal() {
    let mut world = asked_and_answered(0);
    let carol = world.add("carol");
    world.link_all();
    world.settle();
    world.say(ALICE, "all", "welcome");
    world.settle();
    let entry = |entry: &Journal| match entry {
        Journal::Show { id, late } => Some((format!("shows {}", id.clock), *late)),
        Journal::Deliver { id } => Some((format!("delivers {}", id.clock), false)),
        _ => None,
    };
    let entries: Vec<_> = world.people[carol].journal.iter().filter_map(entry).collect();
    let shows = entries.iter().filter(|(what, _)| what.starts_with("shows")).count();
    assert_eq!(shows, SAID.len(), "{entries:?}");
    assert!(entries.iter().all(|(_, late)| !late), "{entries:?}");
    // The welcome that named them was delivered before that, and what was said behind it is afterwards.
    let first = entries.iter().position(|(what, _)| what.starts_with("shows")).unwrap();
    assert!(entries[..first].iter().any(|(what, _)| what.starts_with("delivers")), "{entries:?}");
    assert!(entries.last().unwrap().0.starts_with("delivers"), "{entries:?}");
}
