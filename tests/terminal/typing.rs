//! Text that arrives while a line is being typed disturbs neither the line nor what is on the screen.

use crate::screen::{Chat, PROMPT, line_of};

const LONG: &str =
    "a line that is long enough to go on in the next row of a terminal of sixty columns, and in the one after that";
const EMOJI: &str = "🚗🚕🚙🚌🚎🏎🚓🚑🚒🚐🛻🚚🚛🚜🦯🦽🦼🛴🚲🛵🏍🛺";
const TEXTS: [&str; 3] = [
    "first: something short",
    "second: something that is too long for one row of a narrow terminal, so that it goes on in a second one, and more",
    "third: 🚗 with a car, and the end",
];

/// Types what two names begin with, and opens the menu that offers both.
fn open_menu(screen: &mut Chat) {
    screen.bob.run("-creategroup bobsleigh");
    screen.until("the group is known", |rows| rows.iter().any(|row| row.contains("a group bobsleigh")));
    screen.write("@bo");
    screen.press(&["Tab"]);
    screen.until("the menu is open", menu);
}

/// Whether names are offered below the line.
fn menu(rows: &[String]) -> bool {
    let below = rows.iter().rposition(|row| row.starts_with(PROMPT)).map_or(0, |prompt| prompt + 1);
    rows[below..].iter().any(|row| row.contains("bobsleigh"))
}

#[test]
fn a_short_line_stays_whole() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("half a line");
    screen.until_line("half a line");
    screen.hears_while_typing(&TEXTS, "half a line");
    screen.write(", and the rest");
    screen.press(&["Enter"]);
    screen.bob.hears("half a line, and the rest");
}

#[test]
fn a_line_that_wraps_stays_whole() {
    let Some(mut screen) = Chat::new(60, 20) else { return };
    screen.write(LONG);
    screen.until_line(LONG);
    screen.hears_while_typing(&TEXTS, LONG);
    screen.press(&["Enter"]);
    screen.bob.hears(LONG);
}

#[test]
fn a_line_of_emoji_stays_whole() {
    let Some(mut screen) = Chat::new(60, 20) else { return };
    screen.write(EMOJI);
    screen.until_line(EMOJI);
    screen.hears_while_typing(&TEXTS, EMOJI);
    screen.press(&["Enter"]);
    screen.bob.hears(EMOJI);
}

#[test]
fn a_wrapped_line_stays_whole_with_the_cursor_at_the_start_of_a_row() {
    let Some(mut screen) = Chat::new(60, 20) else { return };
    screen.write(LONG);
    screen.until_line(LONG);
    let (mut column, row) = screen.cursor();
    while column > 0 {
        screen.press(&["Left"]);
        screen.until("the cursor moves", |_| screen.cursor().0 < column);
        column = screen.cursor().0;
    }
    assert_eq!(screen.cursor(), (0, row));
    screen.hears_while_typing(&TEXTS, LONG);
    screen.press(&["End", "Enter"]);
    screen.bob.hears(LONG);
}

#[test]
fn messages_appear_while_a_draft_fills_the_screen_and_during_a_search() {
    let Some(mut screen) = Chat::new(60, 10) else { return };
    let lines: Vec<String> = (1..=30).map(|number| format!("draft line {number}.")).collect();
    screen.paste(&lines.join("\n"));
    screen.until("the end of the draft", |rows| rows.iter().any(|row| row == "draft line 30."));
    for text in TEXTS {
        screen.bob.say(text);
        screen.until(text, |rows| rows.concat().contains(&text[..20]));
    }
    // Only the rows around the cursor are drawn.
    assert!(!screen.rows().iter().any(|row| row == "draft line 20."));
    screen.press(&["Enter"]);
    screen.bob.hears(&lines.join("\n"));
    screen.until_line("");
    screen.press(&["C-r"]);
    screen.write("line 7");
    screen.bob.say("during the search");
    screen.until("the message", |rows| rows.iter().any(|row| row.ends_with("during the search")));
    screen.press(&["Escape"]);
    screen.until_line("");
    screen.shows_in_order(&[&TEXTS[..], &["during the search"]].concat());
}

