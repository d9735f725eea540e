//! *Nobody reads an answer before its question*: a text is shown only behind all that its author had been shown of the same
//! conversation before he wrote it, though it be fetched as history, and though the reader came to the conversation later.
//!
//! Source: `docs/causal-order.md` (the welcome). It is more than causal order, which speaks only of what is addressed to the
//! reader. Exempt is what is marked late; a question that was given up, by the reader or on its way to him, or that was lost with
//! the last store that had it, or with the reader's own for as long as he has not learnt that; what a liar may have kept when he
//! was asked for history; and history of which the reader was told that it could not be fetched; and what its author took back
//! before anybody got it. A text that was said under a clock that was used twice, or was said again, may come to some as the
//! later of these: it is exempt as a question, and under a clock that was used twice as an answer; and so is a question that the
//! answer names by a message of such a clock alone ([`CausalOrder`](super::causal_order)). The promise covers the newest messages
//! of a conversation (200, in some runs fewer): a longer one that came by welcomes is left to the others.

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

/// Whether this message is the reader's to receive, and not to fetch: a liar who is asked for history may keep some of it.
fn is_addressed(scene: &Scene<'_>, id: MessageId) -> bool {
    scene.chronicle.sent.get(&id).is_some_and(|sent| sent.dests.contains(&scene.process))
}

fn is_behind_a_clock_used_twice(chronicle: &Chronicle, question: MessageId, answer: MessageId) -> bool {
    let sent = |id: MessageId| chronicle.sent.get(&id);
    let both = sent(question).zip(sent(answer));
    both.is_some_and(|(question, answer)| chronicle.is_behind_a_clock_used_twice(question, answer))
}

/// Whether the reader gave up something that this message depends on: the welcome that named the question, maybe.
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
