//! One message to several people.

use std::time::Duration;

use super::world::World;
use crate::store::Store;
use crate::{Answer, Command, Config, PersonId, Recipients, Refusal, Target};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn others(to: &Recipients) -> Vec<&str> {
    let Recipients::People(others) = to else { panic!("{to:?}") };
    let mut names: Vec<&str> = others.iter().map(|who| who.name.as_str()).collect();
    names.sort_unstable();
    names
}

fn can_read(world: &mut World, who: usize, author: usize, words: &[u8]) -> bool {
    let author = world.people[author].peer.process();
    let kept = world.people[who].peer.store_mut().kept_by(author, 0, u64::MAX, 100);
    kept.iter().any(|kept| kept.body().windows(words.len()).any(|window| window == words))
}

#[test]
fn it_is_one_message_that_shows_to_whom_it_went_and_nobody_else_gets_it() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    let sent = world.say(ALICE, "bob carol", "lunch?");
    assert_eq!(others(&sent.to), ["bob", "carol"]);
    world.settle();
    for (who, seen) in [(BOB, ["alice", "carol"]), (CAROL, ["alice", "bob"])] {
        let shown = world.shown(who);
        assert_eq!((shown.len(), shown[0].id, &*shown[0].text), (1, sent.id, "lunch?"));
        assert_eq!(others(&shown[0].to), seen);
        assert!(!can_read(&mut world, who, ALICE, b"lunch?"), "it travels sealed");
    }
    assert!(world.heard(DAVE).is_empty());
    world.say(BOB, "carol alice", "yes");
    world.settle();
    assert_eq!(world.history(ALICE, "bob carol"), ["lunch?", "yes"]);
    assert_eq!(world.history(CAROL, "alice bob"), ["lunch?", "yes"]);
    assert!(world.history(ALICE, "bob").is_empty() && world.history(CAROL, "alice").is_empty());
}

#[test]
fn the_order_of_the_names_and_a_name_twice_make_no_difference() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "carol bob carol", "one");
    world.say(ALICE, "bob carol", "two");
    world.say(ALICE, "bob bob", "three");
    world.settle();
    assert_eq!(world.history(BOB, "carol alice"), ["one", "two"]);
    assert_eq!(world.history(BOB, "alice"), ["three"]);
}

#[test]
fn what_is_no_person_and_too_many_of_them_are_refused() {
    let config = Config { max_addressees: 2, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link_all();
    world.settle();
    world.create(ALICE, "cars");
    let mut refused = |names: &[&str]| {
        let to = Target::People(names.iter().map(|&name| name.to_owned()).collect());
        world.command(ALICE, Command::Send { to, text: "hi".to_owned(), delay_ms: 0 }).unwrap_err()
    };
    for name in ["all", "cars"] {
        assert_eq!(refused(&["bob", name]), Refusal::NotAPerson { name: name.to_owned() });
    }
    assert_eq!(refused(&["bob", "alice"]), Refusal::Oneself);
    assert!(matches!(refused(&["bob", "nobody"]), Refusal::UnknownTarget { .. }));
    assert!(matches!(refused(&["bob", "carol", "dave"]), Refusal::TooManyPeople { limit: 2, .. }));
    assert!(matches!(refused(&[]), Refusal::NoPeople));
    world.settle();
    for who in [BOB, CAROL, DAVE] {
        assert!(world.heard(who).is_empty());
    }
}

/// A carrier has the message for a person who is away, and cannot read it.
#[test]
fn one_of_them_who_is_away_gets_it_from_a_carrier_who_cannot_read_it() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(BOB);
    world.settle();
    world.say(ALICE, "bob carol", "question");
    world.say(ALICE, "dave", "I have asked bob");
    world.settle();
    assert!(!can_read(&mut world, DAVE, ALICE, b"question"));
    world.kill(ALICE);
    world.kill(CAROL);
    world.pass(Duration::from_secs(1));
    world.link(BOB, DAVE);
    world.say(DAVE, "bob", "so answer her");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["question", "so answer her"]);
}

