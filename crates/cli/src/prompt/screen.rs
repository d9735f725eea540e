use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::show::wrap;

/// The most lines that wait to be shown. A terminal that is stopped (Ctrl-S, a suspended multiplexer) must not make
/// the peer wait, and nobody reads ten thousand lines back: the oldest make room, and a line says how many did.
const LINES: usize = 10_000;

/// The most bytes of them: lines differ in length.
const BYTES: usize = 4 << 20;

/// What is to be shown above the line being typed.
#[derive(Debug)]
pub(crate) struct Screen(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    lines: VecDeque<String>,
    bytes: usize,
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
            waiting.bytes += line.len();
            waiting.lines.push_back(line);
            while waiting.lines.len() > LINES || waiting.bytes > BYTES && waiting.lines.len() > 1 {
                let oldest = waiting.lines.pop_front().map_or(0, |line| line.len());
                waiting.bytes -= oldest;
                waiting.left_out += 1;
            }
        }
    }

    /// Everything that waits, as rows of `columns` at most.
    pub(super) fn take(&self, columns: usize) -> Vec<String> {
        let Waiting { mut lines, left_out, .. } = std::mem::take(&mut *self.0.lock());
        if left_out > 0 {
            lines.push_front(format!("({left_out} lines came too fast to be shown; -history has the messages)"));
        }
        lines.iter().flat_map(|line| wrap(line, columns)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_back_in_their_order_and_once() {
        let screen = Screen::new();
        assert!(screen.take(80).is_empty());
        screen.push(["one".to_owned(), "two".to_owned()]);
        screen.push(["three".to_owned()]);
        assert_eq!(screen.take(80), ["one", "two", "three"]);
        assert!(screen.take(80).is_empty());
    }

    #[test]
    fn the_oldest_lines_make_room_and_are_counted() {
        let screen = Screen::new();
        screen.push((0..LINES + 3).map(|number| number.to_string()));
        let lines = screen.take(80);
        assert!(lines[0].starts_with("(3 lines came too fast"));
        assert_eq!(lines[1], "3");
        assert_eq!(lines.len(), LINES + 1);
        screen.push((0..10).map(|number| number.to_string().repeat(BYTES / 3)));
        let lines = screen.take(BYTES);
        assert!(lines[0].starts_with("(7 lines came too fast"));
        assert_eq!(lines[1..].iter().map(|line| &line[..1]).collect::<Vec<_>>(), ["7", "8", "9"]);
    }
}
