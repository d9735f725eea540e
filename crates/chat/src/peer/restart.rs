//! Across a restart: what is kept of this mind, and how it goes on from there. How it begins anew as another incarnation stands in
//! [`anew`](super::anew).
//!
//! Messages are kept where they arrive and are sent; this module keeps the rest, once a turn and only if the store survives
//! the process: where the causal order stands, what was shown of each conversation, who is still owed a welcome.

use std::collections::BTreeMap;

use bytes::Bytes;
use causal::{Clock, Index, Snapshot};
use serde::{Deserialize, Serialize};

use crate::batch::Hash;
use crate::body::Body;
use crate::clock;
use crate::codec;
use crate::history::{Conversation, SortKey};
use crate::hlc::Hlc;
use crate::kept::{Causal, Kept};
use crate::store::{Change, Saved, Store, StoreError};
use crate::{Config, Incarnation, MessageId, PersonId, ProcessId};

use super::talk::{Rest, Vector};
use super::{Now, Peer};

/// What is kept besides messages, records and the causal order.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Mind {
    /// No stamp goes back behind this one.
    hlc: Hlc,
    /// How many messages this process has delivered.
    delivered: u64,
    /// The hash of the last message that it sent.
    last: Option<Hash>,
    /// Who is to be welcomed before anything is said to him, and where.
    owed: Vec<(u32, Vec<Conversation>)>,
    /// How long nothing was seen of whom, in ticks.
    unseen: Vec<(u32, u32)>,
    /// See [`Ledger::doubtful`].
    #[serde(deserialize_with = "clock::kept")]
    doubtful: Vec<(u32, Clock)>,
}

/// What was shown and fetched of a conversation, by the numbers of the authors.
#[derive(Debug, Serialize, Deserialize)]
struct TalkVectors {
    #[serde(deserialize_with = "clock::kept")]
    shown: Vec<(u32, Clock)>,
    #[serde(deserialize_with = "clock::kept")]
    fetched: Vec<(u32, Clock)>,
    #[serde(deserialize_with = "clock::kept")]
    lost: Vec<(u32, Clock)>,
    rest: Option<KeptRest>,
    /// How many messages the user has not read.
    unread: u32,
}

/// See [`Rest`].
#[derive(Debug, Serialize, Deserialize)]
struct KeptRest {
    #[serde(deserialize_with = "clock::kept")]
    after: Vec<(u32, Clock)>,
    #[serde(deserialize_with = "clock::kept")]
    up_to: Vec<(u32, Clock)>,
    reached: Option<SortKey>,
}

/// What the store was told, and what it is to be told at the end of the turn.
#[derive(Debug)]
pub(super) struct Ledger {
    /// Whether what a restart would read is kept at all.
    on: bool,
    /// How many processes have a number in the store.
    numbered: usize,
    pub(super) settled: Clock,
    /// The causal order is not where the store has it.
    pub(super) causal_moved: bool,
    /// What arrived in this turn and was held; some of it may be delivered by now.
    pub(super) held: Vec<Kept>,
    mind: Bytes,
    /// How many messages this process has delivered.
    pub(super) delivered: u64,
    /// The hash of the last message that it sent.
    pub(super) last: Option<Hash>,
    /// The clock when this run began: what was sent later was sent by this run.
    pub(super) clock_at_start: Clock,
    /// The version of my own record when this run began.
    pub(super) version_at_start: Hlc,
    /// How many messages were held when this run began.
    pub(super) held_at_start: usize,
    /// What was known to be on its way when this run began.
    pub(super) log_at_start: Vec<causal::Entry>,
    /// Earlier incarnations of mine whose store was put back from a copy, and beyond which clock what is kept of them may have
    /// clocks that had been used before: nobody gets it under these.
    pub(super) doubtful: BTreeMap<Index, Clock>,
    /// What the next incarnation will be, should there be need of one.
    pub(super) fresh: Incarnation,
}

impl Ledger {
    pub(super) fn new(on: bool, fresh: Incarnation) -> Self {
        Self {
            on,
            numbered: 1,
            settled: 0,
            causal_moved: true,
            held: Vec::new(),
            mind: Bytes::new(),
            delivered: 0,
            last: None,
            clock_at_start: 0,
            version_at_start: Hlc::default(),
            held_at_start: 0,
            log_at_start: Vec::new(),
            doubtful: BTreeMap::new(),
            fresh,
        }
    }

