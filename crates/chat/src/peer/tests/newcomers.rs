//! Coming into a conversation that has begun.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::world::World;
use crate::{Answer, Command, Config, Event, Message, MessageId, Target};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// Alice and bob are in a group, in which she has asked something; carol is not.
pub(super) fn asked_among_two() -> World {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.settle();
    world
}

#[test]
fn a_newcomer_to_a_group_reads_the_question_before_the_answer() {
    let mut world = asked_among_two();
    // What alice says reaches carol late; bob's answer is addressed to carol, the question was not.
    world.slow(ALICE, CAROL);
    world.join(CAROL, "cars");
    world.settle();
    world.say(BOB, "cars", "answer");
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
    assert!(world.shown(CAROL)[0].fetched);
    world.fast(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
    assert_eq!(world.history(CAROL, "cars"), ["question", "answer"]);
}

#[test]
fn the_answer_waits_while_the_question_is_being_fetched() {
    let mut world = asked_among_two();
    world.slow(CAROL, BOB);
    world.slow(ALICE, CAROL);
    world.join(CAROL, "cars");
    world.settle();
    // carol's request for history is stuck; bob does not even know that she joined, so alice's record does not help.
    world.pass(Duration::from_millis(500));
    assert!(world.heard(CAROL).is_empty());
    world.fast(CAROL, BOB);
    world.settle();
    world.say(BOB, "cars", "answer");
    world.settle();
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}

#[test]
fn somebody_new_on_the_network_reads_what_was_said_to_all() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say(ALICE, "all", "question");
    world.settle();
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    assert_eq!(world.heard(dave), ["question", "answer"]);
}

#[test]
fn a_long_history_comes_newest_first_and_then_the_rest() {
    let mut world = World::mesh(&["alice", "bob"]);
    for round in 0..700 {
        world.say(ALICE, "all", &format!("{round}"));
        world.settle();
    }
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.settle();
    let heard = world.heard(dave);
    assert_eq!(heard.len(), 200);
    assert_eq!(heard.last().map(String::as_str), Some("699"));
    assert_eq!(heard[0], "500");
    let all: Vec<String> = (0..700).map(|round| round.to_string()).collect();
    assert_eq!(world.history(dave, "all"), all);
}

#[test]
fn a_new_incarnation_fetches_what_its_person_was_told() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "bob", "before");
    world.settle();
    world.kill(BOB);
    world.settle();
    world.say(ALICE, "bob", "while you were away");
    world.say(CAROL, "all", "he is gone");
    world.settle();
    world.restart(BOB);
    world.link(BOB, ALICE);
    world.link(BOB, CAROL);
    world.settle();
    let heard = world.heard(BOB);
    for text in ["before", "while you were away", "he is gone"] {
        assert!(heard.iter().any(|heard| heard == text), "{text:?} is not in {heard:?}");
    }
    world.say(BOB, "all", "I am back");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(ALICE).last().map(String::as_str), Some("I am back"));
    assert_eq!(world.people[ALICE].peer.outbox.len(), 0, "nobody waits for the incarnation that is gone");
}

#[test]
fn a_group_made_on_both_sides_of_a_cut_is_one_group() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.split(&[0, 1], &[2, 3]);
    world.settle();
    world.create(ALICE, "cars");
    world.create(CAROL, "cars");
    world.settle();
    world.say(ALICE, "cars", "left");
    world.say(CAROL, "cars", "right");
    world.settle();
    world.link_all();
    world.settle();
    for who in 0..4 {
        let groups = world.people[who].peer.hello().groups;
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].members.len(), 2, "{groups:?}");
    }
    assert_eq!(world.history(ALICE, "cars"), world.history(CAROL, "cars"));
    assert_eq!(world.history(ALICE, "cars").len(), 2);
}

#[test]
fn a_newcomer_is_not_kept_waiting_for_history_that_nobody_has() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.settle();
    world.slow(CAROL, ALICE);
    world.command(CAROL, Command::JoinGroup { group: "cars".to_owned() }).unwrap();
    // alice learns of the join through bob, so that her welcome comes, but carol's requests never arrive.
    world.cut(ALICE, CAROL);
    world.settle();
    world.link(ALICE, CAROL);
    world.settle();
    world.pass(Duration::from_secs(70));
    world.fast(CAROL, ALICE);
    world.settle();
    let heard = world.heard(CAROL);
    let warned = world.people[CAROL].events.iter().any(|event| matches!(event, Event::Warning { .. }));
    assert!(warned || heard.contains(&"question".to_owned()), "{heard:?}");
}

