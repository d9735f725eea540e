//! The network between machines, as `net` shows it to them: links that come up and go down, and frames on them.
//!
//! A link is TCP: its frames arrive in order, each once, for as long as it is up; frames on different links overtake each
//! other. Between any two peers there are two paths, one each way. A *blocked* path carries nothing: what is sent waits (TCP
//! would send it again) and arrives if the path opens soon; otherwise the receiver takes the silence for the link's end, and
//! what was on its way is lost. A *slow* path carries one frame at a time. A link that holds more frames than it should is
//! *full*, which its sender is told.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use chat::LinkId;

use crate::dice::Dice;

/// How long a link may be silent before it counts as dead (`net`: a heartbeat every 3 s, dead after 10 s of silence).
pub const SILENCE: Duration = Duration::from_secs(10);

/// How frames travel from one peer to another.
#[derive(Clone, Copy, Debug)]
pub struct Path {
    /// The least and the greatest time a frame takes.
    pub delay: (Duration, Duration),
    /// What a slow path takes for each frame, one after the other.
    pub each: Duration,
    /// Nothing comes through.
    pub blocked: bool,
}

/// One direction of a link that is up: frames from its sender's end to the other.
#[derive(Debug)]
struct Direction {
    from: usize,
    to: usize,
    /// The same link, as its receiver numbers it.
    twin: LinkId,
    frames: VecDeque<(Duration, Bytes)>,
    last: Duration,
    /// It was full, and its sender was told so.
    full: bool,
    /// Since when its path has been blocked.
    silent_since: Option<Duration>,
    /// Its sender's end is down.
    closed: bool,
}

/// What a link does of its own accord, at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// The first frame that was sent on this link may arrive.
    Arrive(LinkId),
    /// This end of a link is to notice that it is dead, if it is.
    Notice(LinkId),
    /// This end of a link is to see it go down.
    Down(LinkId, &'static str),
    /// The one peer connects to the other, if it can.
    Dial(usize, usize),
    /// The other end of a connection that was made sees it come up.
    Up(LinkId),
}

/// A frame that arrived, and where.
#[derive(Debug)]
pub struct Arrived {
    /// Who sent it.
    pub from: usize,
    /// Who gets it.
    pub to: usize,
    /// The link, as its receiver numbers it.
    pub link: LinkId,
    /// The frame.
    pub frame: Bytes,
    /// The sender's end, if it has room again now.
    pub ready: Option<LinkId>,
}

/// All paths and links.
#[derive(Debug)]
pub struct Network {
    dice: Dice,
    paths: BTreeMap<(usize, usize), Path>,
    /// By the sender's end.
    directions: BTreeMap<LinkId, Direction>,
    /// Ends that have been seen up and not down: their owner, and who is at the other end.
    ends: BTreeMap<LinkId, (usize, usize)>,
    last_link: u64,
    /// How many frames a link holds before it is full.
    pub room: usize,
    motions: Vec<(Duration, Motion)>,
    /// Pairs that will dial.
    dialling: BTreeMap<(usize, usize), Duration>,
}

impl Network {
    /// A network without links; every path is made by `path`.
    pub fn new(machines: usize, room: usize, mut dice: Dice, mut path: impl FnMut(&mut Dice) -> Path) -> Self {
        let mut paths = BTreeMap::new();
        for from in 0..machines {
            for to in (0..machines).filter(|&to| to != from) {
                paths.insert((from, to), path(&mut dice));
            }
        }
        Self {
            dice,
            paths,
            directions: BTreeMap::new(),
            ends: BTreeMap::new(),
            last_link: 0,
            room,
            motions: Vec::new(),
            dialling: BTreeMap::new(),
        }
    }

    /// What is to happen, since this was last asked.
    pub fn take_motions(&mut self) -> Vec<(Duration, Motion)> {
        std::mem::take(&mut self.motions)
    }

    /// The path from one to another.
    pub fn path(&mut self, from: usize, to: usize) -> &mut Path {
        self.paths.get_mut(&(from, to)).expect("there is a path between any two")
    }

