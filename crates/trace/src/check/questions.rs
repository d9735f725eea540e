//! No process is shown an answer before its question, where one of the two came as history.
//!
//! Causal order covers the messages that were sent to a process. A newcomer is also shown messages from before it came:
//! these are [`Kind::Show`] events. An answer is a message that a process sends after it has been shown the question. A
//! process that is shown an answer must have been shown the question before. So two things are enough. For each message: the
//! clock of each process when that process was first shown the message. For each reader: the greatest clock of each process
//! that it has been shown.

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

/// For each message, the processes that were shown it, and the clock of each at that time.
type Seen = HashMap<Number, HashMap<Number, u64>>;

/// What one process has been shown of a conversation: the greatest clock of each other process.
#[derive(Default)]
struct Reader {
    /// Among all messages.
    last: HashMap<Number, u64>,
    /// Among the messages that came as history.
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
        // A message to one peer alone may not be a text, and a trace does not tell. A message that comes as history is a text.
        if matches!(conversation, Conversation::Between(..)) && matches!(how, How::Delivered | How::Late) {
            continue;
        }
        let reader = readers.entry((event.by, conversation)).or_default();
        let answers = match how {
            How::Fetched => Some(&reader.last),
            // Causal order among delivered messages is verified elsewhere.
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

/// Whether any process gave this message up. Then that process may not have told newcomers of the message.
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
