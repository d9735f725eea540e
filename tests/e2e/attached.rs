//! Several user interfaces to one peer, on a network with others.

use crate::peer::eventually;
use crate::support::net::Net;

#[test]
fn all_see_what_happens_and_one_that_leaves_takes_nobody_with_it() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.serve("alice");
    let mut bob = net.spawn("bob", &[]);
    bob.meets("alice");
    alice.logs("is here");
    let mut one = alice.launch.clone().attach();
    let mut other = alice.launch.clone().attach();
    bob.say("hello alice");
    for interface in [&one, &other] {
        assert_eq!(interface.hears("hello alice")["message"]["from"]["name"], "bob");
    }
    one.say("hello bob");
    bob.hears("hello bob");
    assert_eq!(other.hears("hello bob")["message"]["own"], true);
    one.quit();
    other.say("still here");
    bob.hears("still here");
    bob.say("good");
    other.hears("good");
    assert!(!one.shown().contains(&"hello bob".to_owned()), "what it said itself was its answer");
    eventually("alice has acknowledged it", || bob.settled());
    assert_eq!(alice.end("-TERM").code(), Some(0));
    assert_eq!(other.wait().code(), Some(1));
    bob.loses("alice");
    net.check_complete_without(vec![bob], &["alice"]);
}
