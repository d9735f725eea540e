//! Names: a new one is seen everywhere, and of two people who have one name the one who had it first keeps it.

use serde_json::Value;

use crate::peer::{Peer, eventually};
use crate::support::net::Net;

fn key(peer: &Peer) -> String {
    peer.heard()[0]["me"]["person"].as_str().expect("a hello says who one is").to_owned()
}

/// How often a peer was told that somebody has this name now.
fn times_told(peer: &Peer, name: &str) -> usize {
    let is_told =
        |line: &&Value| line["event"] == "person_changed" && line["who"]["name"] == name && line["before_name"] != name;
    peer.heard().iter().filter(is_told).count()
}

#[test]
fn a_new_name_is_seen_everywhere_once_and_stays_over_restarts() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    for peer in [&alice, &bob] {
        peer.meets("carol");
    }
    alice.meets("bob");
    alice.run("-creategroup cars");
    bob.expect_event("group_appeared", |event| event["group"] == "cars");
    bob.run("-join cars");
    carol.run("-alias alice boss");
    carol.quit();
    alice.loses("carol");
    let answer = alice.run("-nick anna");
    assert_eq!((&answer["answer"], &answer["who"]["label"]), (&"renamed".into(), &"anna".into()), "{answer}");
    let told = bob.expect_event("person_changed", |event| event["who"]["name"] == "anna");
    assert_eq!((&told["before"], &told["before_name"]), (&"alice".into(), &"alice".into()), "{told}");
    bob.say("@anna by the new name");
    alice.hears("by the new name");
    assert!(bob.refuses("@alice by the old one").contains("alice"));
    assert_eq!(bob.run("-findgroup cars")["groups"][0]["members"], serde_json::json!(["anna", "bob"]));
    // The one who was away, and calls her otherwise.
    carol.restart();
    let told = carol.expect_event("person_changed", |event| event["who"]["name"] == "anna");
    assert_eq!((&told["who"]["label"], &told["before"]), (&"boss".into(), &"boss".into()), "{told}");
    carol.say("@boss by the alias");
    alice.hears("by the alias");
    // Taken by somebody who is away, by another spelling, by a group; and what is none.
    carol.quit();
    alice.loses("carol");
    for (name, reason) in [
        ("carol", "carol is called so"),
        ("BOB", "bob is called so"),
        ("Cars", "the group"),
        ("anna", "you are called anna already"),
        ("two words", "one word too many"),
        ("all", "it holds everybody"),
    ] {
        let refusal = alice.refuses(&format!("-nick {name}"));
        assert!(refusal.contains(reason), "{refusal}");
    }
    // Everybody is started as before.
    alice.quit();
    bob.loses("anna");
    alice.restart();
    bob.meets("anna");
    alice.meets("bob");
    carol.restart();
    carol.meets("anna");
    // Carol was told before her restart.
    assert_eq!((times_told(&bob, "anna"), times_told(&carol, "anna")), (1, 0));
    eventually("everybody has it", || alice.settled());
    alice.quit();
    bob.quit();
    carol.quit();
}

