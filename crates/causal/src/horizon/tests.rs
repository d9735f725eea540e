use std::collections::BTreeMap;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::{Hole, Horizon};
use crate::MAX_CLOCK;

const CLOCKS: u64 = 24;

#[derive(Clone, Debug)]
enum Step {
    /// A message arrives that waits for nothing, and is delivered at once or later.
    Come(u64, bool),
    Deliver,
    Abandon(u64),
    Disregard(u64),
    Void(u64),
    Complete(u64),
}

/// What the model knows about one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Missing,
    Skipped,
    GivenUp,
    /// Given up by itself, beyond the end.
    Disregarded,
    Passed,
    Queued {
        hole: Option<bool>,
        late: bool,
    },
    Delivered,
}

/// The reference model: a horizon that keeps each clock separately.
struct Model {
    fates: BTreeMap<u64, Fate>,
    unsure: bool,
}

impl Model {
    fn end(&self) -> u64 {
        let beyond = |fate: &Fate| matches!(fate, Fate::Missing | Fate::Disregarded);
        let reached = self.fates.iter().rev().find(|(_, fate)| !beyond(fate)).map_or(0, |(&clock, _)| clock);
        let follows = self.fates.range(reached + 1..).take_while(|(_, fate)| **fate == Fate::Disregarded);
        follows.last().map_or(reached, |(&clock, _)| clock)
    }

    fn come(&mut self, clock: u64) {
        let end = self.end();
        let is_given_up =
            |fate: &Fate| matches!(fate, Fate::GivenUp | Fate::Disregarded | Fate::Queued { hole: Some(true), .. });
        let late = self.fates.range(clock..).any(|(_, fate)| is_given_up(fate));
        for (_, earlier) in self.fates.range_mut(..clock).filter(|(earlier, _)| **earlier > end) {
            let passed = if self.unsure { Fate::Skipped } else { Fate::Passed };
            *earlier = if *earlier == Fate::Disregarded { Fate::GivenUp } else { passed };
        }
        let hole = match self.fates[&clock] {
            Fate::Skipped => Some(false),
            Fate::GivenUp | Fate::Disregarded => Some(true),
            Fate::Missing | Fate::Passed | Fate::Queued { .. } | Fate::Delivered => None,
        };
        self.fates.insert(clock, Fate::Queued { hole, late });
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (1..CLOCKS, any::<bool>()).prop_map(|(clock, now)| Step::Come(clock, now)),
        2 => Just(Step::Deliver),
        2 => (1..CLOCKS).prop_map(Step::Abandon),
        2 => (1..CLOCKS).prop_map(Step::Disregard),
        1 => (1..CLOCKS).prop_map(Step::Void),
        1 => (1..CLOCKS).prop_map(Step::Complete),
    ]
}

