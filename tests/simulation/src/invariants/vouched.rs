//! *What nobody vouched for is not passed on*: a welcome that an honest peer sends names no message that its author has not sent. What a
//! liar made up delays whom the liar welcomes, and nobody else.
//!
//! Source: `docs/causal.md` (a clock beyond what its author vouched for) and `docs/causal-order.md` (the welcome). Exempt are a liar's own messages: as their
//! author it vouches for whatever it says.

use chat::MessageId;

use super::{Invariant, Scene, Verdict};

pub(super) struct Vouched;

impl Invariant for Vouched {
    fn name(&self) -> &'static str {
        "what nobody vouched for is not passed on"
    }

    fn on_welcome(&self, scene: &Scene<'_>, named: &[MessageId]) -> Verdict {
        let Scene { chronicle, who, .. } = scene;
        for &MessageId { process, clock } in named.iter().filter(|id| !chronicle.is_liars(&id.process)) {
            let of_author = MessageId { process, clock }..=MessageId { process, clock: u64::MAX };
            if chronicle.sent.range(of_author).next().is_none() {
                let name = chronicle.name(MessageId { process, clock });
                return Err(format!("p{who} names {name} in a welcome, and nobody has sent that"));
            }
        }
        Ok(())
    }
}
