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
//! # Format, version 2
//! All numbers are unsigned LEB128 in their shortest form. What the commonest messages have in common costs a bit: the author is
//! the process that the numbering belongs to, which has number 0; and he knows of nothing since his last message, to the same
//! people.
//!
//! A *message* is: its head; the author's number, if the head says so; his clock; the destinations, a set; and the entries. The
//! low bit of the head tells that the author is not number 0, the next one that his message before this one, to the same
//! destinations, is one entry; the rest is how many further entries there are.
//!
//! An *entry* is: its head; its clock; and its destinations, if the head leaves them open. Entries are in the order of their
//! authors' numbers, and of their clocks. The head is how far the author's number lies beyond that of the entry before (beyond
//! 0 at the first), times 4, and what the destinations are:
//!
//! | low bits | the destinations | then |
//! |---|---|---|
//! | 0 | the message's, less the entry's author | |
//! | 1 | nobody: a marker | |
//! | 2 | one process | its number |
//! | 3 | others | a set |
//!
//! The clock is written as how far it lies beyond that of the entry before, if that is of the same author; else, of the
//! message's own author, as how far it lies before the message's; else as it is.
//!
//! A *set* begins with a number whose two low bits tell what the others are:
//!
//! | low bits | the others | then |
//! |---|---|---|
//! | 0 | the number of a set | |
//! | 1 | the number of the one process in it | |
//! | 2 | 0: the message's destinations, less some; else one more than the number of a set, less some | those less |
//! | 3 | 0: a list; 1: a bitmap | the list or bitmap |
//!
//! A *list* is how many, the first number, and for each further one how far it lies beyond the one before, less one. *Those
//! less* are a list whose count is doubled, and one more if the entry's author is to go too. A *bitmap* is how many bytes, and
//! those, the low bit of the first for process 0. Only an entry's set can refer to the message's destinations, or to the
//! entry's author.
//!
//! *Additions* are: the version, a byte; the generation of the numbering; the first new process number, how many, and their
//! ids; the first new set number, how many, and these sets, which may refer to earlier ones. Another generation than before
//! begins at number 0 and ends what was known.
//!
//! Nothing in a message refers to another message, so a link that is sent some of them only reads them all the same.

mod numbering;
mod table;

#[cfg(test)]
mod tests;

pub use numbering::{Mark, Numbering};
pub use table::Table;

const VERSION: u8 = 2;

/// The low bits of a message's head.
const BY_ANOTHER: u64 = 1;
const AFTER_HIS_LAST: u64 = 2;

/// What an entry's destinations are: the two low bits of its head.
const LESS_AUTHOR: u64 = 0;
const NOBODY: u64 = 1;
const ONE: u64 = 2;
const SET: u64 = 3;

/// How a set is written: the two low bits.
const NUMBERED: u64 = 0;
const SINGLE: u64 = 1;
const LESS: u64 = 2;
const OTHER: u64 = 3;

/// What follows the low bits `OTHER`.
const LIST: u64 = 0;
const BITMAP: u64 = 1;
