//! Causal multicast to arbitrary subsets, exactly: nobody is ever given an answer before its question.
//!
//! A *process* sends each message to a set of others, its *destinations*. Message `a` *happened before* message `b` if the
//! author of `b` had sent or been given `a` before he sent `b`, or through a chain of such. Causal order means that whoever is
//! a destination of both is given `a` first, over a network that may delay, reorder and duplicate at will.
//!
//! This crate is the algorithm of Kshemkalyani and Singhal ("Necessary and sufficient conditions on information for causal
//! message ordering and their optimal implementation", Distributed Computing 11, 1998; Algorithm 6.3 in their book
//! "Distributed Computing: Principles, Algorithms, and Systems") as a pure state machine: no sockets, no clocks, no threads.
//! Every message carries only what some destination may still have to wait for, mostly two or three entries, however large
//! the group is; no process is named that has nothing to do with it, so processes come and go at any time.
//!
//! # The triangle
//!
//! Alice asks, Bob answers, and for Carol the answer is faster than the question:
//!
//! ```
//! use causal::{Config, Process, Receipt};
//!
//! let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Process::new(name, Config::default()));
//!
//! let question = alice.send(["bob", "carol"])?;
//! bob.accept(&question, "lunch?")?;
//! assert_eq!(bob.next_delivery().unwrap().message, "lunch?");
//!
//! let answer = bob.send(["alice", "carol"])?;
//! assert_eq!(carol.accept(&answer, "yes!")?, Receipt::Held);
//! assert!(carol.next_delivery().is_none());
//!
//! assert_eq!(carol.accept(&question, "lunch?")?, Receipt::Delivered);
//! assert_eq!(carol.next_delivery().unwrap().message, "lunch?");
//! assert_eq!(carol.next_delivery().unwrap().message, "yes!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Two forms of one thing
//!
//! A [`Stamp`] is what a message carries, in the dense numbers ([`Index`]) of one process: what the machine computes with. An
//! [`Envelope`] is the same with ids spelled out and one canonical sequence of bytes: to be sent by simple users, signed,
//! stored, handed on. [`wire`] is the small form for links, which numbers processes and sets as they first appear.
//!
//! One envelope serves every destination, so it is encoded and signed once, and whoever has it can hand it on to a destination
//! that lacks it. [`Envelope::for_destination`] gives the smaller one that the published algorithm sends to each.
#![forbid(unsafe_code)]
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bytes;
mod config;
mod envelope;
mod holdback;
mod horizon;
mod log;
mod process;
mod refusal;
mod roster;
mod set;
mod snapshot;
mod stamp;
pub mod wire;

pub use bytes::{DecodeError, Id, Numbered};
pub use config::{Config, Limits, Markers, Trust};
pub use envelope::{Envelope, EnvelopeEntry, Speller};
pub use horizon::Hole;
pub use process::{Delivery, Missing, Process, Receipt, Stats};
pub use refusal::{Refusal, Refused};
pub use roster::{Full, Index, Roster};
pub use set::Set;
pub use snapshot::{Progress, RestoreError, Snapshot};
pub use stamp::{Clock, Entries, Entry, Stamp};
