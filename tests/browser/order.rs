//! The drawing of causal order, which grows while messages come.

use crate::talk::Pair;

#[test]
fn the_drawing_shows_what_is_held_and_what_it_waits_for_and_grows_while_messages_come() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.enters("#text", "drawn by alice");
    bob.hears("drawn by alice");
    bob.say("and by <b>bob</b>");
    browser.shows("#log", "and by <b>bob</b>");
    browser.click("#show-order");
    browser.shows("#order .heads", "bob");
    browser.waits("alice has the first line", "document.querySelector('#order .head').innerText === 'alice'");
    browser.shows("#order-note", "what others said to each other");
    browser.waits("an arrow that ends open", "document.querySelectorAll('#drawing .arrow.open').length > 0");
    browser.waits("no markup", "document.querySelector('#order b') === null");

    bob.say("-delay 8 the question");
    bob.say("the answer");
    browser.waits("a held message", "document.querySelectorAll('#drawing .mark.held').length === 1");
    browser.waits("it is shaded", "document.querySelectorAll('#drawing .span').length === 1");
    // By keyboard alone: the last mark has the focus of the drawing.
    let about = "document.querySelector('#order-about').innerText";
    browser.value("(document.querySelector('#drawing .mark.held').focus(), true)");
    let waits = "waits for bob#";
    browser.waits("what it waits for", &format!("{about}.includes('{waits}') && {about}.includes('held')"));
    let length = "document.querySelector('#drawing .span').getAttribute('height')";
    let before = browser.value(length).as_str().map(str::parse::<f64>).expect("a number").expect("a number");
    browser.waits(
        "both are shown",
        "[...document.querySelectorAll('#drawing .mark.held')].length === 1 && \
        document.querySelectorAll('#drawing .mark.delivered').length >= 3",
    );
    browser.waits("it is shaded until then", &format!("Number({length}) > {before}"));
    browser.value("(document.querySelector('#drawing .mark.held').focus(), true)");
    browser.waits("what it waited for is marked", "document.querySelectorAll('#drawing .mark.cause').length > 0");
    browser.waits("the text, as text", &format!("{about}.includes('the answer')"));
    browser.press("\u{e011}");
    browser
        .waits("the first mark has the focus", "document.activeElement === document.querySelector('#drawing .mark')");
    browser.press("\u{e015}");
    browser.waits("the next one", "document.activeElement === document.querySelectorAll('#drawing .mark')[1]");
    let points_down = "[...document.querySelectorAll('#drawing .arrow path:first-child')].every((path) => { \
        const [, from, to] = path.getAttribute('d').match(/M[\\d.-]+ ([\\d.-]+)L[\\d.-]+ ([\\d.-]+)/); return Number(to) > Number(from); })";
    assert_eq!(browser.value(points_down), true, "no arrow points back");
    browser.click("#hide-order");
    browser.shows("#log", "the answer");
}