    /// Nothing comes through from `from` to `to` any more.
    pub fn block(&mut self, now: Duration, from: usize, to: usize) {
        self.path(from, to).blocked = true;
        for direction in self.directions.values_mut().filter(|d| (d.from, d.to) == (from, to)) {
            if direction.silent_since.is_none() {
                direction.silent_since = Some(now);
                self.motions.push((now + SILENCE, Motion::Notice(direction.twin)));
            }
        }
    }

    /// The path is as good as new: what waited arrives.
    pub fn open(&mut self, now: Duration, from: usize, to: usize) {
        let path = self.path(from, to);
        path.blocked = false;
        path.each = Duration::ZERO;
        for (&link, direction) in self.directions.iter_mut().filter(|(_, d)| (d.from, d.to) == (from, to)) {
            direction.silent_since = None;
            direction.last = direction.last.min(now);
            for (at, _) in &mut direction.frames {
                *at = (*at).min(now + Duration::from_millis(300)).max(direction.last);
                direction.last = *at;
                self.motions.push((*at, Motion::Arrive(link)));
            }
        }
    }

    /// The two will try to connect, unless they are about to anyway.
    pub fn dial(&mut self, now: Duration, a: usize, b: usize, soon: bool) {
        let pair = (a.min(b), a.max(b));
        let most = Duration::from_secs(if soon { 1 } else { 4 });
        let at = now + self.dice.time(Duration::from_millis(20), most);
        if self.dialling.get(&pair).is_none_or(|&planned| planned > at) {
            self.dialling.insert(pair, at);
            self.motions.push((at, Motion::Dial(pair.0, pair.1)));
        }
    }

    /// The end that `of` has of a link to `to`.
    pub fn end(&self, of: usize, to: usize) -> Option<LinkId> {
        self.ends.iter().find(|&(_, &ends)| ends == (of, to)).map(|(&link, _)| link)
    }

    /// The ends that a machine has.
    pub fn ends_of(&self, who: usize) -> Vec<LinkId> {
        self.ends.iter().filter(|(_, (owner, _))| *owner == who).map(|(&end, _)| end).collect()
    }

    /// Whether the two have a link, and something comes through both ways.
    pub fn is_on(&mut self, a: usize, b: usize) -> bool {
        let is_up = self.end(a, b).is_some() && self.end(b, a).is_some();
        is_up && !self.path(a, b).blocked && !self.path(b, a).blocked
    }

    /// Who owns this end, and who is at the other, if it is up.
    pub fn owner(&self, end: LinkId) -> Option<(usize, usize)> {
        self.ends.get(&end).copied()
    }

    /// Who sends on this end, whether he has seen it come up or not.
    pub fn sender(&self, end: LinkId) -> Option<usize> {
        self.directions.get(&end).map(|direction| direction.from).or(self.owner(end).map(|(owner, _)| owner))
    }

    /// Who is at the other end.
    pub fn receiver(&self, end: LinkId) -> Option<usize> {
        self.directions.get(&end).map(|direction| direction.to)
    }

    /// Whether the two can connect now, and have no link.
    pub fn can_connect(&mut self, now: Duration, a: usize, b: usize) -> bool {
        if self.dialling.get(&(a, b)).is_some_and(|&at| at <= now) {
            self.dialling.remove(&(a, b));
        }
        let blocked = self.path(a, b).blocked || self.path(b, a).blocked;
        // A link that neither end has closed is alive, or will be noticed to be dead.
        let mut between = self.directions.values().filter(|d| (d.from, d.to) == (a, b) || (d.from, d.to) == (b, a));
        !blocked && between.next().is_none_or(|first| first.closed || between.next().is_none_or(|second| second.closed))
    }

    /// A connection is made: the ends of `a` and of `b`. What is left of an earlier one is gone.
    pub fn connect(&mut self, a: usize, b: usize) -> (LinkId, LinkId) {
        self.directions.retain(|_, d| (d.from, d.to) != (a, b) && (d.from, d.to) != (b, a));
        let (mine, theirs) = (LinkId(self.last_link + 1), LinkId(self.last_link + 2));
        self.last_link += 2;
        for (from, to, end, twin) in [(a, b, mine, theirs), (b, a, theirs, mine)] {
            let direction = Direction {
                from,
                to,
                twin,
                frames: VecDeque::new(),
                last: Duration::ZERO,
                full: false,
                silent_since: None,
                closed: false,
            };
            self.directions.insert(end, direction);
        }
        (mine, theirs)
    }

