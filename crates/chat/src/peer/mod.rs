//! One peer: inputs in, effects out.

mod address;
mod anew;
mod arrival;
mod batch_frame;
mod carry;
mod catchup;
mod claims;
mod commands;
mod deletion;
mod delivered;
mod departure;
mod directory;
mod greeting;
mod health;
mod history;
mod homecoming;
#[cfg(feature = "hostile")]
pub mod hostile;
mod labels;
mod links;
mod notice;
mod outbox;
mod piece;
mod repair;
mod repeats;
mod requests;
mod restart;
mod revert;
mod scheduled;
mod seen;
mod sending;
mod spread;
mod talk;
mod timers;
mod unread;
mod welcome;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causal::{Clock, Index};

use crate::codec::Malformed;
use crate::config::Config;
use crate::directory::Directory;
use crate::frame::Control;
use crate::hlc;
use crate::identity::Identity;
use crate::kept::Causal;
use crate::name::Name;
use crate::store::{Store, StoreError};
use crate::{Effects, Event, Incarnation, Journal, LinkId, MessageId, PersonId, ProcessId, Who};

use address::ForAddress;
use carry::Carry;
use catchup::Vectors;
use claims::Claim;
use delivered::Undelivered;
use departure::Absent;
use greeting::Greeting;
use homecoming::Homecoming;
use labels::Labels;
use links::Link;
use outbox::Outbox;
use repair::Repair;
use repeats::Repeats;
use requests::Request;
use restart::Ledger;
use revert::Ghost;
use scheduled::Schedule;
use sending::Queue;
use spread::Watch;
use talk::Talks;
use welcome::Gate;

/// The time, as the caller's clocks have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since any fixed start; never goes back. Intervals are measured by it.
    pub monotonic: Duration,
    /// Unix time in microseconds; may jump. Messages are stamped with it.
    pub unix_micros: i64,
}

/// A frame that no honest peer sends. Its link is to be closed with this reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadFrame(String);

impl From<Malformed> for BadFrame {
    fn from(malformed: Malformed) -> Self {
        Self(malformed.to_string())
    }
}

/// One peer's mind.
///
/// # Order of calls
/// Inputs are the `handle_*` methods, in any order; `now` never goes back. After each turn of inputs the caller drains
/// [`take_effects`](Self::take_effects) and carries the effects out in the order that [`Effects`] states, applying
/// `durable` to [`store_mut`](Self::store_mut). [`poll_timeout`](Self::poll_timeout) says when
/// [`handle_timeout`](Self::handle_timeout) is to be called at the latest.
pub struct Peer<S> {
    config: Config,
    identity: Identity,
    me: ProcessId,
    name: Name,
    claim: Claim,
    store: S,
    directory: Directory,
    clock: hlc::Clock,
    causal: Causal,
    numbering: causal::wire::Numbering,
    links: BTreeMap<LinkId, Link>,
    /// The link of each process that is connected and has said who it is.
    link_of: BTreeMap<Index, LinkId>,
    /// Links that are up, and of a state that was undone.
    ghosts: BTreeMap<LinkId, Ghost>,
    /// My own addresses, for the record.
    addresses: BTreeSet<SocketAddr>,
    groups: BTreeSet<Name>,
    /// My record has to be written and multicast anew.
    record_is_stale: bool,
    /// It was written, and the others are still to be told.
    record_is_untold: bool,
    /// Stamped, not yet signed.
    queue: Queue,
    outbox: Outbox,
    /// What is to go out later.
    schedule: Schedule,
    carry: Carry,
    watch: Watch,
    undelivered: Undelivered,
    absent: Absent,
    homecoming: Homecoming,
    talks: Talks,
    vectors: Vectors,
    gate: Gate,
    repair: Repair,
    repeats: Repeats,
    labels: Labels,
    /// A copy of this peer runs, and says what is to be said.
    superseded: bool,
    /// Everybody is told that the account is deleted.
    deleted: bool,
    /// What was held when it arrived, with how many followed it and when that was, oldest first, until the user is told or
    /// it is released.
    held_since: VecDeque<(Index, Clock, u32, Duration)>,
    /// The larger of the held messages, with the lengths of their bodies, and these together.
    held_large: BTreeMap<(Index, Clock), usize>,
    held_large_bytes: usize,
    /// What the user was told is held.
    announced: BTreeSet<(Index, Clock)>,
    /// Messages to addresses that are being connected to.
    for_address: ForAddress,
    /// When this peer was called last, and when it is to be called again, at the latest.
    called: Duration,
    expected: Duration,
    effects: Effects,
    /// What the store was told of all this.
    ledger: Ledger,
    /// The greatest greeting of each process, as it was signed.
    greetings: BTreeMap<ProcessId, Bytes>,
    /// My own greeting, as I last signed it.
    greeted_with: Option<(Greeting, Bytes)>,
    /// Not everybody has it.
    greeting_is_news: bool,
}

