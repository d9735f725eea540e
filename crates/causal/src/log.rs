//! The messages that may still be on their way, as far as a process knows: `LOG` of Algorithm 6.3 in Kshemkalyani and Singhal,
//! "Distributed Computing: Principles, Algorithms, and Systems", §6.5, kept by author.
//!
//! It differs from the book in three points:
//!
//! - A message carries the log as it stood, one for all destinations. The receiver does the reduction of step (1b) itself, as
//!   the first step of the merge. That reduction also drops entries that are empty then and have a newer one beside them; here
//!   the purge at the end of the merge drops them.
//! - Entries count as newer only up to the clock that their author vouched for.
//! - A purge also follows step (1d).

use alloc::vec::Vec;
use core::borrow::Borrow;

use smallvec::SmallVec;

use crate::config::Trust;
use crate::holdback::Pending;
use crate::{Clock, Entries, Entry, Index, Markers, Set, Stamp};

/// One author's entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) clock: Clock,
    /// While the set is shared it may still name the owner of the log, because taking the owner out would allocate. See
    /// [`Log::strip`].
    pub(crate) dests: Set,
}

type Items = SmallVec<[Item; 2]>;

/// Stands in place of the clock of an incoming item that was merged into a known one.
const MERGED: Clock = 0;

#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    /// By author; ordered by clock.
    authors: Vec<Items>,
    /// The authors with an entry that names a destination, in order.
    live: Vec<Index>,
    len: usize,
    /// Room for the merge, kept so that it is allocated once.
    incoming: Items,
}

