//! The small form of a stamp for links, in which processes and destination sets go by number.
//!
//! Whoever sends has one [`Numbering`] for all his links: it gives a number to each process and each set when a message first
//! names it. So the bytes of a message are the same on every link, and it is encoded once. Each link is told the numbers that
//! it does not know yet just before the first message that uses them, from one high-water [`Mark`] a link. Whoever receives has
//! one [`Table`] a link.
//!
//! ```
//! use causal::wire::{Mark, Numbering, Table};
//! use causal::{Config, Limits, Process};
//!
//! let [mut alice, mut bob] = ["alice", "bob"].map(|name| Process::<String, ()>::new(name.to_owned(), Config::default()));
//! let (mut numbering, mut table, limits) = (Numbering::new(&Limits::default()), Table::default(), Limits::default());
//!
//! let to_bob = [alice.intern("bob".to_owned())?].into_iter().collect();
//! let stamp = alice.multicast(&to_bob);
//! let (mut message, mut additions) = (Vec::new(), Vec::new());
//! numbering.encode(&stamp, &mut message);
//! let mark = numbering.additions_since(Mark::default(), alice.roster(), &mut additions);
//!
//! table.learn(&mut &additions[..], &mut bob, &limits)?;
//! let read = table.decode(&mut &message[..], &limits)?;
//! assert_eq!(bob.spell(&read), alice.spell(&stamp));
//!
//! // The next one has no news for this link.
//! additions.clear();
//! numbering.encode(&alice.multicast(&to_bob), &mut message);
//! assert_eq!(numbering.additions_since(mark, alice.roster(), &mut additions), mark);
//! assert!(additions.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Format, version 1
//! All numbers are unsigned LEB128 in their shortest form.
//!
//! A *message* is: the author's number; his clock; the destinations, a set; how many entries; and for each its author's number,
//! its clock (of the message's own author: the message's clock less the entry's), and its destinations, a set.
//!
//! A *set* begins with a number whose two low bits tell what the others are:
//!
//! | low bits | the others | then |
//! |---|---|---|
//! | 0 | the number of a set | |
//! | 1 | the number of the one process in it | |
//! | 2 | 0: the message's destinations, less some; else one more than the number of a set, less some | a list: those less |
//! | 3 | 0: the message's destinations less the entry's author; 1: a list; 2: a bitmap | the list or bitmap |
//!
//! A *list* is how many, the first number, and for each further one how far it lies beyond the one before, less one. A *bitmap*
//! is how many bytes, and those, the low bit of the first for process 0.
//!
//! *Additions* are: the version, a byte; the generation of the numbering; the first new process number, how many, and their
//! ids; the first new set number, how many, and these sets, which may refer to earlier ones. Another generation than before
//! begins at number 0 and ends what was known.

mod numbering;
mod table;

#[cfg(test)]
mod tests;

pub use numbering::{Mark, Numbering};
pub use table::Table;

const VERSION: u8 = 1;

/// How a set is written: the two low bits.
const NUMBERED: u64 = 0;
const SINGLE: u64 = 1;
const LESS: u64 = 2;
const OTHER: u64 = 3;

/// What follows the low bits `OTHER`.
const LESS_AUTHOR: u64 = 0;
const LIST: u64 = 1;
const BITMAP: u64 = 2;
