//! Exact causal multicast to arbitrary subsets: no process is ever given an answer before its question.
//!
//! A *process* sends each message to a set of others, its *destinations*. Message `a` *happened before* message `b` if the
//! author of `b` had sent or delivered `a` before it sent `b`, or if a chain of such steps leads from `a` to `b`. Causal order
//! means that every destination of both delivers `a` first. The network may delay, reorder and duplicate at will.
//!
//! This crate is the algorithm of Kshemkalyani and Singhal ("Necessary and sufficient conditions on information for causal
//! message ordering and their optimal implementation", Distributed Computing 11, 1998; Algorithm 6.3 in their book
//! "Distributed Computing: Principles, Algorithms, and Systems") as a pure state machine: no sockets, no clocks, no threads.
//! A message carries only what one of its destinations may still have to wait for. That is two or three entries for most
//! messages, however large the group is. A message names no process that it does not concern, so processes come and go at any
//! time.
//!
//! # The triangle
//!
//! Alice asks and Bob answers, and the answer reaches Carol before the question:
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
//! This is what happened, with time running to the right:
//!
//! ```text
//! alice ──●──────────────────────────────────────────────►
//!         │ \ question
//!         │  ▼
//! bob ────│──●──●────────────────────────────────────────►
//!         │      \ answer
//!         │       ▼
//! carol ──│───────○╌╌╌╌╌╌ held ╌╌╌╌╌╌●──●────────────────►
//!         │                          ▲  delivered, right after
//!         └──────── (slow) ──────────┘  the question
//! ```
//!
//! The answer carries the entry "alice's first message may not have reached carol". That is all that Carol's process needs: it
//! looks for the entries that name it, and waits for their messages. Concurrent messages, where neither happened before the
//! other, are delivered in the order in which they arrive.
//!
//! # Which form to use
//!
//! - [`Process::send`] and [`Process::accept`] work with ids and [`Envelope`]s. Use them in a new program, or in one with few
//!   messages. An envelope spells its ids out and has one canonical sequence of bytes, so you can sign it, store it and hand
//!   it on.
//! - [`Process::multicast`] and [`Process::receive`] work with [`Stamp`]s, in the dense numbers ([`Index`]) of one process. The
//!   state machine computes with these and never looks up an id. [`Process::intern`] gives the number of an id.
//! - [`wire`] is the small form for links. It numbers processes and sets as they first appear. Most messages take a few bytes,
//!   and the bytes are the same on every link.
//! - [`Process::speller`] writes the canonical bytes of many stamps. It is several times faster than an envelope for each.
//! - [`Process::lending`] makes a process that borrows its stamps, from an `Arc` or a batch, say. Nothing is copied while a
//!   message is held back.
//!
//! One envelope serves every destination: it is encoded and signed once, and any process that has it can hand it on to a
//! destination that lacks it. [`Envelope::for_destination`] gives the smaller one that the published algorithm sends to each.
//!
//! # The contract
//!
//! **Safety.** If message `a` happened before message `b`, every destination of both delivers `a` first. No process delivers a
//! message twice, or one that is not addressed to it. This holds whatever the network delays, reorders, loses or repeats, as
//! long as every process keeps the caller's contract ([`Process`]) and nothing is abandoned.
//!
//! **Liveness.** A process delivers a message as soon as the message has arrived, together with every message to that process
//! that happened before it. It waits for nothing else, so a silent process holds nothing back. Every destination's copy of
//! every message has to arrive, or be given up. The network may lose copies as long as they are retransmitted.
//!
//! **What [`abandon`](Process::abandon) gives up.** A message that never comes would hold back its dependents for ever.
//! Abandoning it makes a gap ([`Hole`]), and the messages that waited are delivered. If a message in the gap comes after all,
//! it is delivered and marked as late. Order is lost for the messages in the gap and for those that happened before one of
//! them, and for no others.
//!
//! **Strangers.** Nothing that is received can cause a panic, or take more memory than [`Config`] and [`Limits`] allow.
//! The caller must know who wrote an envelope: sign its canonical bytes. [`Trust::Vouched`] tells what a process that lies can
//! do, and how to bound it.
//!
//! # What each call costs
//!
//! *e* is how many entries a message carries, *l* how many remembered entries still name a destination, and *n* how many
//! processes are known. Each entry has a set of destinations, which takes *n* / 64 words. For up to 128 processes the set lies
//! in the entry itself.
//!
//! | call | time |
//! |---|---|
//! | [`multicast`](Process::multicast) | *l* entries |
//! | [`receive`](Process::receive), deliverable at once | *e* entries |
//! | [`receive`](Process::receive), held back | *e* log (held messages) |
//! | a release | the released messages, and those that waited for the same message; no other held messages |
//! | [`next_delivery`](Process::next_delivery) | *e* entries, and the remembered entries of their authors |
//! | [`send`](Process::send), [`accept`](Process::accept), [`localise`](Process::localise), [`spell`](Process::spell) | the same, and log *n* for each id named |
//! | [`knows`](Process::knows) | log (gaps and held messages of the author) |
//! | [`delivered`](Process::delivered), [`holes`](Process::holes), [`clock`](Process::clock), [`held`](Process::held) | constant |
//! | [`missing`](Process::missing) | *n*, and every message that others wait for |
//! | [`abandon`](Process::abandon), [`disregard`](Process::disregard), [`complete`](Process::complete) | gaps of the author, and what is released |
//! | [`void`](Process::void) | all held messages |
//! | [`forget`](Process::forget) | *l* entries |
//! | [`snapshot`](Process::snapshot), [`restore`](Process::restore) | *n*, and all entries remembered |
//! | [`wire::Numbering::encode`], [`wire::Table::decode`] | *e* entries |
//!
//! The number of entries in a message depends on the traffic, not on *n*: about two to four where groups talk, and up to *n*
//! where many processes write to one other at a time only.
//!
//! # Without the standard library
//!
//! The crate needs `alloc` only, and has no unsafe code.
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
mod local;
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
pub use stamp::{Clock, Entries, Entry, MAX_CLOCK, Stamp};
