//! What nobody honest sends.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;

use super::world::World;
use crate::body::{self, Scope, Welcome};
use crate::frame::{Control, Frame, Have, Pulled, Returned, Shown};
use crate::peer::greeting;
use crate::{Conversation, Event, MessageId, ProcessId};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const DAVE: usize = 3;

fn hello(process: ProcessId) -> Control {
    let (greeting, returned) = (greeting::forged(process), Box::new(Returned::default()));
    Control::Hello { greeting, have: Vec::new(), records: Vec::new(), returned }
}

fn refusal(frame: Bytes) -> Option<String> {
    let mut world = World::mesh(&["alice", "bob"]);
    world.carry(ALICE, BOB, &frame);
    world.people[BOB].closed.first().cloned()
}

#[test]
fn a_second_greeting_closes_the_link() {
    let world = World::mesh(&["alice", "bob"]);
    let process = world.people[ALICE].peer.process();
    let hello = hello(process);
    assert!(refusal(hello.encode()).is_some());
}

#[test]
fn an_acknowledgement_from_the_future_closes_the_link() {
    let world = World::mesh(&["alice", "bob"]);
    let author = world.people[BOB].peer.process();
    let have = vec![Have { author, delivered: 1_000_000, holes: Vec::new() }];
    let frame = Control::Have { clock: 0, have, again: false };
    assert!(refusal(frame.encode()).is_some_and(|reason| reason.contains("never sent")));
}

#[test]
fn a_vector_that_costs_more_than_it_says_closes_the_link() {
    let world = World::mesh(&["alice", "bob"]);
    let author = world.people[BOB].peer.process();
    let one =
        |holes: u64| Have { author, delivered: 0, holes: (0..holes).map(|hole| (2 * hole, 2 * hole + 1)).collect() };
    let refusal = |have| refusal(Control::Have { clock: 0, have, again: false }.encode());
    assert_eq!(refusal(vec![one(4096)]), None);
    assert!(refusal(vec![one(4097)]).is_some_and(|reason| reason.contains("too many holes")));
    assert!(refusal(vec![one(0), one(0)]).is_some_and(|reason| reason.contains("twice")));
    let with = |holes: &[(u64, u64)]| refusal(vec![Have { author, delivered: 0, holes: holes.to_vec() }]);
    assert_eq!(with(&[(1, 2), (2, 4)]), None);
    for holes in [&[(2, 1)][..], &[(1, 1)], &[(1, 3), (2, 4)], &[(4, 5), (1, 2)]] {
        assert!(with(holes).is_some_and(|reason| reason.contains("out of order")), "{holes:?}");
    }
}

#[test]
fn an_empty_frame_and_an_unknown_kind_close_the_link() {
    assert!(refusal(Bytes::new()).is_some());
    assert!(refusal(Bytes::from_static(&[99, 1, 2, 3])).is_some());
}

#[test]
fn a_greeting_under_another_name_closes_the_link() {
    let mut world = World::new(&["alice", "bob", "carol"]);
    let carol = world.people[2].peer.process();
    world.link(ALICE, BOB);
    let hello = hello(carol);
    world.carry(ALICE, BOB, &hello.encode());
    assert!(world.people[BOB].closed[0].contains("somebody else's name"));
}

/// Carol has been away, and alice is gone: bob and dave have what she said to all.
fn alice_is_gone() -> World {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.kill(CAROL);
    world.settle();
    world.say_many(ALICE, "all", 10);
    world.settle();
    world.kill(ALICE);
    world.settle();
    world
}

/// Carol is back, and what alice said bob hands on, as `with` changes it.
fn handed_on_by_a_liar(with: impl FnMut(&mut Pulled)) -> World {
    let mut world = alice_is_gone();
    world.link(CAROL, BOB);
    alter_pieces(&mut world, with);
    world
}

