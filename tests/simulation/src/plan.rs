//! What a run is made of: how many people, what kind of network, what may go wrong, and what is done when. All of it is
//! drawn from the seed, so that most runs are small and gentle in some respect: a fault is easier to find if little
//! else happens.

mod action;
mod deletion;
mod doubled;

use std::time::Duration;

use chat::Config;

use crate::dice::Dice;
use crate::disk::Kind;
use crate::liar::Habits;

pub use action::{Action, Boundary, Disk, To};
pub use deletion::{Deletion, LastStep};
pub use doubled::{Doubled, Step};

/// How often each kind of action is drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weights {
    say: u32,
    groups: u32,
    cut: u32,
    block: u32,
    slow: u32,
    mend: u32,
    crash: u32,
    goodbye: u32,
    start: u32,
    lose: u32,
    copy: u32,
    jump: u32,
    forget: u32,
    fill: u32,
    later: u32,
    cancel: u32,
}

/// Everything that is decided before a run begins.
#[derive(Clone, Debug)]
pub struct Setting {
    /// How many people there are.
    pub people: usize,
    /// How far each one's wall clock is off, in microseconds.
    pub skews: Vec<i64>,
    /// When clocks that are more than a day off are put right, if they are.
    pub righted: Option<Duration>,
    /// Limits and intervals of all peers.
    pub config: Config,
    /// How long things go on before the network heals.
    pub storm: Duration,
    /// The mean time between two actions.
    pub pace: Duration,
    /// The greatest delay of an ordinary frame.
    pub delay: Duration,
    /// How many frames a link holds before it is full.
    pub room: usize,
    /// How likely each action is.
    pub weights: Weights,
    /// The person who lies, and how, if one does.
    pub liar: Option<(usize, Habits)>,
    /// Whether a liar promises what it is asked for, each time anew.
    pub promises: bool,
    /// The person who stays away for good at the end, if they are away then.
    pub gone: Option<usize>,
    /// The kind of the stores.
    pub stores: Kind,
    /// The person whose data folder is copied, so that two copies of it run, if there is one.
    pub doubled: Option<Doubled>,
    /// Which person deletes the account, if one does.
    pub deletion: Option<Deletion>,
}

/// The groups that there may be.
pub const GROUPS: [&str; 3] = ["cars", "tea", "news"];

/// Seeds the dice that decide what goes out later, and whether a liar promises it.
const LATER: u64 = 0x1a7e_1a7e;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
const YEAR: i64 = 365 * DAY;

/// Unix time in microseconds when a run begins.
pub const EPOCH: i64 = 1_800_000_000 * SECOND;

/// Offsets of clocks that are too wrong to be believed: set wrong by a day or by a year, reset after losing the time,
/// counting in 32 bits, or outside what stamps can say.
const FAR: [i64; 8] = [
    25 * 3600 * SECOND,
    -25 * 3600 * SECOND,
    400 * DAY,
    -400 * DAY,
    -EPOCH,
    (1 << 32) * SECOND - EPOCH,
    -EPOCH - 10 * YEAR,
    1 << 55,
];

impl Setting {
    /// The setting of this seed. Later additions are drawn from dice of their own, so that old seeds keep their
    /// schedules.
    pub fn draw(seed: u64, dice: &mut Dice) -> Self {
        let mut setting = Self::draw_first(dice);
        let dice = &mut Dice::new(!seed);
        if dice.percent(15) {
            setting.weights.fill = u32::try_from(dice.between(1, 4)).expect("small");
        }
        if dice.percent(15) {
            setting.config.history_first = dice.between(1, 8);
        }
        let dice = &mut Dice::new(seed.rotate_left(32) ^ LATER);
        if dice.percent(25) {
            setting.config.max_stamped_delay = dice.time(Duration::from_secs(1), Duration::from_secs(30));
            setting.weights.later = u32::try_from(dice.between(5, 20)).expect("small");
            setting.weights.cancel = u32::try_from(dice.between(2, 12)).expect("small");
        }
        setting.promises = dice.percent(40);
        setting.draw_clocks(&mut Dice::new(seed.wrapping_mul(3)));
        setting.draw_copies(seed);
        setting.draw_deletion(seed);
        setting
    }

