//! Saving and restoring the state of a process.

use core::borrow::Borrow;

use super::Process;
use crate::horizon::Horizon;
use crate::snapshot::{Progress, RestoreError, Snapshot};
use crate::{Config, Stamp};

impl<P: Ord + Clone, M, S: Borrow<Stamp>> Process<P, M, S> {
    /// The persisted state, without the held messages. After a restore, receive those again, and ask again about the entries in
    /// them that were found [`void`](Self::void). Takes time for all known processes and all remembered entries.
    ///
    /// # Examples
    /// ```
    /// # use causal::{Config, Process};
    /// # let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.send(["bob"])?;
    /// let snapshot = alice.snapshot();
    /// assert_eq!((snapshot.clock, snapshot.processes), (1, vec!["alice", "bob"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn snapshot(&self) -> Snapshot<P> {
        Snapshot {
            processes: self.roster.iter().map(|(_, id)| id.clone()).collect(),
            clock: self.clock,
            abandonments: self.abandonments,
            authors: (0..self.roster.len()).map(|at| self.progress(at)).collect(),
            forgotten: self.forgotten.clone(),
            log: self.log.iter().collect(),
        }
    }

    /// A process that goes on from `snapshot`, with the same indices.
    ///
    /// # Errors
    /// [`RestoreError`] if the snapshot has more processes than `config` allows, or contradicts itself.
    ///
    /// # Examples
    /// ```
    /// use causal::{Config, Process, Snapshot};
    /// let mut alice = Process::<_, ()>::new("alice", Config::default());
    /// alice.send(["bob"])?;
    /// let mut alice = Process::<_, ()>::restore(alice.snapshot(), Config::default())?;
    /// assert_eq!(alice.send(["bob"])?.clock(), 2);
    /// let nobody = Snapshot { processes: vec![], ..alice.snapshot() };
    /// assert!(Process::<&str, ()>::restore(nobody, Config::default()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn restore(snapshot: Snapshot<P>, config: Config) -> Result<Self, RestoreError> {
        snapshot.check(&config)?;
        let mut ids = snapshot.processes.into_iter();
        let mut process = Self::lending(ids.next().expect("checked: the first is the owner"), config);
        for id in ids {
            process.intern(id)?;
        }
        if process.roster.len() < snapshot.authors.len() {
            return Err(RestoreError::Inconsistent("a process is listed twice"));
        }
        process.clock = snapshot.clock;
        process.abandonments = snapshot.abandonments;
        for (at, Progress { delivered, vouched, completed, holes }) in snapshot.authors.into_iter().enumerate() {
            process.horizons[at] = Horizon::restored(delivered, holes);
            process.vouched[at] = vouched;
            process.completed[at] = completed;
        }
        process.forgotten = snapshot.forgotten;
        for items in snapshot.log.chunk_by(|a, b| a.sender == b.sender) {
            process.log.restore(items[0].sender, items.iter().map(|entry| (entry.clock, entry.dests.clone())));
        }
        Ok(process)
    }

    fn progress(&self, at: usize) -> Progress {
        let horizon = &self.horizons[at];
        Progress {
            delivered: horizon.delivered(),
            vouched: self.vouched[at],
            completed: self.completed[at],
            holes: horizon.holes().to_vec(),
        }
    }
}
