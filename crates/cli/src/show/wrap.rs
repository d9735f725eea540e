//! Lines cut into the rows of a terminal.

use std::iter;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::lines::INDENT;

/// `line` as rows of at most `columns`. It breaks at spaces, and inside a word only if the word is longer than a row. Every row
/// but the first is indented, so no text can look like a line of its own, however it is padded. Colours (`ESC [ … m`) take no
/// room.
pub(crate) fn wrap(line: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    // No letter takes more columns than bytes.
    if line.len() <= columns {
        return vec![line.to_owned()];
    }
    let indent = INDENT.len().min(columns / 3);
    let mut rows = Rows { columns, indent, rows: Vec::new(), row: String::new(), used: 0, blank: true };
    words(line).for_each(|word| rows.add(word));
    rows.rows.push(rows.row);
    rows.rows
}

struct Rows {
    columns: usize,
    indent: usize,
    rows: Vec<String>,
    row: String,
    used: usize,
    /// Nothing is in the row yet but the spaces that it begins with.
    blank: bool,
}

impl Rows {
    /// Adds a word, or the spaces behind one.
    fn add(&mut self, word: &str) {
        let total: usize = pieces(word).map(width).sum();
        if self.used + total <= self.columns {
            self.put(word, total);
        } else if word.starts_with(' ') {
            // What they would keep apart stands in two rows instead.
            self.used = self.columns;
            self.blank = false;
        } else {
            if total <= self.columns - self.indent {
                self.begin();
            }
            for piece in pieces(word) {
                let width = width(piece);
                if self.used + width > self.columns {
                    self.begin();
                }
                self.put(piece, width);
            }
        }
    }

    fn put(&mut self, text: &str, width: usize) {
        self.row.push_str(text);
        self.used += width;
        self.blank &= text.starts_with(' ') || width == 0;
    }

    /// Goes on in a new row, unless this one is new itself.
    fn begin(&mut self) {
        if self.blank {
            return;
        }
        let full = std::mem::replace(&mut self.row, " ".repeat(self.indent));
        self.rows.push(full.trim_end_matches(' ').to_owned());
        self.used = self.indent;
        self.blank = true;
    }
}

/// Words and the spaces between them, in turn.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    iter::from_fn(move || {
        let spaces = rest.starts_with(' ');
        let end = rest.find(|letter| (letter == ' ') != spaces).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        (!word.is_empty()).then_some(word)
    })
}

/// What must not be torn apart: letters with all that belongs to them, and colours.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    iter::from_fn(move || {
        let end = if rest.starts_with('\x1b') {
            rest.find('m').map_or(rest.len(), |at| at + 1)
        } else {
            rest.graphemes(true).next()?.len()
        };
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}

/// A row that is longer than was thought would go on in the next one without an indentation.
fn width(piece: &str) -> usize {
    if piece.starts_with('\x1b') { 0 } else { room(piece) }
}

/// The columns that a letter takes on the terminal that gives it most: not every terminal joins what belongs together, such as
/// an emoji of several.
pub(crate) fn room(letter: &str) -> usize {
    letter.width().max(letter.chars().filter_map(|part| part.width()).sum())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::show::Paint;

    #[test]
    fn words_wrap_at_spaces_and_go_on_indented() {
        assert_eq!(wrap("14:03:12 bob: short", 40), ["14:03:12 bob: short"]);
        assert_eq!(
            wrap("14:03:12 bob: the quick brown fox jumps over the lazy dog", 30),
            ["14:03:12 bob: the quick brown", "         fox jumps over the", "         lazy dog"]
        );
        assert_eq!(wrap("123456 89", 9), ["123456 89"]);
        assert_eq!(wrap("123456 890", 9), ["123456", "   890"]);
        assert_eq!(wrap("", 9), [""]);
    }

    #[test]
    fn a_padded_message_never_looks_like_a_line_of_its_own() {
        for padding in 0..200 {
            let line = format!("14:03:12 mallory: hi{}14:03:13 alice: I agree", " ".repeat(padding));
            for columns in [80, 40, 21] {
                let rows = wrap(&line, columns);
                assert!(rows[1..].iter().all(|row| row.starts_with("       ")), "{columns}: {rows:#?}");
            }
        }
    }

    #[test]
    fn a_word_longer_than_a_row_is_broken_where_it_stands() {
        assert_eq!(wrap("14:03:12 bob: 日本語日本語日本語", 21), ["14:03:12 bob: 日本語", "       日本語日本語"]);
        assert_eq!(wrap(&"x".repeat(10), 4), ["xxxx", " xxx", " xxx"]);
        assert_eq!(wrap("ab", 1), ["a", "b"]);
        assert_eq!(wrap("日本", 1), ["日", "本"], "what fits nowhere is shown all the same");
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }

    #[test]
    fn colours_take_no_room_and_are_not_torn() {
        let painted = format!("{} there", Paint { on: true }.dim("hello"));
        assert_eq!(wrap(&painted, 11), [painted.as_str()]);
        assert_eq!(wrap(&painted, 8), [&painted[..painted.len() - 6], "  there"]);
    }

    #[test]
    fn an_emoji_of_several_counts_as_on_a_terminal_that_does_not_join_them() {
        let family = "👩‍👩‍👧‍👦";
        assert_eq!(wrap(&family.repeat(3), 20), [family.repeat(2), format!("      {family}")]);
    }

    proptest! {
        /// No row is too wide, all but the first are indented, and no letter is lost.
        #[test]
        fn rows_fit_and_have_everything(line in "(\\PC| |日|👩‍👧|\\x1b\\[2m){0,60}", columns in 3_usize..50) {
            let rows = wrap(&line, columns);
            for (number, row) in rows.iter().enumerate() {
                prop_assert!(pieces(row).map(width).sum::<usize>() <= columns.max(8), "{:?}", rows);
                prop_assert!(number == 0 || row.is_empty() || row.starts_with(&" ".repeat(9.min(columns / 3))));
            }
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&rows.concat()), letters(&line));
        }
    }
}