    /// Whether what is kept as this message may not be what others have as it.
    pub(super) fn is_doubtful(&self, author: Index, clock: Clock) -> bool {
        self.doubtful.get(&author).is_some_and(|&beyond| clock > beyond)
    }

    /// Whether this run goes on with clocks that were read from the store.
    pub(super) fn went_on(&self) -> bool {
        self.clock_at_start > 0
    }

    /// What the next incarnation will be, should there be need of one.
    pub(super) fn fresh(&self) -> Incarnation {
        self.fresh
    }

    /// Whether what a restart would read is kept.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }
}

/// An incarnation that was never used: `fresh`, and then others that follow from it.
pub(super) fn take_fresh(fresh: &mut Incarnation) -> Incarnation {
    let taken = *fresh;
    // A random number's successor is as random.
    fresh.0 = fresh.0.wrapping_add(1);
    taken
}

/// The causal order of the process that was kept, or of a new one.
///
/// # Errors
/// [`StoreError`] if what was kept is not this person's, or cannot be read.
pub(super) fn causal(
    saved: &Saved,
    person: PersonId,
    fresh: &mut Incarnation,
    config: &Config,
) -> Result<Causal, StoreError> {
    // Whatever is kept as held was admitted once, if only to wait for history.
    let held = saved.held.len();
    let causal_config = causal_config(config, config.max_processes, held);
    let Some(bytes) = &saved.causal else {
        let me = ProcessId { person, incarnation: take_fresh(fresh) };
        return Ok(Causal::lending(me, causal_config));
    };
    // More than today's limit may have been known when it was kept.
    let limits = causal::Limits { processes: usize::MAX, entries: usize::MAX, ..causal::Limits::default() };
    let snapshot = Snapshot::<ProcessId>::from_bytes(bytes, &limits).map_err(unreadable)?;
    let owner = snapshot.processes.first().map(|process| process.person);
    if owner != Some(person) {
        return Err(unreadable("it belongs to another identity key than the one beside it"));
    }
    let room = causal_config.max_processes.max(snapshot.processes.len());
    Causal::restore(snapshot, self::causal_config(config, room, held)).map_err(unreadable)
}

/// There is room for what was `held` when the process was stopped, and as much again for what others wait for.
pub(super) fn causal_config(config: &Config, max_processes: usize, held: usize) -> causal::Config {
    let max_held = config.max_held.max(held).saturating_mul(2);
    causal::Config { trust: causal::Trust::Vouched, max_held, max_processes, ..causal::Config::default() }
}

fn unreadable(reason: impl ToString) -> StoreError {
    StoreError::Unreadable { reason: reason.to_string() }
}

