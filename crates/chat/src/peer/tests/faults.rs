//! Links that break, peers that die, messages that never come.

use std::collections::BTreeSet;
use std::time::Duration;

use super::newcomers::carol_waits_for_the_question;
use super::world::World;
use crate::{Answer, Command, Event, Journal, Target};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn what_was_on_its_way_when_the_link_broke_comes_after_it_heals() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, BOB);
    for round in 0..10 {
        world.say(ALICE, "all", &format!("{round}"));
    }
    world.settle();
    world.cut(ALICE, BOB);
    world.fast(ALICE, BOB);
    world.settle();
    assert!(world.heard(BOB).is_empty());
    world.link(ALICE, BOB);
    world.settle();
    let all: Vec<String> = (0..10).map(|round| round.to_string()).collect();
    assert_eq!(world.heard(BOB), all);
}

#[test]
fn somebody_who_is_away_is_named_at_once_and_gets_it_later() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.cut(ALICE, BOB);
    world.cut(BOB, CAROL);
    world.settle();
    let sent = world.command(
        ALICE,
        Command::Send { to: Target::Name("bob".to_owned()), text: "are you there?".to_owned(), delay_ms: 0 },
    );
    match sent {
        Ok(Answer::Sent { away, .. }) => assert_eq!(away[0].name, "bob"),
        other => panic!("{other:?}"),
    }
    world.pass(Duration::from_secs(3600));
    world.link(ALICE, BOB);
    world.settle();
    assert_eq!(world.heard(BOB), ["are you there?"]);
}

#[test]
fn what_a_dead_author_told_one_reaches_the_others_with_no_new_traffic() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "last words");
    world.settle();
    assert_eq!(world.heard(BOB), ["last words"]);
    world.kill(ALICE);
    world.pass(Duration::from_millis(300));
    assert_eq!(world.heard(CAROL), ["last words"]);
}

#[test]
fn what_nobody_has_is_given_up_and_the_user_sees_the_gap() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "carol", "lost");
    world.say(ALICE, "all", "after");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(20));
    assert!(world.heard(CAROL).is_empty(), "it may still turn up");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.heard(CAROL), ["after", "answer"]);
    assert!(world.people[CAROL].events.iter().any(|event| matches!(event, Event::Gap { .. })));
    assert!(world.people[CAROL].journal.iter().any(|entry| matches!(entry, Journal::Abandon { .. })));
}

#[test]
fn what_was_given_up_is_shown_as_late_when_it_turns_up() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "carol", "lost");
    world.say(ALICE, "all", "after");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    world.cut(ALICE, CAROL);
    world.fast(ALICE, CAROL);
    world.cut(ALICE, BOB);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(CAROL), ["after", "answer"]);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(1));
    let shown = world.shown(CAROL);
    assert_eq!(shown.last().map(|message| &*message.text), Some("lost"));
    assert!(shown.last().is_some_and(|message| message.late));
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.shown(CAROL).len(), 3, "and only once");
    let author = world.people[ALICE].peer.process();
    let author = world.people[CAROL].peer.causal.roster().index(&author).unwrap();
    assert!(world.people[CAROL].peer.causal.holes(author).is_empty(), "alice has handed over all that she had");
    assert_eq!(world.people[ALICE].peer.outbox.len(), 0);
}

/// What alice answers is as old as the frames in front of it: she had sent nothing more when she was asked, and has since.
#[test]
fn an_old_answer_denies_nothing_that_was_sent_after_it() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.say(BOB, "all", "answer");
    world.pass(Duration::from_secs(3));
    world.say(ALICE, "all", "second question");
    world.settle();
    world.say(BOB, "all", "second answer");
    world.settle();
    assert!(world.heard(CAROL).is_empty());
    world.fast(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer", "second question", "second answer"]);
}

#[test]
fn a_delay_is_no_reason_to_give_up() {
    let config = crate::Config { abandon_after: Duration::from_secs(5), journal: true, ..crate::Config::default() };
    let mut world = World::mesh_with(&["alice", "bob", "carol"], config);
    world.say_later(ALICE, "carol", "slow", 30_000);
    world.say(ALICE, "all", "after");
    world.settle();
    world.pass(Duration::from_secs(28));
    assert!(world.heard(CAROL).is_empty());
    assert!(!world.people[CAROL].events.iter().any(|event| matches!(event, Event::Gap { .. })));
    world.pass(Duration::from_secs(3));
    assert_eq!(world.heard(CAROL), ["slow", "after"]);
}

