//! How frames lie on the stream of a link, and the batches in which they are handed over.
//!
//! A frame is a length (varint, of what follows), a kind (one byte) and a payload.

use std::fmt;

use bytes::{Buf, Bytes};
use tokio::sync::OwnedSemaphorePermit;

/// The most that the length of a frame takes: 5 groups of 7 bits hold 32 bits.
pub(crate) const MAX_VARINT: usize = 5;

/// Splits a length off the front: the value, and the bytes it took. `Ok(None)` when more bytes are needed.
pub(crate) fn read_varint(bytes: &[u8]) -> Result<Option<(u32, usize)>, BadVarint> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            return u32::try_from(value).map(|value| Some((value, i + 1))).map_err(|_| BadVarint);
        }
    }
    if bytes.len() < MAX_VARINT { Ok(None) } else { Err(BadVarint) }
}

/// A length of more than 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadVarint;

/// A batch of frames from one link, in order: an iterator of [`Bytes`].
///
/// Nothing is copied: every frame is a slice of the one buffer that was read. So a frame that is kept keeps the whole
/// batch (up to 64 KiB, or the size of one larger frame) in memory: copy out what is to stay.
///
/// While the batch lives, its bytes count against [`Limits::incoming`](crate::Limits::incoming) of its link; dropping
/// it gives them back.
pub struct Frames {
    /// Data frames only, each whole: whoever made this has checked it.
    checked: Bytes,
    count: usize,
    _credit: Option<OwnedSemaphorePermit>,
}

impl Iterator for Frames {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.count == 0 {
            return None;
        }
        let (length, prefix) = read_varint(&self.checked).ok().flatten().expect("a batch holds only whole frames");
        let mut frame = self.checked.split_to(prefix + length as usize);
        frame.advance(prefix + 1);
        self.count -= 1;
        Some(frame)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.count, Some(self.count))
    }
}

impl ExactSizeIterator for Frames {}

impl fmt::Debug for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Frames").field("count", &self.count).field("bytes", &self.checked.len()).finish_non_exhaustive()
    }
}
