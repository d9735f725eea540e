//! The frames that wait to be written to one link.
//!
//! A short frame is copied to the end of one buffer as soon as it is queued. The writer then hands whole buffers to the
//! stream, as many frames at once as there are. A long frame is shared between the links instead of copied. In memory
//! there is no writer: the other side takes the pieces.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{
    DownReason, Room,
    frame::{Kind, write_frame, write_header},
};

/// The size at which a buffer is full and a new one begins: what one Noise message holds.
const BUFFER: usize = 64 << 10;

/// Frames of this size or more are shared, not copied. Below it, a copy is cheaper than one more piece to write.
const SHARE: usize = 16 << 10;

/// A piece to write.
#[derive(Debug)]
pub(crate) enum Piece {
    /// Whole frames, and the header of a long one.
    Copied(Vec<u8>),
    /// The payload of a long frame.
    Shared(Bytes),
}

impl Piece {
    /// Moves the piece to the end of a buffer. If the buffer is empty, nothing is copied.
    pub(crate) fn append_to(self, buffer: &mut BytesMut) {
        let bytes = match self {
            Self::Copied(bytes) => Bytes::from(bytes),
            Self::Shared(bytes) => bytes,
        };
        if buffer.is_empty() {
            *buffer = bytes.into();
        } else {
            buffer.extend_from_slice(&bytes);
        }
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// How a link is ended by this side.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    /// The last frame. Without one, the link ends at once.
    pub(crate) last: Option<Kind>,
    /// The last frame's text.
    pub(crate) text: String,
    /// What the user is told.
    pub(crate) reason: DownReason,
}

/// What the writer does next.
#[derive(Debug)]
pub(crate) enum Work {
    Write(Piece),
    /// Everything is written: send the last frame and close.
    Finish(Finish),
    /// The link is down. Nothing more comes.
    Gone,
}

/// The queue. Its lock is held while one frame is copied or one buffer is handed over, never across a wait.
#[derive(Debug)]
pub(crate) struct Outgoing {
    queue: Mutex<Queue>,
    /// There is something to write.
    work: Notify,
    /// The queue was full and is half empty again.
    writable: Notify,
    /// The link is to end.
    finishing: Notify,
    /// For how many tenths of [`Limits::dead`](crate::Limits::dead) nothing has come from the other side.
    quiet: AtomicU32,
    bound: usize,
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Piece>,
    /// The bytes that are queued or being written.
    bytes: usize,
    /// The user was told that it is full and waits for `writable`.
    full: bool,
    /// The user was told that the link is down, even if this crate still says something on it.
    is_down: bool,
    finish: Option<Finish>,
    finish_taken: bool,
    gone: bool,
    /// A buffer that was written and can be filled again.
    spare: Vec<u8>,
}

impl Outgoing {
    /// The reading side tells for how long nothing has come.
    pub(crate) fn is_quiet_for(&self, tenths: u32) {
        self.quiet.store(tenths, Ordering::Relaxed);
    }

    /// For how many tenths of the time after which a link is dead nothing has come.
    pub(crate) fn quiet(&self) -> u32 {
        self.quiet.load(Ordering::Relaxed)
    }

    /// `bound` is in bytes.
    pub(crate) fn new(bound: usize) -> Self {
        Self {
            queue: Mutex::default(),
            work: Notify::new(),
            writable: Notify::new(),
            finishing: Notify::new(),
            quiet: AtomicU32::new(0),
            bound,
        }
    }

    /// Queues a frame of the user. `None` if the link is going down.
    pub(crate) fn push(&self, frame: &Bytes) -> Option<Room> {
        let mut queue = self.queue.lock();
        if queue.gone || queue.has_ended() {
            return None;
        }
        if self.overrun(&mut queue) {
            return None;
        }
        let was_idle = queue.pieces.is_empty();
        if frame.len() < SHARE {
            queue.append(|tail| write_frame(Kind::Data, frame, tail));
        } else {
            queue.append(|tail| write_header(Kind::Data, frame.len(), tail));
            queue.bytes += frame.len();
            queue.pieces.push_back(Piece::Shared(frame.clone()));
        }
        let room = if queue.bytes >= self.bound {
            queue.full = true;
            Room::Full
        } else {
            Room::Plenty
        };
        drop(queue);
        if was_idle {
            self.work.notify_one();
        }
        Some(room)
    }

    /// Queues a frame of this crate itself, of at most some 64 KiB.
    pub(crate) fn push_control(&self, kind: Kind, payload: &[u8]) {
        let mut queue = self.queue.lock();
        if queue.gone || queue.finish.is_some() || self.overrun(&mut queue) {
            return;
        }
        queue.append(|tail| write_frame(kind, payload, tail));
        drop(queue);
        self.work.notify_one();
    }

