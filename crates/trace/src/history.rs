//! All traces of a run in memory. Processes, messages and the like are numbered.

mod one;

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, MessageId, Record, Report};

/// The number of a process, message, site or set: an index into the table of that name.
pub(super) type Number = u32;

/// No site: a process without a file.
pub(super) const NOWHERE: Number = Number::MAX;

#[derive(Default)]
pub(super) struct History {
    pub(super) sites: Vec<Site>,
    pub(super) processes: Vec<Process>,
    pub(super) messages: Vec<Message>,
    pub(super) ranges: Vec<Range>,
    /// What each held message waited for, by the site and position of the event.
    pub(super) waits: HashMap<(Number, Number), Box<[Number]>>,
    groups: Vec<Arc<str>>,
    /// Sets of destinations, each sorted.
    sets: Vec<Arc<[Number]>>,
    /// Whether a message was delivered at a destination. [`History::fate`] gives the place.
    pub(super) delivered: Vec<bool>,
    numbers: Numbers,
}

/// The tables that give texts their numbers.
#[derive(Default)]
struct Numbers {
    processes: HashMap<Arc<str>, Number>,
    messages: HashMap<(Number, u64), Number>,
    sets: HashMap<Arc<[Number]>, Number>,
    groups: HashMap<Arc<str>, Number>,
}

/// One file: a sequence of events. An author whose file is missing has a site without a path. It holds the sends that follow
/// from the events of other processes.
#[derive(Default)]
pub(super) struct Site {
    pub(super) path: Option<PathBuf>,
    pub(super) events: Vec<Event>,
}

/// One line of a file. Its position gives the number of the line.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) ts: i64,
    pub(super) by: Number,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Send(Number),
    Deliver(Number),
    Late(Number),
    Abandon(Number),
    Hold(Number),
    /// A message was shown as history.
    Show(Number),
    /// A message was shown as history, and its answers may have been shown before it.
    ShowLate(Number),
    Start,
    Stop,
    Forget(Number),
    /// An event that broke exactly-once, and was taken out.
    Struck,
}

pub(super) struct Process {
    id: Arc<str>,
    name: Option<Arc<str>>,
    /// The site of its events; [`NOWHERE`] if it has none. (Its messages may still be at a site without a file.)
    pub(super) site: Number,
    /// Whether its last event is `stop`.
    pub(super) stopped: bool,
    pub(super) superseded: bool,
    pub(super) forgotten: bool,
    /// Its messages by clock.
    pub(super) sends: Vec<Number>,
}

pub(super) struct Message {
    pub(super) author: Number,
    pub(super) clock: u64,
    pub(super) sent: Option<Sent>,
}

/// Where a message was sent, and its destinations.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) site: Number,
    /// The position among the events of the site.
    pub(super) position: Number,
    /// The position among the sends of the site.
    pub(super) index: Number,
    set: Number,
    group: Option<Number>,
    /// The place in [`History::delivered`] of its first destination; the others follow.
    fates: Number,
}

/// A conversation, in which messages answer each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Conversation {
    Group(Number),
    Between(Number, Number),
}

/// Evidence from deliveries that a message was sent.
struct Evidence {
    message: Number,
    /// The time of the first delivery.
    ts: i64,
    destinations: BTreeSet<Number>,
}

/// A range of one author's messages that a process gave up.
pub(super) struct Range {
    pub(super) author: Number,
    pub(super) from: u64,
    pub(super) to: u64,
}

impl Event {
    /// This event and the range that it gives up, if it gives up one.
    pub(super) fn abandons(self) -> Option<(Self, Number)> {
        if let Kind::Abandon(range) = self.kind { Some((self, range)) } else { None }
    }
}

impl Kind {
    /// The message that arrives in this event, if one does.
    pub(super) fn arrives(self) -> Option<Number> {
        match self {
            Self::Deliver(message) | Self::Late(message) | Self::Hold(message) => Some(message),
            Self::Send(_)
            | Self::Abandon(_)
            | Self::Show(_)
            | Self::ShowLate(_)
            | Self::Start
            | Self::Stop
            | Self::Forget(_)
            | Self::Struck => None,
        }
    }
}

