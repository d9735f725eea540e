//! Conversations: whom each one reaches, and what of it was shown here.

use std::collections::BTreeMap;

use causal::{Clock, Index, Roster, Set};

use crate::history::Conversation;
use crate::{ProcessId, Recipients};

/// The greatest clock of each author, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Vector(Vec<Clock>);

impl Vector {
    pub(super) fn of(&self, author: Index) -> Clock {
        self.0.get(author.position()).copied().unwrap_or(0)
    }

    pub(super) fn raise(&mut self, author: Index, clock: Clock) {
        let slot = author.position();
        if self.0.len() <= slot {
            self.0.resize(slot + 1, 0);
        }
        self.0[slot] = self.0[slot].max(clock);
    }

    /// The authors with a clock above 0.
    pub(super) fn iter<'a>(
        &'a self,
        roster: &'a Roster<ProcessId>,
    ) -> impl Iterator<Item = (Index, ProcessId, Clock)> + 'a {
        let all = roster.iter().zip(&self.0);
        all.filter(|&(_, &clock)| clock > 0).map(|((author, &id), &clock)| (author, id, clock))
    }
}

/// What is known of one conversation.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// The greatest clock shown of each author, fetched history included: what a welcome names.
    pub(super) shown: Vector,
    /// What has been fetched as a newcomer.
    pub(super) fetched: Vector,
    /// Whom a message reaches, as of a generation of the directory.
    pub(super) dests: Option<(u64, Set)>,
    /// How events name the conversation (all and groups alone: a person's label may change).
    pub(super) recipients: Option<Recipients>,
}

/// All conversations.
#[derive(Debug)]
pub(super) struct Talks {
    /// The one that most is said in, found without a search.
    all: Talk,
    others: BTreeMap<Conversation, Talk>,
}

impl Default for Talks {
    fn default() -> Self {
        Self { all: Talk { recipients: Some(Recipients::All), ..Talk::default() }, others: BTreeMap::new() }
    }
}

impl Talks {
    /// The conversation, made at first mention.
    pub(super) fn entry(&mut self, conversation: &Conversation) -> &mut Talk {
        let recipients = match conversation {
            Conversation::All => return &mut self.all,
            Conversation::Group(name) => Some(Recipients::Group(name.shared())),
            Conversation::Direct(_) => None,
        };
        self.others.entry(conversation.clone()).or_insert_with(|| Talk { recipients, ..Talk::default() })
    }

    /// The conversation, if anything is known of it.
    pub(super) fn known(&self, conversation: &Conversation) -> Option<&Talk> {
        match conversation {
            Conversation::All => Some(&self.all),
            Conversation::Group(_) | Conversation::Direct(_) => self.others.get(conversation),
        }
    }
}
