//! Where multicast does not reach, one address joins the whole mesh.

use crate::support::net::Net;

#[test]
fn one_address_joins_the_whole_mesh() {
    let Some(mut net) = Net::new() else { return };
    let port = ["--no-mdns", "--listen", "0.0.0.0:4000"];
    let alice = net.spawn("alice", &port);
    let entry = format!("{}:4000", net.address("alice"));
    alice.address(|listening| listening == entry);
    let by_option = [&port[..], &["--peer", &entry]].concat();
    let bob = net.spawn("bob", &by_option);
    bob.meets("alice");
    let mut carol = net.spawn("carol", &port);
    carol.run(&format!("-connect /ip4/{}/tcp/4000", net.address("alice")));
    for other in ["alice", "bob"] {
        carol.meets(other);
    }
    bob.meets("carol");
    alice.meets("bob");
    alice.meets("carol");
    carol.say("hello from afar");
    alice.hears("hello from afar");
    bob.hears("hello from afar");
    assert_eq!(["alice", "bob", "carol"].map(|host| net.connections(host)), [2, 2, 2]);
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn a_message_to_an_address_goes_to_whoever_listens_there() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &["--no-mdns"]);
    let bob = net.spawn("bob", &["--no-mdns", "--listen", "0.0.0.0:4000"]);
    let address = format!("{}:4000", net.address("bob"));
    bob.address(|listening| listening == address);
    let answer = alice.run(&format!("@{address} hello stranger"));
    assert_eq!(answer["answer"], "connecting", "{answer}");
    let heard = bob.hears("hello stranger");
    assert!(heard["message"]["to"].get("direct").is_some(), "{heard}");
    let nobody = alice.ask(&format!("-connect {}:9", net.address("bob")));
    if nobody.get("error").is_none() {
        alice.expect_event("connect_failed", |event| event["address"].as_str().is_some_and(|a| a.contains(":9")));
    }
    net.check_complete(vec![alice, bob]);
}
