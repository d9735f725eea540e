//! The welcome: how a newcomer is kept from reading an answer before its question.
//!
//! Before a member says anything else to a newcomer he sends him a causal message that names, as a vector by author,
//! what he has shown of the conversation, and what he knows to be missing. The newcomer hands it to the causal order only once
//! he has fetched what it names, so that all that the member says afterwards waits for it; what he fetched is shown when it
//! is delivered. What nobody hands over within some time he is told is missing, and so are those whom he welcomes in turn.
//!
//! The same holds the other way round: where the author of a message did not know a member yet, whoever was shown it and
//! does know him welcomes him once more before saying anything to him.
//!
//! What it names stands in [`naming`], how that is fetched in [`fetching`], what a member hands over
//! then in [`giving`], and how what lies behind the newest comes in [`rest`].

mod fetching;
mod giving;
mod naming;
mod rest;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use causal::{Clock, Index, MAX_CLOCK, Set};

use crate::body::{self, Body, Scope, Welcome};
use crate::frame::Shown;
use crate::history::{Conversation, Entry};
use crate::hlc::Hlc;
use crate::kept::Kept;
use crate::store::{Change, Store};
use crate::{Event, Journal, MessageId, ProcessId};

use super::{Now, Peer};
use fetching::Fetch;
use rest::Following;

/// What one welcome names of one conversation.
#[derive(Clone, Debug)]
struct Need {
    conversation: Conversation,
    scope: Scope,
    up_to: BTreeMap<ProcessId, Clock>,
    /// Of the newest, named one by one, those that are not here yet.
    newest: BTreeSet<MessageId>,
    /// Who was asked and has not been shown all of it himself.
    lacking: BTreeSet<Index>,
    /// The most that one of these has been shown of it.
    most: Shown,
}

impl Need {
    /// Whether whoever has not all of `other` has not all of this.
    fn includes(&self, other: &Self) -> bool {
        other.up_to.iter().all(|(author, clock)| self.up_to.get(author).is_some_and(|mine| mine >= clock))
    }
}

/// A welcome that waits for history.
#[derive(Debug)]
struct Waiting {
    kept: Kept,
    needs: Vec<Need>,
    since: Duration,
    /// It has all that it waits for, and what is held back leaves no room for it.
    wants_room: bool,
}

/// Welcomes that wait for history, and the history that is on its way.
#[derive(Debug, Default)]
pub(super) struct Gate {
    waiting: BTreeMap<(Index, Clock), Waiting>,
    /// What the welcomes named that are in the causal order and not yet delivered.
    submitted: BTreeMap<(Index, Clock), Vec<Need>>,
    fetches: BTreeMap<u32, Fetch>,
    /// Of whom what lies behind the newest of a conversation is fetched.
    rests: BTreeMap<Conversation, Following>,
    last_request: u32,
    /// Who was not addressed in something that I was shown, and in which conversations, since I last welcomed him.
    owed: BTreeMap<Index, BTreeSet<Conversation>>,
    /// Who was welcomed to which conversations without being told of everything that is missing here, as nobody had vouched for it.
    withheld: BTreeMap<Index, BTreeSet<Conversation>>,
    /// Fetched, to be shown when the welcome that names it is delivered.
    shelf: BTreeMap<Conversation, BTreeMap<(Hlc, MessageId), Entry>>,
}

impl Gate {
    /// Who is owed a welcome by the incarnation that goes on from here, and in which conversations.
    pub(super) fn owed(&self) -> impl Iterator<Item = (Index, BTreeSet<Conversation>)> {
        let mut owed = self.owed.clone();
        self.withheld.iter().for_each(|(&member, of)| owed.entry(member).or_default().extend(of.iter().cloned()));
        owed.into_iter()
    }

    /// Goes on owing what was owed before.
    pub(super) fn owe(&mut self, owed: Vec<(Index, Vec<Conversation>)>) {
        self.owed = owed.into_iter().map(|(member, of)| (member, of.into_iter().collect())).collect();
    }

    /// What waited, and what was on its way, was for whom I am no longer. Whom I owe a welcome I owe one still.
    pub(super) fn begin_anew(&mut self) {
        *self = Self { owed: self.owed().collect(), ..Self::default() };
    }

    /// A member is gone for good.
    pub(super) fn owe_nothing(&mut self, member: Index) {
        self.owed.remove(&member);
        self.withheld.remove(&member);
    }

    /// Whether this welcome waits here.
    pub(super) fn holds(&self, welcome: (Index, Clock)) -> bool {
        self.waiting.contains_key(&welcome)
    }

