use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a program to leave.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes them over from now on. Needs a Tokio runtime.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
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

    /// Waits for SIGTERM or SIGHUP. At the prompt Ctrl-C is a key that clears the line, and a SIGINT from elsewhere does
    /// not end it either.
    pub(crate) async fn leave_prompt(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.hang_up.recv() => return,
                _ = self.interrupt.recv() => {}
            }
        }
    }
}
