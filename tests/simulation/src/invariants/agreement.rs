//! *One same history*: once the network has healed, any two people see the messages that both have in the same order;
//! no text is above one that its author had read; and all members of a conversation have all of it.
//!
//! Source: `docs/causal-order.md`, the order of history. That no answer is above its question is checked for each
//! conversation and for all of them together, and also while things go wrong. Clocks are no excuse, however wrong they
//! are. A text that was said again is placed by its first message for people who have that one, and by the later one
//! for the others. So its place is not compared. Neither is the place of a text whose clock was used twice.
//! [`NothingLost`](super::nothing_lost) checks that people have such texts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Invariant, Rest, Verdict};
use crate::chronicle::{Chronicle, Place, TextNumber};

pub(super) struct Agreement;

impl Invariant for Agreement {
    fn name(&self) -> &'static str {
        "one same history"
    }

    fn on_history(&self, chronicle: &Chronicle, who: usize, history: &[TextNumber]) -> Verdict {
        answers_below_questions(chronicle, who, history)
    }

    fn at_rest(&self, rest: &Rest<'_>) -> Verdict {
        let mut first: BTreeMap<&Place, (usize, &[TextNumber])> = BTreeMap::new();
        for (&who, standing) in &rest.people {
            answers_below_questions(rest.chronicle, who, &standing.everything)?;
            for (place, history) in &standing.histories {
                answers_below_questions(rest.chronicle, who, history)?;
                let (other, theirs) = *first.entry(place).or_insert((who, history));
                if other != who {
                    same_order(rest.chronicle, (who, history), (other, theirs), place)?;
                    if rest.chronicle.liars.is_empty() {
                        same_set(rest, (who, history), (other, theirs), place)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn answers_below_questions(chronicle: &Chronicle, who: usize, history: &[TextNumber]) -> Verdict {
    let mut above = BTreeSet::new();
    let here: BTreeSet<TextNumber> = history.iter().copied().collect();
    for &number in history {
        above.insert(number);
        let answer = &chronicle.texts[number];
        if chronicle.liars.contains(&answer.by) {
            continue;
        }
        for question in answer.read.iter().filter(|question| here.contains(question) && !above.contains(question)) {
            let question = &chronicle.texts[*question];
            if !chronicle.liars.contains(&question.by) && !chronicle.is_doubtful(question) {
                let (answer, question) = (chronicle.name(answer.id), chronicle.name(question.id));
                return Err(format!("the history of p{who} has {answer} above {question}, which its author had read"));
            }
        }
    }
    Ok(())
}

fn same_order(
    chronicle: &Chronicle,
    (who, mine): (usize, &[TextNumber]),
    (other, theirs): (usize, &[TextNumber]),
    place: &Place,
) -> Verdict {
    let (here, there): (BTreeSet<_>, BTreeSet<_>) = (mine.iter().collect(), theirs.iter().collect());
    let is_sure = |number: &TextNumber| !chronicle.is_doubtful(&chronicle.texts[*number]);
    let mine = mine.iter().filter(|number| there.contains(number) && is_sure(number));
    let theirs = theirs.iter().filter(|number| here.contains(number) && is_sure(number));
    match mine.zip(theirs).find(|(mine, theirs)| mine != theirs) {
        Some((&mine, &theirs)) => {
            let (mine, theirs) = (chronicle.name(chronicle.texts[mine].id), chronicle.name(chronicle.texts[theirs].id));
            Err(format!("p{who} has {mine} in {place} where p{other} has {theirs}"))
        }
        None => Ok(()),
    }
}

/// Whether both show the same messages of a conversation. What one of them lacks must be nowhere, or impossible to get.
fn same_set(
    rest: &Rest<'_>,
    (who, mine): (usize, &[TextNumber]),
    (other, theirs): (usize, &[TextNumber]),
    place: &Place,
) -> Verdict {
    // A person who joins again may have messages from their earlier membership that the other members lack.
    if matches!(place, Place::Group(group) if rest.chronicle.left.contains(group)) {
        return Ok(());
    }
    if [who, other].iter().any(|who| rest.people[who].lineage.lacks_history) {
        return Ok(());
    }
    let (here, there): (BTreeSet<_>, BTreeSet<_>) = (mine.iter().collect(), theirs.iter().collect());
    // The author's other copy may have sent a text that this copy took back.
    let is_sure = |number: &TextNumber| {
        let text = &rest.chronicle.texts[*number];
        !rest.chronicle.is_doubtful(text) && !rest.chronicle.taken_back.contains(&text.words)
    };
    match here.symmetric_difference(&there).find(|number| is_sure(number)) {
        Some(&&number) => {
            let text = &rest.chronicle.texts[number];
            let (has, lacks) = if here.contains(&number) { (who, other) } else { (other, who) };
            let name = rest.chronicle.name(text.id);
            Err(format!("p{lacks} lacks {name} ({:?} in {place}), which p{has} shows", text.words))
        }
        None => Ok(()),
    }
}
