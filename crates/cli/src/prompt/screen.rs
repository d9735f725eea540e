use std::collections::VecDeque;
use std::io::{self, Write as _};
use std::sync::Arc;

use parking_lot::Mutex;

/// The most lines that wait to be shown. A terminal that is stopped (Ctrl-S, a suspended multiplexer) must not make
/// the peer wait, and nobody reads ten thousand lines back: the oldest make room, and a line says how many did.
const LINES: usize = 10_000;

/// What is to be shown above the line being typed.
#[derive(Debug)]
pub(crate) struct Screen(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<String>,
    left_out: usize,
}

impl Screen {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::default()))
    }

    /// Adds lines.
    pub(crate) fn push(&self, lines: impl IntoIterator<Item = String>) {
        let mut waiting = self.0.lock();
        for line in lines {
            if waiting.lines.len() == LINES {
                waiting.lines.pop_front();
                waiting.left_out += 1;
            }
            waiting.lines.push_back(line);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().lines.is_empty()
    }

    /// Everything that waits, as one text without an end of line at its end; `None` if nothing does.
    pub(super) fn take(&self) -> Option<String> {
        let Waiting { mut lines, left_out } = std::mem::take(&mut *self.0.lock());
        if left_out > 0 {
            lines.push_front(format!("({left_out} lines came too fast to be shown; -history has the messages)"));
        }
        let text: Vec<String> = lines.into();
        (!text.is_empty()).then(|| text.join("\n"))
    }

    /// Prints what waits while no line is being typed. The terminal is raw: it does not return to the first column by itself.
    pub(super) fn print(&self) -> io::Result<()> {
        let Some(text) = self.take() else { return Ok(()) };
        let mut output = io::stdout().lock();
        write!(output, "{}\r\n", text.replace('\n', "\r\n"))?;
        output.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_in_their_order_and_once() {
        let screen = Screen::new();
        assert!(screen.is_empty());
        assert_eq!(screen.take(), None);
        screen.push(["one".to_owned(), "two".to_owned()]);
        screen.push(["three".to_owned()]);
        assert_eq!(screen.take().as_deref(), Some("one\ntwo\nthree"));
        assert_eq!(screen.take(), None);
    }

    #[test]
    fn the_oldest_lines_make_room_and_are_counted() {
        let screen = Screen::new();
        screen.push((0..LINES + 3).map(|number| number.to_string()));
        let text = screen.take().unwrap();
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("(3 lines came too fast"));
        assert_eq!(lines.next(), Some("3"));
        assert_eq!(lines.count(), LINES - 1);
    }
}
