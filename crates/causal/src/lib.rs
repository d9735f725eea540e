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
//! What happened there, time running to the right:
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
//! The answer carries the entry "alice's first message may not have reached carol". That is all Carol needs: she looks for
//! herself among the entries, and waits for what names her. Two messages of which neither happened before the other come in
//! whatever order they arrive.
//!
//! # Which form to use
//!
//! - [`Process::send`] and [`Process::accept`] speak in ids and [`Envelope`]s: for a program that begins, or whose messages
//!   are few. An envelope has ids spelled out and one canonical sequence of bytes, so it can be signed, stored and handed on.
//! - [`Process::multicast`] and [`Process::receive`] speak in [`Stamp`]s, in the dense numbers ([`Index`]) of one process: what
//!   the machine computes with, without a look at an id. [`Process::intern`] gives the number of an id.
//! - [`wire`] is the small form for links, which numbers processes and sets as they first appear: a few bytes for most
//!   messages, the same on every link.
//! - [`Process::speller`] writes the canonical bytes of many stamps, several times faster than an envelope each.
//! - [`Process::lending`] makes a process that borrows stamps from where they lie already, an `Arc` or a batch, so that nothing
//!   is copied while a message is held.
//!
//! One envelope serves every destination, so it is encoded and signed once, and whoever has it can hand it on to a destination
//! that lacks it. [`Envelope::for_destination`] gives the smaller one that the published algorithm sends to each.
//!
//! # The contract
//!
//! **Safety.** If message `a` happened before message `b`, whoever is a destination of both is given `a` first; nobody is given
//! a message twice, or one that is not addressed to him. This holds whatever the network delays, reorders, loses or repeats, as
//! long as every process keeps the caller's contract ([`Process`]) and nothing is abandoned.
//!
//! **Liveness.** A message is delivered as soon as it has arrived with everything addressed to the same process that happened
//! before it, and no later: no process is waited for that has nothing to say. So every destination's copy of every message
//! has to arrive, or be given up. The network may lose copies as long as somebody sends them again.
//!
//! **What [`abandon`](Process::abandon) gives up.** What will never come would hold back for ever what depends on it. Abandoning
//! it makes a [`Hole`]: what waited is delivered, and what lies in the hole and comes after all is delivered late, and says so.
//! Order is lost for what lies in the hole, and for what happened before something in it, and for nothing else.
//!
//! **Strangers.** Nothing that is received can cause a panic, or take more memory than [`Config`] and [`Limits`] allow.
//! Who wrote an envelope is for the caller to know: sign its canonical bytes. What a process that lies can do, and how
//! [`Trust::Vouched`] bounds it, is told there.
//!
//! # What each call costs
//!
//! *e* is how many entries a message carries, *l* how many are remembered that name somebody, *n* how many processes are known.
//! Each entry has a set of destinations, which takes *n* / 64 words; up to 128 processes it lies in the entry itself.
//!
//! | call | time |
//! |---|---|
//! | [`multicast`](Process::multicast) | *l* entries |
//! | [`receive`](Process::receive), deliverable at once | *e* entries |
//! | [`receive`](Process::receive), held | *e* log (held messages) |
//! | a release | what is released, and what waited for the same; other held messages are not looked at |
//! | [`next_delivery`](Process::next_delivery) | *e* entries, and those remembered of the same authors |
//! | [`send`](Process::send), [`accept`](Process::accept), [`localise`](Process::localise), [`spell`](Process::spell) | the same, and log *n* for each id named |
//! | [`knows`](Process::knows) | log (holes and held messages of the author) |
//! | [`delivered`](Process::delivered), [`holes`](Process::holes), [`clock`](Process::clock), [`held`](Process::held) | constant |
//! | [`missing`](Process::missing) | *n*, and everything that is waited for |
//! | [`abandon`](Process::abandon), [`disregard`](Process::disregard), [`complete`](Process::complete) | holes of the author, and what is released |
//! | [`void`](Process::void) | all held messages |
//! | [`forget`](Process::forget) | *l* entries |
//! | [`snapshot`](Process::snapshot), [`restore`](Process::restore) | *n*, and all entries remembered |
//! | [`wire::Numbering::encode`], [`wire::Table::decode`] | *e* entries |
//!
//! How many entries a message carries is for the traffic to say, not for *n*: about two to four where groups talk, and up to
//! *n* where many processes write to single others only.
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
