//! Every command, in every spelling, through the headless mode.

use serde_json::Value;

use crate::peer::{Peer, eventually};
use crate::support::net::Net;

fn names<'a>(answer: &'a Value, list: &str, of: impl Fn(&'a Value) -> &'a Value) -> Vec<&'a str> {
    answer[list].as_array().into_iter().flatten().filter_map(|entry| of(entry).as_str()).collect()
}

fn users(answer: &Value) -> Vec<&str> {
    names(answer, "users", |user| &user["who"]["name"])
}

fn groups(answer: &Value) -> Vec<&str> {
    names(answer, "groups", |group| &group["name"])
}

fn texts(answer: &Value) -> Vec<&str> {
    names(answer, "messages", |message| &message["text"])
}

fn pair(net: &mut Net) -> (Peer, Peer) {
    let alice = net.spawn("alice", &[]);
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    bob.meets("alice");
    (alice, bob)
}

#[test]
fn the_first_line_is_a_hello() {
    let Some(mut net) = Net::new() else { return };
    let (alice, bob) = pair(&mut net);
    let hello = &alice.heard()[0];
    assert_eq!(hello["hello"], 1, "{hello}");
    assert_eq!(hello["me"]["name"], "alice", "{hello}");
    assert!(hello["users"].is_array() && hello["groups"].is_array(), "{hello}");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn commands_are_objects_with_or_without_an_id() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, bob) = pair(&mut net);
    alice.write_json(r#"{"text":"a line"}"#);
    assert_eq!(alice.expect_answer()["answer"], "sent");
    alice.write_json(r#"{"text":"@bob an object"}"#);
    assert_eq!(alice.expect_answer().get("id"), None);
    alice.write_json(r#"{"id":"mine","command":"send","to":{"name":"bob"},"text":"a command"}"#);
    assert_eq!(alice.expect_answer()["id"], "mine");
    for text in ["a line", "an object", "a command"] {
        bob.hears(text);
    }
    net.check_complete(vec![alice, bob]);
}

#[test]
fn people_are_listed_and_found() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    for spelling in ["-listusers", "-lu", "/listusers", "/lu", "/who"] {
        assert_eq!(users(&alice.run(spelling)), ["alice", "bob"], "{spelling}");
    }
    for (pattern, found) in [("BO", vec!["bob"]), ("a*e", vec!["alice"]), ("x", vec![]), ("*", vec!["alice", "bob"])] {
        assert_eq!(users(&alice.run(&format!("-finduser {pattern}"))), found, "{pattern}");
    }
    let listed = alice.run("-lu");
    let address = listed["users"][1]["who"]["address"].as_str().expect("bob is at some address");
    assert_eq!(users(&alice.run(&format!("-finduser {address}"))), ["bob"]);
    let me = listed["users"].as_array().into_iter().flatten().find(|user| user["me"] == true).cloned();
    assert_eq!(me.map(|me| me["present"].clone()), Some(Value::Bool(true)), "{listed}");
    bob.quit();
    alice.loses("bob");
    assert_eq!(alice.run("-lu")["users"][1]["present"], false);
    net.check_complete_without(vec![alice], &["bob"]);
}

#[test]
fn groups_are_made_joined_left_listed_and_found() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    assert_eq!(alice.run("-creategroup Cars")["answer"], "created");
    alice.run("/creategroup boats");
    bob.expect_event("group_appeared", |event| event["group"] == "boats");
    for spelling in ["-listgroups", "-lg", "/listgroups", "/list"] {
        let answer = bob.run(spelling);
        let known: Vec<&str> = groups(&answer).into_iter().filter(|name| *name != "all").collect();
        assert_eq!(known.len(), 2, "{spelling}: {answer}");
    }
    assert_eq!(groups(&bob.run("-findgroup AR")), ["Cars"]);
    assert_eq!(groups(&bob.run("-findgroup b*s")), ["boats"]);
    for number in 0..7 {
        alice.say(&format!("@Cars number {number}"));
    }
    let joined = bob.run("-joingroup Cars");
    assert_eq!(joined["answer"], "joined", "{joined}");
    bob.hears("number 6");
    alice.expect_event("group_joined", |event| event["who"]["name"] == "bob");
    bob.run("/join boats");
    let mine = bob.run("-mygroups");
    let mine: Vec<&str> = groups(&mine).into_iter().filter(|name| *name != "all").collect();
    assert_eq!(mine.len(), 2, "{mine:?}");
    assert_eq!(bob.run("-leavegroup Cars")["answer"], "left");
    bob.run("/leave boats");
    alice.expect_event("group_left", |event| event["group"] == "boats");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn messages_go_to_a_person_a_group_and_everybody() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    alice.run("-creategroup cars");
    bob.expect_event("group_appeared", |_| true);
    bob.run("-join cars");
    alice.expect_event("group_joined", |_| true);
    for (line, text, to) in [
        ("plain text", "plain text", "all"),
        ("@all named all", "named all", "all"),
        (" -not a command", "-not a command", "all"),
        ("-delay 0.2 a little later", "a little later", "all"),
        ("@bob just you", "just you", "direct"),
        ("/msg bob as elsewhere", "as elsewhere", "direct"),
        ("-delay 0.2 @bob later for you", "later for you", "direct"),
        ("@cars the club", "the club", "group"),
        ("/me waves", "*waves*", "all"),
        ("ünïcödé 🚗 done", "ünïcödé 🚗 done", "all"),
    ] {
        alice.say(line);
        let heard = bob.hears(text);
        let went = &heard["message"]["to"];
        assert!(went == to || went.get(to).is_some(), "{line}: {heard}");
        assert_eq!(heard["message"]["from"]["name"], "alice", "{heard}");
    }
    net.check_complete(vec![alice, bob]);
}