impl Kind {
    /// A message that must have been sent, because this event shows it, and whether it was sent to the process of this event.
    fn tells_of(self) -> Option<(Number, bool)> {
        match self {
            Self::Deliver(message) | Self::Late(message) => Some((message, true)),
            Self::Show(message) | Self::ShowLate(message) => Some((message, false)),
            Self::Send(_)
            | Self::Abandon(_)
            | Self::Hold(_)
            | Self::Start
            | Self::Stop
            | Self::Forget(_)
            | Self::Struck => None,
        }
    }
}

impl Kind {
    /// The message that is shown as history in this event, if one is.
    pub(super) fn shows(self) -> Option<Number> {
        if let Self::Show(message) | Self::ShowLate(message) = self { Some(message) } else { None }
    }
}

impl Sent {
    /// The place in [`History::delivered`] of its first destination; the others follow.
    pub(super) fn first_fate(self) -> usize {
        self.fates as usize
    }
}

impl Range {
    pub(super) fn contains(&self, clock: u64) -> bool {
        (self.from..=self.to).contains(&clock)
    }
}

impl History {
    pub(super) fn read<P: AsRef<Path>>(files: &[P], report: &mut Report) -> Result<Self, Error> {
        let mut history = Self::default();
        for path in files {
            history.read_file(path.as_ref(), report)?;
        }
        history.infer_sends(Kind::tells_of)?;
        report.files = files.len();
        report.processes = history.processes.iter().filter(|process| process.site != NOWHERE).count();
        history.sort_sends();
        Ok(history)
    }

    /// Whether the last line of the process's file is its own. A file has one writer, so no other process of that file still
    /// runs.
    pub(super) fn is_last_of_its_site(&self, process: Number) -> bool {
        // A process without a trace has no site.
        let site = self.sites.get(self.processes[process as usize].site as usize);
        site.and_then(|site| site.events.last()).is_some_and(|event| event.by == process)
    }

    pub(super) fn destinations(&self, sent: Sent) -> &[Number] {
        &self.sets[sent.set as usize]
    }

    /// The conversation of a message, as far as the traces tell: a group, or two peers by their sites.
    pub(super) fn conversation(&self, sent: Sent) -> Option<Conversation> {
        if let Some(group) = sent.group {
            return Some(Conversation::Group(group));
        }
        let [destination] = self.destinations(sent) else { return None };
        let other = self.processes[*destination as usize].site;
        (other != NOWHERE).then(|| Conversation::Between(sent.site.min(other), sent.site.max(other)))
    }

    /// The group to which a message was written, if any.
    pub(super) fn group_of(&self, sent: Sent) -> Option<&str> {
        sent.group.map(|group| &*self.groups[group as usize])
    }

    /// The place of a message and `destination` in [`History::delivered`]; `None` if the message was not sent there.
    pub(super) fn fate(&self, sent: Sent, destination: Number) -> Option<usize> {
        let place = self.destinations(sent).binary_search(&destination).ok()?;
        Some(sent.fates as usize + place)
    }

    /// The messages of a range that were sent to `destination`, oldest first.
    pub(super) fn in_range(&self, range: &Range, destination: Number) -> impl Iterator<Item = Number> {
        let sends = &self.processes[range.author as usize].sends;
        let clock = |number: Number| self.messages[number as usize].clock;
        let first = sends.partition_point(|&number| clock(number) < range.from);
        sends[first..].iter().copied().take_while(move |&number| clock(number) <= range.to).filter(move |&number| {
            self.messages[number as usize].sent.is_some_and(|sent| self.fate(sent, destination).is_some())
        })
    }

    /// The name of a process for people. If two processes share the name, it is followed by the end of the id.
    pub(super) fn who(&self, process: Number) -> String {
        match &self.processes[process as usize].name {
            Some(name) if self.bearers(name) == 1 => name.to_string(),
            Some(name) => format!("{name}({})", self.short(process)),
            None => self.short(process),
        }
    }

    /// The name of a process, which others may have too; the end of its id if it has no events.
    pub(super) fn name(&self, process: Number) -> String {
        let name = &self.processes[process as usize].name;
        name.as_ref().map_or_else(|| self.short(process), ToString::to_string)
    }

    /// The end of a process's id.
    pub(super) fn short(&self, process: Number) -> String {
        let id = &self.processes[process as usize].id;
        let skipped = id.chars().count().saturating_sub(8);
        let tail: String = id.chars().skip(skipped).collect();
        if skipped > 0 { format!("…{tail}") } else { tail }
    }

