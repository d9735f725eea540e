//! A group made twice at once is one group.

use serde_json::Value;

use crate::peer::{Peer, eventually};
use crate::support::net::Net;

fn members(peer: &mut Peer, group: &str) -> usize {
    let groups = peer.run("-lg")["groups"].clone();
    let found = groups.as_array().into_iter().flatten().find(|known| known["name"] == group).cloned();
    found.and_then(|known| known["members"].as_array().map(Vec::len)).unwrap_or(0)
}

#[test]
fn a_group_created_on_both_sides_of_a_cut_is_one_with_both() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    net.split(&["bob"]);
    alice.loses("bob");
    bob.loses("alice");
    alice.run("-creategroup cars");
    bob.run("-creategroup cars");
    net.heal();
    alice.meets("bob");
    for peer in [&mut alice, &mut bob] {
        eventually("both are in the one group", || members(peer, "cars") == 2);
        let groups = peer.run("-lg");
        let named = |group: &&Value| group["name"] == "cars";
        assert_eq!(groups["groups"].as_array().into_iter().flatten().filter(named).count(), 1, "{groups}");
    }
    alice.say("@cars hello");
    let heard = bob.hears("hello");
    assert_eq!(heard["message"]["to"]["group"], "cars", "{heard}");
    bob.say("@cars and hello to you");
    alice.hears("and hello to you");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn only_members_hear_what_is_said_in_a_group() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let carol = net.spawn("carol", &[]);
    alice.meets("bob");
    alice.meets("carol");
    bob.meets("carol");
    alice.run("-creategroup cars");
    bob.expect_event("group_appeared", |event| event["group"] == "cars");
    bob.run("-joingroup cars");
    alice.expect_event("group_joined", |event| event["who"]["name"] == "bob");
    alice.say("@cars only for us");
    bob.hears("only for us");
    alice.say("for everybody");
    carol.hears("for everybody");
    assert_eq!(carol.shown(), ["for everybody"]);
    bob.run("-leavegroup cars");
    alice.expect_event("group_left", |event| event["who"]["name"] == "bob");
    alice.run("-leavegroup cars");
    carol.expect_event("group_gone", |event| event["group"] == "cars");
    net.check_complete(vec![alice, bob, carol]);
}
