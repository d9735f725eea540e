//! Identities on disk: the key that makes a person, with or without a passphrase, and the accounts of one machine.
//!
//! A data folder holds one key in `identity.key`. It is *plain* (64 hexadecimal digits), or *sealed* by a passphrase
//! ([`SealedKey`]). [`Key::read`] tells which it is; [`seal`], [`reseal`] and [`unseal`] change it so that a key that opens is in its
//! place at every moment. An *account* is a data folder that lies under a common folder and carries its name ([`Accounts`]).
//! A sealed key can be taken to another machine as one file, or written down as 24 words ([`Seed::words`]).
//!
//! # What a passphrase protects
//!
//! The identity: a copy of the file is of no use without the passphrase. It does not protect the messages:
//! the database in the same folder is not encrypted. Full-disk encryption protects both from a thief of the machine, and neither
//! from a program that runs as the same user while the key is open.
//!
//! # What deleting cannot promise
//!
//! Files are overwritten before they are removed, and so is a key that another one has replaced. An SSD, a file system that
//! copies on write or keeps a journal, a snapshot or a backup may still hold the old bytes. Against that only a passphrase that was
//! there from the beginning helps, or full-disk encryption.
#![forbid(unsafe_code)]

mod accounts;
mod cost;
mod erase;
mod error;
mod export;
mod file;
mod key;
mod passphrase;
mod patience;
mod rewrite;
mod sealed;
mod seed;
mod words;

pub use accounts::Accounts;
pub use cost::{BadCost, Cost};
pub use erase::erase_data;
pub use error::Error;
pub use export::{Owner, verify};
pub use key::Key;
pub use passphrase::Passphrase;
pub use patience::Patience;
pub use rewrite::{reseal, seal, unseal};
pub use sealed::SealedKey;
pub use seed::Seed;
pub use words::WordsError;
