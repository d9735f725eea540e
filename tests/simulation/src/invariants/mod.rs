//! What must hold, one file per promise. Each looks at the [`Chronicle`] and at one thing that happens, or at the final
//! state, once the network has healed and all peers had time.

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

/// How a promise was broken, or `Ok` if it was kept.
pub type Verdict = Result<(), String>;

/// One promise.
pub trait Invariant: Sync {
    /// Its name, as a report gives it.
    fn name(&self) -> &'static str;

    /// A line of `who`'s journal is about to be written.
    ///
    /// # Errors
    /// How the promise was broken.
    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let _ = (scene, entry);
        Ok(())
    }

    /// A text is about to be shown to `who`.
    ///
    /// # Errors
    /// How the promise was broken.
    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let _ = (scene, message);
        Ok(())
    }

    /// `who` welcomes a newcomer, and names these messages: the last one of each author in each conversation.
    ///
    /// # Errors
    /// How the promise was broken.
    fn on_welcome(&self, scene: &Scene<'_>, named: &[MessageId]) -> Verdict {
        let _ = (scene, named);
        Ok(())
    }

    /// `who` asked for the history of all conversations together.
    ///
    /// # Errors
    /// How the promise was broken.
    fn on_history(&self, chronicle: &Chronicle, who: usize, history: &[TextNumber]) -> Verdict {
        let _ = (chronicle, who, history);
        Ok(())
    }

    /// The network has healed, and all peers had time.
    ///
    /// # Errors
    /// How the promise was broken.
    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let _ = rest;
        Ok(())
    }
}

/// The peer that acts, and what happened before.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// Everything that happened.
    pub chronicle: &'a Chronicle,
    /// What this peer's store has been through.
    pub lineage: &'a Lineage,
    /// The person.
    pub who: usize,
    /// The process.
    pub process: ProcessId,
    /// What those stores have been through that some peer may still learn from.
    pub stores: &'a [&'a Lineage],
    /// Whether the peer was told that a copy of it was started later.
    pub superseded: bool,
}

/// The final state.
#[derive(Debug)]
pub struct Rest<'a> {
    /// Everything that happened.
    pub chronicle: &'a Chronicle,
    /// The people who are alive and honest.
    pub people: BTreeMap<usize, Standing>,
    /// The machines of honest people on which a peer runs, including superseded ones.
    pub machines: BTreeMap<usize, Running>,
    /// How many people there are, including those who are away for good.
    pub everybody: usize,
    /// Messages that all people wrote once the network had healed.
    pub probes: Vec<MessageId>,
}

/// The final state of a machine, whether its peer has links or not.
#[derive(Debug)]
pub struct Running {
    /// The person that it belongs to.
    pub person: usize,
    /// The number of its last start, among all starts of the run.
    pub started: u64,
    /// Whether the peer was told that a copy of it was started later.
    pub superseded: bool,
    /// What its store has been through.
    pub lineage: Lineage,
    /// The texts that have not gone out, and whether each goes out by itself.
    pub waiting: Vec<(String, bool)>,
}

/// The final state of one person's peer.
#[derive(Debug)]
pub struct Standing {
    /// The process that is alive.
    pub process: ProcessId,
    /// What its store has been through.
    pub lineage: Lineage,
    /// What it shows of each conversation, oldest first. Texts that no person wrote are left out.
    pub histories: BTreeMap<Place, Vec<TextNumber>>,
    /// The same for all conversations together.
    pub everything: Vec<TextNumber>,
    /// All people that it knows, with name and presence.
    pub users: BTreeMap<chat::PersonId, (String, bool)>,
    /// The groups it knows, and the people in them by name.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// The name that it should have.
    pub name: String,
    /// The messages that it holds back, and what each waits for: messages, and the history of conversations.
    pub held: Vec<(MessageId, Vec<MessageId>, Vec<String>)>,
    /// The texts that have not gone out, and whether each goes out by itself.
    pub waiting: Vec<(String, bool)>,
    /// How many of its own messages some peer has not acknowledged.
    pub unacknowledged: u64,
    /// The messages that its store keeps although no peer needs them: held-back, carried and unsettled ones.
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
