//! A person at the page and one at a terminal.

use serde_json::json;
use tempfile::TempDir;

use crate::browser::Browser;
use crate::peer::{Launch, Peer};
use crate::service::Service;

/// Alice has a page, and Bob, who knows her address, a terminal.
pub(crate) struct Pair {
    pub(crate) alice: Service,
    pub(crate) bob: Peer,
    pub(crate) browser: Browser,
    pub(crate) folder: TempDir,
}

impl Pair {
    /// They have met, and alice is logged in at her page.
    pub(crate) fn start() -> Option<Self> {
        let browser = Browser::start()?;
        let folder = tempfile::tempdir().expect("a folder");
        let alice = Service::start(Launch::alone("alice", folder.path(), &["--web", "127.0.0.1:0"]));
        let bob = Launch::alone("bob", folder.path(), &["--peer", &alice.address()]).start();
        bob.meets("alice");
        browser.go(&link(&alice));
        browser.shows("#people", "bob");
        Some(Self { alice, bob, browser, folder })
    }
}

/// A link to the page, as its user gets it.
pub(crate) fn link(alice: &Service) -> String {
    let output = alice.call(&["page"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("a link is text").trim().to_owned()
}

#[test]
fn what_is_said_to_all_in_a_group_and_to_one_person_goes_there_and_nowhere_else() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    assert_eq!(browser.value("location.hash"), "", "the code does not stay in the address");
    assert_eq!(browser.value("document.cookie"), "", "no script can read the session");

    bob.say("hello alice");
    browser.shows("#log", "hello alice");
    browser.enters("#text", "@bob is only a text here");
    assert_eq!(bob.hears("@bob is only a text here")["message"]["to"], "all");

    browser.enters("#find", "cars");
    browser.shows("#title", "cars");
    bob.expect_event("group_appeared", |event| event["group"] == "cars");
    bob.run("-joingroup cars");
    browser.shows("#subtitle", "bob");
    browser.enters("#text", "in the group");
    assert_eq!(bob.hears("in the group")["message"]["to"], json!({"group": "cars"}));
    bob.say("@cars and back");
    browser.shows("#log", "and back");

    bob.say("@alice between us");
    // The open group may count its last message as unread for a moment.
    browser.waits(
        "one unread message",
        "document.querySelector('#conversations .row.unread:not([aria-current]) .badge')?.innerText === '1'",
    );
    browser.choose("#conversations", "bob");
    browser.shows("#log", "between us");
    browser.shows("#log .rule.new", "New");
    browser.enters("#text", "and nobody else");
    let direct = bob.hears("and nobody else");
    assert_eq!(direct["message"]["to"]["direct"]["name"], "alice", "{direct}");

    browser.click("#show-search");
    browser.types("#words", "group");
    browser.click("#everywhere");
    browser.enters("#words", "");
    browser.shows("#results", "in the group");
    browser.choose("#results", "in the group");
    browser.shows("#title", "cars");
    browser.waits(
        "the message that was found",
        "document.querySelector('#log .found')?.innerText.includes('in the group')",
    );
    browser.waits("the end, which is in sight", "document.querySelector('#newest').hidden");

    browser.click("#leave");
    browser.shows("#title", "Everybody");
    bob.expect_event("group_left", |event| event["group"] == "cars" && event["who"]["name"] == "alice");
}

#[test]
fn a_held_message_is_one_line_that_goes_when_it_is_released() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    bob.say("-delay 6 the question");
    bob.say("the answer");
    browser.shows("#held", "Held back: one from bob, waiting for one from bob");
    assert!(!browser.text("#log").contains("the answer"), "it is not shown before what it follows");
    browser.shows("#log", "the answer");
    browser.waits("no held message", "document.querySelector('#held').hidden");
    let log = browser.text("#log");
    assert!(log.find("the question") < log.find("the answer"), "{log}");
}

#[test]
fn the_page_is_for_its_user_alone_and_logging_out_ends_every_tab() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, browser, .. } = &mut pair;
    let used = link(alice);
    browser.open_tab();
    browser.go(&used);
    browser.shows("#title", "Everybody");
    browser.types("#text", "typed and not sent");
    browser.click("#logout");
    browser.shows("#gate", "You are logged out.");
    assert_eq!(browser.value("sessionStorage.length"), 0, "nothing that was typed is left");
    browser.go(&used);
    browser.reload();
    browser.shows("#gate", "not logged in");
    browser.first_tab();
    browser.shows("#gate", "not logged in");
    assert!(!browser.text("body").contains("bob"), "nothing of the chat is left");
    browser.enters("#gate-code", &used);
    browser.shows("#gate-why", "used already");
    browser.enters("#gate-code", &link(alice));
    browser.shows("#people", "bob");
}