    /// The owner sees this end come up.
    pub fn up(&mut self, end: LinkId) -> Option<(usize, usize)> {
        let direction = self.directions.get(&end)?;
        self.ends.insert(end, (direction.from, direction.to));
        Some((direction.from, direction.to))
    }

    /// A frame is handed to a link. True if that makes it full.
    pub fn send(&mut self, now: Duration, end: LinkId, frame: Bytes) -> bool {
        let Some(direction) = self.directions.get_mut(&end) else { return false };
        let path = self.paths[&(direction.from, direction.to)];
        let travels = self.dice.time(path.delay.0, path.delay.1);
        let at = (now + travels).max(direction.last + path.each);
        direction.last = at;
        direction.frames.push_back((at, frame));
        self.motions.push((at, Motion::Arrive(end)));
        let fills = !direction.full && direction.frames.len() >= self.room;
        direction.full |= fills;
        fills
    }

    /// The first frame sent on `end` arrives, if it is due, the path is open, and the other end is up.
    pub fn arrive(&mut self, now: Duration, end: LinkId) -> Option<Arrived> {
        let direction = self.directions.get_mut(&end)?;
        let blocked = self.paths[&(direction.from, direction.to)].blocked;
        let &(at, _) = direction.frames.front()?;
        if blocked || at > now || !self.ends.contains_key(&direction.twin) {
            return None;
        }
        let (_, frame) = direction.frames.pop_front()?;
        let has_room = direction.full && direction.frames.len() <= self.room / 2;
        direction.full &= !has_room;
        let ready = (has_room && self.ends.contains_key(&end)).then_some(end);
        Some(Arrived { from: direction.from, to: direction.to, link: direction.twin, frame, ready })
    }

    /// Frames that came before the end was up arrive now.
    pub fn arrive_at(&mut self, now: Duration, end: LinkId) {
        for (&sender, direction) in self.directions.iter().filter(|(_, direction)| direction.twin == end) {
            self.motions.extend(direction.frames.iter().map(|_| (now, Motion::Arrive(sender))));
        }
    }

    /// Whether this end should notice now that nothing has come for too long.
    pub fn is_silent(&self, now: Duration, end: LinkId) -> bool {
        let incoming = self.directions.values().find(|direction| direction.twin == end);
        let since = incoming.and_then(|direction| direction.silent_since);
        self.ends.contains_key(&end) && since.is_some_and(|since| since + SILENCE <= now)
    }

    /// The owner of this end closes it, or sees it closed: the other end follows, as soon as word of it comes through.
    /// What was sent and has not arrived is lost behind a point of chance.
    pub fn close(&mut self, now: Duration, end: LinkId, reason: &'static str) {
        let owner = self.ends.remove(&end);
        let Some(direction) = self.directions.get_mut(&end) else { return };
        direction.closed = true;
        let twin = direction.twin;
        let (from, to) = (direction.from, direction.to);
        let arrive = self.dice.below(direction.frames.len() + 1);
        direction.frames.truncate(arrive);
        let path = self.paths[&(from, to)];
        let heard = if path.blocked {
            direction.silent_since.unwrap_or(now) + SILENCE
        } else {
            let last = direction.frames.back().map_or(now, |&(at, _)| at);
            last.max(now) + path.delay.0
        };
        self.motions.push((heard, Motion::Down(twin, reason)));
        if owner.is_some() {
            self.dial(now, from, to, false);
        }
    }

    /// Everything that was sent on this end and has not arrived is lost with it.
    pub fn drop_end(&mut self, end: LinkId) {
        self.ends.remove(&end);
        let twin = self.directions.get(&end).map(|direction| direction.twin);
        self.directions.remove(&end);
        if let Some(twin) = twin
            && !self.ends.contains_key(&twin)
        {
            self.directions.remove(&twin);
        }
    }

    /// A process is gone: all its links are closed.
    pub fn end_all(&mut self, now: Duration, who: usize) {
        let ends = self.directions.iter().filter(|(_, direction)| direction.from == who).map(|(&end, _)| end);
        for end in ends.collect::<Vec<_>>() {
            self.close(now, end, "the other side is gone");
        }
    }
}
