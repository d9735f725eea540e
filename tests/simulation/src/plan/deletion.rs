//! Deleting an account: which person does so, and when.

use std::time::Duration;

use crate::dice::Dice;

use super::Setting;

/// Seeds the dice that decide whether this happens.
const DELETION: u64 = 0xde1e_7ed0;

/// The steps of the peer and of the program that runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastStep {
    /// The peer hands over what was said.
    Leave,
    /// The peer tells the others.
    Tell,
    /// The process ends, and what it kept is removed.
    Go,
}

/// A person who deletes the account.
#[derive(Clone, Debug)]
pub struct Deletion {
    /// The person.
    pub who: usize,
    /// When, from the beginning of the run.
    pub at: Duration,
    /// The time between two steps.
    pub each: Duration,
}

impl Setting {
    /// In one run of seven, a person deletes the account before the network heals. Half of these people never return.
    /// The others do, with nothing but the key.
    pub(super) fn draw_deletion(&mut self, seed: u64) {
        let dice = &mut Dice::new(seed.rotate_left(48) ^ DELETION);
        let (comes, stays_away, who) = (dice.percent(15), dice.percent(50), dice.below(self.people));
        if !comes || self.doubled.is_some() || self.liar.as_ref().is_some_and(|(liar, _)| *liar == who) {
            return;
        }
        let at = dice.time(self.storm / 10, self.storm * 2 / 3);
        let each = dice.time(Duration::ZERO, self.storm / 8);
        self.deletion = Some(Deletion { who, at, each });
        if stays_away {
            self.gone = Some(who);
        }
    }
}
