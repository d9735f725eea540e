//! *Exactly once*: an id is sent once, and a message is delivered at most once and shown at most once here, including
//! restarts. A message that comes late had been given up.
//!
//! A text that is said again, by another incarnation or from another copy of its author, is the same text under another
//! id. A peer that showed it under one id does not show it under the other, neither as it comes nor in the history.
//! Exempt is a text that was to go out later and that its user sent again, because no peer knows whether it had gone
//! out.
//!
//! Source: Cachin, Guerraoui, Rodrigues (2011), property BEB2 "no duplication"; `docs/causal.md` (lemma 4, duplicates)
//! and `docs/causal-order.md`. *Here* means one store. A peer that lost its store, or went back to an older copy, shows
//! again what the copy lacks. Until a peer that knows better tells it, it uses the same numbers again for what it says
//! (only its own signature proves that a number was used). So do two copies that run. If a liar makes up clocks of its
//! own, what it said under true clocks may be called late.

use std::collections::BTreeSet;

use chat::{Journal, Message};

use super::{Invariant, Rest, Scene, Verdict};

pub(super) struct ExactlyOnce;

impl Invariant for ExactlyOnce {
    fn name(&self) -> &'static str {
        "exactly once"
    }

    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        let Scene { chronicle, lineage, .. } = scene;
        match entry {
            Journal::Send { id, .. } if chronicle.sent.contains_key(id) && !lineage.rolled_back => {
                Err(format!("{} is the number of two messages", chronicle.name(*id)))
            }
            Journal::Deliver { id } | Journal::Late { id } if lineage.delivered.contains(id) => {
                Err(format!("{} is delivered twice", chronicle.name(*id)))
            }
            Journal::Late { id } if !lineage.calls_late(*id) && !chronicle.is_liars(&id.process) => {
                Err(format!("{} is late, and was never given up", chronicle.name(*id)))
            }
            Journal::Start { .. }
            | Journal::Stop
            | Journal::Send { .. }
            | Journal::Deliver { .. }
            | Journal::Hold { .. }
            | Journal::Abandon { .. }
            | Journal::Late { .. }
            | Journal::Show { .. }
            | Journal::Forget { .. } => Ok(()),
        }
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, lineage, .. } = scene;
        let text = chronicle.text_shown(message).filter(|text| lineage.shown.contains(text));
        let Some(text) = text.map(|text| &chronicle.texts[text]) else { return Ok(()) };
        let is_again = text.sent_as.len() > 1
            && (chronicle.is_liars(&message.id.process) || chronicle.resent.contains(&text.words));
        if is_again {
            return Ok(());
        }
        let names: Vec<String> = text.sent_as.iter().map(|id| chronicle.name(*id)).collect();
        Err(format!("{:?} ({}) is shown twice", text.words, names.join(", ")))
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let chronicle = rest.chronicle;
        for (who, standing) in &rest.people {
            let mut seen = BTreeSet::new();
            let text = standing.everything.iter().find(|&&text| !seen.insert(text)).map(|&text| &chronicle.texts[text]);
            if let Some(text) = text.filter(|text| !chronicle.resent.contains(&text.words)) {
                return Err(format!("the history of p{who} has {:?} twice", text.words));
            }
        }
        Ok(())
    }
}
