//! What a causal multicast carries: a text, a change of the directory, or a welcome.
//!
//! One byte of kind. Behind that of a sealed text stands what [`crate::identity`] made of a text's bytes, kind and all. A record or a welcome then is one encoded value. A text, of which there are many, is laid out by hand:
//!
//! ```text
//! scope u8: 0 all, 1 direct, 2 a group, and then: length u8 | name
//! | sent_at i64 | stamp: micros i64, logical u32 (all big-endian) | the text in UTF-8, up to the end
//! ```
//!
//! A text that is said again has a kind of its own, and `incarnation u64 | clock u64` in front of all that: see [`TextHead::first`].

use std::collections::BTreeSet;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use bytestring::ByteString;
use causal::{Clock, MAX_CLOCK};
use serde::{Deserialize, Serialize};

use crate::clock;
use crate::codec::{self, Malformed, take};
use crate::hlc::Hlc;
use crate::name::Name;
use crate::record::SignedRecord;
use crate::{Incarnation, MessageId, PersonId, ProcessId};

const TEXT: u8 = 1;
const RECORD: u8 = 2;
const WELCOME: u8 = 3;
const SEALED: u8 = 4;
const TOMBSTONE: u8 = 5;
const VOID: u8 = 6;
const SEALED_FOR_SEVERAL: u8 = 7;
const TEXT_AGAIN: u8 = 8;

const ALL: u8 = 0;
const DIRECT: u8 = 1;
const GROUP: u8 = 2;

/// The most that a record or a welcome may take, in bytes.
const MAX_VALUE: usize = 1024 * 1024;

/// The conversation that a text belongs to, as its author spells it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Scope {
    All,
    Group(Name),
    /// Between the author and the people addressed: of a text the envelope says who they are.
    Direct,
    /// Between these people, its author among them, in a welcome or a request.
    People(BTreeSet<PersonId>),
}

/// What stands before a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TextHead {
    pub(crate) scope: Scope,
    /// The author's own clock, Unix time in microseconds: shown, never sorted by.
    pub(crate) sent_at: i64,
    /// What history is sorted by.
    pub(crate) hlc: Hlc,
    /// What the text was said as first, if it is said again: some people may have been shown that.
    pub(crate) first: Option<First>,
}

/// A message of an earlier incarnation of a text's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct First {
    pub(crate) incarnation: Incarnation,
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) clock: Clock,
}

impl First {
    /// Its id, where the author is this person.
    pub(crate) fn of(self, person: PersonId) -> MessageId {
        let Self { incarnation, clock } = self;
        MessageId { process: ProcessId { person, incarnation }, clock }
    }
}

impl From<MessageId> for First {
    fn from(id: MessageId) -> Self {
        Self { incarnation: id.process.incarnation, clock: id.clock }
    }
}

/// The first thing that a member says to a newcomer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Welcome {
    pub(crate) shown: Vec<Shown>,
    /// Who is gone for good: the tombstones were not addressed to the newcomer.
    pub(crate) gone: Vec<ProcessId>,
}

/// One conversation that a welcome speaks of: what its author has shown of it, and what he was told is missing, as the greatest
/// clock of each author.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    pub(crate) scope: Scope,
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) up_to: Vec<(ProcessId, u64)>,
    /// The newest, one by one, but for what the newcomer was addressed in: what came late, or never, to whomever he fetched the
    /// rest from, no clock would tell him of.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) newest: Vec<(ProcessId, Vec<u64>)>,
}

/// A body.
#[derive(Debug)]
pub(crate) enum Body {
    /// A text: [`read_text`] tells what it says.
    Text(TextHead),
    Record(Box<SignedRecord>),
    Welcome(Welcome),
    /// This process is gone for good.
    Tombstone(ProcessId),
    /// A text that only the person addressed can read, and its author.
    Sealed(Bytes),
    /// Its author took back what was to be said here before anybody got it: the clock is used, and says nothing.
    Void,
    /// A text that only the people addressed can read, and its author.
    SealedForSeveral(Bytes),
}

impl Body {
    /// # Errors
    /// [`Malformed`] for anything that [`text`], [`record`] or [`welcome`] would not have written.
    pub(crate) fn decode(mut bytes: Bytes) -> Result<Self, Malformed> {
        let (&kind, rest) = bytes.split_first().ok_or(Malformed::new("an empty body"))?;
        match kind {
            TEXT | TEXT_AGAIN => {
                let text = Parts::of(&bytes).ok_or(Malformed::new("a text with half a head"))?;
                let (scope, Parts { sent_at, hlc, first, .. }) = (Scope::read(text.scope)?, text);
                if !text.is_sound() {
                    return Err(Malformed::new("a text that is not UTF-8, or has a stamp that no clock makes"));
                }
                Ok(Self::Text(TextHead { scope, sent_at, hlc, first }))
            }
            RECORD => codec::decode(rest, MAX_VALUE).map(|record| Self::Record(Box::new(record))),
            WELCOME => codec::decode(rest, MAX_VALUE).map(Self::Welcome),
            TOMBSTONE => codec::decode(rest, MAX_VALUE).map(Self::Tombstone),
            SEALED => Ok(Self::Sealed(bytes.split_off(1))),
            VOID if rest.is_empty() => Ok(Self::Void),
            SEALED_FOR_SEVERAL => Ok(Self::SealedForSeveral(bytes.split_off(1))),
            _ => Err(Malformed::new("a body of an unknown kind")),
        }
    }
}

