//! The definitions of causal order and question first, implemented literally.

use super::run::{Run, process};
use crate::{Event, MessageId};

/// How many deliveries break causal order; `None` if there is no order, because an event happened before itself.
pub(super) fn disordered(run: &Run) -> Option<usize> {
    let events: Vec<(usize, &Event)> =
        run.0.iter().enumerate().flat_map(|(peer, records)| records.iter().map(move |r| (peer, &r.event))).collect();
    let before = happened_before(&events);
    if (0..events.len()).any(|event| before[event][event]) {
        return None;
    }
    let sends: Vec<(usize, &MessageId)> =
        numbered(&events, |event| if let Event::Send { id, .. } = event { Some(id) } else { None });
    let sent = |id: &MessageId| sends.iter().find(|(_, sent)| *sent == id).unwrap().0;
    let to = |send: usize, peer: usize| matches!(events[send].1, Event::Send { dests, .. } if dests.contains(&process(peer)));
    let mut count = 0;
    for peer in 0..run.0.len() {
        let deliveries: Vec<(usize, &MessageId)> =
            numbered(&events, |event| if let Event::Deliver { id } = event { Some(id) } else { None });
        let own: Vec<_> = deliveries.into_iter().filter(|&(at, _)| events[at].0 == peer).collect();
        for (place, (_, second)) in own.iter().enumerate() {
            let second = sent(second);
            count += usize::from(own[..place].iter().any(|&(at, first)| {
                let first = sent(first);
                // A message between the two that this peer had given up by then.
                let exempt = events[..at].iter().filter(|(by, _)| *by == peer).any(|(_, event)| {
                    let Event::Abandon { id, upto } = event else { return false };
                    sends.iter().any(|&(hole, sent)| {
                        sent.process == id.process
                            && (id.clock..=*upto).contains(&sent.clock)
                            && to(hole, peer)
                            && (before[second][hole] || second == hole)
                            && before[hole][first]
                    })
                });
                before[second][first] && !exempt
            }));
        }
    }
    Some(count)
}

/// How many messages are shown only after an answer, where one of the two came as history, by the literal definition. Each
/// peer has one file and one process, and all messages are sent to groups.
pub(super) fn misread(run: &Run) -> usize {
    let mut count = 0;
    for (reader, records) in run.0.iter().enumerate() {
        for (at, question) in records.iter().enumerate() {
            let (Event::Deliver { id: m1 } | Event::Show { id: m1, late: false }) = &question.event else { continue };
            let given_up = run.0.iter().flatten().any(|record| {
                matches!(&record.event, Event::Abandon { id, upto } if id.process == m1.process && (id.clock..=*upto).contains(&m1.clock))
            });
            let is_answered = records[..at].iter().any(|record| {
                let Some(m2) = read(&record.event) else { return false };
                let one_came_as_history =
                    [&question.event, &record.event].iter().any(|event| matches!(event, Event::Show { .. }));
                one_came_as_history
                    && group(run, m1) == group(run, m2)
                    && run.0.iter().enumerate().any(|(author, lines)| {
                        let sent =
                            lines.iter().position(|line| matches!(&line.event, Event::Send { id, .. } if id == m2));
                        let had = |end: usize| lines[..end].iter().any(|line| read(&line.event) == Some(m1));
                        author != reader && sent.is_some_and(had)
                    })
            });
            count += usize::from(is_answered && !given_up);
        }
    }
    count
}

/// The message that the process of this event has read then, as reader or author.
fn read(event: &Event) -> Option<&MessageId> {
    match event {
        Event::Send { id, .. } | Event::Deliver { id } | Event::Late { id } | Event::Show { id, .. } => Some(id),
        Event::Start { .. } | Event::Stop | Event::Hold { .. } | Event::Abandon { .. } | Event::Forget { .. } => None,
    }
}

fn group<'a>(run: &'a Run, message: &MessageId) -> Option<&'a str> {
    run.0.iter().flatten().find_map(|record| {
        let Event::Send { id, group, .. } = &record.event else { return None };
        group.as_deref().filter(|_| id == message)
    })
}

fn numbered<'a>(
    events: &[(usize, &'a Event)],
    of: impl Fn(&'a Event) -> Option<&'a MessageId>,
) -> Vec<(usize, &'a MessageId)> {
    events.iter().enumerate().filter_map(|(at, (_, event))| of(event).map(|id| (at, id))).collect()
}

pub(crate) fn happened_before(events: &[(usize, &Event)]) -> Vec<Vec<bool>> {
    let mut before = vec![vec![false; events.len()]; events.len()];
    for (a, (peer, event)) in events.iter().enumerate() {
        for (b, (other, later)) in events.iter().enumerate() {
            before[a][b] = (peer == other && a < b)
                || match (event, later) {
                    (Event::Send { id, .. }, Event::Deliver { id: delivered } | Event::Late { id: delivered }) => {
                        id == delivered
                    }
                    _ => false,
                };
        }
    }
    for middle in 0..events.len() {
        for a in 0..events.len() {
            if before[a][middle] {
                let through = before[middle].clone();
                before[a].iter_mut().zip(through).for_each(|(known, after)| *known |= after);
            }
        }
    }
    before
}
