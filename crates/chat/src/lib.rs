//! One peer's mind: people, groups, sending, delivering, history and catch-up, with no input or output of its own.
//!
//! Commands, frames and the clock come in through methods of [`Peer`]; what has to be done comes out as [`Effects`].
//! Sockets, files and terminals belong to other crates.
#![forbid(unsafe_code)]

mod batch;
mod codec;
mod command;
mod directory;
mod event;
mod hlc;
mod id;
mod identity;
mod name;
mod record;

pub use batch::{BadProof, Hash, Proof};
pub use codec::Malformed;
pub use command::{Answer, Command, Refusal, Target};
pub use event::{Event, GroupInfo, HeldInfo, Message, Recipients, UserInfo, Who};
pub use hlc::Hlc;
pub use id::{Incarnation, MessageId, ParseIdError, PersonId, ProcessId};
pub use identity::{BadSignature, Identity, Signature, verify};
pub use name::{BadName, Name, Pattern};
pub use record::{BadRecord, Record, SignedRecord};
