//! Who is gone for good, and who returns after all.

use std::time::Duration;

use super::world::World;
use crate::{Answer, Command, Config, Event, Journal, ProcessId, Refusal};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn mesh_without_dave() -> World {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(DAVE);
    world.settle();
    world
}

fn forget(world: &mut World, who: usize, person: &str) -> Result<Answer, Refusal> {
    world.command(who, Command::Forget { person: person.to_owned() })
}

fn users(world: &mut World, who: usize) -> Vec<String> {
    match world.command(who, Command::ListUsers) {
        Ok(Answer::Users { users }) => users.into_iter().map(|user| user.who.name).collect(),
        other => panic!("{other:?}"),
    }
}

fn has_forgotten(world: &World, who: usize, process: ProcessId) -> bool {
    let causal = &world.people[who].peer.causal;
    causal.roster().index(&process).is_some_and(|index| causal.forgotten().contains(index))
}

#[test]
fn whoever_is_forgotten_is_forgotten_by_everybody_and_frees_what_was_kept() {
    let mut world = mesh_without_dave();
    let dave = world.people[DAVE].peer.process();
    world.say(BOB, "dave", "are you there?");
    for round in 0..100 {
        world.say(ALICE, "all", &format!("{round}"));
    }
    world.pass(Duration::from_secs(1));
    assert_eq!((world.people[ALICE].peer.outbox.len(), world.people[BOB].peer.outbox.len()), (100, 1));
    assert!(matches!(forget(&mut world, ALICE, "dave"), Ok(Answer::Forgotten { who }) if who.name == "dave"));
    world.pass(Duration::from_secs(1));
    for who in [ALICE, BOB, CAROL] {
        assert!(has_forgotten(&world, who, dave), "{who}");
        assert_eq!(world.people[who].peer.outbox.len(), 0, "{who}");
        let causal = &world.people[who].peer.causal;
        let index = causal.roster().index(&dave).unwrap();
        assert!(causal.snapshot().log.iter().all(|entry| !entry.dests.contains(index)), "{who}");
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol"]);
        assert!(world.people[who].journal.contains(&Journal::Forget { process: dave }));
        let forgotten =
            |event: &&Event| matches!(event, Event::Forgotten { who, by } if who.name == "dave" && by.name == "alice");
        let told = world.people[who].events.iter().filter(forgotten).count();
        assert_eq!(told, usize::from(who != ALICE), "whoever asked has the answer");
    }
    let departed = world
        .command(BOB, Command::Send { to: crate::Target::Name("dave".to_owned()), text: "x".to_owned(), delay_ms: 0 });
    assert!(matches!(departed, Err(Refusal::Departed { .. })), "{departed:?}");
    assert!(matches!(forget(&mut world, CAROL, "dave"), Err(Refusal::Departed { .. })));
    assert_eq!(world.history(BOB, "dave"), ["are you there?"], "what was said with him can still be read");
    let sent = world.command(ALICE, Command::Send { to: crate::Target::All, text: "x".to_owned(), delay_ms: 0 });
    assert!(matches!(sent, Ok(Answer::Sent { away, .. }) if away.is_empty()));
}

#[test]
fn whoever_is_here_is_not_forgotten() {
    let mut world = World::mesh(&["alice", "bob"]);
    assert!(matches!(forget(&mut world, ALICE, "bob"), Err(Refusal::Present { .. })));
    assert!(matches!(forget(&mut world, ALICE, "alice"), Err(Refusal::Present { .. })));
    assert!(matches!(forget(&mut world, ALICE, "zoe"), Err(Refusal::UnknownUser { .. })));
    world.pass(Duration::from_secs(1));
    assert_eq!(users(&mut world, ALICE), ["alice", "bob"]);
}

#[test]
fn whoever_was_forgotten_returns_as_a_new_incarnation_with_what_was_said() {
    let mut world = mesh_without_dave();
    let old = world.people[DAVE].peer.process();
    world.say(ALICE, "all", "before");
    world.say(BOB, "dave", "to you alone");
    world.settle();
    world.say(DAVE, "all", "said alone");
    world.say(DAVE, "bob", "and to you alone");
    forget(&mut world, ALICE, "dave").unwrap();
    world.pass(Duration::from_secs(1));
    world.say(CAROL, "all", "after");
    world.settle();
    world.link(DAVE, BOB);
    world.settle();
    let new = world.people[DAVE].peer.process();
    assert!(new.person == old.person && new.incarnation != old.incarnation);
    assert!(!world.is_linked(DAVE, BOB), "it closes its links to begin anew");
    world.link_all();
    world.pass(Duration::from_secs(5));
    for text in ["before", "after", "to you alone"] {
        assert!(world.heard(DAVE).contains(&text.to_owned()), "{text}: {:?}", world.heard(DAVE));
    }
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol", "dave"]);
        assert!(!has_forgotten(&world, who, new));
        let heard = world.heard(who);
        assert_eq!(heard.iter().filter(|text| *text == "said alone").count(), 1, "{who}: {heard:?}");
    }
    assert_eq!(world.heard(BOB).iter().filter(|text| *text == "and to you alone").count(), 1);
    let warned = |event: &Event| matches!(event, Event::Warning { text } if text.contains("had forgotten this peer"));
    assert!(world.people[DAVE].events.iter().any(warned));
    world.say(ALICE, "dave", "welcome back");
    world.settle();
    assert_eq!(world.heard(DAVE).last().map(String::as_str), Some("welcome back"));
    assert_eq!(world.history(DAVE, "all"), world.history(ALICE, "all"));
}

