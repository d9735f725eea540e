//! When the user is told that a person is shown in another way: at once, and then no more often than every
//! `Config::renamed_notice`, however often a person changes their name or takes another person's.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::directory::Changed;
use crate::store::Store;
use crate::{Event, PersonId, Who};

use super::{Now, Peer};

/// What the user was told last of those who are shown in another way than before.
#[derive(Debug, Default)]
pub(super) struct Labels {
    told: BTreeMap<PersonId, Told>,
    /// When the next person is to be told of again.
    next: Option<Duration>,
}

#[derive(Debug)]
struct Told {
    who: Arc<Who>,
    at: Duration,
    /// They are shown in another way since.
    stale: bool,
}

impl Labels {
    pub(super) fn next(&self) -> Option<(Duration, &'static str)> {
        self.next.map(|at| (at, "people are shown in another way"))
    }

    /// A person was shown as `before` and is shown as `who` now. Whether the user is told so at once.
    fn note(&mut self, now: Duration, interval: Duration, who: &Arc<Who>) -> bool {
        if let Some(told) = self.told.get_mut(&who.person)
            && now < told.at + interval
        {
            told.stale = true;
            let due = told.at + interval;
            self.next = Some(self.next.map_or(due, |next| next.min(due)));
            return false;
        }
        self.told.insert(who.person, Told { who: Arc::clone(who), at: now, stale: false });
        true
    }

    /// Those who are to be told of by now, as they were told of before.
    fn due(&mut self, now: Duration, interval: Duration) -> Vec<Arc<Who>> {
        if self.next.is_none_or(|next| now < next) {
            return Vec::new();
        }
        let due = self.told.extract_if(.., |_, told| told.stale && told.at + interval <= now);
        let due = due.map(|(_, told)| told.who).collect();
        self.next = self.told.values().filter(|told| told.stale).map(|told| told.at + interval).min();
        due
    }
}

impl<S: Store> Peer<S> {
    pub(super) fn tell_changed<'a>(&mut self, now: Now, changed: impl IntoIterator<Item = &'a Changed>) {
        for Changed { person, before } in changed {
            self.tell_shown(now, *person, before);
        }
    }

    /// Tells what was put off.
    pub(super) fn tell_put_off(&mut self, now: Now) {
        for before in self.labels.due(now.monotonic, self.config.renamed_notice) {
            if *self.directory.who(before.person) != *before {
                self.tell_shown(now, before.person, &before);
            }
        }
    }

    fn tell_shown(&mut self, now: Now, person: PersonId, before: &Who) {
        // Nobody writes to those who are forgotten.
        if self.directory.process_of(person).is_none() {
            return;
        }
        let who = self.directory.who(person);
        if self.labels.note(now.monotonic, self.config.renamed_notice, &who) {
            let (before, before_name) = (before.label.clone(), before.name.clone());
            self.tell(Event::PersonChanged { who, before, before_name });
        }
    }
}
