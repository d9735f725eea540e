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
    for rubbish in ["{", "{}", "{\"command\":\"fly\"}"] {
        alice.write_json(rubbish);
        assert!(alice.expect_answer().get("error").is_some(), "{rubbish}");
    }
    alice.write_json("{\"id\":[],\"text\":\"@nobody hello\"}");
    let refused = alice.expect_answer();
    assert!(refused["refusal"] == "unknown_target" && refused["id"].is_array(), "{refused}");
    alice.write_bytes(b"\xff\xfe\x00\x1b[2J\x80\n");
    alice.expect_answer();
    alice.say("still here");
    bob.hears("still here");
    bob.say("so am I");
    alice.hears("so am I");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn what_was_meant_for_one_never_goes_to_all() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    for line in [
        "＠bob secret",
        "﹫bob secret",
        "\u{200b}@bob secret",
        "\u{feff}@bob secret",
        "\u{a0}-msg bob secret",
        "\u{3000}/msg bob secret",
        "—msg bob secret",
        "--msg bob secret",
        "-delay 1 ＠bob secret",
        "help",
        "quit",
        "exit",
        "?",
    ] {
        let told = alice.refuses(line);
        assert!(told.contains("a space in front") || told.contains("@all in front"), "{line}: {told}");
    }
    for line in [
        "@bob secret",
        "secret",
        "-msg bob secret",
        "\u{feff}{\"text\":\"@bob secret\"}",
        " {\"text\":\"@bob secret\"}",
        "\t{\"text\":\"@bob secret\"}",
        "[{\"text\":\"@bob secret\"}]",
        "\"secret\"",
        "  \"text\": \"secret\"",
        "}",
    ] {
        alice.write_json(line);
        let told = alice.expect_answer();
        assert!(told["error"].as_str().is_some_and(|error| error.contains("one JSON object")), "{line}: {told}");
    }
    // Each of them can be said all the same.
    for (line, text) in [
        (" ＠bob secret", "＠bob secret"),
        (" \u{feff}@bob", "\u{feff}@bob"),
        (" —msg bob", "—msg bob"),
        (" help", "help"),
        ("@all quit", "quit"),
    ] {
        alice.say(line);
        let heard = bob.hears(text);
        assert_eq!(heard["message"]["to"], "all", "{heard}");
    }
    let shown = bob.heard();
    assert!(!shown.iter().any(|line| line["message"]["text"] == "secret"), "{shown:?}");
    net.check_complete(vec![alice, bob]);
}
