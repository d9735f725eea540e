//! *Nothing is lost if two copies run*: some texts are said under a clock that another copy of their author used too,
//! or are disowned by their author when it begins anew. In the end such a text is shown to all its recipients, or is
//! left unsent where it was written.
//!
//! Source: the README ("What you saw as sent survives `kill -9` and reaches everyone in the end") and
//! `docs/getting-started.md`, "One identity in two places". The other invariants compare the ids of messages and say
//! nothing about such texts. This one compares words, which no two texts share. Exempt are a text whose copy does not
//! run in the end or whose store has lost it; a text that its user took back; readers who were forgotten meanwhile,
//! because nothing is kept for them; and readers who were told that history could not be fetched, or who left the
//! group.

use super::{Invariant, Rest, Standing, Verdict};
use crate::chronicle::{Place, Text};

pub(super) struct NothingLost;

impl Invariant for NothingLost {
    fn name(&self) -> &'static str {
        "nothing is lost if two copies run"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let chronicle = rest.chronicle;
        // A liar may have withheld what it was asked to hand on.
        if !chronicle.liars.is_empty() {
            return Ok(());
        }
        for (number, text) in chronicle.texts.iter().enumerate().filter(|(_, text)| chronicle.is_doubtful(text)) {
            let Some(copy) = rest.machines.get(&text.machine) else { continue };
            let is_there = text.confirmed && copy.lineage.shown.contains(&number);
            let is_left = copy.waiting.iter().any(|(words, _)| *words == text.words);
            if !is_there || is_left || copy.lineage.cancelled.contains(&text.words) {
                continue;
            }
            let lacks = |standing: &Standing| {
                let is_reader = |dest| standing.lineage.lives.contains(dest) && !chronicle.forgotten.contains(dest);
                let is_for = text.dests.iter().any(is_reader);
                let is_shown = standing.lineage.shown.contains(&number) || standing.everything.contains(&number);
                is_for && !is_shown && !is_excused(standing, text)
            };
            if let Some((who, _)) = rest.people.iter().find(|(_, standing)| lacks(standing)) {
                let ids: Vec<String> = text.sent_as.iter().map(|id| chronicle.name(*id)).collect();
                return Err(format!(
                    "p{who} never saw {:?} ({} in {}), which its author still has as sent",
                    text.words,
                    ids.join(", "),
                    text.place
                ));
            }
        }
        Ok(())
    }
}

fn is_excused(standing: &Standing, text: &Text) -> bool {
    let Standing { lineage, .. } = standing;
    let is_out = matches!(&text.place, Place::Group(group) if !lineage.groups.contains_key(group));
    lineage.lacks_history || is_out
}
