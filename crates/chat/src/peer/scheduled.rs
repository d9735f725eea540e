//! Texts that are to go out later, and how they are taken back.
//!
//! A short delay stamps a text when it is written ([`sending`](super::sending)): what its author says meanwhile depends on it, and
//! a peer that gets that waits for it. A longer delay only writes down what is to be said, to whom and when. It is stamped when it goes
//! out, so nobody waits for it. What `@NAME` meant is settled when it is written: a person by their key, a group by its name.
//!
//! A stamped text cannot vanish, since others may know of its clock already. So what is taken back leaves a void message under the
//! same stamp, which is delivered in its place, by whatever way, and shows nothing. Nobody was given the text before, so nobody can
//! have both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use causal::Clock;
use serde::{Deserialize, Serialize};

use crate::body::{self, Body, First, Welcome};
use crate::codec;
use crate::history::{Conversation, Entry};
use crate::kept::{Kept, SignedBatch};
use crate::store::{Change, Store, StoreError};
use crate::{Answer, Event, Message, MessageId, Refusal, WaitingInfo};

use super::{Now, Peer};

/// The longest text that is read back, with what stands beside it, in bytes.
const MAX_KEPT: usize = codec::MAX_INPUT;

/// A text that is to be said later, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Text {
    conversation: Conversation,
    text: String,
    /// When it was written, Unix time in microseconds.
    written_at: i64,
    /// When it is to go out, likewise; not by itself if there is no such time.
    due: Option<i64>,
    /// What it was said as first, if it may have reached some.
    first: Option<First>,
}

/// A text that is to be said later.
#[derive(Debug)]
struct Scheduled {
    text: Text,
    /// When it is to go out (monotonic).
    due: Option<Duration>,
    /// It was read from the store: should that be a copy that was put back, it may have gone out already.
    is_old: bool,
}

/// What has not gone out yet, by the numbers that the user knows it by. In one run of the peer no number is used twice.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    texts: BTreeMap<u64, Scheduled>,
    /// The texts that are stamped and delayed.
    stamped: BTreeMap<u64, Clock>,
    last: u64,
    /// What went out of that which was read from the store, by clock.
    old_and_said: BTreeSet<Clock>,
}

impl Schedule {
    /// A delayed text is stamped so: it gets a number.
    pub(super) fn note_stamped(&mut self, clock: Clock) {
        self.last += 1;
        self.stamped.insert(self.last, clock);
    }

    /// These texts go out now.
    pub(super) fn note_released(&mut self, clocks: &[Clock]) {
        self.stamped.retain(|_, clock| !clocks.contains(clock));
    }

    /// What was stamped was for whom I am no longer.
    pub(super) fn begin_anew(&mut self) {
        self.stamped.clear();
        self.old_and_said.clear();
    }

    /// What the store has is read again. No number is used for something else.
    pub(super) fn go_back(&mut self) {
        *self = Self { last: self.last, ..Self::default() };
    }

    /// When the next text goes out.
    pub(super) fn next(&self) -> Option<(Duration, &'static str)> {
        let due = self.texts.values().filter_map(|scheduled| scheduled.due).min();
        due.map(|due| (due, "a scheduled text is due"))
    }

    /// Whether what went out under this clock may have gone out in an earlier life, of which the store knows nothing.
    pub(super) fn may_be_said_already(&self, clock: Clock) -> bool {
        self.old_and_said.contains(&clock)
    }
}

impl<S: Store> Peer<S> {
    /// Writes down what is to be said later.
    pub(super) fn schedule(
        &mut self,
        now: Now,
        conversation: Conversation,
        text: ByteString,
        delay: Duration,
    ) -> Result<WaitingInfo, Refusal> {
        if self.schedule.texts.len() >= self.config.max_scheduled {
            return Err(Refusal::TooMany {
                what: "texts that are to go out later".to_owned(),
                limit: self.config.max_scheduled,
                config: "max_scheduled".to_owned(),
            });
        }
        let due = now.unix_micros.saturating_add(micros(delay));
        let text = Text { conversation, text: text.into(), written_at: now.unix_micros, due: Some(due), first: None };
        let number = self.put_off(text, Some(now.monotonic + delay));
        self.waiting_text(now, number).ok_or(Refusal::NothingWaits { number: Some(number) })
    }

