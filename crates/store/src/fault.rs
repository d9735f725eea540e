//! What can go wrong in a store, and what its user is told.

use std::path::Path;

use chat::StoreError;
use rusqlite::ErrorCode;

/// Why something could not be written or read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite reports it.
    Sql(rusqlite::Error),
    /// What was read is not what this crate writes.
    Damaged(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

/// What to do about a file that cannot be read.
pub(crate) const ADVICE: &str =
    "nothing was changed; restore a copy of it, or move it away (with its -wal) to begin a new history";

/// The error for data in the store `file` that the peer cannot make sense of. It names the file, and says what to do.
pub fn damaged(file: &Path, what: &str) -> StoreError {
    Fault::Damaged(what.to_owned()).told(&file.display().to_string())
}

impl Fault {
    /// The error for the user of the store in `file`.
    pub(crate) fn told(&self, file: &str) -> StoreError {
        match self {
            Self::Damaged(what) => StoreError::Unreadable { reason: format!("{file} is damaged: {what}; {ADVICE}") },
            Self::Sql(error) if is_for_now(error) => {
                StoreError::NotKept { reason: format!("{file}: {}: {error}", hint(error)) }
            }
            Self::Sql(error) => StoreError::Unreadable { reason: format!("{file} is damaged: {error}; {ADVICE}") },
        }
    }
}

/// Whether it may work later: the system refused, and the file is not at fault.
fn is_for_now(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::PermissionDenied
                | ErrorCode::ReadOnly
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory
                | ErrorCode::OperationInterrupted
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::TooBig
        )
    )
}

fn hint(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full, free some space",
        Some(ErrorCode::SystemIoFailure) => "the disk refuses (is it full or failing?)",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program is writing to it, close that",
        Some(ErrorCode::PermissionDenied | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            "it cannot be written, look at its permissions and those of its folder"
        }
        Some(_) | None => "the system refused",
    }
}
