//! *No liar blocks the honest*: once the network has healed, nothing is held back any more, and what people then write
//! reaches all others, whatever a liar said before.
//!
//! Source: `docs/causal.md` (the liveness theorem; on vouched clocks: "made-up clocks neither erase nor block") and
//! `docs/causal-order.md` on what is lost for good.

use chat::MessageId;

use super::{Invariant, Rest, Verdict};
use crate::chronicle::Place;

pub(super) struct Unblocked;

impl Invariant for Unblocked {
    fn name(&self) -> &'static str {
        "the honest are not blocked"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        for (who, standing) in &rest.people {
            if let Some((held, missing, fetching)) = first_of(&standing.held) {
                let name = |id: &MessageId| rest.chronicle.name(*id);
                let missing: Vec<String> = missing.iter().map(name).chain(fetching.iter().cloned()).collect();
                return Err(format!(
                    "p{who} still holds {} messages back; {} waits for {}",
                    standing.held.len(),
                    name(held),
                    missing.join(", ")
                ));
            }
            // A peer whose store was put back to a copy has said anew what it disowned.
            for &probe in rest.probes.iter().filter(|probe| !rest.chronicle.twice.contains(probe)) {
                let by = rest.chronicle.person(&probe.process);
                let text = rest.chronicle.text_number(probe);
                let shown = text.is_some_and(|text| standing.lineage.shown.contains(&text));
                // A peer may meet the others after they have said a lot. Then it finds the text in the history, before
                // what its user was shown.
                let is_long = rest.chronicle.is_long(&Place::All);
                let found = is_long && text.is_some_and(|text| standing.histories[&Place::All].contains(&text));
                if by != Some(*who) && !shown && !found {
                    let name = rest.chronicle.name(probe);
                    return Err(format!("p{who} does not have {name}, which was written after everything had healed"));
                }
            }
        }
        Ok(())
    }
}

type Held = (MessageId, Vec<MessageId>, Vec<String>);

/// A held-back message that waits for something that is not held back itself, if there is one.
fn first_of(held: &[Held]) -> Option<&Held> {
    let is_held = |id: &MessageId| held.iter().any(|(held, ..)| held == id);
    let root = held.iter().find(|(_, missing, _)| !missing.iter().all(is_held));
    root.or(held.first())
}