impl<S: Store> Peer<S> {
    /// Goes on from what was kept.
    pub(super) fn restore(&mut self, now: Now, saved: Saved) -> Result<(), StoreError> {
        self.ledger.numbered = self.causal.roster().len();
        self.ledger.clock_at_start = self.causal.clock();
        self.ledger.log_at_start = self.causal.snapshot().log;
        if saved.causal.is_some() {
            self.homecoming.note_past();
        }
        if let Some(bytes) = &saved.mind {
            let mind: Mind = codec::decode_kept(bytes).map_err(unreadable)?;
            self.clock.go_on_from(mind.hlc);
            self.ledger.delivered = mind.delivered;
            self.ledger.last = mind.last;
            let owed = mind.owed.into_iter().filter_map(|(number, of)| Some((self.numbered(number)?, of)));
            self.gate.owe(owed.collect());
            let unseen = mind.unseen.into_iter().filter_map(|(number, ticks)| Some((self.numbered(number)?, ticks)));
            self.absent.go_on_counting(unseen.collect());
            let doubtful =
                mind.doubtful.into_iter().filter_map(|(number, beyond)| Some((self.numbered(number)?, beyond)));
            self.ledger.doubtful = doubtful.collect();
            self.ledger.mind = bytes.clone();
        }
        self.go_on_behind_what_was_shown(now);
        for signed in &saved.records {
            // It was good when it was kept; one that is not any more is not missed.
            if let Ok(record) = signed.claim()
                && let Ok(_) = self.directory.merge(signed)
            {
                self.clock.observe(now.unix_micros, record.version);
                if record.process.person == self.me.person {
                    self.ledger.version_at_start = record.version;
                    self.groups = record.groups;
                }
            }
        }
        for (person, known) in &saved.addresses {
            self.directory.restore_addresses_of(*person, known);
        }
        for index in self.causal.forgotten().iter() {
            drop(self.directory.depart(*self.causal.roster().id(index)));
        }
        if let Some(bytes) = &saved.verified {
            self.directory.verified = codec::decode_kept(bytes).map_err(unreadable)?;
        }
        for (alias, person) in saved.aliases {
            // A store of an older version may have several of one person.
            let replaced = self.directory.put_alias(person, alias).replaced;
            self.forget_alias(replaced);
        }
        for (conversation, bytes) in &saved.talks {
            let TalkVectors { shown, fetched, lost, rest, unread } = codec::decode_kept(bytes).map_err(unreadable)?;
            let numbered = |vector: Vec<(u32, Clock)>| {
                let known = vector.into_iter().filter_map(|(number, clock)| Some((self.numbered(number)?, clock)));
                Vector::kept(known)
            };
            let (shown, fetched, lost) = (numbered(shown), numbered(fetched), numbered(lost));
            let rest = rest.map(|rest| Rest::new(numbered(rest.after), numbered(rest.up_to), rest.reached));
            let talk = self.talks.entry(conversation);
            (talk.shown, talk.fetched, talk.fetched_and_shown, talk.lost) = (shown, fetched.clone(), fetched, lost);
            talk.rest = rest.unwrap_or_default();
            self.restore_unread(conversation, usize::try_from(unread).unwrap_or(usize::MAX));
        }
        self.greetings = saved.greetings.into_iter().collect();
        for kept in saved.own {
            self.outbox.restore(kept, self.causal.forgotten());
        }
        let (welcomes, texts): (Vec<_>, Vec<_>) =
            saved.delayed.into_iter().partition(|&(clock, _)| self.outbox.is_welcome(clock));
        for (clock, due) in texts {
            let wait = self.wait(now, due, self.written_at(clock).unwrap_or(i64::MIN));
            self.outbox.delay(clock, now.monotonic + wait);
        }
        for (clock, _) in welcomes {
            let welcome = self.outbox.message(clock).expect("it is in the outbox, or was taken for a text");
            if let Some(due) = self.due_of_welcome(&welcome.kept) {
                self.outbox.delay(clock, due);
            }
        }
        self.restore_undelivered();
        self.restore_scheduled(now, saved.scheduled)?;
        self.restore_repeats();
        self.carry.sent_before(self.causal.clock());
        self.restore_carried(saved.carried);
        self.ledger.settled = self.settled();
        self.ledger.held_at_start = saved.held.len();
        // That they were held stands in the trace.
        let journal = std::mem::replace(&mut self.config.journal, false);
        for kept in saved.held {
            if self.causal.knows(kept.sender(), kept.clock()) {
                // What a copy of its author said under its clock was delivered.
                self.effects.durable.push(Change::Dropped(kept));
            } else if self.arrive(now, kept).is_err() {
                self.repair.refused += 1;
            }
        }
        self.ledger.held.clear();
        self.config.journal = journal;
        Ok(())
    }

    /// What I say from now on is stamped later than all of the history. A version that did not follow stamps which were far ahead kept
    /// the greatest of the others as its own; and what came by a copy of the store may have been shown after that was kept.
    fn go_on_behind_what_was_shown(&mut self, now: Now) {
        let nobody = ProcessId { person: PersonId::new([0; 32]), incarnation: Incarnation(0) };
        // No clock makes this stamp, nor any that stand behind it.
        let end = (Hlc { micros: Hlc::LAST.micros + 1, logical: 0 }, MessageId { process: nobody, clock: 0 });
        if let Some(greatest) = self.store.newest(None, Some(end), 1).first() {
            self.clock.observe(now.unix_micros, greatest.hlc);
        }
    }

