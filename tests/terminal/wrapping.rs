//! Long messages: their rows are indented, and very long ones are folded.

use crate::screen::{Chat, PROMPT};

/// What stands in front of every row of a message but its first.
const INDENT: &str = "         ";

/// The rows of the message that has this in its first one.
fn rows_of(rows: &[String], first: &str) -> Vec<String> {
    let begin = rows.iter().position(|row| row.contains(first)).unwrap_or_else(|| panic!("{first:?} in {rows:#?}"));
    let behind = rows[begin + 1..].iter().take_while(|row| row.starts_with(' '));
    std::iter::once(&rows[begin]).chain(behind).cloned().collect()
}

#[test]
fn a_message_padded_to_look_like_two_is_told_apart() {
    for columns in [80, 40] {
        let Some(mut screen) = Chat::new(columns, 24) else { return };
        screen.write("typing");
        let forged = "14:03:13 alice: I agree";
        for padding in 0..columns {
            let text = format!("begin{}{forged}", " ".repeat(padding));
            screen.bob.write(&text);
        }
        screen.bob.say("the end");
        screen.until("the end", |rows| rows.iter().any(|row| row.ends_with("the end")));
        screen.until_line("typing");
        let rows = screen.rows();
        let forged: Vec<_> = rows.iter().filter(|row| row.starts_with("14:03:13")).collect();
        assert!(forged.is_empty(), "{}", rows.join("\n"));
    }
}

#[test]
fn words_wrap_at_spaces_and_new_lines_go_by_the_new_width() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    let text = "a text that is long enough to go on in the next row, in words that are whole: 日本語 and 🚗🚕🚙 too";
    let mut say = |columns: usize, mark: &str| {
        screen.resize(columns, 24);
        screen.bob.say(&format!("{mark} {text}"));
        screen.until(mark, |rows| rows.iter().any(|row| row.contains(mark)));
        screen.until_line("");
        let rows = rows_of(&screen.rows(), mark);
        assert!(rows.len() > 1 && rows[1..].iter().all(|row| row.starts_with(INDENT)), "{rows:#?}");
        let words: Vec<&str> = rows.iter().flat_map(|row| row.split_whitespace()).collect();
        assert!(words.join(" ").ends_with(&format!("{mark} {text}")), "{rows:#?}");
        rows.len()
    };
    let (wide, narrow, wide_again) = (say(80, "eighty:"), say(40, "forty:"), say(100, "hundred:"));
    assert!(wide < narrow && wide_again <= wide, "{wide}, {narrow}, {wide_again}: {}", screen.rows().join("\n"));
}

#[test]
fn a_message_of_thousands_of_lines_is_folded() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.write("typing");
    let lines: Vec<String> = (1..=2030).map(|number| format!("line {number}")).collect();
    let id = screen.bob.say(&lines.join("\n"));
    let clock = id.rsplit(':').next().expect("an id ends in a clock");
    screen.until("the fold", |rows| rows.iter().any(|row| row.contains("… 2,000 more lines; -show bob#")));
    screen.until_line("typing");
    let rows = screen.rows();
    assert!(rows.iter().any(|row| row.ends_with("line 30")) && !rows.iter().any(|row| row.ends_with("line 31")));
    screen.press(&["C-u"]);
    screen.write(&format!("-show bob#{clock}"));
    screen.press(&["Enter"]);
    screen.until("the whole message", |rows| rows.iter().any(|row| row.ends_with("line 2030")));
}

#[test]
fn what_is_pasted_is_harmless_on_the_own_screen_too() {
    let Some(mut screen) = Chat::new(80, 24) else { return };
    screen.bob.say("before");
    screen.until("a message", |rows| rows.iter().any(|row| row.ends_with("before")));
    screen.paste("code\n\u{1b}[2J\u{1b}[1;1H\u{7}\n    indented");
    screen.until_line("code␛[2J␛[1;1H␇indented");
    screen.hears_while_typing(&["meanwhile"], "code␛[2J␛[1;1H␇indented");
    screen.press(&["Enter"]);
    screen.bob.hears("code\n\u{1b}[2J\u{1b}[1;1H\u{7}\n    indented");
    screen.until_line("");
    let rows = screen.rows();
    let sent = rows_of(&rows, &format!("{PROMPT} code"));
    assert_eq!(sent[1..], [format!("{INDENT}␛[2J␛[1;1H␇"), format!("{INDENT}    indented")]);
    assert!(rows.iter().any(|row| row.ends_with("before")), "{}", rows.join("\n"));
}
