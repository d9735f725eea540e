//! One running peer: drives `chat` with the links, the store and the clock, and gives user interfaces a [`Session`].
//!
//! [`start()`] opens the data folder, the links and the trace, and returns a session: typed commands in, typed events
//! out. A user interface sees nothing else of the peer, and decides itself how to show events. A peer with a data
//! folder offers the same session to other processes over a Unix socket there, and [`attach()`] opens one. [`mod@line`]
//! describes its JSON lines. Several peers of one process share [`Neighbours`], through which they link to each other
//! in memory.
#![forbid(unsafe_code)]

mod attach;
mod clients;
mod clock;
mod config;
mod data;
mod drawing;
mod error;
mod examine;
mod feed;
mod journal;
mod keep;
mod leaving;
pub mod line;
mod lines;
mod problems;
mod run;
mod server;
mod session;
mod socket;
mod start;
mod stuck;

pub use attach::{AttachError, attach, connect};
pub use chat;
pub use config::{Config, Home};
pub use data::DataFolder;
pub use error::Error;
pub use examine::{Check, examine};
pub use line::Ending;
pub use net::{Neighbours, limits};
pub use session::{Events, Requests, Session, SessionEnded, Submitted};
pub use socket::{SESSION, Socket};
pub use start::start;
