//! What people do with their names and accounts, as the page tells it.

use serde_json::Value;

use crate::browser::Browser;
use crate::peer::Launch;
use crate::service::Service;
use crate::talk::{Pair, link};

#[test]
fn new_names_and_a_deleted_account_are_shown() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, .. } = &mut pair;
    bob.run("-nick robert");
    browser.shows("#people", "robert");
    let mut attached = alice.launch.clone().attach();
    attached.run("-nick anna");
    browser.shows("#me", "anna");
    browser.choose("#people", "robert");
    browser.shows("#subtitle", "You two alone read this");
    bob.run("-delete-account robert");
    browser.shows("#notice", "robert has deleted the account.");
    browser.shows("#subtitle", "nothing reaches them");
    browser.waits("robert is not shown as here", "!document.querySelector('#conversations [aria-current] .dot.here')");
    browser.enters("#text", "too late");
    browser.shows("#log", "Not sent: robert is gone for good");
    browser.waits("nobody else is left", "!document.querySelector('#people').innerText.includes('robert')");
    attached.quit();
}

/// Asks for another name in the dialog of the account, which is open.
pub(crate) fn renames(browser: &Browser, name: &str) {
    // The dialog fills the field in when it opens.
    browser.shows("#account-dialog", "Your name in the chat");
    browser.value("(document.querySelector('#nick').value = '', 0)");
    browser.enters("#nick", name);
}

#[test]
fn the_user_of_a_peer_of_their_own_changes_their_name_on_the_page() {
    let Some(pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &pair;
    browser.click("#account");
    browser.shows("#account-dialog", "Your name in the chat");
    assert!(!browser.text("#account-dialog").contains("log in"), "there is one name here");
    renames(browser, "anna");
    browser.shows("#nick-why", "You are now called anna.");
    browser.shows("#me", "anna");
    browser.shows("#people", "anna");
    bob.expect_event("person_changed", |event| event["who"]["name"] == "anna" && event["before"] == "alice");
}

#[test]
fn a_user_whose_name_another_person_had_first_is_told_where_to_change_it() {
    let Some(browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("it is new");
    let first = Launch::alone("alice", &other, &[]).start();
    let bob = Launch::alone("bob", folder.path(), &["--peer", &first.address(|_| true)]).start();
    bob.meets("alice");
    // A newcomer, who finds the name taken.
    let alice = Service::start(Launch::alone(
        "alice",
        folder.path(),
        &["--web", "127.0.0.1:0", "--peer", &bob.address(|_| true)],
    ));
    browser.go(&link(&alice));
    browser.shows("#notice", "who had it first. To choose another one, click your name, above the conversations.");
    browser.click("#account");
    browser.shows("#account-dialog", "Your name in the chat");
    renames(&browser, "anna");
    browser.shows("#nick-why", "You are now called anna.");
    browser.waits("the notice is gone", "document.querySelector('#notice').hidden");
}

/// How many of the rows for that name have a mark, which says to those who have it read out what it means, and how many have none.
fn marked(browser: &Browser, list: &str, name: &str) -> (u64, u64) {
    let rows = format!(
        "[...document.querySelectorAll('{list} .row')].filter((row) => row.querySelector('.name')?.textContent.includes('{name}'))"
    );
    let says = "row.querySelector('.compared') !== null && row.textContent.includes('key compared')";
    let count =
        |which: &str| browser.value(&format!("{rows}.filter((row) => {which}).length")).as_u64().expect("a number");
    (count(says), count(&format!("!({says})")))
}

/// Opens the dialog for comparing keys, which says what the user found before.
fn compare(browser: &Browser, says: &str) {
    browser.shows("#compare", "Compare keys");
    browser.click("#compare");
    browser.shows("#keys", says);
}

#[test]
fn a_person_whose_key_was_compared_has_a_mark_and_nobody_else_of_that_name_has() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, folder } = &mut pair;
    assert_eq!(
        browser.value("document.querySelector('#compare').hidden"),
        true,
        "there is no one person to compare with"
    );
    browser.choose("#people", "bob");
    compare(browser, "You have not compared keys with bob.");
    let code = browser.text("#keys-code");
    assert_eq!(bob.run("-verify alice")["code"], code.as_str(), "both see the same");
    browser.click("#keys-close");
    assert_eq!(browser.value("document.querySelector('.compared')"), Value::Null, "looking is not comparing");

    compare(browser, "You have not compared keys with bob.");
    browser.click("#keys-same");
    browser.shows("#keys", "You have compared keys with bob.");
    browser.click("#keys-close");
    browser.shows("#title-mark", "key compared");
    for list in ["#people", "#conversations"] {
        assert_eq!(marked(browser, list, "bob"), (1, 0), "{list}");
    }
    browser.reload();
    browser.shows("#title-mark", "key compared");
    bob.run("-nick robert");
    browser.shows("#title", "robert");
    browser.shows("#title-mark", "key compared");
    compare(browser, "You have compared keys with robert.");
    browser.click("#keys-differ");
    browser.shows("#keys", "You have not compared keys with");
    browser.waits("no mark", "document.querySelector('.compared') === null");
    browser.click("#keys-close");
    let mut attached = alice.launch.clone().attach();
    attached.run("-verify robert yes");
    browser.shows("#title-mark", "key compared");
    attached.quit();

    bob.quit();
    let other = folder.path().join("other");
    std::fs::create_dir(&other).expect("it is new");
    let _other = Launch::alone("robert", &other, &["--peer", &alice.address()]).start();
    browser.choose("#conversations", "Everybody");
    browser.waits("both", "document.querySelector('#people').innerText.match(/robert·/g)?.length === 2");
    assert_eq!(marked(browser, "#people", "robert"), (1, 1), "the key counts, and not the name");
    browser.shows("#people .away", "key compared");
    browser.value("([...document.querySelectorAll('#people .row:not(.away)')].find((row) => row.innerText.includes('robert')).click(), 0)");
    browser.shows("#title", "robert·");
    assert_eq!(browser.text("#title-mark"), "", "another person's key was compared");
    compare(browser, "You have not compared keys with robert·");
    assert_ne!(browser.text("#keys-code"), code);
}
