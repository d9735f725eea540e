//! The layout of a batch on a link: the author's fresh messages, signed together, less those addressed to others.
//!
//! ```text
//! signature 64 | count u8 | mask u64 (big-endian; bit i: message i is here) | hash 32 of each absent message
//! | for each present message: envelope in link form | body length u32 (big-endian) | body
//! ```
//! The author is the process at the other end of the link, so it is not named.

use bytes::{BufMut, Bytes, BytesMut};
use causal::wire::{Numbering, Table};
use causal::{Index, Limits};

use crate::ProcessId;
use crate::frame::BATCH;
use crate::identity::Signature;
use crate::kept::{Causal, Part, SignedBatch};

use super::BadFrame;

/// The frame of those messages of `batch` whose bits are set in `mask`.
pub(super) fn encode(batch: &SignedBatch, mask: u64, numbering: &mut Numbering, causal: &Causal) -> Bytes {
    batch.frame(mask, numbering.generation(), || lay_out(batch, mask, numbering, causal))
}

fn lay_out(batch: &SignedBatch, mask: u64, numbering: &mut Numbering, causal: &Causal) -> Bytes {
    let mut bytes = BytesMut::with_capacity(256);
    bytes.put_u8(BATCH);
    bytes.put_slice(&batch.signature().0);
    bytes.put_u8(u8::try_from(batch.len()).expect("a batch has at most 64 messages"));
    bytes.put_u64(mask);
    for index in (0..batch.len()).filter(|index| mask & (1 << index) == 0) {
        bytes.put_slice(&batch.hash(index, causal));
    }
    let mut envelope = Vec::with_capacity(64);
    for index in (0..batch.len()).filter(|index| mask & (1 << index) != 0) {
        let (stamp, body) = batch.message(index).expect("one's own batch is whole");
        envelope.clear();
        numbering.encode(stamp, &mut envelope);
        bytes.put_slice(&envelope);
        bytes.put_u32(u32::try_from(body.len()).expect("a body is far below 4 GiB"));
        bytes.put_slice(body);
    }
    bytes.freeze()
}

/// The batch that a frame holds, and which of its messages are here.
///
/// # Errors
/// [`BadFrame`] where the bytes are not what [`encode`] writes, or where a message is not `author`'s.
pub(super) fn decode(
    frame: &[u8],
    author: (Index, ProcessId),
    table: &mut Table,
    limits: &Limits,
) -> Result<(SignedBatch, u64), BadFrame> {
    const HEAD: usize = 64 + 1 + 8;
    // The messages are kept, and a frame is a piece of a buffer that holds many: without a copy each would keep it all.
    let mut bytes = Bytes::copy_from_slice(frame);
    let short = || BadFrame("a batch that ends too soon".to_owned());
    let head = bytes.get(..HEAD).ok_or_else(short)?;
    let signature = Signature(head[..64].try_into().expect("64 bytes"));
    let count = usize::from(head[64]);
    let mask = u64::from_be_bytes(head[65..HEAD].try_into().expect("8 bytes"));
    if count == 0 || count > 64 || mask == 0 || mask.checked_shr(head[64].into()).unwrap_or(0) != 0 {
        return Err(BadFrame("a batch whose mask does not fit its size".to_owned()));
    }
    let _ = bytes.split_to(HEAD);
    let mut absent = bytes.split_to_checked((count - mask.count_ones() as usize) * 32).ok_or_else(short)?;
    let mut parts = Vec::with_capacity(count);
    for index in 0..count {
        if mask & (1 << index) == 0 {
            parts.push(Part::Elsewhere(absent.split_to(32)[..].try_into().expect("32 bytes")));
            continue;
        }
        let mut rest = &bytes[..];
        let stamp = table.decode(&mut rest, limits).map_err(|error| BadFrame(error.to_string()))?;
        let length = rest.split_first_chunk::<4>().map(|(length, _)| u32::from_be_bytes(*length)).ok_or_else(short)?;
        let taken = bytes.len() - rest.len() + 4;
        let _ = bytes.split_to(taken);
        let body = bytes.split_to_checked(length as usize).ok_or_else(short)?;
        if stamp.sender != author.0 {
            return Err(BadFrame("a fresh message under somebody else's name".to_owned()));
        }
        parts.push(Part::Message(stamp, body));
    }
    if !bytes.is_empty() {
        return Err(BadFrame("a batch with something behind it".to_owned()));
    }
    Ok((SignedBatch::new(author.1, signature, parts), mask))
}

/// `Bytes::split_to` that refuses instead of panicking.
trait SplitToChecked: Sized {
    fn split_to_checked(&mut self, at: usize) -> Option<Self>;
}

impl SplitToChecked for Bytes {
    fn split_to_checked(&mut self, at: usize) -> Option<Self> {
        (at <= self.len()).then(|| self.split_to(at))
    }
}
