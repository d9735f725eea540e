//! Texts that are said again, by a member who lies too: they hide nothing but themselves.

use std::time::Duration;

use super::world::{START, World};
use crate::body::{self, First, Scope, TextHead};
use crate::history::Conversation;
use crate::{Answer, Command};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// bob says three lines in one turn, which alice has and carol has not. Another copy of him runs, so they count as unsent, and once it is
/// stopped he sends one of them again. Then carol gets all three from alice.
#[test]
fn a_line_that_is_said_again_hides_none_that_was_signed_with_it() {
    for nth in 0..3 {
        let mut world = World::new(&["alice", "bob", "carol"]);
        world.keep(BOB);
        world.link_all();
        world.settle();
        world.cut(BOB, CAROL);
        world.cut(ALICE, CAROL);
        let lines = ["one", "two", "three"];
        world.say_together(BOB, lines.map(|line| ("all", line.to_owned())).into_iter());
        world.settle();
        world.superseded(BOB);
        let Ok(Answer::Pending { waiting, .. }) = world.command(BOB, Command::Pending) else {
            panic!("none is unsent")
        };
        world.come_back(BOB);
        world.link(BOB, CAROL);
        world.settle();
        world.command(BOB, Command::Resend { number: Some(waiting[nth].number) }).unwrap();
        world.settle();
        assert_eq!(world.heard(CAROL), [lines[nth]]);
        world.link(ALICE, CAROL);
        world.pass(Duration::from_secs(5));
        let mut shown = world.heard(CAROL);
        shown.sort();
        assert_eq!(shown, ["one", "three", "two"], "{} was said again", lines[nth]);
        assert_eq!(world.history(CAROL, "all"), lines);
    }
}

/// bob's program, which may lie, says to all that it says again what it said as `first`.
fn says_again(world: &mut World, sent_at: i64, first: First, text: &str) {
    let hlc = tick(world);
    let body = body::text(&TextHead { scope: Scope::All, sent_at, hlc, first: Some(first) }, text);
    let bob = &mut world.people[BOB].peer;
    let all = bob.dests(&Conversation::All);
    bob.multicast(&all, &body, None, Some("all"), None);
    world.say(BOB, "all", "next");
    world.settle();
}

fn tick(world: &mut World) -> crate::hlc::Hlc {
    let now = world.now();
    world.people[BOB].peer.clock.tick(now.unix_micros)
}

#[test]
fn a_text_that_is_said_again_as_itself_stays_in_the_history() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let bob = &world.people[BOB].peer;
    let itself = First { incarnation: bob.process().incarnation, clock: bob.causal.clock() + 1 };
    says_again(&mut world, START, itself, "text");
    assert_eq!(world.heard(ALICE), ["text", "next"]);
    assert_eq!(world.history(ALICE, "all"), ["text", "next"]);
}

/// Both claim to be the second one said again.
#[test]
fn of_two_texts_that_hide_each_other_one_stays_in_the_history() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let bob = &world.people[BOB].peer;
    // The text that is said behind each of them is in between.
    let second = First { incarnation: bob.process().incarnation, clock: bob.causal.clock() + 3 };
    says_again(&mut world, START, second, "text");
    says_again(&mut world, START, second, "text");
    assert_eq!(world.heard(ALICE), ["text", "next", "next"]);
    assert_eq!(world.history(ALICE, "all"), ["text", "next", "next"]);
}

/// Whatever a member says again, looking for what is the same takes no longer the more of it there is.
#[test]
fn a_text_is_compared_with_few_others() {
    let mut world = World::mesh(&["alice", "bob"]);
    let first = First { incarnation: world.people[BOB].peer.process().incarnation, clock: 1 };
    let looked_up = |world: &mut World, text: &str| {
        let before = world.people[ALICE].peer.store_mut().looked_up.get();
        says_again(world, START, first, text);
        world.people[ALICE].peer.store_mut().looked_up.get() - before
    };
    let few = looked_up(&mut world, "0");
    for round in 1..50 {
        assert!(looked_up(&mut world, &round.to_string()) <= few + 1, "the text {round}");
    }
}

/// bob says to carol alone what no peer shows, and then to all that he says it again. She reads the question before its answer.
#[test]
fn what_was_never_shown_hides_nothing() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let unsealed = TextHead { scope: Scope::Direct, sent_at: START, hlc: tick(&mut world), first: None };
    let carol = world.people[CAROL].peer.process();
    let bob = &mut world.people[BOB].peer;
    let carol = bob.indices([carol]);
    let clock = bob.multicast(&carol, &body::text(&unsealed, "question"), None, None, None);
    let first = First { incarnation: bob.process().incarnation, clock };
    says_again(&mut world, START, first, "question");
    world.say(ALICE, "all", "answer");
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "next", "answer"]);
    assert_eq!(world.history(CAROL, "all"), ["question", "next", "answer"]);
}

#[test]
fn a_private_text_hides_no_public_one() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let private = world.say(BOB, "carol", "question");
    world.settle();
    says_again(&mut world, private.sent_at, private.id.into(), "question");
    assert_eq!(world.heard(CAROL), ["question", "question", "next"]);
    assert_eq!(world.history(CAROL, "all"), ["question", "next"]);
    assert_eq!(world.history(CAROL, "bob"), ["question"]);
}
