//! A network without IPv4.

use crate::support::net::Net;

#[test]
fn peers_find_each_other_and_chat_where_there_is_only_ipv6() {
    let Some(mut net) = Net::ipv6_only() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let met = alice.meets("bob");
    assert_eq!(met["who"]["address"], "fd77::2", "{met}");
    alice.say("hello over six");
    bob.hears("hello over six");
    bob.say("@alice and back");
    alice.hears("and back");
    net.check_complete(vec![alice, bob]);
}
