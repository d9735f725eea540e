//! The side of the prompt that types.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crossterm::terminal;
use parking_lot::Mutex;
use reedline::{
    ColumnarMenu, Emacs, ExternalPrinter, KeyCode, KeyModifiers, MenuBuilder as _, Reedline, ReedlineEvent,
    ReedlineMenu, Signal, default_emacs_keybindings,
};
use tokio::sync::mpsc;

use super::complete::Complete;
use super::known::Known;
use super::line::{Drawn, Keys, LastDrawn, NamePrompt, Remember};
use super::paint::Above;
use super::screen::Screen;

/// How often the screen is looked at between two keys: soon enough to seem at once, and seldom enough to cost nothing.
const LOOK: Duration = Duration::from_millis(25);

/// How long the next prompt waits for the answer to a command. What takes longer is shown above the prompt.
const ANSWER: Duration = Duration::from_millis(300);

const MENU: &str = "completion";

/// A line that was typed. Once it is dropped its answer has been given.
#[derive(Debug)]
pub(super) struct Typed {
    pub(super) text: String,
    _answered: Sender<()>,
}

/// What the typing side needs.
pub(super) struct Typing {
    pub(super) screen: Arc<Screen>,
    pub(super) known: Arc<Mutex<Known>>,
    pub(super) lines: mpsc::Sender<Typed>,
    /// Somebody else wants to leave.
    pub(super) leave: Arc<AtomicBool>,
    pub(super) colours: bool,
}

impl Typing {
    /// Reads lines until the user leaves or is asked to.
    ///
    /// # Errors
    /// The terminal cannot be used.
    pub(super) fn run(self) -> io::Result<()> {
        let drawn = LastDrawn::default();
        let prompt = self.prompt(&drawn, false);
        let mut editor = self.editor(&drawn);
        while !self.leave.load(Ordering::Relaxed) {
            self.screen.print()?;
            *drawn.lock() = Drawn { size: terminal::size()?, ..Drawn::default() };
            match editor.read_line(&prompt)? {
                Signal::Success(text) => {
                    let (answered, answer) = channel();
                    if self.lines.blocking_send(Typed { text, _answered: answered }).is_err() {
                        break;
                    }
                    self.wait(&answer);
                }
                Signal::CtrlC => {}
                // Somebody else wants to leave: the draft stays above what comes.
                Signal::ExternalBreak(_) => {
                    write!(io::stdout(), "\r\n")?;
                    break;
                }
                // Ctrl-D. reedline may have more signals one day.
                Signal::CtrlD | Signal::HostCommand(_) | _ => break,
            }
        }
        Ok(())
    }

    fn wait(&self, answer: &Receiver<()>) {
        match answer.recv_timeout(ANSWER) {
            Ok(()) | Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => {}
        }
    }

    fn prompt(&self, drawn: &LastDrawn, timed: bool) -> NamePrompt {
        NamePrompt { known: Arc::clone(&self.known), drawn: Arc::clone(drawn), timed }
    }

    fn editor(&self, drawn: &LastDrawn) -> Reedline {
        let mut keys = default_emacs_keybindings();
        keys.add_binding(
            KeyModifiers::NONE,
            KeyCode::Tab,
            ReedlineEvent::UntilFound(vec![ReedlineEvent::Menu(MENU.to_owned()), ReedlineEvent::MenuNext]),
        );
        keys.add_binding(KeyModifiers::SHIFT, KeyCode::BackTab, ReedlineEvent::MenuPrevious);
        // A menu is for one word: what cannot stand in a name or an address ends it, so that Enter sends again.
        let menu = ColumnarMenu::default().with_name(MENU).with_marker("").with_word_chars("@-/_.:[]");
        let printer = ExternalPrinter::default();
        let mut above = Above {
            screen: Arc::clone(&self.screen),
            drawn: Arc::clone(drawn),
            printer: printer.sender(),
            resized: None,
        };
        Reedline::create()
            .with_ansi_colors(self.colours)
            .use_bracketed_paste(true)
            .with_edit_mode(Box::new(Keys { emacs: Emacs::new(keys), drawn: Arc::clone(drawn) }))
            .with_highlighter(Box::new(Remember(Arc::clone(drawn))))
            .with_completer(Box::new(Complete(Arc::clone(&self.known))))
            .with_quick_completions(true)
            .with_menu(ReedlineMenu::EngineCompleter(Box::new(menu)))
            .with_transient_prompt(Box::new(self.prompt(drawn, true)))
            .with_external_printer(printer)
            .with_idle_callback(Box::new(move || above.print()))
            .with_poll_interval(LOOK)
            .with_break_signal(Arc::clone(&self.leave))
    }
}
