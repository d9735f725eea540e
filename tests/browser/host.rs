//! A host: `causerie web`, people in browsers of their own, and one at a terminal.

use std::path::Path;

use serde_json::json;

use crate::browser::Browser;
use crate::hosted::Host;
use crate::peer::{Launch, Peer};
use crate::people::renames;

fn register(browser: &Browser, host: &Host, name: &str) {
    browser.go(&host.link);
    browser.shows("#log-in", "Log in");
    browser.click("#to-register");
    browser.types("#register-name", name);
    browser.types("#register-passphrase", &passphrase(name));
    browser.shows("#strength", "hard to guess");
    browser.types("#register-again", "another one");
    browser.click("#register .primary");
    browser.shows("#gate-why", "differ");
    browser.enters("#register-again", &passphrase(name));
    browser.shows("#me", name);
}

fn log_in(browser: &Browser, name: &str, passphrase: &str) {
    browser.value("(document.querySelector('#log-in-name').value = '', 0)");
    browser.types("#log-in-name", name);
    browser.enters("#log-in-passphrase", passphrase);
}

fn passphrase(name: &str) -> String {
    format!("the long passphrase of {name}")
}

/// Alice and Bob in browsers of their own, and Carol at a terminal.
fn start(folder: &Path) -> Option<(Host, Browser, Browser, Peer)> {
    let (alice, bob) = (Browser::start()?, Browser::start()?);
    let carol = Launch::alone("carol", folder, &[]).start();
    let host = Host::start(folder, &["--peer", &carol.address(|_| true)]);
    register(&alice, &host, "alice");
    register(&bob, &host, "bob");
    for name in ["alice", "bob"] {
        carol.meets(name);
    }
    alice.shows("#people", "bob");
    bob.shows("#people", "alice");
    Some((host, alice, bob, carol))
}

#[test]
fn people_of_one_host_and_one_at_a_terminal_chat() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_host, alice, bob, mut carol)) = start(folder.path()) else { return };
    alice.enters("#text", "hello from alice");
    bob.shows("#log", "hello from alice");
    assert_eq!(carol.hears("hello from alice")["message"]["from"]["name"], "alice");
    bob.enters("#text", "and from bob");
    alice.shows("#log", "and from bob");
    carol.hears("and from bob");
    carol.say("@bob for you alone");
    bob.waits("one unread message", "document.querySelector('#conversations .row.unread .badge')?.innerText === '1'");
    bob.choose("#conversations", "carol");
    bob.shows("#log", "for you alone");
    assert!(!alice.text("body").contains("for you alone"));
    assert_eq!(alice.value("document.cookie"), "", "no script can read the session");
}

/// Nobody at the host knew the name when it was registered.
#[test]
fn a_name_that_another_person_had_first_is_told_and_changed_at_the_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some(browser) = Browser::start() else { return };
    let dave = Launch::alone("dave", folder.path(), &[]).start();
    let address = dave.address(|_| true);
    let carol = Launch::alone("carol", folder.path(), &["--peer", &address]).start();
    carol.meets("dave");
    dave.meets("carol");
    let host = Host::start(folder.path(), &["--peer", &address]);
    register(&browser, &host, "carol");
    browser.shows("#notice", "who had it first. To choose another one, click your name");
    browser.reload();
    browser.shows("#notice", "who had it first. To choose another one, click your name");
    browser.click("#account");
    renames(&browser, "cora");
    browser.shows("#me", "cora");
    dave.expect_event("person_changed", |event| event["who"]["label"] == "cora");
    assert!(carol.heard().iter().all(|line| line["event"] != "name_taken"), "she had it first");
    browser.reload();
    browser.shows("#me", "cora");
    assert_eq!(browser.value("document.querySelector('#notice').checkVisibility()"), false, "it is settled");
}

