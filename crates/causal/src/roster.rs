//! Process ids and the dense numbers that stand for them inside one process.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

#[cfg(test)]
mod tests;

/// The number of a process in one [`Roster`]: small, dense, and meaningless to other processes.
///
/// Two rosters number the same processes differently. So what leaves a process is an [`Envelope`](crate::Envelope) or goes
/// through [`wire`](crate::wire): both translate.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// let bob = alice.intern("bob")?;
/// assert_eq!((alice.me().position(), bob.position()), (0, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Index(u32);

impl Index {
    /// The process that owns the roster: it is always the first that its roster numbers.
    pub(crate) const ME: Self = Self(0);

    /// The place of this process in its roster, from 0. Use it to index your own tables.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let mut addresses = vec!["::1"];
    /// let bob = alice.intern("bob")?;
    /// addresses.push("fe80::1");
    /// assert_eq!(addresses[bob.position()], "fe80::1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn position(self) -> usize {
        self.0 as usize
    }

    /// The process at a place below a roster's length (which is at most `u32::MAX`).
    pub(crate) fn at(position: usize) -> Self {
        Self(u32::try_from(position).expect("a roster numbers its processes with 32 bits"))
    }
}

/// The processes that one process has heard of, each with its [`Index`]. It only grows.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config::default());
/// alice.intern("bob")?;
/// assert!(alice.roster().iter().map(|(_, id)| *id).eq(["alice", "bob"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Roster<P> {
    ids: Vec<P>,
    indices: BTreeMap<P, Index>,
    limit: usize,
}

/// The roster is full: it has [`Config::max_processes`](crate::Config::max_processes) processes.
///
/// # Examples
/// ```
/// # use causal::{Config, Process};
/// # let mut alice = Process::<_, ()>::new("alice", Config { max_processes: 1, ..Config::default() });
/// assert_eq!(alice.intern("bob"), Err(causal::Full { limit: 1 }));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{limit} processes are known already, which is the limit: forget nothing, raise `max_processes` or refuse the newcomer"
)]
pub struct Full {
    /// The limit that was reached.
    pub limit: usize,
}

impl<P: Ord + Clone> Roster<P> {
    /// A roster that holds only its owner.
    pub(crate) fn new(me: P, limit: usize) -> Self {
        let mut indices = BTreeMap::new();
        indices.insert(me.clone(), Index::ME);
        Self { ids: alloc::vec![me], indices, limit: limit.clamp(1, u32::MAX as usize) }
    }

    /// The index of `id`, a new one if this is the first time that it is seen. Logarithmic in the number of processes.
    ///
    /// # Errors
    /// [`Full`] if `id` is new and there is no room for it.
    pub(crate) fn intern(&mut self, id: P) -> Result<Index, Full> {
        if let Some(&index) = self.indices.get(&id) {
            return Ok(index);
        }
        if self.ids.len() >= self.limit {
            return Err(Full { limit: self.limit });
        }
        let index = Index::at(self.ids.len());
        self.ids.push(id.clone());
        self.indices.insert(id, index);
        Ok(index)
    }

    /// The index of `id`, if it was ever interned. Logarithmic in the number of processes.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let alice = Process::<_, ()>::new("alice", Config::default());
    /// assert_eq!(alice.roster().index(&"alice"), Some(alice.me()));
    /// assert_eq!(alice.roster().index(&"bob"), None);
    /// ```
    pub fn index(&self, id: &P) -> Option<Index> {
        self.indices.get(id).copied()
    }

    /// The id that `index` stands for.
    ///
    /// # Panics
    /// If `index` comes from another roster that is longer than this one.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// let bob = alice.intern("bob")?;
    /// assert_eq!(alice.roster().id(bob), &"bob");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn id(&self, index: Index) -> &P {
        &self.ids[index.position()]
    }

    /// How many processes are known, the owner of the roster included.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.intern("bob")?;
    /// assert_eq!(alice.roster().len(), 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[expect(clippy::len_without_is_empty, reason = "its owner is always in it")]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// All known processes, in the order of the indices.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.intern("bob")?;
    /// assert!(alice.roster().iter().map(|(index, id)| (index.position(), *id)).eq([(0, "alice"), (1, "bob")]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Index, &P)> {
        self.ids.iter().enumerate().map(|(position, id)| (Index::at(position), id))
    }
}
