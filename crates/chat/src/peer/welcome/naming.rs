//! What a welcome names, and what of that is to be fetched.
//!
//! Clocks tell all that was said before; but what came late to whomever the history was fetched from, or never, lies below
//! clocks that count as fetched. So the newest messages are named one by one as well.

use std::collections::{BTreeMap, BTreeSet};

use causal::{Clock, Index};

use crate::body::{Shown as Named, Welcome};
use crate::frame::Shown;
use crate::history::{Conversation, Entry};
use crate::kept::Kept;
use crate::run::Run;
use crate::store::{Change, Store};
use crate::{MessageId, PersonId, ProcessId};

use super::super::Peer;
use super::{Gate, Need};

impl<S: Store> Peer<S> {
    /// What I have to tell a newcomer to these conversations, if anything.
    pub(super) fn welcome_to(&self, newcomer: Index, conversations: &[Conversation]) -> Option<Welcome> {
        let shown = conversations.iter().filter_map(|conversation| self.named(newcomer, conversation));
        let welcome = Welcome { shown: shown.collect(), gone: self.directory.departed().collect() };
        (welcome != Welcome::default()).then_some(welcome)
    }

    fn named(&self, newcomer: Index, conversation: &Conversation) -> Option<Named> {
        let talk = self.talks.known(conversation)?;
        // What is missing here was read by others before they said what was shown here: the newcomer is to ask them for it too. But
        // what nobody vouched for may have been made up, and is not passed on.
        let mut clocks = talk.shown.clone();
        let missing = talk.missing(self.causal.roster()).filter(|&missing| self.is_vouched_for(missing));
        missing.for_each(|(author, clock)| clocks.raise(author, clock));
        let up_to: Vec<_> = clocks.iter(self.causal.roster()).map(|(_, author, clock)| (author, clock)).collect();
        let newest = by_author(self.newest_unaddressed(newcomer, conversation));
        (!up_to.is_empty()).then_some(Named { scope: self.scope_of(conversation), up_to, newest })
    }

    /// Whether an author has shown that it sent a message with this clock: by one that it signed, or by its word over its own link.
    pub(super) fn is_vouched_for(&self, (author, clock): (Index, Clock)) -> bool {
        clock <= self.causal.vouched(author)
    }

    /// Whether a welcome to this conversation leaves out something that is missing here.
    pub(super) fn withholds(&self, conversation: &Conversation) -> bool {
        let talk = self.talks.known(conversation);
        let mut missing = talk.into_iter().flat_map(|talk| talk.missing(self.causal.roster()));
        missing.any(|missing| !self.is_vouched_for(missing))
    }

    /// The newest messages of a conversation, less those that a newcomer wrote, or that somebody else sees to that he gets.
    fn newest_unaddressed(&self, newcomer: Index, conversation: &Conversation) -> BTreeSet<MessageId> {
        let stored = self.store.newest(Some(conversation), None, self.config.history_first);
        let of_this_turn =
            self.shown_in_this_turn().filter(|run| run.first().conversation == *conversation).flat_map(Run::entries);
        let named = |entry: &Entry| self.is_for_history(&entry.kept, newcomer, entry.fetched);
        stored.into_iter().chain(of_this_turn).filter(named).map(|entry| entry.kept.id()).collect()
    }

    /// Whether a member gets a message as history or not at all: it was not addressed to him, or its author is gone and I have
    /// it as history myself.
    pub(super) fn is_for_history(&self, kept: &Kept, member: Index, fetched: bool) -> bool {
        kept.sender() != member && (!kept.dests().contains(member) || (fetched && self.is_gone(kept.sender())))
    }

    /// What a welcome from a person names of one conversation. An author for whom there is no room is left out: nothing of theirs can
    /// be taken in either. `None` if it is not a conversation of this person and me.
    pub(super) fn need(&mut self, from: PersonId, named: Named) -> Option<Need> {
        let conversation = self.conversation_of(&named.scope, from)?;
        let me = self.me;
        let mut has_room = |author: ProcessId| author != me && self.number_of_hearsay(author).is_some();
        let up_to: BTreeMap<ProcessId, Clock> =
            named.up_to.into_iter().filter(|&(author, _)| has_room(author)).collect();
        let newest = named.newest.into_iter().flat_map(|(process, clocks)| {
            let last = up_to.get(&process).copied().unwrap_or(0);
            clocks.into_iter().filter(move |&clock| clock <= last).map(move |clock| MessageId { process, clock })
        });
        let newest = newest.take(self.config.history_first).filter(|&id| !self.has(&conversation, id)).collect();
        Some(Need { conversation, scope: named.scope, up_to, newest, lacking: BTreeSet::new(), most: Shown::Behind })
    }

