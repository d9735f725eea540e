//! What the user has not read, and where its history is read from.

use super::world::World;
use crate::{Answer, Command, Config, Event, Message, MessageId, Recipients, Refusal, Target, UnreadInfo};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn name(of: &Recipients) -> String {
    match of {
        Recipients::All => "all".to_owned(),
        Recipients::Group(group) => group.to_string(),
        Recipients::Direct(who) => who.name.clone(),
        Recipients::People(_) => panic!("nobody writes to several"),
    }
}

/// Each conversation of alice's with something unread in it: how much, how much of it names her, and the first.
fn unread(world: &mut World) -> Vec<(String, usize, usize)> {
    let unread = world.people[ALICE].peer.hello().unread;
    unread.iter().map(|info| (name(&info.of), info.unread, info.mentions)).collect()
}

fn first(world: &mut World, of: &str) -> Option<MessageId> {
    world.people[ALICE].peer.hello().unread.into_iter().find(|info| name(&info.of) == of)?.first
}

/// What alice was told last of a conversation.
fn told(world: &World, of: &str) -> UnreadInfo {
    let told = |event: &Event| if let Event::Unread(info) = event { Some(info.clone()) } else { None };
    world.people[ALICE].events.iter().filter_map(told).rfind(|info| name(&info.of) == of).unwrap()
}

fn read(world: &mut World, of: Option<&str>, up_to: Option<MessageId>) {
    let of = of.map(|of| if of == "all" { Target::All } else { Target::Name(of.to_owned()) });
    assert_eq!(world.command(ALICE, Command::Read { of, up_to }), Ok(Answer::Read));
}

fn is(of: &str, unread: usize, mentions: usize) -> (String, usize, usize) {
    (of.to_owned(), unread, mentions)
}

#[test]
fn what_others_say_is_unread_until_it_is_read_and_is_counted_by_conversation() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    let one = world.say(BOB, "all", "good morning");
    world.settle();
    world.say(ALICE, "all", "my own words are read");
    world.settle();
    let two = world.say(BOB, "all", "hello @Alice");
    world.say(BOB, "alice", "between us");
    world.say(BOB, "cars", "alice, look");
    world.settle();
    assert_eq!(unread(&mut world), [is("all", 2, 1), is("cars", 1, 1), is("bob", 1, 0)]);
    assert_eq!(first(&mut world, "all"), Some(one.id));
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!((told(&world, "all").unread, told(&world, "all").first), (2, Some(one.id)));
    read(&mut world, Some("all"), Some(one.id));
    assert_eq!(unread(&mut world), [is("all", 1, 1), is("cars", 1, 1), is("bob", 1, 0)]);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(told(&world, "all").first, Some(two.id));
    read(&mut world, Some("cars"), None);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(told(&world, "cars").unread, 0);
    read(&mut world, Some("all"), Some(one.id));
    assert_eq!(unread(&mut world), [is("all", 1, 1), is("bob", 1, 0)], "what was read is read");
    read(&mut world, None, None);
    assert_eq!(unread(&mut world), []);
    world.pass(std::time::Duration::from_secs(1));
    let told_before = world.people[ALICE].events.len();
    read(&mut world, None, None);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(world.people[ALICE].events.len(), told_before, "nothing has changed");
    let nowhere = MessageId { clock: 99, ..one.id };
    let refused = world.command(ALICE, Command::Read { of: None, up_to: Some(nowhere) });
    assert_eq!(refused, Err(Refusal::NotInHistory { message: nowhere }));
}

/// Two halves talk, each for itself: what the other half said stands further up in the history, and was never shown here.
#[test]
fn what_comes_late_is_unread_wherever_it_stands() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.split(&[ALICE, BOB], &[CAROL]);
    let missed = world.say(CAROL, "all", "from the other half");
    world.pass(std::time::Duration::from_secs(2));
    let newest = world.say(BOB, "all", "from this half");
    world.settle();
    read(&mut world, None, None);
    world.link(ALICE, CAROL);
    world.link(BOB, CAROL);
    world.pass(std::time::Duration::from_secs(5));
    assert_eq!(unread(&mut world), [is("all", 1, 0)]);
    assert_eq!(first(&mut world, "all"), Some(missed.id));
    read(&mut world, Some("all"), Some(newest.id));
    assert_eq!(unread(&mut world), []);
}

/// A flood is looked at once in a while; each word of it that is left counts, and what was read is read.
#[test]
fn what_is_said_quickly_is_told_together_and_no_later_than_a_moment_after() {
    let mut world = World::mesh(&["alice", "bob"]);
    let told = |world: &World| -> Vec<(usize, usize)> {
        let counts = |event: &Event| match event {
            Event::Unread(info) => Some((info.unread, info.mentions)),
            _ => None,
        };
        world.people[ALICE].events.iter().filter_map(counts).collect()
    };
    for nth in 0..5 {
        world.say(BOB, "all", &format!("{nth}, alice"));
        world.settle();
    }
    assert_eq!(told(&world), [(1, 1)], "the others within the moment");
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(told(&world), [(1, 1), (5, 5)]);
    let newest = world.say(BOB, "all", "and one more");
    world.settle();
    world.say(BOB, "all", "not told yet, and read");
    world.settle();
    read(&mut world, None, None);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(told(&world)[2..], [(6, 5), (0, 0)]);
    read(&mut world, None, Some(newest.id));
    assert_eq!(unread(&mut world), []);
}

