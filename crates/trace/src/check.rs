//! Checking traces.
//!
//! *Happened before* is the smallest order in which the lines of one file follow each other and a message's send comes
//! before its deliveries. Several runs or incarnations of a peer are one sequence if they are in one file: an answer given
//! after a restart may depend on a message that the person read before it.
//!
//! - **Causal order.** If the send of m1 happened before the send of m2 and both went to process d, then d does not deliver
//!   m2 before m1. Two cases are exempt. One is a delivery that is marked `late`. The other is a pair m1, m2 with a message
//!   h between them (m1 happened before h, and h before m2) that d had given up: h names m1 as a dependency, so m2 need not
//!   name it.
//! - **Exactly once.** An id is sent once, and the clocks of a process grow. A process delivers a message (in order or
//!   late) at most once, only if the message was sent to it, and only if its author's file, where given, shows the send. A
//!   process delivers a message as late only if it had given it up. A process shows a message as history at most once, only
//!   if the message was sent, and not if it delivered it.
//! - **Question first.** A message that comes as history (`show`) was not sent to the process that is shown it, so causal
//!   order does not cover it. Suppose that the author of m2 had been shown m1 before it sent m2, that both belong to one
//!   conversation, and that a process is shown both, at least one of them as history. Then it is shown m1 first. A
//!   conversation is a group, or the messages that two files wrote to each other. In the second case both messages have to
//!   come as history, because a message that is delivered to one process alone may not be a text. Exempt is an m1 that is
//!   marked `late`, that any process had given up, or that the process sent itself.
//! - **Complete**, where asked for. Every send ends in a delivery at each of its destinations that has a file. Exempt is a
//!   destination that gave the message up, was superseded, forgotten or killed for good (its last event is not `stop`), or
//!   left on purpose ([`Options::absent`]). Exempt is also a message that no process has, if its author was killed for
//!   good. A process that was killed for good has nothing any more.
//!
//! The messages of an author without a file still count as sent in the order of their clocks.

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

/// What to verify besides causal order, exactly-once and question first.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Verify completeness too.
    pub complete: bool,
    /// The peers that left on purpose, by name or process. They need not deliver anything.
    pub absent: Vec<String>,
    /// The peers still run: a process without a `stop` does not count as killed, unless another process follows it in its file.
    pub running: bool,
    /// The peers that were killed for good although the others still run, by name or process.
    pub killed: Vec<String>,
}

/// Reads the traces `files` of one run and verifies them.
///
/// Give the files of all peers. A missing file can hide a violation, but never cause one.
///
/// # Errors
///
/// See [`Error`]. A violation is not an error: it is in the report.
pub fn check<P: AsRef<Path>>(files: &[P], options: &Options) -> Result<Report, Error> {
    let Examined { history, mut report, .. } = examine(files)?;
    if options.complete {
        complete::check(&history, options, &mut report);
        report.complete = true;
    }
    Ok(report)
}

/// Traces that were read and verified, except for completeness.
pub(crate) struct Examined {
    /// The history without the events that break exactly-once.
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
