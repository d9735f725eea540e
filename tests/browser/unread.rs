//! What the user has not read: the peer counts it for all user interfaces, and over restarts.

use serde_json::{Value, json};

use crate::browser::Browser;
use crate::talk::{Pair, link};

/// How the row of a conversation is badged, as it is read out.
fn badge(browser: &Browser, name: &str, badge: &str) {
    let rows = "[...document.querySelectorAll('#conversations .row')]";
    let row = format!("{rows}.find((row) => row.querySelector('.name').innerText === {})", json!(name));
    browser.waits(
        &format!("{badge:?} at {name}"),
        &format!(
            "[...({row})?.querySelectorAll('.badge, .sr') ?? []].map((part) => part.textContent).join(' ') === {}",
            json!(badge)
        ),
    );
}

fn is_unread(event: &Value, group: &str, unread: u64, mentions: u64) -> bool {
    event["of"] == json!({"group": group}) && event["unread"] == unread && event["mentions"] == mentions
}

#[test]
fn what_is_read_at_one_user_interface_is_read_at_all_of_them() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, .. } = &mut pair;
    let mut attached = alice.launch.clone().attach();
    bob.run("-creategroup cars");
    browser.types("#find", "cars");
    browser.shows("#conversations", "join");
    browser.choose("#conversations", "cars");
    browser.shows("#title", "cars");
    bob.expect_event("group_joined", |event| event["who"]["name"] == "alice");
    browser.choose("#conversations", "Everybody");

    bob.say("@cars one for the group");
    attached.expect_event("unread", |event| is_unread(event, "cars", 1, 0));
    badge(browser, "cars", "1 unread");
    bob.say("@cars ALICE, do you see this?");
    attached.expect_event("unread", |event| is_unread(event, "cars", 2, 1));
    badge(browser, "cars", "@ 2 unread, one names you");
    browser.waits("the number in the title", "document.title === '(2) alice – causerie'");
    bob.say("said where alice looks");
    browser.shows("#log", "said where alice looks");

    browser.choose("#conversations", "cars");
    browser.shows("#log .rule.new", "New");
    badge(browser, "cars", "");
    attached.expect_event("unread", |event| is_unread(event, "cars", 0, 0));
    browser.choose("#conversations", "Everybody");

    let last = bob.say("@cars and one more");
    badge(browser, "cars", "1 unread");
    attached.write_json(&json!({"id": 1, "command": "read", "of": {"name": "cars"}, "up_to": last}).to_string());
    attached.expect("an answer", |line| line["id"] == 1 && line["answer"] == "read");
    badge(browser, "cars", "");
    browser.waits("no number in the title", "document.title === 'alice – causerie'");
}

#[test]
fn what_is_unread_survives_a_restart_of_the_peer() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let launch = crate::peer::Launch::alone("alice", folder.path(), &["--web", "127.0.0.1:0"]);
    let mut alice = crate::service::Service::start(launch.clone());
    let mut bob = crate::peer::Launch::alone("bob", folder.path(), &["--peer", &alice.address()]).start();
    bob.meets("alice");
    bob.say("@alice hello Alice");
    bob.say("@alice still there?");
    crate::peer::eventually("alice has it", || bob.settled());
    assert_eq!(alice.end("-TERM").code(), Some(0));
    let alice = crate::service::Service::start(launch);
    browser.go(&link(&alice));
    badge(&browser, "bob", "@ 2 unread, one names you");
    browser.choose("#conversations", "bob");
    browser.shows("#log .rule.new", "New");
    badge(&browser, "bob", "");
}
