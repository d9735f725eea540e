//! No answer before its question, where one of the two came as history.
//!
//! Causal order speaks of what was sent to a process. A newcomer is shown, besides, what was said before it came: these are
//! [`Kind::Show`] events. An answer is what a process sends after it has been shown the question. A process that is shown one of its
//! answers must have been shown the question before. So it is enough to know, for each message, how far the clock of each process was when that
//! was first shown the message, and for each reader, how far it has come with the messages of each process.

use std::collections::{HashMap, HashSet};

use super::{Report, Rule};
use crate::history::{Conversation, Event, History, Kind, Number};

/// How a message came to be shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Sent,
    Delivered,
    Late,
    Fetched,
    FetchedLate,
}

/// For each message, which processes were shown it, and the clock of each before that.
type Seen = HashMap<Number, HashMap<Number, u64>>;

/// What one process has been shown of a conversation: of each other process, the greatest clock.
#[derive(Default)]
struct Reader {
    /// Of all messages.
    last: HashMap<Number, u64>,
    /// Of those that came as history.
    fetched: HashMap<Number, u64>,
}

pub(super) fn check(history: &History, report: &mut Report) {
    let shown = history.sites.iter().flat_map(|site| &site.events).filter_map(|event| shown(event.kind));
    let fetched = shown.filter(|(_, how)| matches!(how, How::Fetched | How::FetchedLate));
    let with_history: HashSet<Conversation> =
        fetched.filter_map(|(message, _)| conversation(history, message)).collect();
    if with_history.is_empty() {
        return;
    }
    let seen = seen(history, &with_history);
    for site in 0..history.sites.len() as Number {
        read(history, site, &with_history, &seen, report);
    }
}

fn shown(kind: Kind) -> Option<(Number, How)> {
    match kind {
        Kind::Send(message) => Some((message, How::Sent)),
        Kind::Deliver(message) => Some((message, How::Delivered)),
        Kind::Late(message) => Some((message, How::Late)),
        Kind::Show(message) => Some((message, How::Fetched)),
        Kind::ShowLate(message) => Some((message, How::FetchedLate)),
        Kind::Abandon(_) | Kind::Hold(_) | Kind::Start | Kind::Stop | Kind::Forget(_) | Kind::Struck => None,
    }
}

fn conversation(history: &History, message: Number) -> Option<Conversation> {
    history.messages[message as usize].sent.and_then(|sent| history.conversation(sent))
}

fn seen(history: &History, of: &HashSet<Conversation>) -> Seen {
    let mut seen = Seen::new();
    let mut clocks: HashMap<Number, u64> = HashMap::new();
    for event in history.sites.iter().flat_map(|site| &site.events) {
        let Some((message, how)) = shown(event.kind) else { continue };
        let clock = clocks.entry(event.by).or_default();
        if how == How::Sent {
            *clock = history.messages[message as usize].clock;
        }
        if conversation(history, message).is_some_and(|conversation| of.contains(&conversation)) {
            seen.entry(message).or_default().entry(event.by).or_insert(*clock);
        }
    }
    seen
}

/// Verifies what the processes of one site were shown.
fn read(history: &History, site: Number, of: &HashSet<Conversation>, seen: &Seen, report: &mut Report) {
    let mut readers: HashMap<(Number, Conversation), Reader> = HashMap::new();
    for (position, &event) in (0..).zip(&history.sites[site as usize].events) {
        let Some((message, how)) = shown(event.kind) else { continue };
        let Some(sent) = history.messages[message as usize].sent else { continue };
        let Some(conversation) = history.conversation(sent).filter(|conversation| of.contains(conversation)) else {
            continue;
        };
        // What one peer alone is sent may be no text: a trace does not tell. What comes as history is one.
        if matches!(conversation, Conversation::Between(..)) && matches!(how, How::Delivered | How::Late) {
            continue;
        }
        let reader = readers.entry((event.by, conversation)).or_default();
        let answers = match how {
            How::Fetched => Some(&reader.last),
            // Of what was delivered, causal order is verified already.
            How::Delivered => Some(&reader.fetched),
            How::Sent | How::Late | How::FetchedLate => None,
        };
        let by = answers.filter(|answers| !answers.is_empty()).and_then(|answers| {
            let is_of_another = |other: Number| history.processes[other as usize].site != site;
            let mut others = seen[&message].iter().filter(|&(&other, _)| is_of_another(other));
            others.find(|(other, clock)| answers.get(other).is_some_and(|last| last > clock)).map(|(&other, _)| other)
        });
        let by = by.filter(|_| !is_given_up(history, message));
        if let Some(by) = by {
            report.add(Rule::QuestionFirst, || told(history, (site, position), event, message, by));
        }
        let told = &history.messages[message as usize];
        let came_as_history = matches!(how, How::Fetched | How::FetchedLate);
        for answers in std::iter::once(&mut reader.last).chain(came_as_history.then_some(&mut reader.fetched)) {
            let last = answers.entry(told.author).or_default();
            *last = told.clock.max(*last);
        }
    }
}

/// Whether anybody gave this message up: then those it welcomes may not have been told of it.
fn is_given_up(history: &History, message: Number) -> bool {
    let told = &history.messages[message as usize];
    history.ranges.iter().any(|range| range.author == told.author && range.contains(told.clock))
}

fn told(history: &History, (site, position): (Number, Number), event: Event, question: Number, by: Number) -> String {
    let (who, what) = (history.who(event.by), history.what(question));
    format!(
        "{who} was shown {what} only after an answer by {}, who had been shown it before ({})",
        history.who(by),
        history.place(site, position)
    )
}
