//! The page of one running peer in a browser: static files, a log-in by a one-time link, and the peer's session over one
//! WebSocket per tab.
//!
//! The page is a user interface like any other: it speaks the lines of the session (`docs/json.md`) and sees nothing
//! else of the peer. What is protected, and from whom, is in `docs/page.md`; `guard.rs` and `sessions.rs` do it.
#![forbid(unsafe_code)]

mod error;
mod files;
mod guard;
mod limits;
mod link;
mod listen;
mod relay;
mod routes;
mod sessions;

pub use error::Error;
pub use limits::Limits;
pub use link::link;
pub use listen::Listening;
