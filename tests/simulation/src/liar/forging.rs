//! Changes to the bytes of a frame in place: other words, other names, other numbers. The liar finds these by what they
//! look like, so that little of the layout has to be known here. If it finds none, it leaves the frame as it is.

use bytes::Bytes;

use super::{Liar, Lie};

/// The bytes of a stamp: microseconds and a count.
const STAMP: usize = 12;
/// The times of stamps are below this.
const END: i64 = 1 << 53;

impl Liar {
    /// Changes what is handed on. It can still be read as before, but its author never signed it.
    pub(super) fn forge(&mut self, frame: &Bytes) -> Bytes {
        match self.dice.below(4) {
            0 | 1 if !words(frame).is_empty() => self.reword(Lie::Reworded, frame),
            0 | 2 => self.rename(frame),
            _ => self.garble(Lie::Damaged, frame),
        }
    }

    pub(super) fn garble(&mut self, lie: Lie, frame: &Bytes) -> Bytes {
        let mut bytes = frame.to_vec();
        let at = self.dice.below(bytes.len());
        bytes[at] ^= 1 << self.dice.below(8);
        self.count(lie);
        bytes.into()
    }

    /// Gives one of the texts another number. The simulator makes each text from a `t` and a number.
    pub(super) fn reword(&mut self, lie: Lie, frame: &Bytes) -> Bytes {
        let words = words(frame);
        if words.is_empty() {
            return frame.clone();
        }
        let digit = *self.dice.pick(&words) + 1;
        let mut bytes = frame.to_vec();
        bytes[digit] = if bytes[digit] == b'9' { b'0' } else { bytes[digit] + 1 };
        self.count(lie);
        bytes.into()
    }

    /// Gives the texts a time far off. The stamp of history is right before the words.
    pub(super) fn date(&mut self, frame: &Bytes, exhaust: bool) -> Bytes {
        let mut bytes = frame.to_vec();
        for word in words(frame).into_iter().filter(|&at| at >= STAMP) {
            let stamp = &mut bytes[word - STAMP..word];
            let (micros, logical) = match self.dice.below(8) {
                // The end of each range that stamps are in, and values outside.
                0 if exhaust => (END - 1, u32::MAX),
                1 if exhaust => (2 * END - 1, u32::MAX),
                2 => (-1, 0),
                3 => (2 * END, 0),
                4 => (i64::MAX, u32::MAX),
                5 => (END - 1, 0),
                6 => (0, 0),
                _ => (i64::try_from(self.dice.any() >> 11).expect("53 bits"), 7),
            };
            stamp[..8].copy_from_slice(&micros.to_be_bytes());
            stamp[8..].copy_from_slice(&u32::to_be_bytes(logical));
            self.count(Lie::Dated);
        }
        bytes.into()
    }

    /// Replaces a person's key by another one: the author's, or a destination's.
    fn rename(&mut self, frame: &Bytes) -> Bytes {
        let keys = self.keys(frame);
        if keys.is_empty() {
            return frame.clone();
        }
        let at = *self.dice.pick(&keys);
        let other = *self.dice.pick(&self.people);
        let mut bytes = frame.to_vec();
        bytes[at..at + 32].copy_from_slice(other.public_key());
        self.count(Lie::Renamed);
        bytes.into()
    }

    /// Makes the answer say that the text is due in half a million years, if it says nothing about that. That is the
    /// last byte of the answer.
    pub(super) fn promise(&mut self, frame: &Bytes) -> Bytes {
        let Some((0, before)) = frame.split_last() else { return frame.clone() };
        self.count(Lie::Promised);
        let due_ms: u64 = 1 << 54;
        [before, &[1, 253], &due_ms.to_le_bytes()].concat().into()
    }

    /// Claims to have come further than it has, or to have what others wrote. Small numbers take one byte.
    pub(super) fn boast(&mut self, frame: &Bytes) -> Bytes {
        if self.dice.percent(50) {
            return self.raise_behind_a_key(Lie::Pretended, frame);
        }
        self.raise(Lie::Boasted, frame, 2)
    }

    /// Names clocks that were never shown to it, after a process in a welcome.
    pub(super) fn misname(&mut self, frame: &Bytes) -> Bytes {
        self.raise_behind_a_key(Lie::Misnamed, frame)
    }

    /// Raises the number after a process: its key, and its incarnation as bincode writes a number.
    fn raise_behind_a_key(&mut self, lie: Lie, frame: &Bytes) -> Bytes {
        let keys = self.keys(frame);
        if keys.is_empty() {
            return frame.clone();
        }
        let incarnation = *self.dice.pick(&keys) + 32;
        let width = match frame.get(incarnation) {
            Some(251) => 3,
            Some(252) => 5,
            Some(253) => 9,
            _ => 1,
        };
        self.raise(lie, frame, incarnation + width)
    }

    fn raise(&mut self, lie: Lie, frame: &Bytes, at: usize) -> Bytes {
        let mut bytes = frame.to_vec();
        if let Some(number) = bytes.get_mut(at).filter(|number| **number < 200) {
            *number += u8::try_from(self.dice.between(1, 50)).expect("at most 50");
            self.count(lie);
        }
        bytes.into()
    }

    /// The places of people's keys in a frame.
    fn keys(&self, frame: &Bytes) -> Vec<usize> {
        let is_key = |window: &[u8]| self.people.iter().any(|person| person.public_key() == window);
        frame.windows(32).enumerate().filter(|(_, window)| is_key(window)).map(|(at, _)| at).collect()
    }
}

/// The places of the texts.
fn words(frame: &[u8]) -> Vec<usize> {
    let is_word = |at: &usize| frame[*at] == b't' && frame[*at + 1].is_ascii_digit();
    (2..frame.len().saturating_sub(1)).filter(is_word).collect()
}
