//! Everything that a peer must not lose, in an SQLite database: the [`Store`](chat::Store) of a peer that survives its
//! process.
//!
//! Each [`apply`](chat::Store::apply) is one synced transaction (WAL, `synchronous=FULL`). Messages are appended in the
//! order in which they were filed. Those that are shown together share a row, and each batch's signature is stored
//! once. The indexes that history and search need grow later. A person can look at it while the peer runs: `sqlite3
//! causerie.db 'SELECT * FROM chat'`. `schema.sql` describes the tables, and `schema/` what later versions changed.
#![forbid(unsafe_code)]

mod apply;
mod batches;
mod cache;
mod fault;
mod index;
mod load;
mod open;
mod place;
mod retain;
mod rows;
mod schema;
mod sqlite;
mod words;

pub use fault::damaged;
pub use open::find;
pub use retain::Retention;
pub use sqlite::SqliteStore;
