use std::fs;

use super::run::{Run, id, process};
use crate::{Error, Event, Options, Report, Rule, check};

fn rules(report: &Report) -> Vec<Rule> {
    report.shown.iter().map(|violation| violation.rule).collect()
}

/// A sends to B and C, and B answers both. If `disordered`, C delivers the answer first.
fn triangle(disordered: bool) -> Run {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1).send(1, 1, &[0, 2]).deliver(0, 1, 1);
    if disordered {
        run.deliver(2, 1, 1).deliver(2, 0, 1);
    } else {
        run.deliver(2, 0, 1).deliver(2, 1, 1);
    }
    run.stop();
    run
}

#[test]
fn the_triangle_shows_the_chain_of_messages() {
    let report = triangle(false).complete();
    assert_eq!(
        report.to_string(),
        "3 files, 3 processes: 2 messages, 4 deliveries, 0 held, 0 abandoned, 0 late: OK, causally ordered and complete"
    );
    let report = triangle(true).check();
    let text = report.to_string();
    let files: Vec<&str> = text.lines().map(|line| line.rsplit('/').next().unwrap()).collect();
    assert_eq!(report.violations, 1, "{text}");
    assert_eq!(files[2..], ["p0:1", "p1:1", "p1:2", "p2:1", "p2:2"], "{text}");
    let told: Vec<&str> = text.lines().map(|line| line.split(", /").next().unwrap()).collect();
    assert_eq!(
        told[1..],
        [
            "violation: p2 delivered p1#1 before p0#1, on which it depends",
            "  00:00:00.000000 p0 sent p0#1 (P0:1)",
            "  00:00:00.000001 p1 delivered p0#1",
            "  00:00:00.000002 p1 sent p1#1 (P1:1)",
            "  00:00:00.000004 p2 delivered p1#1",
            "  00:00:00.000005 p2 delivered p0#1 only then",
        ]
    );
}

#[test]
fn messages_of_one_author_are_ordered_even_if_its_trace_is_missing() {
    let mut run = Run::new(3);
    run.deliver(0, 2, 2).deliver(0, 2, 1).deliver(1, 2, 1).deliver(1, 2, 2);
    run.0.pop();
    assert_eq!(rules(&run.check()), [Rule::CausalOrder]);
}

#[test]
fn a_message_that_is_never_delivered_breaks_completeness_and_not_order() {
    let mut run = Run::new(2);
    run.send(0, 1, &[1]).send(0, 2, &[1]).deliver(1, 0, 2).stop();
    assert!(run.check().is_ok());
    assert_eq!(rules(&run.complete()), [Rule::Complete]);
}

#[test]
fn a_late_delivery_is_exempt_from_causal_order_but_not_from_exactly_once() {
    let mut run = Run::new(2);
    run.send(0, 1, &[1]).send(0, 2, &[1]).abandon(1, 0, 1, 1).deliver(1, 0, 2).late(1, 0, 1);
    assert!(run.check().is_ok());
    assert_eq!(rules(&run.late(1, 0, 1).check()), [Rule::DeliveredOnce]);
}

#[test]
fn messages_that_were_given_up_and_never_came_are_counted() {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).send(0, 2, &[2]).send(0, 3, &[1, 2]);
    // The second message is not for 1.
    run.deliver(2, 0, 1).deliver(2, 0, 2).deliver(2, 0, 3).abandon(1, 0, 1, 3).late(1, 0, 3).stop();
    let report = run.complete();
    assert!(report.is_ok(), "{report}");
    assert_eq!(report.lost, 1);
    assert!(report.to_string().contains(" 1 abandoned (1 message never came), 1 late: OK"), "{report}");
    assert!(run.late(1, 0, 1).complete().to_string().contains(" 1 abandoned (0 messages never came), 2 late: OK"));
    assert!(run.check().to_string().contains(" 1 abandoned, 2 late: OK"));
}

#[test]
fn only_a_message_that_was_given_up_may_be_late() {
    let mut run = Run::new(2);
    run.send(0, 1, &[1]).send(0, 2, &[1]).abandon(1, 0, 2, 2).late(1, 0, 1);
    assert_eq!(rules(&run.check()), [Rule::LateAfterAbandon]);
}

