//! The terminal itself: its mode, its size, and what is written to it.

use std::io::{self, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use crossterm::{cursor, event, execute};
use rustix::io::Errno;
use rustix::process::{Signal, kill_current_process_group};
use rustix::stdio::{stdin, stdout};
use rustix::termios::{LocalModes, tcgetattr, tcgetwinsize};

use super::layout::Size;

/// What a terminal that does not say how large it is counts as, as for every other program.
const USUAL: Size = Size { columns: 80, rows: 24 };

/// How often, and how long each time, to look whether this process goes on, after it asked to be stopped. A process whose
/// shell is gone is not stopped at all, and nobody tells it to go on.
const LOOKS: u32 = 100;
const LOOK: Duration = Duration::from_millis(10);

/// Standard input, raw until this is dropped: what is typed comes at once and is not echoed. Nothing is written to the
/// terminal for it, so a terminal that stands still keeps nobody from leaving.
#[derive(Debug)]
pub(super) struct Raw(());

impl Raw {
    /// Also after a panic anywhere the terminal shows what is typed; the message comes after, where it can be read.
    ///
    /// # Errors
    /// Standard input is not a terminal.
    pub(super) fn enable() -> io::Result<Self> {
        enable_raw_mode()?;
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            restore();
            report(panic);
        }));
        Ok(Self(()))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // What fails cannot be helped any more.
        let _ = disable_raw_mode();
    }
}

/// From now on lines are typed; again also where they are already.
///
/// # Errors
/// The terminal cannot be used.
pub(super) fn begin() -> io::Result<()> {
    enable_raw_mode()?;
    execute!(Terminal, event::EnableBracketedPaste)
}

/// No more lines are typed. Standard input stays raw.
///
/// # Errors
/// The terminal cannot be used.
pub(super) fn end() -> io::Result<()> {
    execute!(Terminal, event::DisableBracketedPaste)
}

/// Makes the terminal what it was before anything was typed. What fails cannot be helped any more.
fn restore() {
    let _ = disable_raw_mode();
    let _ = execute!(Terminal, event::DisableBracketedPaste, cursor::Show);
}

/// Gives the terminal back to the shell and stops, with all of the command that this is a part of, until the shell says to
/// go on: `resumed` is set then. Whether it stopped; without a shell there is nobody to stop for.
///
/// # Errors
/// The terminal cannot be had back.
pub(super) fn suspend(resumed: &AtomicBool) -> io::Result<bool> {
    restore();
    resumed.store(false, Ordering::Relaxed);
    kill_current_process_group(Signal::TSTP)?;
    // Another thread may be the one that takes the signal, a little later. Looks are counted, and not the time, which goes on.
    let stopped = (0..LOOKS).any(|_| {
        thread::sleep(LOOK);
        resumed.swap(false, Ordering::Relaxed)
    });
    begin()?;
    Ok(stopped)
}

/// This process goes on after it was stopped by something else than [`suspend`]. Whether the terminal was in other hands
/// meanwhile; it is raw again.
///
/// # Errors
/// The terminal cannot be had back.
pub(super) fn resume() -> io::Result<bool> {
    let taken = tcgetattr(stdin())?.local_modes.contains(LocalModes::ICANON);
    if taken {
        disable_raw_mode()?;
    }
    begin()?;
    Ok(taken)
}

/// The size of the terminal, or a usual one as far as it has none.
pub(super) fn size() -> Size {
    let told = tcgetwinsize(stdout()).map_or((0, 0), |size| (size.ws_col, size.ws_row));
    let or = |told: u16, usual| if told == 0 { usual } else { usize::from(told) };
    Size { columns: or(told.0, USUAL.columns), rows: or(told.1, USUAL.rows) }
}

/// Writes to the terminal, however long it takes: it may stand still, and another program may have made it one that does
/// not wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal;

impl Write for Terminal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(stdout(), bytes) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => thread::sleep(LOOK),
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
