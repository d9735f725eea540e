//! What was given up and may be had after all: of its author once he is here, and of others who got it where he is not.

use std::collections::BTreeMap;

use causal::{Clock, Hole, Index};

use crate::kept::Kept;
use crate::store::Store;

use super::super::{Now, Peer};

/// Questions for what was given up, each by who is asked and whose messages they are.
#[derive(Debug, Default)]
pub(super) struct Searches {
    /// Those that are under way: up to where, and up to where they are answered.
    under_way: BTreeMap<(Index, Index), (Clock, Clock)>,
    /// Of those who are no authors: how much was given up when they were asked last, and how much of it they might have.
    /// Nobody is asked twice for the same.
    asked: BTreeMap<(Index, Index), (Clock, Clock)>,
}

impl<S: Store> Peer<S> {
    /// Where something of `author` was given up, asks him for all that he has for me: what he does not hand over then was
    /// never mine to wait for.
    pub(in crate::peer) fn ask_to_complete(&mut self, author: Index) {
        if let Some(last) = self.causal.holes(author).last() {
            self.ask_for_holes(author, author, 0, last.to.max(self.causal.delivered(author)));
        }
    }

    /// An author is here, and says how far he has come: what was given up beyond that had been made up by somebody else.
    pub(in crate::peer) fn drop_made_up_holes(&mut self, author: Index, clock: Clock) {
        let beyond: Vec<Hole> = self.causal.holes(author).iter().copied().filter(|hole| hole.to > clock).collect();
        for hole in beyond {
            self.causal.void(author, clock.max(hole.from), hole.to);
        }
    }

    /// Asks a peer for what I gave up of an author who is not here, if it may have some of that by what it says to have.
    pub(super) fn search_holes(&mut self, peer: Index, author: Index, delivered: Clock, holes: &[(Clock, Clock)]) {
        let mut given_up = self.causal.holes(author).iter().filter(|hole| hole.given_up);
        let Some(first) = given_up.next() else { return };
        if !self.link_of.contains_key(&peer) || self.link_of.contains_key(&author) || self.vectors.distrusts(peer) {
            return;
        }
        let (after, mut up_to, mut lacked) = (first.from, first.to, first.to - first.from);
        for hole in given_up {
            up_to = hole.to;
            lacked += hole.to - hole.from;
        }
        let up_to = up_to.min(delivered);
        let lacked_there = holes.iter().map(|&(from, to)| to.min(up_to).saturating_sub(from.max(after)));
        let may_be_there = up_to.saturating_sub(after).saturating_sub(lacked_there.fold(0, Clock::saturating_add));
        let question = (lacked, may_be_there);
        if may_be_there > 0 && self.vectors.searches.asked.insert((peer, author), question) != Some(question) {
            self.ask_for_holes(peer, author, after, up_to);
        }
    }

    fn ask_for_holes(&mut self, peer: Index, author: Index, after: Clock, up_to: Clock) {
        self.vectors.searches.under_way.insert((peer, author), (up_to, after));
        self.ask(peer, author, after, up_to);
    }

    /// Somebody answered: he is asked on. Once an author has handed over everything and it is delivered, his holes are closed.
    pub(super) fn search_on(
        &mut self,
        now: Now,
        peer: Index,
        author: Index,
        after: Clock,
        asked: Clock,
        through: Clock,
    ) {
        let key = (peer, author);
        if self.vectors.searches.under_way.get(&key) != Some(&(asked, after)) {
            return;
        }
        self.vectors.searches.under_way.remove(&key);
        if through > after && through < asked {
            self.ask_for_holes(peer, author, through, asked);
        } else if peer != author {
            if self.vectors.refused.contains(&author) {
                self.vectors.searches.asked.remove(&key);
            }
        } else if through >= asked {
            self.deliver(now);
            let is_meant = |kept: &Kept| kept.sender() == author && kept.clock() <= asked;
            let held = self.causal.held_messages().map(|(kept, _)| kept);
            // A welcome may wait for history.
            let is_some_underway = held.chain(self.gate.waiting().map(|(kept, _)| kept)).any(is_meant);
            if !self.vectors.refused.contains(&author) && !is_some_underway {
                self.causal.complete(author, asked);
                self.ledger.causal_moved = true;
            }
        }
    }

    /// A peer is lost, perhaps with answers on their way: it is asked again once it is back.
    pub(in crate::peer) fn search_no_more(&mut self, peer: Index) {
        self.vectors.searches.under_way.retain(|&(whom, _), _| whom != peer);
        self.vectors.searches.asked.retain(|&(whom, _), _| whom != peer);
    }
}
