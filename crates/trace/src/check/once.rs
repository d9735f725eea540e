//! Exactly once: a message is sent once. It is delivered only where it was sent, and only once.

use std::collections::{HashMap, HashSet};

use super::{Report, Rule};
use crate::history::{Event, History, Kind, Number};

/// Verifies exactly-once. Takes the events that break it out of the history, so that the order of the others can be verified.
pub(super) fn check(history: &mut History, report: &mut Report) {
    let mut clocks: HashMap<Number, u64> = HashMap::new();
    let mut abandoned: HashMap<(Number, Number), Vec<Number>> = HashMap::new();
    let mut fetched: HashSet<(Number, Number)> = HashSet::new();
    for site in 0..history.sites.len() as Number {
        for position in 0..history.sites[site as usize].events.len() as Number {
            let event = history.sites[site as usize].events[position as usize];
            let sound = match event.kind {
                Kind::Send(message) => {
                    clocks_grow(history, &mut clocks, (site, position), event.by, message, report);
                    sent_once(history, (site, position), event.by, message, report)
                }
                Kind::Deliver(message) => delivered_once(history, (site, position), event, message, report),
                Kind::Late(message) => {
                    let author = history.messages[message as usize].author;
                    let ranges = abandoned.get(&(event.by, author)).map_or(&[][..], Vec::as_slice);
                    late_after_abandon(history, (site, position), event.by, message, ranges, report);
                    delivered_once(history, (site, position), event, message, report)
                }
                Kind::Abandon(range) => {
                    let author = history.ranges[range as usize].author;
                    abandoned.entry((event.by, author)).or_default().push(range);
                    true
                }
                Kind::Show(message) | Kind::ShowLate(message) => {
                    shown_once(history, (site, position), event, message, &mut fetched, report)
                }
                Kind::Hold(_) | Kind::Start | Kind::Stop | Kind::Forget(_) | Kind::Struck => true,
            };
            if !sound {
                history.sites[site as usize].events[position as usize].kind = Kind::Struck;
            }
        }
    }
}

/// The site and position of an event.
type At = (Number, Number);

fn clocks_grow(
    history: &History,
    clocks: &mut HashMap<Number, u64>,
    (site, position): At,
    by: Number,
    message: Number,
    report: &mut Report,
) {
    let clock = history.messages[message as usize].clock;
    let last = clocks.entry(by).or_insert(0);
    // An equal clock is an id that is used again, which `sent_once` reports.
    if clock < *last {
        report.add(Rule::ClocksGrow, || {
            let (what, place) = (history.what(message), history.place(site, position));
            format!("{what} is sent after {}#{last} ({place})", history.who(by))
        });
    }
    *last = clock.max(*last);
}

fn sent_once(history: &History, (site, position): At, by: Number, message: Number, report: &mut Report) -> bool {
    let told = &history.messages[message as usize];
    let first = told.sent.expect("a send was read");
    let own = told.author == by;
    let once = (first.site, first.position) == (site, position);
    if !own {
        report.add(Rule::SentOnce, || {
            let (what, place) = (history.what(message), history.place(site, position));
            format!("{what} is sent by {} ({place})", history.who(by))
        });
    } else if !once {
        report.add(Rule::SentOnce, || {
            let (what, place) = (history.what(message), history.place(site, position));
            format!("{what} is sent twice ({} and {place})", history.place(first.site, first.position))
        });
    }
    once
}

fn delivered_once(
    history: &mut History,
    (site, position): At,
    event: Event,
    message: Number,
    report: &mut Report,
) -> bool {
    let told = |history: &History| {
        let (who, what) = (history.who(event.by), history.what(message));
        format!("{who} delivered {what} ({}; {})", history.id(message), history.place(site, position))
    };
    let Some(sent) = history.messages[message as usize].sent else {
        report.add(Rule::Sent, || format!("{}, which was never sent", told(history)));
        return false;
    };
    let Some(fate) = history.fate(sent, event.by) else {
        report.add(Rule::Addressed, || {
            format!("{}, which was not sent there ({})", told(history), history.place(sent.site, sent.position))
        });
        return false;
    };
    if history.delivered[fate] {
        report.add(Rule::DeliveredOnce, || format!("{} a second time", told(history)));
        return false;
    }
    history.delivered[fate] = true;
    true
}

fn shown_once(
    history: &History,
    (site, position): At,
    event: Event,
    message: Number,
    fetched: &mut HashSet<(Number, Number)>,
    report: &mut Report,
) -> bool {
    let told = || {
        let (who, what) = (history.who(event.by), history.what(message));
        format!("{who} was shown {what} as history ({}; {})", history.id(message), history.place(site, position))
    };
    let Some(sent) = history.messages[message as usize].sent else {
        report.add(Rule::Sent, || format!("{}, which was never sent", told()));
        return false;
    };
    let is_delivered = history.fate(sent, event.by).is_some_and(|fate| history.delivered[fate]);
    if is_delivered || !fetched.insert((event.by, message)) {
        report.add(Rule::DeliveredOnce, || format!("{} a second time", told()));
        return false;
    }
    true
}

fn late_after_abandon(
    history: &History,
    (site, position): At,
    by: Number,
    message: Number,
    ranges: &[Number],
    report: &mut Report,
) {
    let clock = history.messages[message as usize].clock;
    let given_up = ranges.iter().map(|&range| &history.ranges[range as usize]).any(|range| range.contains(clock));
    if !given_up {
        report.add(Rule::LateAfterAbandon, || {
            let (who, what) = (history.who(by), history.what(message));
            format!("{who} delivered {what} as late without having given it up ({})", history.place(site, position))
        });
    }
}
