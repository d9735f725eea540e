//! *What its author never vouched for is not passed on*: a welcome from an honest peer names no message that its author
//! has not sent. What a liar makes up delays only the peers that the liar itself welcomes.
//!
//! Source: `docs/causal.md` (a clock beyond what its author vouched for) and `docs/causal-order.md` (the welcome).
//! Exempt are a liar's own messages: the liar is their author and vouches for whatever it says.
//! author it vouches for whatever it says.

use chat::MessageId;

use super::{Invariant, Scene, Verdict};

pub(super) struct Vouched;

impl Invariant for Vouched {
    fn name(&self) -> &'static str {
        "what its author never vouched for is not passed on"
    }

    fn on_welcome(&self, scene: &Scene<'_>, named: &[MessageId]) -> Verdict {
        let Scene { chronicle, who, .. } = scene;
        for &MessageId { process, clock } in named.iter().filter(|id| !chronicle.is_liars(&id.process)) {
            let of_author = MessageId { process, clock }..=MessageId { process, clock: u64::MAX };
            if chronicle.sent.range(of_author).next().is_none() {
                let name = chronicle.name(MessageId { process, clock });
                return Err(format!("p{who} names {name} in a welcome, which was never sent"));
            }
        }
        Ok(())
    }
}
