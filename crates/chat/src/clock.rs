//! Clocks as they are read from bytes: at most [`causal::MAX_CLOCK`], whatever a peer writes.
//!
//! Every field that holds clocks and is decoded names [`bounded`], if it came over a link, or [`kept`], if it comes from this peer's
//! own store, which an earlier version may have filled with whatever others wrote. So nothing behind a decoder has to think of
//! clocks that no message has.

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::ProcessId;

/// Something that holds clocks.
pub(crate) trait Clocks {
    /// Whether none of them is beyond the last.
    fn are_in_range(&self) -> bool;
}

impl Clocks for u64 {
    fn are_in_range(&self) -> bool {
        *self <= causal::MAX_CLOCK
    }
}

impl Clocks for (u64, u64) {
    fn are_in_range(&self) -> bool {
        self.0.are_in_range() && self.1.are_in_range()
    }
}

impl<T: Clocks> Clocks for (ProcessId, T) {
    fn are_in_range(&self) -> bool {
        self.1.are_in_range()
    }
}

impl<T: Clocks> Clocks for (u32, T) {
    fn are_in_range(&self) -> bool {
        self.1.are_in_range()
    }
}

impl<T: Clocks> Clocks for Option<T> {
    fn are_in_range(&self) -> bool {
        self.iter().all(T::are_in_range)
    }
}

impl<T: Clocks> Clocks for Vec<T> {
    fn are_in_range(&self) -> bool {
        self.iter().all(T::are_in_range)
    }
}

/// Clocks that a peer wrote.
///
/// # Errors
/// If one is beyond the last: nobody honest writes it.
pub(crate) fn bounded<'de, D: Deserializer<'de>, T: Deserialize<'de> + Clocks>(from: D) -> Result<T, D::Error> {
    let clocks = T::deserialize(from)?;
    if clocks.are_in_range() { Ok(clocks) } else { Err(D::Error::custom("a clock beyond the last")) }
}

/// Clocks that this peer kept, less those beyond the last.
pub(crate) fn kept<'de, D: Deserializer<'de>, T: Deserialize<'de> + Clocks>(from: D) -> Result<Vec<T>, D::Error> {
    let mut clocks = Vec::<T>::deserialize(from)?;
    clocks.retain(T::are_in_range);
    Ok(clocks)
}
