//! Drawing the line being typed, and what is shown above it.
//!
//! The terminal is never asked where its cursor is. One that stands still for a while answers late, and its answer would be
//! taken for that to the next question; some never answer. So every move is relative to where the line was drawn last, and the
//! line is drawn in a way that leaves no doubt of that: each row ends with a line end of its own and short of the last column,
//! and the terminal is kept from beginning rows by itself meanwhile.

use std::io::{self, Write};

use super::layout::{Row, Size, View};

/// Keeps the terminal from beginning a row by itself.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
const CLEAR_ROW: &str = "\x1b[K";
const CLEAR_BELOW: &str = "\x1b[J";

/// Draws on a terminal. Rows that it is given to show are of its width at most.
#[derive(Debug)]
pub(super) struct Painter<W> {
    output: W,
    drawn: Option<Drawn>,
}

/// What the terminal shows of the line.
#[derive(Clone, Debug)]
struct Drawn {
    widths: Vec<usize>,
    cursor: (usize, usize),
    columns: usize,
}

impl<W: Write> Painter<W> {
    pub(super) fn new(output: W) -> Self {
        Self { output, drawn: None }
    }

    /// Draws the line, with `above` above it for good.
    pub(super) fn draw(&mut self, above: &[String], view: &View, size: Size) -> io::Result<()> {
        let mut text = self.to_start(size);
        put_rows(&mut text, above);
        text.push_str(NO_WRAP);
        for (number, Row { text: row, .. }) in view.rows.iter().enumerate() {
            if number > 0 {
                text.push_str("\r\n");
            }
            text.push_str(CLEAR_ROW);
            text.push_str(row);
        }
        text.push_str(CLEAR_BELOW);
        text.push_str(WRAP);
        let (row, column) = view.cursor;
        up(&mut text, view.rows.len().saturating_sub(row + 1));
        text.push('\r');
        if column > 0 {
            text.push_str(&format!("\x1b[{column}C"));
        }
        self.write(&text)?;
        let widths = view.rows.iter().map(|row| row.width).collect();
        self.drawn = Some(Drawn { widths, cursor: view.cursor, columns: size.columns });
        Ok(())
    }

    /// Shows `rows` for good, in the place of the line.
    pub(super) fn settle(&mut self, rows: &[String], size: Size) -> io::Result<()> {
        let mut text = self.to_start(size);
        put_rows(&mut text, rows);
        text.push_str(CLEAR_BELOW);
        self.drawn = None;
        self.write(&text)
    }

    /// Leaves the line where it is, and goes to the row below it.
    pub(super) fn leave(&mut self) -> io::Result<()> {
        let Some(Drawn { widths, cursor, .. }) = &mut self.drawn else { return Ok(()) };
        let below = widths.len();
        let text = "\r\n".repeat(below.saturating_sub(cursor.0));
        if cursor.0 < below {
            widths.push(0);
            *cursor = (below, 0);
        }
        self.write(&text)
    }

    /// Clears the screen; the line is drawn at its top next.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.drawn = None;
        self.write("\x1b[2J\x1b[H")
    }

    /// Another program had the terminal: the line is drawn where its cursor is now.
    pub(super) fn forget(&mut self) {
        self.drawn = None;
    }

    /// What leads to the start of the line's first row. On a terminal that has become narrower each of its rows goes on in
    /// the next one.
    fn to_start(&self, size: Size) -> String {
        let mut text = String::from("\x1b[0m\r");
        if let Some(Drawn { widths, cursor: (row, column), columns }) = &self.drawn {
            let rows_of = |width: usize| if size.columns < *columns { width.div_ceil(size.columns).max(1) } else { 1 };
            let above: usize = widths[..*row].iter().map(|&width| rows_of(width)).sum();
            let within = if size.columns < *columns { column / size.columns } else { 0 };
            up(&mut text, above + within.min(rows_of(widths[*row]) - 1));
        }
        text
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.output.write_all(text.as_bytes())?;
        self.output.flush()
    }
}

/// A row is cleared before it is written: behind a full row the cursor may stand on its last letter.
fn put_rows(text: &mut String, rows: &[String]) {
    for row in rows {
        text.push_str(CLEAR_ROW);
        text.push_str(row);
        text.push_str("\x1b[0m\r\n");
    }
}