    /// The welcomes that wait, and the conversations whose history they wait for.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Kept, Vec<&Conversation>)> {
        self.waiting.values().map(|w| (&w.kept, w.needs.iter().map(|need| &need.conversation).collect()))
    }

    /// Whether history is being fetched, or waited for.
    pub(super) fn is_busy(&self) -> bool {
        !self.waiting.is_empty() || !self.fetches.is_empty() || self.rests.values().any(Following::is_under_way)
    }

    /// Whether something waits for nothing but room among what is held back.
    pub(super) fn wants_room(&self) -> bool {
        self.waiting.values().any(|waiting| waiting.wants_room)
    }

    /// What is waited for has been for so much less.
    pub(super) fn put_off(&mut self, pause: Duration) {
        let waiting = self.waiting.values_mut().map(|waiting| &mut waiting.since);
        let fetches = self.fetches.values_mut().map(|fetch| &mut fetch.since);
        let rests = self.rests.values_mut().map(|following| &mut following.since);
        waiting.chain(fetches).chain(rests).for_each(|since| *since += pause);
    }

    /// Whether nothing that a welcome waits for is under way.
    fn is_idle(&self, waiting: &Waiting) -> bool {
        !waiting.wants_room && !waiting.needs.iter().any(|need| self.is_fetching(&need.conversation))
    }

    /// When the next fetch is given up.
    pub(super) fn next(&self, patience: Duration) -> Option<(Duration, &'static str)> {
        let idle = self.waiting.values().filter(|waiting| self.is_idle(waiting)).map(|waiting| waiting.since);
        let rests = self.rests.values().filter_map(Following::waits_since);
        let since = self.fetches.values().map(|fetch| fetch.since).chain(idle).chain(rests).min();
        since.map(|since| (since + patience, "history is being fetched"))
    }
}

impl<S: Store> Peer<S> {
    /// Tells a newcomer what I have shown of these conversations, and who is gone for good, if there is anything to tell. Where
    /// something of it is under `-delay` the welcome is due with it: so he, too, waits with all that I say meanwhile.
    pub(super) fn welcome(&mut self, newcomer: ProcessId, conversations: &[Conversation]) {
        let dests: Set = self.indices([newcomer]);
        let Some(index) = dests.iter().next() else { return };
        let withheld = conversations.iter().filter(|conversation| self.withholds(conversation)).cloned();
        let withheld: BTreeSet<Conversation> = withheld.collect();
        if !withheld.is_empty() {
            self.gate.withheld.entry(index).or_default().extend(withheld);
        }
        if let Some(welcome) = self.welcome_to(index, conversations) {
            let due = self.due_of_unaddressed(index, conversations);
            self.multicast(&dests, &body::welcome(&welcome), None, None, due);
        }
    }

    /// What welcomes left out was vouched for since, or is here, or does not count any more: those who got them are owed another one.
    fn owe_what_was_withheld(&mut self) {
        if self.gate.withheld.is_empty() {
            return;
        }
        let withheld = std::mem::take(&mut self.gate.withheld);
        for (member, conversation) in withheld.iter().flat_map(|(&member, of)| of.iter().map(move |of| (member, of))) {
            let gate = if self.withholds(conversation) { &mut self.gate.withheld } else { &mut self.gate.owed };
            gate.entry(member).or_default().insert(conversation.clone());
        }
    }

    /// Notes whom the author of a message did not address, though I know him as a member.
    pub(super) fn note_unaddressed(&mut self, conversation: &Conversation, author: Index, addressed: &Set) {
        let mut lacking = self.dests(conversation).difference(addressed);
        lacking.remove(author);
        self.owe(&lacking, conversation);
    }

    /// Notes who lacks a text of the past that is being shown, though it was addressed to him: its author is gone, and nobody
    /// hands on as a message what he has as history.
    pub(super) fn note_unserved(&mut self, conversation: &Conversation, kept: &Kept) {
        let (author, clock) = (kept.sender(), kept.clock());
        if !self.is_gone(author) {
            return;
        }
        let members = self.dests(conversation).intersection(kept.dests());
        let lacking = members.iter().filter(|&member| self.vectors.has(member, author) < clock).collect();
        self.owe(&lacking, conversation);
    }

    fn owe(&mut self, members: &Set, conversation: &Conversation) {
        for member in members.iter() {
            self.gate.owed.entry(member).or_default().insert(conversation.clone());
        }
    }

