//! The questions about older starts that were passed on, and which links wait for the answers. Pure.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant},
};

use crate::{LinkId, elsewhere::Question};

/// How long to wait for an answer: several round trips of the longest way on earth.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// Its size is bounded by the rate at which questions are passed on to each link.
#[derive(Debug, Default)]
pub(crate) struct Questions(HashMap<Question, Open>);

#[derive(Debug)]
struct Open {
    until: Instant,
    /// The links that asked.
    askers: BTreeSet<LinkId>,
}

impl Questions {
    /// Notes that a question of the peer at the other end of `asker` was passed on.
    pub(crate) fn relayed(&mut self, now: Instant, question: Question, asker: LinkId) {
        self.0.retain(|_, open| now < open.until);
        let until = now + PATIENCE;
        let open = self.0.entry(question).or_insert_with(|| Open { until, askers: BTreeSet::new() });
        open.until = until;
        open.askers.insert(asker);
    }

    /// Whether an answer is still expected.
    pub(crate) fn is_open(&self, now: Instant, question: &Question) -> bool {
        self.0.get(question).is_some_and(|open| now < open.until)
    }

    /// The question is answered. Returns the links to tell.
    pub(crate) fn answered(&mut self, question: &Question) -> BTreeSet<LinkId> {
        self.0.remove(question).map(|open| open.askers).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peer::Start;

    #[test]
    fn a_question_takes_one_timely_answer_for_all_askers() {
        let (mut questions, now) = (Questions::default(), Instant::now());
        let about = |r| Question { peer: [1; 32], older: Start { r, at: 1 } };
        questions.relayed(now, about(1), LinkId(7));
        questions.relayed(now, about(1), LinkId(8));
        assert!(questions.is_open(now, &about(1)) && !questions.is_open(now, &about(2)));
        assert_eq!(questions.answered(&about(1)), BTreeSet::from([LinkId(7), LinkId(8)]));
        assert!(!questions.is_open(now, &about(1)));
        questions.relayed(now, about(2), LinkId(7));
        assert!(!questions.is_open(now + PATIENCE, &about(2)), "too late");
        for r in 0..100 {
            questions.relayed(now + PATIENCE * r, about(u64::from(r)), LinkId(7));
        }
        assert_eq!(questions.0.len(), 1, "what is too late is forgotten");
    }
}
