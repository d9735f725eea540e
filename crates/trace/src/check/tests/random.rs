use std::collections::BTreeSet;

use proptest::prelude::*;

use super::naive::disordered;
use super::run::Run;
use crate::{Event, Rule};

/// A step of a random run, at one peer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Send { peer: usize, dests: u8 },
    Deliver { peer: usize, which: prop::sample::Index },
    GiveUp { peer: usize, which: prop::sample::Index },
}

pub(crate) fn steps(peers: usize) -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..peers, any::<u8>()).prop_map(|(peer, dests)| Step::Send { peer, dests }),
        12 => (0..peers, any::<prop::sample::Index>()).prop_map(|(peer, which)| Step::Deliver { peer, which }),
        3 => (0..peers, any::<prop::sample::Index>()).prop_map(|(peer, which)| Step::GiveUp { peer, which }),
    ];
    prop::collection::vec(step, 0..60)
}

struct Sent {
    author: usize,
    clock: u64,
    dests: Vec<usize>,
    /// The messages that its author had sent or delivered.
    past: BTreeSet<usize>,
}

/// Carries the steps out. If `ordered`, each delivery is in causal order, and every message is delivered in the end.
pub(crate) fn run(peers: usize, steps: &[Step], ordered: bool) -> Run {
    let mut run = Run::new(peers);
    let mut messages: Vec<Sent> = Vec::new();
    let mut pasts = vec![BTreeSet::new(); peers];
    let mut inbox: Vec<Vec<usize>> = vec![Vec::new(); peers];
    let mut given_up: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); peers];
    let mut clocks = vec![0; peers];
    let ripe = |messages: &[Sent], inbox: &[usize], m: usize| {
        !ordered || inbox.iter().all(|other| !messages[m].past.contains(other))
    };
    for step in steps {
        match *step {
            Step::Send { peer, dests } => {
                clocks[peer] += 1;
                let dests: Vec<usize> = (0..peers).filter(|&to| to != peer && dests & 1 << to != 0).collect();
                run.send(peer, clocks[peer], &dests);
                let number = messages.len();
                for &to in &dests {
                    inbox[to].push(number);
                }
                messages.push(Sent { author: peer, clock: clocks[peer], dests, past: pasts[peer].clone() });
                pasts[peer].insert(number);
            }
            Step::Deliver { peer, which } => {
                let ready: Vec<usize> =
                    inbox[peer].iter().copied().filter(|&m| ripe(&messages, &inbox[peer], m)).collect();
                if !ready.is_empty() {
                    let number = ready[which.index(ready.len())];
                    inbox[peer].retain(|&other| other != number);
                    let Sent { author, clock, .. } = messages[number];
                    if given_up[peer].contains(&number) {
                        run.late(peer, author, clock);
                    } else {
                        run.deliver(peer, author, clock);
                    }
                    let past = messages[number].past.clone();
                    pasts[peer].extend(past);
                    pasts[peer].insert(number);
                }
            }
            Step::GiveUp { peer, which } if !ordered && !inbox[peer].is_empty() => {
                let number = inbox[peer][which.index(inbox[peer].len())];
                let Sent { author, clock, .. } = messages[number];
                given_up[peer].insert(number);
                run.abandon(peer, author, clock, clock);
            }
            Step::GiveUp { .. } => {}
        }
    }
    for (peer, inbox) in inbox.iter_mut().enumerate().filter(|_| ordered) {
        while let Some(&number) = inbox.iter().find(|&&m| ripe(&messages, inbox, m)) {
            inbox.retain(|&other| other != number);
            run.deliver(peer, messages[number].author, messages[number].clock);
        }
    }
    assert!(messages.iter().all(|message| !message.dests.contains(&message.author)));
    run.stop();
    run
}

/// The places of all deliveries in a run: peer and position.
fn deliveries(run: &Run) -> Vec<(usize, usize)> {
    let events = run.0.iter().enumerate().flat_map(|(peer, records)| (0..records.len()).map(move |at| (peer, at)));
    events.filter(|&(peer, at)| matches!(run.0[peer][at].event, Event::Deliver { .. })).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_causally_ordered_run_is_accepted(steps in steps(5)) {
        let report = run(5, &steps, true).complete();
        prop_assert!(report.is_ok(), "{report}");
    }

    #[test]
    fn the_check_finds_as_many_violations_as_the_naive_one(steps in steps(4)) {
        let run = run(4, &steps, false);
        let report = run.check();
        prop_assert_eq!(Some(report.violations), disordered(&run), "{}", report);
        prop_assert!(report.shown.iter().all(|violation| violation.rule == Rule::CausalOrder), "{}", report);
    }

    #[test]
    fn every_mutation_of_a_sound_run_is_caught(steps in steps(4), which: prop::sample::Index) {
        let run = run(4, &steps, true);
        let all = deliveries(&run);
        prop_assume!(!all.is_empty());
        let (peer, at) = all[which.index(all.len())];

        let mut dropped = run.clone();
        dropped.0[peer].remove(at);
        prop_assert_eq!(rules(&dropped), [Rule::Complete]);

        let mut doubled = run.clone();
        let again = doubled.0[peer][at].clone();
        doubled.0[peer].push(again);
        prop_assert_eq!(rules(&doubled), [Rule::DeliveredOnce]);

        let mut unsent = run.clone();
        unsent.0.iter_mut().for_each(|records| records.retain(|r| match (&r.event, &run.0[peer][at].event) {
            (Event::Send { id, .. }, Event::Deliver { id: delivered }) => id != delivered,
            _ => true,
        }));
        prop_assert!(rules(&unsent).iter().all(|rule| *rule == Rule::Sent));
        prop_assert!(!rules(&unsent).is_empty());

        let mut swapped = run.clone();
        if let Some(next) = all.iter().find(|&&(other, after)| other == peer && after > at) {
            swapped.0[peer].swap(at, next.1);
            match disordered(&swapped) {
                Some(expected) => prop_assert_eq!(swapped.check().violations, expected),
                None => prop_assert!(rules(&swapped).contains(&Rule::SentFirst)),
            }
        }
    }
}

/// The rules that a run breaks, including completeness. (This adds a `stop` at the end, since other events may have been
/// pushed after the first one.)
fn rules(run: &Run) -> Vec<Rule> {
    let mut run = run.clone();
    run.stop();
    run.complete().shown.iter().map(|violation| violation.rule).collect()
}
