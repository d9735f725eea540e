//! The side of the prompt that types, and draws.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crossterm::event::{self, Event};
use jiff::Zoned;
use parking_lot::Mutex;
use tokio::sync::mpsc;

use super::editor::{Asked, Editor};
use super::keys::{self, Edit, Key};
use super::known::Known;
use super::layout::{Size, View};
use super::paint::Painter;
use super::screen::Screen;
use super::terminal::{self, Terminal, size};
use crate::options::ShownAs;
use crate::show::{harmless_line, said, wrap};

/// How long nothing has to be typed for what was typed to be drawn. Without a time to wait, what is read is not looked at.
const BURST: Duration = Duration::from_millis(1);

/// How often the screen is looked at between two keys: soon enough to seem at once, and seldom enough to cost nothing.
const LOOK: Duration = Duration::from_millis(25);

/// How long the next prompt waits for the answer to a command. What takes longer is shown above the prompt.
const ANSWER: Duration = Duration::from_millis(300);

/// A line that was typed. Once it is dropped its answer has been given.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) text: String,
    _answered: Sender<()>,
}

/// What the typing side needs.
pub(super) struct Typing {
    pub(super) screen: Arc<Screen>,
    /// How the prompt shows the user.
    pub(super) shown: ShownAs,
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) lines: mpsc::Sender<Typed>,
    /// Somebody else wants to leave.
    pub(super) leave: Arc<AtomicBool>,
    /// This process was stopped, and goes on.
    pub(super) resumed: Arc<AtomicBool>,
    pub(super) colours: bool,
}

impl Typing {
    /// Reads lines until the user leaves or is asked to.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn run(self) -> io::Result<()> {
        terminal::begin()?;
        self.read_lines()?;
        terminal::end()
    }

    fn read_lines(&self) -> io::Result<()> {
        let mut editor = Editor::new(self.colours);
        let mut painter = Painter::new(Terminal);
        let mut drawn: Option<(View, Size)> = None;
        while !self.leave.load(Ordering::Relaxed) {
            if self.resumed.swap(false, Ordering::Relaxed) {
                if terminal::resume()? {
                    painter.forget();
                }
                drawn = None;
            }
            let size = size();
            let view = editor.view(&self.prompt(), size);
            let above = self.screen.take(size.columns);
            let seen = (view, size);
            if !above.is_empty() || drawn.as_ref() != Some(&seen) {
                painter.draw(&above, &seen.0, size)?;
                drawn = Some(seen);
            }
            if !event::poll(LOOK)? {
                continue;
            }
            // Whatever else was typed meanwhile is drawn together.
            while event::poll(BURST)? {
                match self.press(event::read()?, &mut editor) {
                    Asked::Nothing => continue,
                    Asked::Line(text) => {
                        painter.settle(&self.echo(&text, size), size)?;
                        if !self.hand_over(text) {
                            return Ok(());
                        }
                    }
                    Asked::Suspend => {
                        painter.leave()?;
                        if terminal::suspend(&self.resumed)? {
                            painter.forget();
                        }
                    }
                    Asked::ClearScreen => painter.clear()?,
                    Asked::Leave => return painter.leave(),
                }
                drawn = None;
                break;
            }
        }
        // Another prompt or a signal wants to leave: the draft stays above what comes.
        painter.leave()
    }

    fn press(&self, event: Event, editor: &mut Editor) -> Asked {
        let key = match event {
            Event::Key(key) => keys::read(key),
            Event::Paste(text) => Some(Key::Edit(Edit::Paste(text))),
            // The size is looked at before each drawing.
            Event::Resize(..) | Event::FocusGained | Event::FocusLost | Event::Mouse(_) => None,
        };
        key.map_or(Asked::Nothing, |key| editor.press(key, &self.known.lock()))
    }

    /// Hands a line over and waits a little for its answer; `false` if nobody takes lines any more.
    fn hand_over(&self, text: String) -> bool {
        let (answered, answer) = channel();
        let taken = self.lines.blocking_send(Typed { text, _answered: answered }).is_ok();
        wait(&answer);
        taken
    }

    fn prompt(&self) -> String {
        format!("{}> ", harmless_line(&self.known.lock().own_label(self.shown)))
    }

    /// What a line looks like from then on: as what others say does.
    fn echo(&self, text: &str, size: Size) -> Vec<String> {
        let lines = said(&Zoned::now().strftime("%H:%M:%S").to_string(), &self.prompt(), text);
        lines.iter().flat_map(|line| wrap(line, size.columns)).collect()
    }
}

fn wait(answer: &Receiver<()>) {
    match answer.recv_timeout(ANSWER) {
        Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
    }
}
