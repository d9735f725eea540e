//! An account on a second machine: it is exported, imported there, and goes on with all that its person had.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::peer::{PROGRAM, Peer, eventually};
use crate::support::net::Net;

/// Runs a task of `causerie account` as the user whose home folder that is.
fn account(home: &Path, arguments: &[&str]) {
    let mut program = Command::new(PROGRAM);
    program.arg("account").args(arguments).env("HOME", home).env("CAUSERIE_NAME", "alice");
    let done = program.env_remove("XDG_DATA_HOME").env_remove("CAUSERIE_DATA").env_remove("CAUSERIE_ACCOUNT").output();
    let done = done.expect("the program runs");
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
}

fn history(peer: &mut Peer, of: &str) -> Vec<String> {
    let answer = peer.run(&format!("-history {of} 1000"));
    let texts = answer["messages"].as_array().into_iter().flatten();
    texts.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
}

/// Waits until the history of a conversation has these texts, in whatever order they came.
fn has_history(peer: &mut Peer, of: &str, mut expected: Vec<&str>) {
    expected.sort_unstable();
    let mut there = Vec::new();
    let what = format!("{} has the history of {of}: {expected:?}", peer.name());
    eventually(&what, || {
        there = history(peer, of);
        there.sort_unstable();
        there == expected
    });
}

#[test]
fn an_imported_account_goes_on_with_its_whole_history_and_the_first_device_stops() {
    let Some(mut net) = Net::new() else { return };
    let mut alice = net.spawn("alice", &[]);
    let mut bob = net.spawn("bob", &[]);
    let mut carol = net.spawn("carol", &[]);
    for peer in [&alice, &bob] {
        peer.meets("carol");
    }
    alice.meets("bob");
    alice.run("-creategroup cars");
    for peer in [&mut bob, &mut carol] {
        peer.expect_event("group_appeared", |event| event["group"] == "cars");
        peer.run("-join cars");
        alice.expect_event("group_joined", |event| event["who"]["name"] == peer.name());
    }
    alice.run("-nick anna");
    for peer in [&mut bob, &mut carol] {
        peer.expect_event("person_changed", |event| event["who"]["label"] == "anna");
    }
    alice.say("to everybody");
    alice.say("@cars to the group");
    alice.say("@bob to bob");
    bob.hears("to bob");
    bob.say("@anna from bob");
    alice.hears("from bob");
    carol.hears("to the group");
    carol.say("@anna from carol");
    alice.hears("from carol");
    alice.run("-verify bob yes");
    eventually("everybody has it", || alice.settled() && bob.settled() && carol.settled());
    carol.quit();
    alice.loses("carol");
    bob.loses("carol");
    // Bob is told something later, so he keeps it for carol, sealed. The next one has left this machine for nobody.
    alice.say("@carol to carol, who is away");
    alice.say("later, to everybody");
    bob.hears("later, to everybody");
    // Longer than it takes to leave a message with others (`Config::carry_after`, 5 s).
    std::thread::sleep(Duration::from_secs(10));
    alice.say("@carol nobody else has this");

    // One file is carried to another machine, with a data folder of its own.
    let folder = alice.launch.folder.clone();
    let (there, file) = (folder.join("another home"), folder.join("alice.key"));
    let passphrase = folder.join("passphrase");
    fs::create_dir(&there).expect("a folder can be made");
    fs::write(&passphrase, "correct horse\n").expect("a file can be written");
    let (data, file) = (alice.launch.data(), file.to_string_lossy().into_owned());
    let passphrase = passphrase.to_string_lossy().into_owned();
    account(&folder, &["export", &file, "--data", &data.to_string_lossy(), "--passphrase-file", &passphrase]);
    account(&there, &["import", &file, "--passphrase-file", &passphrase]);
    fs::rename(there.join(".local/share/causerie/accounts/alice"), folder.join("phone")).expect("it can be moved");
    let mut phone = net.spawn("phone", &["--name", "alice", "--passphrase-file", &passphrase]);
    let hello = phone.expect("who it is", |line| line.get("hello").is_some());
    assert_eq!(hello["me"]["person"], alice.heard()[0]["me"]["person"]);

    // The one that was there before is told, and stops.
    alice.expect_event("problem", |event| event["kind"] == "superseded");
    assert!(alice.refuses("no more").contains("another copy of this peer"));
    let pending = alice.run("-pending");
    let unsent: Vec<_> = pending["waiting"].as_array().into_iter().flatten().map(|text| &text["text"]).collect();
    assert!(unsent.contains(&&Value::from("nobody else has this")), "{pending}");
    phone.meets("bob");
    has_history(&mut phone, "all", vec!["to everybody", "later, to everybody"]);
    has_history(&mut phone, "cars", vec!["to the group"]);
    has_history(&mut phone, "bob", vec!["to bob", "from bob"]);
    let me = phone.run("-who anna")["people"][0].clone();
    assert_eq!((&me["me"], &me["groups"]), (&true.into(), &serde_json::json!(["cars"])), "{me}");
    phone.say("@cars from the phone");
    bob.hears("from the phone");
    bob.say("@anna do you read me there?");
    phone.hears("do you read me there?");

    // What was said with carol comes once she is back, and she gets what was kept for her.
    carol.restart();
    carol.meets("anna");
    carol.hears("to carol, who is away");
    has_history(&mut phone, "carol", vec!["from carol", "to carol, who is away"]);
    carol.say("@anna and now?");
    phone.hears("and now?");
    eventually("everybody has it", || phone.settled() && bob.settled() && carol.settled());
    for peer in [&mut bob, &mut carol] {
        let people = peer.run("-who anna")["people"].clone();
        assert_eq!(people.as_array().map(Vec::len), Some(1), "{people}");
        assert_eq!(people[0]["who"]["label"], Value::from("anna"));
    }
    // Nobody was shown anything twice.
    for peer in [&bob, &carol] {
        let mut shown = peer.shown();
        let all = shown.len();
        shown.sort_unstable();
        shown.dedup();
        assert_eq!(shown.len(), all, "{shown:?}");
    }
}