#[test]
fn what_is_pasted_keeps_every_character() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, bob) = pair(&mut net);
    let code = "    if x {\n\t-lu\n    }  \n\n  @bob";
    for (line, to) in [(code.to_owned(), "all"), (format!("@bob {code}"), "direct"), ("  two blanks".to_owned(), "all")]
    {
        alice.say(&line);
        let text = line.strip_prefix("@bob ").unwrap_or(&line);
        let heard = bob.hears(text);
        let went = &heard["message"]["to"];
        assert!(went == to || went.get(to).is_some(), "{line}: {heard}");
    }
    net.check_complete(vec![alice, bob]);
}

#[test]
fn one_message_to_two_people_is_theirs_alone() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    let mut carol = net.spawn("carol", &[]);
    let dave = net.spawn("dave", &[]);
    for other in [&alice, &bob, &dave] {
        other.meets("carol");
    }
    alice.meets("dave");
    alice.run("-creategroup cars");
    let id = alice.say("@bob @carol lunch?");
    for (reader, other) in [(&bob, "carol"), (&carol, "bob")] {
        let heard = reader.hears("lunch?");
        assert_eq!(heard["message"]["id"], id.as_str(), "{heard}");
        let mut names: Vec<_> = heard["message"]["to"]["people"].as_array().into_iter().flatten().collect();
        names.sort_by_key(|who| who["name"].to_string());
        let names: Vec<_> = names.into_iter().map(|who| who["name"].as_str()).collect();
        assert_eq!(names, [Some("alice"), Some(other)], "{heard}");
    }
    bob.say("@carol @alice yes");
    for reader in [&alice, &carol] {
        reader.hears("yes");
    }
    assert_eq!(texts(&alice.run("-history @carol @bob")), ["lunch?", "yes"]);
    assert_eq!(texts(&carol.run("-history @alice @bob")), ["lunch?", "yes"]);
    assert_eq!(texts(&carol.run("-search @alice @bob lunch")), ["lunch?"]);
    assert!(texts(&bob.run("-history alice")).is_empty());
    eventually("both have it", || alice.run("-seen")["by"].as_array().is_some_and(|by| by.len() == 2));
    for (line, named) in [
        ("@bob @nobody hi", "nobody"),
        ("@bob @cars hi", "cars"),
        ("@bob @all hi", "all"),
        ("@bob @alice hi", "you"),
        ("@bob @ hi", "@alice"),
    ] {
        let told = alice.refuses(line);
        assert!(told.contains(named), "{line}: {told}");
    }
    alice.write_json(r#"{"id":"both","command":"send","to":{"people":["bob","carol"]},"text":"as an object"}"#);
    assert_eq!(alice.expect("the answer", |line| line["id"] == "both")["answer"], "sent");
    carol.hears("as an object");
    assert!(!dave.heard().iter().any(|line| line.get("event").is_some_and(|event| event == "message")));
    net.check_complete(vec![alice, bob, carol, dave]);
}

