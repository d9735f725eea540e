//! Conversations: whom each one reaches, and what of it was shown here.

use std::collections::BTreeMap;

use causal::{Clock, Index, Roster, Set};

use crate::history::{Conversation, SortKey};
use crate::{PersonId, ProcessId, Recipients};

use super::notice::Notice;
use super::unread::Unread;

/// The greatest clock of each author, by index.
#[derive(Clone, Debug, Default)]
pub(super) struct Vector {
    clocks: Vec<Clock>,
    /// Whether it changed since somebody last asked.
    changed: bool,
}

impl Vector {
    pub(super) fn of(&self, author: Index) -> Clock {
        self.clocks.get(author.position()).copied().unwrap_or(0)
    }

    pub(super) fn raise(&mut self, author: Index, clock: Clock) {
        let slot = author.position();
        if self.clocks.len() <= slot {
            self.clocks.resize(slot + 1, 0);
        }
        if self.clocks[slot] < clock {
            self.clocks[slot] = clock;
            self.changed = true;
        }
    }

    /// Raises each author's clock to what it is in `other`.
    pub(super) fn raise_all(&mut self, other: &Self) {
        self.clocks.resize(self.clocks.len().max(other.clocks.len()), 0);
        for (mine, &theirs) in self.clocks.iter_mut().zip(&other.clocks) {
            self.changed |= *mine < theirs;
            *mine = theirs.max(*mine);
        }
    }

    /// Lowers an author's clock to `clock`, if it is beyond that.
    fn lower(&mut self, author: Index, clock: Clock) {
        if let Some(slot) = self.clocks.get_mut(author.position()).filter(|slot| **slot > clock) {
            *slot = clock;
            self.changed = true;
        }
    }

    /// The vector that [`numbers`](Self::numbers) told.
    pub(super) fn kept(clocks: impl Iterator<Item = (Index, Clock)>) -> Self {
        let mut vector = Self::default();
        clocks.for_each(|(author, clock)| vector.raise(author, clock));
        vector.changed = false;
        vector
    }

    /// An empty vector that was not always empty.
    pub(super) fn emptied() -> Self {
        Self { clocks: Vec::new(), changed: true }
    }

    /// The clocks above 0, each with its author's number.
    pub(super) fn numbers(&self) -> Vec<(u32, Clock)> {
        (0..).zip(self.clocks.iter().copied()).filter(|&(_, clock)| clock > 0).collect()
    }

    /// Whether it changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// What one author has is another's from now on.
    fn hand_over(&mut self, from: Index, to: Index) {
        let clock = self.of(from);
        if clock > 0 {
            self.clocks[from.position()] = 0;
            self.raise(to, clock);
        }
    }

    /// Whether no author's clock is beyond that of `other`.
    pub(super) fn is_within(&self, other: &Self) -> bool {
        self.clocks.iter().enumerate().all(|(slot, clock)| other.clocks.get(slot).unwrap_or(&0) >= clock)
    }

    /// Whether every clock is 0.
    pub(super) fn is_empty(&self) -> bool {
        self.clocks.iter().all(|&clock| clock == 0)
    }

    /// The authors with a clock above 0.
    pub(super) fn iter<'a>(
        &'a self,
        roster: &'a Roster<ProcessId>,
    ) -> impl Iterator<Item = (Index, ProcessId, Clock)> + 'a {
        let all = roster.iter().zip(&self.clocks);
        all.filter(|&(_, &clock)| clock > 0).map(|((author, &id), &clock)| (author, id, clock))
    }
}

/// What of a conversation's history is still to be fetched, behind its newest messages.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// What of each author need not be.
    pub(super) after: Vector,
    /// Up to where; if this is empty nothing is to be fetched.
    pub(super) up_to: Vector,
    /// How far back it has come; nowhere yet if there is no such place.
    pub(super) reached: Option<SortKey>,
    changed: bool,
}

impl Rest {
    /// What is to be fetched, from somewhere back.
    pub(super) fn new(after: Vector, up_to: Vector, reached: Option<SortKey>) -> Self {
        Self { after, up_to, reached, changed: false }
    }

    /// Whether there is nothing to fetch.
    pub(super) fn is_empty(&self) -> bool {
        self.up_to.is_empty()
    }

    /// More is to be fetched.
    pub(super) fn add(&mut self, more: Self) {
        if self.is_empty() {
            *self = more;
        } else {
            if !self.after.is_within(&more.after) {
                self.after = Vector::default();
            }
            self.up_to.raise_all(&more.up_to);
            // From the nearer of the two places on.
            self.reached = self.reached.zip(more.reached).map(|(one, other)| one.max(other));
        }
        self.changed = true;
    }

    /// It has come further back, or begins from the newest again.
    pub(super) fn reach(&mut self, place: Option<SortKey>) {
        self.reached = place;
        self.changed = true;
    }

    /// All is here.
    pub(super) fn end(&mut self) {
        *self = Self { changed: true, ..Self::default() };
    }

