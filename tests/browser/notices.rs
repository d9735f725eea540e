//! Notifications of the system, which the user asks for, and the number in the title.

use serde_json::json;

use crate::talk::Pair;

#[test]
fn a_hidden_tab_tells_of_messages_to_its_user_once_the_user_has_asked_for_it() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { alice, bob, browser, .. } = &mut pair;
    let origin = browser.value("location.origin");
    browser.waits("it is offered", "!document.querySelector('#notify').hidden");
    assert_eq!(browser.value("Notification.permission"), "default", "nothing is asked for by itself");
    // The answer that a user gives to the browser's question.
    browser.devtools("Browser.grantPermissions", &json!({"origin": origin, "permissions": ["notifications"]}));
    browser.click("#notify");
    browser.waits("it is not offered again", "document.querySelector('#notify').hidden");
    // What it tells, and whether it is hidden, is left where another tab of the page finds it.
    browser.value(
        "(window.Notification = new Proxy(Notification, { construct(of, [title, options]) { \
         const told = JSON.parse(localStorage.told ?? '[]'); \
         localStorage.told = JSON.stringify([...told, `${title}: ${options.body}`]); return new of(title, options); } }), \
         document.addEventListener('visibilitychange', () => { localStorage.hidden = document.hidden; }), 0)",
    );
    bob.say("@alice looked at");
    browser.waits("it is counted", "document.title.startsWith('(1)')");

    browser.open_tab();
    browser.go(&format!("{}/style.css", origin.as_str().expect("an origin is text")));
    browser.waits("the first tab is hidden", "localStorage.hidden === 'true'");
    let mut attached = alice.launch.clone().attach();
    bob.say("nothing for her");
    bob.say("alice, this names you");
    bob.say("@alice and this is for you alone");
    attached.expect_event("unread", |event| event["of"]["direct"]["name"] == "bob" && event["unread"] == 2);
    browser.waits("what she was told", "JSON.parse(localStorage.told ?? '[]').length === 2");
    assert_eq!(
        browser.value("JSON.parse(localStorage.told)"),
        json!(["bob in Everybody: alice, this names you", "bob: and this is for you alone"])
    );
    attached.quit();
}
