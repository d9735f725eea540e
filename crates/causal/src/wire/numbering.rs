//! The sender's side: numbers at first use, one encoding for all links.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::{
    AFTER_HIS_LAST, BITMAP, BY_ANOTHER, LESS, LESS_AUTHOR, LIST, NOBODY, NUMBERED, ONE, OTHER, SET, SINGLE, VERSION,
};
use crate::bytes::put;
use crate::{Entry, Id, Index, Limits, Roster, Set, Stamp};

/// How many of the last named sets are tried as a base, to write a set as "that base without a few".
const BASES: usize = 8;
/// A set that takes more bytes than this gets a number when it comes again. The number takes one or two bytes, and each link
/// pays once for the set.
const WORTH_A_NUMBER: usize = 2;
/// How many sets without a number are remembered, the last ones seen. A set comes again if it is among them. Most come once.
const SEEN: usize = 32;

/// The numbers that a sender has given to processes and sets. It encodes messages with them.
///
/// It belongs to one [`Process`](crate::Process), lives for one run of it and serves all its links.
///
/// # Examples
/// ```
/// # use causal::wire::{Mark, Numbering, Table};
/// # use causal::{Config, Limits, Process};
/// # let limits = Limits::default();
/// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
/// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
/// let mut numbering = Numbering::new(&limits);
/// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
/// numbering.encode(&alice.multicast(&to_bob), &mut message);
/// assert!(message.len() < 5);
/// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Numbering {
    generation: u64,
    limit: usize,
    /// By place in the roster: the number of the process, if it has one.
    numbers: Vec<Option<u64>>,
    /// The processes by number.
    processes: Vec<Index>,
    sets: BTreeMap<Set, u64>,
    /// By set number: where its introduction ends in `introductions`.
    ends: Vec<usize>,
    introductions: Vec<u8>,
    /// The sets that were last named by number, the newest first.
    bases: VecDeque<(Set, u64)>,
    /// The sets that were last written out, the newest first.
    seen: VecDeque<Set>,
}

/// The parts of a message to which the set of an entry may refer.
struct Context<'a> {
    dests: &'a Set,
    author: Index,
}

/// How much of a [`Numbering`] a link has been told. A new link knows nothing: `Mark::default()`.
///
/// # Examples
/// ```
/// # use causal::wire::{Mark, Numbering, Table};
/// # use causal::{Config, Limits, Process};
/// # let limits = Limits::default();
/// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
/// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
/// let mut numbering = Numbering::new(&limits);
/// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
/// let start = numbering.mark();
/// numbering.encode(&alice.multicast(&to_bob), &mut message);
/// assert_ne!(numbering.mark(), start);
/// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark {
    generation: u64,
    processes: usize,
    sets: usize,
}

impl Numbering {
    /// A numbering that has given no numbers yet. `limits.sets` bounds its sets, and the receivers must accept that many.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// assert_eq!(numbering.generation(), 1);
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(limits: &Limits) -> Self {
        Self {
            generation: 1,
            limit: limits.sets,
            numbers: Vec::new(),
            processes: Vec::new(),
            sets: BTreeMap::new(),
            ends: Vec::new(),
            introductions: Vec::new(),
            bases: VecDeque::new(),
            seen: VecDeque::new(),
        }
    }

    /// Appends a message. A receiver needs the additions up to now to read it.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// let stamp = alice.multicast(&to_bob);
    /// numbering.encode(&stamp, &mut message);
    /// numbering.additions_since(Mark::default(), alice.roster(), &mut additions);
    /// let mut table = Table::default();
    /// table.learn(&mut &additions[..], &mut bob, &limits)?;
    /// assert_eq!(table.decode(&mut &message[..], &limits)?.clock, stamp.clock);
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn encode(&mut self, stamp: &Stamp, out: &mut Vec<u8>) {
        let author = self.number(stamp.sender);
        let mut entries: SmallVec<[(u64, &Entry); 8]> = SmallVec::new();
        let mut head = if author == 0 { 0 } else { BY_ANOTHER };
        for entry in stamp.log.iter() {
            if entry.sender == stamp.sender
                && entry.clock.checked_add(1) == Some(stamp.clock)
                && entry.dests == stamp.dests
            {
                head |= AFTER_HIS_LAST;
            } else {
                entries.push((self.number(entry.sender), entry));
            }
        }
        entries.sort_unstable_by_key(|&(number, entry)| (number, entry.clock));
        put((entries.len() as u64) << 2 | head, out);
        if author != 0 {
            put(author, out);
        }
        put(stamp.clock, out);
        self.put_set(&stamp.dests, None, out);
        let mut before = (0, 0);
        for (number, entry) in entries {
            self.put_entry(entry, (number, before), stamp, out);
            before = (number, entry.clock);
        }
    }