    /// Draws clocks that are too wrong to be believed, and a liar that makes up such times.
    fn draw_clocks(&mut self, dice: &mut Dice) {
        if dice.percent(15) {
            for _ in 0..*dice.pick(&[1, 1, 2]) {
                self.skews[dice.below(self.people)] = *dice.pick(&FAR);
            }
        }
        if dice.percent(50) {
            self.righted = Some(dice.time(Duration::ZERO, self.storm));
        }
        let is_near = self.skews.iter().all(|skew| skew.abs() < DAY / 3);
        if let Some((_, habits)) = &mut self.liar
            && dice.percent(40)
        {
            habits.date(*dice.pick(&[5, 30, 90]), is_near);
        }
    }

    /// Whether this person's clock is too wrong to be believed.
    pub fn is_far(&self, who: usize) -> bool {
        self.skews[who].abs() > DAY
    }

    fn draw_first(dice: &mut Dice) -> Self {
        let people = *dice.pick(&[2, 3, 3, 3, 4, 4, 4, 5, 5, 6]);
        let mut skews: Vec<i64> = (0..people).map(|_| signed(dice, 2 * SECOND)).collect();
        if dice.percent(25) {
            let who = dice.below(people);
            skews[who] = signed(dice, 600 * SECOND);
        }
        if dice.percent(6) {
            let who = dice.below(people);
            skews[who] = signed(dice, 3 * YEAR);
        }
        // Each run has only a few kinds of trouble.
        let some = |dice: &mut Dice, percent, low, high| {
            if dice.percent(percent) { u32::try_from(dice.between(low, high)).expect("small") } else { 0 }
        };
        let crash = some(dice, 50, 2, 10);
        let goodbye = some(dice, 30, 2, 6);
        let weights = Weights {
            say: 60,
            groups: some(dice, 60, 5, 25),
            cut: some(dice, 50, 3, 15),
            block: some(dice, 35, 3, 12),
            slow: some(dice, 45, 3, 15),
            mend: 10,
            crash,
            goodbye,
            start: if crash + goodbye > 0 { 12 } else { 0 },
            lose: some(dice, 25, 1, 3),
            copy: some(dice, 25, 1, 3),
            jump: some(dice, 10, 1, 4),
            forget: some(dice, 15, 1, 3),
            fill: 0,
            later: 0,
            cancel: 0,
        };
        let liar = (people > 2 && dice.percent(15)).then(|| (dice.below(people), Habits::draw(dice)));
        Self {
            people,
            skews,
            righted: None,
            config: config(dice),
            storm: dice.time(Duration::from_secs(2), Duration::from_secs(60)),
            pace: dice.time(Duration::from_millis(20), Duration::from_millis(1500)),
            delay: dice.time(Duration::from_millis(2), Duration::from_millis(400)),
            room: *dice.pick(&[4, 16, 64, 1024]),
            weights,
            liar,
            promises: false,
            gone: dice.percent(10).then(|| dice.below(people)),
            stores: match dice.below(100) {
                0..15 => Kind::Memory,
                15..20 => Kind::Sqlite,
                _ => Kind::Model,
            },
            doubled: None,
            deletion: None,
        }
    }