/// People come, go, join, leave, and come back with nothing, while everybody talks. Whatever anybody is shown, an answer
/// never stands above a question that its author had been shown.
#[test]
fn nobody_ever_reads_an_answer_before_its_question() {
    for seed in 0..20 {
        let names = ["alice", "bob", "carol", "dave", "erin"];
        let mut world = World::mesh(&names[..3]);
        world.seed(seed);
        let mut read: BTreeMap<MessageId, BTreeSet<MessageId>> = BTreeMap::new();
        // Where each person's present life begins in what he was shown.
        let mut born = [0; 5];
        for _ in 0..150 {
            let (dice, a, b) = (world.dice(16), world.dice(world.people.len()), world.dice(world.people.len()));
            match dice {
                0 if world.people.len() < names.len() => {
                    let newcomer = world.add(names[world.people.len()]);
                    world.link(newcomer, a.min(newcomer - 1));
                }
                1 if a != b => world.cut(a, b),
                2 if a != b && !world.is_linked(a, b) => world.link(a, b),
                3 => world.link_all(),
                4 => {
                    // Whoever is in the group leaves; whoever is not joins it, or creates it.
                    let group = "cars".to_owned();
                    if world.command(a, Command::LeaveGroup { group: group.clone() }).is_err()
                        && world.command(a, Command::JoinGroup { group: group.clone() }).is_err()
                    {
                        world.command(a, Command::CreateGroup { group }).unwrap();
                    }
                }
                5 if world.dice(4) == 0 => {
                    world.restart(a);
                    born[a] = world.shown(a).len();
                }
                6..11 => {
                    let to = if world.dice(2) == 0 { "all" } else { "cars" };
                    let target = if to == "all" { Target::All } else { Target::Name(to.to_owned()) };
                    let mine: BTreeSet<MessageId> = world.shown(a)[born[a]..].iter().map(|shown| shown.id).collect();
                    let text = format!("{seed}");
                    if let Ok(Answer::Sent { message, .. }) =
                        world.command(a, Command::Send { to: target, text, delay_ms: 0 })
                    {
                        read.insert(message.id, mine);
                    }
                }
                _ => {
                    for _ in 0..world.dice(12) {
                        world.step();
                    }
                    world.pass(Duration::from_millis(20));
                }
            }
        }
        world.link_all();
        // Long enough to give up what died with an incarnation before anybody had it.
        world.pass(Duration::from_secs(60));
        for who in 0..world.people.len() {
            let shown = &world.shown(who)[born[who]..];
            let mut above = BTreeSet::new();
            for (place, message) in shown.iter().enumerate() {
                assert!(above.insert(message.id), "seed {seed}: {} twice to {}", message.id, names[who]);
                // What was said in a group before one joined it is no question that one should have read before.
                let is_question = |later: &&Message| {
                    read[&message.id].contains(&later.id) && (!later.fetched || later.to == message.to)
                };
                let later = shown[place + 1..].iter().find(is_question);
                assert!(
                    later.is_none(),
                    "seed {seed}: {} read the answer {} before its question {:?}",
                    names[who],
                    message.id,
                    later.map(|later| later.id)
                );
            }
            assert!(world.people[who].closed.is_empty(), "seed {seed}: {:?}", world.people[who].closed);
        }
        let histories: BTreeSet<Vec<String>> = (0..world.people.len()).map(|who| world.history(who, "all")).collect();
        assert_eq!(histories.len(), 1, "seed {seed}: one same history of `all` for everybody");
    }
}

/// alice's text was addressed to carol, who never got it. Everybody who did has lost his store since, and has it as history only.
#[test]
fn whoever_has_a_text_as_history_hands_it_to_whom_it_was_addressed_to() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    world.cut(BOB, CAROL);
    world.restart(ALICE);
    world.fast(ALICE, CAROL);
    world.link(ALICE, BOB);
    world.settle();
    assert_eq!(world.history(ALICE, "all"), ["question", "answer"]);
    world.kill(BOB);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}

/// Nobody is left who was given alice's text as a message, and nothing that carol has waits for it.
#[test]
fn a_text_that_others_have_as_history_only_reaches_whom_it_was_addressed_to() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.slow(ALICE, CAROL);
    world.cut(BOB, CAROL);
    world.say(ALICE, "all", "question");
    world.settle();
    world.cut(ALICE, CAROL);
    world.fast(ALICE, CAROL);
    world.restart(ALICE);
    world.link(ALICE, BOB);
    world.settle();
    assert_eq!(world.history(ALICE, "all"), ["question"]);
    world.kill(BOB);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.history(CAROL, "all"), ["question"]);
}

