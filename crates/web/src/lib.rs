//! The page in a browser: static files, a way in, and a peer's session over one WebSocket per tab.
//!
//! There are two ways in. The page of one peer ([`Listening::serve`]) takes one-time links. That of a host
//! ([`Listening::serve_accounts`]) takes the passphrases of the accounts of this machine, and the host runs the peers of those that are
//! logged in.
//!
//! The page is a user interface like any other: it speaks the lines of the session (`docs/json.md`) and sees nothing
//! else of the peer. What is protected, and from whom, is in `docs/security.md`; `guard.rs` and `sessions.rs` do it.
#![forbid(unsafe_code)]

mod by_account;
mod by_code;
mod codes;
mod error;
mod files;
mod guard;
mod guesses;
mod host;
mod limits;
mod link;
mod listen;
mod places;
mod rates;
mod refusal;
mod relay;
mod routes;
mod seat;
mod secret;
mod sessions;
mod tls;
mod tries;
mod troubles;
mod vault;

pub use error::Error;
pub use host::{Hosting, Registration};
pub use limits::{HostLimits, Limits};
pub use link::link;
pub use listen::{Listening, Serving, addresses};
pub use tls::Tls;