#[test]
fn the_completion_menu_stays_usable() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    open_menu(&mut screen);
    for text in TEXTS {
        screen.bob.say(text);
        screen.until(text, |rows| rows.concat().contains(&text[..20]));
    }
    screen.press(&["Escape"]);
    screen.until("the menu is closed", |rows| !menu(rows));
    screen.shows_once(&TEXTS);
    screen.press(&["C-c"]);
    screen.until_line("");
    screen.write("@bob still works");
    screen.press(&["Enter"]);
    screen.bob.hears("still works");
}

#[test]
fn a_name_can_be_completed_or_typed_on_and_enter_sends_the_message() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    open_menu(&mut screen);
    screen.press(&["Enter"]);
    screen.until("a name is picked", |rows| !menu(rows) && line_of(rows).starts_with("@bob"));
    screen.press(&["C-c"]);
    screen.until_line("");
    screen.write("@bo");
    screen.press(&["Tab"]);
    screen.until("the menu is open", menu);
    screen.write("b hi");
    screen.until_line("@bob hi");
    screen.press(&["Enter"]);
    let heard = screen.bob.hears("hi");
    assert!(heard["message"]["to"].get("direct").is_some(), "{heard}");
}

#[test]
fn a_line_stays_whole_after_a_resize() {
    let Some(mut screen) = Chat::new(100, 24) else { return };
    screen.write(LONG);
    screen.until_line(LONG);
    screen.resize(50, 24);
    screen.until_line(LONG);
    screen.hears_while_typing(&TEXTS, LONG);
    screen.resize(120, 30);
    screen.until_line(LONG);
    screen.hears_while_typing(&["fourth: wide again"], LONG);
    screen.press(&["Enter"]);
    screen.bob.hears(LONG);
}

#[test]
fn a_flood_of_messages_loses_none_and_leaves_the_line_alone() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("calm");
    screen.until_line("calm");
    let texts: Vec<String> = (0..200).map(|number| format!("message number {number}.")).collect();
    for text in &texts {
        screen.bob.write(text);
    }
    screen.until("the last message", |rows| rows.iter().any(|row| row.ends_with("number 199.")));
    screen.until_line("calm");
    screen.shows_once(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    screen.press(&["Enter"]);
    screen.bob.hears("calm");
}

#[test]
fn control_c_clears_the_line_and_control_d_leaves() {
    let Some(screen) = Chat::new(80, 24) else { return };
    screen.write("never sent");
    screen.until_line("never sent");
    screen.press(&["C-c"]);
    screen.until_line("");
    screen.press(&["C-d"]);
    assert_eq!(screen.left(), 0);
    screen.bob.loses("alice");
    assert!(screen.bob.shown().is_empty());
}

/// Nothing that is typed while a command is being answered is echoed where it does not belong, or lost.
#[test]
fn what_is_typed_ahead_of_the_next_prompt_is_for_that_prompt() {
    let Some(screen) = Chat::new(80, 40) else { return };
    let texts: Vec<String> = (0..20).map(|number| format!("text {number} of many")).collect();
    for text in &texts {
        screen.write(text);
        screen.press(&["Enter"]);
    }
    screen.press(&["C-d"]);
    assert_eq!(screen.left(), 0);
    for text in &texts {
        screen.bob.hears(text);
    }
    let rows = screen.rows();
    for text in &texts {
        let shown: Vec<_> = rows.iter().filter(|row| row.contains(text)).collect();
        assert!(matches!(&shown[..], [row] if row.ends_with(&format!("{PROMPT} {text}"))), "{}", rows.join("\n"));
    }
    screen.bob.loses("alice");
}

#[test]
fn a_terminal_that_hangs_up_takes_the_peer_with_it() {
    let Some(screen) = Chat::new(80, 24) else { return };
    screen.write("half a line");
    assert!(screen.hang_up(), "nobody is left to type, but the program runs on");
    screen.bob.loses("alice");
}

#[test]
fn control_sequences_from_others_are_harmless() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("typing");
    screen.until_line("typing");
    screen.bob.write("evil \u{1b}[2J\u{1b}[H\u{7}\u{9b}2J text");
    screen.until("the text without its teeth", |rows| {
        rows.iter().any(|row| row.contains("evil") && row.ends_with("text"))
    });
    screen.until_line("typing");
    assert!(screen.rows().iter().any(|row| row.contains("bob is here")), "{:?}", screen.rows());
}