/// alice welcomes bob to a group that he has left by then, and rejoins before she hears of either.
#[test]
fn whoever_left_and_came_back_unheard_reads_the_question_first() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.slow(ALICE, BOB);
    world.join(BOB, "cars");
    world.settle();
    // What bob does from now on waits at alice for what carol said.
    world.slow(CAROL, ALICE);
    world.say(CAROL, "all", "hello");
    world.settle();
    world.command(BOB, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.fast(ALICE, BOB);
    world.settle();
    world.join(BOB, "cars");
    world.say(ALICE, "cars", "answer");
    world.settle();
    assert_eq!(world.heard(BOB), ["hello", "question", "answer"]);
    world.fast(CAROL, ALICE);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB), ["hello", "question", "answer"]);
}

/// A welcome whose history is here, and which has to wait for what else its author had read: while there is no room for it among
/// what is held back it stays where it is, as nobody would hand it over again.
#[test]
fn a_welcome_waits_for_room_among_what_is_held_back() {
    let config = Config { max_held: 1, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.say(BOB, "cars", "question");
    world.settle();
    world.slow(ALICE, CAROL);
    world.say(ALICE, "all", "first");
    world.settle();
    world.say(BOB, "all", "second");
    world.settle();
    assert_eq!(world.people[CAROL].peer.causal.held(), 1);
    world.join(CAROL, "cars");
    world.settle();
    assert!(world.people[CAROL].peer.gate.wants_room());
    world.fast(ALICE, CAROL);
    world.settle();
    assert!(!world.people[CAROL].peer.gate.is_busy());
    assert_eq!(world.heard(CAROL), ["first", "second", "question"]);
}

/// bob alone has learnt of carol's joining, and has welcomed her. What she asks him for does not arrive.
pub(super) fn carol_waits_for_the_question() -> World {
    let mut world = asked_among_two();
    world.slow(CAROL, ALICE);
    world.join(CAROL, "cars");
    world.deliver_all(CAROL, BOB);
    world.slow(CAROL, BOB);
    world.settle();
    assert!(world.people[CAROL].peer.gate.is_busy());
    world
}

/// bob, whom carol asks for the history, leaves before he has answered.
#[test]
fn history_that_was_coming_over_a_link_that_broke_is_asked_of_somebody_else_at_once() {
    let mut world = carol_waits_for_the_question();
    world.cut(BOB, CAROL);
    world.fast(CAROL, ALICE);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(CAROL), ["question"]);
}

/// bob has left the group when alice's answer comes, and has not fetched the question. carol is in it, which alice does not know.
#[test]
fn whoever_was_not_in_a_group_does_not_answer_for_what_was_said_there() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.slow(ALICE, BOB);
    world.join(BOB, "cars");
    world.settle();
    world.say(ALICE, "cars", "answer");
    world.command(BOB, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.slow(CAROL, ALICE);
    world.join(CAROL, "cars");
    world.settle();
    world.slow(BOB, ALICE);
    world.fast(ALICE, BOB);
    world.settle();
    world.kill(ALICE);
    world.settle();
    assert_eq!(world.heard(BOB), ["answer"]);
    world.pass(Duration::from_secs(5));
    assert!(world.heard(CAROL).is_empty(), "{:?}", world.heard(CAROL));
    world.fast(CAROL, ALICE);
    world.link(ALICE, CAROL);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(CAROL), ["question", "answer"]);
}

/// The history of `all` takes longer than bob's patience. What alice wrote to him alone is not asked for before that is here.
#[test]
fn history_is_not_given_up_that_is_asked_for_when_other_history_has_come() {
    let answer_every = Duration::from_secs(1);
    let config = Config { max_piece: 1, answers_at_once: 1, answer_every, ..Config::default() };
    let mut world = World::with_config(&["alice", "bob"], config);
    world.link_all();
    world.settle();
    world.say(ALICE, "bob", "for you alone");
    for round in 0..50 {
        world.say(ALICE, "all", &format!("{round}"));
        world.settle();
    }
    world.restart(BOB);
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(120));
    assert_eq!(world.history(BOB, "alice"), ["for you alone"]);
    assert_eq!(world.history(BOB, "all").len(), 50);
    assert!(!world.people[BOB].events.iter().any(|event| matches!(event, Event::Warning { .. })));
}

/// carol leaves the group before she asks bob for what came late to him, and joins it again before he refuses.
#[test]
fn what_is_refused_to_somebody_who_had_left_is_still_waited_for_when_she_is_back() {
    let mut world = World::mesh_of_old(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.join(BOB, "cars");
    world.settle();
    world.say_later(ALICE, "cars", "late", 120_000);
    world.say(ALICE, "cars", "afterwards");
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(60));
    world.join(CAROL, "cars");
    world.settle();
    assert_eq!(world.heard(CAROL), ["afterwards"]);
    world.slow(BOB, CAROL);
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(120));
    world.say(BOB, "cars", "answer");
    world.command(CAROL, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.settle();
    world.deliver_all(BOB, CAROL);
    world.slow(CAROL, BOB);
    world.deliver_all(CAROL, BOB);
    world.pass(Duration::from_millis(100));
    world.join(CAROL, "cars");
    world.deliver_all(BOB, CAROL);
    assert_eq!(world.heard(CAROL), ["afterwards"]);
    world.fast(BOB, CAROL);
    world.fast(CAROL, BOB);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(CAROL), ["afterwards", "late", "answer"]);
}

