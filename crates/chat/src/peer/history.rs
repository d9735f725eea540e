//! Reading the history, for the user.

use std::collections::BTreeSet;

use crate::body::{Body, Scope, TextHead};
use crate::directory::{Resolved, Wanted};
use crate::history::{Conversation, Entry};
use crate::kept::Kept;
use crate::news::Texts;
use crate::run::Run;
use crate::store::{Change, Store};
use crate::{Answer, Message, MessageId, ProcessId, Recipients, Refusal, Target};

use super::{Now, Peer};

/// How many messages are read from the store at once.
const PIECE: usize = 1000;

impl<S: Store> Peer<S> {
    pub(super) fn history(
        &mut self,
        of: Option<Target>,
        count: Option<usize>,
        before: Option<MessageId>,
        after: Option<MessageId>,
    ) -> Result<Answer, Refusal> {
        let conversation = self.conversation_meant(of)?;
        let count = count.unwrap_or(self.config.history_shown);
        let before = before.map(|id| self.place_in_history(id)).transpose()?;
        let entries = match after.map(|id| self.place_in_history(id)).transpose()? {
            None => self.store.newest(conversation.as_ref(), before, count).into_iter().rev().collect(),
            Some(after) => {
                let mut entries = self.store.oldest(conversation.as_ref(), after, count);
                entries.retain(|entry| before.is_none_or(|before| entry.sort_key() < before));
                entries
            }
        };
        let messages = self.read_all(entries.into_iter());
        Ok(Answer::History { of: conversation.map(|conversation| self.recipients(&conversation)), messages })
    }

    pub(super) fn search(&mut self, words: &str, of: Option<Target>, count: Option<usize>) -> Result<Answer, Refusal> {
        let conversation = self.conversation_meant(of)?;
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.is_empty() {
            return Err(Refusal::NoWords);
        }
        let entries = self.store.search(conversation.as_ref(), &words, count.unwrap_or(self.config.search_shown));
        let messages = self.read_all(entries.into_iter().rev());
        Ok(Answer::Found { of: conversation.map(|conversation| self.recipients(&conversation)), messages })
    }

    /// The message with that number of that author.
    pub(super) fn message_named(&mut self, now: Now, author: &str, clock: u64) -> Result<Answer, Refusal> {
        // What was said in this turn counts.
        self.flush(now);
        let process: Option<ProcessId> = author.parse().ok();
        let person = match process {
            Some(process) => process.person,
            None => match self.directory.resolve(author, Wanted::Person)? {
                Resolved::Person(person) => person,
                Resolved::All | Resolved::Group(_) => unreachable!("a person was wanted"),
            },
        };
        let is_it = |entry: &Entry| {
            let id = entry.kept.id();
            id.clock == clock && id.process.person == person && process.is_none_or(|process| process == id.process)
        };
        let entry = self.look_back(1, is_it).ok();
        match entry.and_then(|entry| self.read(&entry)) {
            Some(message) => Ok(Answer::Shown { message }),
            None => Err(Refusal::NoSuchMessage {
                message: format!("{author}#{clock}"),
                limit: self.config.max_looked_through,
            }),
        }
    }

    /// The `nth` last message that is `wanted`, or how many there are. What was shown in this turn counts, and not more than
    /// `Config::max_looked_through` others are looked at.
    pub(super) fn look_back(&self, nth: usize, wanted: impl Fn(&Entry) -> bool) -> Result<Entry, usize> {
        let fresh = self.effects.durable.iter().rev().filter_map(Change::shown).flat_map(|run| run.entries().rev());
        let mut found = 0;
        for entry in fresh.filter(&wanted) {
            found += 1;
            if found == nth {
                return Ok(entry);
            }
        }
        let mut before = None;
        for _ in 0..self.config.max_looked_through.div_ceil(PIECE) {
            let piece = self.store.newest(None, before, PIECE);
            for entry in piece.iter().filter(|entry| wanted(entry)) {
                found += 1;
                if found == nth {
                    return Ok(entry.clone());
                }
            }
            match piece.last() {
                Some(last) if piece.len() == PIECE => before = Some(last.sort_key()),
                Some(_) | None => break,
            }
        }
        Err(found)
    }

    /// The newest `count` messages of a conversation, or of all of them, oldest first.
    pub(super) fn newest(&mut self, of: Option<&Conversation>, count: usize) -> Vec<Message> {
        let entries = self.store.newest(of, None, count);
        self.read_all(entries.into_iter().rev())
    }

