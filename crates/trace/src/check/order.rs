//! Causal order.
//!
//! The walk takes the events of all sites in an order that agrees with happened-before: each site runs until it comes to a
//! delivery whose send has not been taken yet. On the way every site keeps its causal past, as the number of sends of each
//! site in it, and each message takes a copy of it along. A process that delivers m2 with past P must have delivered all
//! messages to it that lie in P. So it keeps the join of these P, and a message that arrives later and lies in the join came
//! too late. That is one look-up and one join per delivery.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::chain;
use super::holes::Holes;
use super::{Report, Rule};
use crate::history::{Event, History, Kind, Number};
use crate::past::Past;

/// How many events a site takes before it is the next one's turn. So no site runs far ahead, and few messages are on their way.
const TURN: usize = 64;

/// Verifies causal order. Returns the site and position of each delivery that breaks it.
pub(super) fn check(history: &History, report: &mut Report) -> Vec<(Number, Number)> {
    let mut walk = Walk::new(history);
    let mut turns: VecDeque<Number> = (0..history.sites.len() as Number).collect();
    while let Some(site) = turns.pop_front() {
        if walk.turn(site, &mut turns, report) {
            turns.push_back(site);
        }
    }
    if let Some(circle) = walk.circle() {
        report.add(Rule::SentFirst, || {
            let mut text = "no message can be delivered before it was sent, but these lines say so".to_owned();
            for (site, message) in circle {
                let sent = history.messages[message as usize].sent.expect("a delivery without a send was taken out");
                let position = walk.next[site as usize];
                let who = history.who(history.sites[site as usize].events[position as usize].by);
                let (delivered, sent) = (history.place(site, position), history.place(sent.site, sent.position));
                text += &format!("\n  {who} delivered {}, {delivered}; it was sent at {sent}", history.what(message));
            }
            text
        });
        report.notes.push("causal order was verified only as far as what comes before that".to_owned());
    }
    walk.disordered
}

struct Walk<'a> {
    history: &'a History,
    /// The position of each site's next event.
    next: Vec<Number>,
    /// The past of each site.
    sites: Vec<Past>,
    /// For each process, the messages that it was shown and their past.
    processes: Vec<Option<Shown>>,
    /// The past of each message that was sent and is still to be delivered, itself included.
    messages: Vec<Option<Past>>,
    /// How often each message's past is still needed.
    uses: Vec<Number>,
    /// The sites that wait for a message to be sent.
    waiting: HashMap<Number, Vec<Number>>,
    disordered: Vec<(Number, Number)>,
}

struct Shown {
    past: Past,
    holes: Holes,
}

impl<'a> Walk<'a> {
    fn new(history: &'a History) -> Self {
        let mut uses = vec![0; history.messages.len()];
        for event in history.sites.iter().flat_map(|site| &site.events) {
            match event.kind {
                Kind::Deliver(message) | Kind::Late(message) => uses[message as usize] += 1,
                Kind::Abandon(range) => {
                    for hole in history.in_range(&history.ranges[range as usize], event.by) {
                        // Its past is kept to the end: any later delivery may depend on it.
                        uses[hole as usize] += 1;
                    }
                }
                Kind::Send(_)
                | Kind::Hold(_)
                | Kind::Show(_)
                | Kind::ShowLate(_)
                | Kind::Start
                | Kind::Stop
                | Kind::Forget(_)
                | Kind::Struck => {}
            }
        }
        Self {
            history,
            next: vec![0; history.sites.len()],
            sites: vec![Past::new(history.sites.len()); history.sites.len()],
            processes: history.processes.iter().map(|_| None).collect(),
            messages: history.messages.iter().map(|_| None).collect(),
            uses,
            waiting: HashMap::new(),
            disordered: Vec::new(),
        }
    }

    /// Takes some events of a site. Returns true if the site can go on, and false if it is at its end or waits.
    fn turn(&mut self, site: Number, turns: &mut VecDeque<Number>, report: &mut Report) -> bool {
        let history = self.history;
        let events = &history.sites[site as usize].events;
        for _ in 0..TURN {
            let position = self.next[site as usize];
            let Some(&event) = events.get(position as usize) else { return false };
            match event.kind {
                Kind::Send(message) => {
                    self.send(site, message);
                    turns.extend(self.waiting.remove(&message).into_iter().flatten());
                }
                Kind::Deliver(message) | Kind::Late(message) => {
                    let sent =
                        history.messages[message as usize].sent.expect("a delivery without a send was taken out");
                    if self.next[sent.site as usize] <= sent.position {
                        self.waiting.entry(message).or_default().push(site);
                        return false;
                    }
                    self.deliver(site, position, event, message, report);
                }
                Kind::Abandon(range) => {
                    self.shown(event.by).holes.open(history, &history.ranges[range as usize], event.by);
                }
                Kind::Hold(_)
                | Kind::Show(_)
                | Kind::ShowLate(_)
                | Kind::Start
                | Kind::Stop
                | Kind::Forget(_)
                | Kind::Struck => {}
            }
            self.next[site as usize] += 1;
        }
        true
    }

    fn send(&mut self, site: Number, message: Number) {
        let sent = self.history.messages[message as usize].sent.expect("a send was read");
        let past = &mut self.sites[site as usize];
        past.set(site, sent.index + 1);
        if self.uses[message as usize] > 0 {
            self.messages[message as usize] = Some(past.clone());
        }
    }

    fn deliver(&mut self, site: Number, position: Number, event: Event, message: Number, report: &mut Report) {
        let history = self.history;
        let sent = history.messages[message as usize].sent.expect("a delivery without a send was taken out");
        let past = self.messages[message as usize].take().expect("it was sent and has a use: this one");
        self.sites[site as usize].join(&past);
        if event.kind == Kind::Deliver(message) {
            let Self { processes, messages, sites, .. } = self;
            let shown = processes[event.by as usize].get_or_insert_with(|| Shown::new(sites.len()));
            if sent.index < shown.past.of(sent.site) || shown.holes.forbid(sent) {
                let first = report.shown_of(Rule::CausalOrder) == 0;
                self.disordered.push((site, position));
                report.add(Rule::CausalOrder, || chain::explain(history, site, position, message, first));
            }
            if !shown.holes.cross(history, messages, message, &past) {
                shown.past.join(&past);
            }
        }
        self.uses[message as usize] -= 1;
        if self.uses[message as usize] > 0 {
            self.messages[message as usize] = Some(past);
        }
    }

    /// A circle of sites, each of which waits for the next one, with the messages that they wait for. There is one if the walk
    /// ended before the events did: then each site that is left waits for another one that is left.
    fn circle(&self) -> Option<Vec<(Number, Number)>> {
        let waits: BTreeMap<Number, Number> =
            self.waiting.iter().flat_map(|(&message, sites)| sites.iter().map(move |&site| (site, message))).collect();
        let (&first, _) = waits.first_key_value()?;
        let next = |site: Number| {
            let sent = self.history.messages[waits[&site] as usize].sent;
            sent.expect("a delivery without a send was taken out").site
        };
        let inside = waits.keys().fold(first, |site, _| next(site));
        let mut circle = vec![(inside, waits[&inside])];
        let mut site = next(inside);
        while site != inside {
            circle.push((site, waits[&site]));
            site = next(site);
        }
        Some(circle)
    }

    fn shown(&mut self, process: Number) -> &mut Shown {
        let sites = self.sites.len();
        self.processes[process as usize].get_or_insert_with(|| Shown::new(sites))
    }
}

impl Shown {
    fn new(sites: usize) -> Self {
        Self { past: Past::new(sites), holes: Holes::default() }
    }
}
