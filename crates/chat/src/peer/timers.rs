//! What has to happen at a certain time.

use std::time::Duration;

use causal::Clock;

use crate::store::Store;
use crate::{Event, HeldInfo};

use super::{Now, Peer};

/// From how much on being called too late means that the time since the last call was a pause. A busy machine is late by less.
const PAUSE: Duration = Duration::from_secs(1);

impl<S: Store> Peer<S> {
    /// When [`handle_timeout`](Self::handle_timeout) has to be called at the latest (monotonic), and why.
    pub fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        let behind = self.is_behind().then_some((Duration::ZERO, "a link lacks messages"));
        let due = self.outbox.next_due().map(|due| (due, "a delayed message is due"));
        let notice = self.next_held_notice().map(|at| (at, "a message is held"));
        let spread = self.next_spread();
        [
            behind,
            due,
            self.schedule.next(),
            notice,
            spread,
            self.next_count_of_absent(),
            self.homecoming.next(),
            self.next_of_vectors(),
            self.next_repair(),
            self.next_of_carry(),
            self.gate.next(self.config.abandon_after),
            self.next_answer(),
            self.labels.next(),
            self.claim.next(),
            self.talks.unread_notice.next().map(|at| (at, "there is news of what is unread")),
            self.undelivered.next(),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The clock moved.
    pub fn handle_timeout(&mut self, now: Now) {
        self.allow_for_pause(now);
        self.answer_requests(now);
        self.release_due(now, now.monotonic);
        self.say_scheduled(now, now.monotonic);
        self.announce_held(now);
        self.announce_unspread(now);
        self.tell_put_off(now);
        self.announce_clash(now);
        self.count_absent(now);
        self.look_at_homecoming(now);
        self.mend(now);
        self.give_up_fetching(now);
        self.look_after_parcels(now);
        self.exchange_vectors(now);
        self.ask_again_after_refusals(now);
        self.pump_all();
    }

    /// This peer was not called for a while: its process was stopped, or nothing could be kept. What came meanwhile has not been
    /// looked at yet, so that time does not count for what is waited for.
    pub(super) fn allow_for_pause(&mut self, now: Now) {
        if now.monotonic.saturating_sub(self.expected) > PAUSE {
            let pause = now.monotonic - self.called;
            (self.called, self.expected) = (now.monotonic, now.monotonic);
            self.repair.put_off(pause);
            self.gate.put_off(pause);
        }
    }

    /// The user leaves: what is stamped and under `-delay` goes out now; so does what is scheduled, where no store would keep it.
    pub fn handle_shutdown(&mut self, now: Now) {
        if !self.ledger.is_on() {
            self.say_scheduled(now, Duration::MAX);
        }
        self.flush(now);
        self.release_due(now, Duration::MAX);
        self.journal(crate::Journal::Stop);
    }

    /// When the user may have to be told of a held message. While more are held than a person can follow, most of them are
    /// released within moments; those that are not are missing something that has to be asked for.
    fn next_held_notice(&self) -> Option<Duration> {
        let &(_, _, _, at) = self.held_since.front()?;
        let is_crowded = self.causal.held() > self.config.max_told_held;
        Some(at + if is_crowded { self.config.ask_after } else { self.config.held_notice })
    }

    /// Tells the user what has been held for longer than an eye-blink, as far as a person can follow.
    fn announce_held(&mut self, now: Now) {
        while self.next_held_notice().is_some_and(|at| at <= now.monotonic) {
            let Some((author, first, followers, _)) = self.held_since.pop_front() else { break };
            for clock in first..=first + Clock::from(followers) {
                if self.announced.len() >= self.config.max_told_held {
                    break;
                }
                if !self.causal.waits_for(author, clock).is_empty() {
                    self.announced.insert((author, clock));
                    let held = self.held_info(author, clock);
                    self.tell(Event::Held { held });
                }
            }
        }
    }

    pub(super) fn held_info(&mut self, author: causal::Index, clock: Clock) -> HeldInfo {
        let waits_for = self.causal.waits_for(author, clock);
        let mut missing = Vec::with_capacity(waits_for.len());
        let mut fetching = Vec::new();
        for (author, clock) in waits_for {
            if self.gate.holds((author, clock)) {
                fetching.extend(self.fetching_for((author, clock)));
            } else {
                let who = self.directory.who(self.person_of(author));
                missing.push((self.id_of(author, clock), who));
            }
        }
        let from = self.directory.who(self.person_of(author));
        HeldInfo { id: self.id_of(author, clock), from, missing, fetching }
    }

    pub(super) fn fetching_for(&mut self, welcome: (causal::Index, Clock)) -> Vec<String> {
        let waiting = self.gate.waiting().find(|(kept, _)| (kept.stamp().sender, kept.stamp().clock) == welcome);
        let conversations: Vec<_> = waiting.into_iter().flat_map(|(_, of)| of).cloned().collect();
        conversations.iter().map(|conversation| self.conversation_label(conversation)).collect()
    }
}
