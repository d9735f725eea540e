//! Dependencies travel with dependents: what is left with others for somebody who is away.

use std::time::Duration;

use super::world::World;
use crate::frame::{Control, Frame, ParcelIds};
use crate::{Config, Event, MessageId};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

/// alice writes to bob, who is away, and then says something to carol, who says something to the others in turn.
fn bob_is_away(names: &[&str], config: Config) -> World {
    let mut world = World::with_config(names, config);
    world.link_all();
    world.settle();
    world.kill(BOB);
    world.settle();
    world.say(ALICE, "bob", "question");
    world.say(ALICE, "carol", "I have asked bob");
    world.settle();
    world
}

fn traced() -> Config {
    Config { journal: true, ..Config::default() }
}

fn carried(world: &World, who: usize) -> usize {
    world.people[who].peer.carry.len()
}

fn gaps(world: &World, who: usize) -> usize {
    world.people[who].events.iter().filter(|event| matches!(event, Event::Gap { .. })).count()
}

#[test]
fn a_direct_message_comes_from_whoever_was_told_later_while_its_author_is_off_line() {
    let mut world = bob_is_away(&["alice", "bob", "carol"], traced());
    world.kill(ALICE);
    world.pass(Duration::from_secs(60));
    world.link(BOB, CAROL);
    world.say(CAROL, "bob", "so answer her");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question", "so answer her"]);
    assert_eq!(gaps(&world, BOB), 0);
    world.assert_causal_order(0);
}

#[test]
fn it_travels_on_with_what_the_others_say() {
    let mut world = bob_is_away(&["alice", "bob", "carol", "dave"], traced());
    world.kill(ALICE);
    world.pass(Duration::from_secs(1));
    world.say(CAROL, "dave", "alice has asked bob");
    world.settle();
    world.kill(CAROL);
    world.link(BOB, DAVE);
    world.say(DAVE, "bob", "you were asked");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question", "you were asked"]);
    assert_eq!(gaps(&world, BOB), 0);
    world.assert_causal_order(0);
}

#[test]
fn whoever_was_told_nothing_later_by_its_author_carries_nothing_of_his() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.say(ALICE, "carol", "I shall ask bob");
    world.say(ALICE, "bob", "question");
    world.pass(Duration::from_secs(60));
    assert_eq!(carried(&world, CAROL), 0);
    world.say(ALICE, "carol", "I have asked him");
    world.settle();
    assert_eq!(carried(&world, CAROL), 1);
}

#[test]
fn once_it_is_acknowledged_it_is_dropped_everywhere() {
    let mut world = bob_is_away(&["alice", "bob", "carol", "dave"], traced());
    world.pass(Duration::from_secs(1));
    assert_eq!((carried(&world, CAROL), carried(&world, DAVE)), (1, 1));
    world.kill(ALICE);
    world.kill(DAVE);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(4));
    assert_eq!(world.heard(BOB), ["question"]);
    assert_eq!((carried(&world, CAROL), carried(&world, DAVE)), (0, 1), "dave has not heard of it");
    world.kill(BOB);
    // bob tells alice, and it is alice who tells dave.
    world.link(BOB, ALICE);
    world.settle();
    world.kill(BOB);
    world.link(ALICE, DAVE);
    world.settle();
    assert_eq!(carried(&world, DAVE), 0);
    assert_eq!(world.heard(BOB), ["question"]);
}

#[test]
fn nothing_is_carried_for_an_incarnation_that_has_a_successor() {
    let mut world = bob_is_away(&["alice", "bob", "carol"], traced());
    assert_eq!(carried(&world, CAROL), 1);
    world.restart(BOB);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(2));
    assert_eq!(carried(&world, CAROL), 0);
}

#[test]
fn whoever_acknowledges_nothing_for_long_is_helped_like_somebody_away() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, BOB);
    world.say(ALICE, "bob", "question");
    world.say(ALICE, "carol", "I have asked bob");
    world.say(CAROL, "bob", "unrelated");
    world.pass(Duration::from_secs(4));
    assert_eq!(carried(&world, CAROL), 0);
    world.pass(Duration::from_secs(3));
    assert_eq!(carried(&world, CAROL), 1);
    world.cut(ALICE, BOB);
    world.pass(Duration::from_secs(1));
    world.say(CAROL, "bob", "so answer her");
    world.pass(Duration::from_secs(1));
    assert!(world.heard(BOB).contains(&"question".to_owned()));
    assert_eq!(gaps(&world, BOB), 0);
}

