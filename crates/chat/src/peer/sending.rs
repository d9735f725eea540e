//! From a stamped message to frames on links: batches are signed once, encoded once for all who get the same messages
//! of it, and pushed to each link in clock order.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use causal::{Clock, Index, Set, Stamp};

use crate::frame::NUMBERS;
use crate::history::Conversation;
use crate::kept::SignedBatch;
use crate::store::{Change, Store};
use crate::{Journal, LinkId, ProcessId};

use super::outbox::Outgoing;
use super::{Now, Peer, batch_frame};

/// What was said in this turn: stamped, and not signed yet.
#[derive(Debug, Default)]
pub(super) struct Queue {
    messages: Vec<Queued>,
    /// Their bodies, one behind the other: under load a piece of memory for each would be most of what is allocated.
    bodies: Vec<u8>,
}

impl Queue {
    /// The clock of the first.
    pub(super) fn first(&self) -> Option<Clock> {
        self.messages.first().map(|first| first.stamp.clock)
    }

    /// Lets go of all of it, but not of the room for it: as much is said in one turn as in the next.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.bodies.clear();
    }
}

#[derive(Debug)]
struct Queued {
    stamp: Stamp,
    /// Its place among the bodies.
    body: Range<usize>,
    /// The body as it was before it was sealed.
    opened: Option<Bytes>,
    /// When it may be transmitted, if it is delayed (monotonic).
    due: Option<Duration>,
}

impl<S: Store> Peer<S> {
    /// Stamps a message now; it is signed and handed to the links at the end of the turn, or when it is `due`.
    pub(super) fn multicast(
        &mut self,
        dests: &Set,
        body: &[u8],
        opened: Option<Bytes>,
        group: Option<&str>,
        due: Option<Duration>,
    ) -> Clock {
        let stamp = self.causal.multicast(dests);
        let clock = stamp.clock;
        self.ledger.causal_moved = true;
        if self.config.journal {
            let roster = self.causal.roster();
            let dests = stamp.dests.iter().map(|dest| *roster.id(dest)).collect();
            let id = self.id_of(self.causal.me(), clock);
            self.journal(Journal::Send { id, dests, group: group.map(str::to_owned) });
        }
        let Queue { messages, bodies } = &mut self.queue;
        let start = bodies.len();
        bodies.extend_from_slice(body);
        messages.push(Queued { stamp, body: start..bodies.len(), opened, due });
        clock
    }

    /// Whom a message to `conversation` reaches, myself left out.
    pub(super) fn dests(&mut self, conversation: &Conversation) -> Set {
        let generation = self.directory.generation();
        if let Some((at, dests)) = &self.talks.entry(conversation).dests
            && *at == generation
        {
            return dests.clone();
        }
        let members: Vec<ProcessId> = match conversation {
            Conversation::All => self.directory.everybody().collect(),
            Conversation::Group(name) => self.directory.members(name).collect(),
            Conversation::Direct(person) => self.directory.process_of(*person).into_iter().collect(),
            Conversation::People(others) => {
                others.iter().filter_map(|&person| self.directory.process_of(person)).collect()
            }
        };
        let dests = self.indices(members);
        self.talks.entry(conversation).dests = Some((generation, dests.clone()));
        dests
    }

    /// The set of those of `processes` that are not myself.
    pub(super) fn indices(&mut self, processes: impl IntoIterator<Item = ProcessId>) -> Set {
        let mut set = Set::default();
        for process in processes {
            // Past the bound on processes a newcomer is not addressed: the directory has the same bound and said so.
            if process != self.me
                && let Ok(index) = self.causal.intern(process)
            {
                set.insert(index);
            }
        }
        set
    }