/// A tombstone is final, or whoever goes on addressing the process could tell it an answer without the question.
#[test]
fn whoever_has_a_link_to_a_process_that_is_forgotten_makes_it_begin_anew() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    let old = world.people[DAVE].peer.process();
    world.cut(ALICE, DAVE);
    world.say(BOB, "all", "before");
    world.settle();
    forget(&mut world, ALICE, "dave").unwrap();
    world.settle();
    let new = world.people[DAVE].peer.process();
    assert_ne!(new, old);
    for who in [ALICE, BOB, CAROL] {
        assert!(has_forgotten(&world, who, old), "{who}");
    }
    world.link_all();
    world.pass(Duration::from_secs(5));
    world.say(ALICE, "all", "after");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(DAVE), ["before", "after"]);
    assert_eq!(users(&mut world, CAROL), ["alice", "bob", "carol", "dave"]);
    world.assert_causal_order(0);
}

/// Erin has a record of dave's that nobody else has seen, and has not heard that he is gone.
#[test]
fn a_record_of_a_forgotten_process_brings_nobody_back() {
    let mut world = mesh_without_dave();
    let erin = world.add("erin");
    world.create(DAVE, "boats");
    world.link(DAVE, erin);
    world.settle();
    world.cut(DAVE, erin);
    forget(&mut world, ALICE, "dave").unwrap();
    world.settle();
    assert_eq!(users(&mut world, erin), ["alice", "bob", "carol", "dave", "erin"]);
    for who in [ALICE, BOB, CAROL] {
        world.link(erin, who);
    }
    world.pass(Duration::from_secs(1));
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol", "erin"]);
    }
}

#[test]
fn who_is_told_twice_in_a_row_to_begin_anew_does_not_believe_it() {
    let mut world = World::mesh(&["alice", "bob"]);
    let lie = |world: &mut World| {
        let process = world.people[ALICE].peer.process();
        world.carry(BOB, ALICE, &crate::frame::Control::Forgotten { process }.encode());
        world.people[ALICE].peer.process() != process
    };
    assert!(lie(&mut world));
    world.link_all();
    world.settle();
    assert!(!lie(&mut world));
    assert!(world.people[ALICE].closed.iter().any(|reason| reason.contains("too soon to be believed")));
    world.pass(Duration::from_secs(600));
    world.link_all();
    world.settle();
    assert!(lie(&mut world));
}

fn hourly() -> Config {
    // Quiet links, so that hours pass quickly.
    let quiet = Duration::from_secs(7200);
    let forget_after = Duration::from_secs(3600);
    Config { forget_after, heartbeat: quiet, whole_vector: quiet, journal: true, ..Config::default() }
}

#[test]
fn whoever_nobody_has_seen_for_long_is_forgotten() {
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], hourly());
    world.link_all();
    world.settle();
    let dave = world.people[DAVE].peer.process();
    world.kill(DAVE);
    world.pass(Duration::from_secs(3500));
    assert_eq!(users(&mut world, ALICE).len(), 4);
    world.pass(Duration::from_secs(200));
    for who in [ALICE, BOB, CAROL] {
        assert!(has_forgotten(&world, who, dave));
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol"]);
        let told = world.people[who].events.iter().filter(|event| matches!(event, Event::Forgotten { .. })).count();
        assert_eq!(told, 1);
    }
}

#[test]
fn whoever_was_alone_forgets_nobody() {
    let mut world = World::with_config(&["alice", "bob", "carol"], hourly());
    world.link_all();
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(3300));
    world.cut(BOB, CAROL);
    world.pass(Duration::from_secs(100_000));
    world.link_all();
    world.pass(Duration::from_secs(4000));
    for who in [ALICE, BOB, CAROL] {
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol"]);
        assert!(!world.people[who].journal.iter().any(|entry| matches!(entry, Journal::Forget { .. })));
    }
}

#[test]
fn a_word_that_others_hand_on_is_a_sign_of_life() {
    let mut world = World::with_config(&["alice", "bob", "carol"], hourly());
    world.link_all();
    world.settle();
    // carol is not linked to alice, but to bob from time to time.
    world.cut(ALICE, CAROL);
    for _ in 0..4 {
        world.cut(BOB, CAROL);
        world.pass(Duration::from_secs(2000));
        world.link(BOB, CAROL);
        world.say(CAROL, "all", "here");
        world.pass(Duration::from_secs(10));
        world.cut(ALICE, BOB);
        world.link(ALICE, BOB);
        world.pass(Duration::from_secs(10));
    }
    assert_eq!(world.heard(ALICE).len(), 4);
    assert_eq!(users(&mut world, ALICE), ["alice", "bob", "carol"]);
}

