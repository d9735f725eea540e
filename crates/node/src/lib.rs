//! One running peer: drives `chat` with the links, the store and the clock, and gives user interfaces a [`Session`].
//!
//! [`start()`] opens the data folder, the links and the trace, and hands back a session: typed commands in, typed
//! events out. A user interface sees nothing else of the peer; how events look is its own affair. The same session
//! as JSON lines, for scripts and for prompts in other processes, is described by [`mod@line`].
#![forbid(unsafe_code)]

mod clock;
mod config;
mod data;
mod error;
mod journal;
pub mod line;
mod run;
mod session;
mod start;

pub use chat;
pub use config::Config;
pub use data::DataFolder;
pub use error::Error;
pub use session::{Events, Requests, Session, SessionEnded, Submitted};
pub use start::start;