#[test]
fn a_full_link_gets_the_rest_when_it_has_room_and_the_others_do_not_wait() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.full(ALICE, BOB);
    for round in 0..1000 {
        world.say(ALICE, "all", &format!("{round}"));
    }
    world.settle();
    assert!(world.heard(BOB).is_empty());
    assert_eq!(world.heard(CAROL).len(), 1000);
    world.ready(ALICE, BOB);
    world.pass(Duration::from_secs(1));
    let all: Vec<String> = (0..1000).map(|round| round.to_string()).collect();
    assert_eq!(world.heard(BOB), all);
}

#[test]
fn what_a_limit_refused_comes_when_there_is_room() {
    let config = crate::Config { max_held: 50, journal: true, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "first");
    world.settle();
    for round in 0..200 {
        world.say(BOB, "all", &format!("{round}"));
        world.settle();
    }
    assert!(world.people[CAROL].peer.causal.held() <= 50);
    world.fast(ALICE, CAROL);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.heard(CAROL).len(), 201);
    assert_eq!(world.heard(CAROL)[0], "first");
}

/// Everybody talks in overlapping groups over links that break and heal at random; afterwards everybody has everything,
/// once, and in causal order.
#[test]
fn random_cuts_lose_and_repeat_nothing() {
    for seed in 0..40 {
        let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
        world.seed(seed);
        world.create(ALICE, "cars");
        world.settle();
        world.join(CAROL, "cars");
        world.settle();
        let mut said = [0; 4];
        for round in 0..200_usize {
            let dice = world.dice(12);
            let (a, b) = (world.dice(4), world.dice(4));
            match dice {
                0 if a != b => world.cut(a, b),
                1 if a != b && !world.is_linked(a, b) => world.link(a, b),
                2..8 => {
                    world.say(a, "all", &format!("{a}-{round}"));
                    said[a] += 1;
                }
                8 if a % 2 == 0 => drop(world.say(a, "cars", &format!("cars {round}"))),
                9 if a != b => drop(world.say(a, ["alice", "bob", "carol", "dave"][b], &format!("direct {round}"))),
                _ => {
                    for _ in 0..world.dice(20) {
                        world.step();
                    }
                    world.pass(Duration::from_millis(50));
                }
            }
        }
        world.link_all();
        world.pass(Duration::from_secs(5));
        for who in 0..4 {
            let shown = world.shown(who);
            for author in (0..4).filter(|&author| author != who) {
                let prefix = format!("{author}-");
                let from = shown.iter().filter(|message| message.text.starts_with(&prefix)).count();
                assert_eq!(from, said[author], "seed {seed}: {who} of {author}");
            }
            let mut ids: Vec<_> = shown.iter().map(|message| message.id).collect();
            ids.sort();
            ids.dedup();
            assert_eq!(ids.len(), shown.len(), "seed {seed}: something was shown twice to {who}");
            assert_eq!(world.people[who].peer.outbox.len(), 0, "seed {seed}: {who} waits for acknowledgements");
            assert!(world.people[who].closed.is_empty(), "seed {seed}: {:?}", world.people[who].closed);
        }
        world.assert_causal_order(seed);
        let history = world.history(ALICE, "all");
        for who in 1..4 {
            assert_eq!(world.history(who, "all"), history, "seed {seed}: one same order for everybody");
        }
    }
}

#[test]
fn what_is_on_its_way_to_one_peer_is_bounded_and_the_others_do_not_wait() {
    let config = crate::Config { window: 10, max_batch: 4, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    // carol's acknowledgements do not arrive.
    world.slow(CAROL, ALICE);
    for round in 0..100 {
        world.say(ALICE, "all", &format!("{round}"));
        world.pass(Duration::from_millis(250));
    }
    assert_eq!(world.heard(BOB).len(), 100);
    let heard = world.heard(CAROL).len();
    assert!((10..=14).contains(&heard), "{heard} messages for a window of 10 and batches of 4");
    world.fast(CAROL, ALICE);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(CAROL).len(), 100);
    assert_eq!(world.people[ALICE].peer.outbox.len(), 0);
}

#[test]
fn what_a_dead_author_told_only_one_of_the_others_is_found_there() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.join(CAROL, "cars");
    world.settle();
    world.slow(ALICE, BOB);
    world.say(ALICE, "cars", "last words");
    // dave has more of alice's than carol, but not this.
    world.say(ALICE, "dave", "not for bob");
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(BOB), ["last words"]);
}