#[test]
fn a_dependency_that_only_a_given_up_message_named_may_be_overtaken() {
    // 2 gives up the message of 1. Only that one named the message of 0 as a dependency.
    let mut run = Run::new(4);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1).send(1, 1, &[2, 3]).deliver(3, 1, 1).send(3, 1, &[2]);
    let mut strict = run.clone();
    strict.deliver(2, 3, 1).deliver(2, 0, 1);
    assert_eq!(rules(&strict.check()), [Rule::CausalOrder]);
    run.abandon(2, 1, 1, 1).deliver(2, 3, 1).deliver(2, 0, 1);
    assert!(run.check().is_ok(), "{}", run.check());
    // The earlier dependency of 3's next message is still exempt. The new message of 0 is not.
    run.send(0, 2, &[2, 3]).deliver(3, 0, 2).send(3, 2, &[2]).deliver(2, 3, 2).deliver(2, 0, 2);
    assert_eq!(rules(&run.check()), [Rule::CausalOrder]);
}

#[test]
fn causal_order_holds_across_the_restart_of_a_peer() {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1);
    let (ts, peer, name) = (9, process(7), "p1".into());
    let reborn = |event| crate::Record { ts, peer: peer.clone(), name: std::sync::Arc::clone(&name), event };
    run.0[1].push(reborn(Event::Start { supersedes: Some(process(1)) }));
    run.0[1].push(reborn(Event::Send { id: id(7, 1), dests: vec![process(2)], group: None }));
    run.deliver(2, 7, 1).deliver(2, 0, 1);
    let report = run.check();
    assert_eq!(rules(&report), [Rule::CausalOrder]);
    assert!(report.to_string().contains("p2 delivered p1(P7)#1 before p0#1"), "{report}");
}

#[test]
fn ids_are_sent_once_by_their_own_process_with_growing_clocks() {
    let mut run = Run::new(2);
    assert_eq!(rules(&run.send(0, 1, &[1]).send(0, 1, &[1]).check()), [Rule::SentOnce]);
    let mut run = Run::new(2);
    assert_eq!(rules(&run.send(0, 2, &[1]).send(0, 1, &[1]).check()), [Rule::ClocksGrow]);
    let mut run = Run::new(2);
    run.push(1, Event::Send { id: id(0, 1), dests: vec![], group: None });
    assert_eq!(rules(&run.check()), [Rule::SentOnce]);
}

#[test]
fn a_process_delivers_only_messages_that_were_sent_to_it() {
    let mut run = Run::new(3);
    assert_eq!(rules(&run.send(0, 1, &[1]).deliver(2, 0, 1).check()), [Rule::Addressed]);
    let mut run = Run::new(2);
    run.push(0, Event::Start { supersedes: None });
    assert_eq!(rules(&run.deliver(1, 0, 1).check()), [Rule::Sent]);
}

#[test]
fn a_delivery_before_its_send_is_reported() {
    let mut run = Run::new(3);
    run.deliver(0, 1, 1).send(0, 1, &[1, 2]).deliver(1, 0, 1).send(1, 1, &[0]).deliver(2, 0, 1);
    let report = run.check();
    assert_eq!(rules(&report), [Rule::SentFirst]);
    assert_eq!(report.violations, 1);
}

#[test]
fn completeness_exempts_peers_that_are_gone() {
    let sent = |event: Option<(usize, Event)>, stopped: &[usize]| {
        let mut run = Run::new(3);
        run.send(0, 1, &[1, 2]).deliver(2, 0, 1);
        if let Some((peer, event)) = event {
            run.push(peer, event);
        }
        for &peer in stopped {
            run.push(peer, Event::Stop);
        }
        run
    };
    assert_eq!(rules(&sent(None, &[0, 1, 2]).complete()), [Rule::Complete]);
    // Killed for good.
    assert!(sent(Some((1, Event::Start { supersedes: None })), &[0, 2]).complete().is_ok());
    // Started again, and ended on purpose.
    assert_eq!(rules(&sent(Some((1, Event::Start { supersedes: None })), &[0, 1, 2]).complete()), [Rule::Complete]);
    assert!(sent(Some((1, Event::Abandon { id: id(0, 1), upto: 1 })), &[0, 1, 2]).complete().is_ok());
    assert!(sent(Some((2, Event::Forget { process: process(1) })), &[0, 1, 2]).complete().is_ok());
    assert!(sent(Some((2, Event::Start { supersedes: Some(process(1)) })), &[0, 1, 2]).complete().is_ok());
    for name in ["p1", "P1"] {
        let options = Options { complete: true, absent: vec![name.to_owned()], ..Options::default() };
        let report = sent(None, &[0, 1, 2]).check_with(&options);
        assert!(report.is_ok() && report.notes.is_empty(), "{report}");
    }
    let absent = vec!["p2".to_owned(), "nobody".to_owned()];
    let options = Options { complete: true, absent, ..Options::default() };
    let report = sent(None, &[0, 1, 2]).check_with(&options);
    assert_eq!((rules(&report), report.notes.len()), (vec![Rule::Complete], 1));
    // The author was killed, but another process has the message.
    assert_eq!(rules(&sent(None, &[1, 2]).complete()), [Rule::Complete]);
}

