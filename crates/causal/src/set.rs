//! Sets of processes: the destinations of a message.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::fmt;

use crate::Index;

#[cfg(test)]
mod tests;

/// Words held inside the set itself: enough for the first 128 processes.
const INLINE: usize = 2;
const BITS: usize = u64::BITS as usize;

/// A set of processes. It lies inline as long as all its members are among the first 128 processes. A larger set is shared, so
/// that a clone never copies it. Every operation takes time proportional to the greatest index (in words of 64), except
/// `contains`, which takes constant time.
///
/// This is not the set of a bitset crate, because no known crate both has inline words and shares large sets. A message on its
/// way through [`Process`](crate::Process) clones several sets.
///
/// # Examples
/// ```
/// # use causal::{Config, Process, Set};
/// # let mut me = Process::<_, ()>::new("me", Config::default());
/// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
/// let set: Set = [a, c].into_iter().collect();
/// assert!(set.contains(a) && !set.contains(b));
/// assert!(set.iter().eq([a, c]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Set(Words);

#[derive(Clone)]
enum Words {
    Inline([u64; INLINE]),
    /// A member lies beyond the inline words; words of zero may trail.
    Shared(Arc<[u64]>),
}

impl Set {
    /// The empty set.
    ///
    /// # Examples
    /// ```
    /// assert!(causal::Set::new().is_empty());
    /// ```
    pub const fn new() -> Self {
        Self(Words::Inline([0; INLINE]))
    }

    /// Whether `process` is in the set.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// assert!(Set::from_iter([a]).contains(a));
    /// # let _ = (b, c);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn contains(&self, process: Index) -> bool {
        let (word, bit) = place(process);
        self.words().get(word).is_some_and(|w| w & bit != 0)
    }

    /// Puts `process` in. Returns true if it was not there.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let mut set = Set::new();
    /// assert!(set.insert(a) && !set.insert(a));
    /// # let _ = (b, c);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn insert(&mut self, process: Index) -> bool {
        let (word, bit) = place(process);
        if self.contains(process) {
            return false;
        }
        if word >= self.words().len() {
            let mut words = self.words().to_vec();
            words.resize(word + 1, 0);
            self.0 = Words::Shared(words.into());
        }
        match &mut self.0 {
            Words::Inline(words) => words[word] |= bit,
            Words::Shared(words) => Arc::make_mut(words)[word] |= bit,
        }
        true
    }

    /// Takes `process` out. Returns true if it was there.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let mut set = Set::from_iter([a, b]);
    /// assert!(set.remove(a) && !set.remove(c));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn remove(&mut self, process: Index) -> bool {
        let (word, bit) = place(process);
        if !self.contains(process) {
            return false;
        }
        match &mut self.0 {
            Words::Inline(words) => words[word] &= !bit,
            Words::Shared(words) => {
                Arc::make_mut(words)[word] &= !bit;
                self.settle();
            }
        }
        true
    }

    /// Takes out all processes that are in `other`. Allocates only if the set is shared with a clone, a member leaves, and a
    /// member beyond the 128th stays.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let mut set = Set::from_iter([a, b]);
    /// set.subtract(&Set::from_iter([b, c]));
    /// assert!(set.iter().eq([a]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn subtract(&mut self, other: &Self) {
        self.narrow(other, |mine, others| mine & !others);
    }

    /// Takes out all processes that are not in `other`. Allocates as [`subtract`](Self::subtract) does.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let mut set = Set::from_iter([a, b]);
    /// set.intersect(&Set::from_iter([b, c]));
    /// assert!(set.iter().eq([b]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn intersect(&mut self, other: &Self) {
        self.narrow(other, |mine, others| mine & others);
    }

    /// Puts in all processes that are in `other`.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let mut set = Set::from_iter([a, b]);
    /// set.extend_from(&Set::from_iter([b, c]));
    /// assert_eq!(set.len(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn extend_from(&mut self, other: &Self) {
        if other.words().len() > self.words().len() {
            let mut larger = other.clone();
            larger.extend_from(self);
            *self = larger;
            return;
        }
        let mine = match &mut self.0 {
            Words::Inline(words) => words.as_mut_slice(),
            Words::Shared(words) => Arc::make_mut(words),
        };
        for (word, others) in mine.iter_mut().zip(other.words()) {
            *word |= others;
        }
    }

    /// The processes that are in this set and not in `other`.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let left = Set::from_iter([a, b]).difference(&Set::from_iter([b, c]));
    /// assert!(left.iter().eq([a]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        match (&self.0, &other.0) {
            (Words::Inline(mine), Words::Inline(others)) => {
                Self(Words::Inline(core::array::from_fn(|position| mine[position] & !others[position])))
            }
            (Words::Inline(_) | Words::Shared(_), _) => {
                let mut result = self.clone();
                result.subtract(other);
                result
            }
        }
    }

    /// The processes that are both in this set and in `other`.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// let common = Set::from_iter([a, b]).intersection(&Set::from_iter([b, c]));
    /// assert!(common.iter().eq([b]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut result = self.clone();
        result.intersect(other);
        result
    }

    /// Whether all processes in this set are in `other` too.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// assert!(Set::from_iter([a]).is_subset(&Set::from_iter([a, b])));
    /// assert!(!Set::from_iter([c]).is_subset(&Set::from_iter([a, b])));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_subset(&self, other: &Self) -> bool {
        let others = other.words().iter().copied().chain(core::iter::repeat(0));
        self.words().iter().zip(others).all(|(mine, others)| mine & !others == 0)
    }

    /// Whether the set is empty.
    ///
    /// # Examples
    /// ```
    /// assert!(causal::Set::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        match &self.0 {
            Words::Inline(words) => words.iter().all(|&word| word == 0),
            Words::Shared(_) => false,
        }
    }

    /// The number of members.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// assert_eq!(Set::from_iter([a, b, a]).len(), 2);
    /// # let _ = c;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn len(&self) -> usize {
        self.words().iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The members, in the order of their indices.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process, Set};
    /// # let mut me = Process::<_, ()>::new("me", Config::default());
    /// # let [a, b, c] = [me.intern("a")?, me.intern("b")?, me.intern("c")?];
    /// assert!(Set::from_iter([c, a]).iter().eq([a, c]));
    /// # let _ = b;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Index> + '_ {
        self.words().iter().enumerate().flat_map(|(position, &word)| {
            let mut left = word;
            core::iter::from_fn(move || {
                let bit = left.trailing_zeros() as usize;
                (left != 0).then(|| {
                    left &= left - 1;
                    Index::at(position * BITS + bit)
                })
            })
        })
    }

    /// One more than the greatest position in the set; 0 for the empty set.
    pub(crate) fn end(&self) -> usize {
        self.trimmed().last().map_or(0, |top| (self.trimmed().len() - 1) * BITS + (BITS - top.leading_zeros() as usize))
    }

    /// Takes `process` out if that costs no allocation. It costs none whenever `process` might be the last member.
    pub(crate) fn remove_if_inline(&mut self, process: Index) {
        let (word, bit) = place(process);
        let Words::Inline(words) = &mut self.0 else { return };
        if let Some(word) = words.get_mut(word) {
            *word &= !bit;
        }
    }

    fn words(&self) -> &[u64] {
        match &self.0 {
            Words::Inline(words) => words,
            Words::Shared(words) => words,
        }
    }

    fn trimmed(&self) -> &[u64] {
        let words = self.words();
        let zeros = words.iter().rev().take_while(|&&word| word == 0).count();
        &words[..words.len() - zeros]
    }

    /// Replaces every word by `keep(mine, others)`, which must not add bits to `mine`.
    fn narrow(&mut self, other: &Self, keep: impl Fn(u64, u64) -> u64) {
        let others = other.words();
        let of = |position: usize| others.get(position).copied().unwrap_or(0);
        match &mut self.0 {
            Words::Inline(words) => {
                for (position, word) in words.iter_mut().enumerate() {
                    *word = keep(*word, of(position));
                }
            }
            Words::Shared(words) => {
                let stays = |position: usize| keep(words[position], of(position));
                if (INLINE..words.len()).all(|position| stays(position) == 0) {
                    self.0 = Words::Inline(core::array::from_fn(stays));
                } else if (0..words.len()).any(|position| stays(position) != words[position]) {
                    for (position, word) in Arc::make_mut(words).iter_mut().enumerate() {
                        *word = keep(*word, of(position));
                    }
                }
            }
        }
    }

    /// Goes back inline once no member lies beyond the inline words.
    fn settle(&mut self) {
        let words = self.words();
        if words.iter().skip(INLINE).all(|&word| word == 0) {
            self.0 = Words::Inline(core::array::from_fn(|position| words.get(position).copied().unwrap_or(0)));
        }
    }
}

