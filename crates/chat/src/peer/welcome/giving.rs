//! A member hands over what a newcomer fetches, a piece at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use causal::{Clock, Index};

use crate::body::{Body, Scope};
use crate::frame::{Control, HistoryWanted, Shown};
use crate::history::{Conversation, Entry, SortKey};
use crate::kept::Kept;
use crate::store::Store;
use crate::{LinkId, MessageId, PersonId, ProcessId};

use super::super::Peer;
use super::super::piece::Builder;
use super::super::talk::{Talk, Vector};

/// How many messages are looked at for one piece: an asker may lack one in ten of them.
const LOOK: usize = 2000;

/// How many of them are read at once.
const STEP: usize = 200;

impl<S: Store> Peer<S> {
    /// A newcomer asks for a piece of history: he gets what he was not addressed in, if the conversation is his.
    pub(in crate::peer) fn hand_over_history(&mut self, link: LinkId, asker: Index, wanted: &HistoryWanted) {
        let person = self.person_of(asker);
        let asker_id = *self.causal.roster().id(asker);
        let allowed = self.conversation_of(&wanted.scope, person).filter(|conversation| match conversation {
            Conversation::Group(name) => self.directory.members(name).any(|member| member == asker_id),
            Conversation::All | Conversation::Direct(_) | Conversation::People(_) => true,
        });
        let (piece, more, shown) = match allowed {
            Some(conversation) => {
                let (piece, more) = self.piece_of(&conversation, asker, wanted);
                (piece, more, self.shown_of(&conversation, &wanted.up_to))
            }
            None => (Bytes::new(), None, Shown::Behind),
        };
        self.send_control(link, &Control::History { request: wanted.request, piece, more, shown });
    }

    /// When the last text of mine of these conversations is due that is under `-delay` and does not go to this member.
    pub(super) fn due_of_unaddressed(&self, member: Index, conversations: &[Conversation]) -> Option<Duration> {
        let delayed = conversations.iter().flat_map(|conversation| self.delayed_in(conversation));
        delayed.filter(|(kept, _)| !kept.dests().contains(member)).map(|(_, due)| due).max()
    }

    /// When a welcome of mine is due that was delayed before a restart: with what it waits for, if that is delayed still.
    pub(in crate::peer) fn due_of_welcome(&self, kept: &Kept) -> Option<Duration> {
        let newcomer = kept.dests().iter().next()?;
        let Ok(Body::Welcome(welcome)) = Body::decode(kept.shared_body()) else { return None };
        let person = self.person_of(newcomer);
        let conversations: Vec<Conversation> =
            welcome.shown.iter().filter_map(|named| self.conversation_of(&named.scope, person)).collect();
        self.due_of_unaddressed(newcomer, &conversations)
    }

    /// What a welcome or a request spells so, between me and a person; `None` if one of us has no part in it.
    pub(in crate::peer) fn conversation_of(&self, scope: &Scope, person: PersonId) -> Option<Conversation> {
        match scope {
            Scope::All => Some(Conversation::All),
            Scope::Group(name) => Some(Conversation::Group(name.clone())),
            Scope::Direct => Some(Conversation::Direct(person)),
            Scope::People(people) => {
                let mut others = people.clone();
                let is_ours = others.remove(&self.me.person) && others.contains(&person);
                (is_ours && (2..=self.config.max_addressees).contains(&others.len()))
                    .then_some(Conversation::People(others))
            }
        }
    }

    /// How a welcome or a request spells a conversation.
    pub(super) fn scope_of(&self, conversation: &Conversation) -> Scope {
        match conversation {
            Conversation::All => Scope::All,
            Conversation::Group(name) => Scope::Group(name.clone()),
            Conversation::Direct(_) => Scope::Direct,
            Conversation::People(others) => Scope::People(others.iter().copied().chain([self.me.person]).collect()),
        }
    }

    /// My own texts of a conversation that nobody gets before their time, and when that is (monotonic).
    fn delayed_in(&self, conversation: &Conversation) -> Vec<(Kept, Duration)> {
        let delayed = self.outbox.delayed().filter_map(|clock| {
            let text = self.own_text(clock).filter(|text| text.conversation == *conversation)?;
            Some((text.kept, self.outbox.due(clock)?))
        });
        delayed.collect()
    }

