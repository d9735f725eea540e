//! Explains a violation of causal order: which messages lead from one message to the other.

use std::collections::HashMap;

use crate::history::{Event, History, Kind, Number};

/// How many links of a chain are shown at each end of a long one.
const SHOWN: usize = 10;

/// Explains that the delivery at `site` and `position` came too late. With `full` it gives the whole chain, which takes a walk
/// through all events.
pub(super) fn explain(history: &History, site: Number, position: Number, message: Number, full: bool) -> String {
    let event = history.sites[site as usize].events[position as usize];
    let (who, what) = (history.who(event.by), history.what(message));
    let place = history.place(site, position);
    if !full {
        return format!("{who} delivered {what} only after a message that depends on it ({place})");
    }
    let reached = Reached::from(history, message);
    let (early, at) = (0..position)
        .find_map(|at| match history.sites[site as usize].events[at as usize] {
            Event { by, kind: Kind::Deliver(early), .. } if by == event.by && reached.links.contains_key(&early) => {
                Some((early, at))
            }
            _ => None,
        })
        .expect("the order was broken by a delivery before this one");
    let chain = reached.chain(message, early);
    let mut lines = vec![format!("{who} delivered {} before {what}, on which it depends", history.what(early))];
    for (number, link) in chain.iter().enumerate() {
        if chain.len() > 2 * SHOWN && number == SHOWN {
            lines.push(format!("  … {} messages", chain.len() - 2 * SHOWN));
        }
        if chain.len() <= 2 * SHOWN || number < SHOWN || number >= chain.len() - SHOWN {
            tell(history, link, &mut lines);
        }
    }
    lines.push(line(history, site, at, &format!("{who} delivered {}", history.what(early))));
    lines.push(line(history, site, position, &format!("{who} delivered {what} only then")));
    lines.join("\n")
}

fn tell(history: &History, link: &Link, lines: &mut Vec<String>) {
    let sent = history.messages[link.message as usize].sent.expect("the walk follows what was sent");
    if let Some((cause, at)) = link.delivered {
        let by = history.sites[sent.site as usize].events[at as usize].by;
        lines.push(line(history, sent.site, at, &format!("{} delivered {}", history.who(by), history.what(cause))));
    }
    let author = history.messages[link.message as usize].author;
    let what = format!("{} sent {} ({})", history.who(author), history.what(link.message), history.id(link.message));
    lines.push(line(history, sent.site, sent.position, &what));
}

fn line(history: &History, site: Number, position: Number, what: &str) -> String {
    let day = 86_400_000_000;
    let time = history.sites[site as usize].events[position as usize].ts.rem_euclid(day);
    let (seconds, micros) = (time / 1_000_000, time % 1_000_000);
    let clock = format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("  {clock} {what}, {}", history.place(site, position))
}

/// The messages that depend on one message, and why.
struct Reached {
    links: HashMap<Number, Link>,
}

/// A message in a chain, and why it depends on the message before it in the chain.
#[derive(Clone, Copy)]
struct Link {
    message: Number,
    /// The message before, and the position of its delivery at the site of this message's author. `None` if both were sent
    /// there.
    delivered: Option<(Number, Number)>,
    /// The message before.
    cause: Number,
}

impl Reached {
    /// Walks along happened-before from the send of `first`, the shortest chains first.
    fn from(history: &History, first: Number) -> Self {
        let mut deliveries: HashMap<Number, Vec<(Number, Number)>> = HashMap::new();
        for (site, events) in (0..).zip(&history.sites) {
            for (position, event) in (0..).zip(&events.events) {
                if let Kind::Deliver(message) | Kind::Late(message) = event.kind {
                    deliveries.entry(message).or_default().push((site, position));
                }
            }
        }
        let mut links = HashMap::new();
        let mut ends: Vec<Number> = history.sites.iter().map(|site| site.events.len() as Number).collect();
        let mut queue = std::collections::VecDeque::from([first]);
        while let Some(cause) = queue.pop_front() {
            let sent = history.messages[cause as usize].sent.expect("the walk follows what was sent");
            let own = (sent.site, sent.position, None);
            let elsewhere = deliveries.get(&cause).into_iter().flatten();
            let elsewhere = elsewhere.map(|&(site, position)| (site, position, Some((cause, position))));
            for (site, position, delivered) in std::iter::once(own).chain(elsewhere) {
                let events = &history.sites[site as usize].events;
                for position in position + 1..ends[site as usize] {
                    if let Kind::Send(message) = events[position as usize].kind {
                        links.insert(message, Link { message, delivered, cause });
                        queue.push_back(message);
                    }
                }
                ends[site as usize] = ends[site as usize].min(position + 1);
            }
        }
        Self { links }
    }

    /// The chain from `first` to `last`, both included.
    fn chain(&self, first: Number, last: Number) -> Vec<Link> {
        let mut chain = Vec::new();
        let mut message = last;
        while message != first {
            let link = self.links[&message];
            chain.push(link);
            message = link.cause;
        }
        chain.push(Link { message: first, delivered: None, cause: first });
        chain.reverse();
        chain
    }
}
