//! The text of the line being typed, and the cursor in it.

use reedline::LineBuffer;

use super::keys::Edit;

/// How many steps can be undone.
const STEPS: usize = 200;

/// What is being typed. It may have several lines.
#[derive(Debug, Default)]
pub(super) struct Draft {
    buffer: LineBuffer,
    undo: Vec<(String, usize)>,
    redo: Vec<(String, usize)>,
    /// What was cut last.
    cut: String,
    /// A word is being typed: its letters are undone together.
    in_word: bool,
}

impl Draft {
    pub(super) fn text(&self) -> &str {
        self.buffer.get_buffer()
    }

    /// The bytes in front of the cursor.
    pub(super) fn cursor(&self) -> usize {
        self.buffer.insertion_point()
    }

    /// Begins anew with a text, behind which the cursor stands.
    pub(super) fn set(&mut self, text: &str) {
        self.buffer.set_buffer(text.to_owned());
        self.undo.clear();
        self.redo.clear();
        self.in_word = false;
    }

    /// Puts a text in the place of the bytes from `start` to the cursor.
    pub(super) fn replace_before_cursor(&mut self, start: usize, text: &str) {
        self.remember();
        self.remove(start, self.cursor());
        self.buffer.insert_str(text);
    }

    /// Moves up by a line; `false` on the first one.
    pub(super) fn up(&mut self) -> bool {
        let moves = !self.buffer.is_cursor_at_first_line();
        self.buffer.move_line_up();
        moves
    }

    /// Moves down by a line; `false` on the last one.
    pub(super) fn down(&mut self) -> bool {
        let moves = !self.buffer.is_cursor_at_last_line();
        self.buffer.move_line_down();
        moves
    }

    pub(super) fn apply(&mut self, edit: Edit) {
        let in_word = matches!(&edit, Edit::Insert(letter) if !letter.is_whitespace());
        let is_step = !matches!(edit, Edit::Undo | Edit::Redo);
        if is_step && !(in_word && self.in_word) {
            self.remember();
        }
        self.in_word = in_word;
        let at = self.cursor();
        let buffer = &mut self.buffer;
        match edit {
            Edit::Insert(letter) => buffer.insert_char(letter),
            // What a terminal sends for the end of a line in a paste differs; a text has line feeds.
            Edit::Paste(text) => buffer.insert_str(&text.replace("\r\n", "\n").replace('\r', "\n")),
            Edit::Left => buffer.move_left(),
            Edit::Right => buffer.move_right(),
            Edit::WordLeft => buffer.set_insertion_point(word_left(buffer.get_buffer(), at)),
            Edit::WordRight => buffer.set_insertion_point(word_right(buffer.get_buffer(), at)),
            Edit::LineStart => buffer.move_to_line_start(),
            Edit::LineEnd => buffer.move_to_line_end(),
            Edit::Start => buffer.move_to_start(),
            Edit::End => buffer.move_to_end(),
            Edit::Backspace => buffer.delete_left_grapheme(),
            Edit::Delete => buffer.delete_right_grapheme(),
            Edit::BackspaceWord => self.remove(word_left(self.text(), at), at),
            Edit::DeleteWord => self.remove(at, word_right(self.text(), at)),
            // At the end of a line this joins it with the next one.
            Edit::CutToLineEnd => match buffer.find_current_line_end() {
                end if end == at => self.take(at, at + usize::from(at < self.buffer.len())),
                end => self.take(at, end),
            },
            Edit::CutToStart => self.take(0, at),
            Edit::CutWordLeft => self.take(word_left(self.text(), at), at),
            Edit::CutWordRight => self.take(at, word_right(self.text(), at)),
            Edit::Yank => buffer.insert_str(&self.cut),
            Edit::Swap => buffer.swap_graphemes(),
            Edit::Uppercase => buffer.uppercase_word(),
            Edit::Lowercase => buffer.lowercase_word(),
            Edit::Capitalize => buffer.capitalize_char(),
            Edit::Undo => self.undo(),
            Edit::Redo => self.redo(),
        }
    }

    fn remove(&mut self, start: usize, end: usize) {
        self.buffer.clear_range_safe(start..end);
        self.buffer.set_insertion_point(start);
    }

    fn take(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.text()[start..end].to_owned();
            self.remove(start, end);
        }
    }

    /// Remembers the text of now, unless it is remembered already: an edit may only move the cursor.
    fn remember(&mut self) {
        if self.undo.last().is_some_and(|(text, _)| text == self.text()) {
            return;
        }
        self.redo.clear();
        if self.undo.len() == STEPS {
            self.undo.remove(0);
        }
        self.undo.push((self.text().to_owned(), self.cursor()));
    }

    fn undo(&mut self) {
        let now = (self.text().to_owned(), self.cursor());
        // The last one remembered may be the text of now.
        while let Some(before) = self.undo.pop() {
            if before.0 != now.0 {
                self.redo.push(now);
                return self.put(before);
            }
        }
    }

    fn redo(&mut self) {
        if let Some(undone) = self.redo.pop() {
            self.undo.push((self.text().to_owned(), self.cursor()));
            self.put(undone);
        }
    }

    fn put(&mut self, (text, cursor): (String, usize)) {
        self.buffer.set_buffer(text);
        self.buffer.set_insertion_point(cursor);
    }
}

