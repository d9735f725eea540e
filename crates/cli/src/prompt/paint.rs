//! Showing lines above the one being typed.
//!
//! reedline can print external messages itself, but it works out from the bytes of the line how far up the prompt
//! begins, and so leaves halves of prompts behind or prints over messages as soon as the line wraps. So between two keys
//! [`Above::print`] clears the prompt from its true first row, moves down by as many rows as reedline will move up, and
//! only then hands the messages over: reedline starts where the prompt began, and asks the terminal afterwards where
//! that has come to be.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use crossterm::QueueableCommand as _;
use crossterm::cursor::{MoveToColumn, MoveUp};
use crossterm::style::Print;
use crossterm::terminal::{self, Clear, ClearType};

use super::layout::{rows, rows_above_cursor, rows_reedline_moves_up};
use super::line::LastDrawn;
use super::screen::Screen;

/// How long reedline has to draw for a new size. It may miss one that comes just as it begins to read a line, and then
/// messages are not to wait for the next.
const REDRAW: Duration = Duration::from_millis(500);

/// What reedline calls between two keys.
pub(super) struct Above {
    pub(super) screen: Arc<Screen>,
    pub(super) drawn: LastDrawn,
    /// To reedline's own printer, which takes what is there right after the call.
    pub(super) printer: SyncSender<String>,
    /// Since when the terminal has another size than reedline believes.
    pub(super) resized: Option<Instant>,
}

impl Above {
    /// Shows what waits, unless it has to wait a little longer: during a search of the history, and while a draft fills
    /// the whole screen, it is not known where the prompt begins; and after a resize reedline has to draw first.
    pub(super) fn print(&mut self) {
        if self.screen.is_empty() {
            return;
        }
        let drawn = self.drawn.lock().clone();
        if terminal::size().ok() == Some(drawn.size) {
            self.resized = None;
        } else if self.resized.get_or_insert_with(Instant::now).elapsed() < REDRAW {
            return;
        }
        let (columns, height) = drawn.size;
        if drawn.searching || rows(&drawn.prompt, &drawn.line, columns) >= usize::from(height) {
            return;
        }
        let before = drawn.line.get(..drawn.cursor).unwrap_or(&drawn.line);
        let up = rows_above_cursor(&drawn.prompt, before, columns);
        let down = rows_reedline_moves_up(&drawn.line, columns);
        if clear(u16::try_from(up).unwrap_or(u16::MAX), down).is_ok()
            && let Some(text) = self.screen.take()
        {
            // The printer was empty, so there is room; without a reader the terminal is gone anyway.
            let _ = self.printer.try_send(text);
        }
    }
}

fn clear(up: u16, down: u16) -> io::Result<()> {
    // Where reedline draws, so that both stay in order.
    let mut output = io::stderr().lock();
    if up > 0 {
        output.queue(MoveUp(up))?;
    }
    // From the second column: tmux copies the whole screen to its history when it is cleared from the first cell.
    // reedline blanks the row before it prints, so nothing of the first column stays.
    output.queue(MoveToColumn(1))?.queue(Clear(ClearType::FromCursorDown))?.queue(MoveToColumn(0))?;
    for _ in 0..down {
        output.queue(Print("\r\n"))?;
    }
    output.flush()
}
