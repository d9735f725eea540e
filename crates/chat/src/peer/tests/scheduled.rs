//! Texts that are to go out later: those that are stamped and those that are not, and how they are taken back.

use std::time::Duration;

use bytes::Bytes;

use super::world::World;
use crate::frame::{Control, Frame};
use crate::{Answer, Command, Config, Event, Refusal, Target, WaitingInfo};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn schedule(world: &mut World, who: usize, to: &str, text: &str, delay: u64) -> WaitingInfo {
    let to = if to == "all" { Target::All } else { Target::Name(to.to_owned()) };
    match world.command(who, Command::Send { to, text: text.to_owned(), delay_ms: delay * 1000 }) {
        Ok(Answer::Scheduled { waiting }) => waiting,
        other => panic!("not scheduled: {other:?}"),
    }
}

fn waiting(world: &mut World, who: usize) -> Vec<WaitingInfo> {
    let Ok(Answer::Pending { waiting, .. }) = world.command(who, Command::Pending) else { panic!() };
    waiting
}

fn texts(waiting: &[WaitingInfo]) -> Vec<(u64, &str, bool)> {
    waiting.iter().map(|waiting| (waiting.number, &*waiting.text, waiting.id.is_some())).collect()
}

fn cancel(world: &mut World, who: usize, number: Option<u64>) -> Result<String, Refusal> {
    match world.command(who, Command::Cancel { number })? {
        Answer::Cancelled { waiting } => Ok(waiting.text.to_string()),
        other => panic!("{other:?}"),
    }
}

/// Whether a user was told of something that is lost.
fn is_told_of_loss(world: &World, who: usize) -> bool {
    world.people[who].events.iter().any(|event| matches!(event, Event::Gap { .. } | Event::Warning { .. }))
}

#[test]
fn what_waits_for_a_text_that_is_taken_back_is_released_at_once() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say_later(ALICE, "carol", "question", 30_000);
    world.say(ALICE, "all", "after");
    world.settle();
    world.say(BOB, "all", "answer");
    world.settle();
    assert!(world.heard(CAROL).is_empty());
    assert_eq!(cancel(&mut world, ALICE, None).as_deref(), Ok("question"));
    world.settle();
    assert_eq!(world.heard(CAROL), ["after", "answer"]);
    assert_eq!(world.history(ALICE, "carol"), [""; 0]);
    world.pass(seconds(60));
    assert_eq!(world.heard(CAROL), ["after", "answer"]);
    assert!((0..3).all(|who| !is_told_of_loss(&world, who)));
    assert!(waiting(&mut world, ALICE).is_empty());
    world.assert_causal_order(0);
}

#[test]
fn somebody_who_is_away_waits_no_longer_either() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.say_later(ALICE, "carol", "question", 30_000);
    world.cut(ALICE, CAROL);
    world.cut(BOB, CAROL);
    world.say(ALICE, "all", "after");
    world.settle();
    cancel(&mut world, ALICE, None).unwrap();
    world.pass(seconds(10));
    world.kill(ALICE);
    // bob has what she left with him for carol.
    world.link(BOB, CAROL);
    world.pass(seconds(5));
    assert_eq!(world.heard(CAROL), ["after"]);
}

/// Whether her process ends before anybody hears of it or after: what she took back is never sent.
#[test]
fn what_was_taken_back_stays_so_after_a_restart() {
    for is_told in [false, true] {
        let mut world = World::new(&["alice", "bob"]);
        world.keep(ALICE);
        world.link_all();
        world.settle();
        world.say_later(ALICE, "bob", "question", 20_000);
        world.say(ALICE, "bob", "after");
        world.settle();
        if !is_told {
            world.slow(ALICE, BOB);
        }
        cancel(&mut world, ALICE, Some(1)).unwrap();
        if is_told {
            world.settle();
        }
        let before = world.people[ALICE].peer.process();
        world.come_back(ALICE);
        world.fast(ALICE, BOB);
        world.link(ALICE, BOB);
        world.pass(seconds(40));
        assert_eq!(world.people[ALICE].peer.process(), before);
        assert_eq!((world.heard(BOB), world.history(ALICE, "bob")), (vec!["after".into()], vec!["after".into()]));
        assert!(!is_told_of_loss(&world, BOB));
    }
}

/// What bob was greeted with knows of the clock that she used, though not for what.
#[test]
fn taking_back_the_last_one_is_no_sign_of_a_store_that_was_put_back() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    world.say_later(ALICE, "bob", "question", 30_000);
    world.pass(seconds(7));
    let before = world.people[ALICE].peer.process();
    world.cut(ALICE, BOB);
    cancel(&mut world, ALICE, None).unwrap();
    world.link(ALICE, BOB);
    world.pass(seconds(7));
    assert_eq!(world.people[ALICE].peer.process(), before);
    assert!(!is_told_of_loss(&world, ALICE));
}

