//! *Nobody reads an answer before its question*: a text is shown only behind all that its author had been shown of the same
//! conversation before he wrote it, though it be fetched as history, and though the reader came to the conversation later.
//!
//! Source: DESIGN.md §3, "Delivery" (the welcome). It is more than causal order, which speaks only of what is addressed to
//! the reader. Exempt is what is marked late; a question that was given up, by the reader or on its way to him, or that was lost
//! with the last store that had it; and history of which the reader was told that it could not be fetched. The promise covers the
//! newest 200 messages of a conversation: hardly a run of the simulator has as many.

use chat::Message;

use super::{Invariant, Scene, Verdict};

pub(super) struct QuestionFirst;

impl Invariant for QuestionFirst {
    fn name(&self) -> &'static str {
        "no answer before its question"
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, lineage, who, .. } = scene;
        let Some(answer) = chronicle.text(message.id) else { return Ok(()) };
        let exempt = message.late
            || lineage.lacks_history
            || chronicle.liars.contains(&answer.by)
            || chronicle.off.contains(&answer.by);
        if exempt {
            return Ok(());
        }
        if let crate::chronicle::Place::Group(group) = &answer.place
            && !lineage.groups.contains(group)
        {
            return Ok(());
        }
        for &number in answer.read.iter() {
            let question = &chronicle.texts[number];
            if question.place == answer.place
                && !lineage.shown.contains(&number)
                && !chronicle.liars.contains(&question.by)
                && !chronicle.off.contains(&question.by)
                && !chronicle.was_given_up(question.id)
                && scene.stores.iter().any(|lineage| lineage.shown.contains(&number))
            {
                return Err(format!(
                    "p{who} is shown {} ({:?} in {}) before {} ({:?}), which its author had read",
                    chronicle.name(answer.id),
                    answer.words,
                    answer.place,
                    chronicle.name(question.id),
                    question.words
                ));
            }
        }
        Ok(())
    }
}
