//! Have-vectors: what everybody has delivered of everybody. They acknowledge, and they show what to pull.
//!
//! An author pushes his own messages; those of an author who is not linked are pulled, each author's from one peer at a
//! time, in clock order, a bounded piece at a time ([`pulls`]). What was given up is looked for all the same ([`holes`]).

mod holes;
mod pulls;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::frame::{Control, Have};
use crate::store::Store;
use crate::{LinkId, PersonId};

use super::requests::Request;
use super::talk::Vector;
use super::{BadFrame, Now, Peer};

/// How long after a refusal by a limit the refused messages are asked for again, if there is room then.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// The most holes that anybody has in one author's messages: what the causal order keeps of them.
const HOLES: usize = 4096;

/// For how many heartbeats a pull may bring nothing before the next one who has it is asked: some ten seconds, in which a slow link
/// carries a piece. Whoever says that he has something need not have it, or hand it over.
const IDLE: u32 = 4;

/// How many pulls may be under way at once. Where more are away, their turn comes when others are done.
const PULLS: usize = 256;

/// A pull that is under way.
#[derive(Debug)]
struct Pulling {
    from: Index,
    /// What was asked for last.
    after: Clock,
    up_to: Clock,
    /// How many heartbeats ago it last brought something.
    idle: u32,
}

/// The have-vectors, and what is owed to whom.
#[derive(Debug)]
pub(super) struct Vectors {
    /// For each peer, how far he has come with each author, holes or not.
    of: BTreeMap<Index, Vector>,
    /// The furthest that any of them has come with each author.
    most: Vector,
    /// What each peer has acknowledged of my own messages, holes left out.
    acknowledged: Vector,
    /// On which links deliveries were acknowledged in this turn.
    acknowledged_on: BTreeSet<LinkId>,
    /// Authors of whom more was delivered since the last heartbeat.
    changed: Set,
    /// For each author, how many deliveries he was not told of yet.
    owed: Vec<u32>,
    /// Since when something has been owed.
    owed_since: Option<Duration>,
    next_heartbeat: Duration,
    next_whole: Duration,
    /// For each peer, up to where each author's messages were pulled from it, whether some were mine or none. Another peer
    /// may have what was addressed to it and to me but not to this one.
    checked: BTreeMap<Index, Vector>,
    pulling: BTreeMap<Index, Pulling>,
    /// A link came up: until then nothing new is pulled, as more may follow, and authors push their own.
    pull_at: Option<Duration>,
    /// Who is asked for what I gave up of whom.
    searches: holes::Searches,
    /// Authors whose messages were refused by a limit, and when they are asked for again.
    refused: BTreeSet<Index>,
    ask_again: Duration,
    /// Peers that handed on what its author never signed: nothing is pulled from them any more.
    distrusted: BTreeSet<Index>,
    /// Peers that let a pull wait: others are asked first.
    idle: BTreeSet<Index>,
}

impl Vectors {
    pub(super) fn new(now: Duration) -> Self {
        Self {
            of: BTreeMap::new(),
            most: Vector::default(),
            acknowledged: Vector::default(),
            acknowledged_on: BTreeSet::new(),
            changed: Set::new(),
            owed: Vec::new(),
            owed_since: None,
            next_heartbeat: now,
            next_whole: now,
            checked: BTreeMap::new(),
            pulling: BTreeMap::new(),
            pull_at: None,
            searches: holes::Searches::default(),
            refused: BTreeSet::new(),
            ask_again: Duration::ZERO,
            distrusted: BTreeSet::new(),
            idle: BTreeSet::new(),
        }
    }

    /// A message of `author` was refused by a limit: it is asked for again when there is room.
    pub(super) fn note_refused(&mut self, now: Now, author: Index) {
        if self.refused.is_empty() {
            self.ask_again = now.monotonic + ASK_AGAIN;
        }
        self.refused.insert(author);
    }

    /// Whether something is being pulled.
    pub(super) fn is_pulling(&self) -> bool {
        !self.pulling.is_empty()
    }

    /// Whether `peer` hands on what its author never signed.
    pub(super) fn distrusts(&self, peer: Index) -> bool {
        self.distrusted.contains(&peer)
    }

    fn checked(&self, peer: Index, author: Index) -> Clock {
        self.checked.get(&peer).map_or(0, |vector| vector.of(author))
    }

    /// What `peer` has of everybody, as far as is known.
    pub(super) fn of(&self, peer: Index) -> Option<&Vector> {
        self.of.get(&peer)
    }

