//! What a causal multicast carries: a text, a change of the directory, or a welcome.
//!
//! Layout: one byte of kind; a text then has the length of its head (two bytes, big-endian), the head, and the UTF-8
//! text up to the end, so that the text is never copied to be read; the other kinds are one encoded value.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::ProcessId;
use crate::codec::{self, Malformed};
use crate::hlc::Hlc;
use crate::name::Name;
use crate::record::SignedRecord;

const TEXT: u8 = 1;
const RECORD: u8 = 2;
const WELCOME: u8 = 3;

/// The most that a record or a welcome may take, in bytes.
const MAX_VALUE: usize = 1024 * 1024;

/// The conversation that a text belongs to, as its author spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scope {
    All,
    Group(Name),
    /// Between the author and the one person addressed.
    Direct,
}

/// What stands before a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TextHead {
    pub(crate) scope: Scope,
    /// The author's own clock, Unix time in microseconds: shown, never sorted by.
    pub(crate) sent_at: i64,
    /// What history is sorted by.
    pub(crate) hlc: Hlc,
}

/// One conversation that a welcome speaks of: what its author has shown of it, as the greatest clock of each author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) scope: Scope,
    pub(crate) up_to: Vec<(ProcessId, u64)>,
}

/// A body, borrowed from the bytes that it came in.
#[derive(Debug)]
pub(crate) enum Body<'a> {
    Text(TextHead, &'a str),
    Record(Box<SignedRecord>),
    /// The first thing that a member says to a newcomer (DESIGN: the welcome).
    Welcome(Vec<Shown>),
}

impl<'a> Body<'a> {
    /// # Errors
    /// [`Malformed`] for anything that [`text`], [`record`] or [`welcome`] would not have written.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let (&kind, rest) = bytes.split_first().ok_or(Malformed::new("an empty body"))?;
        match kind {
            TEXT => {
                let (length, rest) = rest.split_first_chunk::<2>().ok_or(Malformed::new("a text without a head"))?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (head, text) = rest.split_at_checked(length).ok_or(Malformed::new("a text with half a head"))?;
                let head = codec::decode(head, length)?;
                let text = std::str::from_utf8(text).map_err(|_| Malformed::new("a text that is not UTF-8"))?;
                Ok(Self::Text(head, text))
            }
            RECORD => codec::decode(rest, MAX_VALUE).map(|record| Self::Record(Box::new(record))),
            WELCOME => codec::decode(rest, MAX_VALUE).map(Self::Welcome),
            _ => Err(Malformed::new("a body of an unknown kind")),
        }
    }
}

/// Whether these are the bytes of a welcome, which may have to wait before the causal order sees it.
pub(crate) fn is_welcome(bytes: &[u8]) -> bool {
    bytes.first() == Some(&WELCOME)
}

/// The bytes of a text.
pub(crate) fn text(head: &TextHead, text: &str) -> Bytes {
    let head = codec::encode(head);
    let mut bytes = BytesMut::with_capacity(3 + head.len() + text.len());
    bytes.put_u8(TEXT);
    bytes.put_u16(u16::try_from(head.len()).expect("a head holds one name of at most 32 letters"));
    bytes.put_slice(&head);
    bytes.put_slice(text.as_bytes());
    bytes.freeze()
}

/// The bytes of a change of the directory.
pub(crate) fn record(record: &SignedRecord) -> Bytes {
    value(RECORD, record)
}

/// The bytes of a welcome.
pub(crate) fn welcome(shown: &[Shown]) -> Bytes {
    value(WELCOME, &shown)
}

fn value(kind: u8, value: &impl Serialize) -> Bytes {
    let value = codec::encode(value);
    let mut bytes = BytesMut::with_capacity(1 + value.len());
    bytes.put_u8(kind);
    bytes.put_slice(&value);
    bytes.freeze()
}