impl Log {
    /// Makes room for processes up to `count`.
    pub(crate) fn grow(&mut self, count: usize) {
        self.authors.resize_with(count, Items::new);
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// How many entries name a destination.
    pub(crate) fn live(&self) -> usize {
        self.live
            .iter()
            .flat_map(|author| &self.authors[author.position()])
            .filter(|item| !item.dests.is_empty())
            .count()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Entry> + '_ {
        self.authors.iter().enumerate().flat_map(|(position, items)| {
            items.iter().map(move |item| {
                let mut dests = item.dests.clone();
                dests.remove(Index::ME);
                Entry { sender: Index::at(position), clock: item.clock, dests }
            })
        })
    }

    /// Takes in entries of a snapshot, ordered by clock, for an author that has none yet.
    pub(crate) fn restore(&mut self, author: Index, items: impl Iterator<Item = (Clock, Set)>) {
        let known = &mut self.authors[author.position()];
        known.extend(items.map(|(clock, dests)| Item { clock, dests }));
        self.len += known.len();
        self.relist(author);
    }

    /// What a message carries: the entries that name a destination, and the markers if the rule says so.
    pub(crate) fn outgoing(&mut self, markers: Markers) -> Entries {
        self.strip();
        let all = match markers {
            Markers::Always => true,
            Markers::Beyond(limit) => {
                let live = self.live();
                live > limit && live >= self.len - live
            }
        };
        if all {
            return self.iter().collect();
        }
        let named = self.live.iter().flat_map(|&sender| {
            let items = self.authors[sender.position()].iter().filter(|item| !item.dests.is_empty());
            items.map(move |item| Entry { sender, clock: item.clock, dests: item.dests.clone() })
        });
        named.collect()
    }

    /// Steps (1c) and (1d): takes `dests` out of the entries, because the message now tells them, and adds the message itself.
    pub(crate) fn send(&mut self, clock: Clock, dests: &Set, vouched: impl Fn(Index) -> Clock) {
        for at in 0..self.live.len() {
            let author = self.live[at];
            for item in &mut self.authors[author.position()] {
                item.dests.subtract(dests);
                item.dests.remove_if_inline(Index::ME);
            }
            self.len -= purge(&mut self.authors[author.position()], vouched(author));
        }
        let authors = &self.authors;
        self.live.retain(|author| authors[author.position()].iter().any(|item| !item.dests.is_empty()));
        self.authors[Index::ME.position()].push(Item { clock, dests: dests.clone() });
        self.len += 1;
        self.purge(Index::ME, vouched(Index::ME));
        self.relist(Index::ME);
    }

    /// Steps (2c) to (2e), after the reduction of (1b) for this destination. Leaves out entries about this process's own
    /// messages beyond `own_clock`, because they are made up. Under [`Trust::Vouched`] it leaves out all entries about its own
    /// messages: this process knows itself which of them are on their way, and makes them obsolete when it sends to the same
    /// destinations again.
    ///
    /// A run is merged in one step. The messages after its first carry nothing about other authors. They make everything that
    /// was known of their own author obsolete, so only the last message is left to remember.
    pub(crate) fn merge<M, S: Borrow<Stamp>>(
        &mut self,
        pending: &Pending<M, S>,
        (own_clock, trust): (Clock, Trust),
        forgotten: &Set,
        vouched: impl Fn(Index) -> Clock,
    ) {
        let stamp = pending.stamp();
        let newest = pending.last(stamp.clock);
        let remaining = |mut dests: Set| {
            if !forgotten.is_empty() {
                dests.subtract(forgotten);
            }
            dests.remove_if_inline(Index::ME);
            dests
        };
        let mut joined = false;
        let mut rest = &stamp.log[..];
        while let Some(author) = rest.first().map(|entry| entry.sender) {
            let run = rest.iter().take_while(|entry| entry.sender == author).count();
            let (run, others) = rest.split_at(run);
            rest = others;
            if author == Index::ME && trust == Trust::Vouched {
                continue;
            }
            let superseded = author == stamp.sender && newest > stamp.clock;
            for entry in run.iter().filter(|_| !superseded) {
                let made_up = author == Index::ME && entry.clock > own_clock;
                if !made_up && !pending.is_void(author, entry.clock) {
                    let dests = remaining(entry.dests.difference(&stamp.dests));
                    self.incoming.push(Item { clock: entry.clock, dests });
                }
            }
            let vouched = vouched(author);
            if author == stamp.sender {
                self.incoming.push(Item { clock: newest, dests: remaining(stamp.dests.clone()) });
                joined = true;
            }
            self.merge_author(author, vouched);
        }
        if !joined {
            self.incoming.push(Item { clock: newest, dests: remaining(stamp.dests.clone()) });
            self.merge_author(stamp.sender, vouched(stamp.sender));
        }
    }

    /// Takes `process` out of every entry.
    pub(crate) fn forget(&mut self, process: Index, vouched: impl Fn(Index) -> Clock) {
        for author in core::mem::take(&mut self.live) {
            for item in &mut self.authors[author.position()] {
                item.dests.remove(process);
                item.dests.remove_if_inline(Index::ME);
            }
            self.purge(author, vouched(author));
            self.relist(author);
        }
    }

    /// Drops the entries of `author` after `above`, up to `up_to`.
    pub(crate) fn void(&mut self, author: Index, above: Clock, up_to: Clock) {
        let items = &mut self.authors[author.position()];
        let before = items.len();
        items.retain(|item| item.clock <= above || item.clock > up_to);
        self.len -= before - items.len();
        self.relist(author);
    }

    /// Drops the markers of `author` that are obsolete because of a newer entry up to the clock `vouched`.
    pub(crate) fn purge(&mut self, author: Index, vouched: Clock) {
        self.len -= purge(&mut self.authors[author.position()], vouched);
    }

    /// Steps (2d) and (2e) for one author: merges `incoming`, which it leaves empty.
    fn merge_author(&mut self, author: Index, vouched: Clock) {
        let known = &mut self.authors[author.position()];
        let before = known.len();
        let (newest_known, newest_incoming) = (newest(known, vouched), newest(&self.incoming, vouched));
        let mut theirs = self.incoming.iter_mut().peekable();
        known.retain(|mine| {
            while theirs.next_if(|theirs| theirs.clock < mine.clock).is_some() {}
            match theirs.next_if(|theirs| theirs.clock == mine.clock) {
                Some(theirs) => {
                    mine.dests.intersect(&theirs.dests);
                    mine.dests.remove_if_inline(Index::ME);
                    theirs.clock = MERGED;
                    true
                }
                None => mine.clock >= newest_incoming,
            }
        });
        let kept = known.last().map_or(0, |item| item.clock);
        known.extend(self.incoming.drain(..).filter(|theirs| theirs.clock != MERGED && theirs.clock >= newest_known));
        if known.iter().any(|item| item.clock < kept) {
            known.sort_unstable_by_key(|item| item.clock);
        }
        purge(known, vouched);
        self.len = self.len - before + known.len();
        self.relist(author);
    }

    /// Takes the owner out of the entries that are about to be sent.
    fn strip(&mut self) {
        for author in &self.live {
            for item in &mut self.authors[author.position()] {
                item.dests.remove(Index::ME);
            }
        }
    }

    /// Lists `author` in `live` exactly if one of its entries names a destination.
    fn relist(&mut self, author: Index) {
        let names = self.authors[author.position()].iter().any(|item| !item.dests.is_empty());
        match (self.live.binary_search(&author), names) {
            (Err(at), true) => self.live.insert(at, author),
            (Ok(at), false) => {
                self.live.remove(at);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }
}

/// `PURGE_NULL_ENTRIES` for one author: drops the items without destinations that have a newer one beside them. Items beyond
/// the clock `vouched` do not count as newer. Returns how many it dropped.
fn purge(items: &mut Items, vouched: Clock) -> usize {
    let before = items.len();
    if before > 1 {
        let newest = newest(items, vouched);
        items.retain(|item| !(item.dests.is_empty() && item.clock < newest));
    }
    before - items.len()
}

/// The greatest clock in `items` up to `vouched`; 0 without one.
fn newest(items: &Items, vouched: Clock) -> Clock {
    items.iter().rev().find(|item| item.clock <= vouched).map_or(0, |item| item.clock)
}
