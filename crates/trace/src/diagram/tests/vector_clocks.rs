use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::Index;

use super::{diagram, hold};
use crate::check::tests::naive::happened_before;
use crate::check::tests::random::{run, steps};
use crate::check::tests::run::{Run, id, process};
use crate::{Event, SHIVIZ_EXPRESSION};

/// One line of a log: host, clock, event.
type Line = (String, BTreeMap<String, u64>, String);

fn log(run: &Run) -> Vec<Line> {
    let mut log = Vec::new();
    diagram(run).write_shiviz(&mut log).unwrap();
    let log = String::from_utf8(log).unwrap();
    let mut lines = log.lines();
    assert_eq!((lines.next(), lines.next()), (Some(SHIVIZ_EXPRESSION), Some("")));
    lines.map(read).collect()
}

/// Reads a line as the expression does: `(?<host>\S+) (?<clock>\{[^}]*\}) (?<event>.*)`.
fn read(line: &str) -> Line {
    let (host, rest) = line.split_once(' ').unwrap();
    let (clock, event) = rest.split_at(rest.find('}').unwrap() + 1);
    (host.to_owned(), serde_json::from_str(clock).unwrap(), event.strip_prefix(' ').unwrap().to_owned())
}

fn happened(a: &BTreeMap<String, u64>, b: &BTreeMap<String, u64>) -> bool {
    a != b && a.iter().all(|(host, events)| b.get(host).is_some_and(|more| more >= events))
}

#[test]
fn a_held_message_is_logged_with_the_messages_that_it_waits_for() {
    let mut run = Run::new(2);
    run.push(0, Event::Send { id: id(0, 1), dests: vec![process(1)], group: Some("cars".into()) });
    run.push(1, Event::Hold { id: id(0, 1), missing: vec![id(0, 7)] }).deliver(1, 0, 1).push(1, Event::Stop);
    let told: Vec<String> = log(&run).into_iter().map(|(host, _, event)| format!("{host} {event}")).collect();
    assert_eq!(
        told,
        ["@p0 sends p0#1 [cars] to p1", "@p1 holds p0#1, which waits for p0#7", "@p1 delivers p0#1", "@p1 leaves",]
    );
}

#[test]
fn hosts_are_single_words_and_all_different() {
    let names = ["constructor", "a b", "a_b", "\"}\\\u{3000}", "x\u{2028}y", "same", "same(2)", "same"];
    let mut run = Run::new(names.len());
    for (peer, name) in names.iter().enumerate() {
        run.push(peer, Event::Stop);
        run.0[peer][0].name = (*name).into();
    }
    let log = log(&run);
    let hosts: BTreeSet<&String> = log.iter().map(|(host, ..)| host).collect();
    assert_eq!(hosts.len(), names.len(), "{hosts:?}");
    assert!(hosts.iter().all(|host| host.starts_with('@') && !host.contains(char::is_whitespace)), "{hosts:?}");
    assert!(log.iter().all(|(host, clock, _)| *clock == BTreeMap::from([(host.clone(), 1)])));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn vector_clocks_agree_with_happened_before(
        steps in steps(4),
        ordered: bool,
        holds in prop::collection::vec((0..4usize, any::<Index>()), 0..4),
    ) {
        let mut run = run(4, &steps, ordered);
        for (peer, which) in holds {
            hold(&mut run, peer, which, |delivery| delivery);
        }
        let events: Vec<(usize, &Event)> =
            run.0.iter().enumerate().flat_map(|(peer, records)| records.iter().map(move |r| (peer, &r.event))).collect();
        let before = happened_before(&events);
        let log = log(&run);
        prop_assert_eq!(log.len(), events.len());
        // The events of one peer are in the order of its trace, and the peer's own entry counts them.
        let mut clocks = Vec::new();
        for peer in 0..4 {
            let host = format!("@p{peer}");
            let own: Vec<_> = log.iter().filter(|line| line.0 == host).map(|line| &line.1).collect();
            for (position, clock) in own.iter().enumerate() {
                prop_assert_eq!(clock[&host], position as u64 + 1);
            }
            clocks.extend(own);
        }
        for (a, first) in clocks.iter().enumerate() {
            for (b, second) in clocks.iter().enumerate() {
                prop_assert_eq!(happened(first, second), before[a][b], "{:?} and {:?}", events[a], events[b]);
            }
        }
    }
}