    /// Ends the link if twice the bound is reached. Then the sender has not stopped when told to, or the other side
    /// asks and does not read.
    fn overrun(&self, queue: &mut Queue) -> bool {
        let overrun = queue.bytes >= self.bound.saturating_mul(2);
        if overrun {
            let text = "it does not read what it is sent".to_owned();
            self.finish_locked(queue, Finish { last: Some(Kind::Close), text, reason: DownReason::Overrun });
        }
        overrun
    }

    /// Ends the link: a goodbye or a refusal comes after what is queued, anything else at once. Only the first call
    /// counts.
    pub(crate) fn finish(&self, finish: Finish) {
        self.finish_locked(&mut self.queue.lock(), finish);
    }

    fn finish_locked(&self, queue: &mut Queue, finish: Finish) {
        if queue.gone || queue.finish.is_some() {
            return;
        }
        // A refusal must not drop the greeting before it: that tells the other side this peer's version of the
        // protocol.
        if !matches!(finish.last, Some(Kind::Goodbye | Kind::Refuse)) {
            // What is being written now stays in the count until it is written.
            queue.bytes -= queue.pieces.iter().map(|piece| piece.as_ref().len()).sum::<usize>();
            queue.pieces.clear();
        }
        queue.finish = Some(finish);
        self.work.notify_one();
        self.finishing.notify_one();
    }

    /// From here on the link is down for the user, though it does not end yet.
    pub(crate) fn take_down(&self) {
        self.queue.lock().is_down = true;
    }

    /// Tells the user something about the link, unless the user is told of its end, or is about to be. `tell` must not
    /// wait.
    pub(crate) fn unless_down(&self, tell: impl FnOnce()) {
        let queue = self.queue.lock();
        if !queue.has_ended() {
            tell();
        }
    }

    /// Whether the user is told of the link's end, or is about to be.
    pub(crate) fn is_down(&self) -> bool {
        self.queue.lock().has_ended()
    }

    /// Why this side ends the link, once it does.
    pub(crate) fn finish_reason(&self) -> Option<DownReason> {
        self.queue.lock().finish.as_ref().map(|finish| finish.reason.clone())
    }

    /// Waits until this side ends the link. Returns whether there is a last frame to send. For one waiter.
    pub(crate) async fn finishing(&self) -> bool {
        self.finishing.notified().await;
        self.queue.lock().finish.as_ref().is_some_and(|finish| finish.last.is_some())
    }

    /// Waits until a full queue has room again. For one waiter.
    pub(crate) async fn writable(&self) {
        self.writable.notified().await;
    }

    /// Waits for something to do. For one waiter.
    pub(crate) async fn work(&self) -> Work {
        loop {
            if let Some(work) = self.try_work() {
                return work;
            }
            self.work.notified().await;
        }
    }

    fn try_work(&self) -> Option<Work> {
        let mut queue = self.queue.lock();
        if let Some(piece) = queue.pieces.pop_front() {
            return Some(Work::Write(piece));
        }
        if queue.gone {
            return Some(Work::Gone);
        }
        if queue.finish_taken {
            return None;
        }
        let finish = queue.finish.clone()?;
        queue.finish_taken = true;
        Some(Work::Finish(finish))
    }

    /// A piece has been written. Keeps its buffer for the next one.
    pub(crate) fn written(&self, piece: Piece) {
        let bytes = piece.as_ref().len();
        let mut queue = self.queue.lock();
        if let Piece::Copied(mut buffer) = piece
            && buffer.capacity() > queue.spare.capacity()
        {
            buffer.clear();
            queue.spare = buffer;
        }
        drop(queue);
        self.taken(bytes);
    }

    /// This many bytes are on their way, so they no longer wait.
    pub(crate) fn taken(&self, bytes: usize) {
        let mut queue = self.queue.lock();
        queue.bytes -= bytes;
        if queue.full && queue.bytes < self.bound / 2 {
            queue.full = false;
            self.writable.notify_one();
        }
    }

    /// Nothing has been queued for a while. Frees the spare buffer: an idle link holds no more than it must.
    pub(crate) fn rest(&self) {
        self.queue.lock().spare = Vec::new();
    }

    /// The link is down. Nothing more is taken.
    pub(crate) fn gone(&self) {
        let mut queue = self.queue.lock();
        queue.gone = true;
        queue.pieces.clear();
        queue.spare = Vec::new();
        self.work.notify_one();
    }
}

impl Queue {
    /// Whether the link has ended for the user.
    fn has_ended(&self) -> bool {
        self.is_down || self.finish.is_some()
    }

