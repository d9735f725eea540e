//! The content of a drawing, without positions on paper: lines, rows, and what connects them.
//!
//! A drawing begins where the run begins. It ends before it has more lines, marks or arrows than a person can follow.
//! Everything that is left out for that is counted.

use std::collections::HashMap;

use super::names::Names;
use super::text::{harmless, isolated};
use super::{At, Diagram, Live};
use crate::history::{Event, History, Kind, NOWHERE, Number, Sent};

/// The most lines of a drawing. More would be wider than any screen.
pub(super) const LINES: usize = 32;

/// The most marks and arrows of a drawing: some 160 messages to a group of five. A person cannot follow more.
pub(super) const ITEMS: usize = 1_500;

/// The columns of a name, of a peer or a group.
pub(super) const NAME: usize = 12;

pub(super) struct Scene {
    pub(super) lines: Vec<Line>,
    pub(super) marks: Vec<Mark>,
    pub(super) arrows: Vec<Arrow>,
    pub(super) spans: Vec<Span>,
    pub(super) rows: usize,
    pub(super) left_out: LeftOut,
}

/// A peer: one trace.
pub(super) struct Line {
    pub(super) site: Number,
    /// The first and the last row of each run, from a start to a stop or a kill.
    pub(super) runs: Vec<(usize, usize)>,
    /// Whether it has events that are not drawn.
    pub(super) goes_on: bool,
    last: Option<usize>,
    /// The spans that have not ended, by their lanes.
    open: Vec<Option<usize>>,
}

/// A line and a row.
pub(super) type Place = (usize, usize);

pub(super) struct Mark {
    pub(super) place: Place,
    pub(super) shape: Shape,
    /// The line of the message's author, if the mark is about a message.
    pub(super) author: Option<usize>,
    pub(super) message: Option<Number>,
    /// The messages that a held message waits for.
    pub(super) missing: Box<[Number]>,
    pub(super) label: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Shape {
    /// Sent to a group, or to several peers.
    Sent,
    /// Sent to one person only.
    Direct,
    Delivered,
    /// Delivered after it had been given up.
    Late,
    Held,
    /// Messages were given up, or a process was forgotten.
    GaveUp,
    Started,
    Left,
    Killed,
    /// An event that breaks a rule.
    Wrong,
}

/// A message on its way to one destination.
pub(super) struct Arrow {
    pub(super) from: Place,
    pub(super) to: Place,
    pub(super) direct: bool,
    pub(super) fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) enum Fate {
    Arrived,
    /// It never arrived.
    Lost,
    /// It arrived below the end of the drawing.
    Below,
    /// It is not known here when it arrived.
    Unseen,
}

/// The rows through which a message was held back.
pub(super) struct Span {
    pub(super) line: usize,
    /// Spans of a line that overlap have different lanes.
    pub(super) lane: usize,
    pub(super) author: Option<usize>,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether the message was delivered at the end.
    pub(super) delivered: bool,
}

/// How much is not drawn, and why.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct LeftOut {
    /// Peers beyond [`LINES`].
    pub(super) lines: usize,
    /// The messages of these peers.
    pub(super) of_lines: usize,
    /// The messages that come after the end of the drawing.
    pub(super) after: usize,
    /// The messages that have no place in any order.
    pub(super) circular: usize,
    /// Copies of drawn messages to peers that are not drawn.
    pub(super) to_lines: usize,
    /// Copies of drawn messages to peers without a trace.
    pub(super) unknown: usize,
}

impl LeftOut {
    pub(super) fn messages(&self) -> usize {
        self.of_lines + self.after + self.circular
    }
}

impl Scene {
    pub(super) fn new(diagram: &Diagram, names: &Names) -> Self {
        let mut draft = Draft::new(diagram, names);
        for &at in &diagram.order {
            draft.event(at);
        }
        draft.finish()
    }
}

/// A scene that is being made.
struct Draft<'a> {
    diagram: &'a Diagram,
    history: &'a History,
    names: &'a Names,
    scene: Scene,
    /// The line of each site that has one.
    line_of: Vec<Option<usize>>,
    /// The row of the last event so far. In the order of all events, rows never decrease.
    row: usize,
    items: usize,
    ended: bool,
    /// The drawn messages, and their places.
    sent: HashMap<Number, Place>,
    /// The copies of drawn messages to peers that have lines.
    copies: Vec<Copy>,
    /// The copies that arrived, and whether they did so above the end of the drawing.
    arrived: HashMap<Copy, bool>,
    /// The spans that have not ended.
    held: HashMap<Copy, usize>,
}

