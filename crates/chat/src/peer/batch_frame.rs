//! The layout of a batch on a link: the author's fresh messages, signed together, less those addressed to others.
//!
//! ```text
//! signature 64 | count u8 | mask u64 (big-endian; bit i: message i is here)
//! | follows u64 (likewise: message i is here, and follows the one before it, which is here too)
//! | hash 32 of each absent message
//! | for each present message: envelope in link form, unless it follows | body length u32 (big-endian) | body
//! ```
//! What follows has the stamp of the one before, a clock further, and depends on that one alone.
//!
//! On a link the author is the process at the other end; in a piece of what is handed on the stamps tell.

use bytes::{BufMut, Bytes, BytesMut};
use causal::wire::{Numbering, Table};
use causal::{Clock, Index, Limits, MAX_CLOCK, Roster};

use crate::ProcessId;
use crate::batch::{Hash, MAX_LEAVES};
use crate::codec::take;
use crate::frame::BATCH;
use crate::identity::Signature;
use crate::kept::{Causal, Leaf, SignedBatch};

use super::BadFrame;

/// What the hash of an absent message takes, in bytes.
pub(super) const HASH: usize = size_of::<Hash>();

/// What a batch of so many messages takes while none of them is here, in bytes.
pub(super) const fn bytes_without_messages(count: usize) -> usize {
    64 + 1 + 8 + 8 + count * HASH
}

/// The frame of those messages of `batch` whose bits are set in `mask`.
pub(super) fn encode(batch: &SignedBatch, mask: u64, numbering: &mut Numbering, causal: &Causal) -> Bytes {
    batch.frame(mask, numbering.generation(), || {
        const FIXED: usize = 1 + 64 + 1 + 8 + 8;
        const STAMP: usize = 192;
        let lengths = size_of::<u32>() * batch.len();
        let mut bytes = BytesMut::with_capacity(FIXED + STAMP + lengths + batch.bytes_of_bodies());
        bytes.put_u8(BATCH);
        lay_out(batch, mask, numbering, causal, &mut bytes);
        bytes.freeze()
    })
}

/// Appends those messages of `batch` whose bits are set in `mask`, which are here.
pub(super) fn lay_out(
    batch: &SignedBatch,
    mask: u64,
    numbering: &mut Numbering,
    causal: &Causal,
    bytes: &mut BytesMut,
) {
    bytes.put_slice(&batch.signature().0);
    bytes.put_u8(u8::try_from(batch.len()).expect("a batch has at most 64 messages"));
    bytes.put_u64(mask);
    let is_here = |index: usize| mask & (1 << index) != 0;
    let follows = |index: usize| batch.follows(index) && is_here(index - 1);
    bytes.put_u64((0..batch.len()).filter(|&i| is_here(i) && follows(i)).fold(0, |bits, index| bits | 1 << index));
    for index in (0..batch.len()).filter(|index| mask & (1 << index) == 0) {
        bytes.put_slice(&batch.hashes(causal)[index]);
    }
    let mut envelope = Vec::with_capacity(64);
    for index in (0..batch.len()).filter(|index| mask & (1 << index) != 0) {
        let body = batch.body_of(index).expect("what is in the mask is here");
        if !follows(index) {
            let (stamp, _) = batch.message(index).expect("what is in the mask is here");
            envelope.clear();
            numbering.encode(stamp, &mut envelope);
            bytes.put_slice(&envelope);
        }
        bytes.put_u32(u32::try_from(body.len()).expect("a body is far below 4 GiB"));
        bytes.put_slice(body);
    }
}

/// The batch that these bytes hold, by `author` or, if it is not known who that is, by whoever the stamps name.
///
/// # Errors
/// [`BadFrame`] where the bytes are not what [`lay_out`] writes, or where a message is somebody else's.
pub(super) fn decode(
    frame: &[u8],
    author: Option<Index>,
    table: &Table,
    limits: &Limits,
    roster: &Roster<ProcessId>,
) -> Result<SignedBatch, BadFrame> {
    // The messages are kept, and a frame is a piece of a buffer that holds many: without a copy each would keep it all.
    let frame = Bytes::copy_from_slice(frame);
    let short = || BadFrame("a batch that ends too soon".to_owned());
    let mut rest = &frame[..];
    let signature = Signature(*take(&mut rest).ok_or_else(short)?);
    let [count] = *take(&mut rest).ok_or_else(short)?;
    let mask = u64::from_be_bytes(*take(&mut rest).ok_or_else(short)?);
    let follows = u64::from_be_bytes(*take(&mut rest).ok_or_else(short)?);
    // What follows is here, and so is the one before it.
    if follows & !(mask & mask << 1) != 0 {
        return Err(BadFrame("a message that follows none".to_owned()));
    }
    if count == 0 || count > 64 || mask == 0 || mask.checked_shr(count.into()).unwrap_or(0) != 0 {
        return Err(BadFrame("a batch whose mask does not fit its size".to_owned()));
    }
    let count = usize::from(count);
    let absent = count - mask.count_ones() as usize;
    let (absent, mut rest) = rest.split_at_checked(absent * HASH).ok_or_else(short)?;
    let mut absent = absent.as_chunks().0.iter();
    let mut leaves = Vec::with_capacity(count);
    let (mut first, mut author) = (0, author);
    for index in 0..count {
        if mask & (1 << index) == 0 {
            leaves.push(Leaf::elsewhere(*absent.next().expect("as many as the mask leaves out")));
            continue;
        }
        let stamp = match follows & (1 << index) {
            0 => Some(table.decode(&mut rest, limits).map_err(|error| BadFrame(error.to_string()))?),
            _ => None,
        };
        if let Some(stamp) = &stamp {
            first = index;
            // So is every clock behind it within bounds.
            if *author.get_or_insert(stamp.sender) != stamp.sender || stamp.clock > MAX_CLOCK - MAX_LEAVES as Clock {
                return Err(BadFrame("a message under somebody else's name, or beyond the last clock".to_owned()));
            }
        }
        let length = u32::from_be_bytes(*take(&mut rest).ok_or_else(short)?);
        let start = frame.len() - rest.len();
        let (body, behind) = rest.split_at_checked(length as usize).ok_or_else(short)?;
        rest = behind;
        let body = start..start + body.len();
        leaves.push(match stamp {
            Some(stamp) => Leaf::here(stamp, body),
            None => Leaf::follows(first, body),
        });
    }
    if !rest.is_empty() {
        return Err(BadFrame("a batch with something behind it".to_owned()));
    }
    let author = author.expect("some message is here, and the first of those has a stamp");
    Ok(SignedBatch::new(*roster.id(author), signature, leaves, frame))
}
