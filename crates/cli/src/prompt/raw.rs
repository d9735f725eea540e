use std::{io, panic};

use crossterm::{cursor, event, execute};
use rustix::stdio::stdin;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

/// Standard input, raw until this is dropped.
///
/// reedline makes it raw for each line and puts it back behind it. What is typed in between would be echoed where it
/// does not belong, and be read as other keys or not at all. But what reedline puts back is what it has found.
#[derive(Debug)]
pub(super) struct Raw {
    found: Termios,
}

impl Raw {
    /// Also after a panic anywhere the terminal shows what is typed; the message comes after, where it can be read.
    ///
    /// # Errors
    /// Standard input is not a terminal.
    pub(super) fn enable() -> io::Result<Self> {
        let found = tcgetattr(stdin())?;
        let mut raw = found.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        let report = panic::take_hook();
        panic::set_hook(Box::new({
            let found = found.clone();
            move |panic| {
                restore(&found);
                report(panic);
            }
        }));
        Ok(Self { found })
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        restore(&self.found);
    }
}

/// Makes the terminal what it was before anything was typed. What fails cannot be helped any more.
fn restore(found: &Termios) {
    let _ = tcsetattr(stdin(), OptionalActions::Now, found);
    let _ = execute!(io::stderr(), event::DisableBracketedPaste, cursor::Show);
}
