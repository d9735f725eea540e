//! From a frame to a delivery: what came in goes to the causal order, and what the causal order lets go is shown.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causal::{Clock, Delivery, Index, Limits, Receipt, Set};

use crate::body::{self, Body, Scope, TextHead, Welcome};
use crate::frame::Handed;
use crate::history::{Conversation, Entry};
use crate::hlc::Hlc;
use crate::kept::{Kept, SignedBatch};
use crate::run::Run;
use crate::store::{Change, Store};
use crate::{Event, Journal, LinkId, MessageId, PersonId, ProcessId};

use super::{BadFrame, Now, Peer, batch_frame};

/// From how many bytes on a body counts by its length while it is held, not only as one more.
const LARGE: usize = 4096;

/// The beginning of 2020, Unix time in microseconds: there was no causerie yet. Clocks that lost their time begin before it.
const NO_TEXT_BEFORE: i64 = 1_577_836_800_000_000;

impl<S: Store> Peer<S> {
    pub(super) fn limits(&self) -> Limits {
        Limits { processes: self.config.max_processes, ..Limits::default() }
    }

    pub(super) fn handle_numbers(&mut self, link: LinkId, bytes: &[u8]) -> Result<(), BadFrame> {
        self.greeted(link)?;
        let limits = self.limits();
        let link = self.links.get_mut(&link).expect("greeted");
        let mut rest = bytes;
        link.table.learn(&mut rest, &mut self.causal, &limits).map_err(|error| BadFrame(error.to_string()))?;
        if rest.is_empty() { Ok(()) } else { Err(BadFrame("numbers with something behind them".to_owned())) }
    }

    /// Fresh messages of the process at the other end: Noise has authenticated them.
    pub(super) fn handle_batch(&mut self, now: Now, link: LinkId, bytes: &[u8]) -> Result<(), BadFrame> {
        let author = self.greeted(link)?;
        let limits = self.limits();
        let table = &self.links[&link].table;
        let batch = batch_frame::decode(bytes, Some(author), table, &limits, self.causal.roster())?;
        self.arrive_together(now, &Arc::new(batch)).map_err(BadFrame)
    }

    /// Takes the messages of a batch that its author signed or gave me himself.
    ///
    /// # Errors
    /// Why no honest author sends one of them; those behind it are not looked at.
    pub(super) fn arrive_together(&mut self, now: Now, batch: &Arc<SignedBatch>) -> Result<(), String> {
        for (kept, followers) in batch.runs() {
            self.causal.vouch(kept.sender(), kept.clock() + Clock::from(followers));
            if followers > 0 && self.takes_whole(&kept, followers) {
                self.submit_run(now, kept, followers)?;
                continue;
            }
            for kept in kept.run(followers) {
                self.arrive(now, kept)?;
            }
        }
        Ok(())
    }

    /// Whether a message and those that follow it are all new, and none of them is to be looked at by itself.
    fn takes_whole(&self, kept: &Kept, followers: u32) -> bool {
        let is_plain = |body: &[u8]| body.len() < LARGE && !body::is_welcome(body);
        let range = kept.index()..=kept.index() + followers as usize;
        self.causal.takes_run(kept.sender(), kept.clock(), followers)
            && range.into_iter().all(|index| kept.batch().body_of(index).is_some_and(is_plain))
    }

    /// Takes a message that somebody handed on by itself. False if its author never signed it.
    pub(super) fn arrive_handed(&mut self, now: Now, handed: Handed) -> bool {
        let Some(kept) = self.verify_handed(handed) else {
            self.repair.refused += 1;
            return false;
        };
        self.causal.vouch(kept.sender(), kept.clock());
        // What is wrong with a message that its author signed is not the carrier's fault: it is dropped, and counted.
        if self.arrive(now, kept).is_err() {
            self.repair.refused += 1;
        }
        true
    }

    /// The message, if its author signed it.
    fn verify_handed(&mut self, handed: Handed) -> Option<Kept> {
        let Handed { envelope, body, proof } = handed;
        let limits = self.limits();
        let spelled = causal::Envelope::<ProcessId>::from_bytes(&envelope, &limits).ok()?;
        let leaf = crate::batch::leaf(&envelope, &body);
        let author = *spelled.sender();
        if author == self.me {
            return None;
        }
        self.repair.verified.verify(&author, &proof.leaves(&leaf).ok()?, &proof.signature).ok()?;
        let stamp = self.causal.localise(&spelled).ok()?;
        Some(Kept::from_handed(author, stamp, body.into(), proof))
    }

