//! Texts, names and groups that would become markup, if anything made markup of them.

use serde_json::json;

use crate::talk::Pair;

/// After the filter-evasion lists: each would call `attacked()` in a page that makes HTML of texts.
const TEXTS: [&str; 14] = [
    "<script>attacked()</script>",
    "<img src=x onerror=attacked()>",
    "\"><svg onload=attacked()>",
    "'><iframe srcdoc='<script>parent.attacked()</script>'>",
    "<a href=\"javascript:attacked()\">click</a>",
    "javascript:attacked()",
    "https://x.example/\" onmouseover=\"attacked()",
    "https://x.example/'onclick='attacked()",
    "http://javascript:attacked()@x.example/",
    "data:text/html,<script>attacked()</script>",
    "</textarea><script>attacked()</script>",
    "<style>@import 'http://x.example/';</style><link rel=stylesheet href=http://x.example/>",
    "{{constructor.constructor('attacked()')()}} ${attacked()}",
    "<math><mtext></p><textarea><mglyph><svg><mtext><textarea><a title=\"</textarea><img src onerror='attacked()'>\">",
];

#[test]
fn nothing_that_others_write_becomes_markup_or_hides() {
    let Some(mut pair) = Pair::start() else { return };
    let Pair { bob, browser, .. } = &mut pair;
    browser.value("(window.attacks = 0, window.attacked = () => window.attacks++, 0)");
    browser.value(
        "(addEventListener('securitypolicyviolation', (event) => { window.violated = event.violatedDirective; }), 0)",
    );
    for text in TEXTS {
        bob.write_json(&json!({"id": text, "command": "send", "to": "all", "text": text}).to_string());
        bob.expect("an answer", |line| line["id"] == text && line["answer"] == "sent");
        browser.waits(
            text,
            &format!(
                "[...document.querySelectorAll('#log .body')].some((body) => body.textContent === {})",
                json!(text)
            ),
        );
    }
    bob.say("\u{202e}txet desrever \u{200b}\u{7}end");
    browser.shows("#log", "<U+202E>txet desrever <U+200B><U+0007>end");
    browser.waits("links, and nothing around them", "document.querySelectorAll('#log a').length === 5");
    let links = "[...document.querySelectorAll('#log a')]";
    assert_eq!(browser.value(&format!("{links}.every((a) => /^https?:$/.test(a.protocol))")), true);
    assert_eq!(browser.value(&format!("{links}.every((a) => a.rel === 'noopener noreferrer' && !a.onclick)")), true);
    let foreign =
        "document.querySelectorAll('#app script, #app img, #app iframe, #app svg, #app style, #app math').length";
    assert_eq!(browser.value(foreign), 0);
    // A group's name can hold no markup; what is typed as one is shown to its user before the peer refuses it.
    browser.types("#find", "<img src=x onerror=attacked()>");
    browser.shows("#conversations", "Create the group <img src=x onerror=attacked()>");
    browser.choose("#conversations", "Create the group");
    browser.waits("the refusal", "!document.querySelector('#notice').hidden");
    assert_eq!(browser.value("window.attacks"), 0);
    assert_eq!(browser.value("window.violated ?? 'nothing'"), "nothing", "not even the policy was needed");
    // Wherever else a text is shown.
    for text in [TEXTS[0], TEXTS[1], TEXTS[2]] {
        browser.enters("#text", text);
    }
    browser.waits("own ones", "document.querySelectorAll('#log .own .tick.delivered').length === 3");
    browser.value("document.querySelector('#log .own .tick').click() ?? true");
    browser.shows("#who-has-text", TEXTS[0]);
    browser.click("#who button");
    browser.click("#show-delay");
    browser.value("document.querySelector('#seconds').value = 600");
    browser.types("#text", TEXTS[1]);
    browser.click("#delay .framed");
    browser.shows("#waiting", TEXTS[1]);
    browser.types("#text", TEXTS[2]);
    browser.click("#show-search");
    browser.enters("#words", "attacked");
    browser.shows("#results", TEXTS[3]);
    browser.click("#show-order");
    browser.waits("a mark", "document.querySelectorAll('#drawing .mark').length > 10");
    let about = format!(
        "[...document.querySelectorAll('#drawing .mark')].some((mark) => mark.getAttribute('aria-label').includes({}))",
        json!(TEXTS[0])
    );
    browser.waits("the text of a mark", &about);
    browser.click("#hide-order");
    // Names that scripts have a meaning for, and names of other scripts.
    for group in ["__proto__", "constructor", "toString", "שלום", "e\u{301}te\u{301}"] {
        bob.run(&format!("-creategroup {group}"));
    }
    let foreign = foreign.replace("#app svg, ", "#app svg:not(#drawing > svg), ");
    assert_eq!(browser.value(&foreign), 0);
    assert_eq!(browser.value("window.attacks"), 0);
    assert_eq!(browser.value("window.violated ?? 'nothing'"), "nothing", "not even the policy was needed");
    browser.value("(document.querySelector('#text').value = '', document.querySelector('#find').value = '', 0)");
    browser.types("#find", "_proto_");
    browser.shows("#conversations", "join");
    browser.choose("#conversations", "__proto__");
    browser.shows("#title", "__proto__");
    browser.types("#text", "a draft");
    browser.choose("#conversations", "Everybody");
    browser.shows("#conversations", "draft");
    browser.reload();
    browser.choose("#conversations", "__proto__");
    browser.waits("the draft", "document.querySelector('#text').value === 'a draft'");
    assert_eq!(browser.value("Object.keys(Object.prototype).length"), 0);
    // The policy stands behind all of this.
    browser.value(
        "(() => { try { document.body.innerHTML = '<b>x</b>'; } catch { window.refused = true; } return 0; })()",
    );
    assert_eq!(browser.value("window.refused"), true);
}
