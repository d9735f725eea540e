use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a program to leave.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    resumed: Signal,
}

/// What a signal tells the prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ForPrompt {
    /// SIGTERM or SIGHUP. At the prompt Ctrl-C is a key that clears the line, and a SIGINT from elsewhere does not end it
    /// either.
    Leave,
    /// SIGCONT: this process was stopped, and goes on.
    Resumed,
}

impl Signals {
    /// Takes them over from now on. Needs a Tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            resumed: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// Waits for SIGTERM, SIGHUP or SIGINT.
    pub(crate) async fn leave(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.hang_up.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Waits for a signal that the prompt acts on.
    pub(crate) async fn for_prompt(&mut self) -> ForPrompt {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return ForPrompt::Leave,
                _ = self.hang_up.recv() => return ForPrompt::Leave,
                _ = self.resumed.recv() => return ForPrompt::Resumed,
                _ = self.interrupt.recv() => {}
            }
        }
    }
}
