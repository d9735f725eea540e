//! Reading the history, for the user.

use crate::Message;
use crate::history::{Conversation, Entry};
use crate::store::Store;

use super::Peer;

impl<S: Store> Peer<S> {
    /// The newest `count` messages of a conversation, or of all of them, oldest first.
    pub(super) fn newest(&mut self, of: Option<&Conversation>, count: usize) -> Vec<Message> {
        let mut entries = self.store.newest(of, None, count);
        entries.reverse();
        entries.iter().filter_map(|entry| self.read(entry)).collect()
    }

    fn read(&mut self, entry: &Entry) -> Option<Message> {
        let (sent_at, text) = entry.text()?;
        let from = self.directory.who(entry.kept.id().process.person);
        Some(self.message(entry, from, sent_at, text))
    }
}
