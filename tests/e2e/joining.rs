//! Whoever joins in the middle of a conversation never sees an answer before its question.

use crate::support::net::Net;

const TURNS: usize = 150;

/// Whether every answer stands behind its question: answers without one are told.
fn orphans(shown: &[String]) -> Vec<&String> {
    let early = |(at, text): &(usize, &String)| {
        text.strip_prefix("answer ").is_some_and(|number| !shown[..*at].contains(&format!("question {number}")))
    };
    shown.iter().enumerate().filter(early).map(|(_, text)| text).collect()
}

#[test]
fn a_newcomer_to_a_group_sees_questions_before_answers() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    alice.meets("bob");
    alice.meets("carol");
    bob.meets("carol");
    alice.run("-creategroup cars");
    bob.expect_event("group_appeared", |_| true);
    bob.run("-joingroup cars");
    alice.expect_event("group_joined", |event| event["who"]["name"] == "bob");
    carol.expect_event("group_appeared", |_| true);
    for turn in 0..TURNS {
        alice.say(&format!("@cars question {turn}"));
        if turn == TURNS / 2 {
            carol.write("-joingroup cars");
        }
        bob.hears(&format!("question {turn}"));
        bob.say(&format!("@cars answer {turn}"));
        if turn % 10 == 0 {
            alice.hears(&format!("answer {turn}"));
        }
    }
    carol.hears(&format!("answer {}", TURNS - 1));
    let joined = carol.expect("the answer to the join", |line| line["answer"] == "joined");
    let before = joined["history"].as_array().into_iter().flatten();
    let mut shown: Vec<String> = before.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect();
    shown.extend(carol.shown());
    assert!(shown.contains(&format!("question {}", TURNS - 1)));
    assert_eq!(orphans(&shown), Vec::<&String>::new(), "{shown:?}");
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn a_newcomer_to_the_network_sees_questions_before_answers() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    net.plug("carol");
    let mut carol = None;
    for turn in 0..TURNS {
        alice.say(&format!("question {turn}"));
        if turn == 20 {
            carol = Some(net.spawn_beside("carol", "carol", &[]));
        }
        bob.hears(&format!("question {turn}"));
        bob.say(&format!("answer {turn}"));
    }
    let carol = carol.expect("she was started on the way");
    carol.meets("alice");
    carol.meets("bob");
    alice.meets("carol");
    bob.meets("carol");
    alice.say("question last");
    bob.hears("question last");
    bob.say("answer last");
    carol.hears("answer last");
    let shown = carol.shown();
    assert_eq!(orphans(&shown), Vec::<&String>::new(), "{shown:?}");
    net.check_complete(vec![alice, bob, carol]);
}
