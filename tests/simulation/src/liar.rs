//! A liar: a peer like any other, but its frames are changed on their way out by an attacker that has its key.
//!
//! The liar knows the layout of frames, which anyone can read in `chat` (one byte of kind; batches by hand, the rest by
//! bincode, whose first byte tells which control frame it is), and of stamps, in `causal::wire`. What it sends as its
//! own is believed to be its own, because the link proves its identity. What it claims about others is not signed by
//! them.
//!
//! The liar counts its lies by kind. If a lie no longer fits the layout, it is not told any more, and a test notices.

mod forging;

use std::collections::BTreeMap;

use bytes::Bytes;
use causal::wire::{Mark, Numbering, Table};
use causal::{Config, Entries, Entry, Limits, Process, Stamp};
use chat::{LinkId, PersonId, ProcessId};

use crate::dice::Dice;

const BATCH: u8 = 1;
const NUMBERS: u8 = 2;
const CONTROL: u8 = 3;
const HAVE: u8 = 2;
const PULLED: u8 = 4;
const PARCELS: u8 = 7;
const HISTORY: u8 = 9;

/// The kinds of lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lie {
    /// A byte of any frame is changed.
    Garbled,
    /// A batch is withheld, or an answer to a request.
    Withheld,
    /// An old frame comes again.
    Repeated,
    /// A text of another person is handed on with other words.
    Reworded,
    /// A text of another person is handed on under another name.
    Renamed,
    /// A text of another person is handed on with a wrong byte.
    Damaged,
    /// The liar sends something else on each link.
    TwoFaced,
    /// A welcome of the liar names messages that do not exist.
    Misnamed,
    /// The liar claims to have come further than it has.
    Boasted,
    /// The liar claims to have what others wrote, and does not.
    Pretended,
    /// A stamp of the liar is made up.
    Stamped,
    /// The liar says that what it is asked for is due in the far future.
    Promised,
    /// A text of the liar has a stamp of history from a time far off.
    Dated,
}

/// How often the liar tells each kind of lie, in percent of the frames that fit it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Changes a byte of any frame.
    garble: usize,
    /// Withholds a batch, or an answer to a request.
    withhold: usize,
    /// Sends an old frame of the same link once more.
    repeat: usize,
    /// Changes what it hands on.
    forge: usize,
    /// Says different things to different peers.
    two_faced: usize,
    /// Makes up clocks: those of others that its messages depend on and name, its own, and how far it has come.
    make_up: usize,
    /// Gives texts stamps with times far off.
    date: usize,
    /// Also uses up the count of stamps.
    exhaust: bool,
}

impl Habits {
    /// In addition to its other lies, it dates texts this often. With `exhaust` it may also use up the count of stamps.
    /// Then history only keeps its order if no two clocks are more than a day apart.
    pub fn date(&mut self, often: usize, exhaust: bool) {
        (self.date, self.exhaust) = (often, exhaust);
    }

    /// Draws one kind of lie or two.
    pub fn draw(dice: &mut Dice) -> Self {
        let mut habits = Self::default();
        for _ in 0..dice.between(1, 2) {
            let often = *dice.pick(&[2, 10, 40]);
            match dice.below(6) {
                0 => habits.garble = often.min(10),
                1 => habits.withhold = often,
                2 => habits.repeat = often,
                3 => habits.forge = often * 2,
                4 => habits.two_faced = often,
                _ => habits.make_up = often,
            }
        }
        habits
    }
}

/// What the liar knows of one of its links.
#[derive(Default)]
struct Tap {
    table: Table,
    mark: Mark,
    old: Vec<Bytes>,
}

/// A liar at work.
pub struct Liar {
    dice: Dice,
    habits: Habits,
    /// All people that the liar can speak of.
    people: Vec<PersonId>,
    /// The processes that its frames speak of, itself first, once it has begun.
    known: Option<Process<ProcessId, ()>>,
    numbering: Numbering,
    taps: BTreeMap<LinkId, Tap>,
    told: BTreeMap<Lie, u64>,
    /// Whether it promises what it is asked for.
    promises: bool,
}

impl Liar {
    /// A liar that has not begun.
    pub fn new(habits: Habits, people: Vec<PersonId>, promises: bool, dice: Dice) -> Self {
        Self {
            dice,
            habits,
            people,
            known: None,
            numbering: Numbering::new(&Limits::default()),
            taps: BTreeMap::new(),
            told: BTreeMap::new(),
            promises,
        }
    }

    /// The liar begins as this process.
    pub fn begin(&mut self, process: ProcessId) {
        self.known = Some(Process::new(process, Config::default()));
        self.numbering = Numbering::new(&Limits::default());
        self.taps.clear();
    }

    /// How many lies of each kind it has told.
    pub fn told(&self) -> &BTreeMap<Lie, u64> {
        &self.told
    }

    fn count(&mut self, lie: Lie) {
        *self.told.entry(lie).or_default() += 1;
    }

