//! Identities on disk: the key that makes a person, with or without a passphrase, and the accounts of one machine.
//!
//! A data folder holds one key in `identity.key`. It is *plain* (64 hexadecimal digits), or *sealed* with a passphrase
//! ([`SealedKey`]). [`Key::read`] tells which. [`seal`], [`reseal`] and [`unseal`] change it, and at every moment a key
//! that opens is in its place. An *account* is a data folder in a common folder, with the account's name
//! ([`Accounts`]). A sealed key can be taken to another machine as one file, or written down as 24 words
//! ([`Seed::words`]).
//!
//! # What a passphrase protects
//!
//! A passphrase protects the identity: without it, a copy of the file is useless. It does not protect the messages: the
//! database in the same folder is not encrypted. Full-disk encryption protects both if the machine is stolen. Nothing
//! protects them from a program that runs as the same user while the key is open.
//!
//! # What deleting cannot promise
//!
//! Files are overwritten before they are removed, and so is a key that another one replaces. But an SSD, a file system
//! that copies on write or keeps a journal, a snapshot or a backup may still hold the old bytes. Only a passphrase that
//! was there from the beginning, or full-disk encryption, helps against that.
#![forbid(unsafe_code)]

mod accounts;
mod cost;
mod erase;
mod error;
mod export;
mod file;
mod folder;
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
pub use folder::AccountFolder;
pub use key::Key;
pub use passphrase::Passphrase;
pub use patience::Patience;
pub use rewrite::{reseal, seal, unseal};
pub use sealed::SealedKey;
pub use seed::Seed;
pub use words::WordsError;