    /// What `peer` has of `author`, as far as is known.
    pub(super) fn has(&self, peer: Index, author: Index) -> Clock {
        self.of.get(&peer).map_or(0, |vector| vector.of(author))
    }
}

impl<S: Store> Peer<S> {
    fn have(&self, author: Index) -> Have {
        Have {
            author: *self.causal.roster().id(author),
            delivered: self.causal.delivered(author),
            holes: self.causal.holes(author).iter().map(|hole| (hole.from, hole.to)).collect(),
        }
    }

    /// The whole have-vector.
    pub(super) fn have_everything(&self) -> Vec<Have> {
        let authors = self.causal.roster().iter().map(|(author, _)| author);
        authors.filter(|&author| self.causal.delivered(author) > 0).map(|author| self.have(author)).collect()
    }

    /// So many messages of `author` were delivered.
    pub(super) fn note_delivered(&mut self, now: Now, author: Index, count: u32) {
        self.vectors.changed.insert(author);
        if self.vectors.owed.len() <= author.position() {
            self.vectors.owed.resize(self.causal.roster().len(), 0);
        }
        let owed = &mut self.vectors.owed[author.position()];
        *owed += count;
        if *owed >= self.config.acknowledge_every {
            self.acknowledge(author);
        } else if self.vectors.owed_since.is_none() {
            self.vectors.owed_since = Some(now.monotonic);
        }
    }

    /// Tells an author what was delivered of his.
    fn acknowledge(&mut self, author: Index) {
        self.vectors.owed[author.position()] = 0;
        if let Some(&link) = self.link_of.get(&author) {
            let have = vec![self.have(author)];
            self.send_control(link, &Control::Have { clock: self.causal.clock(), have, again: false });
            self.vectors.acknowledged_on.insert(link);
        }
    }

    /// Tells those authors of whom so many deliveries were not acknowledged.
    fn acknowledge_from(&mut self, owed: u32) {
        let owing = self.causal.roster().iter().zip(&self.vectors.owed).filter(|&(_, &owing)| owing >= owed);
        for author in owing.map(|((author, _), _)| author).collect::<Vec<_>>() {
            self.acknowledge(author);
        }
    }

    /// Whoever learns that something is delivered lets go of it. So he gets the signed greeting that says so first: should this
    /// peer's store be put back to before that, it finds out.
    pub(super) fn sign_acknowledgements(&mut self, now: Now) {
        if self.vectors.acknowledged_on.is_empty() {
            return;
        }
        // The greeting is signed once for all of them, so whoever is owed an acknowledgement soon gets it now.
        self.acknowledge_from((self.config.acknowledge_every / 2).max(1));
        let links = std::mem::take(&mut self.vectors.acknowledged_on);
        let frame = Control::Greeting { signed: self.fresh_greeting(now) }.encode();
        self.effects.frames.splice(0..0, links.into_iter().map(|link| (link, frame.clone())));
    }

    /// When something of this module is to be done.
    pub(super) fn next_of_vectors(&self) -> Option<(Duration, &'static str)> {
        let acknowledge =
            self.vectors.owed_since.map(|since| (since + self.config.acknowledge_after, "an acknowledgement is owed"));
        let heartbeat = (!self.link_of.is_empty())
            .then_some((self.vectors.next_heartbeat.min(self.vectors.next_whole), "the vectors are exchanged"));
        let ask_again =
            (!self.vectors.refused.is_empty()).then_some((self.vectors.ask_again, "messages were refused by a limit"));
        let pull = self.vectors.pull_at.map(|at| (at, "links have come up"));
        acknowledge.into_iter().chain(heartbeat).chain(ask_again).chain(pull).min()
    }

    /// A link to `person` comes up. Whoever is there pushes what he wrote, so nobody else is asked for more of it; and others who
    /// have been away may follow, so what they wrote is not pulled yet.
    pub(super) fn await_pushes(&mut self, now: Now, person: PersonId) {
        // A link that comes and goes puts nothing off.
        self.vectors.pull_at.get_or_insert(now.monotonic + self.config.pull_after);
        let author = self.directory.process_of(person).and_then(|process| self.causal.roster().index(&process));
        if let Some(author) = author {
            self.vectors.pulling.remove(&author);
        }
    }