    /// Each text once, also where it was said again.
    fn read_all(&mut self, entries: impl Iterator<Item = Entry>) -> Vec<Message> {
        entries.filter_map(|entry| if self.is_repetition(&entry) { None } else { self.read(&entry) }).collect()
    }

    /// A text that is shown here, as it stands in the history.
    pub(super) fn entry_of(&self, kept: Kept) -> Option<Entry> {
        let opened = self.open(&kept);
        let Ok(Body::Text(TextHead { scope, hlc, .. })) =
            Body::decode(opened.clone().unwrap_or_else(|| kept.shared_body()))
        else {
            return None;
        };
        if opened.is_some() != (scope == Scope::Direct) {
            return None;
        }
        let conversation = self.conversation(&kept, &scope)?;
        Some(Entry { conversation, hlc, kept, fetched: false, late: false, clock_off: false, opened })
    }

    pub(super) fn read(&mut self, entry: &Entry) -> Option<Message> {
        self.texts(entry.clone().into()).next()
    }

    /// Texts of the history, as the user interface shows them.
    pub(super) fn texts(&mut self, run: Run) -> Texts {
        let author = run.first().kept.id().process.person;
        let to = match &run.first().conversation {
            conversation @ (Conversation::Direct(_) | Conversation::People(_)) => self.recipients(conversation),
            all_or_group @ (Conversation::All | Conversation::Group(_)) => {
                self.talks.entry(all_or_group).recipients.clone().expect("set for all and groups")
            }
        };
        Texts::new(run, self.directory.who(author), to, author == self.me.person)
    }

    /// The conversation that a user means; `None` for all of them.
    pub(super) fn conversation_meant(&self, of: Option<Target>) -> Result<Option<Conversation>, Refusal> {
        Ok(Some(match of {
            None => return Ok(None),
            Some(Target::All) => Conversation::All,
            Some(Target::Name(name)) => match self.read_of(&name)? {
                Resolved::All => Conversation::All,
                Resolved::Group(group) => Conversation::Group(group),
                Resolved::Person(person) => Conversation::Direct(person),
            },
            Some(Target::People(names)) => self.conversation_among(&names, |name| self.read_of(name))?,
            Some(Target::Address(address)) => match self.directory.at_address(address) {
                Some(person) => Conversation::Direct(person),
                None => return Err(Refusal::UnknownUser { name: address.to_string(), nearest: None }),
            },
        }))
    }

    /// Whom or what a user wants to read of. Of a person who was gone for good before this peer heard of them, messages alone may be
    /// here: only their peer id means them.
    fn read_of(&self, text: &str) -> Result<Resolved, Refusal> {
        match (self.directory.resolve(text, Wanted::Anyone), text.parse()) {
            (Err(Refusal::UnknownTarget { .. }), Ok(person)) => Ok(Resolved::Person(person)),
            (resolved, _) => resolved,
        }
    }

    /// The conversation with these people, as a user named them to write to them, and nobody else.
    pub(super) fn conversation_with(&self, names: &[String]) -> Result<Conversation, Refusal> {
        self.conversation_among(names, |name| self.directory.resolve(name, Wanted::Anyone))
    }

    fn conversation_among(
        &self,
        names: &[String],
        resolve: impl Fn(&str) -> Result<Resolved, Refusal>,
    ) -> Result<Conversation, Refusal> {
        let mut others = BTreeSet::new();
        for name in names {
            match resolve(name)? {
                Resolved::Person(person) if person == self.me.person => return Err(Refusal::Oneself),
                Resolved::Person(person) => others.insert(self.proved_to_be(name, person)?),
                Resolved::All | Resolved::Group(_) => return Err(Refusal::NotAPerson { name: name.clone() }),
            };
        }
        let limit = self.config.max_addressees;
        if others.len() > limit {
            return Err(Refusal::TooManyPeople { limit, config: "max_addressees".to_owned() });
        }
        Conversation::with(others).ok_or(Refusal::NoPeople)
    }

    pub(super) fn recipients(&self, conversation: &Conversation) -> Recipients {
        match conversation {
            Conversation::All => Recipients::All,
            Conversation::Group(group) => Recipients::Group(group.shared()),
            Conversation::Direct(person) => Recipients::Direct(self.directory.who(*person)),
            Conversation::People(others) => {
                Recipients::People(others.iter().map(|&person| self.directory.who(person)).collect())
            }
        }
    }
}
