//! How people are shown: by what hangs on their keys, the same on every screen, and so that it can be typed back.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::peer::Peer;
use crate::support::net::Net;

/// How a peer shows everybody, by their keys.
fn labels(peer: &mut Peer) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let listed = peer.run("-lu");
    let users = listed["users"].as_array().expect("a list of users");
    users.iter().map(|user| (text(&user["who"]["person"]), text(&user["who"]["label"]))).collect()
}

/// The person whose peer this is.
fn key(peer: &Peer) -> String {
    peer.heard()[0]["me"]["person"].as_str().expect("a hello says who one is").to_owned()
}

/// A name with the end of the key.
fn with_fingerprint(name: &str, peer: &Peer) -> String {
    let key = key(peer);
    format!("{name}·{}", &key[key.len() - 4..])
}

#[test]
fn two_people_of_one_name_have_the_same_labels_everywhere_and_always() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    assert_eq!(labels(&mut alice)[&key(&bob)], "bob");
    // On the same machine, even.
    let mut rob = net.spawn_beside("bob", "rob", &["--name", "bob"]);
    rob.meets("alice");
    rob.meets("bob");
    let expected = BTreeMap::from([
        (key(&alice), "alice".to_owned()),
        (key(&bob), with_fingerprint("bob", &bob)),
        (key(&rob), with_fingerprint("bob", &rob)),
    ]);
    for peer in [&mut alice, &mut bob] {
        peer.expect_event("peer_up", |event| event["who"]["label"] == expected[&key(&rob)].as_str());
    }
    let told = alice.expect_event("person_changed", |event| event["before"] == "bob");
    assert_eq!(told["who"]["label"], expected[&key(&bob)].as_str(), "{told}");
    for peer in [&mut alice, &mut bob, &mut rob] {
        assert_eq!(labels(peer), expected);
    }
    let refusal = alice.refuses("@bob to one of you");
    for one in [&bob, &rob] {
        assert!(refusal.contains(&expected[&key(one)]), "{refusal}");
    }
    assert!(alice.refuses(&format!("@bob@{} to one of you", net.address("bob"))).contains(&expected[&key(&bob)]));
    alice.say(&format!("@{} as shown", expected[&key(&bob)]));
    alice.say(&format!("@{} in ASCII", expected[&key(&rob)].replace('·', "@")));
    bob.hears("as shown");
    rob.hears("in ASCII");
    assert_eq!((bob.shown(), rob.shown()), (vec!["as shown".to_owned()], vec!["in ASCII".to_owned()]));
    // The links come back, and then everybody anew.
    net.cut("alice", "bob");
    alice.loses("bob");
    alice.loses("bob");
    net.heal();
    alice.meets("bob");
    assert_eq!(labels(&mut alice), expected);
    alice.quit();
    alice.restart();
    alice.meets("bob");
    alice.meets("bob");
    assert_eq!(labels(&mut alice), expected);
    // Should the other one go by another name, each name is one person's again.
    rob.quit();
    rob.launch.options = vec!["--name".to_owned(), "rob".to_owned()];
    rob.restart();
    alice.meets("rob");
    rob.meets("alice");
    let shown = labels(&mut alice);
    assert_eq!((shown[&key(&bob)].as_str(), shown[&key(&rob)].as_str()), ("bob", "rob"));
    alice.say("@bob alone again");
    bob.hears("alone again");
    net.check_complete(vec![alice, bob, rob]);
}

#[test]
fn a_name_that_looks_like_another_does_not_pass_for_it() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    // With a Cyrillic letter in front.
    let mut other = net.spawn("other", &["--name", "аlice"]);
    for name in ["alice", "аlice"] {
        bob.meets(name);
    }
    alice.meets("аlice");
    other.meets("alice");
    let expected = BTreeMap::from([
        (key(&alice), with_fingerprint("alice", &alice)),
        (key(&bob), "bob".to_owned()),
        (key(&other), with_fingerprint("аlice", &other)),
    ]);
    for peer in [&mut alice, &mut bob, &mut other] {
        assert_eq!(labels(peer), expected);
    }
    for name in ["alice", "аlice"] {
        let refusal = bob.refuses(&format!("@{name} a secret"));
        assert!(expected.values().filter(|label| *label != "bob").all(|label| refusal.contains(label)), "{refusal}");
    }
    bob.say(&format!("@{} a secret", expected[&key(&alice)]));
    alice.hears("a secret");
    net.check_complete(vec![alice, bob, other]);
}

#[test]
fn who_somebody_is_and_every_address_that_was_theirs() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    let answer = alice.run("-who bob");
    let person = &answer["people"][0];
    assert_eq!(person["who"]["person"], key(&bob).as_str(), "{answer}");
    let fingerprint = person["fingerprint"].as_str().expect("a fingerprint");
    assert!(key(&bob).ends_with(fingerprint), "{answer}");
    let addresses = person["addresses"].as_array().expect("addresses").clone();
    assert!(addresses.iter().any(|address| *address == net.address("bob").as_str()), "{answer}");
    for address in addresses {
        alice.say(&format!("@bob@{} hello", address.as_str().expect("an address")));
        bob.hears("hello");
    }
    assert!(alice.refuses("@bob@192.0.2.99 hello").contains("bob@192.0.2.99"));
    assert!(alice.refuses("-who nobody").contains("nobody"));
    bob.say("@alice hello to you");
    net.check_complete(vec![alice, bob]);
}