    pub(super) fn exchange_vectors(&mut self, now: Now) {
        if self.vectors.pull_at.is_some_and(|at| at <= now.monotonic) {
            self.vectors.pull_at = None;
            self.pull_what_others_have();
        }
        if self.vectors.owed_since.is_some_and(|since| since + self.config.acknowledge_after <= now.monotonic) {
            self.vectors.owed_since = None;
            self.acknowledge_from(1);
        }
        let have = if self.vectors.next_whole <= now.monotonic {
            self.vectors.next_whole = now.monotonic + self.config.whole_vector;
            for (author, _) in self.linked() {
                self.ask_to_complete(author);
            }
            self.follow_all(now);
            self.have_everything()
        } else if self.vectors.next_heartbeat <= now.monotonic {
            self.vectors.changed.iter().map(|author| self.have(author)).collect()
        } else {
            return;
        };
        self.vectors.next_heartbeat = now.monotonic + self.config.heartbeat;
        self.greet_again(now);
        self.welcome_present();
        self.vectors.changed = Set::new();
        self.tell_everybody(have);
        self.leave_idle_pulls();
    }

    /// A heartbeat is over: whoever lets a pull wait for long is left for somebody else.
    fn leave_idle_pulls(&mut self) {
        let Vectors { pulling, idle, .. } = &mut self.vectors;
        let before = pulling.len();
        pulling.retain(|_, pulling| {
            pulling.idle += 1;
            if pulling.idle > IDLE {
                idle.insert(pulling.from);
            }
            pulling.idle <= IDLE
        });
        if self.vectors.pulling.len() < before {
            self.pull_what_others_have();
        }
    }

    fn tell_everybody(&mut self, have: Vec<Have>) {
        let frame = Control::Have { clock: self.causal.clock(), have, again: false }.encode();
        self.effects.frames.extend(self.link_of.values().map(|&link| (link, frame.clone())));
    }

    /// `author` is lost: everybody learns at once what I have of him, so that whoever lacks it can pull it from me.
    pub(super) fn announce_what_i_have_of(&mut self, author: Index) {
        let have = vec![self.have(author)];
        self.tell_everybody(have);
    }

    pub(super) fn handle_have(
        &mut self,
        link: LinkId,
        process: Index,
        clock: Clock,
        have: &[Have],
        again: bool,
    ) -> Result<(), BadFrame> {
        self.causal.vouch(process, clock);
        let is_news = self.take_vector(process, have)?;
        if again {
            self.request(link, Request::PushAgain);
        }
        self.pump_all();
        if is_news {
            self.pull_what_others_have();
        }
        Ok(())
    }

    /// Whether the other side has more of others than was known.
    ///
    /// # Errors
    /// [`BadFrame`] for an acknowledgement of what I never said, which is invented, and for what no honest peer says so long.
    pub(super) fn take_vector(&mut self, process: Index, have: &[Have]) -> Result<bool, BadFrame> {
        let mut authors = BTreeSet::new();
        let mut is_news = false;
        for Have { author, delivered, holes } in have {
            if !authors.insert(author) || holes.len() > HOLES {
                return Err(BadFrame("a vector that names an author twice, or too many holes".to_owned()));
            }
            if holes.iter().any(|(from, to)| from >= to) || !holes.is_sorted_by(|one, next| one.1 <= next.0) {
                return Err(BadFrame("a vector whose holes are out of order".to_owned()));
            }
            if *author == self.me {
                if *delivered > self.causal.clock() {
                    return Err(BadFrame(format!("an acknowledgement of message {delivered}, which was never sent")));
                }
                self.take_acknowledgement(process, *delivered, holes);
                self.note_acknowledged(process, *delivered);
                continue;
            }
            // Nothing is pulled of somebody who is not known, or past the bound on processes.
            if !self.directory.knows(author.person) {
                continue;
            }
            let Some(author) = self.number_of_hearsay(*author) else { continue };
            self.drop_acknowledged(process, author, *delivered, holes);
            // What lies behind a hole can be had from here though the hole cannot: its author may be gone for good.
            is_news |= self.vectors.has(process, author) < *delivered;
            self.vectors.of.entry(process).or_default().raise(author, *delivered);
            self.vectors.most.raise(author, *delivered);
            self.search_holes(process, author, *delivered, holes);
        }
        Ok(is_news)
    }