/// Alice's welcome was on its way when the link broke, and bob has given it up. When she is back it waits for the history that it
/// names, and she has nothing else for him: still it is not done with.
#[test]
fn a_welcome_that_was_given_up_is_shown_once_its_history_has_come() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    world.say(ALICE, "cars", "question");
    world.slow(ALICE, BOB);
    world.join(BOB, "cars");
    world.settle();
    world.say(ALICE, "all", "hello");
    world.settle();
    world.kill(ALICE);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.heard(BOB), ["hello"]);
    assert!(world.people[BOB].events.iter().any(|event| matches!(event, Event::Gap { .. })));
    world.fast(ALICE, BOB);
    world.link(ALICE, BOB);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(BOB), ["hello", "question"]);
}

/// dave comes while alice's question is under `-delay`: he gets it when the others do, and what she says behind it after that.
#[test]
fn a_newcomer_gets_what_is_under_delay_at_its_time_and_what_is_said_behind_it_then() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.say_later(ALICE, "all", "question", 15_000);
    world.say_later(ALICE, "bob", "for you alone", 30_000);
    world.settle();
    let dave = world.add("dave");
    world.link(dave, ALICE);
    world.link(dave, BOB);
    world.settle();
    world.say(ALICE, "all", "afterwards");
    world.say(BOB, "all", "hello");
    world.pass(Duration::from_secs(12));
    assert_eq!(world.heard(dave), ["hello"]);
    assert_eq!(world.heard(BOB), [""; 0]);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(dave), ["hello", "question", "afterwards"]);
    assert_eq!(world.heard(BOB), ["question"], "what is for him alone comes first, later");
    assert!(world.people[dave].events.iter().all(|event| !matches!(event, Event::Gap { .. } | Event::Warning { .. })));
}

/// alice's clock is set back before dave comes. When she is back her question is due later than before, and her welcome with it.
#[test]
fn a_welcome_is_due_with_what_is_under_delay_after_a_restart_too() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.say_later(ALICE, "all", "question", 25_000);
    world.settle();
    world.set_back(Duration::from_secs(100));
    let dave = world.add("dave");
    world.link(dave, ALICE);
    world.settle();
    world.say(ALICE, "all", "afterwards");
    world.settle();
    world.pass(Duration::from_secs(10));
    world.come_back(ALICE);
    world.link(ALICE, BOB);
    world.link(ALICE, dave);
    world.pass(Duration::from_secs(20));
    assert_eq!(world.heard(dave), [""; 0]);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(dave), ["question", "afterwards"]);
    assert_eq!(world.heard(BOB), ["question", "afterwards"]);
}

/// alice was alone when she said it. Then her clock is set back: that puts off neither her question nor dave's welcome.
#[test]
fn what_was_said_to_nobody_under_delay_is_not_put_off_by_a_clock_that_was_set_back() {
    let mut world = World::new(&["alice"]);
    world.keep(ALICE);
    world.say_later(ALICE, "all", "question", 25_000);
    world.settle();
    world.set_back(Duration::from_secs(1000));
    world.come_back(ALICE);
    let dave = world.add("dave");
    world.link(dave, ALICE);
    world.settle();
    world.say(ALICE, "all", "afterwards");
    world.pass(Duration::from_secs(30));
    assert_eq!(world.heard(dave), ["question", "afterwards"]);
}

/// alice has not met carol, so bob welcomes her anew before each of his answers. What she asks him for is slow.
#[test]
fn more_welcomes_than_may_wait_let_no_answer_go_before_its_question() {
    let mut world = World::mesh(&["alice", "bob"]);
    let carol = world.add("carol");
    world.link(1, carol);
    world.settle();
    world.slow(carol, 1);
    let rounds = 3 * Config::default().max_waiting_welcomes;
    let mut said = Vec::new();
    for round in 0..rounds {
        for (who, text) in [(0, format!("question {round}")), (1, format!("answer {round}"))] {
            world.say(who, "all", &text);
            world.settle();
            said.push(text);
        }
    }
    assert!(world.heard(carol).is_empty(), "she waits for the first question");
    world.fast(carol, 1);
    world.pass(Duration::from_secs(10));
    assert_eq!(world.heard(carol), said);
}
