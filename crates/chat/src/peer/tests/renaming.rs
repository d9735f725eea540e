//! Names: who may take which, who is told, and who had one first.

use std::time::Duration;

use super::world::World;
use crate::{Answer, Command, Config, Event, Refusal};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn nick(world: &mut World, who: usize, name: &str) -> Result<Answer, Refusal> {
    world.command(who, Command::Nick { name: name.to_owned() })
}

fn renamed(world: &mut World, who: usize, name: &str) {
    let answer = nick(world, who, name);
    assert!(matches!(answer, Ok(Answer::Renamed { .. })), "{answer:?}");
}

/// How `who` shows the person of `of`.
fn label(world: &World, who: usize, of: usize) -> String {
    world.people[who].peer.directory.who(world.people[of].peer.process().person).label.clone()
}

fn changes(world: &World, who: usize) -> Vec<(String, String)> {
    let change = |event: &Event| match event {
        Event::PersonChanged { who, before, .. } if who.label != *before => Some((before.clone(), who.label.clone())),
        _ => None,
    };
    world.people[who].events.iter().filter_map(change).collect()
}

/// Who was asked for another name since this was last looked at, and whose name it is.
fn asked(world: &mut World) -> Vec<(usize, String)> {
    world.pass(Duration::from_secs(10));
    let mut asked = Vec::new();
    for (number, someone) in world.people.iter_mut().enumerate() {
        someone.events.retain(|event| match event {
            Event::NameTaken { name, .. } => {
                asked.push((number, name.clone()));
                false
            }
            _ => true,
        });
    }
    asked
}

/// The one of two who has the greater key.
fn greater(world: &World, one: usize, other: usize) -> usize {
    let key = |who: usize| world.people[who].peer.process().person;
    if key(one) > key(other) { one } else { other }
}

#[test]
fn everybody_is_told_of_a_new_name_once() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.cut(ALICE, CAROL);
    world.cut(BOB, CAROL);
    world.settle();
    renamed(&mut world, ALICE, "anna");
    assert_eq!(world.people[ALICE].peer.hello().me.label, "anna");
    world.settle();
    assert_eq!(changes(&world, BOB), [("alice".to_owned(), "anna".to_owned())]);
    assert!(changes(&world, CAROL).is_empty());
    world.link_all();
    world.pass(Duration::from_secs(60));
    for who in [BOB, CAROL] {
        assert_eq!(changes(&world, who), [("alice".to_owned(), "anna".to_owned())], "{who}");
    }
    assert!(changes(&world, ALICE).is_empty(), "the answer has said so");
    world.say(BOB, "anna", "hello");
    world.settle();
    assert_eq!(world.heard(ALICE), ["hello"]);
    let members = |world: &mut World| world.people[CAROL].peer.hello().groups[0].members.clone();
    assert_eq!(members(&mut world), ["anna", "bob"]);
}

#[test]
fn a_name_that_is_taken_or_none_is_refused_with_the_reason() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(BOB, "cars");
    world.settle();
    world.cut(ALICE, CAROL);
    world.cut(BOB, CAROL);
    world.command(ALICE, Command::Alias { person: "bob".into(), name: "bobby".into() }).unwrap();
    let version = |world: &World| world.people[ALICE].peer.directory.next_version(Default::default());
    let before = version(&world);
    let taken = |name: &str, who: &str| Err(Refusal::NickTaken { name: name.into(), who: who.into() });
    // Present or away, in other letters too.
    for (name, who) in [("bob", "bobby"), ("BOB", "bobby"), ("carol", "carol"), ("cаrol", "carol")] {
        assert_eq!(nick(&mut world, ALICE, name), taken(name, who), "{name}");
    }
    let imitation = format!("carol.{}", &world.people[CAROL].peer.process().person.fingerprint()[4..]);
    assert_eq!(nick(&mut world, ALICE, &imitation), taken(&imitation, "carol"));
    let key = world.people[CAROL].peer.process().person.fingerprint();
    assert_eq!(nick(&mut world, ALICE, &key), taken(&key, "carol"));
    let alias = Refusal::NickIsAlias { alias: "bobby".into(), who: "bob".into() };
    assert_eq!(nick(&mut world, ALICE, "Bobby"), Err(alias));
    assert_eq!(nick(&mut world, ALICE, "Cars"), Err(Refusal::GroupExists { group: "cars".into() }));
    assert_eq!(nick(&mut world, ALICE, "alice"), Err(Refusal::SameName { name: "alice".into() }));
    for bad in ["", "two words", "all", "ａll", &"x".repeat(33), "-a"] {
        let refused = nick(&mut world, ALICE, bad);
        assert!(matches!(refused, Err(Refusal::BadName { .. })), "{bad:?}: {refused:?}");
    }
    assert_eq!((label(&world, ALICE, ALICE), version(&world)), ("alice".to_owned(), before));
    renamed(&mut world, ALICE, "Alice");
}