    /// Whoever has not acknowledged a welcome of mine is owed it: what I was does not say it again.
    pub(super) fn owe_welcomes_again(&mut self) {
        let welcomes = self.outbox.after(0).filter(|outgoing| body::is_welcome(outgoing.kept.body()));
        let welcomes: Vec<_> =
            welcomes.map(|outgoing| (outgoing.kept.shared_body(), outgoing.outstanding.clone())).collect();
        for (body, outstanding) in welcomes {
            let Ok(Body::Welcome(Welcome { shown, .. })) = Body::decode(body) else { continue };
            for (member, named) in outstanding.iter().flat_map(|member| shown.iter().map(move |named| (member, named)))
            {
                let conversation = self.conversation_of(&named.scope, self.person_of(member));
                self.gate.owed.entry(member).or_default().extend(conversation);
            }
        }
    }

    /// Whether this process is its person's no more.
    fn is_gone(&self, process: Index) -> bool {
        let id = *self.causal.roster().id(process);
        self.directory.process_of(id.person) != Some(id)
    }

    /// Before I say something to `dests`: those of them who were not addressed in what I was shown are welcomed.
    pub(super) fn welcome_unaddressed(&mut self, dests: &Set) {
        if !self.gate.owed.is_empty() {
            let due = self.gate.owed.keys().copied().filter(|&member| dests.contains(member)).collect();
            self.welcome_once_more(due);
        }
    }

    /// Whoever is still to be welcomed and is here is welcomed even if I say nothing to him, so that everybody has the
    /// same history in the end.
    pub(super) fn welcome_present(&mut self) {
        self.owe_what_was_withheld();
        let present = self.gate.owed.keys().copied().filter(|member| self.link_of.contains_key(member)).collect();
        self.welcome_once_more(present);
    }

    fn welcome_once_more(&mut self, members: Vec<Index>) {
        for member in members {
            let conversations = self.gate.owed.remove(&member).unwrap_or_default();
            let conversations: Vec<Conversation> = conversations.into_iter().collect();
            self.welcome(*self.causal.roster().id(member), &conversations);
        }
    }

    /// Whether there is room for a welcome to wait for history, or it waits already. One that did not wait would let an answer go before
    /// its question, so it is refused for now, and its author pushes it again.
    pub(super) fn has_room_to_wait(&self, welcome: (Index, Clock)) -> bool {
        let of_this_member = self.gate.waiting.range((welcome.0, 0)..=(welcome.0, MAX_CLOCK)).count();
        of_this_member < self.config.max_waiting_welcomes || self.gate.waiting.contains_key(&welcome)
    }

    /// Whether this welcome has to wait for history; if so it waits, and the history is fetched.
    pub(super) fn wait_for_history(&mut self, now: Now, kept: &Kept) -> bool {
        let key = (kept.stamp().sender, kept.stamp().clock);
        if self.gate.waiting.contains_key(&key) || self.gate.submitted.contains_key(&key) {
            return self.gate.waiting.contains_key(&key);
        }
        let Ok(Body::Welcome(Welcome { shown, .. })) = Body::decode(kept.shared_body()) else { return false };
        let from = kept.id().process.person;
        let needs: Vec<Need> = shown.into_iter().filter_map(|named| self.need(from, named)).collect();
        let waiting = Waiting { kept: kept.clone(), needs, since: now.monotonic, wants_room: false };
        self.gate.waiting.insert(key, waiting);
        self.admit(now);
        self.gate.waiting.contains_key(&key)
    }

    /// Whether all that is named was fetched (or given up).
    fn is_fetched(&self, need: &Need) -> bool {
        need.newest.is_empty() && self.is_covered(need)
    }

    /// Whether all that the clocks tell of was fetched.
    fn is_covered(&self, need: &Need) -> bool {
        let talk = self.talks.known(&need.conversation);
        self.named_clocks(need).all(|(author, clock)| talk.is_some_and(|talk| talk.fetched.of(author) >= clock))
    }

    /// What is named, by author. Each of them was given a number when the welcome came.
    fn named_clocks(&self, need: &Need) -> impl Iterator<Item = (Index, Clock)> {
        need.up_to.iter().filter_map(|(author, &clock)| Some((self.causal.roster().index(author)?, clock)))
    }

    /// Hands the welcomes that need not wait any longer to the causal order, and starts fetching for the others.
    pub(super) fn admit(&mut self, now: Now) {
        let keys: Vec<(Index, Clock)> = self.gate.waiting.keys().copied().collect();
        for key in keys {
            if self.has_what_it_needs(now, key) {
                self.admit_one(now, key);
            }
        }
    }

    /// Whether a welcome need not wait any longer; if it does, what it waits for is being fetched. Each need is looked at once: what
    /// was fetched, or is waited for no longer, stays so.
    fn has_what_it_needs(&mut self, now: Now, welcome: (Index, Clock)) -> bool {
        for at in 0..self.gate.waiting[&welcome].needs.len() {
            let need = &self.gate.waiting[&welcome].needs[at];
            if !self.has_to_wait_for(welcome.0, need) {
                continue;
            }
            let need = need.clone();
            let is_under_way = self.gate.is_fetching(&need.conversation) || self.fetch(now, welcome, &need);
            if is_under_way || !self.has_waited_for(&need) {
                return false;
            }
            self.wait_no_longer(now, &need);
        }
        true
    }

