//! A newcomer fetches the newest of what a welcome names, a piece at a time: of whom welcomes him, or of whoever else has been
//! shown all of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use causal::{Clock, Index};

use crate::body::Body;
use crate::frame::{Control, HistoryWanted, Shown};
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::store::Store;
use crate::{Event, LinkId, ProcessId};

use super::super::talk::{Rest, Vector};
use super::super::{BadFrame, Now, Peer};
use super::{Gate, Need, naming};

/// How many are asked for history of which none of them has all, before what they have is taken for all that there is.
const ASKED_IN_VAIN: usize = 3;

/// History that is being fetched.
#[derive(Debug)]
pub(super) struct Fetch {
    pub(super) need: Need,
    from: Index,
    link: LinkId,
    /// What was fetched before it began.
    after: Vec<(ProcessId, Clock)>,
    got: usize,
    /// How much of it the answerer had been shown himself, at the piece when that was least.
    shown: Shown,
    /// All but what is named one by one was fetched before it began.
    newest_only: bool,
    /// How far back it has come.
    before: Option<SortKey>,
    /// The newest are here, but have gaps, and there is more behind them: others are asked for that first.
    parked: bool,
    /// When the last piece came, or it began.
    pub(super) since: Duration,
}

/// What a piece of history had in it.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// How many messages.
    got: usize,
    /// How many of them were wanted.
    wanted: usize,
    /// Those that are history to me.
    pub(super) entries: Vec<Entry>,
}

impl Gate {
    pub(super) fn is_fetching(&self, conversation: &Conversation) -> bool {
        self.fetches.values().any(|fetch| fetch.need.conversation == *conversation && !fetch.parked)
    }

    /// Lets go of a conversation's fetches that are parked; who was asked last.
    fn drop_parked(&mut self, conversation: &Conversation) -> Option<Index> {
        let is_parked = |fetch: &&Fetch| fetch.need.conversation == *conversation && fetch.parked;
        let last = self.fetches.values().rfind(is_parked).map(|fetch| fetch.from);
        self.fetches.retain(|_, fetch| fetch.need.conversation != *conversation || !fetch.parked);
        last
    }
}

impl<S: Store> Peer<S> {
    /// Asks the next who may have what a welcome needs. False if there is nobody who was not asked, or enough were asked who
    /// have all that is to be had.
    pub(super) fn fetch(&mut self, now: Now, welcome: (Index, Clock), need: &Need) -> bool {
        if need.lacking.len() >= ASKED_IN_VAIN && self.has_waited_for(need) {
            return false;
        }
        let linked = self.linked();
        let lacks = |process: Index| need.lacking.contains(&process);
        let welcomer = linked.iter().copied().find(|&(process, _)| process == welcome.0 && !lacks(process));
        let other = |linked: &(Index, LinkId)| self.may_have(linked.0, &need.conversation) && !lacks(linked.0);
        let Some((from, link)) = welcomer.or_else(|| linked.into_iter().find(other)) else { return false };
        let talk = self.talks.known(&need.conversation);
        let newest_only = talk.is_some() && self.is_covered(need);
        let after = talk.map(|talk| &talk.fetched).into_iter().flat_map(|fetched| fetched.iter(self.causal.roster()));
        let after: Vec<_> = after.map(|(_, author, clock)| (author, clock)).collect();
        self.gate.last_request += 1;
        let request = self.gate.last_request;
        let fetch = Fetch {
            need: need.clone(),
            from,
            link,
            after,
            got: 0,
            shown: Shown::All,
            newest_only,
            before: None,
            parked: false,
            since: now.monotonic,
        };
        self.gate.fetches.insert(request, fetch);
        self.want(request, None);
        true
    }

    /// Whether a process may have been shown what was said there.
    pub(super) fn may_have(&self, process: Index, conversation: &Conversation) -> bool {
        match conversation {
            Conversation::All => true,
            Conversation::Group(name) => {
                self.directory.members(name).any(|member| member == *self.causal.roster().id(process))
            }
            Conversation::Direct(person) => self.person_of(process) == *person,
            Conversation::People(others) => others.contains(&self.person_of(process)),
        }
    }

