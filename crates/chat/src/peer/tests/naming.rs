//! A message by the name that everything else gives it: its author and its number.

use super::world::World;
use crate::{Answer, Command, Refusal};

const ALICE: usize = 0;
const BOB: usize = 1;

fn shown(world: &mut World, who: usize, author: &str, clock: u64) -> String {
    match world.command(who, Command::Show { author: author.to_owned(), clock }) {
        Ok(Answer::Shown { message }) => message.text.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_is_found_by_its_author_and_its_number_or_by_its_id() {
    let mut world = World::mesh(&["alice", "bob"]);
    let mut clocks = Vec::new();
    for (to, text) in [("all", "to all"), ("bob", "to bob"), ("all", "to all again")] {
        let send = Command::Send { to: crate::Target::Name(to.to_owned()), text: text.to_owned(), delay_ms: 0 };
        let Ok(Answer::Sent { message, .. }) = world.command(ALICE, send) else { panic!("{text} is not sent") };
        clocks.push((message.id, text));
    }
    // What was said in this very turn is there, too.
    assert_eq!(shown(&mut world, ALICE, "alice", clocks[2].0.clock), "to all again");
    world.settle();
    for (id, text) in &clocks {
        for who in [ALICE, BOB] {
            assert_eq!(shown(&mut world, who, "alice", id.clock), *text);
            assert_eq!(shown(&mut world, who, &id.process.to_string(), id.clock), *text);
            assert_eq!(shown(&mut world, who, &id.process.person.to_string(), id.clock), *text);
        }
    }
}

#[test]
fn what_is_not_there_is_refused() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    let show = |author: &str, clock| Command::Show { author: author.to_owned(), clock };
    let none = |message: &str| Err(Refusal::NoSuchMessage { message: message.to_owned(), limit: 20_000 });
    assert_eq!(world.command(BOB, show("alice", 999)), none("alice#999"));
    assert_eq!(world.command(BOB, show("bob", 0)), none("bob#0"));
    let nobody = world.command(BOB, show("zoe", 1));
    assert!(matches!(nobody, Err(Refusal::UnknownUser { .. })), "{nobody:?}");
}
