//! The line being typed, cut into rows.

use nu_ansi_term::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::show::{harmless_line, room};

/// How large the terminal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) columns: usize,
    pub(super) rows: usize,
}

impl Size {
    /// The columns that a row of the line uses. The last one stays empty, so that the cursor always stands in the row whose
    /// end it is at: terminals differ in where it is behind a full row.
    pub(super) fn usable(self) -> usize {
        self.columns.saturating_sub(1).max(1)
    }
}

/// One row of the screen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Row {
    /// What is written, colours included.
    pub(super) text: String,
    /// The columns that it takes.
    pub(super) width: usize,
}

/// What the terminal is to show of the line being typed: never more rows than it has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) rows: Vec<Row>,
    /// The row, and the column in it.
    pub(super) cursor: (usize, usize),
}

/// Cuts text into rows as it comes.
#[derive(Debug)]
pub(super) struct Layout {
    columns: usize,
    rows: Vec<Row>,
    /// The columns of the last row that are taken on a terminal that makes the most of it. Such a terminal must not be given
    /// more than it has room for.
    taken: usize,
    cursor: Option<(usize, usize)>,
}

impl Layout {
    pub(super) fn new(columns: usize) -> Self {
        Self { columns: columns.max(1), rows: vec![Row::default()], taken: 0, cursor: None }
    }

    /// Adds a text. Line feeds begin a row; whatever else a terminal would obey is shown as what it is.
    pub(super) fn write(&mut self, text: &str, style: Style) {
        for (number, line) in text.split('\n').enumerate() {
            if number > 0 {
                self.begin();
            }
            let mut row = String::new();
            for letter in harmless_line(line).graphemes(true) {
                let most = room(letter);
                if self.taken > 0 && self.taken + most > self.columns {
                    self.put(&std::mem::take(&mut row), style);
                    let end = (self.rows.len() - 1, self.last().width);
                    self.begin();
                    // In front of this letter, not behind the one before.
                    if self.cursor == Some(end) {
                        self.cursor = Some((end.0 + 1, 0));
                    }
                }
                row.push_str(letter);
                self.taken += most;
                self.last().width += letter.width();
            }
            self.put(&row, style);
        }
    }

    /// The cursor stands behind what was written by now.
    pub(super) fn set_cursor(&mut self) {
        let row = self.rows.len() - 1;
        self.cursor = Some((row, self.last().width));
    }

    /// As much of it as fits into `size` above `below`, the rows around the cursor, and then `below`.
    pub(super) fn finish(self, size: Size, mut below: Vec<Row>) -> View {
        let Self { mut rows, cursor, .. } = self;
        let (row, column) = cursor.unwrap_or_default();
        below.truncate(size.rows.saturating_sub(1));
        let room = size.rows.saturating_sub(below.len()).max(1);
        let first = (row + 1).saturating_sub(room);
        rows.drain(..first);
        rows.truncate(room);
        rows.extend(below);
        View { rows, cursor: (row - first, column) }
    }

    /// The first row alone.
    pub(super) fn first_row(self) -> Row {
        self.rows.into_iter().next().unwrap_or_default()
    }

    fn put(&mut self, text: &str, style: Style) {
        if !text.is_empty() {
            let painted = style.paint(text).to_string();
            self.last().text.push_str(&painted);
        }
    }

    fn begin(&mut self) {
        self.rows.push(Row::default());
        self.taken = 0;
    }

    fn last(&mut self) -> &mut Row {
        self.rows.last_mut().expect("there is a row from the beginning on")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(before: &str, behind: &str, columns: usize, rows: usize) -> (Vec<String>, (usize, usize)) {
        let mut layout = Layout::new(columns);
        layout.write("me> ", Style::new());
        layout.write(before, Style::new());
        layout.set_cursor();
        layout.write(behind, Style::new());
        let view = layout.finish(Size { columns: columns + 1, rows }, Vec::new());
        (view.rows.into_iter().map(|row| row.text).collect(), view.cursor)
    }

    #[test]
    fn rows_break_where_they_are_full_and_at_line_feeds() {
        assert_eq!(view("ab", "cdefgh", 10, 9), (vec!["me> abcdef".into(), "gh".into()], (0, 6)));
        assert_eq!(view("abcdef", "", 10, 9), (vec!["me> abcdef".into()], (0, 10)));
        assert_eq!(view("abcdefg", "", 10, 9), (vec!["me> abcdef".into(), "g".into()], (1, 1)));
        assert_eq!(view("abcdef", "g", 10, 9), (vec!["me> abcdef".into(), "g".into()], (1, 0)));
        assert_eq!(view("a\n", "\nb", 10, 9), (vec!["me> a".into(), "".into(), "b".into()], (1, 0)));
    }

    #[test]
    fn a_wide_letter_that_does_not_fit_begins_a_row() {
        assert_eq!(view("日本語", "", 9, 9), (vec!["me> 日本".into(), "語".into()], (1, 2)));
        assert_eq!(view("日", "本", 1, 99).1, (5, 0), "and is shown where it fits nowhere");
    }

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(view("\x1b[2J\tx\u{202e}", "", 40, 9).0, ["me> ␛[2J    x<U+202E>"]);
    }

    #[test]
    fn a_line_with_more_rows_than_the_terminal_is_shown_around_the_cursor() {
        let lines = "1\n2\n3\n4\n5\n6";
        assert_eq!(view("", lines, 10, 3), (vec!["me> 1".into(), "2".into(), "3".into()], (0, 4)));
        assert_eq!(view(lines, "", 10, 3), (vec!["4".into(), "5".into(), "6".into()], (2, 1)));
        assert_eq!(view("1\n2\n3\n4", "\n5\n6", 10, 3), (vec!["2".into(), "3".into(), "4".into()], (2, 1)));
        assert_eq!(view(lines, "", 10, 1), (vec!["6".into()], (0, 1)));
        assert_eq!(view(lines, "", 10, 0), (vec!["6".into()], (0, 1)));
    }

    #[test]
    fn what_stands_below_leaves_a_row_for_the_line() {
        let mut layout = Layout::new(9);
        layout.write("a\nb", Style::new());
        layout.set_cursor();
        let below = vec![Row { text: "menu".into(), width: 4 }; 5];
        let view = layout.finish(Size { columns: 10, rows: 3 }, below);
        let rows: Vec<_> = view.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!((rows, view.cursor), (vec!["b", "menu", "menu"], (0, 1)));
    }
}