#[test]
fn logging_out_ends_every_tab_and_the_passphrase_alone_leads_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((host, alice, bob, carol)) = start(folder.path()) else { return };
    alice.enters("#text", "said before");
    alice.shows("#log", "said before");
    alice.open_tab();
    alice.go(&host.link);
    alice.shows("#me", "alice");
    alice.click("#logout");
    alice.shows("#gate-why", "You are logged out.");
    carol.loses("alice");
    alice.first_tab();
    alice.shows("#gate-why", "not logged in");
    assert!(!alice.text("body").contains("said before"), "nothing of the chat is left");
    assert_eq!(alice.value("document.querySelector('#known button').innerText"), json!("alice"), "who was here");

    log_in(&alice, "alice", "a guess");
    alice.shows("#gate-why", "Wrong name or passphrase.");
    assert_eq!(alice.value("document.querySelector('#log-in-passphrase').value"), "", "it is typed anew");
    log_in(&alice, "alice", &passphrase("alice"));
    alice.shows("#log", "said before");
    carol.meets("alice");
    bob.enters("#text", "welcome back");
    alice.shows("#log", "welcome back");
}

#[test]
fn an_account_is_deleted_once_its_name_was_typed() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_host, alice, bob, carol)) = start(folder.path()) else { return };
    bob.click("#account");
    bob.shows("#account-dialog", "The people who run it can read all of them.");
    bob.enters("#delete-name", "alice");
    bob.shows("#delete-why", "You do not log in as alice, so nothing was deleted.");
    bob.value("(document.querySelector('#delete-name').value = '', 0)");
    bob.enters("#delete-name", "bob");
    bob.shows("#gate-why", "The account bob is deleted.");
    carol.expect_event("forgotten", |event| event["who"]["name"] == "bob");
    assert!(!folder.path().join("causerie/accounts/bob").exists());
    log_in(&bob, "bob", &passphrase("bob"));
    bob.shows("#gate-why", "Wrong name or passphrase.");
    alice.enters("#text", "still here");
    carol.hears("still here");
}

#[test]
fn a_name_that_was_changed_on_the_page_is_the_one_in_the_chat_and_the_account_keeps_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let Some((_host, alice, bob, carol)) = start(folder.path()) else { return };
    bob.click("#account");
    bob.shows("#account-where", "You log in as bob.");
    assert_eq!(bob.value("document.querySelector('#nick').value"), json!("bob"), "the name of now");
    renames(&bob, "alice");
    bob.shows("#nick-why", "\"alice\" is taken: alice is called so, or looks the same; choose another name");
    renames(&bob, "robert smith");
    bob.shows("#nick-why", "robert smith");
    assert_eq!(bob.text("#me"), "bob", "what was refused changes nothing");
    renames(&bob, "robert");
    bob.shows("#nick-why", "You are now called robert.");
    bob.shows("#nick-hint", "You log in as bob all the same.");
    bob.shows("#me", "robert");
    carol.expect_event("person_changed", |event| event["who"]["name"] == "robert" && event["before"] == "bob");
    alice.shows("#people", "robert");
    bob.shows("#people", "robert");
    bob.enters("#delete-name", "robert");
    bob.shows("#delete-why", "You do not log in as robert, so nothing was deleted.");
    bob.click("#account-close");

    bob.click("#logout");
    bob.shows("#gate-why", "You are logged out.");
    bob.shows("#log-in-hint", "whatever you are called in the chat");
    carol.loses("robert");
    assert_eq!(
        bob.value("document.querySelector('#log-in-name').value"),
        json!("bob"),
        "the account's name is offered"
    );
    log_in(&bob, "robert", &passphrase("bob"));
    bob.shows("#gate-why", "Wrong name or passphrase.");
    log_in(&bob, "bob", &passphrase("bob"));
    bob.shows("#me", "robert");
    carol.meets("robert");
    alice.shows("#people", "robert");
    bob.enters("#text", "under a new name");
    assert_eq!(carol.hears("under a new name")["message"]["from"]["name"], "robert");
}
