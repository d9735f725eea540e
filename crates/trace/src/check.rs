//! Checking traces.
//!
//! *Happened before* is the smallest order in which the lines of one file follow each other and a message's send comes
//! before its deliveries. The files of several runs or incarnations of a peer are one sequence if they stand in one
//! file: what a person read before a restart, the answer given after it may depend on.
//!
//! - **Causal order.** If the send of m1 happened before the send of m2 and both went to process d, then d does not
//!   deliver m2 before m1. Exempt are deliveries that are marked `late`, and pairs m1, m2 with a message h between them
//!   (m1 before h before m2) that d had given up: what h would have waited for, m2 cannot know of.
//! - **Exactly once.** An id is sent once; clocks of a process grow; a message is delivered (in order or late) at most
//!   once by a process, only by one that it was sent to, only if its author's file, where given, shows its send, and late
//!   only by a process that had given it up. As history a message is shown at most once by a process, only if it was sent, and not
//!   if it was delivered.
//! - **Question first.** What comes as history (`show`) was not sent to the process that is shown it, so causal order does not speak of
//!   it. If the author of m2 had been shown m1 before it sent m2, both belong to one conversation, and a process is
//!   shown both, one of them at least as history, then it is shown m1 first. A conversation is a group, or what two files wrote to each
//!   other; of the latter both have to come as history, because what is delivered to one process alone may be no text. Exempt is an m1
//!   that is marked `late`, that any process had given up, or that the process sent itself.
//! - **Complete**, where asked for: every send and each of its destinations that has a file end in a delivery, unless
//!   the destination gave the message up, was superseded, forgotten, killed for good (its last event is not `stop`) or
//!   left on purpose ([`Options::absent`]), or the author was killed for good and nobody at all has the message: who was
//!   killed for good himself has nothing any more.
//!
//! The messages of an author whose file was not given still count as sent in the order of their clocks.

mod chain;
mod complete;
mod holes;
mod once;
mod order;
mod questions;
mod report;

use std::path::Path;

pub use report::{Report, Rule, Violation};

use crate::Error;
use crate::history::{History, Number};

/// What to verify, beyond causal order and exactly-once.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Verify completeness too.
    pub complete: bool,
    /// Those who left on purpose, by name or process: no delivery is asked of them.
    pub absent: Vec<String>,
    /// The peers still run: a process that has not written its `stop` is not taken for killed, unless another one follows
    /// it in its file.
    pub running: bool,
    /// Those who were killed for good although the others still run, by name or process.
    pub killed: Vec<String>,
}

/// Reads the traces `files` of one run and verifies them.
///
/// Give the files of all peers: those of a missing one can hide a violation, but never make one.
///
/// # Errors
///
/// See [`Error`]. A violation is no error: it is in the report.
pub fn check<P: AsRef<Path>>(files: &[P], options: &Options) -> Result<Report, Error> {
    let Examined { history, mut report, .. } = examine(files)?;
    if options.complete {
        complete::check(&history, options, &mut report);
        report.complete = true;
    }
    Ok(report)
}

/// Traces that were read, and in which everything was verified but whether they are complete.
pub(crate) struct Examined {
    /// Without what breaks exactly-once.
    pub(crate) history: History,
    pub(crate) report: Report,
    /// The site and position of each delivery that breaks causal order.
    pub(crate) disordered: Vec<(Number, Number)>,
}

pub(crate) fn examine<P: AsRef<Path>>(files: &[P]) -> Result<Examined, Error> {
    let mut report = Report::default();
    let mut history = History::read(files, &mut report)?;
    once::check(&mut history, &mut report);
    let disordered = order::check(&history, &mut report);
    questions::check(&history, &mut report);
    Ok(Examined { history, report, disordered })
}

#[cfg(test)]
pub(crate) mod tests;
