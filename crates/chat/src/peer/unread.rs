//! What of each conversation the user has not read. User interfaces say what was read; all of them, and the next run, go on from
//! there.
//!
//! Another person's message counts from when it is shown until it, or one that stands behind it in the history, was read. What
//! comes as history does not count: it was said to others. How many there are is kept; after a restart they are the newest ones.

use std::collections::BTreeMap;
use std::mem;

use crate::history::{Conversation, Entry, SortKey};
use crate::mention::Named;
use crate::run::Run;
use crate::store::Store;
use crate::{Answer, Event, MessageId, Refusal, Target, UnreadInfo};

use super::Peer;
use super::talk::Talk;

/// How many messages of a conversation are looked at for one that was not read: the others are own ones, or came as history.
const LOOKED_AT: usize = 4;

/// What of one conversation the user has not read.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// In the order of history; and whether it names the user.
    messages: BTreeMap<SortKey, bool>,
    /// It is not what user interfaces were told.
    is_news: bool,
    /// It is not what is kept.
    changed: bool,
}

impl Unread {
    /// A message was shown. Beyond `most` the oldest go.
    fn add(&mut self, key: SortKey, mentions: bool, most: usize) {
        self.messages.insert(key, mentions);
        if self.messages.len() > most {
            self.messages.pop_first();
        }
        (self.is_news, self.changed) = (true, true);
    }

    /// What stands up to here was read; all of it, if there is no such place.
    fn read(&mut self, up_to: Option<SortKey>) {
        let before = self.messages.len();
        match up_to {
            Some(key) => {
                let mut behind = self.messages.split_off(&key);
                behind.remove(&key);
                self.messages = behind;
            }
            None => self.messages.clear(),
        }
        if self.messages.len() < before {
            (self.is_news, self.changed) = (true, true);
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.messages.len()
    }

    /// Whether their number changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        mem::take(&mut self.changed)
    }

    /// Where a message stands, if it is one of them.
    fn place_of(&self, id: MessageId) -> Option<SortKey> {
        self.messages.keys().find(|(_, message)| *message == id).copied()
    }

    fn mentions(&self) -> usize {
        self.messages.values().filter(|&&mentions| mentions).count()
    }
}

impl<S: Store> Peer<S> {
    /// Texts were shown to the user.
    pub(super) fn note_unread(&mut self, run: &Run) {
        let Entry { conversation, kept, fetched, .. } = run.first();
        if *fetched || kept.id().process.person == self.me.person {
            return;
        }
        let named = Named::new(&self.name, self.me.person);
        let unread = &mut self.talks.entry(conversation).unread;
        for nth in 0..run.count() {
            if let Some((_, text)) = run.text(nth) {
                unread.add((run.hlc(nth), run.id(nth)), named.is_in(&text), self.config.max_unread);
            }
        }
        self.talks.unread_is_news = true;
    }

    /// The user has read what was shown, up to a message or all of it.
    pub(super) fn mark_read(&mut self, of: Option<Target>, up_to: Option<MessageId>) -> Result<Answer, Refusal> {
        let of = self.conversation_meant(of)?;
        let up_to = up_to.map(|id| self.place_in_history(id)).transpose()?;
        for (conversation, talk) in self.talks.all_mut() {
            if of.as_ref().is_none_or(|of| conversation == of) {
                talk.unread.read(up_to);
            }
        }
        self.talks.unread_is_news = true;
        Ok(Answer::Read)
    }

    /// Where a message stands in the history here.
    pub(super) fn place_in_history(&mut self, id: MessageId) -> Result<SortKey, Refusal> {
        if let Some(key) = self.talks.all_mut().find_map(|(_, talk)| talk.unread.place_of(id)) {
            return Ok(key);
        }
        let entry = self.filed(id).and_then(|kept| self.entry_of(kept));
        entry.map(|entry| entry.sort_key()).ok_or(Refusal::NotInHistory { message: id })
    }

    /// Tells user interfaces what changed of what is unread.
    pub(super) fn tell_unread(&mut self) {
        if !mem::take(&mut self.talks.unread_is_news) {
            return;
        }
        let take_news = |(conversation, talk): (&Conversation, &mut Talk)| {
            mem::take(&mut talk.unread.is_news).then(|| conversation.clone())
        };
        let news: Vec<Conversation> = self.talks.all_mut().filter_map(take_news).collect();
        for conversation in news {
            let info = self.unread_of(&conversation);
            self.tell(Event::Unread(info));
        }
    }

    fn unread_of(&mut self, conversation: &Conversation) -> UnreadInfo {
        let of = self.recipients(conversation);
        let unread = &self.talks.entry(conversation).unread;
        let first = unread.messages.first_key_value().map(|((_, id), _)| *id);
        UnreadInfo { of, unread: unread.count(), mentions: unread.mentions(), first }
    }

    /// Every conversation with something in it that was not read.
    pub(super) fn all_unread(&mut self) -> Vec<UnreadInfo> {
        let some = self.talks.all_mut().filter(|(_, talk)| talk.unread.count() > 0);
        let some: Vec<Conversation> = some.map(|(conversation, _)| conversation.clone()).collect();
        some.iter().map(|conversation| self.unread_of(conversation)).collect()
    }

    /// So many messages of a conversation were unread when this process was stopped.
    pub(super) fn restore_unread(&mut self, conversation: &Conversation, count: usize) {
        let count = count.min(self.config.max_unread);
        if count == 0 {
            return;
        }
        let named = Named::new(&self.name, self.me.person);
        let newest = self.store.newest(Some(conversation), None, count.saturating_mul(LOOKED_AT));
        let counts = |entry: &&Entry| !entry.fetched && entry.kept.id().process.person != self.me.person;
        let mut unread = Unread::default();
        for entry in newest.iter().filter(counts).filter(|entry| !self.is_repetition(entry)).take(count) {
            let mentions = entry.text().is_some_and(|(_, text)| named.is_in(&text));
            unread.messages.insert(entry.sort_key(), mentions);
        }
        unread.changed = unread.count() != count;
        self.talks.entry(conversation).unread = unread;
    }
}
