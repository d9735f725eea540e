//! The small form of a stamp for links, in which numbers stand for processes and destination sets.
//!
//! A sender has one [`Numbering`] for all its links. It gives a number to each process and each set when a message first names
//! it. So a message is encoded once, and its bytes are the same on every link. Each link is told the numbers that it does not
//! know yet just before the first message that uses them. One high-water [`Mark`] per link tells which those are. A receiver
//! has one [`Table`] per link.
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
//! // The next message has no additions for this link.
//! additions.clear();
//! numbering.encode(&alice.multicast(&to_bob), &mut message);
//! assert_eq!(numbering.additions_since(mark, alice.roster(), &mut additions), mark);
//! assert!(additions.is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Format, version 2
//! All numbers are unsigned LEB128 in their shortest form. Two things that most messages have in common cost a bit each. First,
//! the author is the process that the numbering belongs to, which has number 0. Second, the author has delivered nothing since
//! its last message, which went to the same destinations.
//!
//! A *message* consists of its head; the author's number, if the head says so; the author's clock; the destinations, a set;
//! and the entries. The low bit of the head tells that the author is not number 0. The next bit tells that one entry is the
//! author's previous message, to the same destinations. The other bits are the number of further entries.
//!
//! An *entry* consists of its head; its clock; and its destinations, if the head leaves them open. Entries are ordered by the
//! numbers of their authors, and then by their clocks. The head is the author's number less that of the entry before (less 0
//! for the first entry), times 4, plus the kind of destinations:
//!
//! | low bits | the destinations | then |
//! |---|---|---|
//! | 0 | the message's, without the entry's author | |
//! | 1 | none: a marker | |
//! | 2 | one process | its number |
//! | 3 | others | a set |
//!
//! The clock is written in one of three ways. If the entry before is of the same author, it is the difference to the clock of
//! that entry. Otherwise, if the entry is of the message's author, it is the message's clock less the entry's. Otherwise it is
//! written as it is.
//!
//! A *set* begins with a number. Its two low bits tell what the other bits mean:
//!
//! | low bits | the other bits | then |
//! |---|---|---|
//! | 0 | the number of a set | |
//! | 1 | the number of the one process in it | |
//! | 2 | the base: 0 for the message's destinations, else the number of a set plus one | the processes to take out of the base |
//! | 3 | 0: a list; 1: a bitmap | the list or bitmap |
//!
//! A *list* consists of a count, the first number, and for each further number its difference to the one before, less one. *The
//! processes to take out* are a list whose count is doubled, plus one if the entry's author is to be taken out too. A *bitmap*
//! consists of the number of bytes, and the bytes. The low bit of the first byte stands for process 0. Only an entry's set can
//! refer to the message's destinations or to the entry's author.
//!
//! *Additions* consist of the version, a byte; the generation of the numbering; the first new process number, a count, and the
//! ids; the first new set number, a count, and the sets, which may refer to earlier ones. A new generation begins at number 0,
//! and the numbers of the earlier one mean nothing any more.
//!
//! No message refers to another message. So a link that carries only some of the messages can still read each of them.

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

/// The kinds of an entry's destinations: the two low bits of its head.
const LESS_AUTHOR: u64 = 0;
const NOBODY: u64 = 1;
const ONE: u64 = 2;
const SET: u64 = 3;

/// The forms of a set: the two low bits of its first number.
const NUMBERED: u64 = 0;
const SINGLE: u64 = 1;
const LESS: u64 = 2;
const OTHER: u64 = 3;

/// The bits above the low bits `OTHER`.
const LIST: u64 = 0;
const BITMAP: u64 = 1;