impl<S: Store> Peer<S> {
    /// A peer that goes on where its store stopped. In a store that was never used it begins as the incarnation `fresh`, drawn at
    /// random for this call: it serves as well should the store turn out to have been rolled back.
    ///
    /// `name` is what its person claims to be called, unless the person has chosen another name since a peer of theirs was
    /// started with this one.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read, or belongs to another person.
    pub fn new(
        config: Config,
        identity: Identity,
        name: Name,
        mut fresh: Incarnation,
        mut store: S,
        now: Now,
    ) -> Result<Self, StoreError> {
        let saved = store.load()?;
        let causal = restart::causal(&saved, identity.person(), &mut fresh, &config)?;
        let me = *causal.roster().id(causal.me());
        let mut peer = Self {
            causal,
            directory: Directory::new(me.person, &config),
            clock: hlc::Clock::new(config.max_clock_ahead),
            numbering: causal::wire::Numbering::new(&causal::Limits::default()),
            links: BTreeMap::new(),
            link_of: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            addresses: BTreeSet::new(),
            groups: BTreeSet::new(),
            record_is_stale: false,
            record_is_untold: false,
            queue: Queue::default(),
            outbox: Outbox::default(),
            schedule: Schedule::default(),
            carry: Carry::default(),
            watch: Watch::default(),
            undelivered: Undelivered::default(),
            absent: Absent::default(),
            homecoming: Homecoming::default(),
            talks: Talks::default(),
            vectors: Vectors::new(now.monotonic),
            gate: Gate::default(),
            repair: Repair::default(),
            repeats: Repeats::default(),
            labels: Labels::default(),
            superseded: false,
            deleted: false,
            held_since: VecDeque::new(),
            held_large: BTreeMap::new(),
            held_large_bytes: 0,
            announced: BTreeSet::new(),
            for_address: ForAddress::default(),
            called: now.monotonic,
            expected: Duration::MAX,
            effects: Effects::default(),
            ledger: Ledger::new(store.survives(), fresh),
            greetings: BTreeMap::new(),
            greeted_with: None,
            greeting_is_news: false,
            config,
            identity,
            me,
            name,
            claim: Claim::default(),
            store,
        };
        peer.resume_claim(&saved);
        peer.journal(Journal::Start { process: me, name: peer.name.to_string(), supersedes: None });
        peer.restore(now, saved)?;
        drop(peer.write_own_record(now));
        peer.look_at_claims(now);
        Ok(peer)
    }

    /// The store, which another peer can go on with.
    pub fn into_store(self) -> S {
        self.store
    }

    /// Who I am in the causal order.
    pub fn process(&self) -> ProcessId {
        self.me
    }

    /// I myself, as shown to my user.
    pub fn who(&self) -> Arc<Who> {
        self.directory.who(self.me.person)
    }

    /// Where [`Effects::durable`] is applied.
    pub fn store_mut(&mut self) -> &mut S {
        &mut self.store
    }

    /// A frame came in on a link that is up.
    ///
    /// # Errors
    /// [`BadFrame`] for what no honest peer sends: the caller closes the link with that reason. A frame that hands on
    /// what somebody else wrote is never the carrier's fault.
    pub fn handle_frame(&mut self, now: Now, link: LinkId, frame: &[u8]) -> Result<(), BadFrame> {
        use crate::frame::Frame;
        let Some(&Link { dismissed, person, .. }) = self.links.get(&link) else { return Ok(()) };
        if dismissed && self.deleted {
            return Ok(());
        }
        if dismissed {
            // Each may have forgotten the other's process: then both begin anew.
            if let Ok(Frame::Control(control)) = Frame::decode(frame)
                && let Control::Forgotten { process } = *control
            {
                self.handle_forgotten(now, person, process)?;
            }
            return Ok(());
        }
        match Frame::decode(frame)? {
            Frame::Batch(batch) => self.handle_batch(now, link, batch)?,
            Frame::Numbers(numbers) => self.handle_numbers(link, numbers)?,
            Frame::Control(control) => self.handle_control(now, link, *control)?,
        }
        self.deliver(now);
        Ok(())
    }

