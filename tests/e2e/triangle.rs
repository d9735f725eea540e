//! Alice's first message to carol is slow. What alice says next, and what bob answers to that, waits at carol's.

use std::time::Duration;

use crate::support::net::Net;

#[test]
fn an_answer_waits_for_its_question() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    for (peer, others) in [(&alice, ["bob", "carol"]), (&bob, ["alice", "carol"]), (&carol, ["alice", "bob"])] {
        for other in others {
            peer.meets(other);
        }
    }

    let question = alice.say("-delay 6 @carol The question");
    alice.say("I have asked carol something");
    bob.hears("I have asked carol something");
    let answer = bob.say("And the answer is 42");

    let held = carol.expect_event("held", |event| event["held"]["id"] == answer.as_str());
    assert_eq!(held["held"]["from"]["name"], "bob", "{held}");
    let pending = carol.run("-pending");
    assert_eq!(pending["held"].as_array().map(Vec::len), Some(2), "{pending}");
    assert!(pending.to_string().contains(&question), "{pending}");
    assert_eq!(alice.run("-pending")["delayed"][0], question.as_str());
    assert!(carol.shown().is_empty(), "{:?}", carol.shown());

    carol.hears("The question");
    let released = carol.expect_event("released", |event| event["id"] == answer.as_str());
    assert!(released["held_ms"].as_u64() > Some(100), "{released}");
    carol.hears("And the answer is 42");
    assert_eq!(carol.shown(), ["The question", "I have asked carol something", "And the answer is 42"]);
    assert!(carol.run("-pending")["held"].as_array().is_some_and(Vec::is_empty));
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn what_is_still_delayed_is_sent_before_its_author_leaves() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    let sent = alice.run("-delay 30 not lost");
    let due = sent["due_ms"].as_u64().map(Duration::from_millis);
    assert!(due > Some(Duration::from_secs(29)), "{sent}");
    alice.quit();
    bob.hears("not lost");
    bob.loses("alice");
    net.check_complete(vec![bob]);
}

#[test]
fn what_waits_for_a_question_that_is_taken_back_is_released() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let carol = net.spawn("carol", &[]);
    for (peer, others) in [(&alice, ["bob", "carol"]), (&bob, ["alice", "carol"]), (&carol, ["alice", "bob"])] {
        for other in others {
            peer.meets(other);
        }
    }
    let question = alice.say("-delay 30 @carol The question");
    alice.say("I have asked carol something");
    bob.hears("I have asked carol something");
    let answer = bob.say("And the answer is 42");
    carol.expect_event("held", |event| event["held"]["id"] == answer.as_str());
    let pending = alice.run("-pending");
    let waiting = &pending["waiting"][0];
    assert_eq!((waiting["number"].as_u64(), &waiting["text"]), (Some(1), &"The question".into()), "{pending}");
    let cancelled = alice.run("-cancel 1");
    assert_eq!(cancelled["waiting"]["id"], question.as_str(), "{cancelled}");
    carol.hears("And the answer is 42");
    assert_eq!(carol.shown(), ["I have asked carol something", "And the answer is 42"]);
    assert!(alice.refuses("-cancel").contains("nothing of yours"));
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn what_is_scheduled_goes_out_after_a_restart_and_keeps_nobody_waiting() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    let scheduled = alice.run("-delay 31 @bob later");
    assert_eq!(scheduled["answer"], "scheduled", "{scheduled}");
    alice.run("-delay 3600 much later");
    alice.say("now");
    bob.hears("now");
    alice.kill();
    alice.restart();
    bob.hears("later");
    assert_eq!(bob.shown(), ["now", "later"]);
    let pending = alice.run("-pending");
    assert_eq!(pending["waiting"].as_array().map(Vec::len), Some(1), "{pending}");
    assert_eq!(pending["waiting"][0]["text"], "much later", "{pending}");
    assert_eq!(alice.run("-cancel")["waiting"]["text"], "much later");
    bob.say("got it");
    alice.hears("got it");
    net.check_complete(vec![alice, bob]);
}
