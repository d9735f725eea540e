//! Reading the history, for the user.

use crate::Message;
use crate::body::Body;
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
        match Body::decode(entry.kept.shared_body()) {
            Ok(Body::Text(head, text)) => Some(self.message(entry, head.sent_at, text)),
            Ok(Body::Record(_) | Body::Welcome(_)) | Err(_) => None,
        }
    }
}
