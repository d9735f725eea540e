//! What cannot be carried out gets one line that says what to do, and nothing else is lost.

use crate::support::net::Net;

#[test]
fn every_mistake_gets_one_line_and_the_chat_goes_on() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    alice.run("-creategroup cars");
    for (line, named) in [
        ("-listuser", "-listusers"),
        ("/jion cars", "-join"),
        ("@ hello", "@"),
        ("@bob", "@bob"),
        ("@bobb hello", "bob"),
        ("@nobody hello", "nobody"),
        ("-joingroup carz", "cars"),
        ("-creategroup cars", "cars"),
        ("-creategroup bob", "bob"),
        ("-creategroup two words", "-creategroup"),
        ("-creategroup a/b", "a/b"),
        ("-leavegroup boats", "boats"),
        ("-leavegroup all", "all"),
        ("-delay soon hello", "soon"),
        ("-delay 3601 hello", "3600"),
        ("-delay 1", "-delay"),
        ("-history cars many", "many"),
        ("-alias nobody friend", "nobody"),
        ("-unalias friend", "friend"),
        ("-connect here", "here"),
        ("@alice hello me", "you"),
    ] {
        let told = alice.refuses(line);
        assert!(told.contains(named), "{line}: {told}");
    }
    let long = "n".repeat(500);
    alice.refuses(&format!("-creategroup {long}"));
    alice.refuses(&format!("@{long} hello"));
    alice.write(&"m".repeat(1 << 20));
    assert!(alice.expect_answer().get("error").is_some());
    for rubbish in ["{", "{}", "{\"id\":[],\"text\":\"hello\"}", "{\"command\":\"fly\"}"] {
        alice.write(rubbish);
        assert!(alice.expect_answer().get("error").is_some(), "{rubbish}");
    }
    alice.write_bytes(b"\xff\xfe\x00\x1b[2J\x80\n");
    alice.expect_answer();
    alice.say("still here");
    bob.hears("still here");
    bob.say("so am I");
    alice.hears("so am I");
    net.check_complete(vec![alice, bob]);
}
