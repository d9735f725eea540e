//! A terminal that stands still for a while loses nothing, and nothing is broken afterwards.

use std::thread;
use std::time::{Duration, Instant};

use crate::peer::PATIENCE;
use crate::screen::{Chat, signal};

/// Longer than any program waits for a terminal's answer. A terminal that is asked something and answers after its question was
/// given up has its answer taken for that to the next one.
const STILL: Duration = Duration::from_secs(3);

const MEANWHILE: [&str; 2] = ["while the terminal stands still", "and one more"];
const AFTERWARDS: [&str; 4] = ["the first afterwards", "the second", "the third", "the fourth"];

fn nothing_is_lost(screen: &mut Chat) {
    screen.until_line("half a line");
    screen.hears_while_typing(&AFTERWARDS, "half a line");
    screen.shows_once(&[&MEANWHILE[..], &AFTERWARDS].concat());
    screen.write(", and the rest");
    screen.press(&["Enter"]);
    screen.bob.hears("half a line, and the rest");
    screen.bob.say("after a line was sent");
    screen.until("the last message", |rows| rows.iter().any(|row| row.ends_with("after a line was sent")));
    screen.until_line("");
}

#[test]
fn a_terminal_that_is_stopped_shows_everything_once_it_goes_on() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("half a line");
    screen.until_line("half a line");
    for text in MEANWHILE {
        let still = screen.stand_still();
        screen.bob.say(text);
        thread::sleep(STILL);
        drop(still);
        screen.until(text, |rows| rows.concat().contains(text));
    }
    nothing_is_lost(&mut screen);
}

#[test]
fn a_user_who_scrolls_back_misses_nothing() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("half a line");
    screen.until_line("half a line");
    for text in MEANWHILE {
        screen.copy_mode();
        screen.bob.say(text);
        thread::sleep(STILL);
        screen.end_copy_mode();
    }
    nothing_is_lost(&mut screen);
}

#[test]
fn a_terminal_that_is_stopped_keeps_nobody_from_leaving() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    let alice = screen.program();
    let still = screen.stand_still();
    for number in 0..100 {
        screen.bob.say(&format!("{number}, which is {}.", "long ".repeat(700)));
    }
    thread::sleep(STILL);
    signal("-TERM", &alice);
    screen.bob.loses("alice");
    let until = Instant::now() + PATIENCE;
    while is_running(&alice) {
        assert!(Instant::now() < until, "alice has said goodbye and runs on");
        thread::sleep(Duration::from_millis(20));
    }
    drop(still);
}

/// Whether a process is there and has not ended: its parent may stand still and not have noticed.
fn is_running(process: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

#[test]
fn what_does_not_fit_into_a_terminal_that_is_stopped_waits() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("calm");
    screen.until_line("calm");
    let name = |number: usize| format!("message {number:02} of many");
    let still = screen.stand_still();
    for number in 0..30 {
        screen.bob.say(&format!("{}, which is {}.", name(number), "long ".repeat(700)));
    }
    thread::sleep(STILL);
    drop(still);
    screen.until("the last message", |rows| rows.iter().any(|row| row.contains(&name(29))));
    screen.until_line("calm");
    screen.hears_while_typing(&["and goes on"], "calm");
    let names: Vec<String> = (0..30).map(name).collect();
    screen.shows_once(&names.iter().map(String::as_str).collect::<Vec<_>>());
}
