//! *What is to go out later goes out once, and what is taken back goes to nobody*: a text that was scheduled or delayed is sent at
//! its time, or soon after the start if nothing ran then, or is left to its user who is told so; once, whenever its peer is killed. One that
//! was taken back is shown to nobody.
//!
//! Source: DESIGN.md §3 ("a process killed at any instant restarts … without losing a message that it showed as sent"), of what is not sent
//! yet. Exempt is what a user sent again that had been left unsent because it might have been sent, and what was taken back behind
//! a copy that was put back.

use chat::Message;

use super::{Invariant, Rest, Scene, Verdict};

pub(super) struct Promised;

impl Invariant for Promised {
    fn name(&self) -> &'static str {
        "what is to go out later goes out once, and what is taken back to nobody"
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, .. } = scene;
        if chronicle.cancelled.contains(&*message.text) && !chronicle.is_liars(&message.id.process) {
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
                let is_disowned =
                    chronicle.texts.iter().any(|text| text.words == *words && chronicle.twice.contains(&text.id));
                if said == 0 && !is_over && !is_disowned {
                    return Err(format!("p{who} never said {words:?}, which was to go out"));
                }
                if said > 1 && !chronicle.resent.contains(words) {
                    return Err(format!("p{who} said {words:?} {said} times"));
                }
            }
        }
        Ok(())
    }
}
