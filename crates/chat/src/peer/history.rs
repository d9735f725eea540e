//! Reading the history, for the user.

use crate::directory::{Resolved, Wanted};
use crate::history::{Conversation, Entry};
use crate::store::Store;
use crate::{Answer, Message, Recipients, Refusal, Target};

use super::Peer;

impl<S: Store> Peer<S> {
    pub(super) fn history(&mut self, of: Option<Target>, count: Option<usize>) -> Result<Answer, Refusal> {
        let conversation = self.conversation_meant(of)?;
        let messages = self.newest(conversation.as_ref(), count.unwrap_or(self.config.history_shown));
        Ok(Answer::History { of: conversation.map(|conversation| self.recipients(conversation)), messages })
    }

    pub(super) fn search(&mut self, words: &str, of: Option<Target>, count: Option<usize>) -> Result<Answer, Refusal> {
        let conversation = self.conversation_meant(of)?;
        let words: Vec<&str> = words.split_whitespace().collect();
        if words.is_empty() {
            return Err(Refusal::NoWords);
        }
        let entries = self.store.search(conversation.as_ref(), &words, count.unwrap_or(self.config.search_shown));
        let messages = entries.iter().rev().filter_map(|entry| self.read(entry)).collect();
        Ok(Answer::Found { of: conversation.map(|conversation| self.recipients(conversation)), messages })
    }

    /// The newest `count` messages of a conversation, or of all of them, oldest first.
    pub(super) fn newest(&mut self, of: Option<&Conversation>, count: usize) -> Vec<Message> {
        let mut entries = self.store.newest(of, None, count);
        entries.reverse();
        entries.iter().filter_map(|entry| self.read(entry)).collect()
    }

    pub(super) fn read(&mut self, entry: &Entry) -> Option<Message> {
        let (sent_at, text) = entry.text()?;
        let from = self.directory.who(entry.kept.id().process.person);
        Some(self.message(entry, from, sent_at, text))
    }

    /// The conversation that a user means; `None` for all of them.
    fn conversation_meant(&self, of: Option<Target>) -> Result<Option<Conversation>, Refusal> {
        Ok(Some(match of {
            None => return Ok(None),
            Some(Target::All) => Conversation::All,
            Some(Target::Name(name)) => match self.directory.resolve(&name, Wanted::Anyone)? {
                Resolved::All => Conversation::All,
                Resolved::Group(group) => Conversation::Group(group),
                Resolved::Person(person) => Conversation::Direct(person),
            },
            Some(Target::Address(address)) => match self.directory.at_address(address) {
                Some(person) => Conversation::Direct(person),
                None => return Err(Refusal::UnknownUser { name: address.to_string(), nearest: None }),
            },
        }))
    }

    fn recipients(&self, conversation: Conversation) -> Recipients {
        match conversation {
            Conversation::All => Recipients::All,
            Conversation::Group(group) => Recipients::Group(group.shared()),
            Conversation::Direct(person) => Recipients::Direct(self.directory.who(person)),
        }
    }
}
