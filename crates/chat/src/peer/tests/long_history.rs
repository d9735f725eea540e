//! What lies behind the newest messages of a conversation: it comes while its reader reads, from whoever has it, across links that
//! break and restarts.

use std::time::Duration;

use super::world::World;
use crate::{Config, Event, MemoryLimits};

const ALICE: usize = 0;
const BOB: usize = 1;

/// How many texts alice has said to all before dave comes. A piece holds one of them.
const SAID: usize = 100;

/// alice and bob have talked; dave, whose store survives him, has not come yet. A newcomer is shown four messages first.
fn talked(names: &[&str]) -> (World, usize) {
    let config = Config {
        journal: true,
        history_first: 4,
        max_batch: 1,
        max_piece: 1,
        answers_at_once: 2,
        answer_every: Duration::from_millis(100),
        ..Config::default()
    };
    let mut world = World::with_limits(names, config, MemoryLimits::default());
    world.link_all();
    world.settle();
    for round in 0..SAID {
        world.say(ALICE, "all", &format!("{round}"));
        world.settle();
    }
    let dave = world.add("dave");
    world.keep(dave);
    (world, dave)
}

fn all() -> Vec<String> {
    (0..SAID).map(|round| round.to_string()).collect()
}

/// Lets time pass until dave has part of the history and not all of it.
fn fetch_a_part(world: &mut World, dave: usize) {
    for _ in 0..400 {
        let has = world.history(dave, "all").len();
        if has > SAID / 2 {
            assert!(has < SAID, "dave has all of it at once");
            return;
        }
        world.pass(Duration::from_millis(50));
    }
    panic!("nothing comes");
}

fn fetched(world: &World, who: usize) -> Vec<usize> {
    let messages = |event: &Event| if let Event::Fetched { messages, .. } = event { Some(*messages) } else { None };
    world.people[who].events.iter().filter_map(messages).collect()
}

#[test]
fn it_is_gone_on_with_over_another_link_where_it_broke() {
    let (mut world, dave) = talked(&["alice", "bob"]);
    world.link(dave, BOB);
    fetch_a_part(&mut world, dave);
    world.cut(dave, BOB);
    let before = world.history(dave, "all").len();
    world.link(dave, ALICE);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.history(dave, "all"), all());
    assert_eq!(world.heard(dave).len(), 4, "the rest is there when it is asked for");
    let crossed = world.crossed[&(ALICE, dave)].history;
    assert_eq!(crossed, SAID - before, "alice handed over what was missing, and no more");
}

#[test]
fn it_is_gone_on_with_after_a_restart() {
    let (mut world, dave) = talked(&["alice", "bob"]);
    world.link(dave, BOB);
    fetch_a_part(&mut world, dave);
    world.come_back(dave);
    assert!(world.history(dave, "all").len() < SAID);
    world.link(dave, BOB);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.history(dave, "all"), all());
}

/// dave has a part of it when bob leaves, and welcomes eve, who takes that. Both get the rest when bob is back.
#[test]
fn whoever_is_fetching_it_is_not_taken_for_one_who_has_it() {
    let (mut world, dave) = talked(&["alice", "bob"]);
    world.link(dave, BOB);
    fetch_a_part(&mut world, dave);
    let part = world.history(dave, "all").len();
    world.kill(BOB);
    world.kill(ALICE);
    let eve = world.add("eve");
    world.link(eve, dave);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.history(eve, "all").len(), part);
    assert!(world.people[eve].events.iter().any(
        |event| matches!(event, Event::Warning { text } if text.starts_with("some of what was said in all before"))
    ));
    world.link(dave, BOB);
    world.link(eve, BOB);
    world.pass(Duration::from_secs(60));
    for who in [dave, eve] {
        assert_eq!(world.history(who, "all"), all());
    }
    assert!(!fetched(&world, eve).is_empty(), "eve, who was told that it could not be fetched, is told that it was");
}
