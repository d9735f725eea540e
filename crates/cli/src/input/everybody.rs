//! What may go to everybody.
//!
//! Everybody is the most public destination there is, so it is never what remains when a line cannot be read: a [`ForAll`]
//! is made here alone, either because everything else was ruled out or because the user wrote that everybody is meant.

use node::chat::{Command, Target};
use unicode_width::UnicodeWidthChar as _;

use super::misread::{Flaw, first_word};
use super::spec::find;

/// A text that may go to everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ForAll<'a>(&'a str);

impl<'a> ForAll<'a> {
    /// A text that neither is nor looks like anything that was meant for one person, or for this program.
    ///
    /// # Errors
    /// What it looks like.
    pub(super) fn plain(text: &'a str) -> Result<Self, Flaw> {
        if behind_mark(text).is_some() {
            return Err(Flaw::DelayedCommand { given: first_word(text) });
        }
        match flaw(text) {
            None => Ok(Self(text)),
            Some(flaw) => Err(flaw),
        }
    }

    /// A text with a space or a tab in front, which says that it is one. A space is not sent if without it the text, a single
    /// line, would be something else; everything else is.
    pub(super) fn escaped(line: &'a str) -> Self {
        let unescaped = line.strip_prefix(' ').filter(|rest| !rest.starts_with([' ', '\t']) && !rest.contains('\n'));
        Self(unescaped.filter(|rest| behind_mark(rest).is_some() || flaw(rest).is_some()).unwrap_or(line))
    }

    /// A text that the user addressed to everybody by name.
    pub(super) fn by_name(text: &'a str) -> Self {
        Self(text)
    }

    /// Sends it, so many milliseconds from now.
    pub(super) fn send(self, delay_ms: u64) -> Command {
        Command::Send { to: Target::All, text: self.0.to_owned(), delay_ms }
    }
}

/// What stands behind the `-` or `/` of a command, known or not.
pub(super) fn behind_mark(line: &str) -> Option<&str> {
    line.strip_prefix(['-', '/']).filter(|rest| rest.starts_with(char::is_alphabetic))
}

/// Words that alone on a line were meant for this program, and the commands that were.
const BARE_WORDS: [(&str, &str); 4] = [("help", "help"), ("?", "help"), ("quit", "quit"), ("exit", "exit")];

/// Why a text must not go to everybody, if it must not.
fn flaw(text: &str) -> Option<Flaw> {
    let first_unseen = text.chars().next().filter(|&c| is_unseen(c));
    let seen = text.trim_start_matches(is_unseen);
    let first = seen.chars().next()?;
    let mark = fold(first);
    if mark == '@' {
        return Some(match first_unseen {
            Some(unseen) => Flaw::Hidden { code: u32::from(unseen), mark: first },
            None => Flaw::LooksLikeAt { code: u32::from(first) },
        });
    }
    if matches!(mark, '-' | '/') {
        // What looks like several dashes, and what stands unseen between them and the word, hides no command.
        let word = seen.trim_start_matches(|c| matches!(fold(c), '-' | '/') || is_unseen(c) && !c.is_whitespace());
        let word: String =
            word.chars().take_while(|c| !c.is_whitespace()).filter(|&c| !is_unseen(c)).map(fold).collect();
        return match (first_unseen, find(&word)) {
            // Behind it stands a command, known or not.
            (Some(unseen), _) if behind_mark(seen).is_some() => {
                Some(Flaw::Hidden { code: u32::from(unseen), mark: first })
            }
            (_, Some(spec)) => Some(Flaw::LooksLikeCommand { given: first_word(seen), name: spec.named(&word) }),
            (_, None) => None,
        };
    }
    let alone: String = seen.trim_end_matches(is_unseen).chars().filter(|&c| !is_unseen(c)).map(fold).collect();
    let meant = BARE_WORDS.iter().find(|(word, _)| alone.eq_ignore_ascii_case(word));
    meant.map(|&(_, name)| Flaw::BareWord { given: first_word(seen), name })
}

/// Whether a text shows nothing.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(is_unseen)
}

/// Whether a character shows nothing, or only room: blanks of any width, controls, and what Unicode ignores by default.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.width().unwrap_or(0) == 0
        // Soft hyphen, fillers of Hangul, the empty pattern of Braille, tags: terminals give some of them room.
        || matches!(
            c,
            '\u{ad}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffc}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The ASCII character that a reader takes this one for, if there is one that matters here.
fn fold(c: char) -> char {
    match c {
        '\u{fe6b}' => '@',
        // Hyphens and dashes (Unicode's Pd), minus signs, and lines that look like them.
        '\u{2d7}'
        | '\u{58a}'
        | '\u{5be}'
        | '\u{6d4}'
        | '\u{1400}'
        | '\u{1806}'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{207b}'
        | '\u{208b}'
        | '\u{2212}'
        | '\u{23af}'
        | '\u{2500}'
        | '\u{2501}'
        | '\u{2796}'
        | '\u{2e17}'
        | '\u{2e1a}'
        | '\u{2e3a}'
        | '\u{2e3b}'
        | '\u{2e40}'
        | '\u{30fc}'
        | '\u{4e00}'
        | '\u{fe31}'
        | '\u{fe32}'
        | '\u{fe58}'
        | '\u{fe63}'
        | '\u{ff70}' => '-',
        // A backslash begins a command elsewhere.
        '\\' | '\u{2044}' | '\u{2215}' | '\u{2571}' | '\u{27cb}' | '\u{29f8}' | '\u{fe68}' | '\u{ff3c}' => '/',
        // The wide forms of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{fe56}' => '?',
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in ["", " ", "\t \n", "\u{200b}", "\u{feff}\u{2060}\u{ad}", "\u{3000}\u{a0}", "\u{e0040}", "\u{2800}"]
        {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}a", "👩‍👩‍👧", "."] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