/// The bytes of a sealed text.
pub(crate) fn sealed(sealed: &[u8]) -> Bytes {
    [&[SEALED], sealed].concat().into()
}

/// The bytes of a text sealed for several people.
pub(crate) fn sealed_for_several(sealed: &[u8]) -> Bytes {
    [&[SEALED_FOR_SEVERAL], sealed].concat().into()
}

/// Whether these are the bytes of a welcome, which may have to wait before the causal order sees it.
pub(crate) fn is_welcome(bytes: &[u8]) -> bool {
    bytes.first() == Some(&WELCOME)
}

/// Whether these are the bytes of a sealed text, which the author and those it is addressed to can open.
pub(crate) fn is_sealed(bytes: &[u8]) -> bool {
    matches!(bytes.first(), Some(&(SEALED | SEALED_FOR_SEVERAL)))
}

/// When a text was written by its author's own clock, and what it says. Nothing for a body that is not a text.
pub(crate) fn read_text(mut bytes: Bytes) -> Option<(i64, ByteString)> {
    let Parts { sent_at, text, .. } = Parts::of(&bytes)?;
    let head_ends = bytes.len() - text.len();
    bytes.advance(head_ends);
    Some((sent_at, bytes.try_into().ok()?))
}

/// The parts of a text's bytes where they lie.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    /// The conversation as its author spells it, undecoded.
    pub(crate) scope: &'a [u8],
    pub(crate) sent_at: i64,
    pub(crate) hlc: Hlc,
    pub(crate) first: Option<First>,
    /// Not looked at: see [`is_sound`](Self::is_sound).
    pub(crate) text: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The parts of a body, if it is a text, or begins like one.
    pub(crate) fn of(body: &'a [u8]) -> Option<Self> {
        let (&kind, mut rest) = body.split_first()?;
        let first = match kind {
            TEXT => None,
            TEXT_AGAIN => {
                let incarnation = Incarnation(u64::from_be_bytes(*take(&mut rest)?));
                Some(First { incarnation, clock: u64::from_be_bytes(*take(&mut rest)?) })
            }
            _ => return None,
        };
        let scope = match rest {
            [GROUP, length, ..] => 2 + usize::from(*length),
            _ => 1,
        };
        let (scope, mut rest) = rest.split_at_checked(scope)?;
        let sent_at = i64::from_be_bytes(*take(&mut rest)?);
        let micros = i64::from_be_bytes(*take(&mut rest)?);
        let logical = u32::from_be_bytes(*take(&mut rest)?);
        Some(Self { scope, sent_at, hlc: Hlc { micros, logical }, first, text: rest })
    }

    /// Whether the text is one: UTF-8, with a stamp and clocks within bounds.
    pub(crate) fn is_sound(&self) -> bool {
        if !self.hlc.is_sound() || self.first.is_some_and(|first| first.clock > MAX_CLOCK) {
            return false;
        }
        // Most are ASCII, and short.
        let all = self.text.iter().fold(0, |all, byte| all | byte);
        all.is_ascii() || std::str::from_utf8(self.text).is_ok()
    }
}

impl Scope {
    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        match bytes {
            [ALL] => Ok(Self::All),
            [DIRECT] => Ok(Self::Direct),
            [GROUP, _, name @ ..] => {
                let name = std::str::from_utf8(name).ok().and_then(|name| Name::parse(name).ok());
                name.map(Self::Group).ok_or(Malformed::new("a group of no such name"))
            }
            _ => Err(Malformed::new("a text of an unknown scope")),
        }
    }
}

/// The bytes of a text.
pub(crate) fn text(head: &TextHead, text: &str) -> Bytes {
    const FIXED: usize = 1 + 1 + 8 + 8 + 4;
    let TextHead { scope, sent_at, hlc, first } = head;
    let mut bytes = BytesMut::with_capacity(FIXED + text.len());
    match first {
        None => bytes.put_u8(TEXT),
        Some(First { incarnation, clock }) => {
            bytes.put_u8(TEXT_AGAIN);
            bytes.put_u64(incarnation.0);
            bytes.put_u64(*clock);
        }
    }
    match scope {
        Scope::All => bytes.put_u8(ALL),
        Scope::Direct | Scope::People(_) => bytes.put_u8(DIRECT),
        Scope::Group(name) => {
            bytes.put_u8(GROUP);
            bytes.put_u8(u8::try_from(name.as_str().len()).expect("a name has at most 32 letters of 4 bytes"));
            bytes.put_slice(name.as_str().as_bytes());
        }
    }
    bytes.put_i64(*sent_at);
    bytes.put_i64(hlc.micros);
    bytes.put_u32(hlc.logical);
    bytes.put_slice(text.as_bytes());
    bytes.freeze()
}

