//! What travels on a link: one byte of kind, then the frame.
//!
//! Batches, the many, are laid out by hand (see [`crate::peer`]'s `batch_frame` module), fresh from their author or in a piece of
//! what is handed on (`piece`); everything else is one encoded value.

use bytes::{BufMut, Bytes, BytesMut};
use serde::{Deserialize, Serialize};

use crate::batch::Proof;
use crate::body::Scope;
use crate::codec::{self, Malformed};
use crate::hlc::Hlc;
use crate::parcel::Parcel;
use crate::record::SignedRecord;
use crate::{MessageId, ProcessId, clock};

/// Messages of the sender, fresh from it, signed together.
pub(crate) const BATCH: u8 = 1;
/// New numbers of the sender's ids and destination sets, before the first batch that uses them.
pub(crate) const NUMBERS: u8 = 2;
const CONTROL: u8 = 3;

/// The most that a control frame may take once decoded, in bytes: 4,096 records of 200 bytes fit.
const MAX_CONTROL: usize = 2 * 1024 * 1024;

/// What a process has delivered of one author: everything addressed to it up to `delivered`, but for the holes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Have {
    pub(crate) author: ProcessId,
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) delivered: u64,
    /// Ranges (from, to] that it has given up.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) holes: Vec<(u64, u64)>,
}

/// One message by itself with its proof: in a parcel, or to show somebody what he said himself. What is handed on in numbers goes
/// in pieces, batch by batch.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Handed {
    /// The canonical envelope.
    pub(crate) envelope: Vec<u8>,
    pub(crate) body: Vec<u8>,
    pub(crate) proof: Proof,
}

/// What a peer gives back to whom it greets, so that he sees whether his store was rolled back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Returned {
    /// His greatest greeting.
    pub(crate) greeting: Option<Bytes>,
    /// His newest message, if it goes further.
    pub(crate) newest: Option<Handed>,
}

/// Every frame but batches and numbers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Control {
    /// The first frame each way.
    Hello {
        /// Who greets and how far it has come, signed ([`crate::peer`]'s `greeting` module).
        greeting: Bytes,
        have: Vec<Have>,
        records: Vec<SignedRecord>,
        /// What the other side has of whoever is greeted.
        returned: Box<Returned>,
    },
    /// How far the sender has come by now, to be given back like the one in the first frame.
    Greeting { signed: Bytes },
    /// What changed of the have-vector, or all of it; the acknowledgement.
    Have {
        #[serde(deserialize_with = "clock::bounded")]
        clock: u64,
        have: Vec<Have>,
        /// Push again what is not acknowledged: it was refused by a limit.
        again: bool,
    },
    /// Asks for messages of one author that are addressed to the asker, clocks in (after, up_to].
    Pull {
        author: ProcessId,
        #[serde(deserialize_with = "clock::bounded")]
        after: u64,
        #[serde(deserialize_with = "clock::bounded")]
        up_to: u64,
    },
    /// Answers a pull, a piece at a time, in clock order.
    Pulled(Pulled),
    /// The sender has these parcels. There is no other offer until this one is answered.
    Carrying { offered: Vec<ParcelIds> },
    /// Answers an offer, and every piece of parcels: what of it is still wanted. Nothing wanted ends it.
    CarryWanted {
        wanted: Vec<ParcelIds>,
        /// Of what was offered and the answerer wrote himself: what the destination has.
        done: Vec<ParcelIds>,
    },
    /// A piece of what was wanted.
    Parcels { parcels: Vec<Parcel> },
    /// A newcomer asks for a piece of what a welcome named.
    HistoryWanted(HistoryWanted),
    /// A piece of history, newest first.
    History {
        request: u32,
        piece: Bytes,
        /// The sort key of the oldest message looked at, if there is more behind it.
        more: Option<(Hlc, MessageId)>,
        /// How much of what was asked for the answerer has been shown himself.
        shown: Shown,
    },
    /// The process that this goes to was forgotten: it is not addressed any more, and has to begin anew.
    Forgotten { process: ProcessId },
}

/// How much somebody has been shown of what he is asked for, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Shown {
    /// Not as far as he is asked, yet.
    Behind,
    /// That far, though some was not to be had when he fetched it himself.
    Lacking,
    /// That far, though he has given up some messages, which may belong to it.
    GivenUp,
    /// All of it.
    All,
}

/// See [`Control::Pulled`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pulled {
    pub(crate) author: ProcessId,
    /// As asked.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) after: u64,
    pub(crate) piece: Bytes,
    /// Everything that the answerer has up to here has been handed over.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) through: u64,
    /// As it was asked for.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) up_to: u64,
    /// From the author alone: the greatest clock it has used.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) clock: Option<u64>,
    /// From the author alone: the first message asked for is under `-delay` and due in so many milliseconds.
    pub(crate) due_ms: Option<u64>,
}

/// The parcels of one author for one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ParcelIds {
    pub(crate) author: ProcessId,
    pub(crate) to: ProcessId,
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) clocks: Vec<u64>,
}