proptest! {
    #[test]
    fn gaps_agree_with_a_model_that_keeps_each_clock(steps in prop::collection::vec(step(), 0..40)) {
        let mut horizon = Horizon::default();
        let fates = (1..CLOCKS).map(|clock| (clock, Fate::Missing)).collect();
        let mut model = Model { fates, unsure: false };
        let mut queue = Vec::new();
        for step in steps {
            match step {
                Step::Come(clock, now) => {
                    let known = matches!(model.fates[&clock], Fate::Passed | Fate::Queued { .. } | Fate::Delivered);
                    prop_assert_eq!(horizon.has(clock), known);
                    if !known {
                        let awaited: Vec<u64> = (1..CLOCKS).filter(|&clock| horizon.awaits(clock)).collect();
                        let (after, up_to) = horizon.queue(clock, model.unsure);
                        for clock in awaited {
                            let settled = after < clock && clock <= up_to;
                            prop_assert_eq!(settled, !horizon.awaits(clock), "{} after {:?}", clock, (after, up_to));
                        }
                        model.come(clock);
                        queue.push(clock);
                    }
                    if now {
                        queue.reverse();
                        deliver(&mut queue, &mut horizon, &mut model)?;
                        queue.reverse();
                    }
                }
                Step::Deliver => {
                    queue.reverse();
                    deliver(&mut queue, &mut horizon, &mut model)?;
                    queue.reverse();
                }
                Step::Abandon(up_to) if queue.is_empty() => {
                    let end = model.end();
                    let lost = |clock: u64, fate: Fate| fate == Fate::Skipped || fate == Fate::Missing && clock > end;
                    let lost: Vec<u64> =
                        model.fates.iter().filter(|(c, f)| **c <= up_to && lost(**c, **f)).map(|(&c, _)| c).collect();
                    let hole = horizon.abandon(up_to);
                    prop_assert_eq!(hole.is_some(), !lost.is_empty());
                    if let (Some(hole), Some(first)) = (hole, lost.first()) {
                        prop_assert_eq!(hole, Hole { from: first - 1, to: up_to, given_up: true });
                        model.unsure = true;
                    }
                    for clock in lost {
                        model.fates.insert(clock, Fate::GivenUp);
                    }
                    for (_, fate) in model.fates.range_mut(..=up_to).filter(|(_, fate)| **fate == Fate::Disregarded) {
                        *fate = Fate::GivenUp;
                    }
                }
                Step::Disregard(clock) if queue.is_empty() => {
                    let end = model.end();
                    if clock > end && horizon.awaits(clock) {
                        prop_assert_eq!(horizon.disregard(clock), Hole { from: end, to: clock, given_up: true });
                        model.fates.insert(clock, Fate::Disregarded);
                        model.unsure = true;
                    }
                }
                Step::Void(above) if queue.is_empty() => {
                    let above = above.max(model.end());
                    let up_to = above + 5;
                    horizon.void(above, up_to);
                    for (_, fate) in model.fates.range_mut(above + 1..=up_to) {
                        *fate = Fate::Missing;
                    }
                }
                Step::Complete(up_to) if queue.is_empty() => {
                    horizon.complete(up_to);
                    let delivered = model.fates.iter().rev().find(|(_, fate)| **fate == Fate::Delivered);
                    let up_to = up_to.min(delivered.map_or(0, |(&clock, _)| clock));
                    for (_, fate) in model.fates.range_mut(..=up_to) {
                        if matches!(fate, Fate::Skipped | Fate::GivenUp | Fate::Disregarded) {
                            *fate = Fate::Passed;
                        }
                    }
                    model.unsure = false;
                }
                Step::Abandon(_) | Step::Disregard(_) | Step::Void(_) | Step::Complete(_) => {}
            }
            for (&clock, fate) in &model.fates {
                let in_hole = horizon.holes().iter().filter(|hole| hole.contains(clock)).collect::<Vec<_>>();
                let expected = match fate {
                    Fate::Skipped => vec![false],
                    Fate::GivenUp | Fate::Disregarded => vec![true],
                    Fate::Queued { hole, .. } => {
                        prop_assert_eq!(in_hole.len(), usize::from(hole.is_some()));
                        continue;
                    }
                    Fate::Missing | Fate::Passed | Fate::Delivered => vec![],
                };
                prop_assert_eq!(in_hole.iter().map(|hole| hole.given_up).collect::<Vec<_>>(), expected, "{}", clock);
                prop_assert_eq!(horizon.awaits(clock), matches!(fate, Fate::Missing | Fate::Skipped), "{}", clock);
            }
            prop_assert!(horizon.holes().is_sorted_by(|a, b| a.from < a.to && a.to <= b.from && b.from < b.to));
        }
    }

    /// Whether they arise by skipping, by giving up, or by late messages that split one.
    #[test]
    fn the_number_of_gaps_is_bounded(
        calls in prop::collection::vec((0..4_u8, 1..6_u64, any::<prop::sample::Index>()), 0..40), limit in 0..5_usize,
    ) {
        let mut horizon = Horizon::default();
        for (call, skip, pick) in calls {
            let end = horizon.end();
            let late: Vec<u64> = (1..=end).filter(|&clock| !horizon.has(clock)).collect();
            match call {
                0 => _ = horizon.abandon(end + skip),
                3 if horizon.awaits(end + 1 + skip) => _ = horizon.disregard(end + 1 + skip),
                1 if !late.is_empty() => {
                    let clock = *pick.get(&late);
                    horizon.queue(clock, true);
                    horizon.deliver(clock);
                }
                _ => {
                    horizon.queue(end + skip, true);
                    horizon.deliver(end + skip);
                }
            }
            let count = horizon.holes().len();
            let end = horizon.end();
            loop {
                let holes = horizon.holes().to_vec();
                let skipped = holes.iter().find(|hole| !hole.given_up);
                let disregarded = holes.iter().find(|hole| hole.from > end);
                let oldest = skipped.or(disregarded).or(holes.first());
                let Some((from, to)) = horizon.close_beyond(limit) else { break };
                prop_assert_eq!(oldest.map(|hole| (hole.from, hole.to)), Some((from, to)));
                let is_duplicate = (from + 1..=to).all(|clock| horizon.has(clock));
                prop_assert_eq!(is_duplicate, from <= end, "a late message from a closed gap, unless its clock may be made up");
            }
            prop_assert_eq!(horizon.end(), end);
            prop_assert_eq!(horizon.holes().len(), count.min(limit.max(1)), "no more gaps are closed than necessary");
        }
    }
}

