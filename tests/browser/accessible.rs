//! For everybody: by keyboard alone, read out, in light and dark, on a narrow screen.
//!
//! `assets/axe-core` is axe-core 4.12.1 by Deque Systems, under the Mozilla Public License 2.0, as it is published. It belongs to these
//! tests alone, and to no program.

use std::collections::BTreeSet;
use std::path::Path;

use fantoccini::key::Key;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::browser::Browser;
use crate::hosted::Host;
use crate::peer::{Launch, Peer};
use crate::talk::Pair;

const AXE: &str = include_str!("assets/axe-core/axe.min.js");
const AXE_SHA256: &str = "84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc";

/// A phone held upright, and a window on a desk.
const SCREENS: [(u32, u32); 2] = [(360, 740), (1280, 800)];
const SCHEMES: [&str; 2] = ["light", "dark"];

const TAB: char = '\u{e004}';
const SHIFT: char = '\u{e008}';

/// A group with some talk in it, and a message that is held.
fn scene(pair: &mut Pair) -> Peer {
    let Pair { alice, bob, browser, folder } = pair;
    let mut carol = Launch::alone("carol", folder.path(), &["--peer", &alice.address()]).start();
    carol.meets("bob");
    browser.shows("#people", "carol");
    bob.run("-creategroup cars");
    carol.expect_event("group_appeared", |event| event["group"] == "cars");
    carol.run("-joingroup cars");
    browser.types("#find", "cars");
    browser.shows("#conversations", "join");
    browser.choose("#conversations", "cars");
    browser.shows("#subtitle", "carol");
    bob.expect_event("group_joined", |event| event["who"]["name"] == "carol");
    bob.expect_event("group_joined", |event| event["who"]["name"] == "alice");
    bob.say("@cars I have found a red one, see https://cars.example/red?year=1974");
    carol.hears("I have found a red one, see https://cars.example/red?year=1974");
    carol.say("@cars Does it run?");
    browser.shows("#log", "Does it run?");
    browser.enters("#text", "Nobody reads an answer before its question here, so wait for his.");
    browser.waits("a tick", "document.querySelector('#log .tick.delivered') !== null");
    carol.say("@alice Shall we look at it on Saturday, alice?");
    bob.say("good morning, all");
    bob.say("-delay 25 @cars It does, and it is cheap.");
    bob.say("@cars But it has only three wheels.");
    browser.shows("#held", "Held back");
    browser.waits("unread messages", "document.querySelectorAll('#conversations .badge').length >= 2");
    carol
}

/// What axe-core finds wrong with what is shown now.
fn violations(browser: &Browser, what: &str) -> Vec<String> {
    if browser.value("typeof axe === 'undefined'") == true {
        browser.value(&format!("(() => {{ {AXE}\n; return 0; }})()"));
    }
    browser.value(
        "(window.found = null, axe.run(document, {resultTypes: ['violations']}).then(({violations}) => { \
         window.found = violations.map(({id, nodes}) => `${id}: ${nodes.slice(0, 3).map((node) => node.html + ' ' + \
         (node.failureSummary ?? '')).join(' | ')}`); }).catch((error) => { window.found = [String(error)]; }), 0)",
    );
    browser.waits("what axe-core finds", "window.found !== null");
    let found = browser.value("window.found");
    let found = found.as_array().expect("it is a list").iter();
    found.map(|one| format!("{what}: {}", one.as_str().unwrap_or_default())).collect()
}

/// Shows each view in turn.
fn each_view(browser: &Browser, is_narrow: bool, look: &mut dyn FnMut(&str)) {
    look("chat");
    browser.click("#show-delay");
    look("delay");
    browser.click("#show-delay");
    browser.click("#show-search");
    browser.value("(document.querySelector('#words').value = '', 0)");
    browser.enters("#words", "one");
    browser.shows("#results", "red one");
    look("search");
    browser.click("#show-search");
    browser.click("#log .tick");
    browser.waits("the list", "document.querySelector('#who').open");
    look("who-has-it");
    browser.click("#who button");
    if is_narrow {
        browser.click("#show-left");
        look("list");
        browser.choose("#conversations", "cars");
        browser.click("#show-people");
        look("people");
        browser.click("#hide-people");
        browser.click("#show-left");
    }
    browser.click("#account");
    browser.shows("#account-dialog", "Your name in the chat");
    browser.enters("#nick", "");
    browser.shows("#nick-why", "already");
    look("account");
    browser.click("#account-close");
    browser.click("#show-order");
    browser.waits("the drawing", "document.querySelectorAll('#drawing .mark').length > 3");
    look("order");
    browser.click("#hide-order");
    compare_keys(browser, is_narrow, look);
    if is_narrow {
        browser.click("#show-left");
    }
    browser.choose("#conversations", "cars");
    browser.shows("#title", "cars");
}