/// alice has forgotten dave, and says nothing any more of what is on its way to him. erin, who comes later, has to know.
#[test]
fn a_newcomer_learns_who_was_forgotten_before_anything_else() {
    let mut world = mesh_without_dave();
    let dave = world.people[DAVE].peer.process();
    // The frame that tells bob is on its way.
    world.slow(ALICE, BOB);
    forget(&mut world, ALICE, "dave").unwrap();
    world.settle();
    let erin = world.add("erin");
    world.link(erin, BOB);
    world.settle();
    assert!(!has_forgotten(&world, erin, dave), "bob has not heard");
    world.link(erin, ALICE);
    world.settle();
    assert!(has_forgotten(&world, erin, dave));
    assert_eq!(users(&mut world, erin), ["alice", "bob", "carol", "erin"]);
}

/// The tombstone is addressed to those whom alice knows: whoever knows more tells those.
#[test]
fn whoever_the_tombstone_passed_by_is_told_by_others() {
    let mut world = mesh_without_dave();
    let dave = world.people[DAVE].peer.process();
    world.split(&[ALICE], &[BOB, CAROL]);
    world.settle();
    let erin = world.add("erin");
    world.link(erin, BOB);
    world.settle();
    forget(&mut world, ALICE, "dave").unwrap();
    world.settle();
    world.cut(erin, BOB);
    world.link(ALICE, BOB);
    world.settle();
    world.cut(ALICE, BOB);
    world.link(erin, BOB);
    world.pass(Duration::from_secs(5));
    assert!(has_forgotten(&world, erin, dave));
}

/// dave's clock was ahead once: the record that departed with him is newer than the one that he comes back with.
#[test]
fn whoever_returns_with_an_older_record_than_departed_is_believed() {
    let mut world = World::new(&["alice", "bob", "carol", "dave"]);
    let two_days = Duration::from_secs(2 * 86_400).as_micros();
    let ahead = crate::Hlc { micros: world.now().unix_micros + i64::try_from(two_days).unwrap(), logical: 0 };
    let peer = &mut world.people[DAVE].peer;
    peer.clock.go_on_from(ahead);
    peer.record_is_stale = true;
    world.link_all();
    world.settle();
    world.kill(DAVE);
    forget(&mut world, ALICE, "dave").unwrap();
    world.pass(Duration::from_secs(1));
    world.restart(DAVE);
    for who in [ALICE, BOB, CAROL] {
        world.link(DAVE, who);
    }
    world.pass(Duration::from_secs(5));
    for who in [ALICE, BOB, CAROL, DAVE] {
        assert!(world.people[who].closed.is_empty(), "{who}: {:?}", world.people[who].closed);
        assert_eq!(users(&mut world, who), ["alice", "bob", "carol", "dave"], "{who}");
    }
}

/// alice and dave are linked, and each learns at once from somebody else that the other's process is gone for good.
#[test]
fn two_who_have_forgotten_each_other_both_begin_anew() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    let processes = [ALICE, DAVE].map(|who| world.people[who].peer.process());
    world.slow(BOB, DAVE);
    world.slow(CAROL, ALICE);
    world.slow(ALICE, DAVE);
    world.slow(DAVE, ALICE);
    for (a, b) in [(ALICE, BOB), (BOB, CAROL), (CAROL, DAVE)] {
        world.cut(a, b);
    }
    world.settle();
    forget(&mut world, BOB, "alice").unwrap();
    forget(&mut world, CAROL, "dave").unwrap();
    world.deliver_all(BOB, DAVE);
    world.deliver_all(CAROL, ALICE);
    for (a, b) in [(ALICE, DAVE), (DAVE, ALICE), (BOB, DAVE), (CAROL, ALICE)] {
        world.fast(a, b);
    }
    world.settle();
    // Whoever begins anew first closes the link: the other learns it at the next one.
    while !world.is_linked(ALICE, DAVE) {
        world.link(ALICE, DAVE);
        world.settle();
    }
    for (who, process) in [ALICE, DAVE].into_iter().zip(processes) {
        assert_ne!(world.people[who].peer.process(), process, "{who}");
    }
}

/// bob has been asked by alice, who does not know carol yet, when carol forgets him. He begins anew, and answers to all.
#[test]
fn whoever_begins_anew_tells_the_others_first_what_he_was_shown_and_they_were_not() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    world.link(ALICE, BOB);
    world.settle();
    world.slow(BOB, ALICE);
    world.link(BOB, CAROL);
    world.settle();
    world.say(ALICE, "all", "question");
    world.settle();
    assert_eq!(world.heard(BOB), ["question"]);
    world.kill(BOB);
    forget(&mut world, CAROL, "bob").unwrap();
    world.link(BOB, CAROL);
    world.settle();
    world.link(BOB, CAROL);
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}
