//! *Nobody blocks the honest*: once the network has healed nothing is held back any more, and what people then write reaches
//! everybody, whatever a liar said before.
//!
//! Source: DESIGN.md §2 (`vouched`: "nobody can erase or block others with clocks that he made up"; "liveness needs every named
//! destination's copy to arrive or be abandoned") and §3, "When something stays missing".

use super::{Invariant, Rest, Verdict};

pub(super) struct Unblocked;

impl Invariant for Unblocked {
    fn name(&self) -> &'static str {
        "the honest are not blocked"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        for (who, standing) in &rest.people {
            if let Some(held) = standing.held.first() {
                let name = rest.chronicle.name(*held);
                return Err(format!("p{who} still holds {} messages back, {name} among them", standing.held.len()));
            }
            for &probe in &rest.probes {
                let by = rest.chronicle.person(&probe.process);
                let shown =
                    rest.chronicle.text_number(probe).is_some_and(|text| standing.lineage.shown.contains(&text));
                if by != Some(*who) && !shown {
                    let name = rest.chronicle.name(probe);
                    return Err(format!("p{who} does not have {name}, which was written after everything had healed"));
                }
            }
        }
        Ok(())
    }
}