/// From before the keys are compared until they are, and not any more.
fn compare_keys(browser: &Browser, is_narrow: bool, look: &mut dyn FnMut(&str)) {
    browser.choose("#people", "bob");
    browser.shows("#title", "bob");
    if is_narrow {
        browser.click("#show-people");
    }
    browser.click("#compare");
    browser.shows("#keys", "You have not compared keys");
    look("keys");
    browser.click("#keys-same");
    browser.shows("#keys", "You have compared keys");
    look("keys-compared");
    browser.click("#keys-close");
    browser.shows("#people", "key compared");
    look("people-compared");
    if is_narrow {
        browser.click("#hide-people");
    }
    look("chat-compared");
    browser.waits("the mark", "document.querySelector('#title-mark .compared')?.checkVisibility()");
    if is_narrow {
        browser.click("#show-people");
    }
    browser.click("#compare");
    browser.shows("#keys-differ", "differ");
    browser.click("#keys-differ");
    browser.shows("#keys", "You have not compared keys");
    browser.click("#keys-close");
    if is_narrow {
        browser.click("#hide-people");
    }
}

/// Shows views on every screen and in every colour, and takes a picture of each: what is wrong with them.
fn on_every_screen(browser: &Browser, mut show: impl FnMut(bool, &mut dyn FnMut(&str))) -> Vec<String> {
    assert_eq!(hex(&Sha256::digest(AXE)), AXE_SHA256, "the asset is another one than it was");
    let pictures = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&pictures).expect("the folder for what is built can be written");
    let mut found = Vec::new();
    for (width, height) in SCREENS {
        for scheme in SCHEMES {
            browser.emulate(width, height, &[("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")]);
            show(width < 640, &mut |view| {
                let name = format!("{view}-{width}-{scheme}");
                std::fs::write(pictures.join(format!("{name}.png")), browser.picture()).expect("it is written");
                let wide = browser.value("document.scrollingElement.scrollWidth").as_u64().unwrap_or(u64::MAX);
                assert!(wide <= width.into(), "{name} is {wide} pixels wide");
                found.extend(violations(browser, &name));
            });
        }
    }
    found
}