#[test]
fn completeness_covers_running_peers_like_stopped_ones() {
    let mut run = Run::new(2);
    run.send(0, 1, &[1]).push(1, Event::Start { supersedes: None });
    let report = run.complete();
    assert!(report.to_string().ends_with("complete (2 had not stopped: nothing was asked of them)"), "{report}");
    let running = Options { complete: true, running: true, ..Options::default() };
    assert_eq!(rules(&run.check_with(&running)), [Rule::Complete]);
    assert!(run.deliver(1, 0, 1).check_with(&running).is_ok());
}

#[test]
fn a_process_followed_by_another_in_its_file_counts_as_killed_while_peers_run() {
    let running = Options { complete: true, running: true, ..Options::default() };
    let mut run = Run::new(2);
    run.send(0, 1, &[1]).push(1, Event::Start { supersedes: None });
    run.push_to(1, 2, Event::Start { supersedes: None });
    assert!(run.check_with(&running).is_ok());
}

#[test]
fn completeness_exempts_peers_without_a_trace_while_peers_run() {
    let running = Options { complete: true, running: true, ..Options::default() };
    let mut run = Run::new(2);
    run.send(0, 1, &[1, 2]).deliver(1, 0, 1);
    assert!(run.check_with(&running).is_ok());
}

#[test]
fn completeness_exempts_killed_peers_while_others_run() {
    let killed =
        |name: &str| Options { complete: true, running: true, killed: vec![name.to_owned()], ..Options::default() };
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).deliver(2, 0, 1).push(1, Event::Start { supersedes: None });
    assert!(run.check_with(&killed("p1")).is_ok());
    assert_eq!(rules(&run.check_with(&killed("p2"))), [Rule::Complete]);
    assert_eq!(run.check_with(&killed("nobody")).notes.len(), 1);
}

#[test]
fn completeness_exempts_a_message_of_a_killed_author_that_no_process_has() {
    let mut run = Run::new(3);
    run.send(0, 1, &[1, 2]).push(1, Event::Stop).push(2, Event::Stop);
    assert!(run.complete().is_ok());
    let mut held = Run::new(3);
    held.send(0, 1, &[1, 2]).push(1, Event::Hold { id: id(0, 1), missing: vec![] });
    held.push(1, Event::Stop).push(2, Event::Stop);
    assert_eq!(held.complete().violations, 2);
    // The only process that had it was killed, too.
    let mut lost = Run::new(3);
    lost.send(0, 1, &[1, 2]).deliver(1, 0, 1).push(2, Event::Stop);
    assert!(lost.complete().is_ok());
    assert_eq!(rules(&run.push(0, Event::Stop).complete()), [Rule::Complete; 2]);
}

#[test]
fn a_torn_last_line_is_noted_and_a_malformed_one_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let line = r#"{"ts":1,"peer":"P","name":"p","event":"start"}"#;
    fs::write(&file, format!("{line}\n{{\"ts\":2,\"pe")).unwrap();
    let report = check(&[&file], &Options::default()).unwrap();
    assert!(report.is_ok());
    assert_eq!(report.notes.len(), 1);
    assert!(report.to_string().ends_with("trace:2: the last line has no end"), "{report}");
    for bad in ["", "{\"ts\":2,\"pe", "\u{0}", "[]"] {
        fs::write(&file, format!("{line}\n{bad}\n{line}\n")).unwrap();
        let error = check(&[&file], &Options::default()).unwrap_err();
        assert!(matches!(error, Error::Malformed { line: 2, .. }), "{error}");
        assert!(error.to_string().contains("trace:2: "), "{error}");
    }
    assert!(matches!(check(&[folder.path().join("none")], &Options::default()), Err(Error::Read { .. })));
}

#[test]
fn one_process_in_two_files_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["a", "b"].map(|name| folder.path().join(name));
    for file in &files {
        fs::write(file, "{\"ts\":1,\"peer\":\"P\",\"name\":\"p\",\"event\":\"start\"}\n").unwrap();
    }
    assert!(matches!(check(&files, &Options::default()), Err(Error::SharedProcess { .. })));
}
