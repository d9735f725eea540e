//! Comparing keys: the code, and what is remembered of it.

use super::world::World;
use crate::{Answer, Command, Refusal, UserInfo};

const ALICE: usize = 0;
const BOB: usize = 1;

fn verify(world: &mut World, who: usize, person: &str, same: Option<bool>) -> Result<Answer, Refusal> {
    world.command(who, Command::Verify { person: person.to_owned(), same })
}

fn code(world: &mut World, who: usize, person: &str) -> (String, UserInfo) {
    match verify(world, who, person, None) {
        Ok(Answer::Code { user, code }) => (code, user),
        other => panic!("{other:?}"),
    }
}

/// The labels of those whose keys `who` has verified.
fn verified(world: &mut World, who: usize) -> Vec<String> {
    let Ok(Answer::Users { users }) = world.command(who, Command::ListUsers) else { panic!("it has a list") };
    users.into_iter().filter(|user| user.verified).map(|user| user.who.label).collect()
}

#[test]
fn what_was_compared_is_remembered_of_the_key_and_of_no_other() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    let (mine, before) = code(&mut world, ALICE, "bob");
    assert_eq!((mine, before.verified), (code(&mut world, BOB, "alice").0, false));
    assert!(verified(&mut world, ALICE).is_empty(), "to see the code is not to compare it");
    verify(&mut world, ALICE, "bob", Some(true)).unwrap();
    assert_eq!(verified(&mut world, ALICE), ["bob"]);
    assert!(verified(&mut world, BOB).is_empty());
    world.come_back(ALICE);
    world.link_all();
    world.settle();
    assert!(code(&mut world, ALICE, "bob").1.verified);
    // Another key with that name, and the same key with another name.
    let other = world.add("bob");
    world.link_all();
    world.settle();
    let (bob, rob) = (world.people[BOB].peer.who().label.clone(), world.people[other].peer.who().label.clone());
    assert_eq!(verified(&mut world, ALICE), std::slice::from_ref(&bob));
    assert!(matches!(verify(&mut world, ALICE, "bob", Some(true)), Err(Refusal::Ambiguous { .. })));
    let codes = [&bob, &rob].map(|label| code(&mut world, ALICE, label).0);
    assert_ne!(codes[0], codes[1]);
    world.command(BOB, Command::Nick { name: "bert".into() }).unwrap();
    world.settle();
    assert_eq!(verified(&mut world, ALICE), ["bert"]);
    verify(&mut world, ALICE, "bert", Some(false)).unwrap();
    assert!(verified(&mut world, ALICE).is_empty());
    world.come_back(ALICE);
    assert!(verified(&mut world, ALICE).is_empty());
}

#[test]
fn oneself_and_nobody_are_not_verified() {
    let mut world = World::mesh(&["alice", "bob"]);
    assert_eq!(verify(&mut world, ALICE, "alice", None), Err(Refusal::OwnKey));
    assert_eq!(verify(&mut world, ALICE, "alice", Some(true)), Err(Refusal::OwnKey));
    assert!(matches!(verify(&mut world, ALICE, "zoe", Some(true)), Err(Refusal::UnknownUser { .. })));
}