#[test]
fn the_name_of_a_person_who_is_gone_for_good_is_free() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    for who in [ALICE, BOB] {
        world.cut(who, CAROL);
    }
    world.settle();
    world.command(ALICE, Command::Forget { person: "carol".into() }).unwrap();
    renamed(&mut world, ALICE, "carol");
    assert!(asked(&mut world).is_empty());
}

#[test]
fn of_two_claims_that_could_not_know_of_each_other_the_greater_key_is_asked() {
    for (one, other) in [(ALICE, CAROL), (CAROL, ALICE)] {
        let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
        world.split(&[ALICE, BOB], &[CAROL, DAVE]);
        world.settle();
        renamed(&mut world, one, "zoe");
        world.pass(Duration::from_secs(3600));
        renamed(&mut world, other, "Zoe");
        assert!(asked(&mut world).is_empty());
        world.link_all();
        world.settle();
        for who in [ALICE, BOB, CAROL, DAVE] {
            for of in [ALICE, CAROL] {
                assert!(label(&world, who, of).contains('·'), "{}", label(&world, who, of));
            }
        }
        let loser = greater(&world, ALICE, CAROL);
        let name = if loser == one { "zoe" } else { "Zoe" };
        assert_eq!(asked(&mut world), [(loser, name.to_owned())]);
        assert!(world.people[loser].peer.hello().name_taken_by.is_some());
        // It works until then.
        world.say(loser, "bob", "still here");
        world.settle();
        assert_eq!(world.heard(BOB).last().map(String::as_str), Some("still here"));
        renamed(&mut world, loser, "zelda");
        assert_eq!(world.people[loser].peer.hello().name_taken_by, None);
        assert!(asked(&mut world).is_empty());
        assert!(!label(&world, BOB, ALICE).contains('·') && !label(&world, BOB, CAROL).contains('·'));
    }
}

#[test]
fn a_newcomer_is_asked_if_the_name_is_taken_and_nobody_else_is() {
    for newcomers in 1..4 {
        let mut world = World::mesh(&["alice", "bob"]);
        for _ in 0..newcomers {
            let newcomer = world.add("alice");
            for other in 0..newcomer {
                world.link(other, newcomer);
            }
            world.settle();
            assert_eq!(asked(&mut world), [(newcomer, "alice".to_owned())]);
        }
        // The one who came next is next.
        renamed(&mut world, ALICE, "anna");
        assert!(asked(&mut world).is_empty());
        assert_eq!(world.people[CAROL].peer.hello().name_taken_by, None);
        for later in CAROL + 1..CAROL + newcomers {
            assert!(world.people[later].peer.hello().name_taken_by.is_some());
        }
    }
}

#[test]
fn a_name_that_was_chosen_stays_until_the_peer_is_started_with_another_one() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    renamed(&mut world, ALICE, "anna");
    world.settle();
    for name in ["alice", "alice"] {
        world.come_back_as(ALICE, name);
        assert_eq!(label(&world, ALICE, ALICE), "anna");
        world.link_all();
        world.settle();
    }
    assert_eq!(changes(&world, BOB), [("alice".to_owned(), "anna".to_owned())]);
    world.pass(Duration::from_secs(60));
    world.come_back_as(ALICE, "amy");
    world.link_all();
    world.settle();
    assert_eq!(changes(&world, BOB).last(), Some(&("anna".to_owned(), "amy".to_owned())));
    world.come_back_as(ALICE, "alice");
    assert_eq!(label(&world, ALICE, ALICE), "alice");
    renamed(&mut world, ALICE, "ada");
    renamed(&mut world, ALICE, "alice");
    world.come_back_as(ALICE, "ada");
    assert_eq!(label(&world, ALICE, ALICE), "ada", "it was taken back");
}

#[test]
fn a_peer_that_is_started_with_a_name_that_is_taken_is_asked_at_each_start() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.come_back_as(ALICE, "bob");
    assert_eq!(asked(&mut world), [(ALICE, "bob".to_owned())]);
    world.link_all();
    world.settle();
    assert!(asked(&mut world).is_empty());
    world.come_back_as(ALICE, "bob");
    assert_eq!(asked(&mut world), [(ALICE, "bob".to_owned())]);
}

#[test]
fn a_new_device_goes_on_with_the_name_and_the_groups_of_the_one_before() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(BOB, "cars");
    world.settle();
    world.join(ALICE, "cars");
    renamed(&mut world, ALICE, "anna");
    world.settle();
    // A namesake came later.
    let namesake = world.add("anna");
    world.link_all();
    world.settle();
    assert_eq!(asked(&mut world), [(namesake, "anna".to_owned())]);
    world.restart_as(ALICE, "alice");
    world.link_all();
    world.settle();
    let hello = world.people[ALICE].peer.hello();
    assert_eq!((hello.me.name.as_str(), hello.groups[0].member), ("anna", true));
    world.say(BOB, "cars", "to the group");
    world.settle();
    assert!(world.heard(ALICE).contains(&"to the group".to_owned()));
    assert!(asked(&mut world).is_empty(), "neither is asked again");
    // What was left since is not joined again when a peer comes with an old record.
    world.command(ALICE, Command::LeaveGroup { group: "cars".into() }).unwrap();
    world.cut(ALICE, BOB);
    world.link_all();
    world.settle();
    assert!(!world.people[ALICE].peer.hello().groups[0].member);
}