#[test]
fn of_two_people_who_took_one_name_on_two_sides_of_a_cut_one_is_asked() {
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
    peers[0].run("-nick zoe");
    peers[2].run("-nick zoe");
    for (near, seen) in [(1, 0), (3, 2)] {
        let key = key(&peers[seen]);
        peers[near].expect_event("person_changed", |event| {
            event["who"]["person"] == key.as_str() && event["who"]["label"] == "zoe"
        });
    }
    net.heal();
    let keys = [key(&peers[0]), key(&peers[2])];
    let labels = keys.clone().map(|key| format!("zoe·{}", &key[key.len() - 4..]));
    for peer in &peers {
        for (key, label) in keys.iter().zip(&labels) {
            peer.expect(&format!("that {label} is shown so"), |line| {
                line["who"]["person"] == key.as_str() && line["who"]["label"] == label.as_str()
            });
        }
    }
    // Keys are compared as bytes, and the text of an Ed25519 key sorts as its bytes do.
    let (loser, keeper) = if keys[0] > keys[1] { (0, 2) } else { (2, 0) };
    let asked = peers[loser].expect_event("name_taken", |_| true);
    assert_eq!(asked["name"], "zoe");
    assert_eq!(asked["who"]["person"], key(&peers[keeper]).as_str(), "{asked}");
    // A prompt that is opened now is told as well.
    let mut prompt = peers[loser].launch.clone().attach();
    let hello = &prompt.heard()[0];
    assert_eq!(hello["name_taken_by"]["person"], key(&peers[keeper]).as_str(), "{hello}");
    peers[loser].say("it works until then");
    peers[1].hears("it works until then");
    prompt.run("-nick zelda");
    let told = peers[loser].expect_event("person_changed", |event| event["who"]["name"] == "zelda");
    assert_eq!(told["before_name"], "zoe", "{told}");
    let kept = key(&peers[keeper]);
    for peer in [1, 3] {
        peers[peer].expect_event("person_changed", |event| {
            event["who"]["person"] == kept.as_str() && event["who"]["label"] == "zoe"
        });
    }
    for peer in (0..4).filter(|&peer| peer != loser) {
        assert!(peers[peer].heard().iter().all(|line| line["event"] != "name_taken"), "{}", peers[peer].name());
    }
    prompt.quit();
    net.check_complete(peers.into());
}

#[test]
fn a_newcomer_whose_name_is_taken_is_in_and_is_asked() {
    let Some(mut net) = Net::new() else { return };
    let alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    // Login names are the same on many machines.
    let mut other = net.spawn("other", &["--name", "alice"]);
    let asked = other.expect_event("name_taken", |_| true);
    assert_eq!(asked["who"]["person"], key(&alice).as_str(), "{asked}");
    other.say("hello all the same");
    bob.hears("hello all the same");
    alice.hears("hello all the same");
    other.run("-nick olga");
    bob.expect_event("person_changed", |event| event["who"]["label"] == "olga");
    assert!(alice.heard().iter().all(|line| line["event"] != "name_taken"));
    eventually("alice is alone with her name", || bob.run("-who alice")["people"].as_array().map(Vec::len) == Some(1));
    net.check_complete(vec![alice, bob, other]);
}

#[test]
fn two_people_see_the_same_code_and_remember_that_they_compared_it() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    let (mine, theirs) = (alice.run("-verify bob"), bob.run("-verify alice"));
    assert_eq!((&mine["answer"], &mine["user"]["verified"]), (&"code".into(), &false.into()), "{mine}");
    assert_eq!(mine["code"], theirs["code"]);
    assert_eq!(mine["code"].as_str().map(str::len), Some(35), "{mine}");
    let verified = |peer: &mut Peer, of: &str| peer.run(&format!("-who {of}"))["people"][0]["verified"] == true;
    assert!(!verified(&mut alice, "bob"));
    alice.run("-verify bob yes");
    assert!(verified(&mut alice, "bob") && !verified(&mut bob, "alice"));
    let listed = alice.run("-lu");
    let bobs = listed["users"].as_array().expect("a list").iter().find(|user| user["who"]["name"] == "bob");
    assert_eq!(bobs.map(|bob| &bob["verified"]), Some(&true.into()), "{listed}");
    // Over a restart; and another person of that name is another person.
    alice.quit();
    bob.loses("alice");
    alice.restart();
    alice.meets("bob");
    assert!(verified(&mut alice, "bob"));
    let other = net.spawn("other", &["--name", "bob"]);
    other.expect_event("name_taken", |_| true);
    let people = alice.run("-who bob")["people"].clone();
    for person in people.as_array().expect("two people") {
        assert_eq!(person["verified"], person["who"]["person"] == key(&bob).as_str(), "{people}");
    }
    alice.run(&format!("-verify @{} no", key(&bob)));
    assert!(!verified(&mut alice, &key(&bob)));
    assert!(alice.refuses("-verify alice").contains("that is you"));
}
