//! One order of all events that agrees with happened-before.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use super::At;
use crate::history::{History, Kind, Number};

/// The events of all sites. Each event comes after the earlier ones of its site and, if a message arrives in it, after the
/// send. Events that would have to come before themselves are left out.
pub(super) fn order(history: &History) -> Vec<At> {
    let mut walk =
        Walk { history, next: vec![0; history.sites.len()], ready: BinaryHeap::new(), waiting: HashMap::new() };
    let mut order = Vec::new();
    for site in 0..history.sites.len() as Number {
        walk.offer(site);
    }
    while let Some(Reverse((.., site))) = walk.ready.pop() {
        let position = walk.next[site as usize];
        walk.next[site as usize] += 1;
        order.push((site, position));
        if let Kind::Send(message) = history.sites[site as usize].events[position as usize].kind {
            for site in walk.waiting.remove(&message).into_iter().flatten() {
                walk.offer(site);
            }
        }
        walk.offer(site);
    }
    order
}

struct Walk<'a> {
    history: &'a History,
    /// The position of each site's next event.
    next: Vec<Number>,
    /// The sites whose next event can be taken: arrivals first, then the other events, each by the clock of its machine.
    ready: BinaryHeap<Reverse<(bool, i64, Number)>>,
    /// The sites that wait for a message to be sent.
    waiting: HashMap<Number, Vec<Number>>,
}

impl Walk<'_> {
    fn offer(&mut self, site: Number) {
        let position = self.next[site as usize];
        let Some(event) = self.history.sites[site as usize].events.get(position as usize) else { return };
        let arrives = event.kind.arrives();
        let unsent = arrives.or(event.kind.shows()).filter(|&message| {
            let sent = self.history.messages[message as usize].sent;
            sent.is_some_and(|sent| self.next[sent.site as usize] <= sent.position)
        });
        match unsent {
            Some(message) => self.waiting.entry(message).or_default().push(site),
            None => self.ready.push(Reverse((arrives.is_none(), event.ts, site))),
        }
    }
}