    /// # Errors
    /// Why no honest author sends such a message.
    pub(super) fn arrive(&mut self, now: Now, kept: Kept) -> Result<(), String> {
        let (sender, clock) = (kept.sender(), kept.clock());
        if self.causal.knows(sender, clock) {
            return Ok(());
        }
        let is_welcome = body::is_welcome(kept.body());
        if is_welcome && !self.has_room_to_wait((sender, clock)) {
            self.vectors.note_refused(now, sender);
            return Ok(());
        }
        if is_welcome && self.wait_for_history(now, &kept) {
            if self.ledger.is_on() {
                self.ledger.held.push(kept);
            }
            return Ok(());
        }
        self.submit(now, kept)
    }

    /// Hands a message to the causal order.
    pub(super) fn submit(&mut self, now: Now, kept: Kept) -> Result<(), String> {
        self.submit_run(now, kept, 0)
    }

    /// Hands a message to the causal order, and those that follow it, if any: then all of them are new and none is large.
    fn submit_run(&mut self, now: Now, kept: Kept, followers: u32) -> Result<(), String> {
        let (sender, clock) = (kept.sender(), kept.clock());
        let bytes = kept.body().len();
        let large = bytes >= LARGE;
        if !self.has_room_to_hold(&kept, followers) {
            self.vectors.note_refused(now, sender);
            return Ok(());
        }
        if large
            && self.held_large_bytes + bytes > self.config.max_held_bytes
            && !self.causal.is_deliverable(kept.stamp())
        {
            self.vectors.note_refused(now, sender);
            return Ok(());
        }
        let held = self.ledger.is_on().then(|| kept.clone());
        let is_summed_up = self.is_summed_up(&kept);
        let received = match followers {
            0 => self.causal.receive(kept, now.monotonic),
            _ => self.causal.receive_run(kept, followers, now.monotonic),
        };
        match received {
            Ok(Receipt::Delivered | Receipt::Duplicate) => {}
            Ok(Receipt::Held) => {
                if !is_summed_up {
                    self.held_since.push_back((sender, clock, followers, now.monotonic));
                }
                self.ledger.held.extend(held.iter().flat_map(|kept| kept.run(followers)));
                if large {
                    self.held_large.insert((sender, clock), bytes);
                    self.held_large_bytes += bytes;
                }
                if self.config.journal {
                    for clock in clock..=clock + Clock::from(followers) {
                        let missing = self.causal.waits_for(sender, clock);
                        let missing = missing.into_iter().map(|(author, clock)| self.id_of(author, clock)).collect();
                        self.journal(Journal::Hold { id: self.id_of(sender, clock), missing });
                    }
                }
            }
            Err(refused) if is_for_now(&refused.reason) => self.vectors.note_refused(now, sender),
            Err(refused) => return Err(refused.to_string()),
        }
        Ok(())
    }

    /// Whether a message, and those that follow it, can be held if it has to be. What others wait for can be though there is no room
    /// for any more: it may wait itself, for what nobody would ask for otherwise, and those others would keep their places.
    pub(super) fn has_room_to_hold(&self, kept: &Kept, followers: u32) -> bool {
        let limit = self.config.max_held.max(self.ledger.held_at_start);
        let (author, first) = (kept.sender(), kept.clock());
        let mut clocks = first..=first + Clock::from(followers);
        self.causal.held() + 1 + followers as usize <= limit
            || clocks.any(|clock| self.causal.is_awaited(author, clock))
            || self.causal.is_deliverable(kept.stamp())
    }

    /// Shows what the causal order lets go.
    pub(super) fn deliver(&mut self, now: Now) {
        while self.deliver_ready(now) && self.gate.wants_room() {
            self.admit(now);
        }
    }

    /// Shows what is ready. False if nothing was.
    fn deliver_ready(&mut self, now: Now) -> bool {
        let mut some = false;
        while let Some(delivery) = self.causal.next_delivery() {
            some = true;
            let Delivery { stamp: kept, message: at, followers, late } = delivery;
            self.ledger.causal_moved = true;
            self.ledger.delivered += 1 + u64::from(followers);
            self.note_delivered(now, kept.sender(), 1 + followers);
            self.note_seen(kept.sender());
            let mut delivered = 0;
            while delivered <= followers {
                delivered += self.deliver_first(now, kept.behind(delivered), followers - delivered, at, late);
            }
        }
        some
    }