    /// How far the numbers go now.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// let before = numbering.mark();
    /// numbering.encode(&alice.multicast(&to_bob), &mut message);
    /// assert_ne!(numbering.mark(), before);
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn mark(&self) -> Mark {
        Mark { generation: self.generation, processes: self.processes.len(), sets: self.ends.len() }
    }

    /// Appends the additions for a link that knows everything up to `mark`; nothing if there are none. Returns the mark that
    /// the link has afterwards.
    ///
    /// # Panics
    /// If `roster` is not that of the process whose stamps were encoded.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// numbering.encode(&alice.multicast(&to_bob), &mut message);
    /// let mark = numbering.additions_since(Mark::default(), alice.roster(), &mut additions);
    /// assert_eq!(mark, numbering.mark());
    /// assert!(!additions.is_empty());
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn additions_since<P: Id>(&self, mark: Mark, roster: &Roster<P>, out: &mut Vec<u8>) -> Mark {
        let now = self.mark();
        let (processes, sets) = match mark {
            _ if mark == now => return now,
            Mark { generation, processes, sets } if generation == self.generation => (processes, sets),
            Mark { .. } => (0, 0),
        };
        out.push(VERSION);
        put(self.generation, out);
        put(processes as u64, out);
        put((now.processes - processes) as u64, out);
        for &process in &self.processes[processes..] {
            roster.id(process).encode(out);
        }
        put(sets as u64, out);
        put((now.sets - sets) as u64, out);
        let start = sets.checked_sub(1).map_or(0, |last| self.ends[last]);
        out.extend_from_slice(&self.introductions[start..]);
        now
    }

    /// Whether no further set gets a number. Then messages become longer, until [`renew`](Self::renew).
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// assert!(!numbering.is_full());
    /// assert!(Numbering::new(&Limits { sets: 0, ..limits }).is_full());
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_full(&self) -> bool {
        self.ends.len() >= self.limit
    }

