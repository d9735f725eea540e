//! Jitter for the state machines: reproducible from a seed, and not fit for secrets.

use std::time::Duration;

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A duration in `from..=to`.
    pub(crate) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        let share = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        from + to.saturating_sub(from).mul_f64(share)
    }

    /// The pause after `failures` failures in a row: it doubles from `least` to `greatest`, then is cut by up to a half
    /// at random.
    pub(crate) fn backoff(&mut self, failures: u32, (least, greatest): (Duration, Duration)) -> Duration {
        let pause = least.saturating_mul(1u32.checked_shl(failures).unwrap_or(u32::MAX)).min(greatest);
        self.between(pause / 2, pause)
    }
}

/// Spreads a number over all 64 bits, the same on every machine.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