#[test]
fn giving_up_a_part_again_leaves_the_gap_whole() {
    let mut horizon = Horizon::default();
    horizon.abandon(9);
    assert_eq!(horizon.abandon(4), None);
    assert_eq!(horizon.holes(), [Hole { from: 0, to: 9, given_up: true }]);
}

/// A message that was given up is late even if its gap is closed while it is queued.
#[test]
fn a_queued_message_stays_late_when_its_gap_is_closed_for_the_limit() {
    let mut horizon = Horizon::default();
    horizon.abandon(3);
    horizon.queue(2, true);
    horizon.queue(9, true);
    horizon.deliver(9);
    assert_eq!(horizon.close_beyond(1), Some((3, 8)), "the gap that was merely skipped goes first");
    horizon.complete(3);
    assert!(horizon.deliver(2));
    assert!(horizon.has(2) && horizon.holes().is_empty());
}

/// The message was held back and waited for another author's. Meanwhile a later message of its own author, which does not wait
/// for it, was delivered.
#[test]
fn a_message_that_was_passed_over_before_anything_was_given_up_is_not_late() {
    let mut horizon = Horizon::default();
    horizon.queue(5, false);
    horizon.abandon(9);
    horizon.queue(3, true);
    assert!(!horizon.deliver(3) && horizon.late.is_empty());
    horizon.queue(7, true);
    assert!(horizon.deliver(7));
}

/// Meanwhile the author has said that all its messages have arrived.
#[test]
fn a_queued_message_stays_late_when_its_gap_is_completed() {
    let mut horizon = Horizon::default();
    horizon.abandon(3);
    horizon.queue(2, true);
    horizon.queue(4, true);
    horizon.deliver_run(4, 4);
    horizon.complete(4);
    assert_eq!(horizon.deliver_run(2, 2), 1);
    assert!(horizon.late.is_empty());
}

#[test]
fn a_run_that_was_given_up_leaves_nothing_queued_as_late_once_it_is_delivered() {
    let mut horizon = Horizon::default();
    horizon.abandon(5);
    horizon.queue_run(2, 4, true);
    assert_eq!(horizon.deliver_run(2, 4), 3);
    assert!(horizon.late.is_empty());
    let hole = |from, to| Hole { from, to, given_up: true };
    assert_eq!(horizon.holes(), [hole(0, 1), hole(4, 5)]);
}

fn deliver(queue: &mut Vec<u64>, horizon: &mut Horizon, model: &mut Model) -> Result<(), TestCaseError> {
    if let Some(clock) = queue.pop() {
        let late = matches!(model.fates[&clock], Fate::Queued { late: true, .. });
        prop_assert_eq!(horizon.deliver(clock), late);
        model.fates.insert(clock, Fate::Delivered);
    }
    Ok(())
}

#[test]
fn the_last_clock_behaves_like_any_other() {
    let mut horizon = Horizon::default();
    assert_eq!(horizon.queue(MAX_CLOCK, false), (0, MAX_CLOCK));
    assert_eq!(horizon.queue(5, true), (4, 5));
}
