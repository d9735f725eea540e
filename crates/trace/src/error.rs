//! Why traces cannot be read.

use std::path::PathBuf;

/// Traces that cannot be read.
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
    /// One process has events in two files, so their order is not known.
    #[error("{process} has events in {} and in {}: give each trace once", first.display(), second.display())]
    SharedProcess {
        /// The process.
        process: String,
        /// One file.
        first: PathBuf,
        /// The other one.
        second: PathBuf,
    },
    /// There are more than 2³² − 1 events, messages or destinations, and they cannot be numbered.
    #[error("the traces are too large")]
    TooLarge,
    /// There is nothing to draw: no file has an event in it.
    #[error("there is nothing to draw: the traces have no events")]
    Empty,
}