#[test]
fn every_view_fits_every_screen_and_nothing_is_wrong_with_it_for_those_who_have_it_read_out() {
    let Some(mut pair) = Pair::start() else { return };
    let _carol = scene(&mut pair);
    let Pair { browser, .. } = &pair;
    let mut found = on_every_screen(browser, |is_narrow, look| each_view(browser, is_narrow, look));
    browser.click("#logout");
    browser.shows("#gate-why", "You are logged out.");
    found.extend(on_every_screen(browser, |_, look| look("by-link")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn nothing_is_wrong_with_the_way_into_a_host_and_the_account_there() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let host = Host::start(folder.path(), &["--register-code", "sesame"]);
    browser.go(&host.link);
    let mut found = on_every_screen(&browser, |_, look| {
        browser.shows("#log-in", "Log in");
        look("log-in");
        browser.click("#to-register");
        browser.value("(document.querySelector('#register-passphrase').value = '', 0)");
        browser.types("#register-passphrase", "short");
        browser.shows("#strength", "easy to guess");
        look("register");
        browser.click("#to-log-in");
    });

    browser.click("#to-register");
    browser.types("#register-name", "alice");
    browser.types("#register-again", "short");
    browser.enters("#register-code", "guessed");
    browser.shows("#gate-why", "code");
    assert_eq!(browser.text("#strength"), "", "the passphrase is typed anew");
    found.extend(on_every_screen(&browser, |_, look| look("register-refused")));
    for field in ["#register-passphrase", "#register-again"] {
        browser.types(field, "the passphrase of alice");
    }
    browser.value("(document.querySelector('#register-code').value = '', 0)");
    browser.enters("#register-code", "sesame");
    browser.waits("alice is in", "document.querySelector('#me')?.textContent === 'alice'");

    found.extend(on_every_screen(&browser, |is_narrow, look| {
        if is_narrow {
            browser.click("#show-left");
        }
        browser.click("#account");
        browser.shows("#account-where", "You log in as alice.");
        look("host-account");
        browser.enters("#nick", "");
        browser.shows("#nick-why", "already");
        browser.enters("#delete-name", "bob");
        browser.shows("#delete-why", "nothing was deleted");
        look("host-account-refused");
        browser.click("#account-close");
        if is_narrow {
            browser.choose("#conversations", "Everybody");
        }
    }));

    browser.click("#logout");
    browser.shows("#gate-why", "You are logged out.");
    browser.shows("#known", "alice");
    found.extend(on_every_screen(&browser, |_, look| look("log-in-again")));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Goes on with Tab until something has the focus.
fn tab_to(browser: &Browser, selector: &str) {
    for _ in 0..80 {
        if browser.value(&format!("document.activeElement?.matches({}) ?? false", json!(selector))) == true {
            return;
        }
        browser.press(&TAB.to_string());
    }
    panic!("{selector} is not reached by Tab");
}

fn enter() -> String {
    char::from(Key::Enter).to_string()
}

#[test]
fn everything_can_be_done_with_the_keyboard_and_the_focus_is_always_seen() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.waits("the field", "document.querySelector('#text') !== null");
    // To a person, by their name.
    browser.press("\u{e009}k\u{e000}");
    browser.waits("the field for finding", "document.activeElement.id === 'find'");
    browser.press("bob");
    browser.shows("#conversations", "bob");
    browser.press(&enter());
    browser.shows("#title", "bob");
    browser.waits("the field", "document.activeElement.id === 'text'");
    browser.press(&format!("typed by hand{}", enter()));
    bob.hears("typed by hand");
    browser.waits("a tick", "document.querySelector('#log .tick.delivered') !== null");
    browser.press("\u{e00a}\u{e013}\u{e000}");
    browser.shows("#title", "Everybody");
    browser.press("\u{e00a}\u{e015}\u{e000}");
    browser.shows("#title", "bob");

    // Who has it.
    tab_to(browser, "#log .tick");
    browser.press(&enter());
    browser.shows("#who", "Has it\nbob");
    browser.press(&char::from(Key::Escape).to_string());
    browser.waits("back at the tick", "document.activeElement.matches('.tick')");
    // A search, and to what it finds.
    tab_to(browser, "#show-search");
    browser.press(&enter());
    browser.waits("the words", "document.activeElement.id === 'words'");
    browser.press(&format!("hand{}", enter()));
    browser.shows("#results", "typed by hand");
    tab_to(browser, "#results .row");
    browser.press(&enter());
    browser.waits("what was found", "document.querySelector('#log .found') !== null");
    browser.waits("the focus is there", "document.activeElement.id === 'log'");
    // Late.
    tab_to(browser, "#show-delay");
    browser.press(&enter());
    browser.waits("the seconds", "document.activeElement.id === 'seconds'");
    browser.press(&char::from(Key::Escape).to_string());
    browser.waits("the field", "document.activeElement.id === 'text'");
    browser.waits("it is closed", "document.querySelector('#delay').hidden");
    // The drawing, and back.
    tab_to(browser, "#show-order");
    browser.press(&enter());
    browser.waits("a mark", "document.activeElement.matches('.mark')");
    browser.press(&char::from(Key::Escape).to_string());
    browser.waits("the field", "document.activeElement.id === 'text'");

    // Round all of it: each has a name, and a ring.
    let mut reached = BTreeSet::new();
    for _ in 0..60 {
        browser.press(&TAB.to_string());
        let focused = browser.value(
            "(() => { const it = document.activeElement; if (it === document.body) return null; \
             const style = getComputedStyle(it); const name = it.getAttribute('aria-label') ?? (it.labels?.[0]?.textContent) ?? it.innerText; \
             return {id: it.id || it.className, ring: style.outlineStyle !== 'none' && style.outlineWidth !== '0px', name: (name ?? '').trim()}; })()",
        );
        // Between the last and the first.
        if focused == Value::Null {
            continue;
        }
        assert_eq!(focused["ring"], true, "{focused}");
        assert_ne!(focused["name"], "", "{focused}");
        reached.insert(focused["id"].as_str().unwrap_or_default().to_owned());
    }
    for id in ["find", "logout", "show-search", "log", "show-delay", "text", "show-order"] {
        assert!(reached.contains(id), "{id} is not among {reached:?}");
    }
    browser.press(&format!("{SHIFT}{TAB}\u{e000}"));
}
