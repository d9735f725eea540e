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
