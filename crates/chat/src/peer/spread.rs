//! Messages of mine that take long to reach somebody who is reachable: the user is told, once for all of them.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::Event;
use crate::store::Store;

use super::{Now, Peer};

/// What is watched, and what the user was told.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// What went out, and when, oldest first.
    watched: VecDeque<(Clock, Duration)>,
    /// What the user was told is still on its way.
    late: BTreeSet<Clock>,
    /// And to whom.
    told: Set,
    /// The newest of what was told, and how many there were.
    newest: Clock,
    count: usize,
    /// One of the people whom the user was told of went away without it.
    left_behind: bool,
}

impl<S: Store> Peer<S> {
    /// A text of mine goes out now.
    pub(super) fn watch_spread(&mut self, now: Now, clock: Clock) {
        if self.watch.watched.len() < self.config.max_watched {
            self.watch.watched.push_back((clock, now.monotonic));
        }
    }

    /// Texts of mine that were under `-delay` go out now, and what waited for them behind.
    pub(super) fn watch_released(&mut self, now: Now, clocks: &[Clock]) {
        self.watch.watched.iter_mut().for_each(|(_, at)| *at = now.monotonic);
        for &clock in clocks {
            self.watch_spread(now, clock);
        }
    }

    pub(super) fn next_spread(&self) -> Option<(Duration, &'static str)> {
        let &(_, at) = self.watch.watched.front()?;
        Some((at + self.config.spread_notice, "a message is on its way"))
    }

    /// Tells the user what has been on its way for long, unless that is known of all to whom it is.
    pub(super) fn announce_unspread(&mut self, now: Now) {
        let before = self.watch.told.clone();
        while let Some(&(clock, at)) = self.watch.watched.front()
            && at + self.config.spread_notice <= now.monotonic
        {
            self.watch.watched.pop_front();
            // It waits for what this user holds back himself.
            if self.outbox.delayed().next().is_some_and(|delayed| delayed < clock) {
                self.watch.watched.push_back((clock, now.monotonic));
                continue;
            }
            let missing = self.reachable_without(clock);
            if missing.is_empty() {
                continue;
            }
            self.watch.told.extend_from(&missing.into_iter().collect());
            self.watch.late.insert(clock);
            self.watch.newest = clock;
            self.watch.count += 1;
        }
        if let Some(&oldest) = self.watch.late.first()
            && !self.watch.told.difference(&before).is_empty()
        {
            let missing = self.people(self.watch.told.iter());
            let id = self.id_of(self.causal.me(), oldest);
            self.tell(Event::Unspread { id, messages: self.watch.late.len(), missing });
        }
    }

    /// Who is here and has not acknowledged my message.
    fn reachable_without(&self, clock: Clock) -> Vec<Index> {
        let Some(outgoing) = self.outbox.message(clock) else { return Vec::new() };
        outgoing.outstanding.iter().filter(|process| self.link_of.contains_key(process)).collect()
    }

    /// Tells the user that what was announced has arrived, once all of it has. If a person whom it was announced of has gone away
    /// without it, it has not: that they are gone was told, and nothing more is said.
    pub(super) fn note_spread(&mut self) {
        if self.watch.late.is_empty() {
            return;
        }
        let mut late = std::mem::take(&mut self.watch.late);
        late.retain(|&clock| {
            let is_late = !self.reachable_without(clock).is_empty();
            let lacks = |told: &Set| {
                self.outbox.message(clock).is_some_and(|message| !message.outstanding.intersection(told).is_empty())
            };
            self.watch.left_behind |= !is_late && lacks(&self.watch.told);
            is_late
        });
        if late.is_empty() {
            if !self.watch.left_behind {
                let id = self.id_of(self.causal.me(), self.watch.newest);
                self.tell(Event::Spread { id, messages: self.watch.count });
            }
            self.watch = Watch { watched: std::mem::take(&mut self.watch.watched), ..Watch::default() };
        } else {
            self.watch.late = late;
        }
    }
}
