//! Two copies of one data folder that both run: whose folder, and when.

use std::time::Duration;

use crate::dice::Dice;
use crate::disk::Kind;

use super::{SECOND, Setting, signed};

/// Seeds the dice that decide whether this happens.
const COPIES: u64 = 0xc0b1_c0b1;

/// What is done with the two copies, one step after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The peer is stopped and its folder is copied to another machine. Then a peer runs on each of the two.
    Copy,
    /// One of the two is stopped: the superseded one, if there is one.
    Stop,
    /// The copy that runs is stopped, and the other one is started.
    Swap,
}

/// The data folder that is copied.
#[derive(Clone, Debug)]
pub struct Doubled {
    /// The person.
    pub who: usize,
    /// When the folder is copied, from the beginning of the run.
    pub at: Duration,
    /// How often the two are started in different parts of the network, in percent.
    pub apart: usize,
    /// How far the wall clock of the second machine is off, in microseconds.
    pub skew: i64,
}

impl Setting {
    /// In one run of six whose stores can be copied, a data folder is copied. A run with a liar has trouble enough.
    pub(super) fn draw_copies(&mut self, seed: u64) {
        let dice = &mut Dice::new(seed.rotate_left(16) ^ COPIES);
        let comes = dice.percent(18);
        let who = dice.below(self.people);
        if !comes || self.stores == Kind::Memory || self.liar.as_ref().is_some_and(|(liar, _)| *liar == who) {
            return;
        }
        self.doubled = Some(Doubled {
            who,
            at: dice.time(self.storm / 10, self.storm * 2 / 3),
            apart: *dice.pick(&[0, 50, 90]),
            skew: signed(dice, 2 * SECOND),
        });
    }
}