    /// Whether this is a group that I am not in, or not in any more. What was said there is asked for all the same, though of
    /// nobody but whom welcomes me: what he goes on saying to me is shown as well until he hears that I have left, and by
    /// then I may be in it again.
    pub(super) fn is_strange(&self, conversation: &Conversation) -> bool {
        matches!(conversation, Conversation::Group(name) if !self.groups.contains(name))
    }

    /// What was shown and is not in the store yet.
    pub(in crate::peer) fn shown_in_this_turn(&self) -> impl Iterator<Item = &Run> {
        self.effects.durable.iter().filter_map(Change::shown)
    }

    /// Whether a message is in the store, or will be after this turn.
    pub(super) fn is_here(&self, id: MessageId) -> bool {
        let is_delivered = |change: &Change| matches!(change, Change::Delivered { kept } if kept.id() == id);
        self.store.contains(id)
            || self.shown_in_this_turn().any(|run| run.contains(id))
            || self.effects.durable.iter().any(is_delivered)
    }

    /// Whether a message is here, or on the shelf.
    fn has(&self, conversation: &Conversation, id: MessageId) -> bool {
        let on_the_shelf = || {
            let shelf = self.gate.shelf.get(conversation);
            shelf.is_some_and(|shelf| shelf.keys().any(|(_, shelved)| *shelved == id))
        };
        self.is_here(id) || on_the_shelf()
    }
}

impl Gate {
    /// A message that welcomes may have named is here.
    pub(super) fn note_here(&mut self, conversation: &Conversation, id: MessageId) {
        for need in self.needs_of(conversation) {
            need.newest.remove(&id);
        }
    }

    /// A member has not all of this, nor all of anything else that has it in it: others are asked.
    pub(super) fn note_lacking(&mut self, member: Index, lacked: &Need) {
        for need in self.needs_of(&lacked.conversation).filter(|need| need.includes(lacked)) {
            need.lacking.insert(member);
        }
    }

    /// A member that was asked for this has been shown only so much of it.
    pub(super) fn note_most(&mut self, lacked: &Need, shown: Shown) {
        for need in self.needs_of(&lacked.conversation).filter(|need| need.includes(lacked)) {
            need.most = need.most.max(shown);
        }
    }

    /// Nothing more comes from a member: what he alone named one by one is nowhere.
    pub(super) fn expect_no_more_of(&mut self, member: Index, conversation: &Conversation) {
        let of_him = self.waiting.iter_mut().filter(|((from, _), _)| *from == member);
        for need in of_him.flat_map(|(_, waiting)| &mut waiting.needs).filter(|need| need.conversation == *conversation)
        {
            need.newest.clear();
        }
    }

    /// What was named one by one in a conversation is not to be had.
    pub(super) fn expect_no_more(&mut self, conversation: &Conversation) {
        for need in self.needs_of(conversation) {
            need.newest.clear();
        }
    }

    fn needs_of<'a>(&'a mut self, conversation: &'a Conversation) -> impl Iterator<Item = &'a mut Need> {
        let waiting = self.waiting.values_mut().flat_map(|waiting| &mut waiting.needs);
        let fetching = self.fetches.values_mut().map(|fetch| &mut fetch.need);
        waiting.chain(fetching).filter(move |need| need.conversation == *conversation)
    }
}

/// The clocks of each author.
pub(super) fn by_author(ids: impl IntoIterator<Item = MessageId>) -> Vec<(ProcessId, Vec<Clock>)> {
    let mut authors: BTreeMap<ProcessId, Vec<Clock>> = BTreeMap::new();
    for MessageId { process, clock } in ids {
        authors.entry(process).or_default().push(clock);
    }
    authors.into_iter().collect()
}
