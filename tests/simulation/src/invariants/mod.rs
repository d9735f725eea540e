//! What must hold, one file a promise. Each looks at the [`Chronicle`] and at one thing that happens, or at how things stand
//! once the network has healed and everybody had time.

mod agreement;
mod bounded;
mod causal_order;
mod complete;
mod directory;
mod exactly_once;
mod from_nowhere;
mod nothing_lost;
mod one_copy;
mod promised;
mod question_first;
mod unblocked;
mod vouched;

use std::collections::{BTreeMap, BTreeSet};

use chat::{Journal, Message, MessageId, ProcessId};

use crate::chronicle::{Chronicle, Lineage, Place, TextNumber};

/// A promise was broken: how.
pub type Verdict = Result<(), String>;

/// One promise.
pub trait Invariant: Sync {
    /// Its name, as a report gives it.
    fn name(&self) -> &'static str;

    /// A line of `who`'s journal is about to be written.
    ///
    /// # Errors
    /// What is wrong with that.
    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let _ = (scene, entry);
        Ok(())
    }

    /// A text is about to be shown to `who`.
    ///
    /// # Errors
    /// What is wrong with that.
    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let _ = (scene, message);
        Ok(())
    }

    /// `who` welcomes a newcomer, and names these messages: of each author in each conversation the last.
    ///
    /// # Errors
    /// What is wrong with that.
    fn on_welcome(&self, scene: &Scene<'_>, named: &[MessageId]) -> Verdict {
        let _ = (scene, named);
        Ok(())
    }

    /// `who` asked for the history, of all conversations together.
    ///
    /// # Errors
    /// What is wrong with that.
    fn on_history(&self, chronicle: &Chronicle, who: usize, history: &[TextNumber]) -> Verdict {
        let _ = (chronicle, who, history);
        Ok(())
    }

    /// The network has healed, and everybody had time.
    ///
    /// # Errors
    /// What is wrong with how things stand.
    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let _ = rest;
        Ok(())
    }
}

/// Who does something, and what happened before.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Everything.
    pub chronicle: &'a Chronicle,
    /// What this peer's store has been through.
    pub lineage: &'a Lineage,
    /// The person.
    pub who: usize,
    /// The process.
    pub process: ProcessId,
    /// What the stores have been through that somebody may still learn from.
    pub stores: &'a [&'a Lineage],
    /// The peer was told that a copy of it was started later.
    pub superseded: bool,
}

/// How things stand at the end.
#[derive(Debug)]
pub struct Rest<'a> {
    /// Everything.
    pub chronicle: &'a Chronicle,
    /// Those who are alive and honest.
    pub people: BTreeMap<usize, Standing>,
    /// The machines of the honest on which a peer runs, those included that were superseded.
    pub machines: BTreeMap<usize, Running>,
    /// How many people there are, those included who are away for good.
    pub everybody: usize,
    /// Messages that everybody wrote once the network had healed.
    pub probes: Vec<MessageId>,
}

/// How things stand on a machine, whether its peer has links or not.
#[derive(Debug)]
pub struct Running {
    /// Whose it is.
    pub person: usize,
    /// Which of all starts the last one was.
    pub started: u64,
    /// The peer was told that a copy of it was started later.
    pub superseded: bool,
    /// What its store has been through.
    pub lineage: Lineage,
    /// The texts that have not gone out, and whether they do by themselves.
    pub waiting: Vec<(String, bool)>,
}

/// How things stand with one person.
#[derive(Debug)]
pub struct Standing {
    /// The process that is alive.
    pub process: ProcessId,
    /// What its store has been through.
    pub lineage: Lineage,
    /// What it shows of each conversation, oldest first; texts that nobody wrote are left out.
    pub histories: BTreeMap<Place, Vec<TextNumber>>,
    /// What it shows of all of them together, likewise.
    pub everything: Vec<TextNumber>,
    /// Everybody it knows, by label's name and person, and whether they are present.
    pub users: BTreeMap<chat::PersonId, (String, bool)>,
    /// The groups it knows, and the people in them by name.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// Who it is to be called.
    pub name: String,
    /// What it holds back, and what that waits for: messages, and the history of conversations.
    pub held: Vec<(MessageId, Vec<MessageId>, Vec<String>)>,
    /// The texts that have not gone out, and whether they do by themselves.
    pub waiting: Vec<(String, bool)>,
    /// How many of its own messages somebody has not acknowledged.
    pub unacknowledged: u64,
    /// What its store keeps that nobody needs any more: held, carried and unsettled messages.
    pub kept_in_vain: Vec<(MessageId, &'static str)>,
}

/// All promises.
pub const ALL: &[&dyn Invariant] = &[
    &from_nowhere::FromNowhere,
    &exactly_once::ExactlyOnce,
    &promised::Promised,
    &causal_order::CausalOrder,
    &question_first::QuestionFirst,
    &unblocked::Unblocked,
    &directory::Directory,
    &complete::Complete,
    &nothing_lost::NothingLost,
    &one_copy::OneCopy,
    &agreement::Agreement,
    &bounded::Bounded,
    &vouched::Vouched,
];
