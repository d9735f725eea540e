//! *A text that is to go out later goes out once, and a text that is taken back goes to no one*: a scheduled or delayed
//! text is sent at its time, or soon after the start if nothing ran then, or is left to its user, who is told so. It is
//! sent once, whenever its peer is killed. A text that was taken back is shown to no person.
//!
//! Source: the README ("What you saw as sent survives `kill -9` and reaches everyone in the end"), for texts that are
//! not sent yet. Exempt are a text that was left unsent because it might have been sent, and that its user sent again;
//! and a text that was taken back on a store that was then put back to an earlier copy.

use std::collections::BTreeSet;

use chat::{Message, ProcessId};

use super::{Invariant, Rest, Scene, Verdict};
use crate::chronicle::Text;

pub(super) struct Promised;

impl Invariant for Promised {
    fn name(&self) -> &'static str {
        "texts for later go out once, and texts that were taken back never"
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, .. } = scene;
        let exempt = chronicle.is_liars(&message.id.process) || chronicle.twice.contains(&message.id);
        if chronicle.cancelled.contains(&*message.text) && !exempt {
            return Err(format!("{} ({:?}) is shown and was taken back", chronicle.name(message.id), message.text));
        }
        Ok(())
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let chronicle = rest.chronicle;
        for (who, standing) in &rest.people {
            if let Some((words, _)) = standing.waiting.iter().find(|(_, goes_out)| *goes_out) {
                return Err(format!("p{who} still has {words:?} to send"));
            }
            for words in &standing.lineage.promised {
                let said = chronicle.said(words);
                let is_left = standing.waiting.iter().any(|(left, _)| left == words);
                let is_over = standing.lineage.cancelled.contains(words) || is_left;
                let is_disowned = |text: &Text| text.sent_as.iter().any(|id| chronicle.twice.contains(id));
                let is_disowned = chronicle.texts.iter().any(|text| text.words == *words && is_disowned(text));
                if said.is_empty() && !is_over && !is_disowned {
                    return Err(format!("p{who} never said {words:?}, which was to go out"));
                }
                // A text that another incarnation said is marked as said again, so no person is shown it twice.
                let processes: BTreeSet<ProcessId> = said.iter().map(|id| id.process).collect();
                if processes.len() < said.len() && !chronicle.resent.contains(words) {
                    return Err(format!("p{who} said {words:?} {} times", said.len()));
                }
            }
        }
        Ok(())
    }
}