/// A message and its destination.
type Copy = (Number, Number);

impl<'a> Draft<'a> {
    fn new(diagram: &'a Diagram, names: &'a Names) -> Self {
        let history = &diagram.history;
        let mut line_of = vec![None; history.sites.len()];
        let mut lines = Vec::new();
        let mut left_out = LeftOut::default();
        for (site, line_of) in (0..).zip(&mut line_of) {
            if history.sites[site as usize].events.is_empty() && diagram.live == Live::No {
                continue;
            }
            if lines.len() < LINES {
                *line_of = Some(lines.len());
                lines.push(Line::new(site));
            } else {
                left_out.lines += 1;
            }
        }
        let scene = Scene { lines, marks: Vec::new(), arrows: Vec::new(), spans: Vec::new(), rows: 0, left_out };
        Self {
            diagram,
            history,
            names,
            scene,
            line_of,
            row: 0,
            items: 0,
            ended: false,
            sent: HashMap::new(),
            copies: Vec::new(),
            arrived: HashMap::new(),
            held: HashMap::new(),
        }
    }

    fn event(&mut self, at: At) {
        let (site, position) = at;
        let event = self.history.sites[site as usize].events[position as usize];
        let Some(line) = self.line_of[site as usize] else { return };
        // The line itself shows where a trace begins.
        if position == 0 && event.kind == Kind::Start || self.comes_from_nowhere(event) {
            return;
        }
        let copies = self.copies(event);
        self.items += 1 + copies.len();
        self.ended |= self.items > ITEMS;
        if self.ended {
            self.scene.lines[line].goes_on = true;
            if let Some(message) = event.kind.arrives() {
                self.arrived.entry((message, event.by)).or_insert(false);
            }
            return;
        }
        match event.kind {
            Kind::Send(message) => self.send(line, message, copies),
            Kind::Deliver(message) | Kind::Late(message) | Kind::Hold(message) => self.arrive(line, at, event, message),
            Kind::Show(message) | Kind::ShowLate(message) => self.show(line, message),
            Kind::Abandon(range) => {
                let label = format!("gives up {}", self.names.range(self.history, range));
                self.mark(line, Shape::GaveUp, None, label);
            }
            Kind::Forget(process) => {
                let label = format!("forgets {}", self.names.process(process));
                self.mark(line, Shape::GaveUp, None, label);
            }
            Kind::Start => self.start(line, at, event),
            Kind::Stop => {
                self.mark(line, Shape::Left, None, "leaves".to_owned());
            }
            Kind::Struck => {
                self.mark(line, Shape::Wrong, None, "against the rules".to_owned());
            }
        }
    }

    /// Whether a message arrives in this event whose author has no line.
    fn comes_from_nowhere(&self, event: Event) -> bool {
        let sent = event.kind.arrives().and_then(|message| self.history.messages[message as usize].sent);
        sent.is_some_and(|sent| self.line_of[sent.site as usize].is_none())
    }

    /// The copies that an event sends to peers that have lines.
    fn copies(&self, event: Event) -> Vec<Copy> {
        let Kind::Send(message) = event.kind else { return Vec::new() };
        let destinations = self.history.destinations(self.sent(message)).iter();
        let seen = destinations.filter(|&&to| to != event.by && self.line_of_process(to).is_some());
        seen.map(|&to| (message, to)).collect()
    }

    fn sent(&self, message: Number) -> Sent {
        self.history.messages[message as usize].sent.expect("a send was read")
    }

    fn line_of_process(&self, process: Number) -> Option<usize> {
        let site = self.history.processes[process as usize].site;
        self.line_of.get(site as usize).copied().flatten()
    }