/// Her store is put back to before what she had under `-delay`, which went out and was her last: bob, who has it, says so.
#[test]
fn a_delayed_text_that_was_lost_with_the_store_is_found_out() {
    let mut world = World::new(&["alice", "bob"]);
    world.keep(ALICE);
    world.link_all();
    world.settle();
    let copy = world.people[ALICE].peer.store_mut().copy();
    world.say_later(ALICE, "bob", "question", 4_000);
    world.pass(seconds(4));
    world.kill(ALICE);
    let before = world.people[ALICE].peer.process();
    *world.people[ALICE].peer.store_mut() = copy;
    world.come_back(ALICE);
    world.say(ALICE, "bob", "something else");
    world.link(ALICE, BOB);
    world.settle();
    assert_ne!(world.people[ALICE].peer.process(), before);
    world.link(ALICE, BOB);
    world.settle();
    assert_eq!(world.heard(BOB), ["question", "something else"]);
}

/// dave comes while alice's question is under `-delay`: his welcome waits with it, and goes out when she takes it back. It names the
/// question no more, so that nobody has to be asked for it: not even she, who may be gone.
#[test]
fn a_welcome_that_waits_for_what_is_taken_back_goes_out() {
    for is_gone in [false, true] {
        let mut world = World::mesh(&["alice", "bob"]);
        world.say(BOB, "all", "first");
        world.settle();
        world.say_later(ALICE, "all", "question", 30_000);
        world.settle();
        let dave = world.add("dave");
        world.link(dave, ALICE);
        world.settle();
        world.say(ALICE, "all", "after");
        world.settle();
        assert_eq!(world.heard(dave), [""; 0]);
        world.slow(ALICE, dave);
        cancel(&mut world, ALICE, None).unwrap();
        world.settle();
        if is_gone {
            world.deliver_all(ALICE, dave);
            world.kill(ALICE);
            world.link(dave, BOB);
        }
        world.fast(ALICE, dave);
        world.pass(seconds(5));
        assert_eq!(world.heard(dave), ["first", "after"]);
        world.pass(seconds(60));
        assert!(!is_told_of_loss(&world, dave));
        assert_eq!(world.history(dave, "all"), ["first", "after"]);
    }
}

#[test]
fn a_long_delay_keeps_nobody_waiting_and_is_stamped_when_it_goes_out() {
    let mut world = World::mesh(&["alice", "bob"]);
    let info = schedule(&mut world, ALICE, "bob", "later", 60);
    assert_eq!((info.number, info.id, &*info.text), (1, None, "later"));
    world.say(ALICE, "bob", "now");
    world.pass(seconds(59));
    assert_eq!(world.heard(BOB), ["now"]);
    assert_eq!(texts(&waiting(&mut world, ALICE)), [(1, "later", false)]);
    world.pass(seconds(2));
    assert_eq!(world.heard(BOB), ["now", "later"]);
    assert_eq!(world.heard(ALICE), ["later"], "her user sees it go");
    assert_eq!(world.history(ALICE, "bob"), ["now", "later"]);
    assert!(waiting(&mut world, ALICE).is_empty());
    assert_eq!(cancel(&mut world, ALICE, Some(1)), Err(Refusal::NothingWaits { number: Some(1) }));
}

#[test]
fn what_waits_has_numbers_that_stay_and_times() {
    let mut world = World::mesh(&["alice", "bob"]);
    schedule(&mut world, ALICE, "all", "one", 3600);
    world.say_later(ALICE, "bob", "two", 30_000);
    schedule(&mut world, ALICE, "bob", "three", 600);
    let listed = waiting(&mut world, ALICE);
    assert_eq!(texts(&listed), [(1, "one", false), (2, "two", true), (3, "three", false)]);
    let now = world.now().unix_micros;
    let due: Vec<i64> = listed.iter().map(|waiting| (waiting.due_at.unwrap() - now) / 1_000_000).collect();
    assert_eq!(due, [3600, 30, 600]);
    assert_eq!(cancel(&mut world, ALICE, Some(1)).as_deref(), Ok("one"));
    assert_eq!(texts(&waiting(&mut world, ALICE)), [(2, "two", true), (3, "three", false)]);
    assert_eq!(cancel(&mut world, ALICE, None).as_deref(), Ok("three"));
    assert_eq!(cancel(&mut world, ALICE, None).as_deref(), Ok("two"));
    assert_eq!(cancel(&mut world, ALICE, None), Err(Refusal::NothingWaits { number: None }));
    schedule(&mut world, ALICE, "all", "four", 3600);
    assert_eq!(texts(&waiting(&mut world, ALICE)), [(4, "four", false)]);
}

