//! Completeness: every message was delivered at its destinations, or is exempt.

use std::collections::HashMap;

use super::{Options, Report, Rule};
use crate::history::{History, Kind, Message, NOWHERE, Number, Sent};

pub(super) fn check(history: &History, options: &Options, report: &mut Report) {
    for name in options.absent.iter().chain(&options.killed) {
        if !(0..history.processes.len() as Number).any(|process| history.goes_by(process, name)) {
            report.notes.push(format!("no peer in these traces is called {name:?}"));
        }
    }
    let killed = |number: Number| {
        let process = &history.processes[number as usize];
        let runs = options.running
            && history.is_last_of_its_site(number)
            && !options.killed.iter().any(|name| history.goes_by(number, name));
        process.site != NOWHERE && !process.stopped && !runs
    };
    let gone = |number: Number| {
        let process = &history.processes[number as usize];
        process.site == NOWHERE
            || process.superseded
            || process.forgotten
            || options.absent.iter().any(|name| history.goes_by(number, name))
    };
    let processes = 0..history.processes.len() as Number;
    report.unstopped = processes.clone().filter(|&number| killed(number) && !gone(number)).count();
    let excused: Vec<bool> = processes.map(|number| killed(number) || gone(number)).collect();
    let abandoned = abandoned(history);
    let had = had(history, |number| !killed(number) && !history.processes[number as usize].superseded);
    for (number, message) in (0..).zip(&history.messages) {
        let Some(sent) = message.sent else { continue };
        let nobody_has_it = !had[number as usize] && killed(message.author);
        for (place, &destination) in history.destinations(sent).iter().enumerate() {
            let delivered = history.delivered[sent.first_fate() + place];
            if delivered || excused[destination as usize] || destination == message.author {
                continue;
            }
            if gave_up(history, &abandoned, destination, message) {
                report.lost += 1;
            } else if !nobody_has_it {
                report.add(Rule::Complete, || missing(history, number, sent, destination));
            }
        }
    }
}

/// For each message, whether a process that was not lost has it, delivered or held.
fn had(history: &History, lasting: impl Fn(Number) -> bool) -> Vec<bool> {
    let mut had = vec![false; history.messages.len()];
    for event in history.sites.iter().flat_map(|site| &site.events).filter(|event| lasting(event.by)) {
        match event.kind {
            Kind::Deliver(message) | Kind::Late(message) | Kind::Hold(message) => had[message as usize] = true,
            Kind::Send(_)
            | Kind::Abandon(_)
            | Kind::Show(_)
            | Kind::ShowLate(_)
            | Kind::Start
            | Kind::Stop
            | Kind::Forget(_)
            | Kind::Struck => {}
        }
    }
    had
}

/// By process and author: the ranges of the author's messages that the process gave up.
type Abandoned = HashMap<(Number, Number), Vec<Number>>;

fn abandoned(history: &History) -> Abandoned {
    let mut all = Abandoned::new();
    for (event, range) in history.sites.iter().flat_map(|site| &site.events).filter_map(|event| event.abandons()) {
        all.entry((event.by, history.ranges[range as usize].author)).or_default().push(range);
    }
    all
}

fn gave_up(history: &History, abandoned: &Abandoned, destination: Number, message: &Message) -> bool {
    let ranges = abandoned.get(&(destination, message.author)).map_or(&[][..], Vec::as_slice);
    ranges.iter().any(|&range| history.ranges[range as usize].contains(message.clock))
}

fn missing(history: &History, message: Number, sent: Sent, destination: Number) -> String {
    let (what, who) = (history.what(message), history.who(destination));
    format!("{who} never got {what} ({}; {})", history.id(message), history.place(sent.site, sent.position))
}