/// With another store and the same key: what was said is fetched from any of the others, before anything that is said after it.
#[test]
fn one_of_them_who_begins_anew_reads_it_before_what_answers_it() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.say(ALICE, "bob carol", "question");
    world.settle();
    world.say(CAROL, "alice bob", "answer");
    world.settle();
    world.restart(BOB);
    world.link(BOB, CAROL);
    world.settle();
    world.say(CAROL, "bob alice", "more");
    world.settle();
    // Before the restart, and after it.
    assert_eq!(world.heard(BOB), ["question", "answer", "question", "answer", "more"]);
    assert_eq!(world.history(BOB, "alice carol"), ["question", "answer", "more"]);
}

#[test]
fn a_conversation_is_still_the_same_after_a_restart() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    for who in [ALICE, BOB, CAROL] {
        world.keep(who);
    }
    world.link_all();
    world.settle();
    world.say(ALICE, "bob carol", "question");
    world.settle();
    world.kill(BOB);
    world.come_back(BOB);
    world.link(BOB, ALICE);
    world.settle();
    assert_eq!(world.history(BOB, "alice carol"), ["question"]);
}

#[test]
fn a_stranger_is_told_nothing_of_it_and_names_nothing_of_it() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.say(ALICE, "bob carol", "between us");
    world.settle();
    let [alice, bob, carol, dave] = [ALICE, BOB, CAROL, DAVE].map(|who| world.people[who].peer.process().person);
    let peer = &world.people[BOB].peer;
    let scope = |people: &[PersonId]| crate::body::Scope::People(people.iter().copied().collect());
    let ours = peer.conversation_of(&scope(&[alice, bob, carol]), carol);
    assert_eq!(ours, crate::Conversation::with([alice, carol].into()));
    for (people, person) in [
        (&[alice, bob, carol][..], dave),
        (&[alice, carol, dave], alice),
        (&[alice, bob], alice),
        (&[bob], bob),
        (&[], alice),
    ] {
        assert_eq!(peer.conversation_of(&scope(people), person), None, "{people:?}");
    }
}

#[test]
fn only_so_many_conversations_are_named_to_a_newcomer() {
    let config = Config { max_welcomed: 2, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave", "erin"], config);
    world.link_all();
    world.settle();
    for to in ["bob carol", "bob dave", "bob erin", "bob carol dave"] {
        world.say(ALICE, to, "x");
    }
    world.settle();
    let [alice, bob] = [ALICE, BOB].map(|who| world.people[who].peer.process().person);
    assert_eq!(world.people[ALICE].peer.talks.among_several(bob, 2).len(), 2);
    assert_eq!(world.people[ALICE].peer.talks.among_several(bob, 9).len(), 4);
    assert_eq!(world.people[BOB].peer.talks.among_several(alice, 9).len(), 4);
    let answer = world.command(ALICE, Command::History { of: None, count: Some(9), before: None, after: None });
    assert!(matches!(answer, Ok(Answer::History { messages, .. }) if messages.len() == 4));
}

#[test]
fn what_was_said_with_a_person_of_whom_only_the_key_is_known_is_read_under_it_and_nothing_is_sent_there() {
    let mut world = World::mesh(&["alice", "bob"]);
    let key = PersonId::new([7; 32]).to_string();
    for of in [&key, &format!("bob {key}")] {
        assert_eq!(world.history(ALICE, of), [""; 0], "{of}");
    }
    for to in [Target::Name(key.clone()), Target::People(vec!["bob".to_owned(), key.clone()])] {
        let send = Command::Send { to, text: "hello".to_owned(), delay_ms: 0 };
        let refused = world.command(ALICE, send).expect_err("nobody");
        assert!(matches!(refused, Refusal::UnknownTarget { .. }), "{refused:?}");
    }
}