    /// The generation of this numbering. What was encoded in an earlier one means nothing any more.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// numbering.renew();
    /// assert_eq!(numbering.generation(), 2);
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Begins again with number 0, in a new generation. Every message that was encoded before must have gone to its links
    /// already, or be encoded again.
    ///
    /// # Examples
    /// ```
    /// # use causal::wire::{Mark, Numbering, Table};
    /// # use causal::{Config, Limits, Process};
    /// # let limits = Limits::default();
    /// # let [mut alice, mut bob] = [1, 2].map(|id| Process::<u64, ()>::new(id, Config::default()));
    /// # let to_bob: causal::Set = [alice.intern(2)?].into_iter().collect();
    /// let mut numbering = Numbering::new(&limits);
    /// let (mut message, mut additions) = (Vec::<u8>::new(), Vec::<u8>::new());
    /// numbering.encode(&alice.multicast(&to_bob), &mut message);
    /// let old = numbering.mark();
    /// numbering.renew();
    /// assert_ne!(numbering.mark(), old);
    /// # let _ = (&mut bob, &mut message, &mut additions, &to_bob, &mut numbering, Table::default(), Mark::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn renew(&mut self) {
        *self =
            Self { generation: self.generation + 1, ..Self::new(&Limits { sets: self.limit, ..Limits::default() }) };
    }

    /// The number of a process, a new one at first use.
    fn number(&mut self, process: Index) -> u64 {
        let place = process.position();
        if place >= self.numbers.len() {
            self.numbers.resize(place + 1, None);
        }
        *self.numbers[place].get_or_insert_with(|| {
            self.processes.push(process);
            self.processes.len() as u64 - 1
        })
    }

    /// Appends an entry whose author has `number`, after an entry with the author's number and the clock in `before`.
    fn put_entry(&mut self, entry: &Entry, (number, before): (u64, (u64, u64)), stamp: &Stamp, out: &mut Vec<u8>) {
        let of = Context { dests: &stamp.dests, author: entry.sender };
        let one = only(&entry.dests);
        let kind = match one {
            _ if entry.dests.is_empty() => NOBODY,
            _ if of.is_less_author(&entry.dests) => LESS_AUTHOR,
            Some(_) => ONE,
            None => SET,
        };
        put((number - before.0) << 2 | kind, out);
        let clock = match before {
            (same, clock) if same == number && clock > 0 => entry.clock - clock,
            _ if entry.sender == stamp.sender => stamp.clock.wrapping_sub(entry.clock),
            _ => entry.clock,
        };
        put(clock, out);
        match one {
            Some(one) if kind == ONE => put(self.number(one), out),
            _ if kind == SET => self.put_set(&entry.dests, Some(&of), out),
            Some(_) | None => {}
        }
    }

    /// Appends a set. The set of an entry may refer to the message `of` the entry.
    fn put_set(&mut self, set: &Set, of: Option<&Context<'_>>, out: &mut Vec<u8>) {
        if let Some(&number) = self.sets.get(set) {
            self.touch(set, number);
            return put(number << 2 | NUMBERED, out);
        }
        let start = out.len();
        self.put_form(set, of, out);
        if out.len() - start <= WORTH_A_NUMBER || self.is_full() {
            return;
        }
        let Some(at) = self.seen.iter().position(|seen| seen == set) else {
            self.seen.truncate(SEEN - 1);
            return self.seen.push_front(set.clone());
        };
        self.seen.remove(at);
        let mut form = Vec::new();
        self.put_form(set, None, &mut form);
        let number = self.introduce(set, &form);
        out.truncate(start);
        put(number << 2 | NUMBERED, out);
    }

    /// Appends the shortest form of a set that needs no number of its own.
    fn put_form(&mut self, set: &Set, of: Option<&Context<'_>>, out: &mut Vec<u8>) {
        if let Some(one) = only(set) {
            return put(self.number(one) << 2 | SINGLE, out);
        }
        let bases = of.map(|of| (of.dests, 0)).into_iter().chain(self.bases.iter().map(|(base, n)| (base, n + 1)));
        let nearest = bases
            .filter(|(base, _)| set.is_subset(base))
            .map(|(base, reference)| (base.len(), base.difference(set), reference))
            .min_by_key(|&(size, _, reference)| (size, reference));
        if let Some((_, mut less, reference)) = nearest.filter(|(_, less, _)| less.len() <= set.len()) {
            put(reference << 2 | LESS, out);
            let author = of.is_some_and(|of| less.remove(of.author));
            let less = self.numbered(&less);
            put((less.len() as u64) << 1 | u64::from(author), out);
            return put_ascending(&less, out);
        }
        let numbers = self.numbered(set);
        let start = out.len();
        put(LIST << 2 | OTHER, out);
        put(numbers.len() as u64, out);
        put_ascending(&numbers, out);
        let bytes = numbers.last().map_or(0, |last| *last as usize / 8 + 1);
        if bytes + 2 < out.len() - start {
            out.truncate(start);
            put(BITMAP << 2 | OTHER, out);
            put(bytes as u64, out);
            let start = out.len();
            out.resize(start + bytes, 0);
            for number in numbers {
                out[start + number as usize / 8] |= 1 << (number % 8);
            }
        }
    }

    /// Gives `set`, written as `form`, the next number.
    fn introduce(&mut self, set: &Set, form: &[u8]) -> u64 {
        let number = self.ends.len() as u64;
        self.introductions.extend_from_slice(form);
        self.ends.push(self.introductions.len());
        self.sets.insert(set.clone(), number);
        self.touch(set, number);
        number
    }

    /// Makes a numbered set the first one to try as a base.
    fn touch(&mut self, set: &Set, number: u64) {
        match self.bases.iter().position(|&(_, n)| n == number) {
            Some(0) => {}
            Some(at) => {
                let base = self.bases.remove(at).expect("found there");
                self.bases.push_front(base);
            }
            None => {
                self.bases.truncate(BASES - 1);
                self.bases.push_front((set.clone(), number));
            }
        }
    }

    /// The numbers of a set's members, in order.
    fn numbered(&mut self, set: &Set) -> Vec<u64> {
        let mut numbers: Vec<u64> = set.iter().map(|process| self.number(process)).collect();
        numbers.sort_unstable();
        numbers
    }
}

impl Context<'_> {
    /// Whether `set` is the message's destinations without the entry's author.
    fn is_less_author(&self, set: &Set) -> bool {
        set.len() + usize::from(self.dests.contains(self.author)) == self.dests.len()
            && !set.contains(self.author)
            && set.is_subset(self.dests)
    }
}

/// The only member of a set; `None` if it does not have exactly one.
fn only(set: &Set) -> Option<Index> {
    let mut members = set.iter();
    members.next().filter(|_| members.next().is_none())
}

/// Appends ascending numbers.
fn put_ascending(numbers: &[u64], out: &mut Vec<u8>) {
    let mut next = 0;
    for &number in numbers {
        put(number - next, out);
        next = number + 1;
    }
}