    fn put_off(&mut self, text: Text, due: Option<Duration>) -> u64 {
        self.schedule.last += 1;
        let number = self.schedule.last;
        self.schedule.texts.insert(number, Scheduled { text, due, is_old: false });
        self.keep_scheduled(number);
        number
    }

    fn keep_scheduled(&mut self, number: u64) {
        if self.ledger.is_on() {
            let text = self.schedule.texts.get(&number).map(|scheduled| codec::encode(&scheduled.text));
            self.effects.durable.push(Change::Scheduled { number, text });
        }
    }

    /// Goes on from what was kept. What was due before goes out soon: first those who are there say whether this store is a copy
    /// that was put back.
    pub(super) fn restore_scheduled(&mut self, now: Now, kept: Vec<(u64, Bytes)>) -> Result<(), StoreError> {
        for (number, bytes) in kept {
            let text: Text = codec::decode(&bytes, MAX_KEPT)
                .map_err(|malformed| StoreError::Unreadable { reason: malformed.to_string() })?;
            let due = text.due.map(|due| now.monotonic + self.wait(now, due, text.written_at));
            let due = due.map(|due| due.max(now.monotonic + self.config.overdue_after));
            self.schedule.last = self.schedule.last.max(number);
            self.schedule.texts.insert(number, Scheduled { text, due, is_old: true });
        }
        let stamped: Vec<Clock> = self.outbox.delayed().filter(|&clock| !self.outbox.is_welcome(clock)).collect();
        stamped.into_iter().for_each(|clock| self.schedule.note_stamped(clock));
        Ok(())
    }

    /// How long what was written then and is due then has to wait. Should the clock have been set back meanwhile, it is not for longer
    /// than it was to be from the beginning.
    pub(super) fn wait(&self, now: Now, due: i64, written_at: i64) -> Duration {
        let from = now.unix_micros.max(written_at);
        let wait = u64::try_from(due.saturating_sub(from)).unwrap_or(0);
        Duration::from_micros(wait).min(self.config.max_delay)
    }

    /// Says what is due by `until`.
    pub(super) fn say_scheduled(&mut self, now: Now, until: Duration) {
        let is_due = |scheduled: &Scheduled| scheduled.due.is_some_and(|due| due <= until);
        let mut due: Vec<(Duration, u64)> = self
            .schedule
            .texts
            .iter()
            .filter(|(_, scheduled)| is_due(scheduled))
            .filter_map(|(&number, scheduled)| Some((scheduled.due?, number)))
            .collect();
        due.sort_unstable();
        for (_, number) in due {
            self.say_one(now, number);
        }
    }

    /// Says a scheduled text now; where that is refused its user decides what becomes of it.
    fn say_one(&mut self, now: Now, number: u64) {
        let Some(mut scheduled) = self.schedule.texts.remove(&number) else { return };
        let conversation = scheduled.text.conversation.clone();
        match self.may_say(&conversation) {
            Ok(()) => {
                let is_old = scheduled.is_old;
                if let Answer::Sent { message, .. } =
                    self.say(now, conversation, scheduled.text.text.clone().into(), Duration::ZERO)
                {
                    if is_old {
                        self.schedule.old_and_said.insert(message.id.clock);
                    }
                    self.tell(Event::Message { message });
                }
            }
            Err(refusal) => {
                (scheduled.due, scheduled.text.due) = (None, None);
                self.schedule.texts.insert(number, scheduled);
                self.tell(Event::Warning {
                    text: format!("the text that you scheduled as {number} is not sent: {refusal}. -pending shows it"),
                });
            }
        }
        self.keep_scheduled(number);
    }

