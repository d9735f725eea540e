//! The names of peers, processes and messages in a drawing.

use std::collections::{HashMap, HashSet};

use super::text::harmless;
use crate::history::{History, Number};

/// A name for each process of a history, short and different from all others.
pub(super) struct Names(Vec<String>);

impl Names {
    /// Names of at most `columns` columns, with a number where two would be the same. `clean` makes the last change to each
    /// name, before the numbers.
    pub(super) fn new(history: &History, columns: usize, clean: impl Fn(String) -> String) -> Self {
        let mut taken = HashSet::new();
        let mut bearers: HashMap<String, usize> = HashMap::new();
        let name = |process| {
            let name = clean(harmless(&history.name(process), columns));
            let bearers = bearers.entry(name.clone()).or_insert(0);
            loop {
                *bearers += 1;
                let numbered = if *bearers == 1 { name.clone() } else { format!("{name}({bearers})") };
                if taken.insert(numbered.clone()) {
                    break numbered;
                }
            }
        };
        Self((0..history.processes.len() as Number).map(name).collect())
    }

    pub(super) fn process(&self, process: Number) -> &str {
        &self.0[process as usize]
    }

    /// The name of a site: that of the first process in it.
    pub(super) fn site(&self, history: &History, site: Number) -> &str {
        history.sites[site as usize].events.first().map_or("", |event| self.process(event.by))
    }

    pub(super) fn message(&self, history: &History, message: Number) -> String {
        let message = &history.messages[message as usize];
        format!("{}#{}", self.process(message.author), message.clock)
    }

    /// The messages of a range.
    pub(super) fn range(&self, history: &History, range: Number) -> String {
        let range = &history.ranges[range as usize];
        let author = self.process(range.author);
        if range.from == range.to {
            format!("{author}#{}", range.from)
        } else {
            format!("{author}#{}–{}", range.from, range.to)
        }
    }
}
