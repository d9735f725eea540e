//! The history beyond what a tab holds.

use serde_json::json;

use crate::browser::Browser;
use crate::talk::Pair;

/// How many messages there are: more than a tab begins with.
const SAID: usize = 1200;

fn first_and_last(browser: &Browser) -> (String, String) {
    let text = |at: &str| {
        let text = browser.value(&format!("[...document.querySelectorAll('#log .body')].at({at})?.textContent ?? ''"));
        text.as_str().expect("it is a text").to_owned()
    };
    (text("0"), text("-1"))
}

/// The row that stands in the middle of what can be seen does not move while older ones come.
fn scrolls_up(browser: &Browser) {
    let before = first_and_last(browser).0;
    browser.value("(document.querySelector('#log').scrollTop = 0, true)");
    browser.waits(
        "older messages",
        &format!(
            "document.querySelector('#log .body').textContent !== {} || Boolean(document.querySelector('#log .quiet'))",
            json!(before)
        ),
    );
}

#[test]
fn a_search_goes_anywhere_in_the_history_and_it_can_be_read_on_from_there() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    for number in 0..SAID {
        bob.write_json(
            &json!({"id": number, "command": "send", "to": "all", "text": format!("number {number:04}")}).to_string(),
        );
    }
    bob.expect("the last answer", |line| line["id"] == SAID - 1);
    browser.shows("#log", &format!("number {:04}", SAID - 1));
    browser.reload();
    browser.shows("#log", &format!("number {:04}", SAID - 1));
    assert!(first_and_last(browser).0.as_str() > "number 0600", "the tab begins with the newest");

    browser.click("#show-search");
    browser.enters("#words", "number 0042");
    browser.choose("#results", "number 0042");
    browser.waits("what was found", "document.querySelector('#log .found')?.innerText.includes('number 0042')");
    let (first, last) = first_and_last(browser);
    assert!(last.as_str() < "number 0300", "{first} to {last}");
    // What is said meanwhile stands at the end, which is somewhere else.
    bob.say("said meanwhile");
    browser.shows("#newest", "Newest messages");
    for _ in 0..SAID {
        if first_and_last(browser).1 == "said meanwhile" {
            break;
        }
        let last = first_and_last(browser).1;
        browser.value("(document.querySelector('#log').scrollTop = 1e9, true)");
        browser.waits(
            "newer messages",
            &format!("[...document.querySelectorAll('#log .body')].at(-1).textContent !== {}", json!(last)),
        );
    }
    assert_eq!(first_and_last(browser).1, "said meanwhile");
    browser.value("(document.querySelector('#log').scrollTop = 1e9, true)");
    browser.waits("the end", "document.querySelector('#newest').hidden");
    bob.say("and now");
    browser.waits("the end", "[...document.querySelectorAll('#log .body')].at(-1).textContent === 'and now'");
    let texts = "[...document.querySelectorAll('#log .body')].map((body) => body.textContent)";
    let in_order = format!(
        "(() => {{ const all = {texts}.filter((text) => text.startsWith('number')); \
         return all.every((text, nth) => nth === 0 || Number(text.slice(7)) === Number(all[nth - 1].slice(7)) + 1); }})()"
    );
    assert_eq!(browser.value(&in_order), true, "no gap, and nothing twice");

    while !browser.text("#log").contains("The beginning of what this peer has") {
        scrolls_up(browser);
    }
    assert_eq!(first_and_last(browser).0, "number 0000");
    assert_eq!(browser.value(&in_order), true, "no gap, and nothing twice");
}

#[test]
fn what_was_missed_is_marked_however_far_up_it_begins() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.choose("#people", "bob");
    browser.shows("#title", "bob");
    for number in 0..300 {
        bob.write_json(
            &json!({"id": number, "command": "send", "to": "all", "text": format!("missed {number:04}")}).to_string(),
        );
    }
    bob.expect("the last answer", |line| line["id"] == 299);
    browser.waits("all of them", "document.querySelector('#conversations .badge')?.innerText === '99+'");
    browser.choose("#conversations", "Everybody");
    browser.shows("#log .rule.new", "New");
    browser.waits("the line is in sight", "document.querySelector('.rule.new').getBoundingClientRect().top > 0");
    assert_eq!(browser.value("document.querySelector('.rule.new + .message .body').textContent"), "missed 0000");
}

/// 5,000 messages in a tab.
#[test]
fn a_tab_full_of_messages_stays_quick() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    for number in 0..5000 {
        bob.write_json(
            &json!({"id": number, "command": "send", "to": "all", "text": format!("number {number:04}")}).to_string(),
        );
    }
    bob.expect("the last answer", |line| line["id"] == 4999);
    browser.waits("all of them", "document.querySelectorAll('#log .message').length >= 4000");
    bob.say("one more");
    browser.waits("the newest", "[...document.querySelectorAll('#log .body')].at(-1).textContent === 'one more'");
    browser.value(
        "(() => { window.slowest = 0; let before = performance.now(); const frame = (now) => { \
         window.slowest = Math.max(window.slowest, now - before); before = now; requestAnimationFrame(frame); }; \
         requestAnimationFrame(frame); return 0; })()",
    );
    browser.types("#text", "typing into a full tab");
    for number in 0..20 {
        bob.say(&format!("while alice types {number}"));
    }
    browser.waits("the last", "document.querySelector('#log').innerText.includes('while alice types 19')");
    let slowest = browser.value("window.slowest").as_f64().expect("it is a number");
    // The slowest frame took 17 to 67 ms in five runs on two cores with much else to do. The bound is for a machine with more.
    assert!(slowest < 2000.0, "{slowest} ms");
}
