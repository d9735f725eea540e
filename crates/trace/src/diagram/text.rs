//! Makes text from the network safe to draw.

use std::fmt;

const ISOLATE: char = '\u{2068}';
const END_OF_ISOLATE: char = '\u{2069}';

/// The text on one line, with every character visible and none obeyed. Characters that control, reorder or hide text are
/// written like `<U+202E>`. A text of any length is cut to `columns`.
pub(super) fn harmless(text: &str, columns: usize) -> String {
    let mut clean = String::new();
    // Every character takes at least one column, so the rest would be cut anyway.
    for c in text.chars().take(columns + 1) {
        if obscure(c) {
            clean += &format!("<U+{:04X}>", u32::from(c));
        } else {
            clean.push(c);
        }
    }
    if width(&clean) <= columns {
        return clean;
    }
    while width(&clean) >= columns && clean.pop().is_some() {}
    clean + "…"
}

/// The text, isolated so that it does not change the writing direction of the text beside it.
pub(super) fn isolated(text: String) -> String {
    if text.is_ascii() { text } else { format!("{ISOLATE}{text}{END_OF_ISOLATE}") }
}

/// The columns that a text takes. Characters of wide scripts take two. This is precise enough to leave room in a drawing.
pub(super) fn width(text: &str) -> usize {
    let columns = |c| match c {
        ISOLATE | END_OF_ISOLATE => 0,
        '\0'..'\u{1100}' | '–' | '…' | '→' => 1,
        _ => 2,
    };
    text.chars().map(columns).sum()
}

/// Breaks a text between words into lines of at most `columns`.
pub(super) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(word);
        } else if width(line) + 1 + width(word) <= columns {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

/// A text, escaped for XML.
pub(super) struct Escaped<'a>(pub(super) &'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => write!(f, "{c}")?,
            }
        }
        Ok(())
    }
}

/// Whether a character is obeyed or invisible, or may not occur in XML.
fn obscure(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Marks, embeddings, overrides and isolates of the bidirectional algorithm; line and paragraph separators.
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
            // Invisible characters.
            | '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'
            | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_obeyed_or_hidden() {
        assert_eq!(harmless("evil\u{202e}gvs", 40), "evil<U+202E>gvs");
        assert_eq!(harmless("a\nb\u{1b}[2J\u{0}", 40), "a<U+000A>b<U+001B>[2J<U+0000>");
        assert_eq!(harmless("a\u{200b}\u{feff}\u{ffff}\u{e0041}", 99), "a<U+200B><U+FEFF><U+FFFF><U+E0041>");
        assert_eq!(Escaped("<a b=\"&\">").to_string(), "&lt;a b=&quot;&amp;&quot;&gt;");
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_to_its_columns() {
        assert_eq!(harmless("bartholomew", 11), "bartholomew");
        assert_eq!(harmless("bartholomew", 8), "barthol…");
        assert_eq!(harmless("日本語日本語", 8), "日本語…");
        assert!(width(&harmless(&"\u{202e}".repeat(1000), 12)) <= 12);
        assert!(width(&harmless(&"e\u{301}".repeat(1000), 12)) <= 12);
    }

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
        assert_eq!(wrapped("unbreakable", 3), ["unbreakable"]);
    }
}
