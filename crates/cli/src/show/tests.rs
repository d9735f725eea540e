use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use node::chat::{
    Answer, Event, HeldInfo, Incarnation, Message, MessageId, PersonId, PersonInfo, Problem, ProcessId, Recipients,
    Refusal, UserInfo, WaitingInfo, Who,
};
use node::line::{Hello, VERSION};

use super::{Paint, Show, said};

/// 2026-11-21 14:03:12 UTC.
const AT: i64 = 1_795_269_792_000_000;
const DAY: i64 = 86_400_000_000;

fn show() -> Show {
    Show::new(Paint { on: false }, TimeZone::UTC)
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

fn who(key: u8, name: &str) -> Arc<Who> {
    let (name, address) = (name.to_owned(), Some(format!("10.0.0.{key}")));
    Arc::new(Who { person: PersonId::new([key; 32]), label: name.clone(), name, address })
}

fn id(key: u8, clock: u64) -> MessageId {
    MessageId { process: ProcessId { person: PersonId::new([key; 32]), incarnation: Incarnation(1) }, clock }
}

fn message(to: Recipients, text: &str) -> Message {
    Message {
        id: id(2, 4),
        from: who(2, "bob"),
        to,
        text: text.into(),
        sent_at: AT,
        own: false,
        fetched: false,
        late: false,
        clock_off: false,
    }
}

#[test]
fn a_message_shows_its_time_its_author_and_to_whom_it_went() {
    let mut show = show();
    assert_eq!(show.message(&message(Recipients::All, "hi")), ["14:03:12 bob: hi"]);
    assert_eq!(show.message(&message(Recipients::Group("cars".into()), "hi")), ["14:03:12 [cars] bob: hi"]);
    let direct = message(Recipients::Direct(who(2, "bob")), "hi");
    assert_eq!(show.message(&direct), ["14:03:12 [to you] bob: hi"]);
    let own = Message { own: true, from: who(1, "alice"), ..direct };
    assert_eq!(show.message(&own), ["14:03:12 [to bob] alice: hi"]);
}

#[test]
fn everybody_gone_at_once_is_one_line_and_so_is_the_return() {
    let mut show = show();
    let mut line = |event: &Event| show.event(event, at(AT));
    let problem = |text: &str| Problem { kind: "offline".to_owned(), text: text.to_owned() };
    let gone = |key, name| Event::PeerDown { who: who(key, name), reason: "no sign of life".to_owned() };
    let here = |key, name| Event::PeerUp { who: who(key, name), new: false };
    assert_eq!(line(&gone(4, "dave")), ["14:03:12 * dave has gone: no sign of life"]);
    assert_eq!(line(&Event::Problem(problem("you are offline"))), ["14:03:12 you are offline"]);
    for event in [gone(2, "bob"), gone(3, "carol")] {
        assert_eq!(line(&event), [""; 0]);
    }
    assert_eq!(line(&Event::Solved(problem("you are online again"))), ["14:03:12 * you are online again"]);
    assert_eq!(line(&here(2, "bob")), [""; 0]);
    assert_eq!(line(&here(4, "dave")), ["14:03:12 * dave is here"]);
    assert_eq!(line(&here(3, "carol")), [""; 0]);
    assert_eq!(line(&gone(3, "carol")), ["14:03:12 * carol has gone: no sign of life"]);
}

#[test]
fn what_is_odd_about_a_message_is_marked() {
    let odd = Message { late: true, clock_off: true, ..message(Recipients::All, "hi") };
    assert_eq!(show().message(&odd), ["14:03:12 bob: hi (came late, by a clock that is off)"]);
    let absurd = Message { sent_at: i64::MAX, ..message(Recipients::All, "hi") };
    assert_eq!(show().message(&absurd), ["00:00:00 bob: hi"]);
}

#[test]
fn lines_of_one_message_stand_below_each_other() {
    let lines = show().message(&message(Recipients::All, "one\ntwo\n\nfour"));
    assert_eq!(lines, ["14:03:12 bob: one", "         two", "         ", "         four"]);
}

#[test]
fn a_message_of_thousands_of_lines_is_folded_on_a_screen_and_nowhere_else() {
    let long: String = (1..=2030).map(|number| format!("line {number}\n")).collect();
    let long = message(Recipients::All, long.trim_end());
    let mut screen = show().folding();
    let lines = screen.message(&long);
    assert_eq!(lines.len(), 31);
    assert_eq!(lines[29..], ["         line 30", "         … 2,000 more lines; -show bob#4"]);
    assert_eq!(screen.recent(std::slice::from_ref(&long)).len(), 31);
    assert_eq!(screen.answer(&Answer::Shown { message: long.clone() }, at(AT)).len(), 2030);
    assert_eq!(screen.message(&long).len(), 31, "and the next one is folded again");
    assert_eq!(show().message(&long).len(), 2030);
    let invisible = message(Recipients::All, &"\u{202e}".repeat(1_000));
    assert!(screen.message(&invisible)[1].ends_with("… 5,000 more characters; -show bob#4"), "as many as are shown");
}

#[test]
fn a_line_of_ones_own_looks_like_those_of_others() {
    assert_eq!(said("14:03:12", "alice> ", "one\n\x1b[2Jtwo"), ["14:03:12 alice> one", "         ␛[2Jtwo"]);
    assert_eq!(said("14:03:12", "alice> ", &"x\n".repeat(100)).len(), 31);
}

#[test]
fn a_new_day_has_a_line_of_its_own() {
    let mut show = show();
    show.begin(at(AT));
    assert_eq!(show.message(&message(Recipients::All, "today")).len(), 1);
    let yesterday = Message { sent_at: AT - DAY, ..message(Recipients::All, "x") };
    assert_eq!(show.message(&yesterday)[0], "-- Friday, 20 November 2026 --");
    assert_eq!(show.message(&yesterday).len(), 1);
    assert_eq!(show.message(&message(Recipients::All, "x"))[0], "-- Saturday, 21 November 2026 --");
}

#[test]
fn a_message_that_is_delivered_stands_below_the_readers_own_day() {
    let mut show = show();
    show.begin(at(AT));
    let hour = 3_600_000_000;
    let mut live = |sent_at, clock_off| {
        let message = Message { sent_at, clock_off, ..message(Recipients::All, "hi") };
        show.event(&Event::Message { message }, at(AT))
    };
    for _ in 0..2 {
        assert_eq!(live(AT, false), ["14:03:12 bob: hi"]);
        assert_eq!(live(AT + 12 * hour, false), ["02:03:12 bob: hi (22 November 2026)"]);
        assert_eq!(live(AT - 15 * hour, false), ["23:03:12 bob: hi (20 November 2026)"]);
        assert_eq!(live(0, true), ["00:00:00 bob: hi (1 January 1970, by a clock that is off)"]);
    }
    assert_eq!(show.event(&Event::Warning { text: "x".into() }, at(AT + DAY))[0], "-- Sunday, 22 November 2026 --");
}

#[test]
fn in_a_list_a_wrong_clock_brings_no_day_back() {
    let mut show = show();
    show.begin(at(AT));
    let said = |sent_at, clock_off| Message { sent_at, clock_off, ..message(Recipients::All, "hi") };
    let messages =
        [said(AT - DAY, false), said(AT - 2 * DAY, false), said(AT - DAY, false), said(0, true), said(AT, false)];
    let lines = show.answer(&Answer::History { of: None, messages: messages.into() }, at(AT));
    assert_eq!(
        lines,
        [
            "-- Friday, 20 November 2026 --",
            "14:03:12 bob: hi",
            "14:03:12 bob: hi (19 November 2026)",
            "14:03:12 bob: hi",
            "00:00:00 bob: hi (1 January 1970, by a clock that is off)",
            "-- Saturday, 21 November 2026 --",
            "14:03:12 bob: hi",
        ]
    );
}

#[test]
fn nothing_from_others_reaches_the_terminal_as_a_command() {
    let evil = "\x1b[2J\u{9b}K\u{202e}\x07";
    let nasty = Arc::new(Who {
        person: PersonId::new([9; 32]),
        name: evil.into(),
        address: Some(evil.into()),
        label: format!("{evil}\n"),
    });
    let held = HeldInfo {
        id: id(9, 1),
        from: Arc::clone(&nasty),
        missing: vec![(id(9, 2), Arc::clone(&nasty))],
        fetching: vec![evil.into()],
    };
    let text = || evil.to_owned();
    let who = || Arc::clone(&nasty);
    let events = [
        Event::Listening { address: text() },
        Event::PeerUp { who: who(), new: true },
        Event::PeerUp { who: who(), new: false },
        Event::PeerDown { who: who(), reason: text() },
        Event::Message { message: Message { from: who(), ..message(Recipients::Group(evil.into()), evil) } },
        Event::Message { message: Message { own: true, ..message(Recipients::Direct(who()), evil) } },
        Event::Held { held: held.clone() },
        Event::Released { id: id(9, 1), from: who(), held_ms: 1 },
        Event::Gap { from: who(), first: 1, last: 2 },
        Event::Unspread { id: id(9, 1), messages: 2, missing: vec![Who::clone(&nasty)] },
        Event::Forgotten { who: who(), by: who() },
        Event::GroupAppeared { group: text(), by: who() },
        Event::GroupJoined { group: text(), who: who() },
        Event::GroupLeft { group: text(), who: who() },
        Event::GroupGone { group: text() },
        Event::Fetched { conversation: text(), messages: 2 },
        Event::LinkRefused { peer: text(), reason: text() },
        Event::ConnectFailed { address: text(), reason: text() },
        Event::PersonChanged { who: who(), before: text(), before_name: text() },
        Event::PersonChanged { who: who(), before: text(), before_name: "bob".into() },
        Event::NameTaken { name: text(), who: who() },
        Event::Warning { text: text() },
    ];
    let mut show = show();
    let mut lines: Vec<String> = events.iter().flat_map(|event| show.event(event, at(AT))).collect();
    let users =
        vec![UserInfo { who: Who::clone(&nasty), present: true, me: false, verified: true, groups: vec![text()] }];
    let person = PersonInfo {
        user: users[0].clone(),
        fingerprint: text(),
        addresses: vec![text()],
        listening: vec![text()],
        forgotten: false,
    };
    lines.extend(show.answer(&Answer::Users { users }, at(AT)));
    lines.extend(show.answer(&Answer::Who { people: vec![person] }, at(AT)));
    let to = Recipients::Direct(who());
    let waiting = WaitingInfo { number: 3, id: None, to, text: evil.into(), due_at: Some(AT) };
    let pending = Answer::Pending {
        held: vec![held],
        delayed: vec![],
        waiting: vec![waiting.clone()],
        unacknowledged: 0,
        undelivered: vec![],
    };
    lines.extend(show.answer(&pending, at(AT)));
    lines.extend(show.answer(&Answer::Scheduled { waiting: waiting.clone() }, at(AT)));
    lines.extend(show.answer(&Answer::Cancelled { waiting }, at(AT)));
    let sent = Answer::Sent { message: message(Recipients::All, evil), away: vec![Who::clone(&nasty)], due_ms: 5 };
    lines.extend(show.answer(&sent, at(AT)));
    let (of, people) = (Recipients::Group(evil.into()), || vec![Who::clone(&nasty)]);
    lines.extend(show.answer(&Answer::Found { of: Some(of), messages: vec![] }, at(AT)));
    lines.extend(show.answer(&Answer::Shown { message: message(Recipients::All, evil) }, at(AT)));
    let (by, not_by, away) = (people(), people(), people());
    lines.extend(show.answer(&Answer::Seen { message: message(Recipients::All, evil), by, not_by, away }, at(AT)));
    lines.push(show.refusal(&Refusal::UnknownUser { name: text(), nearest: Some(text()) }));
    for line in lines {
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{line:?}");
    }
}

#[test]
fn what_goes_out_later_stands_under_its_number_and_with_its_time() {
    let waiting = |number, id, text: &str, due_at| {
        let to = if number == 1 { Recipients::Group("cars".into()) } else { Recipients::All };
        WaitingInfo { number, id, to, text: text.into(), due_at }
    };
    let mut show = show();
    let first = waiting(1, None, "later", Some(AT));
    let lines = show.answer(&Answer::Scheduled { waiting: first.clone() }, at(AT));
    assert_eq!(lines, ["14:03:12 (scheduled for 14:03:12; nobody waits for it; -cancel 1 takes it back)"]);
    assert_eq!(show.event(&Event::Scheduled { waiting: Box::new(first.clone()) }, at(AT)), lines);
    let long = waiting(3, Some(id(1, 7)), &"x".repeat(61), Some(AT + 30_000_000));
    let unsent = waiting(4, None, "why?", None);
    let waiting = vec![first.clone(), long, unsent];
    let lines = show.answer(
        &Answer::Pending { held: vec![], delayed: vec![], waiting, unacknowledged: 0, undelivered: vec![] },
        at(AT),
    );
    assert_eq!(
        lines,
        [
            "1: to cars: later (scheduled for 14:03:12)".to_owned(),
            format!("3: to everybody: {}… (message 7 goes out at 14:03:42)", "x".repeat(60)),
            "4: to everybody: why? (waits for you: -resend 4 sends it, -cancel 4 drops it)".to_owned(),
        ]
    );
    assert_eq!(
        show.answer(&Answer::Cancelled { waiting: first }, at(AT)),
        ["taken back, and nobody got it: to cars: later"]
    );
}

#[test]
fn held_and_released() {
    let held =
        HeldInfo { id: id(2, 4), from: who(2, "bob"), missing: vec![(id(1, 12), who(1, "alice"))], fetching: vec![] };
    let mut show = show();
    assert_eq!(
        show.event(&Event::Held { held }, at(AT)),
        ["14:03:12 held: waiting for alice#12 (bob#4 comes after it)"]
    );
    assert_eq!(
        show.event(&Event::Released { id: id(2, 4), from: who(2, "bob"), held_ms: 2940 }, at(AT)),
        ["14:03:12 released: bob#4 after 2.9 s"]
    );
}

#[test]
fn lists_are_aligned() {
    let user = |who: Arc<Who>, present, me, groups: &[&str]| UserInfo {
        who: Who::clone(&who),
        present,
        me,
        verified: false,
        groups: groups.iter().map(|&group| group.into()).collect(),
    };
    let users = vec![
        user(who(1, "alice"), true, true, &[]),
        user(who(2, "日本"), false, false, &["boats", "cars"]),
        user(who(3, "carol"), true, false, &[]),
    ];
    assert_eq!(
        show().answer(&Answer::Users { users }, at(AT)),
        ["  alice  you   10.0.0.1", "  日本   away  10.0.0.2  boats, cars", "  carol  here  10.0.0.3"]
    );
    let verified = UserInfo { verified: true, ..user(who(3, "carol"), true, false, &["cars"]) };
    let users = vec![user(who(1, "alice"), true, true, &[]), verified];
    assert_eq!(
        show().answer(&Answer::Users { users }, at(AT)),
        ["  alice  you             10.0.0.1", "  carol  here, verified  10.0.0.3  cars"]
    );
}

#[test]
fn a_code_is_shown_with_what_to_do() {
    let bob = |verified| UserInfo {
        who: Who { label: "bob·aaaa".into(), ..Who::clone(&who(2, "bob")) },
        present: true,
        me: false,
        verified,
        groups: Vec::new(),
    };
    let lines = |answer| show().answer(&answer, at(AT));
    let code = lines(Answer::Code { user: bob(false), code: "12345 67890".into() });
    assert_eq!(code[..2], ["your code with bob·aaaa:", "  12345 67890"]);
    assert!(code[3].contains("-verify bob·aaaa yes"), "{code:?}");
    let again = lines(Answer::Code { user: bob(true), code: "12345 67890".into() });
    assert_eq!(again[0], "your code with bob·aaaa (you have verified this key):");
    assert_eq!(lines(Answer::Verified { user: bob(true) }), ["you have verified the key of bob·aaaa"]);
    assert_eq!(lines(Answer::Verified { user: bob(false) }), ["the key of bob·aaaa counts as not verified"]);
}

#[test]
fn a_message_to_somebody_away_says_so_and_others_say_nothing() {
    let sent = |away: Vec<Arc<Who>>, due_ms| Answer::Sent {
        message: message(Recipients::All, "hi"),
        away: away.iter().map(|who| Who::clone(who)).collect(),
        due_ms,
    };
    let mut show = show();
    assert!(show.answer(&sent(vec![], 0), at(AT)).is_empty());
    assert_eq!(
        show.answer(&sent(vec![who(3, "carol")], 0), at(AT)),
        ["14:03:12 (carol is away: it is kept and goes out when they are back)"]
    );
    assert!(show.answer(&sent(vec![who(3, "carol")], 0), at(AT)).is_empty(), "that was said");
    assert_eq!(show.answer(&sent(vec![], 3000), at(AT)), ["14:03:12 (message 4 goes out in 3.0 s)"]);
    let many = show.answer(&sent((1..=7).map(|key| who(key, "x")).collect(), 0), at(AT));
    assert!(many[0].contains("and 2 more are away"), "{many:?}");
}

#[test]
fn who_has_a_message_stands_below_it() {
    let people = |keys: &[u8]| keys.iter().map(|&key| Who::clone(&who(key, "x"))).collect();
    let seen = |by: &[u8], not_by: &[u8], away: &[u8]| Answer::Seen {
        message: Message { own: true, ..message(Recipients::All, "hi") },
        by: people(by),
        not_by: people(not_by),
        away: people(away),
    };
    let mut show = show();
    assert_eq!(
        show.answer(&seen(&[3, 4], &[5], &[6]), at(AT)),
        ["14:03:12 bob: hi", "  have it (2): x, x", "  not yet (1): x", "  away (1): x"]
    );
    assert_eq!(show.answer(&seen(&[3, 4], &[], &[]), at(AT))[1], "  everybody has it (2)");
    assert_eq!(show.answer(&seen(&[], &[], &[]), at(AT))[1], "  nobody else is there to have it");
}

#[test]
fn a_message_that_is_not_everywhere_shows_as_such() {
    let mut show = show();
    let missing = || vec![Who::clone(&who(3, "carol"))];
    let one = Event::Unspread { id: id(1, 4), messages: 1, missing: missing() };
    assert_eq!(show.event(&one, at(AT)), ["14:03:12 (your message 4 is not yet with carol)"]);
    let more = Event::Unspread { id: id(1, 4), messages: 3, missing: missing() };
    assert_eq!(show.event(&more, at(AT)), ["14:03:12 (3 messages of yours, from 4 on, are not yet with carol)"]);
    assert_eq!(
        show.event(&Event::Spread { id: id(1, 4), messages: 1 }, at(AT)),
        ["14:03:12 (your message 4 is now with everybody who is here)"]
    );
    assert_eq!(
        show.event(&Event::Spread { id: id(1, 6), messages: 3 }, at(AT)),
        ["14:03:12 (3 messages of yours, up to 6, are now with everybody who is here)"]
    );
}

#[test]
fn what_was_looked_for_and_is_not_there() {
    let mut show = show();
    let mut found = |of| show.answer(&Answer::Found { of, messages: Vec::new() }, at(AT));
    assert_eq!(found(None), ["no message here has all of these words"]);
    assert_eq!(found(Some(Recipients::Group("cars".into()))), ["no message in cars has all of these words"]);
    let some = Answer::Found { of: None, messages: vec![message(Recipients::All, "hi")] };
    assert_eq!(show.answer(&some, at(AT)), ["14:03:12 bob: hi"]);
}

#[test]
fn what_came_while_one_was_away_is_counted() {
    let mut show = show();
    let caught_up = |messages, people| Event::CaughtUp { messages, people };
    assert_eq!(
        show.event(&caught_up(1312, 4), at(AT)),
        ["14:03:12 * caught up: 1,312 messages from 4 people while you were away"]
    );
    assert_eq!(
        show.event(&caught_up(1, 1), at(AT)),
        ["14:03:12 * caught up: 1 message from one person while you were away"]
    );
    let catching_up = Event::CatchingUp { messages: 200, of: 1_005_000 };
    assert_eq!(show.event(&catching_up, at(AT)), ["14:03:12 catching up: 200 of about 1,005,000"]);
}

#[test]
fn what_was_said_before_is_dim_and_dated() {
    let old = [-2, -1].map(|days| Message { sent_at: AT + days * DAY, ..message(Recipients::All, "old") });
    let mut plain = show();
    plain.begin(at(AT));
    assert_eq!(
        plain.recent(&old),
        [
            "-- Thursday, 19 November 2026 --",
            "14:03:12 bob: old",
            "-- Friday, 20 November 2026 --",
            "14:03:12 bob: old"
        ]
    );
    assert_eq!(plain.message(&message(Recipients::All, "new"))[0], "-- Saturday, 21 November 2026 --");
    let mut bright = Show::new(Paint { on: true }, TimeZone::UTC);
    let dim = bright.recent(&old[..1]);
    assert_eq!(dim, [Paint { on: true }.dim("14:03:12 bob: old")]);
    assert!(bright.message(&message(Recipients::All, "new"))[1].contains("\x1b[1;"), "and the next one is not");
}

#[test]
fn all_that_is_known_of_a_person() {
    let person = PersonId::new([2; 32]);
    let who = Who { label: "bob·aaaa".into(), ..Who::clone(&who(2, "bob")) };
    let bob = PersonInfo {
        user: UserInfo { who, present: false, me: false, verified: false, groups: vec!["boats".into(), "cars".into()] },
        fingerprint: person.fingerprint(),
        addresses: vec!["10.0.0.2".into(), "fd00::2".into()],
        listening: Vec::new(),
        forgotten: false,
    };
    let gone = PersonInfo { forgotten: true, addresses: Vec::new(), ..bob.clone() };
    let lines = show().answer(&Answer::Who { people: vec![bob, gone] }, at(AT));
    assert_eq!(
        lines[..6],
        [
            "bob·aaaa: away".to_owned(),
            "  name         bob".to_owned(),
            format!("  fingerprint  {}", person.fingerprint()),
            format!("  key          {person}"),
            "  groups       boats, cars".to_owned(),
            "  addresses    10.0.0.2, fd00::2".to_owned(),
        ]
    );
    assert_eq!(lines[6], "bob·aaaa: forgotten");
    assert_eq!(lines.len(), 11);
}

#[test]
fn who_has_deleted_the_account_is_told_from_who_was_forgotten() {
    let (alice, bob) = (who(1, "alice"), who(2, "bob"));
    let line = |by| show().event(&Event::Forgotten { who: Arc::clone(&alice), by }, at(AT)).join(" ");
    assert!(line(Arc::clone(&alice)).ends_with("* alice has deleted the account"));
    assert!(line(bob).ends_with("* alice is gone for good and forgotten, as bob says"));
}

#[test]
fn a_label_that_grows_says_why() {
    let mut show = show();
    let changed = |before: &str, label: &str| Event::PersonChanged {
        who: Arc::new(Who { label: label.into(), ..Who::clone(&who(2, "bob")) }),
        before: before.into(),
        before_name: "bob".into(),
    };
    assert_eq!(
        show.event(&changed("bob", "bob·aaaa"), at(AT)),
        ["14:03:12 * bob is now bob·aaaa, as another person's name looks the same"]
    );
    assert_eq!(show.event(&changed("bob·aaaa", "bob"), at(AT)), ["14:03:12 * bob·aaaa is now bob"]);
    assert!(show.event(&changed("bob", "bob"), at(AT)).is_empty());
    let me = Who::clone(&who(2, "bob"));
    let known = node::chat::Hello {
        me,
        process: id(2, 0).process,
        users: Vec::new(),
        groups: Vec::new(),
        unread: Vec::new(),
        name_taken_by: None,
    };
    show.hello(&Hello { hello: VERSION, program: String::new(), known }, "");
    assert_eq!(
        show.event(&changed("bob", "bob·aaaa"), at(AT)),
        ["14:03:12 * you are now called bob·aaaa, as another person's name looks the same"]
    );
}

#[test]
fn a_new_name_is_told_as_one() {
    let mut show = show();
    let renamed = |before: &str, label: &str| Event::PersonChanged {
        who: Arc::new(Who { label: label.into(), ..Who::clone(&who(2, "anna")) }),
        before: before.into(),
        before_name: "alice".into(),
    };
    assert_eq!(show.event(&renamed("alice", "anna"), at(AT)), ["14:03:12 * alice is now called anna"]);
    assert_eq!(show.event(&renamed("alice·aaaa", "anna"), at(AT)), ["14:03:12 * alice·aaaa is now called anna"]);
    // To a user who has an alias for them.
    assert_eq!(show.event(&renamed("boss", "boss"), at(AT)), ["14:03:12 * boss (alice) is now called anna"]);
    let (me, other) =
        (Who::clone(&who(2, "alice")), Who { label: "alice·aaaa".into(), ..Who::clone(&who(3, "alice")) });
    let users = Vec::new();
    let known = node::chat::Hello {
        me,
        process: id(2, 0).process,
        users,
        groups: Vec::new(),
        unread: Vec::new(),
        name_taken_by: Some(other.clone()),
    };
    let asked = "your name alice is also the name of alice·aaaa, who had it first: choose another with -nick NAME";
    let lines = show.hello(&Hello { hello: VERSION, program: String::new(), known }, "");
    assert_eq!(lines[1], asked);
    let taken = Event::NameTaken { name: "alice".into(), who: Arc::new(other) };
    assert_eq!(show.event(&taken, at(AT)), [format!("14:03:12 {asked}")]);
    assert_eq!(show.event(&renamed("alice", "anna"), at(AT)), ["14:03:12 * you are now called anna"]);
    let answer = Answer::Renamed { who: Who::clone(&who(2, "anna")) };
    assert_eq!(show.answer(&answer, at(AT)), ["you are now called anna"]);
}

#[test]
fn colours_hang_on_the_key_and_stay_off_when_unwanted() {
    let paint = Paint { on: true };
    let colour = |key: u8| paint.person(PersonId::new([key; 32]), "x");
    assert_eq!(colour(1), colour(1));
    assert!((0..32).any(|key| colour(key) != colour(1)));
    assert_eq!(Paint { on: false }.person(PersonId::new([1; 32]), "x"), "x");
}
