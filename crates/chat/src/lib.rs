//! One peer's mind: people, groups, sending, delivering, history and catch-up, with no input or output of its own.
//!
//! Commands, frames and the clock come in through methods of [`Peer`]; what has to be done comes out as [`Effects`].
//! Sockets, files and terminals belong to other crates.
#![forbid(unsafe_code)]
#![cfg_attr(test, allow(clippy::wildcard_enum_match_arm, reason = "a test looks for one variant"))]

mod batch;
mod body;
mod clock;
mod codec;
mod command;
mod config;
mod diagram;
mod directory;
mod effects;
mod event;
mod frame;
mod history;
mod hlc;
mod id;
mod identity;
mod kept;
mod mention;
mod name;
mod news;
mod parcel;
mod peer;
mod record;
mod run;
mod store;
mod verification;

pub use batch::{BadProof, Hash, Proof};
pub use codec::Malformed;
pub use command::{Answer, Command, Refusal, Target};
pub use config::Config;
pub use diagram::{DiagramArrow, DiagramInfo, DiagramLine, DiagramMark, DiagramSpan};
pub use effects::{Effects, Journal, LinkId};
pub use event::{
    Event, GroupInfo, HeldInfo, Hello, Message, PersonInfo, Problem, Recipients, UnreadInfo, UserInfo, WaitingInfo, Who,
};
pub use history::{Conversation, Entry, SortKey};
pub use hlc::Hlc;
pub use id::{Incarnation, MessageId, ParseIdError, PersonId, ProcessId};
pub use identity::{BadSignature, Identity, Signature, verify};
pub use kept::{Filed, Kept};
pub use name::{BadName, Name, Pattern};
pub use news::News;
pub use parcel::Parcel;
#[cfg(feature = "hostile")]
pub use peer::hostile;
pub use peer::{BadFrame, Now, Peer};
pub use record::{BadRecord, Record, SignedRecord};
pub use run::Run;
pub use store::{Change, MemoryLimits, MemoryStore, Saved, Store, StoreError};