#[test]
fn long_messages_that_are_held_are_bounded_by_their_bytes() {
    let config = crate::Config { max_held_bytes: 100_000, journal: true, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "first");
    world.settle();
    let long = "x".repeat(10_000);
    for _ in 0..50 {
        world.say(BOB, "all", &long);
        world.settle();
    }
    assert!(world.people[CAROL].peer.causal.held() < 10);
    world.fast(ALICE, CAROL);
    world.pass(Duration::from_secs(2));
    assert_eq!(world.heard(CAROL).len(), 51);
    assert_eq!(world.heard(CAROL)[0], "first");
    assert_eq!(world.people[CAROL].peer.held_large_bytes, 0);
}

/// What carol holds back waits for bob's answer, and there is no room for more; the answer waits for alice's question, which nobody
/// would ask for if it were refused.
#[test]
fn what_others_wait_for_is_held_though_there_is_no_room() {
    let config = crate::Config { max_held: 3, journal: true, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link_all();
    world.settle();
    world.slow(ALICE, CAROL);
    world.slow(BOB, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    for round in 1..=3 {
        world.say(3, "all", &format!("{round}"));
    }
    world.settle();
    assert_eq!(world.people[CAROL].peer.causal.held(), 3);
    world.fast(BOB, CAROL);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.heard(CAROL), ["question", "answer", "1", "2", "3"]);
    assert!(!world.people[CAROL].events.iter().any(|event| matches!(event, Event::Gap { .. })));
}

#[test]
fn a_clock_that_is_set_back_makes_no_delay_longer_than_it_was_to_be() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.say_later(ALICE, "bob", "later", 10_000);
    world.pass(Duration::from_secs(5));
    world.set_back(Duration::from_secs(3600));
    world.come_back(ALICE);
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(12));
    assert_eq!(world.heard(BOB), ["later"]);
}

/// bob gave up what alice had under `-delay`. carol got it, and alice is gone when they meet.
#[test]
fn what_was_given_up_of_somebody_who_is_gone_comes_from_whoever_got_it_later() {
    let max_stamped_delay = Duration::from_secs(600);
    let config = crate::Config { journal: true, max_piece: 1, max_stamped_delay, ..crate::Config::default() };
    let mut world = World::mesh_with(&["alice", "bob", "carol"], config);
    for late in ["one", "two", "three"] {
        world.say_later(ALICE, "all", late, 120_000);
    }
    world.say_later(ALICE, "bob", "never", 600_000);
    world.say(ALICE, "all", "afterwards");
    world.settle();
    world.kill(BOB);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["afterwards"]);
    world.pass(Duration::from_secs(90));
    world.kill(ALICE);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB), ["afterwards", "one", "two", "three"]);
    // carol is not asked again and again for what she does not have.
    world.pass(Duration::from_secs(40));
    world.crossed.clear();
    world.pass(Duration::from_secs(120));
    assert_eq!(world.crossed[&(BOB, CAROL)].pulls, 0);
}

/// bob is stopped while he waits for alice's first text, and for history. All of it has come when he goes on.
#[test]
fn nothing_is_given_up_for_the_time_that_a_peer_was_stopped() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.say(ALICE, "cars", "question");
    world.settle();
    world.slow(ALICE, BOB);
    world.join(BOB, "cars");
    world.settle();
    // Her welcome arrives, and the history that he asks for does not.
    world.deliver_all(ALICE, BOB);
    world.say(ALICE, "all", "first");
    world.settle();
    world.say(CAROL, "all", "second");
    world.pass(Duration::from_secs(1));
    assert!(world.heard(BOB).is_empty() && world.people[BOB].peer.gate.is_busy());
    world.fast(ALICE, BOB);
    world.stop(BOB, Duration::from_secs(60));
    world.settle();
    assert_eq!(
        world.heard(BOB).into_iter().collect::<BTreeSet<_>>(),
        ["first", "question", "second"].map(str::to_owned).into()
    );
    let is_loss = |event: &Event| matches!(event, Event::Gap { .. } | Event::Warning { .. });
    assert!(!world.people[BOB].events.iter().any(is_loss));
}

/// carol waits for history and has no link when she is stopped, so nothing but giving up is due. Then alice is there.
#[test]
fn nothing_is_given_up_for_the_time_that_a_peer_without_links_was_stopped() {
    let mut world = carol_waits_for_the_question();
    world.kill(CAROL);
    world.fast(CAROL, ALICE);
    // Whatever else is due is done by then.
    world.pass(Duration::from_secs(6));
    world.stop(CAROL, Duration::from_secs(33));
    world.link(CAROL, ALICE);
    world.settle();
    assert_eq!(world.heard(CAROL), ["question"]);
    assert!(!world.people[CAROL].events.iter().any(|event| matches!(event, Event::Warning { .. })));
}
