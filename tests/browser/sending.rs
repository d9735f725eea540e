//! What becomes of a message: who has it, and sending it late.

use serde_json::json;

use crate::talk::Pair;

#[test]
fn a_tick_says_that_those_who_are_here_have_a_message_and_who_they_are() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.enters("#text", "do you have it?");
    browser.waits("a tick", "document.querySelectorAll('#log .tick.delivered').length === 1");
    browser.click("#log .tick.delivered");
    browser.shows("#who", "Has it\nbob");
    browser.click("#who button");
    browser.waits("the list is closed", "!document.querySelector('#who').open");

    bob.kill();
    browser.shows("#people", "Away");
    browser.choose("#people", "bob");
    browser.enters("#text", "for when you are back");
    browser.shows("#log", "for when you are back");
    browser.waits("no tick yet", "document.querySelectorAll('#log .tick.sent').length === 1");
    browser.reload();
    browser.waits("none after a reload", "document.querySelectorAll('#log .tick.sent').length === 1");
    browser.click("#log .tick.sent");
    browser.shows("#who", "Away; gets it later\nbob");
    browser.click("#who button");
    bob.restart();
    browser.waits("a tick once they are back", "document.querySelectorAll('#log .tick.delivered').length === 1");
}

#[test]
fn a_message_that_is_sent_late_holds_up_what_follows_it_until_it_is_taken_back() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.click("#show-delay");
    browser.waits("seconds", "document.activeElement.id === 'seconds'");
    browser.value("document.querySelector('#seconds').value = 29");
    browser.types("#text", "the question");
    browser.click("#delay .framed");
    browser.shows("#waiting", "the question");
    browser.enters("#text", "the answer");
    let held = bob.expect_event("held", |_| true);
    assert_eq!(held["held"]["missing"].as_array().map(Vec::len), Some(1), "{held}");
    assert_eq!(bob.shown(), Vec::<String>::new());
    browser.click("#waiting .plain");
    bob.hears("the answer");
    browser.waits("nothing waits", "document.querySelector('#waiting').hidden");
    browser.waits("it is gone", "!document.querySelector('#log').innerText.includes('the question')");

    browser.value("document.querySelector('#seconds').value = 2");
    browser.types("#text", "two seconds late");
    browser.click("#delay .framed");
    bob.hears("two seconds late");
    browser.waits("nothing waits", "document.querySelector('#waiting').hidden");

    browser.value("document.querySelector('#seconds').value = 600");
    browser.types("#text", "in ten minutes");
    browser.click("#delay .framed");
    browser.shows("#waiting", "in ten minutes");
    browser.click("#waiting .plain:last-child");
    assert_eq!(bob.hears("in ten minutes")["message"]["to"], json!("all"));
    browser.waits("nothing waits any more", "document.querySelector('#waiting').hidden");
}
