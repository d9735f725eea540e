//! Looking for words.

use super::world::World;
use crate::{Answer, Command, Recipients, Refusal, Target};

const ALICE: usize = 0;
const BOB: usize = 1;

fn found(world: &mut World, who: usize, words: &str, of: Option<&str>, count: Option<usize>) -> Vec<String> {
    let of = of.map(|of| Target::Name(of.to_owned()));
    match world.command(who, Command::Search { words: words.to_owned(), of, count }) {
        Ok(Answer::Found { messages, .. }) => messages.iter().map(|message| message.text.to_string()).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn all_the_words_in_any_case_the_newest_last() {
    let mut world = World::mesh(&["alice", "bob"]);
    for text in ["a red car", "a car that is RED", "a blue car", "red"] {
        world.say(ALICE, "all", text);
    }
    world.say(ALICE, "bob", "your red car");
    world.settle();
    assert_eq!(found(&mut world, BOB, "red  Car", None, None), ["a red car", "a car that is RED", "your red car"]);
    assert_eq!(found(&mut world, BOB, "red car", None, Some(1)), ["your red car"]);
    assert_eq!(found(&mut world, BOB, "red car", Some("alice"), None), ["your red car"]);
    assert!(found(&mut world, BOB, "green", None, None).is_empty());
}

#[test]
fn a_search_names_its_conversation_and_refuses_what_makes_no_sense() {
    let mut world = World::mesh(&["alice", "bob"]);
    let search = |words: &str, of| Command::Search { words: words.to_owned(), of, count: None };
    match world.command(ALICE, search("x", Some(Target::Name("bob".to_owned())))) {
        Ok(Answer::Found { of: Some(Recipients::Direct(who)), messages }) => {
            assert_eq!(who.name, "bob");
            assert!(messages.is_empty());
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.command(ALICE, search(" ", None)), Err(Refusal::NoWords));
    let nobody = world.command(ALICE, search("x", Some(Target::Name("zoe".to_owned()))));
    assert!(matches!(nobody, Err(Refusal::UnknownTarget { .. })), "{nobody:?}");
}