    fn handle_control(&mut self, now: Now, link: LinkId, control: Control) -> Result<(), BadFrame> {
        if let Control::Hello { greeting, have, records, returned } = control {
            return self.handle_hello(now, link, greeting, &have, records, &returned);
        }
        let process = self.greeted(link)?;
        match control {
            Control::Hello { .. } => unreachable!("handled above"),
            Control::Have { clock, have, again } => self.handle_have(link, process, clock, &have, again)?,
            Control::Greeting { signed } => {
                let greeting = greeting::claim(&signed)?;
                if greeting.process != *self.causal.roster().id(process) {
                    return Err(BadFrame("a greeting under somebody else's name".to_owned()));
                }
                self.keep_greeting(&greeting, signed);
            }
            Control::Pull { author, after, up_to } => self.request(link, Request::Pull { author, after, up_to }),
            Control::Pulled(pulled) => self.handle_pulled(now, link, process, &pulled)?,
            Control::Carrying { offered } => self.handle_carrying(link, offered)?,
            Control::CarryWanted { wanted, done } => self.handle_carry_wanted(link, process, wanted, done),
            Control::Parcels { parcels } => self.handle_parcels(now, link, process, parcels),
            Control::Forgotten { process: forgotten } if self.deleted && forgotten == self.me => {
                self.note_told_of_deletion(link);
            }
            Control::Forgotten { process: forgotten } => {
                self.handle_forgotten(now, self.person_of(process), forgotten)?;
            }
            Control::HistoryWanted(wanted) => self.request(link, Request::History(wanted)),
            Control::History { request, piece, more, shown } => {
                self.handle_history(now, process, request, &piece, more, shown)?;
            }
        }
        Ok(())
    }

    /// Everything that is to be done now. What was said in this turn is signed together.
    pub fn take_effects(&mut self, now: Now) -> Effects {
        self.allow_for_pause(now);
        self.multicast_stale_record(now);
        self.flush(now);
        self.offer_parcels(now);
        self.sign_acknowledgements(now);
        self.tell_delivered(now.monotonic);
        self.tell_unread(now.monotonic);
        self.keep_state();
        self.called = now.monotonic;
        self.expected = self.poll_timeout().map_or(Duration::MAX, |(at, _)| at.max(now.monotonic));
        self.effects.take()
    }

    /// What was under way with links, and for whom I am no longer.
    fn forget_what_was_under_way(&mut self, now: Now) {
        self.effects.frames.clear();
        self.numbering = causal::wire::Numbering::new(&causal::Limits::default());
        self.queue.clear();
        self.outbox = Outbox::default();
        self.schedule.begin_anew();
        self.carry.begin_anew();
        self.watch = Watch::default();
        self.undelivered = Undelivered::default();
        self.absent.begin_anew();
        self.vectors = Vectors::new(now.monotonic);
        self.gate.begin_anew();
        self.repair = Repair::default();
        self.held_since.clear();
        self.held_large.clear();
        self.held_large_bytes = 0;
        self.announced.clear();
        self.ledger.held.clear();
        self.greeted_with = None;
    }

    fn id_of(&self, author: Index, clock: Clock) -> MessageId {
        MessageId { process: *self.causal.roster().id(author), clock }
    }

    fn person_of(&self, process: Index) -> PersonId {
        self.causal.roster().id(process).person
    }

    fn journal(&mut self, entry: Journal) {
        if self.config.journal {
            self.effects.journal.push(entry);
        }
    }

    fn tell(&mut self, event: Event) {
        self.effects.events.push(event);
    }

    fn send_control(&mut self, link: LinkId, control: &Control) {
        self.effects.frames.push((link, control.encode()));
    }

    fn journal_abandon(&mut self, author: Index, first: Clock, upto: Clock) {
        let first = self.id_of(author, first);
        self.journal(Journal::Abandon { first, upto });
    }
}

impl<S> std::fmt::Debug for Peer<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").field("me", &self.me).field("name", &self.name).finish_non_exhaustive()
    }
}