    /// Appends to the last buffer, or to a new one if that is full or missing.
    fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Piece::Copied(tail)) = self.pieces.back_mut()
            && tail.len() < BUFFER
        {
            let before = tail.len();
            write(tail);
            self.bytes += tail.len() - before;
            return;
        }
        let mut tail = std::mem::take(&mut self.spare);
        write(&mut tail);
        self.bytes += tail.len();
        self.pieces.push_back(Piece::Copied(tail));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(outgoing: &Outgoing) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(Work::Write(piece)) = outgoing.try_work() {
            all.extend_from_slice(piece.as_ref());
            outgoing.written(piece);
        }
        all
    }

    #[test]
    fn short_and_long_frames_come_out_in_order() {
        let outgoing = Outgoing::new(1 << 20);
        let frames = [10, 5000, 20, 30, 100_000, 0].map(|size| Bytes::from(vec![size as u8; size]));
        let mut expected = Vec::new();
        for frame in &frames {
            assert_eq!(outgoing.push(frame), Some(Room::Plenty));
            write_frame(Kind::Data, frame, &mut expected);
        }
        assert_eq!(written(&outgoing), expected);
        assert_eq!(outgoing.queue.lock().bytes, 0);
    }

    #[test]
    fn reports_full_at_the_bound_and_writable_once_half_is_gone() {
        let outgoing = Outgoing::new(1000);
        let frame = Bytes::from(vec![0; 400]);
        assert_eq!(outgoing.push(&frame), Some(Room::Plenty));
        assert_eq!(outgoing.push(&frame), Some(Room::Plenty));
        assert_eq!(outgoing.push(&frame), Some(Room::Full));
        assert!(outgoing.queue.lock().full);
        written(&outgoing);
        assert!(!outgoing.queue.lock().full);
        assert_eq!(outgoing.push(&frame), Some(Room::Plenty));
    }

    #[test]
    fn a_sender_that_goes_on_past_twice_the_bound_loses_the_link() {
        let outgoing = Outgoing::new(1000);
        let frame = Bytes::from(vec![0; 400]);
        let taken = (0..100).filter(|_| outgoing.push(&frame).is_some()).count();
        assert_eq!(taken, 5);
        assert_eq!(outgoing.finish_reason(), Some(DownReason::Overrun));
        assert_eq!(outgoing.queue.lock().bytes, 0, "what waited is dropped");
    }

    #[test]
    fn answers_to_a_peer_that_does_not_read_are_bounded_too() {
        let outgoing = Outgoing::new(1000);
        for _ in 0..100 {
            outgoing.push_control(Kind::Introduce, &[0; 400]);
        }
        assert_eq!(outgoing.finish_reason(), Some(DownReason::Overrun));
    }

    #[test]
    fn a_link_that_is_down_for_the_user_still_sends_control_frames() {
        let outgoing = Outgoing::new(1000);
        let told = |outgoing: &Outgoing| {
            let mut told = false;
            outgoing.unless_down(|| told = true);
            told
        };
        assert!(told(&outgoing));
        outgoing.take_down();
        assert!(!told(&outgoing));
        assert_eq!(outgoing.push(&Bytes::new()), None);
        outgoing.push_control(Kind::Heartbeat, &[]);
        assert!(!written(&outgoing).is_empty());
    }

    #[test]
    fn in_memory_a_long_frame_goes_over_whole_and_a_short_one_without_a_copy() {
        let outgoing = Outgoing::new(1 << 20);
        let long = Bytes::from(vec![7; 2 * SHARE]);
        outgoing.push(&Bytes::from_static(b"short"));
        outgoing.push(&long);
        let mut expected = Vec::new();
        write_frame(Kind::Data, b"short", &mut expected);
        write_frame(Kind::Data, &long, &mut expected);
        let mut buffer = BytesMut::new();
        let Some(Work::Write(first)) = outgoing.try_work() else { panic!("something waits") };
        let held = first.as_ref().as_ptr();
        outgoing.taken(first.as_ref().len());
        first.append_to(&mut buffer);
        assert_eq!(buffer.as_ptr(), held);
        let Some(Work::Write(second)) = outgoing.try_work() else { panic!("something waits") };
        outgoing.taken(second.as_ref().len());
        second.append_to(&mut buffer);
        assert_eq!((&buffer[..], outgoing.queue.lock().bytes), (&expected[..], 0));
        outgoing.gone();
        assert!(matches!(outgoing.try_work(), Some(Work::Gone)));
    }

    #[test]
    fn a_goodbye_comes_after_queued_frames_and_a_close_replaces_them() {
        for (last, waits) in [(Kind::Goodbye, true), (Kind::Close, false)] {
            let outgoing = Outgoing::new(1000);
            outgoing.push(&Bytes::from_static(b"waits"));
            outgoing.finish(Finish { last: Some(last), text: String::new(), reason: DownReason::Shutdown });
            assert_eq!(outgoing.push(&Bytes::new()), None);
            assert_eq!(!written(&outgoing).is_empty(), waits);
        }
    }
}
