use std::sync::Arc;

use super::*;
use crate::body::{Scope, TextHead};
use crate::history::Conversation;
use crate::identity::Signature;
use crate::kept::{Kept, Leaf, SignedBatch};
use crate::{Incarnation, Name, News, PersonId, ProcessId, Recipients, Who};

fn process() -> ProcessId {
    ProcessId { person: PersonId::new([1; 32]), incarnation: Incarnation(0) }
}

fn stamped(micros: i64) -> Hlc {
    Hlc { micros, logical: 0 }
}

fn text(scope: Scope, micros: i64) -> Vec<u8> {
    body::text(&TextHead { scope, sent_at: 7, hlc: stamped(micros), first: None }, &format!("said at {micros}"))
        .to_vec()
}

/// The first of these bodies, and as many as are like it.
fn run(bodies: &[Vec<u8>], goes_on: impl FnMut(Clock, Hlc, i64) -> bool) -> Run {
    let mut causal = causal::Process::<ProcessId, ()>::new(process(), causal::Config::default());
    let stamp = causal::Stamp { clock: 5, ..causal.multicast(&causal::Set::default()) };
    let mut end = 0;
    let leaves = bodies.iter().enumerate().map(|(nth, body)| {
        let place = end..end + body.len();
        end = place.end;
        if nth == 0 { Leaf::here(stamp.clone(), place) } else { Leaf::follows(0, place) }
    });
    let batch = SignedBatch::new(process(), Signature([0; 64]), leaves.collect(), bodies.concat().into());
    let (conversation, kept) = (Conversation::All, Kept::new(Arc::new(batch), 0));
    let hlc = stamped(1);
    let first = Entry { conversation, hlc, kept, fetched: false, late: true, clock_off: false, opened: None };
    Run::of(first, u32::try_from(bodies.len() - 1).unwrap(), goes_on)
}

#[test]
fn a_run_ends_where_something_else_begins() {
    let group = |name| Scope::Group(Name::parse(name).unwrap());
    let all = |micros| text(Scope::All, micros);
    let unsound = [all(2), vec![0xff]].concat();
    for (bodies, count) in [
        (vec![all(1)], 1),
        (vec![all(1), all(2), all(3)], 3),
        (vec![all(1), all(2), all(2)], 2),
        (vec![all(1), text(group("cars"), 2), all(3)], 1),
        (vec![text(group("cars"), 1), text(group("cars"), 2), text(group("cats"), 3)], 2),
        (vec![all(1), unsound, all(3)], 1),
        (vec![all(1), body::tombstone(process()).to_vec(), all(3)], 1),
        (vec![all(1), vec![], all(3)], 1),
        (vec![all(1), all(2)[..20].to_vec()], 1),
        (vec![body::sealed(b"sealed").to_vec(), body::sealed(b"sealed").to_vec()], 1),
    ] {
        assert_eq!(run(&bodies, |_, _, _| true).count(), count, "{bodies:?}");
    }
    let mut asked = Vec::new();
    let run = run(&[all(1), all(2), all(4), all(5)], |clock, hlc, _| {
        asked.push((clock, hlc.micros));
        hlc.micros < 4
    });
    assert_eq!(run.count(), 2);
    assert_eq!(asked, [(6, 2), (7, 4)]);
}

#[test]
fn a_run_is_its_entries() {
    let run = run(&[text(Scope::All, 1), text(Scope::All, 3)], |_, _, _| true);
    let entries: Vec<Entry> = run.entries().collect();
    let of = |entry: &Entry| (entry.kept.clock(), entry.hlc.micros, entry.text().unwrap().1.to_string(), entry.late);
    let expected = [(5, 1, "said at 1".to_owned(), true), (6, 3, "said at 3".to_owned(), true)];
    assert_eq!(entries.iter().map(of).collect::<Vec<_>>(), expected);
    for clock in 4..8 {
        let id = MessageId { process: process(), clock };
        assert_eq!(run.contains(id), entries.iter().any(|entry| entry.kept.id() == id));
    }
}

#[test]
fn news_of_a_run_are_its_messages_in_their_place() {
    let run = run(&[text(Scope::All, 1), text(Scope::All, 3)], |_, _, _| true);
    let who = Who { person: process().person, name: "al".to_owned(), address: None, label: "al".to_owned() };
    let warning = |text: &str| crate::Event::Warning { text: text.to_owned() };
    let mut news = News::from(warning("before"));
    let texts = crate::news::Texts::new(run, Arc::new(who), Recipients::All, false);
    news.push_texts(texts.clone());
    news.append(News::from(warning("behind")));
    let told = |event| match event {
        crate::Event::Message { message } => format!("{} {} {}", message.id.clock, message.text, message.late),
        crate::Event::Warning { text } => text,
        other => panic!("{other:?}"),
    };
    assert!(!news.is_empty());
    let expected = ["before", "5 said at 1 true", "6 said at 3 true", "behind"];
    assert_eq!(news.clone().map(told).collect::<Vec<_>>(), expected);
    // Whoever has read some of it hands on the rest.
    news.nth(1);
    assert_eq!(news.clone().map(told).collect::<Vec<_>>(), expected[2..]);
    assert_eq!(news.nth(1), Some(warning("behind")));
    assert!(news.is_empty() && news.next().is_none());
    news.push_texts(texts);
    news.nth(1);
    assert!(news.is_empty(), "all of it was read");
}
