//! A person who deletes the account is gone for good, by their own word.

use std::time::Duration;

use super::world::World;
use crate::body;
use crate::frame::Control;
use crate::{Answer, Command, Event, Refusal, Target};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn users(world: &mut World, who: usize) -> Vec<String> {
    match world.command(who, Command::ListUsers) {
        Ok(Answer::Users { users }) => users.into_iter().map(|user| user.who.name).collect(),
        other => panic!("{other:?}"),
    }
}

/// What `who` was told of dave's end, in order.
fn told(world: &World, who: usize) -> Vec<String> {
    let told = world.people[who].events.iter().filter_map(|event| match event {
        Event::Forgotten { who, by } => Some(format!("{} by {}", who.name, by.name)),
        Event::PeerDown { who, reason } if who.name == "dave" => Some(format!("down: {reason}")),
        Event::Message { message } if message.from.name == "dave" => Some(message.text.to_string()),
        _ => None,
    });
    told.collect()
}

#[test]
fn everybody_is_told_and_keeps_nothing_any_more() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    let dave = world.people[DAVE].peer.process();
    world.create(DAVE, "boats");
    world.say(DAVE, "all", "farewell");
    world.settle();
    world.slow(ALICE, DAVE);
    world.say(ALICE, "dave", "do not go");
    world.settle();
    assert_eq!(world.people[ALICE].peer.outbox.len(), 1);
    world.delete(DAVE);
    assert!(!world.people[DAVE].peer.is_deletion_told(), "alice's word is on its way");
    world.deliver_all(ALICE, DAVE);
    assert!(world.people[DAVE].peer.is_deletion_told());
    assert_eq!(world.people[DAVE].peer.process(), dave, "it does not begin anew");
    world.kill(DAVE);
    world.pass(Duration::from_secs(1));
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(told(&world, who), ["farewell", "dave by dave"], "{who}");
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol"]);
        assert_eq!(world.people[who].peer.outbox.len(), 0, "{who}");
        assert!(world.people[who].closed.is_empty(), "{who}: {:?}", world.people[who].closed);
    }
    let groups = world.command(ALICE, Command::ListGroups);
    assert!(matches!(&groups, Ok(Answer::Groups { groups }) if groups.is_empty()), "{groups:?}");
    world.assert_causal_order(0);
}

#[test]
fn what_was_sent_to_a_person_who_is_away_comes_all_the_same_and_before_the_news() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(CAROL);
    world.say(DAVE, "all", "to everybody");
    world.say(DAVE, "carol", "to you alone");
    world.say_later(DAVE, "carol", "a moment later", 10_000);
    let later = Target::Name("carol".to_owned());
    let scheduled = Command::Send { to: later, text: "scheduled".to_owned(), delay_ms: 60_000 };
    assert!(matches!(world.command(DAVE, scheduled), Ok(Answer::Scheduled { .. })));
    world.pass(Duration::from_secs(1));
    world.delete(DAVE);
    world.kill(DAVE);
    world.pass(Duration::from_secs(1));
    for who in [ALICE, BOB] {
        assert_eq!(told(&world, who), ["to everybody", "dave by dave"]);
    }
    world.kill(ALICE);
    world.link(CAROL, BOB);
    world.pass(Duration::from_secs(100));
    let reason = "down: cut".to_owned();
    let after = ["to everybody", "to you alone", "a moment later", "dave by dave"].map(str::to_owned);
    assert_eq!(told(&world, CAROL), [vec![reason], after.to_vec()].concat());
    assert_eq!(users(&mut world, CAROL), ["alice", "bob", "carol"]);
    for who in [BOB, CAROL] {
        world.pass(Duration::from_secs(2));
        assert_eq!(world.people[who].peer.carry.len(), 0, "{who}");
    }
    world.assert_causal_order(0);
}

