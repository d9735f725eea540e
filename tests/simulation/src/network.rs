//! The network between machines, as `net` shows it to them: links that come up and go down, and frames on them.
//!
//! A link is TCP: while it is up, its frames arrive in order, each once. Frames on different links overtake each other.
//! Between any two peers there are two paths, one each way. A *blocked* path carries nothing. Frames on it wait (TCP
//! would send them again) and arrive if the path opens soon. Otherwise the receiver takes the silence for the link's
//! end, and they are lost. A *slow* path carries one frame at a time. A link that holds more frames than it should is
//! *full*, and its sender is told so.

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
    /// The least and the greatest time that a frame takes.
    pub delay: (Duration, Duration),
    /// How long a slow path takes for each frame, one after the other.
    pub each: Duration,
    /// Nothing comes through.
    pub blocked: bool,
}

/// One direction of a link that is up: frames from its sender's end to the other end.
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

/// Something that a link does by itself at a certain time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// The first frame that was sent on this link may arrive.
    Arrive(LinkId),
    /// This end of a link notices that it is dead, if it is.
    Notice(LinkId),
    /// This end of a link sees it go down.
    Down(LinkId, &'static str),
    /// The first peer connects to the second, if it can.
    Dial(usize, usize),
    /// The other end of a new connection sees it come up.
    Up(LinkId),
}

/// A frame that arrived, and where.
#[derive(Debug)]
pub struct Arrived {
    /// The machine that sent it.
    pub from: usize,
    /// The machine that gets it.
    pub to: usize,
    /// The link, as its receiver numbers it.
    pub link: LinkId,
    /// The frame.
    pub frame: Bytes,
    /// The sender's end, if it now has room again.
    pub ready: Option<LinkId>,
}

/// All paths and links.
#[derive(Debug)]
pub struct Network {
    dice: Dice,
    paths: BTreeMap<(usize, usize), Path>,
    /// By the sender's end.
    directions: BTreeMap<LinkId, Direction>,
    /// Ends that are up in the eyes of their owners: the owner, and the machine at the other end.
    ends: BTreeMap<LinkId, (usize, usize)>,
    last_link: u64,
    /// How many frames a link holds before it is full.
    pub room: usize,
    motions: Vec<(Duration, Motion)>,
    /// Pairs that will dial, and when.
    dialling: BTreeMap<(usize, usize), Duration>,
}

impl Network {
    /// A network without links. `path` makes each path.
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

    /// What will happen, as far as this call is the first to tell.
    pub fn take_motions(&mut self) -> Vec<(Duration, Motion)> {
        std::mem::take(&mut self.motions)
    }

    /// The path from one to another.
    pub fn path(&mut self, from: usize, to: usize) -> &mut Path {
        self.paths.get_mut(&(from, to)).expect("there is a path between any two")
    }

    /// From now on nothing comes through from `from` to `to`.
    pub fn block(&mut self, now: Duration, from: usize, to: usize) {
        self.path(from, to).blocked = true;
        for direction in self.directions.values_mut().filter(|d| (d.from, d.to) == (from, to)) {
            if direction.silent_since.is_none() {
                direction.silent_since = Some(now);
                self.motions.push((now + SILENCE, Motion::Notice(direction.twin)));
            }
        }
    }

    /// The path works again: frames that waited arrive.
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

    /// The owner of this end, and the machine at the other end, if it is up.
    pub fn owner(&self, end: LinkId) -> Option<(usize, usize)> {
        self.ends.get(&end).copied()
    }

    /// The machine that sends on this end, whether it has seen the link come up or not.
    pub fn sender(&self, end: LinkId) -> Option<usize> {
        self.directions.get(&end).map(|direction| direction.from).or(self.owner(end).map(|(owner, _)| owner))
    }

    /// The machine at the other end.
    pub fn receiver(&self, end: LinkId) -> Option<usize> {
        self.directions.get(&end).map(|direction| direction.to)
    }

    /// Whether the two can connect now and have no link.
    pub fn can_connect(&mut self, now: Duration, a: usize, b: usize) -> bool {
        if self.dialling.get(&(a, b)).is_some_and(|&at| at <= now) {
            self.dialling.remove(&(a, b));
        }
        let blocked = self.path(a, b).blocked || self.path(b, a).blocked;
        // A link that neither end has closed is alive, or its ends will notice that it is dead.
        let mut between = self.directions.values().filter(|d| (d.from, d.to) == (a, b) || (d.from, d.to) == (b, a));
        !blocked && between.next().is_none_or(|first| first.closed || between.next().is_none_or(|second| second.closed))
    }

    /// Makes a connection, and returns the ends of `a` and of `b`. Anything left of an earlier one is gone.
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

    /// A frame is handed to a link. Returns whether that makes the link full.
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

    /// Frames that came before this end was up arrive now.
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

    /// The owner of this end closes it, or sees it closed. The other end follows as soon as it hears of that. Of the
    /// frames that have not arrived, those after a random point are lost.
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

    /// This end goes, and all frames that were sent on it and have not arrived are lost.
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
