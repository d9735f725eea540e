//! What people do with their names and accounts, as the page tells it.

use crate::talk::Pair;

#[test]
fn new_names_and_a_deleted_account_are_shown() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, .. } = &mut pair;
    bob.run("-nick robert");
    browser.shows("#people", "robert");
    let mut attached = alice.launch.clone().attach();
    attached.run("-nick anna");
    browser.shows("#me", "anna");
    bob.run("-delete-account robert");
    browser.shows("#notice", "robert has deleted the account.");
    browser.waits("nobody else is left", "!document.querySelector('#people').innerText.includes('robert')");
    attached.quit();
}

#[test]
fn the_user_of_a_peer_of_their_own_changes_their_name_on_the_page() {
    let Some(pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &pair;
    browser.click("#account");
    browser.shows("#account-dialog", "Your name in the chat");
    assert!(!browser.text("#account-dialog").contains("log in"), "there is one name here");
    browser.value("(document.querySelector('#nick').value = '', 0)");
    browser.enters("#nick", "anna");
    browser.shows("#nick-why", "You are now called anna.");
    browser.shows("#me", "anna");
    browser.shows("#people", "anna");
    bob.expect_event("person_changed", |event| event["who"]["name"] == "anna" && event["before"] == "alice");
}
