//! What a peer may not lose, in an SQLite database: the [`Store`](chat::Store) of a peer that survives its process.
//!
//! One transaction an [`apply`](chat::Store::apply), synced (WAL, `synchronous=FULL`). Messages are appended in the order in
//! which they were filed, those that are shown together in one row, each batch's signature once; the indexes that history and
//! search need grow behind that. A person can look at it while the peer runs: `sqlite3 causerie.db 'SELECT * FROM chat'`; the
//! tables are described in `schema.sql`, and what later versions changed in `schema/`.
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