#[test]
fn it_survives_a_restart() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    let read_one = world.say(BOB, "all", "one");
    let two = world.say(BOB, "all", "alice: two");
    world.settle();
    world.say(ALICE, "all", "mine");
    world.settle();
    world.say(BOB, "all", "three");
    world.settle();
    read(&mut world, None, Some(read_one.id));
    world.come_back(ALICE);
    assert_eq!(unread(&mut world), [is("all", 2, 1)]);
    assert_eq!(first(&mut world, "all"), Some(two.id));
    read(&mut world, None, None);
    world.come_back(ALICE);
    assert_eq!(unread(&mut world), []);
}

#[test]
fn what_comes_as_history_is_not_unread() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(BOB, "cars");
    world.settle();
    world.join(CAROL, "cars");
    world.settle();
    world.say(BOB, "cars", "before alice");
    world.settle();
    world.join(ALICE, "cars");
    world.pass(std::time::Duration::from_secs(2));
    assert_eq!(world.history(ALICE, "cars"), ["before alice"]);
    assert_eq!(unread(&mut world), []);
    world.say(CAROL, "cars", "welcome");
    world.settle();
    assert_eq!(unread(&mut world), [is("cars", 1, 0)]);
}

#[test]
fn no_more_are_counted_than_somebody_reads() {
    let mut world = World::with_config(&["alice", "bob"], Config { max_unread: 10, ..Config::default() });
    world.link_all();
    world.settle();
    world.say_many(BOB, "all", 25);
    world.settle();
    assert_eq!(unread(&mut world), [is("all", 10, 0)]);
    let newest = world.shown(ALICE).last().unwrap().id;
    read(&mut world, None, Some(MessageId { clock: newest.clock - 1, ..newest }));
    assert_eq!(unread(&mut world), [is("all", 1, 0)]);
}

#[test]
fn history_is_read_on_from_any_message_in_both_directions() {
    let mut world = World::mesh(&["alice", "bob"]);
    let said: Vec<Message> = (0..9).map(|nth| world.say(BOB, "all", &nth.to_string())).collect();
    world.settle();
    let mut ask = |before: Option<usize>, after: Option<usize>, count| {
        let (before, after) = (before.map(|nth| said[nth].id), after.map(|nth| said[nth].id));
        match world.command(ALICE, Command::History { of: Some(Target::All), count: Some(count), before, after }) {
            Ok(Answer::History { messages, .. }) => {
                messages.iter().map(|message| message.text.to_string()).collect::<String>()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(ask(None, None, 3), "678");
    assert_eq!(ask(Some(6), None, 3), "345");
    assert_eq!(ask(Some(1), None, 3), "0");
    assert_eq!(ask(None, Some(2), 3), "345");
    assert_eq!(ask(None, Some(7), 3), "8");
    assert_eq!(ask(Some(4), Some(2), 3), "3");
}

#[test]
fn the_author_is_told_once_of_each_text_that_is_with_those_who_are_here() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let delivered = |world: &World| -> Vec<MessageId> {
        let ids = |event: &Event| if let Event::Delivered { messages } = event { messages.clone() } else { vec![] };
        world.people[ALICE].events.iter().flat_map(ids).collect()
    };
    let undelivered = |world: &mut World| match world.command(ALICE, Command::Pending) {
        Ok(Answer::Pending { undelivered, .. }) => undelivered,
        other => panic!("{other:?}"),
    };
    world.kill(CAROL);
    let to_all = world.say(ALICE, "all", "hello");
    let to_carol = world.say(ALICE, "carol", "for when you are back");
    assert_eq!(undelivered(&mut world), [to_all.id, to_carol.id]);
    assert_eq!(delivered(&world), []);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(delivered(&world), [to_all.id]);
    assert_eq!(undelivered(&mut world), [to_carol.id]);
    world.link(ALICE, CAROL);
    world.link(BOB, CAROL);
    world.pass(std::time::Duration::from_secs(2));
    assert_eq!(delivered(&world), [to_all.id, to_carol.id]);
    assert_eq!(undelivered(&mut world), []);
    world.slow(CAROL, ALICE);
    let slowly = world.say(ALICE, "all", "carol does not say that this is here");
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(undelivered(&mut world), [slowly.id]);
    world.cut(ALICE, CAROL);
    world.pass(std::time::Duration::from_secs(1));
    assert_eq!(delivered(&world), [to_all.id, to_carol.id, slowly.id], "everybody who is here has it");
}