    /// Whether what a welcome of this member needs has to be fetched first.
    fn has_to_wait_for(&self, welcomer: Index, need: &Need) -> bool {
        let is_asked = self.link_of.contains_key(&welcomer) && !need.lacking.contains(&welcomer);
        !self.is_fetched(need) && (is_asked || !self.is_strange(&need.conversation))
    }

    fn admit_one(&mut self, now: Now, welcome: (Index, Clock)) {
        if !self.has_room_to_hold(&self.gate.waiting[&welcome].kept, 0) {
            self.gate.waiting.get_mut(&welcome).expect("looked up just now").wants_room = true;
            return;
        }
        let Waiting { kept, needs, .. } = self.gate.waiting.remove(&welcome).expect("looked up just now");
        // What was said in a group that I am not in need not have been fetched.
        for need in &needs {
            if !self.is_fetched(need) {
                let named = self.named_clocks(need).collect();
                self.note_lost(&need.conversation, named);
            }
        }
        self.gate.submitted.insert(welcome, needs);
        if self.causal.knows(welcome.0, welcome.1) {
            // A copy of its author said something else under its clock, and that came first.
            self.effects.durable.push(Change::Dropped(kept));
            self.show_fetched(now, welcome);
        } else if self.submit(now, kept).is_err() {
            self.gate.submitted.remove(&welcome);
        }
    }

    /// A welcome is delivered: what it named and what was fetched is shown, in the order of the history.
    pub(super) fn show_fetched(&mut self, now: Now, welcome: (Index, Clock)) {
        for need in self.gate.submitted.remove(&welcome).unwrap_or_default() {
            let named: Vec<_> = self.named_clocks(&need).collect();
            let shown = &mut self.talks.entry(&need.conversation).fetched_and_shown;
            named.into_iter().for_each(|(author, clock)| shown.raise(author, clock));
            let Some(shelf) = self.gate.shelf.get_mut(&need.conversation) else { continue };
            let named = |entry: &Entry| {
                let MessageId { process, clock } = entry.kept.id();
                need.up_to.get(&process).is_some_and(|&last| clock <= last)
            };
            let keys: Vec<_> = shelf.iter().filter(|(_, entry)| named(entry)).map(|(&key, _)| key).collect();
            let entries: Vec<Entry> = keys.iter().filter_map(|key| shelf.remove(key)).collect();
            if shelf.is_empty() {
                self.gate.shelf.remove(&need.conversation);
            }
            let messages = entries.len();
            for entry in entries {
                if !self.is_here(entry.kept.id()) {
                    self.show_history(now, entry, false);
                }
            }
            if messages > 0 {
                let conversation = self.conversation_label(&need.conversation);
                self.tell(Event::Fetched { conversation, messages });
            }
        }
    }

    /// Shows a message that was fetched. It is `late` if what lies behind it may have been shown before.
    fn show_history(&mut self, now: Now, entry: Entry, late: bool) {
        if let Ok(Body::Text(head)) = Body::decode(entry.body())
            && let Some(conversation) = self.conversation(&entry.kept, &head.scope)
        {
            let is_lacking =
                self.talks.known(&conversation).is_some_and(|talk| !talk.lost.is_empty() || !talk.rest.is_empty());
            self.journal(Journal::Show { id: entry.kept.id(), late: late || is_lacking });
            self.note_unaddressed(&conversation, entry.kept.sender(), entry.kept.dests());
            self.show(now, Entry { conversation, ..entry }, 0);
        }
    }

    /// Somebody is here anew: he may have been shown by now what he lacked.
    pub(super) fn ask_anew(&mut self, process: Index) {
        for need in self.gate.waiting.values_mut().flat_map(|waiting| &mut waiting.needs) {
            need.lacking.remove(&process);
        }
        self.gate.rests.values_mut().for_each(|following| following.ask_anew(process));
    }

    /// How a conversation is named to the user.
    pub(super) fn conversation_label(&mut self, conversation: &Conversation) -> String {
        match conversation {
            Conversation::All => "all".to_owned(),
            Conversation::Group(name) => name.to_string(),
            Conversation::Direct(person) => self.directory.who(*person).label.clone(),
            Conversation::People(others) => {
                let labels = others.iter().map(|&person| self.directory.who(person).label.clone());
                labels.collect::<Vec<_>>().join(", ")
            }
        }
    }
}
