use std::path::PathBuf;

/// Why a peer could not start. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is not valid.
    #[error("{name:?} is not a name: {reason}; give another one with --name")]
    BadName {
        /// The name, cut to 80 characters.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The data folder could not be made or read.
    #[error("the data folder {}: {source}; choose another one with --data", path.display())]
    Data {
        /// The folder or the file in it.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process has the data folder open.
    #[error(
        "another causerie is running on the data folder {}; stop it, or give this one its own folder with --data",
        path.display()
    )]
    DataInUse {
        /// The folder.
        path: PathBuf,
    },
    /// Other users can write to the data folder.
    #[error(
        "others can write to the data folder {} (mode {mode:03o}) and could pass for this peer; run: chmod go-w {}, or choose another one with --data",
        path.display(), path.display()
    )]
    DataExposed {
        /// The folder.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The path of the session's socket is too long for a socket address.
    #[error(
        "the path {} has {bytes} bytes, and that of a socket {limit} at most; choose a data folder with a shorter path with --data",
        path.display()
    )]
    SocketPath {
        /// The path.
        path: PathBuf,
        /// Its length in bytes.
        bytes: usize,
        /// The greatest length.
        limit: usize,
    },
    /// A required file is a symbolic link that leads nowhere.
    #[error(
        "{} is a symbolic link to {}, which is not there: mount or restore what it leads to, or remove the link; nothing was changed",
        path.display(), target.display()
    )]
    LinkLeadsNowhere {
        /// The link.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Random(String),
    /// The trace file could not be opened.
    #[error("the trace file {}: {source}", path.display())]
    Trace {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The store in the data folder cannot be read.
    #[error(transparent)]
    Store(#[from] chat::StoreError),
    /// The links could not be opened.
    #[error(transparent)]
    Links(#[from] net::Error),
}

impl Error {
    /// Whether what was asked for makes no sense, on this machine or on any other.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::BadName { .. } | Self::Links(net::Error::Peer(_)))
    }
}
