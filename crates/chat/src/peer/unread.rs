//! What of each conversation the user has not read. User interfaces say what was read; all of them, and the next run, go on from
//! there.
//!
//! Another person's message counts from when it is shown until it, or one that stands behind it in the history, was read. What
//! comes as history does not count: it was said to others. How many there are is kept; after a restart they are the newest ones.
//!
//! User interfaces are told at once, and then once in a while ([`Notice`](super::notice::Notice)). What is shown in between is
//! not looked at before: of a flood most has been replaced by then.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::Duration;

use crate::history::{Conversation, Entry, SortKey};
use crate::hlc::Hlc;
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
    /// What was shown and not looked at yet.
    fresh: VecDeque<Run>,
    /// How many messages these are.
    fresh_count: usize,
    /// What of each run was not read, by where the first of it stands: each text's stamp, and whether the text names the user.
    runs: BTreeMap<SortKey, VecDeque<(Hlc, bool)>>,
    /// How many messages those of `runs` are.
    count: usize,
    /// It is not what user interfaces were told.
    is_news: bool,
    /// It is not what is kept.
    changed: bool,
}

impl Unread {
    /// Texts that one author said in a row: where the first of them stands, and the stamp of each.
    fn add(&mut self, first: SortKey, texts: VecDeque<(Hlc, bool)>) {
        self.count += texts.len();
        let before = self.runs.insert(first, texts);
        self.count -= before.map_or(0, |before| before.len());
    }

    /// Texts were shown. Beyond `most` the oldest go.
    fn note(&mut self, run: Run, most: usize) {
        self.fresh_count += run.count() as usize;
        self.fresh.push_back(run);
        while let Some(oldest) = self.fresh.front().map(|run| run.count() as usize)
            && self.fresh_count - oldest >= most
        {
            self.fresh.pop_front();
            self.fresh_count -= oldest;
        }
        (self.is_news, self.changed) = (true, true);
    }

    /// Looks at what was shown. Beyond `most` the oldest go.
    fn look(&mut self, named: &Named, most: usize) {
        self.fresh_count = 0;
        for run in mem::take(&mut self.fresh) {
            // What is no text is by itself.
            let texts = (0..run.count()).map_while(|nth| run.parts(nth));
            self.add(run.first().sort_key(), texts.map(|text| (text.hlc, named.is_in(text.text))).collect());
        }
        while self.count > most
            && let Some((first, texts)) = self.runs.pop_first()
        {
            let excess = texts.len().min(self.count - most);
            self.count -= texts.len();
            self.add_behind(excess, first, texts);
        }
    }

    /// What stands up to here was read; all of it, if there is no such place.
    fn read(&mut self, up_to: Option<SortKey>) {
        let before = mem::take(&mut self.count);
        for (first, texts) in mem::take(&mut self.runs) {
            let is_read = |key| up_to.is_none_or(|up_to| key <= up_to);
            let read = keys(first, &texts).take_while(|&key| is_read(key)).count();
            self.add_behind(read, first, texts);
        }
        if self.count < before {
            (self.is_news, self.changed) = (true, true);
        }
    }

    /// What is left of texts without so many of the first.
    fn add_behind(&mut self, gone: usize, first: SortKey, mut texts: VecDeque<(Hlc, bool)>) {
        let first = keys(first, &texts).nth(gone);
        if let Some(first) = first {
            texts.drain(..gone);
            self.add(first, texts);
        }
    }

    /// How many there are, with what was not looked at.
    pub(super) fn count(&self) -> usize {
        self.count + self.fresh_count
    }

    /// Whether their number changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        mem::take(&mut self.changed)
    }

    /// Where a message stands, if it is one of them.
    fn place_of(&self, id: MessageId) -> Option<SortKey> {
        self.runs.iter().flat_map(|(&first, texts)| keys(first, texts)).find(|&(_, message)| message == id)
    }

    fn mentions(&self) -> usize {
        self.runs.values().flatten().filter(|&&(_, mentions)| mentions).count()
    }
}

/// Where each text of a run stands.
fn keys((_, MessageId { process, clock }): SortKey, texts: &VecDeque<(Hlc, bool)>) -> impl Iterator<Item = SortKey> {
    (clock..).zip(texts).map(move |(clock, &(hlc, _))| (hlc, MessageId { process, clock }))
}

impl<S: Store> Peer<S> {
    /// Texts were shown to the user.
    pub(super) fn note_unread(&mut self, run: &Run) {
        let Entry { conversation, kept, fetched, .. } = run.first();
        if *fetched || kept.id().process.person == self.me.person {
            return;
        }
        if run.parts(0).is_some() {
            self.talks.entry(conversation).unread.note(run.clone(), self.config.max_unread);
            self.talks.unread_notice.note();
        }
    }

    /// Looks at what was shown.
    fn look_at_unread(&mut self) {
        let named = Named::new(&self.name, self.me.person);
        for (_, talk) in self.talks.all_mut() {
            talk.unread.look(&named, self.config.max_unread);
        }
    }

    /// The user has read what was shown, up to a message or all of it.
    pub(super) fn mark_read(&mut self, of: Option<Target>, up_to: Option<MessageId>) -> Result<Answer, Refusal> {
        let of = self.conversation_meant(of)?;
        self.look_at_unread();
        let up_to = up_to.map(|id| self.place_in_history(id)).transpose()?;
        for (conversation, talk) in self.talks.all_mut() {
            if of.as_ref().is_none_or(|of| conversation == of) {
                talk.unread.read(up_to);
            }
        }
        self.talks.unread_notice.note();
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

    /// Tells user interfaces what changed of what is unread, if it is time.
    pub(super) fn tell_unread(&mut self, now: Duration) {
        if !self.talks.unread_notice.take(now) {
            return;
        }
        self.look_at_unread();
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
        let first = unread.runs.first_key_value().map(|((_, id), _)| *id);
        UnreadInfo { of, unread: unread.count(), mentions: unread.mentions(), first }
    }

    /// Every conversation with something in it that was not read.
    pub(super) fn all_unread(&mut self) -> Vec<UnreadInfo> {
        self.look_at_unread();
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
            let mentions = entry.text().is_some_and(|(_, text)| named.is_in(text.as_bytes()));
            unread.add(entry.sort_key(), VecDeque::from([(entry.hlc, mentions)]));
        }
        unread.changed = unread.count() != count;
        self.talks.entry(conversation).unread = unread;
    }
}
