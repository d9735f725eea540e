//! How frames lie on the stream of a link, and in which batches they are handed over.
//!
//! A frame is a length (a varint that counts the rest), a kind (one byte) and a payload.

use std::fmt;

use bytes::{Buf, Bytes, BytesMut};
use tokio::sync::OwnedSemaphorePermit;

/// The most bytes that a frame's length takes: 5 groups of 7 bits hold 32 bits.
const MAX_VARINT: usize = 5;

/// The longest payload of a frame that is not data. A full list of introductions fits.
pub(crate) const MAX_CONTROL: usize = 64 << 10;

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The first frame in both directions.
    Greeting = 0,
    /// This connection is the one that stays. Sent by the side that dials by the tie-break's numbers.
    Accept = 1,
    /// A frame of the user.
    Data = 2,
    /// A sign of life.
    Heartbeat = 3,
    /// Peers that the sender has links to.
    Introduce = 4,
    /// A digest of the peers that the sender has links to.
    Digest = 5,
    /// The last frame of a peer that quits.
    Goodbye = 6,
    /// The last frame before the sender closes a link that was up. It holds the reason.
    Close = 7,
    /// The last frame before the sender closes a link that will not come up. It holds the reason.
    Refuse = 8,
    /// The last frame before the sender closes a connection because another one to the same peer stays.
    Duplicate = 9,
    /// The last frame before the sender closes a link so that it comes up anew. It holds the reason. Neither side is to
    /// blame.
    Renew = 10,
    /// A question about an older start of a peer.
    Elsewhere = 11,
    /// The proof that a newer start of a peer runs. It may come before the greeting: this is how a peer that is not let
    /// in learns of it.
    Supersedes = 12,
}

impl Kind {
    /// Whether nothing follows a frame of this kind.
    pub(crate) fn is_last(self) -> bool {
        match self {
            Self::Goodbye | Self::Close | Self::Refuse | Self::Duplicate | Self::Renew => true,
            Self::Greeting
            | Self::Accept
            | Self::Data
            | Self::Heartbeat
            | Self::Introduce
            | Self::Digest
            | Self::Elsewhere
            | Self::Supersedes => false,
        }
    }

    /// Whether a frame of this kind may come before the greeting.
    pub(crate) fn may_come_first(self) -> bool {
        self.is_last() || self == Self::Supersedes
    }

    fn from_byte(byte: u8) -> Option<Self> {
        const KINDS: [Kind; 13] = [
            Kind::Greeting,
            Kind::Accept,
            Kind::Data,
            Kind::Heartbeat,
            Kind::Introduce,
            Kind::Digest,
            Kind::Goodbye,
            Kind::Close,
            Kind::Refuse,
            Kind::Duplicate,
            Kind::Renew,
            Kind::Elsewhere,
            Kind::Supersedes,
        ];
        KINDS.get(usize::from(byte)).copied()
    }
}

/// Appends a whole frame.
pub(crate) fn write_frame(kind: Kind, payload: &[u8], out: &mut Vec<u8>) {
    write_header(kind, payload.len(), out);
    out.extend_from_slice(payload);
}

/// Appends what comes before the payload.
pub(crate) fn write_header(kind: Kind, payload: usize, out: &mut Vec<u8>) {
    let mut length = payload + 1;
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.push(kind as u8);
}

/// A frame that the protocol does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFrame {
    #[error("a length that is none")]
    Length,
    #[error("a frame of {0} bytes, more than allowed")]
    Oversized(u32),
    #[error("a frame of unknown kind {0}")]
    Kind(u8),
}

/// The front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    kind: Kind,
    /// Bytes before the payload.
    prefix: usize,
    /// Bytes in all.
    total: usize,
}

/// Reads a header. `None` if more bytes are needed. A frame that is too long is refused before any of it is waited for.
fn read_header(bytes: &[u8], max_data: usize) -> Result<Option<Header>, BadFrame> {
    let Some((length, varint)) = read_varint(bytes)? else { return Ok(None) };
    if length == 0 {
        return Err(BadFrame::Length);
    }
    if length as usize > max_data.max(MAX_CONTROL) + 1 {
        return Err(BadFrame::Oversized(length));
    }
    let Some(&byte) = bytes.get(varint) else { return Ok(None) };
    let kind = Kind::from_byte(byte).ok_or(BadFrame::Kind(byte))?;
    let most = if kind == Kind::Data { max_data } else { MAX_CONTROL };
    if length as usize > most + 1 {
        return Err(BadFrame::Oversized(length));
    }
    Ok(Some(Header { kind, prefix: varint + 1, total: varint + length as usize }))
}

fn read_varint(bytes: &[u8]) -> Result<Option<(u32, usize)>, BadFrame> {
    let mut value = 0u64;
    for (i, byte) in bytes.iter().take(MAX_VARINT).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).map_err(|_| BadFrame::Length)?;
            return Ok(Some((value, i + 1)));
        }
    }
    if bytes.len() < MAX_VARINT { Ok(None) } else { Err(BadFrame::Length) }
}

/// What [`split`] found at the front of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Split {
    /// Whole data frames, one after the other.
    Data { checked: Bytes, count: usize },
    /// One whole frame of another kind.
    Control { kind: Kind, payload: Bytes },
    /// Nothing whole yet.
    Nothing,
}