    /// The frames that the liar sends in place of this one.
    pub fn tell(&mut self, link: LinkId, frame: Bytes) -> Vec<Bytes> {
        let Habits { garble, withhold, repeat, forge, two_faced, make_up, date, exhaust } = self.habits;
        let kind = (frame.first().copied(), frame.get(1).copied());
        let hands_on = matches!(kind, (Some(CONTROL), Some(PULLED | PARCELS | HISTORY)));
        let is_batch = kind.0 == Some(BATCH);
        // A liar without this habit draws no random number for it, so old seeds keep their schedules.
        let frame = if is_batch && date > 0 && self.dice.percent(date) { self.date(&frame, exhaust) } else { frame };
        let mut frames = match kind {
            // Once the liar makes up numbers, it sends all batches in its own numbers.
            (Some(NUMBERS), _) if make_up > 0 => {
                self.learn(link, &frame);
                Vec::new()
            }
            _ if (is_batch || hands_on) && self.dice.percent(withhold) => {
                self.count(Lie::Withheld);
                Vec::new()
            }
            _ if is_batch && make_up > 0 => {
                // Few batches have a welcome in them.
                let named = if self.dice.percent(make_up.max(50)) { self.misname(&frame) } else { frame };
                self.make_up(link, &named).unwrap_or_default()
            }
            _ if is_batch && self.dice.percent(two_faced) => vec![self.reword(Lie::TwoFaced, &frame)],
            (Some(CONTROL), Some(HAVE)) if self.dice.percent(make_up) => vec![self.boast(&frame)],
            _ if hands_on && self.dice.percent(forge) => vec![self.forge(&frame)],
            _ if self.dice.percent(garble) => vec![self.garble(Lie::Garbled, &frame)],
            _ => vec![frame],
        };
        if self.promises && kind == (Some(CONTROL), Some(PULLED)) {
            frames = frames.into_iter().map(|frame| self.promise(&frame)).collect();
        }
        let tap = self.taps.entry(link).or_default();
        if self.dice.percent(repeat) && !tap.old.is_empty() {
            frames.push(self.dice.pick(&tap.old).clone());
            *self.told.entry(Lie::Repeated).or_default() += 1;
        }
        if repeat > 0 {
            tap.old.extend(frames.first().cloned());
        }
        frames
    }

    fn learn(&mut self, link: LinkId, frame: &Bytes) {
        if let Some(known) = &mut self.known {
            // What cannot be learnt is not passed on.
            let _ = self.taps.entry(link).or_default().table.learn(&mut &frame[1..], known, &Limits::default());
        }
    }

    /// The batch with other stamps, and the numbers that they need. In the new batch no stamp follows from the one
    /// before it.
    fn make_up(&mut self, link: LinkId, frame: &Bytes) -> Option<Vec<Bytes>> {
        let limits = Limits::default();
        let mut batch = frame.get(..74)?.to_vec();
        batch.extend([0; 8]);
        let bits = |at: usize| Some(u64::from_be_bytes(frame.get(at..at + 8)?.try_into().ok()?));
        let (mask, follows) = (bits(66)?, bits(74)?);
        let absent = usize::from(frame[65]).checked_sub(mask.count_ones() as usize)? * 32;
        batch.extend_from_slice(frame.get(82..82 + absent)?);
        let mut rest = frame.get(82 + absent..)?;
        let mut before: Option<Stamp> = None;
        for index in (0..64).filter(|index| mask & (1 << index) != 0) {
            let stamp = match (follows & (1 << index), before) {
                (0, _) => self.taps.entry(link).or_default().table.decode(&mut rest, &limits).ok()?,
                (_, before) => before?.follower(1),
            };
            before = Some(stamp.clone());
            let stamp = if self.dice.percent(self.habits.make_up) { self.falsify(stamp) } else { stamp };
            self.numbering.encode(&stamp, &mut batch);
            let length = 4 + u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
            batch.extend_from_slice(rest.get(..length)?);
            rest = &rest[length..];
        }
        let mut frames = vec![batch.into()];
        let tap = self.taps.entry(link).or_default();
        if tap.mark != self.numbering.mark() {
            let mut numbers = vec![NUMBERS];
            tap.mark = self.numbering.additions_since(tap.mark, self.known.as_ref()?.roster(), &mut numbers);
            frames.insert(0, numbers.into());
        }
        Some(frames)
    }

    fn falsify(&mut self, mut stamp: Stamp) -> Stamp {
        self.count(Lie::Stamped);
        if self.dice.percent(20) {
            stamp.clock += self.dice.between(1, 1000) as u64;
            return stamp;
        }
        let Some(known) = &self.known else { return stamp };
        let mut entries: Vec<Entry> = stamp.log.iter().cloned().collect();
        let authors: Vec<_> = known.roster().iter().map(|(author, _)| author).collect();
        let sender = *self.dice.pick(&authors);
        if sender == stamp.sender && stamp.clock <= 1 {
            return stamp;
        }
        let far = if self.dice.percent(50) { 1_000_000 } else { 30 };
        let clock = if sender == stamp.sender { stamp.clock - 1 } else { 1 + self.dice.any() % far };
        let mut dests = stamp.dests.clone();
        dests.remove(sender);
        entries.retain(|entry| (entry.sender, entry.clock) != (sender, clock));
        entries.push(Entry { sender, clock, dests });
        entries.sort_by_key(|entry| (entry.sender, entry.clock));
        Stamp { log: entries.into_iter().collect::<Entries>(), ..stamp }
    }
}
