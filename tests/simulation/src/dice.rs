//! Chance, from a seed: `SplitMix64` (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014), which is
//! short, quick, and the same everywhere.

use std::time::Duration;

/// A stream of random choices. Equal seeds give equal streams.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// The stream of this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `sides`, which is not 0.
    pub fn below(&mut self, sides: usize) -> usize {
        let sides = sides as u64;
        usize::try_from(self.any() % sides).expect("less than a usize")
    }

    /// A number from `low` to `high`, including both.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// A time from `low` to `high`.
    pub fn time(&mut self, low: Duration, high: Duration) -> Duration {
        let span = u64::try_from((high - low).as_micros()).expect("a few hours");
        low + Duration::from_micros(self.any() % (span + 1))
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of them.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    /// The index of one of `weights`, chosen as often as its weight says. `None` if all are 0.
    pub fn weighted(&mut self, weights: &[u32]) -> Option<usize> {
        let total: u32 = weights.iter().sum();
        if total == 0 {
            return None;
        }
        let mut left = self.below(total as usize);
        weights.iter().position(|&weight| {
            let hit = left < weight as usize;
            left = left.wrapping_sub(weight as usize);
            hit
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_kept_and_seeds_repeat() {
        let mut dice = Dice::new(7);
        let mut seen = [0; 4];
        for _ in 0..10_000 {
            seen[dice.weighted(&[1, 0, 3, 6]).unwrap()] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((800..1200).contains(&seen[0]) && (2700..3300).contains(&seen[2]), "{seen:?}");
        assert_eq!(Dice::new(7).any(), Dice::new(7).any());
        assert_eq!(dice.weighted(&[0, 0]), None);
    }
}
