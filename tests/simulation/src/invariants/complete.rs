//! *Every destination gets its messages*: once the network has healed, each message that left its author, or that its
//! author was told is sent, is delivered (in order or late) to each of its destinations that is still there.
//!
//! Source: `docs/trace.md`, *complete*; "What you saw as sent survives `kill -9` and reaches everyone in the end" (the
//! README). Exempt is a message whose author's store is gone, if no peer that is there has it, or if the destination
//! gave it up.

use std::collections::BTreeMap;

use chat::MessageId;

use super::{Invariant, Rest, Standing, Verdict};

pub(super) struct Complete;

impl Invariant for Complete {
    fn name(&self) -> &'static str {
        "every destination has what was sent to it"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let chronicle = rest.chronicle;
        let alive: BTreeMap<_, _> =
            rest.people.iter().map(|(who, standing)| (standing.process, (who, standing))).collect();
        let has = |standing: &Standing, id: &MessageId| standing.lineage.delivered.contains(id);
        for (id, sent) in &chronicle.sent {
            if chronicle.is_liars(&id.process) || chronicle.twice.contains(id) {
                continue;
            }
            // Whether its author's process is there, with the store that it was written to.
            let kept = alive.get(&id.process).is_some_and(|(_, standing)| {
                standing.lineage.past.get(sent.author).is_some_and(|&clock| clock >= sent.clock)
            });
            let lacks = |standing: &Standing| !has(standing, id) && (kept || !standing.lineage.gave_up(*id));
            let lacking = sent.dests.iter().filter_map(|dest| alive.get(dest)).find(|(_, standing)| lacks(standing));
            let Some((who, standing)) = lacking else { continue };
            let holder = sent.dests.iter().filter_map(|dest| alive.get(dest)).find(|(_, standing)| has(standing, id));
            // A lie about a clock that exists can let a later message of the same author go first. Then this one counts
            // as delivered.
            let later = |other: &MessageId| other.process == id.process && other.clock > id.clock;
            let overtaken = !chronicle.liars.is_empty() && standing.lineage.delivered.iter().any(later);
            if (kept || holder.is_some()) && !overtaken {
                let by = if kept {
                    "its author is there".to_owned()
                } else {
                    format!("p{} has it", holder.map_or(&0, |(who, _)| who))
                };
                let words = chronicle.text(*id).map(|text| format!(" ({:?} in {})", text.words, text.place));
                return Err(format!("p{who} lacks {}{}, and {by}", chronicle.name(*id), words.unwrap_or_default()));
            }
        }
        Ok(())
    }
}