/// It goes out at its time, or soon after the start when it is overdue; once, whenever her process ends.
#[test]
fn what_is_scheduled_survives_a_restart_and_is_sent_once() {
    for (away, heard_after) in [(10, 40), (300, 10)] {
        let mut world = World::new(&["alice", "bob"]);
        world.keep(ALICE);
        world.link_all();
        world.settle();
        schedule(&mut world, ALICE, "bob", "later", 45);
        schedule(&mut world, ALICE, "bob", "never", 46);
        cancel(&mut world, ALICE, None).unwrap();
        world.kill(ALICE);
        world.pass(seconds(away));
        world.come_back(ALICE);
        world.link(ALICE, BOB);
        world.pass(seconds(heard_after));
        assert_eq!(world.heard(BOB), ["later"]);
        world.come_back(ALICE);
        world.link(ALICE, BOB);
        world.pass(seconds(100));
        assert_eq!(world.heard(BOB), ["later"]);
    }
}

/// Her disk is full when she takes it back, so it is not taken back, and goes out.
#[test]
fn what_could_not_be_taken_back_for_a_full_disk_goes_out_once() {
    for delay in [25, 60] {
        let mut world = World::new(&["alice", "bob"]);
        world.keep(ALICE);
        world.link_all();
        world.settle();
        let to = Target::Name("bob".to_owned());
        world.command(ALICE, Command::Send { to, text: "later".to_owned(), delay_ms: delay * 1000 }).unwrap();
        world.settle();
        let now = world.now();
        world.people[ALICE].peer.handle_command(now, Command::Cancel { number: Some(1) }).unwrap();
        let unkept = world.people[ALICE].peer.take_effects(now);
        world.people[ALICE].peer.revert(now, &unkept).unwrap();
        world.settle();
        world.command(ALICE, Command::MyGroups).unwrap();
        world.link(ALICE, BOB);
        assert_eq!(waiting(&mut world, ALICE).len(), 1);
        world.pass(seconds(70));
        assert_eq!(world.heard(BOB), ["later"]);
    }
}

/// A store of old has a text in it that was stamped and is due in two minutes. It goes out as it was promised, late for those who
/// believe in it for a minute only; or it is taken back.
#[test]
fn what_a_store_of_old_promised_goes_out() {
    for is_taken_back in [false, true] {
        let mut world = World::of_old(&["alice", "bob"]);
        world.keep(ALICE);
        world.link_all();
        world.settle();
        world.say_later(ALICE, "bob", "question", 120_000);
        world.say(ALICE, "bob", "after");
        world.settle();
        world.come_back(ALICE);
        world.link(ALICE, BOB);
        world.pass(seconds(70));
        assert_eq!(world.heard(BOB), ["after"]);
        assert_eq!(texts(&waiting(&mut world, ALICE)), [(1, "question", true)]);
        if is_taken_back {
            cancel(&mut world, ALICE, None).unwrap();
        }
        world.pass(seconds(60));
        let heard: &[&str] = if is_taken_back { &["after"] } else { &["after", "question"] };
        assert_eq!(world.heard(BOB), heard);
        assert!(world.shown(BOB).iter().all(|message| message.late == (&*message.text == "question")));
    }
}

#[test]
fn a_scheduled_text_goes_to_the_members_of_its_time() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    world.create(ALICE, "cars");
    world.settle();
    schedule(&mut world, ALICE, "cars", "later", 60);
    world.join(CAROL, "cars");
    world.pass(seconds(61));
    assert_eq!((world.heard(CAROL), world.heard(BOB)), (vec!["later".to_owned()], Vec::new()));
}

#[test]
fn what_goes_to_several_people_goes_out_later_or_is_taken_back_like_anything_else() {
    let mut world = World::mesh(&["alice", "bob", "carol"]);
    for (text, delay) in [("never", 20), ("later", 60)] {
        let to = Target::People(vec!["bob".to_owned(), "carol".to_owned()]);
        world.command(ALICE, Command::Send { to, text: text.to_owned(), delay_ms: delay * 1000 }).unwrap();
    }
    world.settle();
    let listed = waiting(&mut world, ALICE);
    assert_eq!(texts(&listed), [(1, "never", true), (2, "later", false)]);
    assert_eq!(listed[0].to, listed[1].to);
    world.say(ALICE, "all", "after");
    world.settle();
    assert_eq!(cancel(&mut world, ALICE, Some(1)).as_deref(), Ok("never"));
    world.pass(seconds(61));
    for who in [BOB, CAROL] {
        assert_eq!(world.heard(who), ["after", "later"]);
    }
}

