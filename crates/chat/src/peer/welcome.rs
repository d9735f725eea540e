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
//! What a member hands over then stands in [`giving`].

mod giving;
mod naming;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use causal::{Clock, Index, Set};

use crate::body::{self, Body, Scope, Welcome};
use crate::frame::{Control, HistoryWanted};
use crate::history::{Conversation, Entry};
use crate::hlc::Hlc;
use crate::kept::Kept;
use crate::store::{Change, Store};
use crate::{Event, LinkId, MessageId, ProcessId};

use super::talk::Vector;
use super::{BadFrame, Now, Peer};

/// What one welcome names of one conversation.
#[derive(Clone, Debug)]
struct Need {
    conversation: Conversation,
    scope: Scope,
    up_to: BTreeMap<ProcessId, Clock>,
    /// Of the newest, named one by one, those that are not here yet.
    newest: BTreeSet<MessageId>,
}

/// A welcome that waits for history.
#[derive(Debug)]
struct Waiting {
    kept: Kept,
    needs: Vec<Need>,
    since: Duration,
    /// Who was asked and has not been shown all of it himself.
    lacking: BTreeSet<Index>,
    /// It has all that it waits for, and what is held back leaves no room for it.
    wants_room: bool,
}

/// History that is being fetched.
#[derive(Debug)]
struct Fetch {
    need: Need,
    from: Index,
    link: LinkId,
    /// What was fetched before it began.
    after: Vec<(ProcessId, Clock)>,
    got: usize,
    /// The answerer had been shown all of it himself, at every piece.
    whole: bool,
    /// All but what is named one by one was fetched before it began.
    newest_only: bool,
    /// How far back it has come.
    before: Option<(Hlc, MessageId)>,
    /// The newest are here; what comes now is shown nowhere until it is asked for.
    behind: bool,
    /// When the last piece came, or it began.
    since: Duration,
}

/// Welcomes that wait for history, and the history that is on its way.
#[derive(Debug, Default)]
pub(super) struct Gate {
    waiting: BTreeMap<(Index, Clock), Waiting>,
    /// What the welcomes named that are in the causal order and not yet delivered.
    submitted: BTreeMap<(Index, Clock), Vec<Need>>,
    fetches: BTreeMap<u32, Fetch>,
    last_request: u32,
    /// Who was not addressed in something that I was shown, and in which conversations, since I last welcomed him.
    owed: BTreeMap<Index, BTreeSet<Conversation>>,
    /// Fetched, to be shown when the welcome that names it is delivered.
    shelf: BTreeMap<Conversation, BTreeMap<(Hlc, MessageId), Entry>>,
}

impl Gate {
    /// Who is owed a welcome, and in which conversations.
    pub(super) fn owed(&self) -> impl Iterator<Item = (Index, &BTreeSet<Conversation>)> {
        self.owed.iter().map(|(&member, of)| (member, of))
    }

    /// Goes on owing what was owed before.
    pub(super) fn owe(&mut self, owed: Vec<(Index, Vec<Conversation>)>) {
        self.owed = owed.into_iter().map(|(member, of)| (member, of.into_iter().collect())).collect();
    }

    /// A member is gone for good.
    pub(super) fn owe_nothing(&mut self, member: Index) {
        self.owed.remove(&member);
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
        !self.waiting.is_empty() || !self.fetches.is_empty()
    }

    /// Whether something waits for nothing but room among what is held back.
    pub(super) fn wants_room(&self) -> bool {
        self.waiting.values().any(|waiting| waiting.wants_room)
    }

    fn is_fetching(&self, conversation: &Conversation) -> bool {
        self.fetches.values().any(|fetch| fetch.need.conversation == *conversation && !fetch.behind)
    }

    /// Whether nothing that a welcome waits for is under way.
    fn is_idle(&self, waiting: &Waiting) -> bool {
        !waiting.wants_room && !waiting.needs.iter().any(|need| self.is_fetching(&need.conversation))
    }

    /// When the next fetch is given up.
    pub(super) fn next(&self, patience: Duration) -> Option<(Duration, &'static str)> {
        let idle = self.waiting.values().filter(|waiting| self.is_idle(waiting)).map(|waiting| waiting.since);
        let since = self.fetches.values().map(|fetch| fetch.since).chain(idle).min();
        since.map(|since| (since + patience, "history is being fetched"))
    }
}