    fn send(&mut self, line: usize, message: Number, copies: Vec<Copy>) {
        let sent = self.sent(message);
        let destinations = self.history.destinations(sent);
        for &to in destinations {
            if self.history.processes[to as usize].site == NOWHERE {
                self.scene.left_out.unknown += 1;
            } else if self.line_of_process(to).is_none() {
                self.scene.left_out.to_lines += 1;
            }
        }
        let what = self.names.message(self.history, message);
        let (shape, label) = match (self.history.group_of(sent), destinations) {
            (Some(group), _) => (Shape::Sent, format!("{what} [{}]", isolated(harmless(group, NAME)))),
            (None, &[one]) => (Shape::Direct, format!("{what} → {}", self.names.process(one))),
            (None, many) => (Shape::Sent, format!("{what} → {} peers", many.len())),
        };
        let place = self.mark(line, shape, Some(line), label);
        self.about(message);
        self.sent.insert(message, place);
        self.copies.extend(copies);
    }

    fn arrive(&mut self, line: usize, at: At, event: Event, message: Number) {
        let from = self.sent.get(&message).copied();
        if let Some((_, row)) = from {
            self.row = self.row.max(row + 1);
        }
        let author = from.map(|(line, _)| line);
        let what = self.names.message(self.history, message);
        let (shape, label) = if event.kind == Kind::Hold(message) {
            (Shape::Held, self.waits(at, &what))
        } else if event.kind == Kind::Late(message) {
            (Shape::Late, format!("{what}, late"))
        } else if self.diagram.disordered.contains(&at) {
            (Shape::Wrong, format!("{what}, out of order"))
        } else {
            (Shape::Delivered, what)
        };
        let to = self.mark(line, shape, author, label);
        self.about(message);
        if shape == Shape::Held
            && let Some(missing) = self.history.waits.get(&at)
            && let Some(mark) = self.scene.marks.last_mut()
        {
            mark.missing.clone_from(missing);
        }
        let copy = (message, event.by);
        let first = self.arrived.insert(copy, true).is_none();
        if let Some(from) = from.filter(|_| first) {
            let fate = Fate::Arrived;
            self.scene.arrows.push(Arrow { from, to, direct: self.direct(message), fate });
        }
        if shape != Shape::Held {
            if let Some(span) = self.held.remove(&copy) {
                self.scene.close(span, to.1);
            }
        } else if first {
            let span = self.scene.open(line, author, to.1);
            self.held.insert(copy, span);
        }
    }

    /// A message that is shown as history. It comes from a process that has it, not from its author, so no arrow leads there.
    fn show(&mut self, line: usize, message: Number) {
        let from = self.sent.get(&message).copied();
        if let Some((_, row)) = from {
            self.row = self.row.max(row + 1);
        }
        let label = format!("{}, as history", self.names.message(self.history, message));
        self.mark(line, Shape::Delivered, from.map(|(line, _)| line), label);
        self.about(message);
    }

    /// Notes that the last mark is about this message.
    fn about(&mut self, message: Number) {
        if let Some(mark) = self.scene.marks.last_mut() {
            mark.message = Some(message);
        }
    }

    fn waits(&self, at: At, what: &str) -> String {
        let missing = self.history.waits.get(&at).map_or(&[][..], AsRef::as_ref);
        match missing {
            [] => format!("{what} waits"),
            [one] => format!("{what} waits for {}", self.names.message(self.history, *one)),
            [one, more @ ..] => {
                format!("{what} waits for {} +{}", self.names.message(self.history, *one), more.len())
            }
        }
    }

    fn direct(&self, message: Number) -> bool {
        let sent = self.sent(message);
        self.history.group_of(sent).is_none() && self.history.destinations(sent).len() == 1
    }

    /// A peer runs again. If there is no `stop` before that, it was killed right after its last event.
    fn start(&mut self, line: usize, (site, position): At, event: Event) {
        let before = self.history.sites[site as usize].events[position as usize - 1];
        if before.kind != Kind::Stop {
            self.killed(line, "killed");
        }
        self.scene.end_run(line);
        let same = before.by == event.by;
        let again = if same { String::new() } else { format!(" as {}", self.names.process(event.by)) };
        let (_, row) = self.mark(line, Shape::Started, None, format!("starts again{again}"));
        self.scene.lines[line].runs.push((row, row));
    }

    fn killed(&mut self, line: usize, label: &str) {
        let row = self.scene.lines[line].next_row();
        self.mark_at((line, row), Shape::Killed, None, label.to_owned());
    }

