use std::fmt;

/// What it costs to try one passphrase: the parameters of argon2id (RFC 9106).
///
/// Each sealed key holds its parameters, so they can be raised later. A file may come from anywhere, so they are
/// bounded: opening one takes at most 256 MiB and ten passes over it, a few seconds.
///
/// ```
/// use account::Cost;
///
/// let cost = Cost::new(19 * 1024, 2, 1)?;
/// assert_eq!(cost.memory_kib(), 19 * 1024);
/// assert!(Cost::new(4_000_000, 1, 1).is_err());
/// # Ok::<(), account::BadCost>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// The cost of a passphrase is out of bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "argon2id with {memory_kib} KiB, {passes} passes and {lanes} lanes is out of bounds (8 KiB for each lane to {} KiB, 1 to {} passes, 1 to {} lanes)",
    Cost::MAX_MEMORY_KIB,
    Cost::MAX_PASSES,
    Cost::MAX_LANES
)]
pub struct BadCost {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The most memory, in KiB.
    pub const MAX_MEMORY_KIB: u32 = 256 * 1024;
    /// The most passes.
    pub const MAX_PASSES: u32 = 10;
    /// The most lanes. They are filled one after the other.
    pub const MAX_LANES: u32 = 4;

    /// `memory_kib` KiB filled `passes` times, in `lanes` parts.
    ///
    /// # Errors
    /// [`BadCost`] outside the bounds: 8 KiB for each lane to [`MAX_MEMORY_KIB`](Self::MAX_MEMORY_KIB), 1 to
    /// [`MAX_PASSES`](Self::MAX_PASSES) passes, 1 to [`MAX_LANES`](Self::MAX_LANES) lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, BadCost> {
        let fits = (1..=Self::MAX_LANES).contains(&lanes)
            && (1..=Self::MAX_PASSES).contains(&passes)
            && (8 * lanes..=Self::MAX_MEMORY_KIB).contains(&memory_kib);
        if fits { Ok(Self { memory_kib, passes, lanes }) } else { Err(BadCost { memory_kib, passes, lanes }) }
    }

    /// Memory in KiB.
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    pub(crate) fn params(self) -> argon2::Params {
        argon2::Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .expect("the bounds lie within those of argon2")
    }

    /// Reads a cost as `Display` writes it. Other spellings of the numbers are accepted too: the caller compares.
    pub(crate) fn parse(text: &str) -> Option<Result<Self, BadCost>> {
        let mut numbers = text.split(' ');
        let mut number = |key| numbers.next()?.strip_prefix(key)?.parse().ok();
        let (memory_kib, passes, lanes) = (number("memory=")?, number("passes=")?, number("lanes=")?);
        numbers.next().is_none().then(|| Self::new(memory_kib, passes, lanes))
    }
}

/// 64 MiB and three passes, as RFC 9106 recommends if memory is short. There is one lane, because lanes are filled one
/// after the other: more lanes would only help attackers that guess on many processors.
impl Default for Cost {
    fn default() -> Self {
        Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "memory={} passes={} lanes={}", self.memory_kib, self.passes, self.lanes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_bounded_at_both_ends() {
        for (memory, passes, lanes) in [(8, 1, 1), (32, 1, 4), (Cost::MAX_MEMORY_KIB, 10, 4)] {
            Cost::new(memory, passes, lanes).unwrap().params();
        }
        let absurd = [
            (7, 1, 1),
            (31, 1, 4),
            (Cost::MAX_MEMORY_KIB + 1, 1, 1),
            (u32::MAX, 1, 1),
            (64, 0, 1),
            (64, 11, 1),
            (64, u32::MAX, 1),
            (64, 1, 0),
            (64, 1, 5),
            (64, 1, u32::MAX),
        ];
        for (memory, passes, lanes) in absurd {
            assert!(Cost::new(memory, passes, lanes).is_err(), "{memory} {passes} {lanes}");
        }
    }

    #[test]
    fn a_cost_is_read_as_it_is_written() {
        let cost = Cost::default();
        assert_eq!(Cost::parse(&cost.to_string()), Some(Ok(cost)));
        for other in ["", "memory=64", "memory=64 passes=1 lanes=1 more=1", "memory=64 passes=-1 lanes=1", "64 1 1"] {
            assert_eq!(Cost::parse(other), None, "{other}");
        }
    }
}
