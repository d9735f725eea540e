use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why there is no page, or no link to it. Every message says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Other machines could reach the address.
    #[error("--web {address} is not an address of this machine alone: give a loopback one, such as 127.0.0.1:4180")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// Nothing can listen there.
    #[error("the page cannot be served on {address}, name another address with --web: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The peer serves no page, or there is none.
    #[error(
        "no peer serves a page on the data folder {}; start one with `causerie run --web 127.0.0.1:4180`, or name another \
         folder with --data", path.display()
    )]
    NoPage {
        /// The folder.
        path: PathBuf,
    },
    /// The peer gave no link.
    #[error("the peer has given no link to its page; is it stopped, or stuck?")]
    NoLink,
    /// The socket in the data folder cannot be made.
    #[error(transparent)]
    Folder(#[from] node::Error),
    /// The socket in the data folder cannot be used.
    #[error(transparent)]
    Attach(node::AttachError),
}

impl Error {
    /// Whether another option would have helped, whatever state the machine is in.
    pub fn is_misuse(&self) -> bool {
        matches!(self, Self::NotLoopback { .. })
    }
}