/// Changes whatever bob hands on to carol within the next second.
fn alter_pieces(world: &mut World, mut with: impl FnMut(&mut Pulled)) {
    world.slow(BOB, CAROL);
    for _ in 0..10 {
        world.pass(Duration::from_millis(100));
        if !world.is_linked(BOB, CAROL) {
            return;
        }
        world.tamper(BOB, CAROL, |frame| {
            let Ok(Frame::Control(control)) = Frame::decode(frame) else { return None };
            let Control::Pulled(mut pulled) = *control else { return None };
            with(&mut pulled);
            Some(Control::Pulled(pulled).encode())
        });
        world.deliver_all(BOB, CAROL);
    }
    world.fast(BOB, CAROL);
}

#[test]
fn what_a_relay_has_altered_is_refused_and_had_from_another() {
    let mut altered = 0;
    let mut world = handed_on_by_a_liar(|pulled| {
        if let Some(last) = pulled.piece.len().checked_sub(1) {
            let mut piece = pulled.piece.to_vec();
            // The end of the last text.
            piece[last] ^= 1;
            pulled.piece = piece.into();
            altered += 1;
        }
    });
    assert!(world.heard(CAROL).is_empty());
    assert!(world.people[CAROL].peer.repair.refused > 0);
    assert_eq!(altered, 1, "whoever hands on what its author never signed is not asked again");
    world.link(CAROL, DAVE);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(CAROL).len(), 10);
    assert!(world.people[CAROL].closed.is_empty());
}

#[test]
fn a_piece_that_was_not_asked_for_is_not_looked_at() {
    let mut pieces = Vec::new();
    let mut world = handed_on_by_a_liar(|pulled| pieces.push(pulled.clone()));
    assert_eq!(world.heard(CAROL).len(), 10);
    let refused = world.people[CAROL].peer.repair.refused;
    // It would close the link if it were.
    let piece = Pulled { piece: Bytes::from_static(b"rubbish"), ..pieces.remove(0) };
    world.carry(BOB, CAROL, &Control::Pulled(piece).encode());
    assert!(world.people[CAROL].closed.is_empty());
    assert_eq!(world.people[CAROL].peer.repair.refused, refused + 1);
}

/// Carol is back, and has alice's messages from bob or dave. Bob lies as `with` does, and dave does not.
fn told_by_a_liar_and_another(mut with: impl FnMut(&mut World)) -> World {
    let mut world = alice_is_gone();
    world.link(CAROL, BOB);
    world.link(CAROL, DAVE);
    world.settle();
    world.slow(BOB, CAROL);
    for _ in 0..200 {
        with(&mut world);
        world.pass(Duration::from_millis(100));
    }
    world
}

#[test]
fn a_relay_that_says_nothing_is_left_for_another() {
    let world = told_by_a_liar_and_another(|_| {});
    assert_eq!(world.heard(CAROL).len(), 10);
}

#[test]
fn a_relay_that_has_come_from_the_future_is_left_for_another() {
    let mut claimed = false;
    let world = told_by_a_liar_and_another(|world| {
        if !claimed {
            let author = world.people[ALICE].peer.process();
            let have = vec![Have { author, delivered: 1_000_000_000_000, holes: Vec::new() }];
            world.carry(BOB, CAROL, &Control::Have { clock: 0, have, again: false }.encode());
            claimed = true;
        }
        // He has it all, he says, only not here.
        world.tamper(BOB, CAROL, |frame| {
            let Ok(Frame::Control(control)) = Frame::decode(frame) else { return None };
            let Control::Pulled(pulled) = *control else { return None };
            let through = pulled.after + 1;
            Some(Control::Pulled(Pulled { piece: Bytes::new(), through, ..pulled }).encode())
        });
        world.deliver_all(BOB, CAROL);
    });
    assert_eq!(world.heard(CAROL).len(), 10);
    assert!(world.people[CAROL].closed.is_empty());
}

#[test]
fn a_piece_of_more_messages_than_anybody_hands_on_closes_the_link() {
    let world = handed_on_by_a_liar(|pulled| {
        let end = pulled.piece.len();
        let length = |at: usize| u32::from_be_bytes(pulled.piece[at..at + 4].try_into().unwrap()) as usize;
        if let Some(start) = (0..end.saturating_sub(4)).find(|&at| at + 4 + length(at) == end) {
            // The same batch of ten again and again.
            let (additions, batch) = pulled.piece.split_at(start);
            pulled.piece = [additions, &batch.repeat(410)].concat().into();
        }
    });
    assert!(
        world.people[CAROL].closed.first().is_some_and(|reason| reason.contains("4096")),
        "{:?}",
        world.people[CAROL].closed
    );
}

