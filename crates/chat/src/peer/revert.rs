//! Undoing a turn that the store could not keep: its user is refused, so nothing of it may ever be sent or shown.
//!
//! The store holds what the peer was before that turn, so the peer goes on from there as after a crash, within the same
//! process. Its links are of no more use, because the other sides know the numbers and places of the state that is gone; they
//! stay up until they can be renewed, and meanwhile show who is here.

use std::net::SocketAddr;

use crate::store::{Store, StoreError};
use crate::{Effects, Event, Incarnation, LinkId, PersonId};

use super::catchup::Vectors;
use super::restart::{self, Ledger};
use super::{Now, Peer, hlc};
use crate::directory::Directory;

/// What the others are told about a link that is renewed.
const WHY: &str = "this peer could not keep what it was to do";

/// A link of a state that was undone: nothing that comes on it counts.
#[derive(Debug)]
pub(super) struct Ghost {
    person: PersonId,
    remote: SocketAddr,
    /// It had said who it is, so its person is shown as present.
    greeted: bool,
}

impl<S: Store> Peer<S> {
    /// Undoes a turn of commands: to be called instead of carrying out its effects, `unkept`, when the store did not keep
    /// [`Effects::durable`]. Nothing of that turn has happened; what was kept before stays. It is for stores that survive
    /// their process, because only those hold the whole state.
    ///
    /// The next effects rewrite some of the state, so that keeping them shows whether the store has room again, and renew
    /// every link. Until they are carried out the peer takes no input but commands that do not change its state
    /// ([`Command::changes_state`](crate::Command::changes_state)).
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be read. The call can be repeated.
    pub fn revert(&mut self, now: Now, unkept: &Effects) -> Result<(), StoreError> {
        let saved = self.store.load()?;
        let mut fresh: Incarnation = self.ledger.fresh();
        let causal = restart::causal(&saved, self.me.person, &mut fresh, &self.config)?;
        self.part_from_links();
        let Self {
            config,
            identity: _,
            me,
            name: _,
            claim: _,
            store,
            directory,
            clock,
            causal: order,
            numbering: _,
            links: _,
            link_of: _,
            ghosts: _,
            addresses: _,
            groups,
            record_is_stale,
            record_is_untold,
            queue: _,
            outbox: _,
            schedule,
            carry,
            watch: _,
            undelivered: _,
            absent,
            homecoming,
            talks,
            vectors,
            gate,
            repair: _,
            repeats: _,
            labels: _,
            superseded: _,
            deleted: _,
            held_since: _,
            held_large: _,
            held_large_bytes: _,
            announced: _,
            for_address,
            called: _,
            expected: _,
            effects,
            ledger,
            greetings,
            greeted_with: _,
            greeting_is_news,
        } = self;
        *me = *causal.roster().id(causal.me());
        *order = causal;
        *directory = Directory::new(me.person, config);
        *clock = hlc::Clock::new(config.max_clock_ahead);
        groups.clear();
        (*record_is_stale, *record_is_untold) = (false, false);
        *ledger = Ledger::new(store.survives(), fresh);
        schedule.go_back();
        (*carry, *absent, *homecoming) = Default::default();
        (*talks, *vectors, *gate) = (Default::default(), Vectors::new(now.monotonic), Default::default());
        *effects = Effects::default();
        for address in &unkept.reach {
            for_address.take_back(*address);
        }
        greetings.clear();
        *greeting_is_news = false;
        self.forget_what_was_under_way(now);
        self.resume_claim(&saved);
        self.restore(now, saved)?;
        if self.superseded {
            self.stop_scheduled();
        }
        drop(self.write_own_record(now));
        self.look_at_claims(now);
        for (&link, ghost) in &self.ghosts {
            self.effects.renew.push((link, WHY.to_owned()));
            if ghost.greeted && self.directory.knows(ghost.person) {
                self.directory.set_present(ghost.person, ghost.remote.ip().to_canonical());
            }
        }
        Ok(())
    }

    fn part_from_links(&mut self) {
        for (id, link) in std::mem::take(&mut self.links) {
            let greeted = link.process.is_some_and(|process| self.link_of.get(&process) == Some(&id));
            let ghost = Ghost { person: link.person, remote: link.remote(), greeted };
            self.ghosts.insert(id, ghost);
        }
        self.link_of.clear();
    }

    /// A link of a state that was undone is down; whether it was one.
    pub(super) fn is_ghost_gone(&mut self, link: LinkId, reason: &str) -> bool {
        let Some(Ghost { person, greeted, .. }) = self.ghosts.remove(&link) else { return false };
        self.fail_to_address(person, reason);
        let is_here = self.link_of.keys().any(|&process| self.person_of(process) == person);
        if greeted && !is_here {
            self.directory.set_absent(person);
            let who = self.directory.who(person);
            self.tell(Event::PeerDown { who, reason: reason.to_owned() });
        }
        true
    }
}