/// Takes the next run of data frames, or the next other frame, off the front of the buffer.
pub(crate) fn split(buffer: &mut BytesMut, max_data: usize) -> Result<Split, BadFrame> {
    let mut end = 0;
    let mut count = 0;
    // An error behind good frames shows again on the next call, when it is at the front.
    while let Ok(Some(header)) = read_header(&buffer[end..], max_data)
        && header.kind == Kind::Data
        && buffer.len() - end >= header.total
    {
        end += header.total;
        count += 1;
    }
    if count > 0 {
        return Ok(Split::Data { checked: buffer.split_to(end).freeze(), count });
    }
    match read_header(buffer, max_data)? {
        Some(header) if buffer.len() >= header.total => {
            let mut payload = buffer.split_to(header.total).freeze();
            payload.advance(header.prefix);
            Ok(Split::Control { kind: header.kind, payload })
        }
        Some(_) | None => Ok(Split::Nothing),
    }
}

/// A batch of frames from one link, in order: an iterator of [`Bytes`].
///
/// Nothing is copied: every frame is a slice of the one buffer that was read. So a frame that is kept holds the whole
/// buffer (up to 64 KiB, or the size of one larger frame) in memory. Copy out what is to stay.
///
/// While the batch lives, its bytes count against [`Limits::incoming`](crate::Limits::incoming) of its link. Dropping
/// the batch gives them back.
pub struct Frames {
    /// Data frames only, each whole: `split` has checked them.
    checked: Bytes,
    count: usize,
    _credit: OwnedSemaphorePermit,
}

impl Frames {
    /// Wraps a checked run of data frames.
    pub(crate) fn new(checked: Bytes, count: usize, credit: OwnedSemaphorePermit) -> Self {
        Self { checked, count, _credit: credit }
    }
}

impl Iterator for Frames {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.count == 0 {
            return None;
        }
        let (length, varint) = read_varint(&self.checked).ok().flatten().expect("a batch holds only whole frames");
        let mut frame = self.checked.split_to(varint + length as usize);
        frame.advance(varint + 1);
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use tokio::sync::Semaphore;

    use super::*;

    const MAX: usize = 100_000;

    #[test]
    fn refuses_a_frame_that_is_too_long_by_its_header_alone() {
        let mut header = Vec::new();
        write_header(Kind::Data, MAX + 1, &mut header);
        assert_eq!(split(&mut BytesMut::from(&header[..]), MAX), Err(BadFrame::Oversized(MAX as u32 + 2)));
        header.clear();
        write_header(Kind::Introduce, MAX_CONTROL + 1, &mut header);
        assert!(matches!(split(&mut BytesMut::from(&header[..]), MAX), Err(BadFrame::Oversized(_))));
    }

    #[test]
    fn refuses_invalid_lengths_and_unknown_kinds() {
        for bad in [&[0u8][..], &[0xff; 5], &[0xff, 0xff, 0xff, 0xff, 0x7f]] {
            assert_eq!(split(&mut BytesMut::from(bad), MAX), Err(BadFrame::Length));
        }
        assert_eq!(split(&mut BytesMut::from(&[1, 200][..]), MAX), Err(BadFrame::Kind(200)));
    }

    #[test]
    fn good_frames_before_a_bad_one_are_handed_over() {
        let mut bytes = Vec::new();
        write_frame(Kind::Data, b"good", &mut bytes);
        bytes.push(0);
        let mut buffer = BytesMut::from(&bytes[..]);
        assert!(matches!(split(&mut buffer, MAX), Ok(Split::Data { count: 1, .. })));
        assert_eq!(split(&mut buffer, MAX), Err(BadFrame::Length));
    }

    proptest! {
        /// However the bytes are cut into reads, the same frames come out as went in.
        #[test]
        fn frames_survive_any_cut(
            frames in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), 0..20),
            reads in prop::collection::vec(1usize..200, 1..10),
        ) {
            let mut bytes = Vec::new();
            for (data, payload) in &frames {
                write_frame(if *data { Kind::Data } else { Kind::Heartbeat }, payload, &mut bytes);
            }
            let credit = Arc::new(Semaphore::new(1));
            let mut got = Vec::new();
            let (mut buffer, mut rest, mut reads) = (BytesMut::new(), &bytes[..], reads.iter().cycle());
            while !rest.is_empty() {
                let (read, left) = rest.split_at((*reads.next().unwrap()).min(rest.len()));
                buffer.extend_from_slice(read);
                rest = left;
                loop {
                    match split(&mut buffer, MAX).unwrap() {
                        Split::Data { checked, count } => {
                            let credit = credit.clone().try_acquire_owned().unwrap();
                            let batch = Frames::new(checked, count, credit);
                            prop_assert_eq!(batch.len(), count);
                            got.extend(batch.map(|frame| (true, frame.to_vec())));
                        }
                        Split::Control { payload, .. } => got.push((false, payload.to_vec())),
                        Split::Nothing => break,
                    }
                }
            }
            prop_assert!(buffer.is_empty());
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn rubbish_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Split::Data { .. } | Split::Control { .. }) = split(&mut buffer, MAX) {}
        }
    }
}
