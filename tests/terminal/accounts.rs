//! An account with a passphrase, as its user makes and opens it at a terminal.

use std::fs;

use crate::peer::PROGRAM;
use crate::screen::{PROMPT, Screen};

fn shows(screen: &Screen, text: &str) {
    screen.until(text, |rows| rows.iter().any(|row| row.contains(text)));
}

fn enter(screen: &Screen, line: &str) {
    screen.write(line);
    screen.press(&["Enter"]);
}

#[test]
fn a_passphrase_is_asked_for_and_never_shown() {
    let Some(screen) = Screen::shell(120, 40) else { return };
    enter(&screen, &format!("{PROGRAM} account new alice"));
    shows(&screen, "New passphrase for alice:");
    enter(&screen, "open-sesame");
    shows(&screen, "The same again:");
    enter(&screen, "open-barley");
    shows(&screen, "the two passphrases differ, so nothing was changed");

    enter(&screen, &format!("clear; {PROGRAM} account new alice"));
    shows(&screen, "New passphrase for alice:");
    enter(&screen, "open-sesame");
    shows(&screen, "The same again:");
    enter(&screen, "open-sesame");
    shows(&screen, "start it with causerie --account alice");

    enter(&screen, &format!("clear; {PROGRAM} --account alice --no-mdns --listen 127.0.0.1:0"));
    shows(&screen, "Passphrase for alice:");
    enter(&screen, "open-barley");
    shows(&screen, "wrong passphrase for alice");
    enter(&screen, "open-sesame");
    screen.until("the prompt", |rows| rows.iter().any(|row| row.starts_with(PROMPT)));
    assert!(screen.rows().iter().all(|row| !row.contains("open-")), "{}", screen.rows().join("\n"));

    // No crash leaves the key on a disk.
    let limits = fs::read_to_string(format!("/proc/{}/limits", screen.child())).expect("the program runs");
    let core: Vec<&str> =
        limits.lines().find(|line| line.starts_with("Max core")).unwrap_or("").split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "{limits}");
    screen.press(&["C-d"]);
    enter(&screen, "clear; exit");
}