/// The bytes of a change of the directory.
pub(crate) fn record(record: &SignedRecord) -> Bytes {
    value(RECORD, record)
}

/// The bytes of a welcome.
pub(crate) fn welcome(welcome: &Welcome) -> Bytes {
    value(WELCOME, welcome)
}

/// The bytes of a message that was taken back.
pub(crate) fn void() -> Bytes {
    Bytes::from_static(&[VOID])
}

/// The bytes of a tombstone.
pub(crate) fn tombstone(process: ProcessId) -> Bytes {
    value(TOMBSTONE, &process)
}

fn value(kind: u8, value: &impl Serialize) -> Bytes {
    let value = codec::encode(value);
    let mut bytes = BytesMut::with_capacity(1 + value.len());
    bytes.put_u8(kind);
    bytes.put_slice(&value);
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head() -> impl Strategy<Value = TextHead> {
        let group = "[a-zéß字]{1,32}".prop_filter_map("`all` is no group", |name| Name::parse(&name).ok());
        let scope = prop_oneof![Just(Scope::All), Just(Scope::Direct), group.prop_map(Scope::Group)];
        let first = prop::option::of((any::<u64>(), 0..=MAX_CLOCK));
        let first = first
            .prop_map(|first| first.map(|(incarnation, clock)| First { incarnation: Incarnation(incarnation), clock }));
        (scope, (any::<i64>(), 0..2 * crate::hlc::TIMES, any::<u32>()), first).prop_map(
            |(scope, (sent_at, micros, logical), first)| TextHead {
                scope,
                sent_at,
                hlc: Hlc { micros, logical },
                first,
            },
        )
    }

    proptest! {
        #[test]
        fn a_text_comes_back(head in head(), words in ".{0,80}") {
            let bytes = text(&head, &words);
            let Ok(Body::Text(read)) = Body::decode(bytes.clone()) else { panic!("{bytes:?}") };
            let (sent_at, text) = read_text(bytes).unwrap();
            prop_assert_eq!((sent_at, &*text), (head.sent_at, &*words));
            prop_assert_eq!(read, head);
        }

        #[test]
        fn a_stamp_that_no_clock_makes_is_refused(head in head(), beyond in prop_oneof![i64::MIN..0, 2 * crate::hlc::TIMES..]) {
            let head = TextHead { hlc: Hlc { micros: beyond, ..head.hlc }, ..head };
            prop_assert!(Body::decode(text(&head, "")).is_err());
        }

        #[test]
        fn half_a_head_is_refused(head in head(), cut in any::<prop::sample::Index>()) {
            let bytes = text(&head, "");
            prop_assert!(Body::decode(bytes.slice(..cut.index(bytes.len()))).is_err());
        }

        #[test]
        fn rubbish_is_refused_without_a_panic(
            kind in 0..9u8, scope in 0..4u8, rest in prop::collection::vec(any::<u8>(), 0..80)
        ) {
            let _ = Body::decode([&[kind, scope], &rest[..]].concat().into());
        }
    }

    #[test]
    fn a_text_is_refused_that_was_said_first_beyond_the_last_clock() {
        let head = |clock| TextHead {
            scope: Scope::All,
            sent_at: 0,
            hlc: Hlc::default(),
            first: Some(First { incarnation: Incarnation(1), clock }),
        };
        assert!(Body::decode(text(&head(MAX_CLOCK), "hi")).is_ok());
        assert!(Body::decode(text(&head(MAX_CLOCK + 1), "hi")).is_err());
    }

    #[test]
    fn no_welcome_is_read_that_has_a_clock_beyond_the_last() {
        let author = ProcessId { person: PersonId::new([1; 32]), incarnation: Incarnation(1) };
        let decode = |up_to, newest| {
            let shown = Shown { scope: Scope::All, up_to: vec![(author, up_to)], newest: vec![(author, vec![newest])] };
            Body::decode(welcome(&Welcome { shown: vec![shown], gone: Vec::new() }))
        };
        assert!(decode(MAX_CLOCK, MAX_CLOCK).is_ok());
        assert!(decode(MAX_CLOCK + 1, 1).is_err());
        assert!(decode(1, MAX_CLOCK + 1).is_err());
    }

    #[test]
    fn what_is_no_name_is_no_group() {
        let of = |name: &str| {
            let length = u8::try_from(name.len()).unwrap();
            Bytes::from([&[TEXT, GROUP, length], name.as_bytes(), &[0; 20]].concat())
        };
        assert!(Body::decode(of("cars")).is_ok());
        for name in ["", "two words", "all", "-h"] {
            assert!(Body::decode(of(name)).is_err(), "{name:?}");
        }
    }
}