    /// What is wanted of a conversation, the newest first, and where it goes on if there may be more.
    fn piece_of(&self, conversation: &Conversation, asker: Index, wanted: &HistoryWanted) -> (Bytes, Option<SortKey>) {
        let after: BTreeMap<ProcessId, Clock> = wanted.after.iter().copied().collect();
        let up_to: BTreeMap<ProcessId, Clock> = wanted.up_to.iter().copied().collect();
        let also: BTreeSet<(&ProcessId, Clock)> =
            wanted.also.iter().flat_map(|(author, clocks)| clocks.iter().map(move |&clock| (author, clock))).collect();
        let is_wanted = |entry: &Entry| {
            let MessageId { process, clock } = entry.kept.id();
            let is_new = up_to.get(&process).is_some_and(|&last| clock <= last)
                && after.get(&process).is_none_or(|&first| clock > first);
            // No welcome has named it yet, but whoever asks may lie.
            let is_delayed = process == self.me && self.outbox.due(clock).is_some();
            // What I said as an earlier incarnation may have clocks that had been used; what I fetched of it is what others have.
            let is_doubtful = !entry.fetched && self.ledger.is_doubtful(entry.kept.sender(), clock);
            let is_named = is_new || also.contains(&(&process, clock));
            is_named && !is_delayed && !is_doubtful && self.is_for_history(&entry.kept, asker, entry.fetched)
        };
        let mut piece = Builder::new(self.config.max_piece, self.config.max_piece_bytes);
        // The first piece is what a newcomer waits for.
        let most = if wanted.before.is_none() { self.config.history_first } else { usize::MAX };
        let (mut looked, mut taken, mut before) = (0, 0, wanted.before);
        loop {
            let entries = self.store.newest(Some(conversation), before, STEP);
            for entry in &entries {
                if is_wanted(entry) && entry.kept.is_signed(&self.causal) {
                    piece.put(&entry.kept);
                    taken += 1;
                }
                looked += 1;
                before = Some(entry.sort_key());
                if piece.is_full() || taken >= most || looked >= LOOK {
                    return (piece.finish(&self.causal), before);
                }
            }
            if entries.len() < STEP {
                return (piece.finish(&self.causal), None);
            }
        }
    }

    /// How much I have been shown of what was said up to there in this conversation.
    fn shown_of(&self, conversation: &Conversation, up_to: &[(ProcessId, Clock)]) -> Shown {
        let nothing = Talk::default();
        let talk = self.talks.known(conversation).unwrap_or(&nothing);
        // Only a liar may have named what nobody vouched for: it does not make me one who lacks something.
        let mut missing = talk.missing(self.causal.roster());
        let mut is_lacking = missing.any(|missing| self.is_vouched_for(missing));
        for (author, clock) in up_to {
            // What I said myself I have, in whatever conversation.
            let is_mine = *author == self.me && *clock <= self.causal.clock();
            let author = self.causal.roster().index(author);
            let of_author = |vector: &Vector| author.map_or(0, |author| vector.of(author));
            if of_author(&talk.shown) < *clock && !is_mine {
                is_lacking = true;
                if of_author(&talk.lost).max(of_author(&talk.rest.up_to)) < *clock {
                    return Shown::Behind;
                }
            }
        }
        if is_lacking {
            Shown::Lacking
        } else if self.gave_up_some_of(conversation) {
            Shown::GivenUp
        } else {
            Shown::All
        }
    }

    /// Whether I have given up something that may have been said in this conversation, and have not got it since. Of what is
    /// missing nobody can tell where it was said.
    fn gave_up_some_of(&self, conversation: &Conversation) -> bool {
        self.causal.roster().iter().any(|(author, id)| {
            let may_speak = match conversation {
                Conversation::Direct(person) => id.person == *person,
                Conversation::People(others) => others.contains(&id.person),
                Conversation::All | Conversation::Group(_) => true,
            };
            may_speak && self.causal.holes(author).iter().any(|hole| hole.given_up)
        })
    }
}