    /// This store is a copy that was put back: what was due by now may have gone out in the life that it does not know.
    pub(super) fn doubt_scheduled(&mut self, now: Now) {
        self.doubt(|due| due <= now.unix_micros);
    }

    /// Nothing goes out in this run any more: a copy of this peer runs. What it may have scheduled too does not go out later either.
    pub(super) fn stop_scheduled(&mut self) {
        self.doubt(|_| true);
        self.schedule.texts.values_mut().for_each(|scheduled| scheduled.due = None);
    }

    /// What was read from the store, and `may_be_said` elsewhere by the time when it is due (Unix time in microseconds), does not go
    /// out by itself.
    fn doubt(&mut self, may_be_said: impl Fn(i64) -> bool) {
        let mut doubtful = Vec::new();
        for (&number, scheduled) in &mut self.schedule.texts {
            if scheduled.is_old && scheduled.text.due.is_some_and(&may_be_said) {
                (scheduled.due, scheduled.text.due) = (None, None);
                doubtful.push(number);
            }
        }
        doubtful.into_iter().for_each(|number| self.keep_scheduled(number));
    }

    /// Its user decides what becomes of a text that was written then, and said as `first` without reaching everybody.
    pub(super) fn leave_unsent(
        &mut self,
        conversation: Conversation,
        text: ByteString,
        written_at: i64,
        first: MessageId,
    ) {
        let first = Some(first.into());
        self.put_off(Text { conversation, text: text.into(), written_at, due: None, first }, None);
    }

    /// What has not gone out yet, by number.
    pub(super) fn waiting_texts(&mut self, now: Now) -> Vec<WaitingInfo> {
        let numbers: BTreeSet<u64> = self.schedule.texts.keys().chain(self.schedule.stamped.keys()).copied().collect();
        numbers.into_iter().filter_map(|number| self.waiting_text(now, number)).collect()
    }

    fn waiting_text(&mut self, now: Now, number: u64) -> Option<WaitingInfo> {
        let due_at = |due: Duration| now.unix_micros.saturating_add(micros(due.saturating_sub(now.monotonic)));
        if let Some(&clock) = self.schedule.stamped.get(&number) {
            let entry = self.own_text(clock)?;
            let Message { id, to, text, .. } = self.read(&entry)?;
            return Some(WaitingInfo { number, id: Some(id), to, text, due_at: self.outbox.due(clock).map(due_at) });
        }
        let Scheduled { text, due, .. } = self.schedule.texts.get(&number)?;
        let (conversation, text, due_at) = (text.conversation.clone(), text.text.as_str().into(), due.map(due_at));
        Some(WaitingInfo { number, id: None, to: self.recipients(&conversation), text, due_at })
    }

    /// A message of mine that is not yet acknowledged by all, or that was said in this turn, or is in the store.
    pub(super) fn own(&self, clock: Clock) -> Option<Kept> {
        let outgoing = self.outbox.message(clock).map(|outgoing| outgoing.kept.clone());
        outgoing.or_else(|| self.filed(MessageId { process: self.me, clock }))
    }

    /// A text of mine, as it stands in my history.
    pub(super) fn own_text(&self, clock: Clock) -> Option<Entry> {
        self.entry_of(self.own(clock)?)
    }

    /// Takes back what has not gone out: what is numbered so, or what was written last.
    pub(super) fn cancel(&mut self, now: Now, number: Option<u64>) -> Result<Answer, Refusal> {
        // What was written in this turn is signed.
        self.flush(now);
        let number = self.numbered_or_last(number)?;
        let waiting = self.waiting_text(now, number).ok_or(Refusal::NothingWaits { number: Some(number) })?;
        match self.schedule.stamped.remove(&number) {
            Some(clock) => self.void(now, clock),
            None => {
                self.schedule.texts.remove(&number);
                self.keep_scheduled(number);
            }
        }
        Ok(Answer::Cancelled { waiting })
    }