impl<S: Store> Peer<S> {
    /// Tells a newcomer what I have shown of these conversations, and who is gone for good, if there is anything to tell.
    pub(super) fn welcome(&mut self, newcomer: ProcessId, conversations: &[Conversation]) {
        let dests: Set = self.indices([newcomer]);
        if let Some(index) = dests.iter().next()
            && let Some(welcome) = self.welcome_to(index, conversations)
        {
            self.multicast(&dests, &body::welcome(&welcome), None, None, None);
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

    /// Whether this welcome has to wait for history; if so it waits, and the history is fetched.
    pub(super) fn wait_for_history(&mut self, now: Now, kept: &Kept) -> bool {
        let key = (kept.stamp().sender, kept.stamp().clock);
        if self.gate.waiting.contains_key(&key) || self.gate.submitted.contains_key(&key) {
            return self.gate.waiting.contains_key(&key);
        }
        let of_this_member = self.gate.waiting.range((key.0, 0)..=(key.0, Clock::MAX)).count();
        if of_this_member >= self.config.max_waiting_welcomes {
            return false;
        }
        let Ok(Body::Welcome(Welcome { shown, .. })) = Body::decode(kept.shared_body()) else { return false };
        let from = kept.id().process.person;
        let needs: Vec<Need> = shown.into_iter().map(|named| self.need(from, named)).collect();
        let waiting =
            Waiting { kept: kept.clone(), needs, since: now.monotonic, lacking: BTreeSet::new(), wants_room: false };
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
        let covers = |(author, &clock): (&ProcessId, &Clock)| {
            let author = self.causal.roster().index(author);
            author.zip(talk).is_some_and(|(author, talk)| talk.fetched.of(author) >= clock)
        };
        need.up_to.iter().all(covers)
    }

    /// Hands the welcomes that need not wait any longer to the causal order, and starts fetching for the others.
    pub(super) fn admit(&mut self, now: Now) {
        let keys: Vec<(Index, Clock)> = self.gate.waiting.keys().copied().collect();
        for key in keys {
            let waiting = &self.gate.waiting[&key];
            let is_asked = self.link_of.contains_key(&key.0) && !waiting.lacking.contains(&key.0);
            let waits = |need: &&Need| !self.is_fetched(need) && (is_asked || !self.is_strange(&need.conversation));
            let Some(need) = waiting.needs.iter().find(waits).cloned() else {
                if !self.has_room_to_hold(&waiting.kept, 0) {
                    self.gate.waiting.get_mut(&key).expect("it was there just now").wants_room = true;
                    continue;
                }
                let Waiting { kept, needs, .. } = self.gate.waiting.remove(&key).expect("it was there just now");
                // What was said in a group that I am not in need not have been fetched.
                for need in &needs {
                    if !self.is_fetched(need) {
                        self.note_lost(need);
                    }
                }
                self.gate.submitted.insert(key, needs);
                if self.submit(now, kept).is_err() {
                    self.gate.submitted.remove(&key);
                }
                continue;
            };
            if !self.gate.is_fetching(&need.conversation) {
                self.fetch(now, key, need);
            }
        }
    }

    fn fetch(&mut self, now: Now, welcome: (Index, Clock), need: Need) {
        let member = |&(process, _): &(Index, LinkId)| match &need.conversation {
            Conversation::All => true,
            Conversation::Group(name) => {
                self.directory.members(name).any(|member| member == *self.causal.roster().id(process))
            }
            Conversation::Direct(person) => self.person_of(process) == *person,
        };
        let linked = self.linked();
        let lacks = |process: Index| {
            let of_this = self.gate.waiting.get(&welcome);
            of_this.is_some_and(|waiting| waiting.lacking.contains(&process))
        };
        let welcomer = linked.iter().copied().find(|&(process, _)| process == welcome.0 && !lacks(process));
        let other = |linked: &(Index, LinkId)| member(linked) && !lacks(linked.0);
        let Some((from, link)) = welcomer.or_else(|| linked.into_iter().find(other)) else { return };
        let talk = self.talks.known(&need.conversation).filter(|talk| talk.lost.is_empty());
        let newest_only = talk.is_some() && self.is_covered(&need);
        let after = talk.map(|talk| &talk.fetched).into_iter().flat_map(|fetched| fetched.iter(self.causal.roster()));
        let after: Vec<_> = after.map(|(_, author, clock)| (author, clock)).collect();
        self.gate.last_request += 1;
        let request = self.gate.last_request;
        let fetch = Fetch {
            need,
            from,
            link,
            after,
            got: 0,
            whole: true,
            newest_only,
            before: None,
            behind: false,
            since: now.monotonic,
        };
        self.gate.fetches.insert(request, fetch);
        self.want(request, None);
    }

    fn want(&mut self, request: u32, before: Option<(Hlc, MessageId)>) {
        let fetch = &self.gate.fetches[&request];
        let wanted = HistoryWanted {
            request,
            scope: fetch.need.scope.clone(),
            after: fetch.after.clone(),
            up_to: fetch.need.up_to.iter().map(|(&author, &clock)| (author, clock)).collect(),
            also: naming::by_author(fetch.need.newest.iter().copied()),
            before,
        };
        let link = fetch.link;
        self.send_control(link, &Control::HistoryWanted(wanted));
    }

    /// A piece of history came. What was not asked for is dropped, and counted.
    ///
    /// # Errors
    /// [`BadFrame`] for a piece that no honest peer puts together.
    pub(super) fn handle_history(
        &mut self,
        now: Now,
        from: Index,
        request: u32,
        piece: &[u8],
        more: Option<(Hlc, MessageId)>,
        whole: bool,
    ) -> Result<(), BadFrame> {
        let Some(fetch) = self.gate.fetches.get(&request).filter(|fetch| fetch.from == from) else {
            self.repair.refused += 1;
            return Ok(());
        };
        let (need, behind) = (fetch.need.clone(), fetch.behind);
        let (batches, _) = self.open_piece(piece)?;
        let mut taken = 0;
        for kept in batches.iter().flat_map(|batch| batch.here().map(|index| Kept::new(Arc::clone(batch), index))) {
            let Some(entry) = self.wanted_entry(kept, &need) else {
                self.repair.refused += 1;
                continue;
            };
            taken += 1;
            self.gate.note_here(&need.conversation, entry.kept.id());
            if entry.kept.dests().contains(self.causal.me()) {
                // It is mine to be delivered in its order, like any that is handed on.
                self.repair.refused += u64::from(self.arrive(now, entry.kept).is_err());
                continue;
            }
            if behind {
                let stamp = entry.kept.stamp();
                let (author, clock) = (stamp.sender, stamp.clock);
                self.homecoming.note_shown(now, entry.kept.id().process.person, entry.hlc);
                self.talks.entry(&need.conversation).shown.raise(author, clock);
                self.effects.durable.push(Change::Shown(entry.into()));
            } else {
                let shelf = self.gate.shelf.entry(need.conversation.clone()).or_default();
                shelf.insert((entry.hlc, entry.kept.id()), entry);
            }
        }
        let fetch = self.gate.fetches.get_mut(&request).expect("it was there just now");
        fetch.got += taken;
        fetch.whole &= whole;
        fetch.since = now.monotonic;
        // Each piece has to go further back than the one before, or a liar could keep this up for ever; and what is named one
        // by one is among the newest.
        let more =
            more.filter(|more| fetch.before.is_none_or(|before| *more < before) && (taken > 0 || !fetch.newest_only));
        fetch.before = more.or(fetch.before);
        let (whole, lacks_some) = (fetch.whole, !fetch.need.newest.is_empty());
        let enough = fetch.got >= self.config.history_first || (fetch.newest_only && !lacks_some);
        let more = more.filter(|_| !(enough && fetch.newest_only));
        if !behind && (more.is_none() || enough) {
            if lacks_some && whole {
                // What he lacks that he named himself was not signed by its author: nobody can hand it on. (If he has heard
                // that I have left the group, he hands nothing over, and says that it is not all.)
                self.gate.expect_no_more_of(from, &need.conversation);
            }
            if !whole || lacks_some {
                self.gate.note_lacking(from, &need.conversation);
            }
            if !whole {
                // What he has is on the shelf; the rest is with somebody else.
                self.gate.fetches.remove(&request);
                self.admit(now);
                return Ok(());
            }
            self.gate.fetches.get_mut(&request).expect("still there").behind = true;
            self.note_fetched(&need);
            self.admit(now);
        }
        match more {
            Some(before) => self.want(request, Some(before)),
            None => {
                self.gate.fetches.remove(&request);
            }
        }
        Ok(())
    }

    /// The message as an entry of the history, if it is one that `need` names and not here yet.
    fn wanted_entry(&mut self, kept: Kept, need: &Need) -> Option<Entry> {
        let id = kept.id();
        let opened = self.open(&kept);
        let Ok(Body::Text(head)) = Body::decode(opened.clone().unwrap_or_else(|| kept.shared_body())) else {
            return None;
        };
        let conversation = match (&head.scope, &need.conversation) {
            // What was sent to an earlier incarnation of mine, or by it, belongs to the same conversation.
            (Scope::Direct, Conversation::Direct(other)) => {
                let author = id.process.person;
                let to = kept.stamp().dests.iter().map(|dest| self.person_of(dest)).collect::<Vec<_>>();
                let mine = self.me.person;
                let fits = (author == *other && to == [mine]) || (author == mine && to == [*other]);
                fits.then_some(Conversation::Direct(*other))?
            }
            (scope, _) => self.conversation(&kept, scope)?,
        };
        let named = need.up_to.get(&id.process).is_some_and(|&last| id.clock <= last);
        if conversation != need.conversation || !named || self.store.contains(id) {
            return None;
        }
        Some(Entry { conversation, hlc: head.hlc, kept, fetched: true, late: false, clock_off: false, opened })
    }

    /// All that is named was fetched. Where something had been lost all was asked for anew.
    fn note_fetched(&mut self, need: &Need) {
        let named = self.named_clocks(need);
        let talk = self.talks.entry(&need.conversation);
        named.iter().for_each(|&(author, clock)| talk.fetched.raise(author, clock));
        if !talk.lost.is_empty() && talk.lost.is_within(&Vector::kept(named.into_iter())) {
            talk.lost = Vector::emptied();
        }
    }

    /// What is named is not here, and was not to be had: nobody takes this peer for one who has it.
    fn note_lost(&mut self, need: &Need) {
        for (author, clock) in self.named_clocks(need) {
            // Nobody passes on a clock that a liar made up, where its author is here: he has said how far he came.
            let is_here = self.link_of.contains_key(&author);
            let clock = if is_here { clock.min(self.causal.vouched(author)) } else { clock };
            self.talks.entry(&need.conversation).lost.raise(author, clock);
        }
    }

    /// What is named cannot be fetched from anybody: nothing waits for it any longer.
    fn wait_no_longer(&mut self, need: &Need) {
        self.note_lost(need);
        let named = self.named_clocks(need);
        let talk = self.talks.entry(&need.conversation);
        named.into_iter().for_each(|(author, clock)| talk.fetched.raise(author, clock));
        self.gate.expect_no_more(&need.conversation);
    }

    fn named_clocks(&mut self, need: &Need) -> Vec<(Index, Clock)> {
        let named = need.up_to.iter().filter_map(|(&author, &clock)| Some((self.causal.intern(author).ok()?, clock)));
        named.collect()
    }

    /// A welcome is delivered: what it named and what was fetched is shown, in the order of the history.
    pub(super) fn show_fetched(&mut self, now: Now, welcome: (Index, Clock)) {
        for need in self.gate.submitted.remove(&welcome).unwrap_or_default() {
            for (&author, &clock) in &need.up_to {
                if let Ok(author) = self.causal.intern(author) {
                    self.talks.entry(&need.conversation).fetched_and_shown.raise(author, clock);
                }
            }
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
                if self.store.contains(entry.kept.id()) {
                    continue;
                }
                if let Ok(Body::Text(head)) = Body::decode(entry.body())
                    && let Some(conversation) = self.conversation(&entry.kept, &head.scope)
                {
                    self.note_unaddressed(&conversation, entry.kept.sender(), entry.kept.dests());
                    self.show(now, Entry { conversation, ..entry }, 0);
                }
            }
            if messages > 0 {
                let conversation = self.conversation_label(&need.conversation);
                self.tell(Event::Fetched { conversation, messages });
            }
        }
    }

    /// Somebody is here anew: he may have been shown by now what he lacked.
    pub(super) fn ask_anew(&mut self, process: Index) {
        for waiting in self.gate.waiting.values_mut() {
            waiting.lacking.remove(&process);
        }
    }

    /// The link that history was coming over is down: the rest is fetched from somebody else.
    pub(super) fn fetch_elsewhere(&mut self, now: Now, link: LinkId) {
        self.gate.fetches.retain(|_, fetch| fetch.link != link);
        self.admit(now);
    }

    /// Gives up on history that nobody hands over: what waits for it is delivered, and the user is told.
    pub(super) fn give_up_fetching(&mut self, now: Now) {
        let patience = self.config.abandon_after;
        let late = |since: Duration| since + patience <= now.monotonic;
        self.gate.fetches.retain(|_, fetch| !late(fetch.since));
        let stuck: Vec<Need> = self
            .gate
            .waiting
            .values()
            .filter(|waiting| late(waiting.since) && self.gate.is_idle(waiting))
            .flat_map(|waiting| waiting.needs.iter())
            .cloned()
            .collect();
        for need in stuck {
            if self.is_fetched(&need) {
                continue;
            }
            self.wait_no_longer(&need);
            let conversation = self.conversation_label(&need.conversation);
            let text = format!(
                "the history of {conversation} could not be fetched from anybody: what was said there before is missing"
            );
            self.tell(Event::Warning { text });
        }
        self.admit(now);
        self.deliver(now);
    }

    /// How a conversation is named to the user.
    pub(super) fn conversation_label(&mut self, conversation: &Conversation) -> String {
        match conversation {
            Conversation::All => "all".to_owned(),
            Conversation::Group(name) => name.to_string(),
            Conversation::Direct(person) => self.directory.who(*person).label.clone(),
        }
    }
}
