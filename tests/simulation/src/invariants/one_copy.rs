//! *Of two copies, the one that was started last goes on*: a peer that was told of a newer start of its identity says
//! nothing more until it is started again, and nothing goes out from it by itself. The newest start is never told this.
//!
//! Source: `chat::Peer::handle_superseded`, and the rule of `net`: of two starts of one identity, the newer one counts.

use std::collections::BTreeMap;

use chat::Journal;

use super::{Invariant, Rest, Running, Scene, Verdict};

pub(super) struct OneCopy;

impl Invariant for OneCopy {
    fn name(&self) -> &'static str {
        "of two copies the newer start goes on"
    }

    fn on_journal(&self, scene: &Scene<'_>, entry: &Journal) -> Verdict {
        match entry {
            Journal::Send { id, .. } if scene.superseded => {
                Err(format!("{} is sent by a peer that was superseded", scene.chronicle.name(*id)))
            }
            Journal::Send { .. }
            | Journal::Start { .. }
            | Journal::Stop
            | Journal::Deliver { .. }
            | Journal::Hold { .. }
            | Journal::Abandon { .. }
            | Journal::Late { .. }
            | Journal::Show { .. }
            | Journal::Forget { .. } => Ok(()),
        }
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let mut copies: BTreeMap<usize, Vec<&Running>> = BTreeMap::new();
        for running in rest.machines.values() {
            copies.entry(running.person).or_default().push(running);
        }
        for (who, copies) in &copies {
            // The newest start may have been stopped for good.
            let Some(newest) = copies.iter().filter(|copy| !copy.superseded).map(|copy| copy.started).max() else {
                continue;
            };
            for copy in copies {
                if copy.superseded == (copy.started >= newest) {
                    let is = if copy.superseded { "was" } else { "was not" };
                    return Err(format!(
                        "p{who} runs {} copies, and start {} {is} superseded",
                        copies.len(),
                        copy.started
                    ));
                }
                if let Some((words, _)) = copy.waiting.iter().find(|(_, goes_out)| copy.superseded && *goes_out) {
                    return Err(format!("the copy of p{who} that was superseded still has {words:?} to send"));
                }
            }
        }
        Ok(())
    }
}
