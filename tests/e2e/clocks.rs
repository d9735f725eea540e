//! Nobody reads an answer above its question, however wrong a clock is.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::peer::Peer;
use crate::skip::skip;
use crate::support::net::Net;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// bob's clock is off by so many seconds; alice's, carol's and dave's are right.
struct Scene {
    net: Net,
    alice: Peer,
    bob: Peer,
}

/// What makes a program see another time, but for its monotonic clock: `None` where it is not installed.
fn clock_off_by(seconds: i64) -> Option<Vec<String>> {
    // Debian's folders, one for each architecture, and those of other systems.
    let folders = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"];
    let below = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    let all = folders.iter().map(Into::into).chain(below.map(|entry| entry.path()));
    let mut libraries =
        all.flat_map(|folder| [folder.join("faketime/libfaketime.so.1"), folder.join("libfaketime.so.1")]);
    let Some(library) = libraries.find(|library| library.is_file()) else {
        skip("libfaketime (Debian's package faketime)", "there is no libfaketime.so.1");
        return None;
    };
    let preload = format!("LD_PRELOAD={}", library.display());
    Some(vec![
        preload,
        format!("FAKETIME={seconds:+}"),
        "FAKETIME_DONT_FAKE_MONOTONIC=1".into(),
        "NO_FAKE_STAT=1".into(),
    ])
}

fn until(unix: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("this machine's clock is past 1970");
    unix - i64::try_from(now.as_secs()).expect("seconds since 1970 fit")
}

impl Scene {
    fn new(off_by: i64) -> Option<Self> {
        let environment = clock_off_by(off_by)?;
        let mut net = Net::new()?;
        let alice = net.spawn("alice", &[]);
        let bob = net.spawn_in("bob", &environment);
        alice.meets("bob");
        bob.meets("alice");
        Some(Self { net, alice, bob })
    }

    /// They ask and answer each other. `to` is what stands before each text.
    fn talk(&mut self, to: &str) {
        let Self { alice, bob, .. } = self;
        for number in 1..=3 {
            let question = format!("Q{number}");
            alice.say(&format!("{to}{question}"));
            bob.hears(&question);
            if number < 3 {
                let answer = format!("A{number}");
                bob.say(&format!("{to}{answer}"));
                alice.hears(&answer);
            }
        }
    }
}

fn texts(answer: &serde_json::Value, of: &str) -> Vec<String> {
    let messages = answer[of].as_array().into_iter().flatten();
    messages.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

fn history(peer: &mut Peer, of: &str) -> Vec<String> {
    texts(&peer.run(&format!("-history {of}")), "messages")
}

const SAID: [&str; 5] = ["Q1", "A1", "Q2", "A2", "Q3"];

fn nobody_reads_an_answer_above_its_question(off_by: i64) {
    let Some(mut scene) = Scene::new(off_by) else { return };
    scene.talk("");
    let Scene { mut net, mut alice, mut bob } = scene;
    let mut carol = net.spawn("carol", &[]);
    carol.hears("Q3");
    assert_eq!(carol.shown(), SAID, "carol, who came then");
    carol.meets("alice");
    carol.meets("bob");
    for peer in [&mut alice, &mut bob, &mut carol] {
        assert_eq!(history(peer, ""), SAID, "the history of {}", peer.name());
    }
    // What was written by a wrong clock is marked wherever it is read.
    let shown = carol.heard();
    let mark = |text: &str| {
        let line = shown.iter().find(|line| line["message"]["text"] == text).expect("she was shown it");
        line["message"]["clock_off"].as_bool()
    };
    assert_eq!((mark("Q1"), mark("Q3")), (Some(false), Some(false)));
    assert_eq!((mark("A1"), mark("A2")), (Some(true), Some(true)));
    // bob leaves, and a newcomer has it from others.
    bob.quit();
    alice.loses("bob");
    carol.loses("bob");
    let mut dave = net.spawn("dave", &[]);
    dave.hears("Q3");
    assert_eq!(dave.shown(), SAID, "dave, to whom bob said nothing");
    assert_eq!(history(&mut dave, ""), SAID);
    alice.meets("dave");
    carol.meets("dave");
    for other in ["alice", "carol"] {
        dave.meets(other);
    }
    // A prompt of its own begins with the same question, and so does a peer that goes on from its store.
    carol.quit();
    alice.loses("carol");
    dave.loses("carol");
    carol.restart();
    assert_eq!(history(&mut carol, ""), SAID);
    carol.meets("alice");
    carol.meets("dave");
    // bob's clock is put right.
    bob.launch.prefix.truncate(net.prefix("bob").len());
    bob.restart();
    for other in ["alice", "carol", "dave"] {
        bob.meets(other);
    }
    bob.say("A3");
    for peer in [&alice, &carol, &dave] {
        assert_eq!(peer.hears("A3")["message"]["clock_off"], false);
    }
    carol.say("Q4");
    for peer in [&alice, &bob, &dave] {
        peer.hears("Q4");
    }
    for peer in [&mut alice, &mut bob, &mut carol, &mut dave] {
        assert_eq!(history(peer, "7"), [&SAID[..], &["A3", "Q4"]].concat(), "the history of {}", peer.name());
    }
    let report = net.check_complete(vec![alice, bob, carol, dave]);
    assert!(report.contains("10 shown as history"), "{report}");
}

#[test]
fn a_clock_that_is_25_hours_ahead() {
    nobody_reads_an_answer_above_its_question(25 * HOUR);
}

#[test]
fn a_clock_that_is_400_days_behind() {
    nobody_reads_an_answer_above_its_question(-400 * DAY);
}

#[test]
fn a_clock_that_begins_in_1970() {
    nobody_reads_an_answer_above_its_question(until(DAY));
}

#[test]
fn a_clock_that_is_in_2106() {
    nobody_reads_an_answer_above_its_question(until((1 << 32) - DAY));
}

#[test]
fn in_a_group_and_at_a_prompt_that_is_opened_later() {
    let Some(environment) = clock_off_by(25 * HOUR) else { return };
    let Some(mut net) = Net::new() else { return };
    let alice = net.serve("alice");
    let bob = net.spawn_in("bob", &environment);
    bob.meets("alice");
    let first = alice.launch.clone().attach();
    let mut scene = Scene { net, alice: first, bob };
    scene.alice.run("-creategroup cars");
    scene.bob.expect_event("group_appeared", |_| true);
    scene.bob.run("-joingroup cars");
    scene.alice.expect_event("group_joined", |event| event["who"]["name"] == "bob");
    scene.talk("@cars ");
    let Scene { mut net, alice: mut first, mut bob } = scene;
    let mut carol = net.spawn("carol", &[]);
    carol.meets("alice");
    carol.meets("bob");
    carol.expect_event("group_appeared", |_| true);
    let joined = carol.run("-joingroup cars");
    let mut shown = texts(&joined, "history");
    if shown.is_empty() {
        carol.hears("Q3");
        shown = carol.shown();
    }
    assert_eq!(shown, SAID, "carol, who joined then");
    let mut later = alice.launch.clone().attach();
    for peer in [&mut first, &mut later, &mut bob, &mut carol] {
        assert_eq!(history(peer, "cars"), SAID, "the history of {}", peer.name());
        assert_eq!(history(peer, ""), SAID, "all that {} has", peer.name());
    }
}