    /// The name of a message for people: `alice#12`.
    pub(super) fn what(&self, message: Number) -> String {
        let Message { author, clock, .. } = self.messages[message as usize];
        format!("{}#{clock}", self.who(author))
    }

    pub(super) fn id(&self, message: Number) -> MessageId {
        let Message { author, clock, .. } = self.messages[message as usize];
        MessageId { process: self.processes[author as usize].id.clone(), clock }
    }

    pub(super) fn goes_by(&self, process: Number, name: &str) -> bool {
        let process = &self.processes[process as usize];
        process.name.as_deref() == Some(name) || *process.id == *name
    }

    /// The file and line of an event.
    pub(super) fn place(&self, site: Number, position: Number) -> String {
        match &self.sites[site as usize].path {
            Some(path) => format!("{}:{}", path.display(), position + 1),
            None => "in no file given".to_owned(),
        }
    }

    fn bearers(&self, name: &str) -> usize {
        self.processes.iter().filter(|process| process.name.as_deref() == Some(name)).count()
    }

    fn read_file(&mut self, path: &Path, report: &mut Report) -> Result<(), Error> {
        let failed = |source| Error::Read { path: path.to_owned(), source };
        let mut file = BufReader::with_capacity(1 << 18, File::open(path).map_err(failed)?);
        let site = number(self.sites.len())?;
        self.sites.push(Site { path: Some(path.to_owned()), events: Vec::new() });
        let mut sends = 0;
        let mut line = Vec::new();
        for position in 0.. {
            line.clear();
            if file.read_until(b'\n', &mut line).map_err(failed)? == 0 {
                break;
            }
            match serde_json::from_slice::<Record>(&line) {
                Ok(record) => {
                    let event = self.event(&record, site, number(position)?, &mut sends, report)?;
                    self.sites[site as usize].events.push(event);
                }
                // A peer that is killed while it writes leaves such a line.
                Err(_) if line.last() != Some(&b'\n') => {
                    report.notes.push(format!("{}:{}: the last line has no end", path.display(), position + 1));
                }
                Err(error) => {
                    let reason = error.to_string();
                    return Err(Error::Malformed { path: path.to_owned(), line: position + 1, reason });
                }
            }
        }
        Ok(())
    }

    fn event(
        &mut self,
        record: &Record,
        site: Number,
        position: Number,
        sends: &mut Number,
        report: &mut Report,
    ) -> Result<Event, Error> {
        let by = self.process(&record.peer)?;
        let process = &mut self.processes[by as usize];
        if process.site != NOWHERE && process.site != site {
            return Err(Error::SharedProcess {
                process: record.peer.to_string(),
                first: self.sites[process.site as usize].path.clone().unwrap_or_default(),
                second: self.sites[site as usize].path.clone().unwrap_or_default(),
            });
        }
        process.site = site;
        process.stopped = record.event == crate::Event::Stop;
        if process.name.as_ref() != Some(&record.name) {
            process.name = Some(record.name.clone());
        }
        let kind = match &record.event {
            crate::Event::Start { supersedes } => {
                if let Some(earlier) = supersedes {
                    let earlier = self.process(earlier)?;
                    self.processes[earlier as usize].superseded = true;
                }
                Kind::Start
            }
            crate::Event::Stop => Kind::Stop,
            crate::Event::Send { id, dests, group } => {
                report.messages += 1;
                let message = self.message(id)?;
                let index = *sends;
                *sends += 1;
                if self.messages[message as usize].sent.is_none() {
                    let set = dests.iter().map(|process| self.process(process)).collect::<Result<_, _>>()?;
                    let group = group.as_ref().map(|name| self.group(name)).transpose()?;
                    let sent = Sent { group, ..self.sent(site, position, index, set)? };
                    self.messages[message as usize].sent = Some(sent);
                }
                Kind::Send(message)
            }
            crate::Event::Deliver { id } => {
                report.deliveries += 1;
                Kind::Deliver(self.message(id)?)
            }
            crate::Event::Late { id } => {
                report.late += 1;
                Kind::Late(self.message(id)?)
            }
            crate::Event::Hold { id, missing } => {
                report.held += 1;
                let missing = missing.iter().map(|id| self.message(id)).collect::<Result<_, _>>()?;
                self.waits.insert((site, position), missing);
                Kind::Hold(self.message(id)?)
            }
            crate::Event::Abandon { id, upto } => {
                report.abandoned += 1;
                let author = self.process(&id.process)?;
                self.ranges.push(Range { author, from: id.clock, to: *upto });
                Kind::Abandon(number(self.ranges.len() - 1)?)
            }
            crate::Event::Show { id, late } => {
                report.shown_as_history += 1;
                let message = self.message(id)?;
                if *late { Kind::ShowLate(message) } else { Kind::Show(message) }
            }
            crate::Event::Forget { process } => {
                let process = self.process(process)?;
                self.processes[process as usize].forgotten = true;
                Kind::Forget(process)
            }
        };
        Ok(Event { ts: record.ts, by, kind })
    }

