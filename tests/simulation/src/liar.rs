//! A liar: a peer like any other, whose frames are changed on their way out by somebody who has its key.
//!
//! He knows the layout of frames as anybody can read it in `chat` (one byte of kind; batches by hand, the rest by bincode,
//! whose first byte tells which control frame it is) and of stamps in `causal::wire`. What he hands over himself is believed to
//! be his, as the link proves who he is; what he pretends of others is not signed by them.
//!
//! He counts his lies by kind: one that no longer fits the layout is not told any more, and a test sees it.

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
    /// A byte of any frame is another.
    Garbled,
    /// A batch is withheld, or what was asked for.
    Withheld,
    /// An old frame comes again.
    Repeated,
    /// What somebody wrote is handed on with other words.
    Reworded,
    /// What somebody wrote is handed on under another name.
    Renamed,
    /// What somebody wrote is handed on with a wrong byte.
    Damaged,
    /// He says something else on each link.
    TwoFaced,
    /// A welcome of his names what is not there.
    Misnamed,
    /// He has come further than he has.
    Boasted,
    /// He has what others wrote, and does not.
    Pretended,
    /// A stamp of his is made up.
    Stamped,
    /// What he is asked for is due in the far future.
    Promised,
    /// A text of his has a stamp of history from a time far off.
    Dated,
}

/// How often he does what, in hundredths of the frames that are fit for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Habits {
    /// Turns a byte of any frame into another.
    garble: usize,
    /// Keeps a batch to himself, or what he was asked for.
    withhold: usize,
    /// Sends an old frame of the same link once more.
    repeat: usize,
    /// Changes what he hands on.
    forge: usize,
    /// Says one thing to one and another to the other.
    two_faced: usize,
    /// Makes up clocks: of others in what his messages depend on and name, his own, and how far he has come.
    make_up: usize,
    /// Stamps texts with times far off.
    date: usize,
    /// Uses up the count of stamps, too.
    exhaust: bool,
}

impl Habits {
    /// Besides what else he does he dates texts so often as he likes. Whether he may use up the count of stamps: then the order of
    /// history is that of clocks which are no further apart than a day.
    pub fn date(&mut self, often: usize, exhaust: bool) {
        (self.date, self.exhaust) = (often, exhaust);
    }

    /// One vice or two.
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

/// What he knows of one of his links.
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
    /// Everybody whom he can speak of.
    people: Vec<PersonId>,
    /// The processes that his frames speak of, himself first, once he has begun.
    known: Option<Process<ProcessId, ()>>,
    numbering: Numbering,
    taps: BTreeMap<LinkId, Tap>,
    told: BTreeMap<Lie, u64>,
    /// He promises what he is asked for.
    promises: bool,
}

impl Liar {
    /// A liar who has not begun.
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

    /// He begins as this process.
    pub fn begin(&mut self, process: ProcessId) {
        self.known = Some(Process::new(process, Config::default()));
        self.numbering = Numbering::new(&Limits::default());
        self.taps.clear();
    }

    /// How many lies of each kind he has told.
    pub fn told(&self) -> &BTreeMap<Lie, u64> {
        &self.told
    }

    fn count(&mut self, lie: Lie) {
        *self.told.entry(lie).or_default() += 1;
    }

    /// What he sends in place of this frame.
    pub fn tell(&mut self, link: LinkId, frame: Bytes) -> Vec<Bytes> {
        let Habits { garble, withhold, repeat, forge, two_faced, make_up, date, exhaust } = self.habits;
        let kind = (frame.first().copied(), frame.get(1).copied());
        let hands_on = matches!(kind, (Some(CONTROL), Some(PULLED | PARCELS | HISTORY)));
        let is_batch = kind.0 == Some(BATCH);
        // Who does not do it draws no chance for it: old seeds stand for what they stood for.
        let frame = if is_batch && date > 0 && self.dice.percent(date) { self.date(&frame, exhaust) } else { frame };
        let mut frames = match kind {
            // All batches are told in his own numbers once he makes up any.
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
            // What cannot be learnt is not told on.
            let _ = self.taps.entry(link).or_default().table.learn(&mut &frame[1..], known, &Limits::default());
        }
    }

    /// The batch with other stamps, and the numbers that these need. Nothing in it follows what stands before it any more.
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