    /// When a text of mine was written, by the clock of then.
    fn written_at(&self, clock: Clock) -> Option<i64> {
        let kept = self.store.kept_by(self.me, clock - 1, clock, 1).pop()?;
        let body = self.open(&kept).unwrap_or_else(|| kept.shared_body());
        if let Ok(Body::Text(head)) = Body::decode(body) { Some(head.sent_at) } else { None }
    }

    fn numbered(&self, number: u32) -> Option<Index> {
        let (index, _) = self.causal.roster().iter().nth(usize::try_from(number).ok()?)?;
        Some(index)
    }

    /// Everybody has my messages up to here.
    fn settled(&self) -> Clock {
        if self.outbox.len() == 0 { self.causal.clock() } else { self.outbox.settled() }
    }

    /// Adds what a restart would read to what is to be durable.
    pub(super) fn keep_state(&mut self) {
        if !self.ledger.on {
            self.ledger.held.clear();
            return;
        }
        let held = std::mem::take(&mut self.ledger.held);
        let is_held = |kept: &Kept| {
            let stamp = kept.stamp();
            !self.causal.waits_for(stamp.sender, stamp.clock).is_empty() || self.gate.holds((stamp.sender, stamp.clock))
        };
        let still_held: Vec<Change> = held.into_iter().filter(is_held).map(Change::Held).collect();
        self.effects.durable.extend(still_held);
        for (conversation, vectors) in self.talks.take_changed() {
            self.effects.durable.push(Change::Talk { conversation, vectors });
        }
        let settled = self.settled();
        if settled != self.ledger.settled {
            self.ledger.settled = settled;
            self.effects.durable.push(Change::Settled { up_to: settled });
        }
        let owed = self.gate.owed().map(|(member, of)| (number(member), of.into_iter().collect()));
        let mind = Mind {
            hlc: self.clock.last(),
            delivered: self.ledger.delivered,
            last: self.ledger.last,
            owed: owed.collect(),
            unseen: self.absent.unseen().map(|(process, ticks)| (number(process), ticks)).collect(),
            doubtful: self.ledger.doubtful.iter().map(|(&process, &beyond)| (number(process), beyond)).collect(),
        };
        let mind = codec::encode(&mind);
        if mind != self.ledger.mind {
            self.ledger.mind = mind.clone();
            self.effects.durable.push(Change::Mind(mind));
        }
        // Stamps are read in the numbering that the causal order is kept with.
        let has_grown = self.ledger.numbered < self.causal.roster().len();
        if std::mem::take(&mut self.ledger.causal_moved) || has_grown {
            self.effects.durable.push(Change::Causal(self.causal.snapshot().to_bytes().into()));
        }
        // Numbers come before the stamps that name them.
        let roster = self.causal.roster();
        if self.ledger.numbered < roster.len() {
            let new = roster.iter().skip(self.ledger.numbered);
            let new: Vec<Change> =
                new.map(|(index, &process)| Change::Process { number: number(index), process }).collect();
            self.ledger.numbered = roster.len();
            self.effects.durable.splice(0..0, new);
        }
    }
}

pub(super) fn number(index: Index) -> u32 {
    u32::try_from(index.position()).expect("there are far fewer processes")
}

impl super::talk::Talks {
    /// The vectors that were raised since this was last asked, as they are kept.
    fn take_changed(&mut self) -> Vec<(Conversation, Bytes)> {
        let mut changed = Vec::new();
        for (conversation, talk) in self.all_mut() {
            let is_changed =
                talk.shown.take_changed() | talk.fetched_and_shown.take_changed() | talk.lost.take_changed();
            if is_changed | talk.rest.take_changed() | talk.unread.take_changed() {
                let (shown, fetched, lost) =
                    (talk.shown.numbers(), talk.fetched_and_shown.numbers(), talk.lost.numbers());
                let rest = (!talk.rest.is_empty()).then(|| KeptRest {
                    after: talk.rest.after.numbers(),
                    up_to: talk.rest.up_to.numbers(),
                    reached: talk.rest.reached,
                });
                let unread = u32::try_from(talk.unread.count()).unwrap_or(u32::MAX);
                let vectors = TalkVectors { shown, fetched, lost, rest, unread };
                changed.push((conversation.clone(), codec::encode(&vectors)));
            }
        }
        changed
    }
}