    fn mark(&mut self, line: usize, shape: Shape, author: Option<usize>, label: String) -> Place {
        self.row = self.row.max(self.scene.lines[line].next_row());
        self.mark_at((line, self.row), shape, author, label)
    }

    fn mark_at(&mut self, place: Place, shape: Shape, author: Option<usize>, label: String) -> Place {
        self.scene.lines[place.0].last = Some(place.1);
        self.scene.marks.push(Mark { place, shape, author, message: None, missing: Box::default(), label });
        place
    }

    fn finish(mut self) -> Scene {
        let mut placed: Vec<Number> = vec![0; self.history.sites.len()];
        for &(site, _) in &self.diagram.order {
            placed[site as usize] += 1;
        }
        for line in 0..self.scene.lines.len() {
            let number = self.scene.lines[line].site;
            let site = &self.history.sites[number as usize];
            self.scene.lines[line].goes_on |= (placed[number as usize] as usize) < site.events.len();
            let stopped = site.events.last().is_some_and(|event| event.kind == Kind::Stop);
            let runs = self.diagram.live == Live::Yes;
            if !self.scene.lines[line].goes_on && !stopped && !runs && site.path.is_some() {
                self.killed(line, "killed, or still running");
            }
        }
        let rows = self.scene.lines.iter().map(Line::next_row).max().unwrap_or_default();
        self.scene.rows = rows;
        for line in 0..self.scene.lines.len() {
            self.scene.end_run(line);
        }
        for message in 0..self.history.messages.len() as Number {
            let Some(sent) = self.history.messages[message as usize].sent else { continue };
            let left_out = &mut self.scene.left_out;
            if self.line_of[sent.site as usize].is_none() {
                left_out.of_lines += 1;
            } else if sent.position >= placed[sent.site as usize] {
                left_out.circular += 1;
            } else if !self.sent.contains_key(&message) {
                left_out.after += 1;
            }
        }
        for &copy in &self.copies {
            let (message, destination) = copy;
            let from = self.sent[&message];
            let Some(line) = self.line_of_process(destination) else { continue };
            let (row, fate) = match self.arrived.get(&copy) {
                None if self.diagram.live == Live::Yes => (from.1 + 1, Fate::Unseen),
                Some(true) => continue,
                Some(false) => (rows, Fate::Below),
                None if self.delivered(copy) => (rows, Fate::Below),
                None => (from.1 + 1, Fate::Lost),
            };
            let direct = self.direct(message);
            self.scene.arrows.push(Arrow { from, to: (line, row), direct, fate });
        }
        self.scene
    }

    /// Whether a copy was delivered, even in an event that has no place in any order.
    fn delivered(&self, (message, destination): Copy) -> bool {
        self.history.fate(self.sent(message), destination).is_some_and(|fate| self.history.delivered[fate])
    }
}

impl Scene {
    fn open(&mut self, line: usize, author: Option<usize>, row: usize) -> usize {
        let span = self.spans.len();
        let open = &mut self.lines[line].open;
        let lane = open.iter().position(Option::is_none).unwrap_or_else(|| {
            open.push(None);
            open.len() - 1
        });
        open[lane] = Some(span);
        self.spans.push(Span { line, lane, author, from: row, to: row, delivered: false });
        span
    }

    fn close(&mut self, span: usize, row: usize) {
        let span = &mut self.spans[span];
        (span.to, span.delivered) = (row, true);
        // There may be no lane: a kill ends all of them. The peer can still deliver the message if it had it on disk.
        if let Some(lane) = self.lines[span.line].open.get_mut(span.lane) {
            *lane = None;
        }
    }

    /// Ends the run and the open spans of a line, at its last mark or at the end of the drawing.
    fn end_run(&mut self, line: usize) {
        let Line { goes_on, last, runs, open, .. } = &mut self.lines[line];
        let row = if *goes_on { self.rows } else { last.unwrap_or_default() };
        if let Some((_, end)) = runs.last_mut() {
            *end = row;
        }
        for span in open.drain(..).flatten() {
            self.spans[span].to = row;
        }
    }
}

impl Line {
    fn new(site: Number) -> Self {
        Self { site, runs: vec![(0, 0)], goes_on: false, last: None, open: Vec::new() }
    }

    /// The row below its last mark.
    fn next_row(&self) -> usize {
        self.last.map_or(0, |row| row + 1)
    }
}
