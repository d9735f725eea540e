//! A link that is cut in silence is noticed, and loses nothing once it is whole again.

use std::time::{Duration, Instant};

use crate::support::net::Net;

#[test]
fn a_cut_link_is_down_within_twelve_seconds_and_heals() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    let cut = Instant::now();
    net.cut("alice", "bob");
    alice.loses("bob");
    bob.loses("alice");
    // 12 seconds are the promise; the rest is for a busy machine.
    assert!(cut.elapsed() < Duration::from_secs(15), "noticed after {:?}", cut.elapsed());
    assert_eq!(alice.run("are you there?")["away"][0]["name"], "bob");
    bob.say("hello?");
    net.heal();
    alice.meets("bob");
    bob.hears("are you there?");
    alice.hears("hello?");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn what_one_side_of_a_cut_cannot_hear_reaches_it_by_the_others_or_later() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    for peer in [&alice, &bob] {
        peer.meets("carol");
    }
    alice.meets("bob");
    // Alice and carol cannot reach each other; bob reaches both.
    net.cut("alice", "carol");
    alice.loses("carol");
    carol.loses("alice");
    alice.say("a question that carol cannot hear");
    bob.hears("a question that carol cannot hear");
    bob.say("an answer");
    alice.hears("an answer");
    carol.hears("an answer");
    assert_eq!(carol.shown(), ["a question that carol cannot hear", "an answer"]);
    net.heal();
    carol.meets("alice");
    carol.say("now I am back");
    alice.hears("now I am back");
    bob.hears("now I am back");
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn both_halves_of_a_split_network_go_on_and_come_together() {
    let Some(mut net) = Net::new() else { return };
    let mut peers = ["alice", "bob", "carol", "dave"].map(|name| net.spawn(name, &[]));
    for number in 0..4 {
        for other in (0..4).filter(|&other| other != number) {
            peers[number].meets(peers[other].name());
        }
    }
    net.split(&["carol", "dave"]);
    for (here, there) in [(0, 2), (0, 3), (1, 2), (1, 3)] {
        peers[here].loses(peers[there].name());
        peers[there].loses(peers[here].name());
    }
    for (speaker, listener, text) in [(0, 1, "one"), (1, 0, "two"), (2, 3, "three"), (3, 2, "four")] {
        peers[speaker].say(text);
        peers[listener].hears(text);
    }
    net.heal();
    for (listener, texts) in [(0, ["three", "four"]), (1, ["three", "four"]), (2, ["one", "two"]), (3, ["one", "two"])]
    {
        for text in texts {
            peers[listener].hears(text);
        }
        let shown = peers[listener].shown();
        let place = |text: &str| shown.iter().position(|other| other == text);
        assert!(place(texts[0]) < place(texts[1]), "{shown:?}");
    }
    net.check_complete(peers.into());
}