    /// Whether it changed since this was last asked.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }
}

/// What is known of one conversation.
#[derive(Debug, Default)]
pub(super) struct Talk {
    /// The greatest clock shown of each author, fetched history included.
    pub(super) shown: Vector,
    /// What has been fetched as a newcomer.
    pub(super) fetched: Vector,
    /// What of that has been shown: the rest is in memory alone, and has to be fetched again after a restart.
    pub(super) fetched_and_shown: Vector,
    /// What a welcome named and nobody handed over: what stands below these clocks may be missing. Welcomes name it, like
    /// what was shown.
    pub(super) lost: Vector,
    /// The user was told so.
    pub(super) told_of_loss: bool,
    /// What is still to be fetched.
    pub(super) rest: Rest,
    /// The latest time by the stamps of what was shown since the start, Unix time in microseconds. None counts as later than the
    /// time when it was shown: a far-fetched stamp makes nobody late.
    pub(super) newest: i64,
    /// Whom a message reaches, as of a generation of the directory.
    pub(super) dests: Option<(u64, Set)>,
    /// How events name the conversation (all and groups alone: a person's label may change).
    pub(super) recipients: Option<Recipients>,
    /// What the user has not read.
    pub(super) unread: Unread,
}

impl Talk {
    /// The greatest clock of each author that a welcome named and that was not to be had, or is still to be fetched.
    pub(super) fn missing<'a>(&'a self, roster: &'a Roster<ProcessId>) -> impl Iterator<Item = (Index, Clock)> + 'a {
        let missing = self.lost.iter(roster).chain(self.rest.up_to.iter(roster));
        missing.map(|(author, _, clock)| (author, clock))
    }
}

/// All conversations.
#[derive(Debug)]
pub(super) struct Talks {
    /// The one that most is said in, found without a search.
    all: Talk,
    others: BTreeMap<Conversation, Talk>,
    /// User interfaces are to be told what is unread.
    pub(super) unread_notice: Notice,
}

/// What [`Talks::all`] is called.
static ALL: Conversation = Conversation::All;

impl Default for Talks {
    fn default() -> Self {
        let all = Talk { recipients: Some(Recipients::All), ..Talk::default() };
        Self { all, others: BTreeMap::new(), unread_notice: Notice::default() }
    }
}

impl Talks {
    /// The conversation, made at first mention.
    pub(super) fn entry(&mut self, conversation: &Conversation) -> &mut Talk {
        let recipients = match conversation {
            Conversation::All => return &mut self.all,
            Conversation::Group(name) => Some(Recipients::Group(name.shared())),
            Conversation::Direct(_) | Conversation::People(_) => None,
        };
        self.others.entry(conversation.clone()).or_insert_with(|| Talk { recipients, ..Talk::default() })
    }

    /// All of them.
    pub(super) fn all_mut(&mut self) -> impl Iterator<Item = (&Conversation, &mut Talk)> {
        std::iter::once((&ALL, &mut self.all)).chain(&mut self.others)
    }

    /// What was said by one process was said by what is `to` from now on; nobody is addressed as before.
    pub(super) fn hand_over(&mut self, from: Index, to: Index) {
        for (_, talk) in self.all_mut() {
            talk.shown.hand_over(from, to);
            // The one before was addressed in much that this one has to fetch.
            (talk.fetched, talk.fetched_and_shown) = (Vector::default(), Vector::emptied());
            if !talk.rest.is_empty() {
                talk.rest.after = Vector::default();
                talk.rest.reach(None);
            }
            talk.dests = None;
        }
    }

    /// There is nothing of this author beyond `clock`: what welcomes named of it had been made up.
    pub(super) fn drop_made_up(&mut self, author: Index, clock: Clock) {
        for (_, talk) in self.all_mut() {
            talk.fetched.lower(author, clock);
            talk.fetched_and_shown.lower(author, clock);
            talk.lost.lower(author, clock);
            talk.told_of_loss &= !talk.lost.is_empty();
            if talk.rest.up_to.of(author) > clock {
                talk.rest.up_to.lower(author, clock);
                talk.rest.changed = true;
            }
        }
    }

    /// The conversation, if anything is known of it.
    pub(super) fn known(&self, conversation: &Conversation) -> Option<&Talk> {
        match conversation {
            Conversation::All => Some(&self.all),
            Conversation::Group(_) | Conversation::Direct(_) | Conversation::People(_) => self.others.get(conversation),
        }
    }

    /// The conversations among several people that this one is in, but no more than so many: those with the newest messages.
    pub(super) fn among_several(&self, person: PersonId, most: usize) -> Vec<Conversation> {
        let among = self.others.iter().filter(
            |(conversation, _)| matches!(conversation, Conversation::People(others) if others.contains(&person)),
        );
        let mut among: Vec<_> = among.map(|(conversation, talk)| (talk.newest, conversation)).collect();
        among.sort_by(|one, other| other.cmp(one));
        among.into_iter().take(most).map(|(_, conversation)| conversation.clone()).collect()
    }
}