#[test]
fn the_name_has_to_be_written_and_nobody_is_told_otherwise() {
    let mut world = World::mesh(&["alice", "bob"]);
    for wrong in ["", "Alice", "bob"] {
        let refused = world.command(ALICE, Command::DeleteAccount { name: wrong.to_owned() });
        assert!(matches!(&refused, Err(Refusal::NotConfirmed { name }) if name == "alice"), "{refused:?}");
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(users(&mut world, BOB), ["alice", "bob"]);
    let confirmed = world.command(ALICE, Command::DeleteAccount { name: "alice".to_owned() });
    assert!(matches!(confirmed, Ok(Answer::Deleting { told: 1, .. })), "{confirmed:?}");
}

/// The tombstone is by the process that it names. A peer that hands it on can neither make one nor change whom it names.
#[test]
fn no_peer_can_delete_another_person() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    let [dave, carol] = [DAVE, CAROL].map(|who| body::tombstone(world.people[who].peer.process()));
    world.cut(ALICE, CAROL);
    world.slow(DAVE, ALICE);
    world.slow(BOB, ALICE);
    world.delete(DAVE);
    world.kill(DAVE);
    assert_eq!(users(&mut world, BOB), ["alice", "bob", "carol"]);
    let mut forged = false;
    while !forged {
        world.pass(Duration::from_secs(1));
        world.tamper(BOB, ALICE, |frame| {
            let at = frame.windows(dave.len()).position(|part| part == dave)?;
            forged = true;
            let mut frame = frame.to_vec();
            frame[at..at + carol.len()].copy_from_slice(&carol);
            Some(frame.into())
        });
        world.deliver_all(BOB, ALICE);
    }
    assert_eq!(users(&mut world, ALICE), ["alice", "bob", "carol", "dave"]);
    world.fast(BOB, ALICE);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(20));
    assert_eq!(users(&mut world, ALICE), ["alice", "bob", "carol"]);
    assert_eq!(told(&world, ALICE).last().map(String::as_str), Some("dave by dave"));
}

#[test]
fn a_deleted_person_who_comes_back_with_the_key_is_known_again() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.say(ALICE, "all", "before");
    world.settle();
    world.delete(DAVE);
    world.restart(DAVE);
    world.link_all();
    world.pass(Duration::from_secs(5));
    world.say(DAVE, "all", "I am back");
    world.say(BOB, "dave", "welcome");
    world.pass(Duration::from_secs(5));
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol", "dave"]);
        assert_eq!(told(&world, who), ["dave by dave", "I am back"], "{who}");
    }
    assert!(world.heard(DAVE).contains(&"welcome".to_owned()));
}

/// The folder was put back from a copy that knows nothing of the deletion.
#[test]
fn a_copy_of_what_a_deleted_person_kept_begins_anew() {
    let mut world = World::new(&["alice", "bob", "dave"]);
    let dave = 2;
    world.keep(dave);
    world.link_all();
    world.settle();
    world.say(dave, "all", "first");
    world.settle();
    let copy = world.copy(dave);
    let old = world.people[dave].peer.process();
    world.delete(dave);
    world.kill(dave);
    for _ in 0..3 {
        // A link is made again if it breaks, as it does when one side learns that it is behind or forgotten.
        if !world.is_linked(copy, ALICE) {
            world.link(copy, ALICE);
        }
        world.pass(Duration::from_secs(5));
    }
    assert_ne!(world.people[copy].peer.process(), old);
    world.say(copy, "all", "second");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(ALICE), ["first", "second"]);
    assert_eq!(users(&mut world, ALICE), ["alice", "bob", "dave"]);
}

#[test]
fn a_peer_that_said_so_says_nothing_more_and_does_not_begin_anew() {
    let mut world = World::mesh(&["alice", "bob"]);
    let alice = world.people[ALICE].peer.process();
    world.slow(BOB, ALICE);
    world.delete(ALICE);
    assert!(!world.people[ALICE].peer.is_deletion_told(), "bob's word is on its way");
    let before = world.people[ALICE].peer.causal.clock();
    world.people[ALICE].peer.record_is_stale = true;
    world.pass(Duration::from_secs(2));
    assert_eq!(world.people[ALICE].peer.causal.clock(), before);
    world.deliver_all(BOB, ALICE);
    assert!(world.people[ALICE].peer.is_deletion_told());
    let again = Control::Forgotten { process: alice }.encode();
    world.carry(BOB, ALICE, &again);
    assert_eq!(world.people[ALICE].peer.process(), alice);
    assert!(world.people[ALICE].closed.is_empty());
}