    /// Signs what was said in this turn, and gives it to every link that has room.
    pub(super) fn flush(&mut self, now: Now) {
        if self.numbering.is_full() {
            self.numbering.renew();
        }
        let mut queue = std::mem::take(&mut self.queue);
        let mut rest = &mut queue.messages[..];
        while let Some(count) = self.next_batch(rest) {
            let (messages, behind) = rest.split_at_mut(count);
            rest = behind;
            let due = messages[0].due;
            let unsigned = messages.iter().map(|Queued { stamp, body, .. }| (stamp, &queue.bodies[body.clone()]));
            let batch = Arc::new(SignedBatch::sign(&self.identity, self.me, unsigned, &self.causal));
            self.keep_own(&batch, |index| messages[index].opened.take());
            self.ledger.last = batch.hashes(&self.causal).last().copied();
            let before = self.outbox.last();
            self.outbox.push(&batch);
            self.note_signed(&batch);
            match due {
                Some(due) => self.delay(now, batch.message(0).expect("one's own").0.clock, due),
                None => self.push_fresh(&batch, before),
            }
        }
        queue.clear();
        self.queue = queue;
        self.pump_all();
    }

    /// How many of these messages, from the first on, are signed together. What is delayed is signed by itself.
    fn next_batch(&self, queued: &[Queued]) -> Option<usize> {
        let first = queued.first()?;
        let mut bytes = first.body.len();
        let others = queued[1..].iter().take(self.config.max_batch.saturating_sub(1)).take_while(|next| {
            bytes += next.body.len();
            first.due.is_none() && next.due.is_none() && bytes <= self.config.max_batch_bytes
        });
        Some(1 + others.count())
    }

    /// Gives a batch to every link that has all that came before it. The others get it from the outbox.
    fn push_fresh(&mut self, batch: &SignedBatch, before: Clock) {
        let last = self.outbox.last();
        for (&process, &link_id) in &self.link_of {
            let link = self.links.get_mut(&link_id).expect("link_of names links that are up");
            if link.pushed < before || !link.has_room(self.config.window) {
                continue;
            }
            link.pass(&self.outbox, last);
            let mask = mask(batch, process);
            if mask == 0 {
                continue;
            }
            link.in_flight += mask.count_ones() as usize;
            let frame = batch_frame::encode(batch, mask, &mut self.numbering, &self.causal);
            if let Some(numbers) = link.new_numbers(&self.numbering, &self.causal) {
                self.effects.frames.push((link_id, numbers));
            }
            self.effects.frames.push((link_id, frame));
        }
    }

    /// Gives each link that has room a piece of what it lacks.
    pub(super) fn pump_all(&mut self) {
        let behind: Vec<(Index, LinkId)> = self
            .link_of
            .iter()
            .map(|(&process, &link)| (process, link))
            .filter(|(_, link)| self.links[link].is_behind(&self.outbox, self.config.window))
            .collect();
        for (process, link) in behind {
            self.pump(process, link);
        }
    }

    /// Whether some link with room lacks something that could be sent now.
    pub(super) fn is_behind(&self) -> bool {
        self.link_of.values().any(|link| self.links[link].is_behind(&self.outbox, self.config.window))
    }

    /// Whether some link, with room or without, lacks something that could be sent now, or is being given what is for people who are
    /// away: what a caller that shuts down may wait for.
    pub fn has_unsent(&self) -> bool {
        self.link_of
            .values()
            .map(|link| &self.links[link])
            .any(|link| link.lacks(&self.outbox) || link.offers.is_open())
    }