fn up(text: &mut String, rows: usize) {
    if rows > 0 {
        text.push_str(&format!("\x1b[{rows}A"));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;

    use nu_ansi_term::Style;
    use proptest::prelude::*;

    use super::super::layout::Layout;
    use super::*;

    /// A terminal that remembers what scrolls off its top.
    struct Screen(vt100::Parser);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.process(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Painter<Screen> {
        fn on(size: Size) -> Self {
            let sized = |length: usize| NonZero::new(u16::try_from(length).unwrap()).unwrap();
            Self::new(Screen(vt100::Parser::new(sized(size.rows), sized(size.columns), 10_000)))
        }

        /// Everything that was ever shown and is still there, row by row.
        fn rows(&mut self) -> Vec<String> {
            let screen = self.output.0.screen_mut();
            let columns = screen.size().1.get();
            screen.set_scrollback(usize::MAX);
            let behind = screen.scrollback();
            let mut rows = Vec::new();
            for back in (1..=behind).rev() {
                screen.set_scrollback(back);
                rows.extend(screen.rows(0, columns).next());
            }
            screen.set_scrollback(0);
            rows.extend(screen.rows(0, columns));
            rows.iter().map(|row| row.trim_end().to_owned()).collect()
        }
    }

    fn view(before: &str, behind: &str, size: Size) -> View {
        let mut layout = Layout::new(size.usable());
        layout.write("me> ", Style::new());
        layout.write(before, Style::new());
        layout.set_cursor();
        layout.write(behind, Style::new());
        layout.finish(size, Vec::new())
    }

    fn texts(view: &View) -> Vec<String> {
        view.rows.iter().map(|row| row.text.trim_end().to_owned()).collect()
    }

    #[test]
    fn the_cursor_stands_where_it_belongs() {
        let size = Size { columns: 11, rows: 5 };
        let mut painter = Painter::on(size);
        painter.draw(&["hello".into()], &view("abcdefgh", "ij", size), size).unwrap();
        assert_eq!(painter.rows(), ["hello", "me> abcdef", "ghij", "", ""]);
        assert_eq!(painter.output.0.screen().cursor_position(), (2, 2));
        painter.draw(&["exactly 11c".into()], &view("", "abc", size), size).unwrap();
        assert_eq!(painter.rows(), ["hello", "exactly 11c", "me> abc", "", ""]);
        assert_eq!(painter.output.0.screen().cursor_position(), (2, 4));
        painter.settle(&["sent".into()], size).unwrap();
        painter.draw(&[], &view("x", "", size), size).unwrap();
        painter.leave().unwrap();
        assert_eq!(painter.rows(), ["hello", "exactly 11c", "sent", "me> x", ""]);
        assert_eq!(painter.output.0.screen().cursor_position(), (4, 0));
    }

    #[test]
    fn a_line_with_letters_that_the_terminal_finds_wider_stays_in_its_rows() {
        let size = Size { columns: 20, rows: 6 };
        let mut painter = Painter::on(size);
        // Two columns each to this program, eight to that terminal.
        painter.draw(&[], &view(&"👩‍👩‍👧‍👦".repeat(5), "", size), size).unwrap();
        painter.draw(&["hello".into()], &view("", "", size), size).unwrap();
        assert_eq!(painter.rows(), ["hello", "me>", "", "", "", ""]);
    }

    proptest! {
        /// Whatever is typed, wherever the cursor stands, and however large the terminal: what was shown stays, once and in
        /// its order, and below it stands the line.
        #[test]
        fn what_was_shown_stays_and_the_line_is_below_it(
            steps in prop::collection::vec(("[a-z日é\n🚗]{0,60}", "[a-z日\n]{0,30}", 0_usize..4), 1..20),
            columns in 6_usize..30,
            rows in 1_usize..8,
        ) {
            let size = Size { columns, rows };
            let mut painter = Painter::on(size);
            let mut shown = Vec::new();
            for (number, (before, behind, messages)) in steps.iter().enumerate() {
                let above: Vec<String> = (0..*messages).map(|message| format!("#{number}.{message}")).collect();
                let view = view(before, behind, size);
                painter.draw(&above, &view, size).unwrap();
                shown.extend(above);
                let mut expected = shown.clone();
                expected.extend(texts(&view));
                let mut on_screen = painter.rows();
                on_screen.truncate(expected.len());
                prop_assert_eq!(on_screen, expected);
                prop_assert!(painter.rows()[shown.len() + view.rows.len()..].iter().all(String::is_empty));
            }
        }
    }
}
