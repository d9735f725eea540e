//! Deleting an account: the last that a person says is a tombstone for their own process.
//!
//! It is the tombstone of [`departure`](super::departure), whose author is the process that it names. Its author's signature stands on it
//! as on every message, so nobody else can say it, and any peer can hand it on. It is said last, once everything else has gone out and what is
//! for people who are away was left with the others; it depends on all that, so everybody has read that before. A peer that delivers it
//! forgets the process and says so over the link to it, which serves as the acknowledgement.
//!
//! The caller carries out a [`Command::DeleteAccount`](crate::Command::DeleteAccount) in steps. It calls
//! [`handle_leaving_for_good`](Peer::handle_leaving_for_good) and waits until nothing is [unsent](Peer::has_unsent), then
//! [`handle_deletion`](Peer::handle_deletion) and waits until it [is told](Peer::is_deletion_told), and then
//! [`handle_shutdown`](Peer::handle_shutdown). Each wait may be cut short: a peer that was not told by this one hears it from another one that was.

use std::time::Duration;

use crate::body;
use crate::history::Conversation;
use crate::store::Store;
use crate::{Answer, LinkId, Refusal};

use super::{Now, Peer};

impl<S: Store> Peer<S> {
    /// The user wants to delete the account, and has written its name to say that it is meant.
    pub(super) fn delete_account(&mut self, name: &str) -> Result<Answer, Refusal> {
        if name != self.name.as_str() {
            return Err(Refusal::NotConfirmed { name: self.name.to_string() });
        }
        Ok(Answer::Deleting { who: (*self.who()).clone(), told: self.link_of.len() })
    }

    /// The user is about to leave for good: what is under `-delay` goes out, what is scheduled stays unsaid, and what is for people who are
    /// away is left with everybody who is here.
    pub fn handle_leaving_for_good(&mut self, now: Now) {
        self.flush(now);
        self.stop_scheduled();
        self.release_due(now, Duration::MAX);
        self.handle_leaving();
    }

    /// Tells everybody that the account is deleted. From then on this peer says nothing.
    pub fn handle_deletion(&mut self, now: Now) {
        let dests = self.dests(&Conversation::All);
        if !dests.is_empty() {
            self.welcome_unaddressed(&dests);
            self.multicast(&dests, &body::tombstone(self.me), None, None, None);
            self.flush(now);
        }
        self.deleted = true;
    }

    /// Whether every peer that is here has said that it was told of the deletion.
    pub fn is_deletion_told(&self) -> bool {
        self.link_of.is_empty()
    }

    /// The peer at the other end has forgotten this one, as it was asked to: it listens no more.
    pub(super) fn note_told_of_deletion(&mut self, link_id: LinkId) {
        if let Some(link) = self.links.get_mut(&link_id) {
            link.dismissed = true;
            self.link_of.retain(|_, other| *other != link_id);
        }
    }
}
