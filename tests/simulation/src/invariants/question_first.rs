//! *No answer before its question*: a text is shown only after everything that its author had been shown of the same
//! conversation before writing it. This also holds if the text is fetched as history, and if the reader joined the
//! conversation later.
//!
//! Source: `docs/causal-order.md` (the welcome). This is more than causal order, which only covers messages that are
//! addressed to the reader. Exempt are:
//!
//! - a text that is marked late;
//! - a question that was given up, by the reader or by a peer on its way to the reader;
//! - a question that was lost with the last store that had it, or with the reader's own store, for as long as the
//!   reader has not learnt that;
//! - a question that a liar may have withheld when the reader asked it for history;
//! - history that could not be fetched, if the reader was told so;
//! - a question that its author took back before any peer got it;
//! - a question whose text was said again, or under a clock that was used twice: it may reach some peers only as the
//!   later message. An answer under such a clock is exempt too, and so is a question that the answer names only by a
//!   message of such a clock ([`CausalOrder`](super::causal_order));
//! - a question that one copy of its author sent, if the reader heard the other copy, which knows nothing of it.
//!
//! The promise covers the newest messages of a conversation (200, in some runs fewer). A longer conversation that came
//! by welcomes is left to the other invariants.

use chat::{Message, MessageId};

use super::causal_order::depends_on_a_liar;
use super::{Invariant, Scene, Verdict};
use crate::chronicle::Chronicle;

pub(super) struct QuestionFirst;

impl Invariant for QuestionFirst {
    fn name(&self) -> &'static str {
        "no answer before its question"
    }

    fn on_shown(&self, scene: &Scene<'_>, message: &Message) -> Verdict {
        let Scene { chronicle, lineage, who, .. } = scene;
        let Some(answer) = chronicle.text_shown(message).map(|number| &chronicle.texts[number]) else { return Ok(()) };
        let exempt = message.late
            || chronicle.twice.contains(&message.id)
            || lineage.lacks_history
            || chronicle.sent.get(&message.id).is_none_or(|sent| depends_on_a_liar(chronicle, sent))
            || chronicle.is_long(&answer.place);
        if exempt {
            return Ok(());
        }
        if let crate::chronicle::Place::Group(group) = &answer.place
            && !lineage.groups.contains_key(group)
        {
            return Ok(());
        }
        for &number in answer.read.iter() {
            let question = &chronicle.texts[number];
            if question.place == answer.place
                && !lineage.shown.contains(&number)
                && !chronicle.liars.contains(&question.by)
                && (chronicle.liars.is_empty() || is_addressed(scene, question.id))
                && !question.sent_as.iter().any(|id| chronicle.was_given_up(*id))
                && !chronicle.is_doubtful(question)
                && !chronicle.taken_back.contains(&question.words)
                && !chronicle.was_rolled_back_behind(lineage, question.id)
                && !lineage.heard_another_copy(question.id)
                && !gave_up_what_led_there(scene, message.id)
                && !is_behind_a_clock_used_twice(chronicle, question.id, message.id)
                && scene.stores.iter().any(|lineage| lineage.shown.contains(&number))
            {
                return Err(format!(
                    "p{who} is shown {} ({:?} in {}) before {} ({:?}), which its author had read",
                    chronicle.name(message.id),
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

/// Whether the reader receives this message, instead of fetching it. A liar that is asked for history may withhold
/// some.
fn is_addressed(scene: &Scene<'_>, id: MessageId) -> bool {
    scene.chronicle.sent.get(&id).is_some_and(|sent| sent.dests.contains(&scene.process))
}

fn is_behind_a_clock_used_twice(chronicle: &Chronicle, question: MessageId, answer: MessageId) -> bool {
    let sent = |id: MessageId| chronicle.sent.get(&id);
    let both = sent(question).zip(sent(answer));
    both.is_some_and(|(question, answer)| chronicle.is_behind_a_clock_used_twice(question, answer))
}

/// Whether the reader gave up something that this message depends on. That may be the welcome that named the question.
fn gave_up_what_led_there(scene: &Scene<'_>, answer: MessageId) -> bool {
    let Scene { chronicle, lineage, process, .. } = scene;
    let Some(sent) = chronicle.sent.get(&answer) else { return false };
    lineage.given_up.iter().any(|&(author, from, to)| {
        let id = |clock| MessageId { process: author, clock };
        let given_up = chronicle.sent.range(id(from)..=id(to)).map(|(_, given_up)| given_up);
        given_up
            .filter(|given_up| given_up.dests.contains(process))
            .any(|given_up| sent.past.get(given_up.author).is_some_and(|&clock| clock >= given_up.clock))
    })
}
