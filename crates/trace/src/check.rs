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
//!   only by a process that had given it up.
//! - **Complete**, where asked for: every send and each of its destinations that has a file end in a delivery, unless
//!   the destination gave the message up, was superseded, forgotten, killed for good (its last event is not `stop`) or
//!   left on purpose ([`Options::absent`]), or the author was killed for good and nobody at all has the message: who was
//!   killed for good himself has nothing any more.
//!
//! The messages of an author whose file was not given still count as sent in the order of their clocks.

mod chain;
mod complete;
mod history;
mod holes;
mod once;
mod order;
mod past;
mod report;

use std::path::{Path, PathBuf};

pub use report::{Report, Rule, Violation};

use history::History;

/// What to verify, beyond causal order and exactly-once.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Verify completeness too.
    pub complete: bool,
    /// Those who left on purpose, by name or process: no delivery is asked of them.
    pub absent: Vec<String>,
    /// The peers still run: nobody is taken for killed because no `stop` has been written.
    pub running: bool,
}

/// Traces that cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not a record.
    #[error("{}:{line}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// One process has events in two files, so that their order is not known.
    #[error("{process} has events in {} and in {}: give each trace once", first.display(), second.display())]
    SharedProcess {
        /// The process.
        process: String,
        /// One file.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// More than the checker can number (2³² − 1 events, messages or destinations).
    #[error("the traces are too large to be checked")]
    TooLarge,
}

/// Reads the traces `files` of one run and verifies them.
///
/// Give the files of all peers: those of a missing one can hide a violation, but never make one.
///
/// # Errors
///
/// See [`Error`]. A violation is no error: it is in the report.
pub fn check<P: AsRef<Path>>(files: &[P], options: &Options) -> Result<Report, Error> {
    let mut report = Report::default();
    let mut history = History::read(files, &mut report)?;
    once::check(&mut history, &mut report);
    order::check(&history, &mut report);
    if options.complete {
        complete::check(&history, options, &mut report);
        report.complete = true;
    }
    Ok(report)
}

#[cfg(test)]
mod tests;