proptest! {
    #[test]
    fn of_a_damaged_piece_nothing_is_shown_that_was_not_said(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut world = handed_on_by_a_liar(|pulled| {
            let mut piece = pulled.piece.to_vec();
            if !piece.is_empty() {
                let at = at.index(piece.len());
                piece[at] ^= 1 << bit;
            }
            pulled.piece = piece.into();
        });
        let said = world.heard(DAVE);
        let heard = world.heard(CAROL);
        prop_assert!(heard.iter().all(|text| said.contains(text)), "{heard:?}");
        world.link(CAROL, DAVE);
        world.pass(Duration::from_secs(1));
        prop_assert_eq!(world.heard(CAROL), said);
    }

    #[test]
    fn rubbish_never_panics(kind in 0..5u8, bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let frame: Bytes = [vec![kind], bytes].concat().into();
        drop(refusal(frame));
    }

    #[test]
    fn a_damaged_batch_never_panics(at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut world = World::mesh(&["alice", "bob"]);
        world.slow(ALICE, BOB);
        world.say(ALICE, "all", "hello");
        world.settle();
        let frames = world.frames_on_the_way(ALICE, BOB);
        let batch = frames.iter().position(|frame| frame[0] == crate::frame::BATCH).unwrap();
        for (index, frame) in frames.iter().enumerate() {
            let mut frame = frame.to_vec();
            if index == batch {
                let at = at.index(frame.len());
                frame[at] ^= 1 << bit;
            }
            world.carry(ALICE, BOB, &frame.into());
        }
    }
}

/// Somebody claims to know of a message to `whom`.
fn name(world: &mut World, who: usize, message: MessageId, whom: ProcessId) {
    let liar = &mut world.people[who].peer;
    let index = |process| liar.causal.roster().index(&process).unwrap();
    let dests = [index(whom)].into_iter().collect();
    let made_up = causal::Entry { sender: index(message.process), clock: message.clock, dests };
    let mut snapshot = liar.causal.snapshot();
    snapshot.remember(&[made_up]);
    let config = causal::Config { trust: causal::Trust::Vouched, ..causal::Config::default() };
    liar.causal = causal::Process::restore(snapshot, config).unwrap();
}

/// While alice is away bob makes up a message of hers, and carol gives it up. It is nothing to what alice says when she is back.
#[test]
fn a_message_that_was_made_up_makes_nothing_late_that_its_author_says() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    let (alice, carol) = (world.people[ALICE].peer.process(), world.people[CAROL].peer.process());
    world.split(&[ALICE], &[BOB, CAROL]);
    name(&mut world, BOB, MessageId { process: alice, clock: 1_000_000 }, carol);
    world.say(BOB, "all", "she has said something");
    world.pass(Duration::from_secs(40));
    assert_eq!(world.heard(CAROL), ["hello", "she has said something"]);
    // She says it before carol could ask her.
    world.say(ALICE, "all", "I have not");
    world.link(ALICE, CAROL);
    world.settle();
    assert_eq!(world.heard(CAROL), ["hello", "she has said something", "I have not"]);
    assert!(world.shown(CAROL).iter().all(|message| !message.late));
}

/// bob names a message of alice's that she has not sent, and she answers him with it: each waits for the other's at carol.
#[test]
fn messages_that_wait_for_each_other_are_cut_loose() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    let (alice, carol) = (world.people[0].peer.process(), world.people[2].peer.process());
    world.slow(0, 2);
    world.slow(1, 2);
    world.settle();
    let clock = world.people[0].peer.causal.clock() + 1;
    name(&mut world, BOB, MessageId { process: alice, clock }, carol);
    world.say(1, "all", "what will you say?");
    world.settle();
    world.say(0, "all", "this");
    world.settle();
    world.fast(0, 2);
    world.fast(1, 2);
    world.pass(Duration::from_secs(20));
    assert!(world.heard(2).is_empty());
    world.pass(Duration::from_secs(20));
    let heard = world.heard(2);
    assert_eq!(heard.len(), 2, "{heard:?}");
    assert_eq!(world.people[2].peer.causal.held(), 0);
}