    /// Adds the sends of messages whose authors have no file, as far as other processes' events show them. A send gets the
    /// time of the first such event.
    fn infer_sends(&mut self, tells_of: impl Fn(Kind) -> Option<(Number, bool)>) -> Result<(), Error> {
        let mut evidence: BTreeMap<Number, BTreeMap<u64, Evidence>> = BTreeMap::new();
        for event in self.sites.iter().flat_map(|site| &site.events) {
            if let Some((number, is_destination)) = tells_of(event.kind) {
                let message = &self.messages[number as usize];
                if self.processes[message.author as usize].site == NOWHERE {
                    let sends = evidence.entry(message.author).or_default();
                    let none = || Evidence { message: number, ts: event.ts, destinations: BTreeSet::new() };
                    let sent = sends.entry(message.clock).or_insert_with(none);
                    sent.ts = event.ts.min(sent.ts);
                    if is_destination {
                        sent.destinations.insert(event.by);
                    }
                }
            }
        }
        for (author, sends) in evidence {
            let site = number(self.sites.len())?;
            let mut events = Vec::with_capacity(sends.len());
            for Evidence { message, ts, destinations } in sends.into_values() {
                let position = number(events.len())?;
                events.push(Event { ts, by: author, kind: Kind::Send(message) });
                let sent = self.sent(site, position, position, destinations)?;
                self.messages[message as usize].sent = Some(sent);
            }
            self.sites.push(Site { path: None, events });
        }
        Ok(())
    }

    fn sort_sends(&mut self) {
        for (number, message) in (0..).zip(&self.messages) {
            self.processes[message.author as usize].sends.push(number);
        }
        for process in &mut self.processes {
            process.sends.sort_unstable_by_key(|&number| self.messages[number as usize].clock);
        }
    }

    fn sent(
        &mut self,
        site: Number,
        position: Number,
        index: Number,
        destinations: BTreeSet<Number>,
    ) -> Result<Sent, Error> {
        let fates = number(self.delivered.len())?;
        self.delivered.resize(self.delivered.len() + destinations.len(), false);
        let destinations: Arc<[Number]> = destinations.into_iter().collect();
        let set = match self.numbers.sets.entry(destinations) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.sets.push(new.key().clone());
                *new.insert(number(self.sets.len() - 1)?)
            }
        };
        Ok(Sent { site, position, index, set, group: None, fates })
    }

    fn process(&mut self, id: &Arc<str>) -> Result<Number, Error> {
        if let Some(&known) = self.numbers.processes.get(id) {
            return Ok(known);
        }
        let new = number(self.processes.len())?;
        self.numbers.processes.insert(id.clone(), new);
        self.processes.push(Process {
            id: id.clone(),
            name: None,
            site: NOWHERE,
            stopped: false,
            superseded: false,
            forgotten: false,
            sends: Vec::new(),
        });
        Ok(new)
    }

    fn group(&mut self, name: &Arc<str>) -> Result<Number, Error> {
        if let Some(&known) = self.numbers.groups.get(name) {
            return Ok(known);
        }
        let new = number(self.groups.len())?;
        self.numbers.groups.insert(name.clone(), new);
        self.groups.push(name.clone());
        Ok(new)
    }

    fn message(&mut self, id: &MessageId) -> Result<Number, Error> {
        let author = self.process(&id.process)?;
        match self.numbers.messages.entry((author, id.clock)) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => {
                self.messages.push(Message { author, clock: id.clock, sent: None });
                Ok(*new.insert(number(self.messages.len() - 1)?))
            }
        }
    }
}

fn number(index: usize) -> Result<Number, Error> {
    Number::try_from(index).ok().filter(|&number| number != NOWHERE).ok_or(Error::TooLarge)
}