/// See [`Control::HistoryWanted`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HistoryWanted {
    pub(crate) request: u32,
    pub(crate) scope: Scope,
    /// Clocks beyond these the asker has already.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) after: Vec<(ProcessId, u64)>,
    /// Nothing beyond these was named.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) up_to: Vec<(ProcessId, u64)>,
    /// These, too, whatever the clocks.
    #[serde(deserialize_with = "clock::bounded")]
    pub(crate) also: Vec<(ProcessId, Vec<u64>)>,
    /// Go on behind this message.
    pub(crate) before: Option<(Hlc, MessageId)>,
}

impl Control {
    pub(crate) fn encode(&self) -> Bytes {
        let value = codec::encode(self);
        let mut bytes = BytesMut::with_capacity(1 + value.len());
        bytes.put_u8(CONTROL);
        bytes.put_slice(&value);
        bytes.freeze()
    }
}

/// A frame as it came in.
pub(crate) enum Frame<'a> {
    Batch(&'a [u8]),
    Numbers(&'a [u8]),
    Control(Box<Control>),
}

impl<'a> Frame<'a> {
    /// # Errors
    /// [`Malformed`] for an empty frame, an unknown kind, or a control frame that does not decode to its last byte.
    pub(crate) fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        match bytes.first() {
            Some(&BATCH) => Ok(Self::Batch(&bytes[1..])),
            Some(&NUMBERS) => Ok(Self::Numbers(&bytes[1..])),
            Some(&CONTROL) => codec::decode(&bytes[1..], MAX_CONTROL).map(|control| Self::Control(Box::new(control))),
            Some(_) => Err(Malformed::new("a frame of an unknown kind")),
            None => Err(Malformed::new("an empty frame")),
        }
    }
}

#[cfg(test)]
mod tests {
    use causal::MAX_CLOCK;

    use super::*;
    use crate::{Incarnation, PersonId};

    /// Every control frame with a clock in it, once for each of its clocks.
    fn with_clock(clock: u64) -> Vec<Control> {
        let author = ProcessId { person: PersonId::new([1; 32]), incarnation: Incarnation(u64::MAX) };
        let have = |delivered, from, to| vec![Have { author, delivered, holes: vec![(from, to)] }];
        let pulled = |after, through, up_to, of_author| {
            let piece = Bytes::new();
            Control::Pulled(Pulled { author, after, piece, through, up_to, clock: of_author, due_ms: None })
        };
        let ids = || vec![ParcelIds { author, to: author, clocks: vec![1, clock] }];
        let nothing = HistoryWanted {
            request: 1,
            scope: Scope::All,
            after: Vec::new(),
            up_to: Vec::new(),
            also: Vec::new(),
            before: None,
        };
        let wanted = |change: &dyn Fn(&mut HistoryWanted)| {
            let mut wanted = nothing.clone();
            change(&mut wanted);
            Control::HistoryWanted(wanted)
        };
        let message = MessageId { process: author, clock };
        let parcel = Parcel { message, to: author, sealed: Bytes::new(), signature: crate::Signature([0; 64]) };
        let hello = |have| {
            let (records, returned) = (Vec::new(), Box::new(Returned::default()));
            Control::Hello { greeting: Bytes::new(), have, records, returned }
        };
        vec![
            hello(have(clock, 0, 1)),
            hello(have(0, clock, clock)),
            hello(have(0, 0, clock)),
            Control::Have { clock, have: Vec::new(), again: false },
            Control::Have { clock: 0, have: have(clock, 0, 1), again: false },
            Control::Pull { author, after: clock, up_to: 1 },
            Control::Pull { author, after: 1, up_to: clock },
            pulled(clock, 1, 1, None),
            pulled(1, clock, 1, None),
            pulled(1, 1, clock, None),
            pulled(1, 1, 1, Some(clock)),
            Control::Carrying { offered: ids() },
            Control::CarryWanted { wanted: ids(), done: Vec::new() },
            Control::CarryWanted { wanted: Vec::new(), done: ids() },
            Control::Parcels { parcels: vec![parcel] },
            wanted(&|wanted| wanted.after = vec![(author, clock)]),
            wanted(&|wanted| wanted.up_to = vec![(author, clock)]),
            wanted(&|wanted| wanted.also = vec![(author, vec![1, clock])]),
            wanted(&|wanted| wanted.before = Some((Hlc::default(), message))),
            Control::History {
                request: 1,
                piece: Bytes::new(),
                more: Some((Hlc::default(), message)),
                shown: Shown::All,
            },
        ]
    }

    #[test]
    fn no_control_frame_is_read_that_has_a_clock_beyond_the_last() {
        for control in with_clock(MAX_CLOCK) {
            assert!(Frame::decode(&control.encode()).is_ok(), "{control:?}");
        }
        for control in with_clock(MAX_CLOCK + 1).into_iter().chain(with_clock(u64::MAX)) {
            assert!(Frame::decode(&control.encode()).is_err(), "{control:?}");
        }
    }
}