/// Where the word in front of `at` begins.
fn word_left(text: &str, at: usize) -> usize {
    let before = text[..at].trim_end_matches(|letter: char| !letter.is_alphanumeric());
    before.trim_end_matches(char::is_alphanumeric).len()
}

/// Where the word behind `at` ends.
fn word_right(text: &str, at: usize) -> usize {
    let behind = text[at..].trim_start_matches(|letter: char| !letter.is_alphanumeric());
    text.len() - behind.trim_start_matches(char::is_alphanumeric).len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(text: &str) -> Draft {
        let mut draft = Draft::default();
        draft.set(text);
        draft
    }

    fn after(text: &str, edits: &[Edit]) -> (String, usize) {
        let mut draft = draft(text);
        edits.iter().for_each(|edit| draft.apply(edit.clone()));
        (draft.text().to_owned(), draft.cursor())
    }

    #[test]
    fn the_cursor_moves_by_what_a_reader_calls_a_letter_and_by_words() {
        assert_eq!(after("a👩‍👩‍👧‍👦b", &[Edit::Left, Edit::Left]).1, 1);
        assert_eq!(after("a👩‍👩‍👧‍👦b", &[Edit::Left, Edit::Backspace]), ("ab".into(), 1));
        assert_eq!(after("one, two", &[Edit::WordLeft]).1, 5);
        assert_eq!(after("one, two", &[Edit::WordLeft, Edit::WordLeft]).1, 0);
        assert_eq!(after("one, two", &[Edit::Start, Edit::WordRight]).1, 3);
        assert_eq!(after("grün\nrot", &[Edit::LineStart]).1, 6);
    }

    #[test]
    fn what_is_cut_can_be_put_back() {
        assert_eq!(after("one two", &[Edit::CutWordLeft, Edit::Start, Edit::Yank]), ("twoone ".into(), 3));
        assert_eq!(after("one\ntwo", &[Edit::Start, Edit::CutToLineEnd]), ("\ntwo".into(), 0));
        assert_eq!(after("one\ntwo", &[Edit::Start, Edit::LineEnd, Edit::CutToLineEnd]), ("onetwo".into(), 3));
        assert_eq!(after("one", &[Edit::CutToLineEnd]), ("one".into(), 3));
        assert_eq!(after("one two", &[Edit::CutToStart, Edit::Yank, Edit::Yank]).0, "one twoone two");
    }

    #[test]
    fn edits_are_undone_a_word_at_a_time_and_done_again() {
        let mut draft = draft("");
        "one two".chars().for_each(|letter| draft.apply(Edit::Insert(letter)));
        draft.apply(Edit::Undo);
        assert_eq!(draft.text(), "one ");
        draft.apply(Edit::Undo);
        draft.apply(Edit::Undo);
        assert_eq!(draft.text(), "");
        draft.apply(Edit::Undo);
        draft.apply(Edit::Redo);
        draft.apply(Edit::Redo);
        draft.apply(Edit::Redo);
        assert_eq!(draft.text(), "one two");
        draft.apply(Edit::Left);
        draft.apply(Edit::Undo);
        assert_eq!(draft.text(), "one ", "a move of the cursor is no step");
    }

    #[test]
    fn a_paste_keeps_every_character_but_has_one_kind_of_line_end() {
        assert_eq!(after("", &[Edit::Paste("  a\r\n\tb\rc\x1b[2J\n".into())]).0, "  a\n\tb\nc\x1b[2J\n");
    }

    #[test]
    fn nothing_at_the_ends_is_a_reason_to_panic() {
        let all = [
            Edit::Left,
            Edit::Right,
            Edit::WordLeft,
            Edit::WordRight,
            Edit::Backspace,
            Edit::Delete,
            Edit::BackspaceWord,
            Edit::DeleteWord,
            Edit::CutToLineEnd,
            Edit::CutToStart,
            Edit::CutWordLeft,
            Edit::CutWordRight,
            Edit::Yank,
            Edit::Swap,
            Edit::Uppercase,
            Edit::Lowercase,
            Edit::Capitalize,
            Edit::Undo,
            Edit::Redo,
        ];
        for text in ["", "é", "a\n", "\n", "🚗 日本", "x\x1b"] {
            for first in &all {
                for second in &all {
                    after(text, &[first.clone(), second.clone()]);
                    after(text, &[Edit::Start, first.clone(), second.clone()]);
                }
            }
        }
    }
}
