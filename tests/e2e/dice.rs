//! Chance that can be repeated.

use std::time::SystemTime;

/// A small generator of pseudo-random numbers (splitmix64): a run is repeated with `CAUSERIE_SEED`.
pub(crate) struct Dice {
    /// What it began with.
    pub(crate) seed: u64,
    state: u64,
}

impl Dice {
    pub(crate) fn new() -> Self {
        let given = std::env::var("CAUSERIE_SEED").ok().and_then(|text| text.parse().ok());
        let seed = given.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.map_or(0, |now| now.as_micros() as u64 % 1_000_000)
        });
        Self { seed, state: seed }
    }

    pub(crate) fn below(&mut self, sides: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}