    fn want(&mut self, request: u32, before: Option<SortKey>) {
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
    pub(in crate::peer) fn handle_history(
        &mut self,
        now: Now,
        from: Index,
        request: u32,
        piece: &[u8],
        more: Option<SortKey>,
        shown: Shown,
    ) -> Result<(), BadFrame> {
        if let Some(conversation) = self.rest_asked(from, request) {
            return self.take_rest(now, &conversation, piece, more, shown);
        }
        let is_asked = |fetch: &&Fetch| fetch.from == from && !fetch.parked;
        let Some(fetch) = self.gate.fetches.get(&request).filter(is_asked) else {
            self.repair.refused += 1;
            return Ok(());
        };
        let need = fetch.need.clone();
        let Taken { got, wanted, entries } = self.take_piece(now, &need.conversation, &need.up_to, piece)?;
        let shelf = self.gate.shelf.entry(need.conversation.clone()).or_default();
        shelf.extend(entries.into_iter().map(|entry| ((entry.hlc, entry.kept.id()), entry)));
        let fetch = self.gate.fetches.get_mut(&request).expect("it was there just now");
        fetch.got += got;
        fetch.shown = fetch.shown.min(shown);
        fetch.since = now.monotonic;
        // Each piece has to go further back than the one before, or a liar could keep this up for ever; and what is named one
        // by one is among the newest.
        let more =
            more.filter(|more| fetch.before.is_none_or(|before| *more < before) && (wanted > 0 || !fetch.newest_only));
        fetch.before = more.or(fetch.before);
        let (shown, lacks_some) = (fetch.shown, !fetch.need.newest.is_empty());
        let enough = fetch.got >= self.config.history_first || (fetch.newest_only && !lacks_some);
        let more = more.filter(|_| !(enough && fetch.newest_only));
        if more.is_some() && !enough {
            self.want(request, more);
            return Ok(());
        }
        if lacks_some && shown > Shown::Behind {
            // What he lacks that he named himself was not signed by its author: nobody can hand it on. (If he has heard
            // that I have left the group, he hands nothing over, and says that it is not all.)
            self.gate.expect_no_more_of(from, &need.conversation);
        }
        if shown < Shown::All || lacks_some {
            self.gate.note_lacking(from, &need);
        }
        if shown == Shown::All {
            self.gate.drop_parked(&need.conversation);
            self.gate.fetches.remove(&request);
            self.note_fetched(now, &need, from, more);
        } else {
            self.gate.note_most(&need, shown);
            // What he has is on the shelf; the rest is with somebody else.
            if shown > Shown::Behind && more.is_some() {
                self.gate.fetches.get_mut(&request).expect("still there").parked = true;
            } else {
                self.gate.fetches.remove(&request);
            }
        }
        self.admit(now);
        Ok(())
    }

    /// Takes what is wanted of a conversation and not here yet out of a piece of history. What is addressed to me is taken in as
    /// what it is.
    ///
    /// # Errors
    /// [`BadFrame`] for a piece that no honest peer puts together.
    pub(super) fn take_piece(
        &mut self,
        now: Now,
        conversation: &Conversation,
        up_to: &BTreeMap<ProcessId, Clock>,
        piece: &[u8],
    ) -> Result<Taken, BadFrame> {
        let (batches, _) = self.open_piece(piece)?;
        let mut taken = Taken::default();
        for kept in batches.iter().flat_map(|batch| batch.here().map(|index| Kept::new(Arc::clone(batch), index))) {
            taken.got += 1;
            let Some(entry) = self.wanted_entry(kept, conversation, up_to) else {
                self.repair.refused += 1;
                continue;
            };
            taken.wanted += 1;
            self.gate.note_here(conversation, entry.kept.id());
            if entry.kept.dests().contains(self.causal.me()) {
                // It is mine to be delivered in its order, like any that is handed on.
                self.repair.refused += u64::from(self.arrive(now, entry.kept).is_err());
            } else {
                taken.entries.push(entry);
            }
        }
        Ok(taken)
    }

    /// The message as an entry of the history, if it is one of those that are named of a conversation and not here yet.
    fn wanted_entry(&mut self, kept: Kept, wanted: &Conversation, up_to: &BTreeMap<ProcessId, Clock>) -> Option<Entry> {
        let id = kept.id();
        let opened = self.open(&kept);
        let Ok(Body::Text(head)) = Body::decode(opened.clone().unwrap_or_else(|| kept.shared_body())) else {
            return None;
        };
        let conversation = self.conversation(&kept, &head.scope)?;
        let named = up_to.get(&id.process).is_some_and(|&last| id.clock <= last);
        if conversation != *wanted || !named || self.store.contains(id) {
            return None;
        }
        Some(Entry { conversation, hlc: head.hlc, kept, fetched: true, late: false, clock_off: false, opened })
    }

    /// The newest of what is named were fetched; what there is `more` of is fetched behind them.
    fn note_fetched(&mut self, now: Now, need: &Need, from: Index, more: Option<SortKey>) {
        let named = Vector::kept(self.named_clocks(need));
        let talk = self.talks.entry(&need.conversation);
        let before = talk.fetched.clone();
        talk.fetched.raise_all(&named);
        if more.is_some() {
            self.fetch_rest(now, &need.conversation, Rest::new(before, named, more), Some(from));
        } else {
            self.follow(now, &need.conversation, Some(from));
        }
    }

    /// What is named is not here, and was not to be had: nobody takes this peer for one who has it.
    pub(super) fn note_lost(&mut self, conversation: &Conversation, named: Vec<(Index, Clock)>) {
        for (author, clock) in named {
            // Nobody passes on a clock that a liar made up, where its author is here: he has said how far he came.
            let is_here = self.link_of.contains_key(&author);
            let clock = if is_here { clock.min(self.causal.vouched(author)) } else { clock };
            self.talks.entry(conversation).lost.raise(author, clock);
        }
    }

    /// Some of what is named cannot be fetched from anybody: nothing waits for it any longer. Whoever comes later is asked for it.
    pub(super) fn wait_no_longer(&mut self, now: Now, need: &Need) {
        let named: Vec<_> = self.named_clocks(need).collect();
        self.note_lost(&need.conversation, named.clone());
        let talk = self.talks.entry(&need.conversation);
        named.into_iter().for_each(|(author, clock)| talk.fetched.raise(author, clock));
        let lost = talk.lost.clone();
        let is_news = !lost.is_within(&talk.rest.up_to);
        self.gate.expect_no_more(&need.conversation);
        let parked = self.gate.drop_parked(&need.conversation);
        if is_news {
            self.fetch_rest(now, &need.conversation, Rest::new(Vector::default(), lost, None), parked);
        }
        self.tell_of_loss(&need.conversation);
    }

    /// Tells the user if something that was said in a conversation before could not be fetched, though not again for as long as
    /// that is so. Of a group that I am not in he hears if I am in it again before it was fetched.
    pub(in crate::peer) fn tell_of_loss(&mut self, of: &Conversation) {
        let is_lacking = self.talks.known(of).is_some_and(|talk| !talk.lost.is_empty());
        if is_lacking && !self.was_told_of_loss(of) && !self.is_strange(of) {
            self.talks.entry(of).told_of_loss = true;
            let conversation = self.conversation_label(of);
            let text =
                format!("some of what was said in {conversation} before could not be fetched: nobody here has it");
            self.tell(Event::Warning { text });
        }
    }

    fn was_told_of_loss(&self, of: &Conversation) -> bool {
        self.talks.known(of).is_some_and(|talk| talk.told_of_loss)
    }

    /// Whether what none of those has who were asked was waited for: by whoever has given it up, or, when it was named first, here.
    pub(super) fn has_waited_for(&self, need: &Need) -> bool {
        match need.most {
            Shown::Behind => false,
            Shown::Lacking => self.was_told_of_loss(&need.conversation),
            Shown::GivenUp | Shown::All => true,
        }
    }

    /// The link that history was coming over is down: the rest is fetched from somebody else.
    pub(in crate::peer) fn fetch_elsewhere(&mut self, now: Now, link: LinkId, member: Option<Index>) {
        self.gate.fetches.retain(|_, fetch| fetch.link != link);
        self.gate.rests.values_mut().for_each(|following| following.leave(link, member));
        self.admit(now);
        self.follow_all(now);
    }

    /// Gives up on history that nobody hands over: what waits for it is delivered.
    pub(in crate::peer) fn give_up_fetching(&mut self, now: Now) {
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
            self.wait_no_longer(now, &need);
        }
        self.give_up_rests(now);
        self.admit(now);
        self.deliver(now);
    }
}