    fn take_acknowledgement(&mut self, process: Index, delivered: Clock, holes: &[(Clock, Clock)]) {
        let mut settled = 0;
        let mut from = if holes.is_empty() { self.vectors.acknowledged.of(process) } else { 0 };
        for &(hole, to) in holes {
            if hole > from {
                settled += self.outbox.acknowledge(process, from, hole.min(delivered));
            }
            from = from.max(to);
        }
        if delivered > from {
            settled += self.outbox.acknowledge(process, from, delivered);
        }
        if let Some(link) = self.link_of.get(&process).and_then(|link| self.links.get_mut(link)) {
            // What lies in a hole is not acknowledged and will not be: it takes no room in the window.
            link.in_flight = if holes.is_empty() { link.in_flight.saturating_sub(settled) } else { 0 };
        }
        if holes.is_empty() {
            self.vectors.acknowledged.raise(process, delivered);
        }
        self.note_spread();
    }

    /// Pulls from the linked peers what they have and I lack of each author that is not linked.
    pub(super) fn pull_what_others_have(&mut self) {
        if self.vectors.pull_at.is_some() {
            return;
        }
        let linked = &self.link_of;
        self.vectors.pulling.retain(|_, pulling| linked.contains_key(&pulling.from));
        let room = PULLS.saturating_sub(self.vectors.pulling.len());
        // In a large mesh nearly all authors are linked, so each author is looked at before the peers that could hand it over.
        let authors =
            self.causal.roster().iter().map(|(author, _)| author).filter(|&author| self.is_to_be_pulled(author));
        let pulls = authors.filter_map(|author| self.source_of(author).map(|(from, up_to)| (author, from, up_to)));
        for (author, from, up_to) in pulls.take(room).collect::<Vec<_>>() {
            self.pull(author, from, up_to);
        }
    }

    /// Whether another peer has more of this author than I do, and neither the author pushes it nor a pull is under way.
    fn is_to_be_pulled(&self, author: Index) -> bool {
        self.vectors.most.of(author) > self.causal.delivered(author)
            && author != self.causal.me()
            && !self.link_of.contains_key(&author)
            && !self.vectors.refused.contains(&author)
            && !self.vectors.pulling.contains_key(&author)
    }

    /// The linked peer that is asked first for an author's messages, and how far it has them: one that let no pull wait, and of
    /// those the one that has the most.
    fn source_of(&self, author: Index) -> Option<(Index, Clock)> {
        let trusted = self.link_of.keys().filter(|peer| !self.vectors.distrusted.contains(peer));
        let have = trusted
            .map(|&peer| (peer, self.vectors.has(peer, author)))
            .filter(|&(peer, clock)| clock > self.causal.delivered(author).max(self.vectors.checked(peer, author)));
        have.min_by_key(|(peer, clock)| (self.vectors.idle.contains(peer), Reverse(*clock)))
    }

    fn pull(&mut self, author: Index, from: Index, up_to: Clock) {
        let after = self.causal.delivered(author).max(self.vectors.checked(from, author));
        let idle = self.vectors.pulling.get(&author).map_or(0, |pulling| pulling.idle);
        self.vectors.pulling.insert(author, Pulling { from, after, up_to, idle });
        self.ask(from, author, after, up_to);
    }

    /// Asks a peer for what `author` has said with clocks in (after, up_to].
    pub(super) fn ask(&mut self, peer: Index, author: Index, after: Clock, up_to: Clock) {
        if let Some(&link) = self.link_of.get(&peer) {
            self.links.get_mut(&link).expect("link_of names links that are up").unanswered += 1;
            let author = *self.causal.roster().id(author);
            self.send_control(link, &Control::Pull { author, after, up_to });
        }
    }

    /// What was refused by a limit is asked for again once there is room: of its author, or of who else has it.
    pub(super) fn ask_again_after_refusals(&mut self, now: Now) {
        if self.vectors.refused.is_empty() || now.monotonic < self.vectors.ask_again {
            return;
        }
        let room =
            self.causal.held() <= self.config.max_held / 2 && self.held_large_bytes <= self.config.max_held_bytes / 2;
        // Without room those are asked whose messages are what the others wait for.
        let blocking: BTreeSet<Index> = self.causal.missing().map(|missing| missing.author).collect();
        let (ask, wait) = std::mem::take(&mut self.vectors.refused)
            .into_iter()
            .partition::<BTreeSet<_>, _>(|author| room || blocking.contains(author));
        self.vectors.refused = wait;
        self.vectors.ask_again = now.monotonic + ASK_AGAIN;
        for author in ask {
            if let Some(&link) = self.link_of.get(&author) {
                let have = vec![self.have(author)];
                self.send_control(link, &Control::Have { clock: self.causal.clock(), have, again: true });
            }
        }
        self.pull_what_others_have();
    }
}