    /// Draws the next action.
    pub fn action(&self, dice: &mut Dice) -> Action {
        let Weights { say, groups, cut, block, slow, mend, crash, goodbye, start, lose, copy, jump, .. } = self.weights;
        let Weights { forget, fill, later, cancel, .. } = self.weights;
        let all =
            [say, groups, cut, block, slow, mend, crash, goodbye, start, lose, copy, jump, forget, fill, later, cancel];
        let kind = dice.weighted(&all).expect("there is always something to say");
        let who = dice.below(self.people);
        let other = (who + 1 + dice.below(self.people - 1)) % self.people;
        let group = *dice.pick(&GROUPS);
        match kind {
            0 => Action::Say { who, to: self.to(dice, other), texts: texts(dice), delay_ms: delay(dice) },
            1 => match dice.below(8) {
                0 | 1 => Action::Create { who, group },
                2..5 => Action::Join { who, group },
                5 | 6 => Action::Leave { who, group },
                _ => Action::Alias { who, whom: other },
            },
            2 => match dice.below(4) {
                0 | 1 => Action::Cut { a: who, b: other },
                2 => Action::Break { a: who, b: other },
                _ => Action::Split { side: dice.any() },
            },
            3 => Action::Block { from: who, to: other },
            4 => {
                let each = dice.time(Duration::from_millis(50), Duration::from_millis(3000));
                Action::Slow { from: who, to: other, each }
            }
            5 if dice.percent(20) => Action::MendAll,
            5 => Action::Mend { a: who, b: other },
            6 => Action::Crash { who, at: boundary(dice) },
            7 => Action::Goodbye { who },
            8 => Action::Start { who, disk: Disk::Same },
            9 => Action::Start { who, disk: if dice.percent(50) { Disk::Lost } else { Disk::Copy } },
            10 => Action::Copy { who },
            11 => Action::Jump { who, seconds: signed(dice, 120) },
            12 => Action::Forget { who, whom: other },
            14 => Action::Say { who, to: self.to(dice, other), texts: 1, delay_ms: dice.between(1, 90_000) as u64 },
            15 => Action::Cancel { who, nth: dice.below(1000), resend: dice.percent(50) },
            _ => Action::Fill { who, time: dice.time(Duration::from_secs(1), Duration::from_secs(50)) },
        }
    }

    fn to(&self, dice: &mut Dice, other: usize) -> To {
        match dice.below(10) {
            0..5 => To::All,
            5..8 if self.weights.groups > 0 => To::Group(dice.pick::<&'static str>(&GROUPS)),
            5..8 => To::All,
            8 => To::Person(other),
            // A person who is drawn twice counts once. The author is left out.
            _ => To::People(other, (other + 1) % self.people),
        }
    }
}

fn signed(dice: &mut Dice, most: i64) -> i64 {
    let span = u64::try_from(most).expect("not negative") * 2 + 1;
    i64::try_from(dice.any() % span).expect("small") - most
}

fn texts(dice: &mut Dice) -> usize {
    *dice.pick(&[1, 1, 1, 1, 1, 2, 3, 6])
}

fn delay(dice: &mut Dice) -> u64 {
    if dice.percent(10) { dice.between(1, 20_000) as u64 } else { 0 }
}

fn boundary(dice: &mut Dice) -> Boundary {
    match dice.below(4) {
        0 => Boundary::BeforeDurable,
        1 => Boundary::AfterDurable,
        2 => Boundary::BetweenFrames(dice.below(100)),
        _ => Boundary::BeforeEvents,
    }
}

/// The program's own limits, or small ones that every run reaches.
fn config(dice: &mut Dice) -> Config {
    // Half a dozen people who forget each other at random do so again and again.
    let rebirth_interval = Duration::from_secs(10);
    let mut config = Config { journal: true, rebirth_interval, ..Config::default() };
    if dice.percent(30) {
        config.max_held = dice.between(3, 20);
    }
    if dice.percent(30) {
        config.window = dice.between(2, 20);
    }
    if dice.percent(30) {
        config.max_batch = dice.between(1, 4);
    }
    if dice.percent(30) {
        config.max_piece = dice.between(1, 5);
    }
    if dice.percent(20) {
        config.acknowledge_every = 2;
    }
    config
}
