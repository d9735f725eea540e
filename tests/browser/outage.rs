//! Reloads, and a peer that stops and starts again: nothing that was typed is lost, and nothing is sent twice.

use crate::browser::Browser;
use crate::hosted::Host;
use crate::peer::Launch;
use crate::service::Service;
use crate::talk::{Pair, link};

#[test]
fn a_draft_survives_a_reload_in_the_conversation_that_it_was_typed_in() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.choose("#people", "bob");
    browser.types("#text", "half a sent");
    browser.reload();
    browser.shows("#title", "bob");
    browser.waits("the draft", "document.querySelector('#text').value === 'half a sent'");
    browser.choose("#conversations", "Everybody");
    browser.waits("no draft for all", "document.querySelector('#text').value === ''");
    browser.shows("#conversations", "draft");
    browser.choose("#conversations", "bob");
    browser.enters("#text", "ence");
    assert_eq!(bob.hears("half a sentence")["message"]["to"]["direct"]["name"], "alice");
}

#[test]
fn while_the_peer_is_away_nothing_typed_is_lost_and_the_page_goes_on_with_it_when_it_is_back() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("it has one").port();
    let launch = Launch::alone("alice", folder.path(), &["--web", &format!("127.0.0.1:{port}")]);
    let mut alice = Service::start(launch.clone());
    browser.go(&link(&alice));
    browser.shows("#title", "Everybody");
    browser.enters("#text", "said before");
    browser.shows("#log", "said before");
    assert_eq!(alice.end("-TERM").code(), Some(0));
    browser.shows("#link", "not connected");
    browser.waits(
        "room for all of it",
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('#left .bar'))",
    );
    browser.enters("#text", "typed meanwhile");
    browser.shows("#notice", "Not connected");
    browser.waits("the text", "document.querySelector('#text').value === 'typed meanwhile'");

    let alice = Service::start(launch);
    browser.shows("#gate", "not logged in");
    browser.enters("#gate-code", &link(&alice));
    browser.shows("#log", "said before");
    browser.waits("the text", "document.querySelector('#text').value === 'typed meanwhile'");
    browser.enters("#text", "");
    browser.waits(
        "the message, once",
        "[...document.querySelectorAll('#log .body')].filter((body) => body.innerText === 'typed meanwhile').length === 1",
    );
    browser.waits("nothing unsent", "document.querySelector('#log .unsent') === null");
    browser.reload();
    browser.shows("#log", "typed meanwhile");
}

#[test]
fn a_page_in_a_process_of_its_own_outlives_its_peer_and_its_browsers_stay_logged_in() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let launch = Launch::alone("alice", folder.path(), &[]);
    let mut alice = Service::start(launch.clone());
    let page = Host::of_peer(&launch.data());
    browser.go(&page.link);
    browser.shows("#title", "Everybody");
    browser.enters("#text", "said before");
    browser.shows("#log", "said before");
    assert!(link(&alice).starts_with(page.link.split('#').next().expect("a link")), "another link to the same page");
    assert_eq!(alice.end("-TERM").code(), Some(0));
    browser.shows("#link", "not connected");

    let alice = Service::start(launch);
    browser.waits("the link to the peer is back", "document.querySelector('#link').innerText === ''");
    browser.enters("#text", "said after");
    browser.shows("#log", "said after");
    alice.logs("said after");
}

#[test]
fn a_dim_line_among_the_messages_sums_up_what_was_missed() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, .. } = &mut pair;
    browser.enters("#text", "said before");
    bob.hears("said before");
    // As a computer that sleeps.
    alice.signal("-STOP");
    bob.loses("alice");
    for text in ["missed 1", "missed 2", "missed 3"] {
        bob.say(text);
    }
    alice.signal("-CONT");
    browser.shows("#log .told", "Caught up: 3 messages from one person while you were away");
    let colour = |of: &str| browser.value(&format!("getComputedStyle(document.querySelector('{of}')).color"));
    assert_eq!(colour("#log .told"), colour("#log time"), "it is as dim as the time of a message");
    assert_eq!(browser.value("document.querySelector('#notice').hidden"), true, "nothing is in the way");
    bob.say("said after");
    browser.shows("#log", "said after");
    let log = browser.text("#log");
    let at = |text: &str| log.find(text).unwrap_or_else(|| panic!("no {text} in {log}"));
    assert!(at("missed 3") < at("Caught up") && at("Caught up") < at("said after"), "{log}");
}