/// By then she is in the group no more: what becomes of her text is for her to say.
#[test]
fn what_cannot_be_said_at_its_time_is_left_to_its_user() {
    let mut world = World::mesh(&["alice", "bob"]);
    world.create(BOB, "cars");
    world.settle();
    world.join(ALICE, "cars");
    schedule(&mut world, ALICE, "cars", "later", 60);
    world.command(ALICE, Command::LeaveGroup { group: "cars".to_owned() }).unwrap();
    world.pass(seconds(61));
    assert!(world.heard(BOB).is_empty());
    assert!(world.people[ALICE].events.iter().any(|event| matches!(event, Event::Warning { .. })));
    let left = waiting(&mut world, ALICE);
    assert_eq!((texts(&left), left[0].due_at), (vec![(1, "later", false)], None));
    let refused = world.command(ALICE, Command::Resend { number: None });
    assert!(matches!(refused, Err(Refusal::NotAMember { .. })), "{refused:?}");
    world.join(ALICE, "cars");
    let sent = world.command(ALICE, Command::Resend { number: None });
    assert!(matches!(sent, Ok(Answer::Sent { due_ms: 0, .. })), "{sent:?}");
    world.settle();
    assert_eq!(world.heard(BOB), ["later"]);
    assert!(waiting(&mut world, ALICE).is_empty());
    let again = world.command(ALICE, Command::Resend { number: Some(1) });
    assert_eq!(again, Err(Refusal::NothingWaits { number: Some(1) }));
}

#[test]
fn only_so_many_texts_are_scheduled() {
    let config = Config { max_scheduled: 2, ..Config::default() };
    let mut world = World::mesh_with(&["alice", "bob"], config);
    schedule(&mut world, ALICE, "all", "one", 60);
    schedule(&mut world, ALICE, "all", "two", 60);
    let third = Command::Send { to: Target::All, text: "three".to_owned(), delay_ms: 60_000 };
    let refused = world.command(ALICE, third);
    assert!(matches!(refused, Err(Refusal::TooMany { limit: 2, .. })), "{refused:?}");
}

#[test]
fn a_store_that_keeps_nothing_sends_what_is_scheduled_when_its_user_leaves() {
    for survives in [false, true] {
        let mut world = World::new(&["alice", "bob"]);
        if survives {
            world.keep(ALICE);
        }
        world.link_all();
        world.settle();
        schedule(&mut world, ALICE, "bob", "later", 3600);
        let now = world.now();
        world.people[ALICE].peer.handle_shutdown(now);
        world.command(ALICE, Command::MyGroups).unwrap();
        world.settle();
        assert_eq!(world.heard(BOB).len(), usize::from(!survives));
    }
}

/// It went out in the life that the copy knows nothing of. Whether she says it again is for her to say.
#[test]
fn what_a_store_that_was_put_back_may_have_sent_already_is_left_to_its_user() {
    for alone in [0, 20] {
        let mut world = World::new(&["alice", "bob"]);
        world.keep(ALICE);
        world.link_all();
        world.settle();
        schedule(&mut world, ALICE, "bob", "later", 40);
        schedule(&mut world, ALICE, "bob", "much later", 3600);
        let copy = world.people[ALICE].peer.store_mut().copy();
        world.pass(seconds(50));
        world.kill(ALICE);
        *world.people[ALICE].peer.store_mut() = copy;
        world.come_back(ALICE);
        // On her own for long she says it, to whom will learn that it counts for nothing.
        world.pass(seconds(alone));
        world.link(ALICE, BOB);
        world.settle();
        world.link(ALICE, BOB);
        world.pass(seconds(60));
        assert_eq!(world.heard(BOB), ["later"]);
        let left = waiting(&mut world, ALICE);
        let due: Vec<(&str, bool)> = left.iter().map(|waiting| (&*waiting.text, waiting.due_at.is_some())).collect();
        assert!(due.contains(&("later", false)) && due.contains(&("much later", true)), "{due:?}");
    }
}

/// alice promises what carol waits for again and again, each time in an hour.
#[test]
fn nobody_is_believed_who_promises_for_ever() {
    let mut world = World::mesh_of_old(&["alice", "bob", "carol"]);
    world.say_later(ALICE, "carol", "question", 3_600_000);
    world.say(ALICE, "all", "after");
    world.settle();
    let mut promises = 0;
    for _ in 0..70 {
        world.slow(ALICE, CAROL);
        world.pass(seconds(1));
        world.tamper(ALICE, CAROL, |frame| promise(frame, &mut promises));
        world.fast(ALICE, CAROL);
        world.settle();
    }
    assert!(promises > 0, "she was asked");
    assert_eq!(world.heard(CAROL), ["after"]);
    assert!(is_told_of_loss(&world, CAROL));
}

fn promise(frame: &Bytes, promises: &mut usize) -> Option<Bytes> {
    let Ok(Frame::Control(control)) = Frame::decode(frame) else { return None };
    let Control::Pulled(mut pulled) = *control else { return None };
    *promises += 1;
    pulled.due_ms = Some(u64::MAX);
    Some(Control::Pulled(pulled).encode())
}