    /// Shows a message, which arrived at a time (monotonic), and those of its followers that can be shown with it. Answers how
    /// many that are.
    fn deliver_first(&mut self, now: Now, kept: Kept, followers: u32, at: Duration, late: bool) -> u32 {
        let (id, sender) = (kept.id(), kept.sender());
        let clock = id.clock;
        self.journal(if late { Journal::Late { id } } else { Journal::Deliver { id } });
        if let Some(bytes) = self.held_large.remove(&(sender, clock)) {
            self.held_large_bytes -= bytes;
        }
        if self.announced.remove(&(sender, clock)) {
            let held_ms = now.monotonic.saturating_sub(at).as_millis().try_into().unwrap_or(u64::MAX);
            let from = self.directory.who(id.process.person);
            self.tell(Event::Released { id, from, held_ms });
        }
        // A body that does not decode is its author's business: it is acknowledged, and nothing is shown.
        let opened = self.open(&kept);
        match Body::decode(opened.clone().unwrap_or_else(|| kept.shared_body())) {
            Ok(Body::Text(TextHead { scope, hlc, .. })) if opened.is_some() == (scope == Scope::Direct) => {
                let Some(conversation) = self.conversation(&kept, &scope) else { return 1 };
                self.note_unaddressed(&conversation, sender, kept.dests());
                let entry = Entry { conversation, hlc, kept, fetched: false, late, clock_off: false, opened };
                return self.show(now, entry, followers);
            }
            Ok(Body::Record(record)) => {
                self.effects.durable.push(Change::Delivered { kept });
                self.merge_records(now, vec![*record]);
            }
            Ok(Body::Welcome(Welcome { gone, .. })) => {
                self.effects.durable.push(Change::Delivered { kept });
                self.show_fetched(now, (sender, clock));
                for process in gone {
                    self.take_tombstone(now, id.process, process);
                }
            }
            Ok(Body::Tombstone(process)) => {
                self.note_unaddressed(&Conversation::All, sender, kept.dests());
                self.effects.durable.push(Change::Delivered { kept });
                self.take_tombstone(now, id.process, process);
            }
            Ok(Body::Void) => self.effects.durable.push(Change::Delivered { kept }),
            Ok(Body::Text(_) | Body::Sealed(_) | Body::SealedForSeveral(_)) | Err(_) => {
                self.effects.durable.push(Change::Delivered { kept });
                self.repair.refused += 1;
            }
        }
        1
    }

    /// What a sealed text is, if I am the one that it was sealed for, or by.
    pub(super) fn open(&self, kept: &Kept) -> Option<Bytes> {
        if !body::is_sealed(kept.body()) {
            return None;
        }
        let author = kept.id().process;
        let context = sealing(author);
        let is_mine = author.person == self.me.person;
        let opened = match Body::decode(kept.shared_body()) {
            Ok(Body::Sealed(sealed)) => {
                let mut people = kept.dests().iter().map(|dest| self.person_of(dest));
                let to = people.next().filter(|_| people.next().is_none())?;
                if is_mine {
                    self.identity.reopen(&to, &context, &sealed)
                } else {
                    self.identity.open(&context, &sealed)
                }
            }
            Ok(Body::SealedForSeveral(sealed)) => {
                let people = self.people_of(kept.dests());
                let is_allowed = (2..=self.config.max_addressees).contains(&people.len());
                if !is_allowed || people.contains(&author.person) {
                    None
                } else if is_mine {
                    self.identity.reopen_for_several(&people, &context, &sealed)
                } else {
                    self.identity.open_for_several(&people, &context, &sealed)
                }
            }
            Ok(Body::Text(_) | Body::Record(_) | Body::Welcome(_) | Body::Tombstone(_) | Body::Void) | Err(_) => None,
        };
        opened.map(Bytes::from)
    }

    fn people_of(&self, processes: &Set) -> BTreeSet<PersonId> {
        processes.iter().map(|process| self.person_of(process)).collect()
    }

    /// The conversation that a text belongs to here. `None` where it is not mine to see.
    pub(super) fn conversation(&self, kept: &Kept, scope: &Scope) -> Option<Conversation> {
        let author = kept.id().process.person;
        match scope {
            Scope::All => Some(Conversation::All),
            Scope::Group(name) => Some(Conversation::Group(name.clone())),
            Scope::Direct | Scope::People(_) => {
                let mut people = self.people_of(kept.dests());
                people.insert(author);
                if people.remove(&self.me.person) { Conversation::with(people) } else { None }
            }
        }
    }

