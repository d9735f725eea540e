//! Where the line being typed stands on the screen.

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// The rows from the first one of the prompt down to the one with the cursor, in a terminal of `columns`, when `prompt`
/// and then `before` (what stands in front of the cursor) have been printed.
///
/// It walks as the terminal does: a character that does not fit wraps whole, and a row that is exactly full wraps only
/// with the next character, except that reedline moves the cursor to the next row at once.
pub(super) fn rows_above_cursor(prompt: &str, before: &str, columns: u16) -> usize {
    let columns = usize::from(columns.max(1));
    let (row, column) = end(prompt, before, columns);
    if column >= columns { row + 1 } else { row }
}

/// The rows that `prompt` and the whole `line` take, the one that the cursor may rest on behind a full row included.
pub(super) fn rows(prompt: &str, line: &str, columns: u16) -> usize {
    rows_above_cursor(prompt, line, columns) + 1
}

fn end(prompt: &str, text: &str, columns: usize) -> (usize, usize) {
    let (mut row, mut column) = (0, 0);
    for grapheme in prompt.graphemes(true).chain(text.graphemes(true)) {
        match grapheme {
            "\n" | "\r\n" => (row, column) = (row + 1, 0),
            _ => {
                let width = grapheme.width();
                if column >= columns || column > 0 && column + width > columns {
                    (row, column) = (row + 1, 0);
                }
                column += width;
            }
        }
    }
    (row, column)
}

/// The rows by which reedline 0.52 moves up before it prints an external message: it counts the bytes of the line and
/// three, and knows neither the prompt nor the cursor (`Painter::print_external_message`; the right prompt is empty
/// here). Whoever moves down by as many beforehand has it begin where the cursor was.
pub(super) fn rows_reedline_moves_up(line: &str, columns: u16) -> u16 {
    let columns = columns.max(1);
    let rows = line.lines().enumerate().fold(0_u16, |rows, (number, part)| {
        let length = if number == 0 { part.len() + 3 } else { part.len() };
        // It casts before it divides, so a line of 64 KiB counts as a short one.
        rows.saturating_add(length as u16 / columns + 1)
    });
    rows.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_wraps_where_the_terminal_wraps_it() {
        let above = |before: &str| rows_above_cursor("a@b> ", before, 10);
        assert_eq!(above(""), 0);
        assert_eq!(above("1234"), 0);
        assert_eq!(above("12345"), 1, "a full row: the cursor rests on the next one");
        assert_eq!(above("123456"), 1);
        assert_eq!(above(&"x".repeat(15)), 2);
        assert_eq!(rows("a@b> ", "12345", 10), 2);
        assert_eq!(rows("a@b> ", "1234", 10), 1);
    }

    #[test]
    fn wide_characters_wrap_whole() {
        // Five columns are left: two bicycles and a column that stays blank.
        assert_eq!(rows_above_cursor("a@b> ", "🚲🚲", 10), 0);
        assert_eq!(rows_above_cursor("a@b> ", "🚲🚲🚲", 10), 1);
        assert_eq!(rows_above_cursor("", &"🚲".repeat(5), 11), 0);
        assert_eq!(rows_above_cursor("", &"🚲".repeat(10), 11), 1);
        assert_eq!(rows_above_cursor("", &"🚲".repeat(11), 11), 2);
        // Letters with marks and joined emoji are as wide as what is seen.
        assert_eq!(rows_above_cursor("", &"e\u{301}".repeat(9), 10), 0);
        assert_eq!(rows_above_cursor("", "👩‍👩‍👧‍👦👩‍👩‍👧‍👦", 5), 0);
    }

    #[test]
    fn lines_of_a_paste_count() {
        assert_eq!(rows_above_cursor("> ", "one\ntwo\n", 10), 2);
        assert_eq!(rows_above_cursor("> ", "12345678\n", 10), 1);
        assert_eq!(rows("> ", "one\r\ntwo", 10), 2);
    }

    #[test]
    fn a_terminal_without_columns_is_no_reason_to_panic() {
        assert_eq!(rows_above_cursor("", "ab", 0), 2);
        assert_eq!(rows_reedline_moves_up("ab", 0), 5);
    }

    #[test]
    fn reedline_counts_bytes_and_three() {
        assert_eq!(rows_reedline_moves_up("", 10), 0);
        assert_eq!(rows_reedline_moves_up("123456", 10), 0);
        assert_eq!(rows_reedline_moves_up("1234567", 10), 1);
        assert_eq!(rows_reedline_moves_up("äöü1", 10), 1);
        assert_eq!(rows_reedline_moves_up("one\ntwo", 10), 1);
        assert_eq!(rows_reedline_moves_up("one\n1234567890", 10), 2);
    }
}