/// carol welcomes bob with a clock of `process` that does not exist.
fn welcome_with_made_up_clock(world: &mut World, process: ProcessId) {
    welcome_of(world, BOB, process);
    world.say(CAROL, "all", "welcome");
}

/// carol welcomes a newcomer with a clock of `process` that does not exist.
fn welcome_of(world: &mut World, whom: usize, process: ProcessId) {
    let whom = world.people[whom].peer.process();
    let made_up = body::Shown { scope: Scope::All, up_to: vec![(process, 1_000_000)], newest: Vec::new() };
    let welcome = body::welcome(&Welcome { shown: vec![made_up], gone: Vec::new() });
    let liar = &mut world.people[CAROL].peer;
    let dests = liar.indices([whom]);
    liar.multicast(&dests, &welcome, None, None, None);
}

/// carol welcomes bob with a clock of alice's that does not exist. He gives up fetching, and welcomes dave.
#[test]
fn a_newcomer_does_not_wait_for_what_somebody_else_was_told_of_and_does_not_exist() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    let alice = world.people[ALICE].peer.process();
    welcome_with_made_up_clock(&mut world, alice);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["hello", "welcome"]);
    world.kill(CAROL);
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.link(dave, ALICE);
    world.settle();
    world.say(BOB, "all", "answer");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(dave), ["hello", "welcome", "answer"]);
}

/// The same while alice is away, so that bob believes it. When she is back it is as if nobody had said so.
#[test]
fn what_was_made_up_of_somebody_away_is_not_missing_any_more_once_she_is_back() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    let alice = world.people[ALICE].peer.process();
    world.kill(ALICE);
    welcome_with_made_up_clock(&mut world, alice);
    world.pass(Duration::from_secs(60));
    assert_eq!(world.heard(BOB), ["hello", "welcome"]);
    world.kill(CAROL);
    world.link(ALICE, BOB);
    world.settle();
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.pass(Duration::from_secs(5));
    assert_eq!(world.heard(dave), ["hello", "welcome"]);
    assert!(!world.people[dave].events.iter().any(|event| matches!(event, Event::Warning { .. })));
}