    /// Shows a text, and those of its followers that are like it and delivered like it, and keeps them in the history. Answers
    /// how many that are. The text is `late` if it had been given up.
    pub(super) fn show(&mut self, now: Now, mut entry: Entry, followers: u32) -> u32 {
        let (sender, id) = (entry.kept.sender(), entry.kept.id());
        let first = id.clock;
        self.tell_of_loss(&entry.conversation);
        if entry.fetched {
            self.note_unserved(&entry.conversation, &entry.kept);
        }
        let given_up = entry.late;
        let newest = self.talks.entry(&entry.conversation).newest;
        // What somebody missed by being away himself is no surprise.
        let is_surprise = !entry.fetched && !self.homecoming.is_under_way();
        let is_late = |hlc| given_up || (is_surprise && is_behind(hlc, newest, self.config.late_after));
        let fetched = entry.fetched;
        // What is said again was written long before it was stamped.
        let is_plain = entry.first().is_none();
        let is_off = |clock, hlc: Hlc, sent_at| {
            self.is_clock_off(now, sent_at, is_plain.then_some(hlc), (!fetched).then_some((sender, clock)))
        };
        let clock_off = entry.sent_at().is_some_and(|sent_at| is_off(first, entry.hlc, sent_at));
        let late = is_late(entry.hlc);
        (entry.late, entry.clock_off) = (late, clock_off);
        // What was said again may be shown already, and what was signed with it need not be.
        let is_said_again = |clock| self.repeats.has(MessageId { clock, ..id });
        let followers = if is_said_again(first) { 0 } else { followers };
        let run = Run::of(entry, followers, |clock, hlc, sent_at| {
            let is_held_apart =
                self.announced.contains(&(sender, clock)) || self.held_large.contains_key(&(sender, clock));
            is_late(hlc) == late && is_off(clock, hlc, sent_at) == clock_off && !is_held_apart && !is_said_again(clock)
        });
        for id in (1..run.count()).map(|nth| run.id(nth)) {
            self.journal(if given_up { Journal::Late { id } } else { Journal::Deliver { id } });
        }
        if self.homecoming.is_under_way() {
            (0..run.count()).for_each(|nth| self.note_missed(now, run.id(nth), sender, fetched));
        }
        let last = run.hlc(run.count() - 1);
        // The greatest of the run: what I say from now on is stamped later than all that I was shown.
        self.clock.observe(now.unix_micros, last);
        let talk = self.talks.entry(&run.first().conversation);
        talk.shown.raise(sender, first + Clock::from(run.count() - 1));
        talk.newest = talk.newest.max(last.time().min(now.unix_micros));
        let count = run.count();
        if !fetched {
            self.note_filed(run.first());
        }
        if !self.was_shown_before(run.first()) {
            let texts = self.texts(run.clone());
            self.effects.events.push_texts(texts);
            self.note_unread(&run);
        }
        self.effects.durable.push(Change::Shown(run));
        count
    }

    /// Whether a text's author's clock is known to be off by [`Config::max_clock_ahead`](crate::Config::max_clock_ahead) or more
    /// from mine: the text is from the future, or older than any can be; or older than what its author had been shown, by its stamp,
    /// if that was `stamped` when it was written and is not from the future itself; or, where it is one that was `delivered` (its
    /// author and its clock), older than the link that it was written over.
    pub(super) fn is_clock_off(
        &self,
        now: Now,
        sent_at: i64,
        stamped: Option<Hlc>,
        delivered: Option<(Index, Clock)>,
    ) -> bool {
        let most = i64::try_from(self.config.max_clock_ahead.as_micros()).unwrap_or(i64::MAX);
        if sent_at > now.unix_micros.saturating_add(most) {
            return true;
        }
        // Few are as old as that, so nothing is looked up for the others.
        let is_old = sent_at < now.unix_micros.saturating_sub(most);
        let since = || delivered.and_then(|(author, clock)| self.link_up_before(author, clock));
        let is_before = |time: i64| sent_at < time.saturating_sub(most);
        let is_behind_its_stamp = || {
            let time = stamped.map(Hlc::time).filter(|&time| time <= now.unix_micros.saturating_add(most));
            time.is_some_and(is_before)
        };
        is_old && (sent_at < NO_TEXT_BEFORE || is_behind_its_stamp() || since().is_some_and(is_before))
    }
}

/// What a sealed text is tied to: nobody else can pass it off as his.
pub(super) fn sealing(author: ProcessId) -> Vec<u8> {
    let mut context = Vec::with_capacity(40);
    causal::Id::encode(&author, &mut context);
    context
}

/// Whether a stamp is more than `span` behind a time.
fn is_behind(stamp: Hlc, newest: i64, span: Duration) -> bool {
    let span = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    stamp.time().saturating_add(span) < newest
}

/// Whether a message that was refused may be taken later.
fn is_for_now(reason: &causal::Refusal) -> bool {
    use causal::Refusal::{LogFull, TooManyHeld, TooManyHeldEntries};
    matches!(reason, TooManyHeld { .. } | TooManyHeldEntries { .. } | LogFull { .. })
}