#[test]
fn history_shows_the_newest_of_one_conversation_or_of_all() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    for number in 0..7 {
        alice.say(&format!("number {number}"));
    }
    alice.say("@bob in private");
    bob.hears("in private");
    assert_eq!(texts(&bob.run("-history all")), ["number 2", "number 3", "number 4", "number 5", "number 6"]);
    assert_eq!(texts(&bob.run("-history @all 2")), ["number 5", "number 6"]);
    assert_eq!(texts(&bob.run("-history alice")), ["in private"]);
    assert_eq!(texts(&bob.run("-history 3")), ["number 5", "number 6", "in private"]);
    assert_eq!(texts(&bob.run("/history")).len(), 5);
    assert_eq!(texts(&bob.run("-history 100")).len(), 8);
    net.check_complete(vec![alice, bob]);
}

#[test]
fn an_alias_names_a_person_for_this_user_alone() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, mut bob) = pair(&mut net);
    let listed = alice.run("-lu");
    let label = listed["users"][1]["who"]["label"].as_str().expect("bob is shown by a label");
    assert_eq!(label, "bob");
    let aliased = alice.run(&format!("-alias {label} robert"));
    assert_eq!(aliased["who"]["label"], "robert", "{aliased}");
    alice.say("@robert hello");
    bob.hears("hello");
    bob.say("@alice who is robert?");
    let heard = alice.hears("who is robert?");
    assert_eq!(heard["message"]["from"]["label"], "robert", "{heard}");
    assert_eq!(alice.run("-unalias robert")["answer"], "unaliased");
    assert!(alice.refuses("@robert hello").contains("robert"));
    net.check_complete(vec![alice, bob]);
}

#[test]
fn an_alias_takes_nobodys_place_and_one_that_is_gone_stays_gone() {
    let Some(mut net) = Net::new() else { return };
    let (mut alice, bob) = pair(&mut net);
    for (taken, whose) in [("bob", "bob"), ("Bob", "bob"), ("alice", "alice")] {
        assert!(alice.refuses(&format!("-alias bob {taken}")).contains(whose));
    }
    alice.run("-alias bob robert");
    alice.run("-alias robert bobby");
    alice.quit();
    alice.restart();
    alice.meets("bob");
    assert!(alice.refuses("@robert hello").contains("robert"));
    assert_eq!(alice.run("-unalias bobby")["answer"], "unaliased");
    alice.quit();
    alice.restart();
    alice.meets("bob");
    for gone in ["robert", "bobby"] {
        assert!(alice.refuses(&format!("@{gone} hello")).contains(gone));
    }
    // A person comes who is called as this user calls another person.
    alice.run("-alias bob carol");
    alice.say("@carol it is you, bob");
    bob.hears("it is you, bob");
    let carol = net.spawn("carol", &[]);
    alice.meets("carol");
    let told = alice.refuses("@carol secret");
    assert_eq!(told.matches("carol·").count(), 2, "{told}");
    for other in [&bob, &carol] {
        assert!(!other.heard().iter().any(|line| line["message"]["text"] == "secret"));
    }
    net.check_complete(vec![alice, bob, carol]);
}

#[test]
fn help_lists_every_command_and_quit_leaves() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    for spelling in ["-help", "-h", "/help"] {
        alice.write(spelling);
        let help = alice.expect("the help", |line| line.to_string().contains("-creategroup")).to_string();
        for command in [
            "-help",
            "-quit",
            "-listusers",
            "-listgroups",
            "-finduser",
            "-findgroup",
            "-creategroup",
            "-joingroup",
            "-leavegroup",
            "-delay",
            "-history",
            "-pending",
            "-cancel",
            "-resend",
            "-mygroups",
            "-alias",
            "-unalias",
            "-connect",
            "@",
        ] {
            assert!(help.contains(command), "{spelling} does not tell of {command}: {help}");
        }
    }
    for (number, spelling) in ["-q", "-quit", "-exit", "/quit", "/exit"].into_iter().enumerate() {
        let mut peer = net.spawn_beside("alice", &format!("leaver{number}"), &[]);
        peer.meets("alice");
        peer.write(spelling);
        assert!(peer.wait().success(), "{spelling}");
    }
    let leavers = ["leaver0", "leaver1", "leaver2", "leaver3", "leaver4"];
    net.check_complete_without(vec![alice], &leavers);
}
