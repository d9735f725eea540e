//! How a peer stops. It hands over what its user said, says goodbye or that the account is deleted, and tells user
//! interfaces why.

use std::mem;

use chat::{Answer, Event, News, Peer, StoreError};
use tokio::time::{Instant, sleep_until};

use crate::keep::Keep;
use crate::line::Ending;
use crate::run::{Node, Woken};
use crate::session::Ended;
use crate::stuck::Owed;

impl Node {
    /// Gives an answer whose effects have been carried out. If the answer ends the peer, notes that it is to stop.
    pub(crate) fn give(&mut self, owed: Owed) {
        let ended = match &owed.answered {
            Ok(Answer::LoggingOut { who }) => {
                Some(Ended { text: format!("{} has logged out", who.name), why: Ending::LoggedOut })
            }
            Ok(Answer::Deleting { who, .. }) => {
                Some(Ended { text: format!("{} has deleted the account", who.name), why: Ending::Deleted })
            }
            Ok(_) | Err(_) => None,
        };
        if let Some(ended) = ended {
            // The first reason counts.
            let _ = self.far.ended.set(ended);
        }
        owed.give();
    }

    /// Whether a user interface has asked the peer to stop. Any of them may, by a command.
    pub(crate) fn is_asked_to_stop(&self) -> bool {
        self.far.ended.get().is_some()
    }

    /// Hands over what was said, and says goodbye, for good if the account is deleted.
    pub(crate) async fn leave(&mut self) -> Result<(), StoreError> {
        let for_good = self.far.ended.get().is_some_and(|ended| ended.why == Ending::Deleted);
        // First what was said goes out, then what leaving releases.
        if self.stuck.is_none() {
            let now = self.clock.now();
            if for_good {
                self.peer.handle_leaving_for_good(now);
            } else {
                self.peer.handle_leaving();
            }
            self.perform(now)?;
        }
        self.drain(|peer| !peer.has_unsent()).await?;
        if self.stuck.is_some() {
            self.turn(Woken::Room)?;
        }
        if let Some(stuck) = &self.stuck {
            return Err(StoreError::NotKept { reason: stuck.reason.clone() });
        }
        if for_good {
            let now = self.clock.now();
            self.peer.handle_deletion(now);
            self.perform(now)?;
            self.drain(Peer::is_deletion_told).await?;
        }
        self.deaf = true;
        let now = self.clock.now();
        self.peer.handle_shutdown(now);
        self.perform(now)?;
        self.drain(|peer| !peer.has_unsent()).await
    }

    /// Goes on until `done`, within [`Config::drain`](crate::Config). New commands are not taken any more.
    async fn drain(&mut self, done: impl Fn(&Peer<Keep>) -> bool) -> Result<(), StoreError> {
        let patience = Instant::now() + self.drain;
        while !done(&self.peer) {
            let woken = tokio::select! {
                woken = self.wait(true) => woken,
                () = sleep_until(patience) => break,
            };
            if let Woken::Stop = woken {
                if self.backlog.is_empty() {
                    break;
                }
                // Events are no longer taken by anyone.
                self.backlog = News::default();
            }
            self.turn(woken)?;
        }
        Ok(())
    }

    /// What cannot be kept must not be sent or shown. So the peer stops at once, and says why.
    pub(crate) async fn give_up(&mut self, lost: StoreError) {
        tracing::error!("{lost}");
        // The user may have asked it to stop already. Otherwise this is the reason.
        let _ = self.far.ended.set(Ended::other(format!("the peer has stopped: {lost}")));
        self.show(Event::Warning { text: format!("this peer stops: {lost}") }.into());
        if !self.backlog.is_empty() {
            // A user interface that has gone away misses nothing.
            let _ = self.far.events.send(mem::take(&mut self.backlog)).await;
        }
    }
}
