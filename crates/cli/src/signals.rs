use std::fs;
use std::future;
use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask a program to leave. What started this one may have had it ignore SIGHUP and SIGINT (`nohup`, a shell that
/// starts it in the background): then they stay ignored.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    hang_up: Option<Signal>,
    interrupt: Option<Signal>,
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
        // Where that file is not, nothing counts as ignored.
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let unless_ignored = |kind| if is_ignored(&status, kind) { Ok(None) } else { signal(kind).map(Some) };
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hang_up: unless_ignored(SignalKind::hangup())?,
            interrupt: unless_ignored(SignalKind::interrupt())?,
            resumed: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// Waits for SIGTERM, SIGHUP or SIGINT.
    pub(crate) async fn leave(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            () = received(&mut self.hang_up) => {}
            () = received(&mut self.interrupt) => {}
        }
    }

    /// Waits for a signal that the prompt acts on.
    pub(crate) async fn for_prompt(&mut self) -> ForPrompt {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return ForPrompt::Leave,
                () = received(&mut self.hang_up) => return ForPrompt::Leave,
                _ = self.resumed.recv() => return ForPrompt::Resumed,
                () = received(&mut self.interrupt) => {}
            }
        }
    }
}

async fn received(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => future::pending().await,
    }
}

/// Whether a process ignores a signal, by its `/proc/PID/status`: of the mask `SigIgn` the lowest bit is signal 1.
fn is_ignored(status: &str, kind: SignalKind) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    let bit = u32::try_from(kind.as_raw_value()).ok().and_then(|number| number.checked_sub(1));
    bit.and_then(|bit| mask.checked_shr(bit)).is_some_and(|shifted| shifted & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_stands_in_the_mask() {
        let status =
            "Name:\tcauserie\nSigBlk:\t0000000000000003\nSigIgn:\t0000000000001001\nSigCgt:\t0000000000000002\n";
        assert!(is_ignored(status, SignalKind::hangup()));
        assert!(!is_ignored(status, SignalKind::interrupt()));
        assert!(is_ignored(status, SignalKind::pipe()));
        for odd in ["", "SigIgn:", "SigIgn:\tx", "SigIgn:\tffffffffffffffffff"] {
            assert!(!is_ignored(odd, SignalKind::hangup()), "{odd}");
        }
    }
}
