//! What looks like a target or a command never goes to everybody.

use node::chat::{Command, Target};
use proptest::prelude::*;
use proptest::sample::select;

use super::super::{Input, SPECS, parse};
use super::{Flaw, flaw};

/// Characters that show nothing, or only room, but for a space and a tab, which are the escape.
const UNSEEN: &[char] = &[
    '\u{200b}',
    '\u{200c}',
    '\u{200d}',
    '\u{2060}',
    '\u{feff}',
    '\u{a0}',
    '\u{3000}',
    '\u{ad}',
    '\u{200e}',
    '\u{200f}',
    '\u{202a}',
    '\u{202e}',
    '\u{2066}',
    '\u{2069}',
    '\u{61c}',
    '\u{180e}',
    '\u{2000}',
    '\u{2003}',
    '\u{2009}',
    '\u{200a}',
    '\u{202f}',
    '\u{205f}',
    '\u{1680}',
    '\u{2800}',
    '\u{3164}',
    '\u{ffa0}',
    '\u{115f}',
    '\u{34f}',
    '\u{fe0f}',
    '\u{e0040}',
    '\u{2028}',
    '\u{85}',
    '\u{0}',
    '\u{7}',
    '\u{1b}',
    '\u{7f}',
    '\u{9b}',
    '\u{301}',
    '\u{fff9}',
    '\r',
    '\u{b}',
    '\u{c}',
];

const ATS: &[char] = &['@', '＠', '﹫'];

const DASHES: &[&str] = &[
    "-",
    "/",
    "--",
    "//",
    "---",
    "–",
    "—",
    "―",
    "−",
    "‐",
    "‑",
    "‒",
    "－",
    "﹣",
    "﹘",
    "⁃",
    "➖",
    "ー",
    "─",
    "／",
    "⁄",
    "∕",
    "\\",
    "-–",
    "–-",
    "-\u{200b}",
    "-\u{ad}-",
];

fn goes_to_all(line: &str) -> bool {
    matches!(parse(line), Ok(Input::Command(Command::Send { to: Target::All, .. })))
}

fn commands() -> Vec<&'static str> {
    SPECS.iter().flat_map(|spec| spec.names).copied().collect()
}

#[test]
fn an_at_behind_what_cannot_be_seen_and_what_looks_like_one_are_refused() {
    for unseen in UNSEEN {
        let line = format!("{unseen}@bob hi");
        assert!(matches!(flaw(&line), Flaw::Hidden { mark: '@', .. }), "{line:?}");
        let line = format!("{unseen}{unseen} ＠bob hi");
        assert!(matches!(flaw(&line), Flaw::Hidden { mark: '＠', .. }), "{line:?}");
    }
    for at in &ATS[1..] {
        assert!(matches!(flaw(&format!("{at}bob hi")), Flaw::LooksLikeAt { .. }), "{at}");
    }
}

#[test]
fn a_command_behind_what_cannot_be_seen_and_what_looks_like_one_are_refused() {
    for unseen in UNSEEN {
        for command in ["-lu", "/quit", "-nonsense", "--help"] {
            let line = format!("{unseen}{command}");
            assert!(!goes_to_all(&line), "{line:?}");
        }
    }
    for dash in DASHES {
        for command in commands() {
            let line = format!("{dash}{command}");
            assert!(!goes_to_all(&line), "{line:?}");
            let shouted = format!("{dash}{} x", command.to_uppercase());
            // `-me` says itself that it is for everybody.
            assert!(!goes_to_all(&shouted) || shouted.ends_with("ME x"), "{shouted:?}");
        }
    }
    assert!(matches!(flaw("－ｌｕ"), Flaw::LooksLikeCommand { name: "lu", .. }));
    assert!(matches!(flaw("--help"), Flaw::LooksLikeCommand { name: "help", .. }));
}

#[test]
fn a_word_for_this_program_alone_on_a_line_is_asked_about() {
    for word in [
        "help",
        "quit",
        "exit",
        "?",
        "HELP",
        "Exit",
        "quit  ",
        "ｈｅｌｐ",
        "？",
        "\u{feff}quit",
        "qu\u{ad}it",
        "exit\n",
    ] {
        assert!(matches!(flaw(word), Flaw::BareWord { .. }), "{word:?}");
    }
    for text in ["help me", "quit smoking", "??", "what?", "exit.", "no help"] {
        assert!(goes_to_all(text), "{text:?}");
    }
}

#[test]
fn what_people_write_goes_to_everybody() {
    for text in [
        "— so he said",
        "– a list",
        "—Hola, dijo",
        "− 5",
        "➖",
        "–",
        "一人",
        "ーー",
        "a@b.org",
        "😀 @bob",
        "👋🏽 hi",
        "é",
        "\\o/",
        "---",
        "--force is an option",
        "-- \nsignature",
        "\u{200f}שלום",
        "…@bob",
        "\"@bob\"",
        "(@bob)",
        "*@bob*",
        "> @bob",
    ] {
        assert!(goes_to_all(text), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_line_whose_first_visible_character_looks_like_an_at_goes_to_everybody(
        unseen in prop::collection::vec(select(UNSEEN), 0..4),
        blanks in "[ \t]{0,2}",
        at in select(ATS),
        rest in ".{0,20}",
    ) {
        // A blank at the very beginning is the escape.
        let blanks = if unseen.is_empty() { String::new() } else { blanks };
        let line = unseen.into_iter().collect::<String>() + &blanks + &at.to_string() + &rest;
        prop_assert!(!goes_to_all(&line) || line.to_ascii_lowercase().starts_with("@all"), "{line:?}");
    }

    #[test]
    fn no_line_whose_first_visible_characters_look_like_a_command_goes_to_everybody(
        unseen in prop::collection::vec(select(UNSEEN), 0..4),
        dash in select(DASHES),
        command in select(commands()),
        rest in "( .{0,20})?",
    ) {
        let line = unseen.into_iter().collect::<String>() + dash + command + &rest;
        let is_public = line.starts_with("-delay") || line.starts_with("/delay")
            || line.starts_with("-m") || line.starts_with("/m");
        prop_assert!(!goes_to_all(&line) || is_public, "{line:?}");
    }

    #[test]
    fn a_line_of_anything_is_no_panic_and_a_space_in_front_sends_it(line in "\\PC{1,30}") {
        let _ = parse(&line);
        if !line.chars().all(|c| c.is_whitespace()) && parse(&line) != Ok(Input::Nothing) {
            let escaped = format!(" {line}");
            prop_assert!(goes_to_all(&escaped));
        }
    }
}