    /// Says now what is numbered so and not stamped, or what was left unsent last.
    pub(super) fn resend(&mut self, now: Now, number: Option<u64>) -> Result<Answer, Refusal> {
        let unsent = || self.schedule.texts.iter().rev().find(|(_, scheduled)| scheduled.due.is_none());
        let number = number.or_else(|| unsent().map(|(&number, _)| number)).ok_or(Refusal::NothingUnsent)?;
        let scheduled = self.schedule.texts.get(&number);
        let scheduled = scheduled.ok_or(Refusal::NothingWaits { number: Some(number) })?;
        let Text { conversation, text, written_at, first, .. } = scheduled.text.clone();
        self.may_say(&conversation)?;
        self.schedule.texts.remove(&number);
        self.keep_scheduled(number);
        Ok(match first {
            Some(first) => {
                let first = first.of(self.me.person);
                self.say_again(now, conversation, (written_at, text.into()), first, Duration::ZERO)
            }
            None => self.say(now, conversation, text.into(), Duration::ZERO),
        })
    }

    fn numbered_or_last(&self, number: Option<u64>) -> Result<u64, Refusal> {
        let Schedule { texts, stamped, .. } = &self.schedule;
        let last = || texts.keys().chain(stamped.keys()).copied().max();
        let is_there = |number: &u64| texts.contains_key(number) || stamped.contains_key(number);
        number.or_else(last).filter(is_there).ok_or(Refusal::NothingWaits { number })
    }

    /// Puts a void message in the place of a delayed text, and lets it go.
    fn void(&mut self, now: Now, clock: Clock) {
        self.amend(clock, &body::void());
        self.outbox.undelay(clock);
        if self.ledger.is_on() {
            self.effects.durable.push(Change::Delayed { clock, due: None });
        }
        let welcomes: Vec<Clock> = self.outbox.delayed().filter(|&clock| self.outbox.is_welcome(clock)).collect();
        for welcome in welcomes {
            self.name_no_more(welcome, clock);
            let due = self.own(welcome).and_then(|kept| self.due_of_welcome(&kept));
            self.outbox.delay(welcome, due.unwrap_or(now.monotonic));
        }
        self.may_leave_parcels();
        self.release_due(now, now.monotonic);
    }

    /// A welcome that nobody was given names a text of mine no more.
    fn name_no_more(&mut self, welcome: Clock, text: Clock) {
        let Some(kept) = self.own(welcome) else { return };
        let Ok(Body::Welcome(Welcome { mut shown, gone })) = Body::decode(kept.shared_body()) else { return };
        let mut names_it = false;
        for (_, clocks) in shown.iter_mut().flat_map(|named| &mut named.newest).filter(|(of, _)| *of == self.me) {
            let before = clocks.len();
            clocks.retain(|&clock| clock != text);
            names_it |= clocks.len() < before;
        }
        if names_it {
            self.amend(welcome, &body::welcome(&Welcome { shown, gone }));
        }
    }

    /// Puts another message in the place of one that nobody was given: under the same stamp, and signed by itself as that was.
    fn amend(&mut self, clock: Clock, body: &Bytes) {
        let Some(before) = self.own(clock) else { return };
        let stamp = before.stamp().clone();
        let signed = SignedBatch::sign(&self.identity, self.me, std::iter::once((&stamp, &body[..])), &self.causal);
        if clock == self.causal.clock() {
            self.ledger.last = signed.hashes(&self.causal).last().copied();
        }
        let kept = Kept::new(Arc::new(signed), 0);
        let is_it = |change: &Change| change.filed().is_some_and(|filed| filed.id() == before.id());
        match self.effects.durable.iter().position(is_it) {
            Some(at) => drop(self.effects.durable.remove(at)),
            None => self.effects.durable.push(Change::Withdrawn(before)),
        }
        self.effects.durable.push(Change::Delivered { kept: kept.clone() });
        self.outbox.replace(kept);
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
