//! *What is held back and stored is bounded by what is live*: once all peers have everything, nothing is held back, no
//! peer waits for an acknowledgement of a message of its own, and the store keeps nothing for others.
//!
//! Source: a message is kept until every destination has acknowledged it or was forgotten (`chat`), and it is dropped then.

use super::{Invariant, Rest, Verdict};

pub(super) struct Bounded;

impl Invariant for Bounded {
    fn name(&self) -> &'static str {
        "what is kept is bounded by what is live"
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        // People who are away for good would be forgotten after 30 days. Until then, what they lack is kept for them.
        if rest.people.len() + rest.chronicle.liars.len() < rest.everybody {
            return Ok(());
        }
        for (who, standing) in &rest.people {
            if standing.unacknowledged > 0 && rest.chronicle.liars.is_empty() {
                return Err(format!("p{who} still keeps {} messages that every peer has", standing.unacknowledged));
            }
            if let Some((id, role)) = standing.kept_in_vain.first().filter(|_| rest.chronicle.liars.is_empty()) {
                let (count, name) = (standing.kept_in_vain.len(), rest.chronicle.name(*id));
                return Err(format!("the store of p{who} keeps {count} messages in vain, {name} ({role}) among them"));
            }
        }
        Ok(())
    }
}