#[test]
fn a_user_who_leaves_leaves_what_nobody_was_told_of() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.say(ALICE, "bob", "question");
    world.pass(Duration::from_secs(1));
    assert_eq!(carried(&world, CAROL), 0);
    world.leaving(ALICE);
    assert!(world.people[ALICE].peer.has_unsent(), "there is something to wait for");
    world.settle();
    assert!(!world.people[ALICE].peer.has_unsent());
    world.kill(ALICE);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question"]);
}

#[test]
fn what_is_under_delay_is_left_with_nobody_before_its_time() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.kill(BOB);
    world.say_later(ALICE, "bob", "question", 10_000);
    world.say(ALICE, "carol", "I shall ask bob");
    world.pass(Duration::from_secs(9));
    assert_eq!(carried(&world, CAROL), 0);
    world.pass(Duration::from_secs(2));
    assert_eq!(carried(&world, CAROL), 1);
}

#[test]
fn a_carrier_goes_on_after_a_restart() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.keep(CAROL);
    world.link_all();
    world.settle();
    world.kill(BOB);
    world.say(ALICE, "bob", "question");
    world.say(ALICE, "carol", "I have asked bob");
    world.settle();
    world.kill(ALICE);
    world.come_back(CAROL);
    assert_eq!(carried(&world, CAROL), 1);
    world.link(BOB, CAROL);
    world.say(CAROL, "bob", "so answer her");
    world.pass(Duration::from_secs(4));
    assert_eq!(world.heard(BOB), ["question", "so answer her"]);
    assert_eq!(carried(&world, CAROL), 0);
    assert!(world.people[CAROL].peer.store_mut().saved.carried.is_empty());
}

#[test]
fn an_author_goes_on_leaving_it_after_a_restart() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.kill(BOB);
    world.cut(ALICE, CAROL);
    world.say(ALICE, "bob", "question");
    world.say(ALICE, "carol", "I have asked bob");
    world.come_back(ALICE);
    world.link(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["I have asked bob"]);
    assert_eq!(carried(&world, CAROL), 1);
}

/// What several carry comes from one of them.
#[test]
fn everybody_gets_a_parcel_once() {
    let names = ["alice", "bob", "carol", "dave", "erin", "frank"];
    let mut world = bob_is_away(&names, traced());
    world.pass(Duration::from_secs(1));
    let parcels = |world: &World| world.crossed.values().map(|crossed| crossed.parcels).sum::<usize>();
    assert_eq!(parcels(&world), 4, "one for each of those who are here");
    world.kill(ALICE);
    for who in CAROL..names.len() {
        world.link(BOB, who);
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question"]);
    assert_eq!(parcels(&world), 5);
}

/// Alters every parcel on its way from one to another.
fn alter(world: &mut World, from: usize, to: usize) -> u64 {
    let mut altered = 0;
    world.tamper(from, to, |frame| {
        let Ok(Frame::Control(control)) = Frame::decode(frame) else { return None };
        let Control::Parcels { mut parcels } = *control else { return None };
        for parcel in &mut parcels {
            let mut sealed = parcel.sealed.to_vec();
            sealed[60] ^= 1;
            parcel.sealed = sealed.into();
            altered += 1;
        }
        Some(Control::Parcels { parcels }.encode())
    });
    altered
}

#[test]
fn a_carrier_that_alters_a_parcel_harms_nobody() {
    let mut world = bob_is_away(&["alice", "bob", "carol", "dave"], traced());
    world.pass(Duration::from_secs(1));
    world.kill(ALICE);
    // carol is the liar; bob hears of the parcel from her first, and once more when he pulls.
    world.link(BOB, CAROL);
    world.link(BOB, DAVE);
    world.slow(CAROL, BOB);
    world.slow(DAVE, BOB);
    world.settle();
    let mut altered = 0;
    for _ in 0..10 {
        altered += alter(&mut world, CAROL, BOB);
        world.deliver_all(CAROL, BOB);
        world.settle();
    }
    assert!(altered > 0);
    assert_eq!(world.people[BOB].peer.repair.refused, altered);
    assert!(world.heard(BOB).is_empty());
    world.fast(DAVE, BOB);
    world.fast(CAROL, BOB);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question"]);
    assert!(world.is_linked(BOB, CAROL), "nobody is blamed for what somebody else's envelope claims");
}

#[test]
fn a_carrier_that_dies_before_it_gives_what_it_offered_is_replaced() {
    let mut world = bob_is_away(&["alice", "bob", "carol", "dave"], traced());
    world.pass(Duration::from_secs(1));
    world.kill(ALICE);
    world.slow(BOB, CAROL);
    world.link(BOB, CAROL);
    world.settle();
    world.link(BOB, DAVE);
    world.settle();
    world.kill(CAROL);
    world.settle();
    assert_eq!(world.heard(BOB), ["question"]);
}

#[test]
fn no_more_is_carried_than_there_is_room_for() {
    let config = Config { max_carried: 40, carried_share: 2, ..traced() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link_all();
    world.settle();
    world.kill(BOB);
    for author in [ALICE, DAVE] {
        for round in 0..30 {
            world.say(author, "bob", &format!("{round}"));
        }
        world.say(author, "carol", "later");
    }
    world.pass(Duration::from_secs(1));
    assert_eq!(carried(&world, CAROL), 40, "20 of each author");
    assert!(world.people[CAROL].peer.repair.refused >= 20);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB).len(), 40, "the oldest are kept");
    assert_eq!(carried(&world, CAROL), 0);
    world.link_all();
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB).len(), 60);
}