/// The word and the bit in it that stand for `process`.
fn place(process: Index) -> (usize, u64) {
    (process.position() / BITS, 1 << (process.position() % BITS))
}

impl Default for Set {
    fn default() -> Self {
        Self::new()
    }
}

impl FromIterator<Index> for Set {
    fn from_iter<I: IntoIterator<Item = Index>>(processes: I) -> Self {
        let mut inline = [0; INLINE];
        let mut beyond = Vec::new();
        for process in processes {
            let (word, bit) = place(process);
            if let Some(word) = inline.get_mut(word) {
                *word |= bit;
                continue;
            }
            if word - INLINE >= beyond.len() {
                beyond.resize(word - INLINE + 1, 0);
            }
            beyond[word - INLINE] |= bit;
        }
        if beyond.is_empty() {
            Self(Words::Inline(inline))
        } else {
            Self(Words::Shared(inline.into_iter().chain(beyond).collect()))
        }
    }
}

impl PartialEq for Set {
    fn eq(&self, other: &Self) -> bool {
        let same =
            matches!((&self.0, &other.0), (Words::Shared(mine), Words::Shared(others)) if Arc::ptr_eq(mine, others));
        same || self.trimmed() == other.trimmed()
    }
}

impl Eq for Set {}

impl PartialOrd for Set {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Some total order, so that sets can be keys.
impl Ord for Set {
    fn cmp(&self, other: &Self) -> Ordering {
        self.trimmed().cmp(other.trimmed())
    }
}

impl fmt::Debug for Set {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(Index::position)).finish()
    }
}
