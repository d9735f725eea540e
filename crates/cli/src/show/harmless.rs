//! Text from others, made harmless for a terminal.
//!
//! Whatever moves the cursor, colours, rings, reorders or hides is shown as what it is, instead of being obeyed:
//! control characters as their pictures (`␛`), and bidirectional overrides, line separators and invisible characters
//! as `<U+202E>`. The zero-width joiner and the variation selectors stay, for emoji are made of them.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text that may have several lines: line feeds stay, tabs become spaces.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    clean(text, true)
}

/// A text that has to stay on one line, such as a name: line feeds are shown, too.
pub(crate) fn harmless_line(text: &str) -> Cow<'_, str> {
    clean(text, false)
}

fn clean(text: &str, lines: bool) -> Cow<'_, str> {
    let fine = |c: char| matches!(fate(c), Fate::Fine) || lines && c == '\n';
    if text.chars().all(fine) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        match fate(c) {
            Fate::Fine => clean.push(c),
            _ if lines && c == '\n' => clean.push(c),
            // What Windows ends its lines with is no more than a line feed.
            _ if lines && c == '\r' && characters.peek() == Some(&'\n') => {}
            Fate::Tab => clean.push_str("    "),
            Fate::Picture(picture) => clean.push(picture),
            Fate::Number => {
                // Writing to a text cannot fail.
                let _ = write!(clean, "<U+{:04X}>", u32::from(c));
            }
        }
    }
    Cow::Owned(clean)
}

enum Fate {
    Fine,
    Tab,
    Picture(char),
    Number,
}

fn fate(c: char) -> Fate {
    match c {
        '\t' => Fate::Tab,
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).map_or(Fate::Number, Fate::Picture),
        '\x7f' => Fate::Picture('\u{2421}'),
        // C1 controls.
        '\u{80}'..='\u{9f}'
        // Marks, embeddings, overrides and isolates of the bidirectional algorithm.
        | '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        // Line and paragraph separators.
        | '\u{2028}' | '\u{2029}'
        // Characters that are not seen: they make one name look like another.
        | '\u{ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}' | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}' => Fate::Number,
        _ => Fate::Fine,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_obey_comes_through() {
        assert_eq!(harmless("\x1b[2J\x07\x7f"), "␛[2J␇␡");
        assert_eq!(harmless("a\u{9b}31mb"), "a<U+009B>31mb");
        assert_eq!(harmless("evil\u{202e}txt.exe"), "evil<U+202E>txt.exe");
        assert_eq!(harmless("a\rb"), "a␍b");
        assert_eq!(harmless("a\u{2028}b\u{feff}"), "a<U+2028>b<U+FEFF>");
        let every_character: String = ('\0'..=char::MAX).collect();
        for line in [harmless(&every_character), harmless_line(&every_character)] {
            assert!(!line.chars().any(|c| c != '\n' && c.is_control()));
        }
        assert!(!harmless_line(&every_character).contains('\n'));
    }

    #[test]
    fn writing_of_every_script_and_emoji_stay_as_they_are() {
        for text in ["hello", "grüß dich", "日本語", "עברית", "👩‍👩‍👧‍👦 ❤️ 🇫🇷", "क्षि", "a\nb"]
        {
            assert!(matches!(harmless(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn lines_and_tabs() {
        assert_eq!(harmless("a\tb\r\nc\n"), "a    b\nc\n");
        assert_eq!(harmless_line("bob\n14:00:00 alice: yes"), "bob␊14:00:00 alice: yes");
    }
}