/// carol fills what bob's roster has for it with processes of hers that never were, welcomes him with one more, and says of its history that she has
/// given some of it up.
#[test]
fn a_welcome_that_names_a_process_for_which_there_is_no_room_waits_for_nothing() {
    let config = crate::Config { max_processes: 8, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    let carol = world.people[CAROL].peer.process();
    let made_up = |incarnation| ProcessId { incarnation: crate::Incarnation(incarnation), ..carol };
    let have = (1..=5).map(|life| Have { author: made_up(life), delivered: 1, holes: Vec::new() }).collect();
    world.carry(CAROL, BOB, &Control::Have { clock: 0, have, again: false }.encode());
    assert_eq!(
        world.people[BOB].peer.causal.roster().len(),
        4,
        "half of the roster is for processes that records name"
    );
    world.slow(CAROL, BOB);
    welcome_with_made_up_clock(&mut world, made_up(6));
    for _ in 0..10 {
        world.tamper(CAROL, BOB, |frame| {
            let Ok(Frame::Control(control)) = Frame::decode(frame) else { return None };
            let Control::History { request, piece, more, .. } = *control else { return None };
            Some(Control::History { request, piece, more, shown: Shown::GivenUp }.encode())
        });
        world.deliver_all(CAROL, BOB);
        world.settle();
    }
    assert_eq!(world.heard(BOB), ["welcome"]);
}

/// Made-up processes of nobody in particular take half of the roster at most, no matter who names them.
#[test]
fn nobody_fills_a_roster_with_a_welcome() {
    let config = crate::Config { max_processes: 12, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol"], config);
    world.link_all();
    world.settle();
    for seed in 100..120 {
        let person = crate::Identity::from_seed([seed; 32]).person();
        welcome_with_made_up_clock(&mut world, ProcessId { person, incarnation: crate::Incarnation(1) });
    }
    world.pass(Duration::from_secs(40));
    assert_eq!(world.people[BOB].peer.causal.roster().len(), 6);
    assert_eq!(world.heard(BOB).len(), 20);
    let dave = world.add("dave");
    world.link(dave, BOB);
    world.settle();
    world.say(dave, "all", "hello");
    world.settle();
    assert_eq!(world.heard(BOB).last().unwrap(), "hello");
}

/// While alice is away carol makes up a clock of hers, for bob and for dave. Both believe her, and tell nobody: erin waits for nothing, and
/// nobody tells her that something is missing.
#[test]
fn what_nobody_vouched_for_delays_no_newcomer() {
    let mut world = World::mesh(&["alice", "bob", "carol", "dave"]);
    world.say(ALICE, "all", "hello");
    world.settle();
    let alice = world.people[ALICE].peer.process();
    world.kill(ALICE);
    world.settle();
    for whom in [BOB, DAVE] {
        welcome_of(&mut world, whom, alice);
    }
    world.say(CAROL, "all", "welcome");
    world.pass(Duration::from_secs(60));
    for who in [BOB, DAVE] {
        assert_eq!(world.heard(who), ["hello", "welcome"]);
    }
    world.kill(CAROL);
    let erin = world.add("erin");
    world.link(erin, BOB);
    world.link(erin, DAVE);
    world.pass(Duration::from_secs(2));
    world.say(BOB, "all", "answer");
    world.pass(Duration::from_secs(1));
    assert_eq!(world.heard(erin), ["hello", "welcome", "answer"]);
    assert!(!world.people[erin].events.iter().any(|event| matches!(event, Event::Warning { .. })));
    // She who knows better is back.
    world.link(ALICE, BOB);
    world.link(ALICE, erin);
    world.pass(Duration::from_secs(60));
    assert!(!world.people[erin].events.iter().any(|event| matches!(event, Event::Warning { .. })));
    assert_eq!(world.history(erin, "all"), ["hello", "welcome", "answer"]);
}

/// dave, whom nobody but carol has met, has said something, and she has said more than a newcomer is shown first. bob gets that, and carol
/// goes before he can fetch the rest. He does not tell erin of dave before he has seen something of his; then he does, though she was
/// welcomed before.
#[test]
fn what_was_left_out_of_a_welcome_is_told_once_somebody_vouches_for_it() {
    let config = crate::Config { history_first: 2, ..crate::Config::default() };
    let mut world = World::with_config(&["alice", "bob", "carol", "dave"], config);
    world.link(CAROL, DAVE);
    world.settle();
    world.say(DAVE, "all", "1");
    world.settle();
    world.say(CAROL, "all", "2");
    world.say(CAROL, "all", "3");
    world.settle();
    let dave = world.people[DAVE].peer.process();
    world.kill(DAVE);
    world.link(BOB, CAROL);
    world.slow(CAROL, BOB);
    world.settle();
    // bob gets the welcome and a piece of history.
    world.deliver_all(CAROL, BOB);
    world.settle();
    world.deliver_all(CAROL, BOB);
    world.cut(BOB, CAROL);
    world.settle();
    assert_eq!(world.history(BOB, "all"), ["2", "3"]);
    world.pass(Duration::from_secs(40));
    let erin = world.add("erin");
    world.link(erin, BOB);
    world.pass(Duration::from_secs(1));
    let peer = &world.people[BOB].peer;
    let missing: Vec<_> = peer.talks.known(&Conversation::All).unwrap().missing(peer.causal.roster()).collect();
    assert!(missing.iter().any(|(author, _)| *peer.causal.roster().id(*author) == dave), "he was told: {missing:?}");
    world.say(BOB, "all", "hello");
    // She waits for the rest, which nobody here has.
    world.pass(Duration::from_secs(40));
    assert_eq!(world.heard(erin), ["2", "3", "hello"]);
    // carol, who has it, is met by bob alone.
    world.fast(CAROL, BOB);
    world.link(BOB, CAROL);
    world.pass(Duration::from_secs(40));
    assert_eq!(world.history(BOB, "all"), ["1", "2", "3", "hello"]);
    assert_eq!(world.history(erin, "all"), ["1", "2", "3", "hello"]);
}