    fn pump(&mut self, process: Index, link_id: LinkId) {
        let mut budget = self.config.max_piece_bytes;
        let link = self.links.get_mut(&link_id).expect("link_of names links that are up");
        let room = self.config.window.saturating_sub(link.in_flight);
        let mut wanted: Vec<(Arc<SignedBatch>, u64)> = Vec::new();
        let mut count = 0;
        let mut take = |Outgoing { kept, outstanding }: &Outgoing, wanted: &mut Vec<_>, budget: &mut usize| {
            if !outstanding.contains(process) {
                return;
            }
            match wanted.last_mut() {
                Some((batch, mask)) if Arc::ptr_eq(batch, kept.batch()) => *mask |= 1 << kept.index(),
                Some(_) | None => wanted.push((Arc::clone(kept.batch()), 1 << kept.index())),
            }
            count += 1;
            *budget = if count < room { budget.saturating_sub(kept.bytes()) } else { 0 };
        };
        let overdue: Vec<Clock> = link.skipped.iter().copied().filter(|&c| self.outbox.due(c).is_none()).collect();
        for clock in overdue {
            if budget == 0 {
                break;
            }
            link.skipped.remove(&clock);
            if let Some(outgoing) = self.outbox.message(clock) {
                take(outgoing, &mut wanted, &mut budget);
            }
        }
        let mut reached = link.pushed;
        if budget > 0 {
            reached = self.outbox.last();
            for outgoing in self.outbox.after(link.pushed) {
                let clock = outgoing.kept.clock();
                // A batch that was begun goes whole, so that one frame of it serves all links.
                let begun = wanted.last().is_some_and(|(last, _)| Arc::ptr_eq(last, outgoing.kept.batch()));
                if budget == 0 && !begun {
                    reached = clock - 1;
                    break;
                }
                if self.outbox.due(clock).is_none() {
                    take(outgoing, &mut wanted, &mut budget);
                }
            }
        }
        link.pass(&self.outbox, reached);
        link.in_flight += count;
        let encode = |(batch, mask): &(Arc<SignedBatch>, u64)| {
            batch_frame::encode(batch, *mask, &mut self.numbering, &self.causal)
        };
        let frames: Vec<Bytes> = wanted.iter().map(encode).collect();
        if let Some(numbers) = link.new_numbers(&self.numbering, &self.causal) {
            self.effects.frames.push((link_id, numbers));
        }
        self.effects.frames.extend(frames.into_iter().map(|frame| (link_id, frame)));
    }

    /// What was under `-delay` and is due by `until` goes out to everybody who passed over it.
    pub(super) fn release_due(&mut self, now: Now, until: Duration) {
        let due = self.outbox.take_due(until);
        if due.is_empty() {
            return;
        }
        self.may_leave_parcels();
        let said: Vec<Clock> = due.iter().copied().filter(|&clock| !self.outbox.is_welcome(clock)).collect();
        self.schedule.note_released(&said);
        self.watch_released(now, &said);
        if self.ledger.is_on() {
            self.effects.durable.extend(due.into_iter().map(|clock| Change::Delayed { clock, due: None }));
        }
        self.pump_all();
    }

    fn delay(&mut self, now: Now, clock: Clock, due: Duration) {
        self.outbox.delay(clock, due);
        if self.ledger.is_on() {
            let wait = i64::try_from(due.saturating_sub(now.monotonic).as_micros()).unwrap_or(i64::MAX);
            let due = Some(now.unix_micros.saturating_add(wait));
            self.effects.durable.push(Change::Delayed { clock, due });
        }
    }
}

impl super::links::Link {
    /// Notes that everything up to `reached` is pushed, but for what is under `-delay`.
    fn pass(&mut self, outbox: &super::Outbox, reached: Clock) {
        self.skipped.extend(outbox.delayed_between(self.pushed, reached));
        self.pushed = self.pushed.max(reached);
    }

    fn has_room(&self, window: usize) -> bool {
        !self.full && self.in_flight < window
    }

    fn is_behind(&self, outbox: &super::Outbox, window: usize) -> bool {
        self.has_room(window) && self.lacks(outbox)
    }

    fn lacks(&self, outbox: &super::Outbox) -> bool {
        self.pushed < outbox.last() || self.skipped.iter().any(|&clock| outbox.due(clock).is_none())
    }

    /// The frame that tells this link the numbers it has not been told yet.
    fn new_numbers(&mut self, numbering: &causal::wire::Numbering, causal: &crate::kept::Causal) -> Option<Bytes> {
        if self.mark == numbering.mark() {
            return None;
        }
        let mut bytes = vec![NUMBERS];
        self.mark = numbering.additions_since(self.mark, causal.roster(), &mut bytes);
        Some(bytes.into())
    }
}

/// The messages of `batch` that are addressed to `process`.
fn mask(batch: &SignedBatch, process: Index) -> u64 {
    (0..batch.len())
        .filter(|&index| batch.dests(index).is_some_and(|dests| dests.contains(process)))
        .fold(0, |mask, index| mask | 1 << index)
}