#[test]
fn two_hundred_new_names_are_not_two_hundred_events() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let before = label(&world, BOB, CAROL);
    for round in 0..100 {
        renamed(&mut world, ALICE, &format!("anna{round}"));
        world.settle();
        // It takes what is carol's, as only a liar does.
        world.people[ALICE].peer.name = crate::Name::parse("carol").unwrap();
        world.people[ALICE].peer.record_is_stale = true;
        world.command(ALICE, Command::MyGroups).unwrap();
        world.pass(Duration::from_millis(10));
    }
    renamed(&mut world, ALICE, "anna");
    world.settle();
    world.pass(Config::default().renamed_notice * 2);
    let changes = changes(&world, BOB);
    assert!(changes.len() <= 6, "{changes:?}");
    assert!(changes.iter().any(|(_, label)| label == "anna"), "{changes:?}");
    assert_eq!((label(&world, BOB, CAROL), label(&world, BOB, ALICE)), (before, "anna".to_owned()));
}

#[test]
fn a_liar_with_a_name_that_is_taken_takes_nothing_from_those_who_have_it() {
    let mut world = World::mesh(&["alice", "bob", "mallory"]);
    let (alice, mallory) = (label(&world, BOB, ALICE), CAROL);
    let fingerprint = world.people[ALICE].peer.process().person.ending(4);
    for rank in [0, 1, u32::MAX] {
        let liar = &mut world.people[mallory].peer;
        liar.name = crate::Name::parse("alice").unwrap();
        liar.lie_about_rank(rank);
        liar.record_is_stale = true;
        world.command(mallory, Command::MyGroups).unwrap();
        world.settle();
        for who in [ALICE, BOB] {
            assert_eq!(label(&world, who, ALICE), format!("{alice}·{fingerprint}"));
        }
        let spelled = label(&world, BOB, ALICE);
        world.say(BOB, &spelled, "to alice alone");
        world.settle();
        assert_eq!(
            world.heard(ALICE).len(),
            world.heard(ALICE).iter().filter(|text| *text == "to alice alone").count()
        );
        assert!(world.heard(mallory).is_empty());
    }
    // All that a liar can do is to have alice asked, once.
    assert!(asked(&mut world).iter().filter(|(who, _)| *who == ALICE).count() <= 1);
}

/// Everybody renames, is cut off, comes back and is restarted at random. In the end all have the same records, so of those who have
/// one name all but the first are asked, and nobody else is.
#[test]
fn in_the_end_all_agree_on_who_has_which_name_first() {
    const NAMES: [&str; 4] = ["zoe", "Zoe", "max", "mаx"];
    let mut clashes = 0;
    for seed in 0..40 {
        let mut world = World::new(&["alice", "bob", "carol", "dave", "zoe"]);
        world.seed(seed);
        (0..5).for_each(|who| world.keep(who));
        world.link_all();
        world.settle();
        for _ in 0..30 {
            let (who, other) = (world.dice(5), world.dice(5));
            match world.dice(6) {
                0 | 1 => {
                    let name = NAMES[world.dice(NAMES.len())];
                    let answer = nick(&mut world, who, name);
                    let is_taken = matches!(answer, Err(Refusal::NickTaken { .. } | Refusal::SameName { .. }));
                    assert!(answer.is_ok() || is_taken, "seed {seed}: {answer:?}");
                }
                2 => (0..5).filter(|&far| far != who).for_each(|far| world.cut(who, far)),
                3 if who != other => world.cut(who, other),
                4 if who != other && !world.is_linked(who, other) => world.link(who, other),
                5 if world.dice(4) == 0 => world.come_back_as(who, NAMES[0]),
                _ => world.settle(),
            }
        }
        world.link_all();
        world.pass(Duration::from_secs(60));
        let claims = |world: &World, at: usize| -> Vec<_> {
            let directory = &world.people[at].peer.directory;
            let record = |of: usize| {
                let person = world.people[of].peer.process().person;
                directory.signed_record_of(person).unwrap().claim().unwrap()
            };
            (0..5).map(record).map(|record| (record.name, (record.rank, record.process.person))).collect()
        };
        let known = claims(&world, 0);
        for who in 0..5 {
            assert_eq!(claims(&world, who), known, "seed {seed}");
            let (mine, place) = &known[who];
            let alike = known.iter().filter(|(name, _)| name.looks_like(mine));
            let first = alike.map(|(_, place)| place).min().unwrap();
            let asked = world.people[who].peer.hello().name_taken_by;
            assert_eq!(asked.map(|who| who.person), (first != place).then_some(first.1), "seed {seed}: {known:?}");
            clashes += usize::from(first != place);
        }
    }
    assert!(clashes > 20, "{clashes}");
}