#[test]
fn the_bytes_that_are_carried_are_bounded() {
    let config = Config { max_carried_bytes: 100_000, carried_share: 1, ..traced() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    world.kill(BOB);
    for _ in 0..30 {
        world.say(ALICE, "bob", &"x".repeat(10_000));
    }
    world.say(ALICE, "carol", "later");
    world.pass(Duration::from_secs(1));
    assert_eq!(carried(&world, CAROL), 9);
}

#[test]
fn what_was_not_asked_for_is_not_taken() {
    let mut world = bob_is_away(&["alice", "bob", "carol", "dave"], traced());
    world.pass(Duration::from_secs(1));
    let key = world.people[CAROL].peer.carry.keys()[0];
    let parcel = world.people[CAROL].peer.parcel(key).unwrap();
    let process = |who: usize| world.people[who].peer.process();
    let (alice, bob) = (process(ALICE), process(BOB));
    let fresh = MessageId { clock: parcel.message.clock + 1000, ..parcel.message };
    let unasked = crate::Parcel { message: fresh, ..parcel };
    let frame = Control::Parcels { parcels: vec![unasked; 50] }.encode();
    world.carry(CAROL, DAVE, &frame);
    world.settle();
    assert_eq!(carried(&world, DAVE), 1);
    assert!(world.people[DAVE].peer.repair.refused > 0);
    // An offer of more than anybody offers at once.
    let offered = vec![ParcelIds { author: alice, to: bob, clocks: (1..=2000).collect() }];
    world.carry(CAROL, DAVE, &Control::Carrying { offered }.encode());
    assert!(world.people[DAVE].closed[0].contains("at most are offered at once"));
}

#[test]
fn offers_that_are_never_made_good_fill_nothing_for_long() {
    let config = Config { max_carried: 4000, ..traced() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link_all();
    world.settle();
    let process = |who: usize| world.people[who].peer.process();
    let (alice, bob) = (process(ALICE), process(BOB));
    world.kill(BOB);
    for round in 0..100 {
        let clocks = (1000 * round + 1..=1000 * round + 1000).collect();
        let offered = vec![ParcelIds { author: alice, to: bob, clocks }];
        world.carry(CAROL, DAVE, &Control::Carrying { offered }.encode());
    }
    assert!(world.people[DAVE].peer.carry.wanted() <= 1000, "one author's share");
    world.pass(Duration::from_secs(4));
    assert_eq!(world.people[DAVE].peer.carry.wanted(), 0);
    world.say(ALICE, "bob", "question");
    world.say(ALICE, "dave", "I have asked bob");
    world.settle();
    assert_eq!(carried(&world, DAVE), 1);
}
