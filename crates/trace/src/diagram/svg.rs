//! Draws a scene as an SVG.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, Write};

use super::Diagram;
use super::names::Names;
use super::scene::{Arrow, Fate, ITEMS, LINES, Line, Mark, NAME, Place, Scene, Shape, Span};
use super::text::{Escaped, harmless, isolated, width, wrapped};

const MARGIN: f64 = 24.0;
/// The distance between rows: room for a label below one mark and above the next.
const ROW: f64 = 28.0;
/// How many rows lie between two rows of names: one screen.
const PAGE: usize = 26;
/// The height of a row of names.
const NAMES: f64 = 48.0;
/// The distance between lanes of held messages.
const LANE: f64 = 12.0;
/// The most lanes of one line. Further overlapping spans share the last lane.
const LANES: usize = 6;
/// The width of a column of text in labels, for the wider sans-serif fonts.
const COLUMN: f64 = 6.4;
/// The height of a line of text above the drawing.
const TEXT: f64 = 19.0;

/// The most notes about the traces that are shown. A run of many peers may have one for each.
const NOTES: usize = 5;

/// Okabe and Ito's colours, which colour-blind people can tell apart. The yellow one is left out, because it cannot be seen on
/// white.
const COLOURS: [&str; 7] = ["#0072b2", "#d55e00", "#009e73", "#a8488c", "#e69f00", "#56b4e9", "#000000"];
const GREY: &str = "#666666";
const ALARM: &str = "#c00000";

const STYLE: &str = "text{font-family:'Noto Sans','DejaVu Sans',Verdana,sans-serif;font-size:11px;fill:#222}\
    .title{font-size:19px;font-weight:bold}.note{font-size:13px}.warn{font-size:13px;font-weight:bold}\
    .name{font-size:14px;font-weight:bold;text-anchor:middle}.small{font-size:10px;fill:#555;text-anchor:middle}\
    .sent{font-weight:bold}";

pub(super) fn write(diagram: &Diagram, out: &mut impl Write) -> io::Result<()> {
    let names = Names::new(&diagram.history, NAME, isolated);
    let scene = Scene::new(diagram, &names);
    out.write_all(Paper::new(diagram, &names, &scene).drawn().as_bytes())
}

struct Paper<'a> {
    diagram: &'a Diagram,
    names: &'a Names,
    scene: &'a Scene,
    /// The distance between lines.
    column: f64,
    left: f64,
    width: f64,
    /// The top of the drawing, below the text about it.
    top: f64,
    lanes: HashMap<Place, usize>,
    svg: String,
}

/// A text above the drawing.
enum Said {
    Title(String),
    Note(String),
    Warning(String),
}

impl<'a> Paper<'a> {
    fn new(diagram: &'a Diagram, names: &'a Names, scene: &'a Scene) -> Self {
        let widest = |marks: &mut dyn Iterator<Item = &Mark>| {
            marks.map(|mark| width(&mark.label)).max().unwrap_or_default() as f64 * COLUMN
        };
        // Longer labels, with absurd clocks, may run into the next line.
        let column = (widest(&mut scene.marks.iter()).min(300.0) + 36.0).max(130.0);
        let last = scene.lines.len() - 1;
        let end = widest(&mut scene.marks.iter().filter(|mark| mark.place.0 == last)).clamp(64.0, 300.0);
        let lanes = scene.spans.iter().map(|span| span.lane.min(LANES)).max().unwrap_or_default();
        let left = MARGIN + 64.0 + lanes as f64 * LANE / 2.0;
        let right = left + column * last as f64;
        Self {
            diagram,
            names,
            scene,
            column,
            left,
            width: (right + end + MARGIN).max(680.0),
            top: MARGIN,
            lanes: scene.spans.iter().map(|span| ((span.line, span.from), span.lane)).collect(),
            svg: String::new(),
        }
    }

    fn drawn(mut self) -> String {
        self.say();
        self.legend();
        for line in 0..self.scene.lines.len() {
            self.line(line);
        }
        for span in &self.scene.spans {
            self.span(span);
        }
        for arrow in &self.scene.arrows {
            self.arrow(arrow);
        }
        for mark in &self.scene.marks {
            let (x, y) = self.point(mark.place);
            let x = if mark.shape == Shape::Held { x - self.lane(mark.place) } else { x };
            self.shape(x, y, mark.shape, colour(mark.author));
        }
        for mark in &self.scene.marks {
            self.label(mark);
        }
        for page in 0..=self.scene.rows.saturating_sub(1) / PAGE {
            self.names(page);
        }
        self.end();
        self.wrapped_up()
    }

    fn end(&mut self) {
        if self.scene.left_out.after > 0 {
            let y = self.y(self.scene.rows) + 10.0;
            self.put(format_args!(
                "<text class=\"warn\" x=\"{MARGIN}\" y=\"{y:.1}\">The drawing ends here. The run goes on.</text>"
            ));
        }
    }

    fn wrapped_up(self) -> String {
        let (width, height) = (self.width, self.y(self.scene.rows) + MARGIN);
        let summary = self.diagram.report.to_string();
        let summary = summary.lines().next().unwrap_or_default();
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\">\n<title>Space–time diagram</title>\n\
             <desc>{}</desc>\n<style>{STYLE}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{}</svg>\n",
            Escaped(summary),
            self.svg
        )
    }

    fn x(&self, line: usize) -> f64 {
        self.left + self.column * line as f64
    }

    fn y(&self, row: usize) -> f64 {
        self.page(row / PAGE) + NAMES + ROW * (row % PAGE) as f64 + ROW / 2.0
    }

    /// The top of a page.
    fn page(&self, page: usize) -> f64 {
        self.top + (NAMES + ROW * PAGE as f64) * page as f64
    }

    fn point(&self, (line, row): Place) -> (f64, f64) {
        (self.x(line), self.y(row))
    }

    /// The distance of a held message from its line.
    fn lane(&self, place: Place) -> f64 {
        self.lanes.get(&place).map_or(0.0, |&lane| offset(lane))
    }

    /// Adds one element or several.
    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        self.svg.write_fmt(element).expect("writing to a text cannot fail");
        self.svg.push('\n');
    }

    fn say(&mut self) {
        let columns = ((self.width - 2.0 * MARGIN) / 7.6) as usize;
        for said in self.said() {
            let (class, text, height, columns) = match said {
                Said::Title(text) => ("title", text, 28.0, columns * 2 / 3),
                Said::Note(text) => ("note", text, TEXT, columns),
                Said::Warning(text) => ("warn", text, TEXT, columns * 9 / 10),
            };
            for line in wrapped(&text, columns) {
                self.top += height;
                let y = self.top - 8.0;
                self.put(format_args!("<text class=\"{class}\" x=\"{MARGIN}\" y=\"{y:.1}\">{}</text>", Escaped(&line)));
            }
        }
    }

    /// The texts above the drawing: what it shows, what it leaves out, and why.
    fn said(&self) -> Vec<Said> {
        let left_out = &self.scene.left_out;
        let (peers, all) = (self.scene.lines.len(), self.scene.lines.len() + left_out.lines);
        let sent = self.scene.marks.iter().filter(|mark| matches!(mark.shape, Shape::Sent | Shape::Direct)).count();
        let messages = sent + left_out.messages();
        let mut said = vec![
            Said::Title(format!("{}, {}", of(peers, all, "peer", "peers"), of(sent, messages, "message", "messages"))),
            Said::Note(
                "Later is below; only the order counts, distances mean nothing. NAME#2 is the second message of NAME."
                    .to_owned(),
            ),
        ];
        if left_out.after > 0 {
            said.push(Said::Warning(format!(
                "Left out: {} that come after the end of this drawing. It ends at {ITEMS} marks and arrows, so that it \
                 stays readable.",
                count(left_out.after, "message", "messages"),
            )));
        }
        if left_out.lines > 0 {
            said.push(Said::Warning(format!(
                "Left out: {} with the {} they sent, and {} of the messages below to them. A drawing has {LINES} lines, \
                 for the traces that are given first.",
                count(left_out.lines, "peer", "peers"),
                count(left_out.of_lines, "message", "messages"),
                count(left_out.to_lines, "copy", "copies"),
            )));
        }
        if left_out.circular > 0 {
            let messages = count(left_out.circular, "message", "messages");
            said.push(Said::Warning(format!("Left out: {messages} that have no place in any order.")));
        }
        if left_out.unknown > 0 {
            let copies = count(left_out.unknown, "copy", "copies");
            said.push(Said::Warning(format!("Left out: {copies} of these messages to peers without a trace.")));
        }
        let notes = self.diagram.notes();
        said.extend(notes.iter().take(NOTES).map(|note| Said::Warning(harmless(note, 400))));
        if notes.len() > NOTES {
            said.push(Said::Warning(format!("… and {} more notes", notes.len() - NOTES)));
        }
        said
    }

    /// The meaning of the signs in this drawing.
    fn legend(&mut self) {
        let shapes: HashSet<Shape> = self.scene.marks.iter().map(|mark| mark.shape).collect();
        let fates: HashSet<Fate> = self.scene.arrows.iter().map(|arrow| arrow.fate).collect();
        self.top += 18.0;
        let (mut x, first) = (MARGIN, self.top);
        for (shape, meaning) in [
            (Shape::Sent, "sent to a group or to several"),
            (Shape::Direct, "sent to one person alone"),
            (Shape::Delivered, "delivered"),
            (Shape::Held, "held, from its arrival until it may be delivered"),
            (Shape::Late, "delivered after it was given up"),
            (Shape::GaveUp, "given up, forgotten"),
            (Shape::Left, "left"),
            (Shape::Killed, "killed: there is no goodbye"),
            (Shape::Started, "started again"),
            (Shape::Wrong, "against the rules"),
        ] {
            if shapes.contains(&shape) {
                x = self.legend_place(x, meaning);
                let y = self.top;
                let line = matches!(shape, Shape::Sent | Shape::Direct);
                let at = if line { x } else { x + 12.0 };
                if line {
                    self.stroke((x, y), (x + 24.0, y), GREY, if shape == Shape::Direct { DASHED } else { "" });
                } else if shape == Shape::Held {
                    self.bar(at, y - 9.0, y + 9.0, GREY);
                }
                self.shape(at, y, shape, GREY);
                x = self.legend_text(x, meaning);
            }
        }
        if fates.contains(&Fate::Lost) {
            let meaning = "never delivered there";
            x = self.legend_place(x, meaning);
            self.lost((x, self.top), (x + 22.0 + 14.0, self.top), GREY);
            self.legend_text(x, meaning);
        }
        if !shapes.is_empty() || self.top > first {
            self.top += 22.0;
        }
    }

    fn legend_place(&mut self, x: f64, meaning: &str) -> f64 {
        let fits = x + 30.0 + width(meaning) as f64 * COLUMN < self.width - MARGIN;
        if !fits {
            self.top += TEXT + 3.0;
        }
        if fits { x + 5.0 } else { MARGIN + 5.0 }
    }

    fn legend_text(&mut self, x: f64, meaning: &str) -> f64 {
        let y = self.top + 4.0;
        self.put(format_args!("<text x=\"{:.1}\" y=\"{y:.1}\">{meaning}</text>", x + 30.0));
        x + 30.0 + width(meaning) as f64 * COLUMN + 8.0
    }

    fn names(&mut self, page: usize) {
        let y = self.page(page) + 8.0;
        for number in 0..self.scene.lines.len() {
            let Line { site, .. } = self.scene.lines[number];
            let name = self.names.site(&self.diagram.history, site).to_owned();
            let box_width = (width(&name) as f64 * 9.0 + 20.0).max(64.0);
            let (x, colour) = (self.x(number), COLOURS[number % COLOURS.len()]);
            let traced = self.traced(site);
            let dashes = if traced { "" } else { DASHED };
            self.put(format_args!(
                "<rect x=\"{:.1}\" y=\"{y:.1}\" width=\"{box_width:.1}\" height=\"26\" rx=\"6\" fill=\"#ffffff\" \
                 stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>\n\
                 <text class=\"name\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
                x - box_width / 2.0,
                y + 18.0,
                Escaped(&name)
            ));
            if !traced {
                self.put(format_args!("<text class=\"small\" x=\"{x:.1}\" y=\"{:.1}\">no trace</text>", y + 37.0));
            }
        }
    }

    fn traced(&self, site: u32) -> bool {
        self.diagram.history.sites[site as usize].path.is_some()
    }

    fn line(&mut self, number: usize) {
        let scene = self.scene;
        let line = &scene.lines[number];
        let x = self.x(number);
        let dashes = if self.traced(line.site) { "" } else { DASHED };
        for (run, &(from, to)) in line.runs.iter().enumerate() {
            let from = if run == 0 { self.page(0) + NAMES / 2.0 } else { self.y(from) };
            self.put(format_args!(
                "<path d=\"M{x:.1} {from:.1}V{:.1}\" stroke=\"#999999\" stroke-width=\"1.5\"{dashes}/>",
                self.y(to)
            ));
        }
    }

    fn span(&mut self, span: &Span) {
        let x = self.x(span.line) - offset(span.lane);
        let (from, to, colour) = (self.y(span.from), self.y(span.to), colour(span.author));
        self.bar(x, from - 5.0, to + 5.0, colour);
        if span.delivered && span.lane > 0 {
            self.stroke((x, to), (self.x(span.line), to), colour, "");
        }
    }

    fn bar(&mut self, x: f64, from: f64, to: f64, colour: &str) {
        self.put(format_args!(
            "<rect x=\"{:.1}\" y=\"{from:.1}\" width=\"10\" height=\"{:.1}\" rx=\"5\" fill=\"{colour}\" \
             fill-opacity=\"0.3\" stroke=\"{colour}\"/>",
            x - 5.0,
            to - from
        ));
    }

    fn arrow(&mut self, arrow: &Arrow) {
        let (from, (x, y)) = (self.point(arrow.from), self.point(arrow.to));
        let colour = colour(Some(arrow.from.0));
        let dashes = if arrow.direct { DASHED } else { "" };
        match arrow.fate {
            Fate::Lost => self.lost(from, (x, y), colour),
            Fate::Below | Fate::Unseen => self.stroke(from, (x, y), colour, dashes),
            Fate::Arrived => {
                let to = (x - self.lane(arrow.to), y);
                let along = direction(from, to);
                // The tip of the arrowhead touches the mark.
                let tip = (to.0 - along.0 * 4.5, to.1 - along.1 * 4.5);
                let neck = (tip.0 - along.0 * 9.0, tip.1 - along.1 * 9.0);
                self.stroke(from, neck, colour, dashes);
                let side = (-along.1 * 3.8, along.0 * 3.8);
                self.put(format_args!(
                    "<path d=\"M{:.1} {:.1}L{:.1} {:.1}L{:.1} {:.1}Z\" fill=\"{colour}\"/>",
                    tip.0,
                    tip.1,
                    neck.0 + side.0,
                    neck.1 + side.1,
                    neck.0 - side.0,
                    neck.1 - side.1
                ));
            }
        }
    }

    /// A message that never arrived: dotted, with a cross before its destination.
    fn lost(&mut self, from: (f64, f64), to: (f64, f64), colour: &str) {
        let along = direction(from, to);
        let end = (to.0 - along.0 * 14.0, to.1 - along.1 * 14.0);
        self.stroke(from, end, colour, " stroke-dasharray=\"1.5 4\"");
        self.cross(end.0, end.1, 4.0, GREY);
    }

    fn stroke(&mut self, from: (f64, f64), to: (f64, f64), colour: &str, dashes: &str) {
        self.put(format_args!(
            "<path d=\"M{:.1} {:.1}L{:.1} {:.1}\" stroke=\"{colour}\" stroke-width=\"1.6\"{dashes}/>",
            from.0, from.1, to.0, to.1
        ));
    }

    fn cross(&mut self, x: f64, y: f64, size: f64, colour: &str) {
        self.put(format_args!(
            "<path d=\"M{:.1} {:.1}l{d} {d}m0 -{d}l-{d} {d}\" stroke=\"{colour}\" stroke-width=\"2.2\" fill=\"none\"/>",
            x - size,
            y - size,
            d = 2.0 * size
        ));
    }

    fn shape(&mut self, x: f64, y: f64, shape: Shape, colour: &str) {
        match shape {
            Shape::Sent => self.circle(x, y, 5.0, colour, colour),
            Shape::Direct => {
                self.put(format_args!("<path d=\"M{x:.1} {:.1}l6 6l-6 6l-6 -6Z\" fill=\"{colour}\"/>", y - 6.0))
            }
            Shape::Delivered => self.circle(x, y, 3.5, colour, "#ffffff"),
            Shape::Held => self.circle(x, y, 3.5, "#ffffff", colour),
            Shape::Late => self.circle(x, y, 4.5, "#ffffff", colour),
            Shape::GaveUp => {
                self.circle(x, y, 5.5, "#ffffff", "#333333");
                self.stroke((x - 4.0, y + 4.0), (x + 4.0, y - 4.0), "#333333", "");
            }
            Shape::Started => {
                self.put(format_args!("<path d=\"M{:.1} {:.1}h12l-6 9Z\" fill=\"#333333\"/>", x - 6.0, y - 4.0));
            }
            Shape::Left => self.stroke((x - 8.0, y), (x + 8.0, y), "#333333", ""),
            Shape::Killed => self.cross(x, y, 5.5, ALARM),
            Shape::Wrong => {
                self.circle(x, y, 6.5, "#ffffff", ALARM);
                self.circle(x, y, 3.0, ALARM, ALARM);
            }
        }
    }

    fn circle(&mut self, x: f64, y: f64, radius: f64, fill: &str, stroke: &str) {
        self.put(format_args!(
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{radius}\" fill=\"{fill}\" stroke=\"{stroke}\" stroke-width=\"1.6\"/>"
        ));
    }

    /// A label stands above a sent message, because its arrows go downwards, and below any other mark, because arrows come from
    /// above.
    fn label(&mut self, mark: &Mark) {
        let (x, y) = self.point(mark.place);
        let sent = matches!(mark.shape, Shape::Sent | Shape::Direct);
        let (x, y, class) = if sent { (x + 9.0, y - 4.0, " class=\"sent\"") } else { (x + 8.0, y + 12.0, "") };
        self.put(format_args!(
            "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"12\" fill=\"#ffffff\" fill-opacity=\"0.8\"/>\n\
             <text{class} x=\"{x:.1}\" y=\"{y:.1}\">{}</text>",
            x - 1.0,
            y - 9.5,
            width(&mark.label) as f64 * COLUMN + 2.0,
            Escaped(&mark.label)
        ));
    }
}

const DASHED: &str = " stroke-dasharray=\"6 3.5\"";

fn colour(author: Option<usize>) -> &'static str {
    author.map_or(GREY, |line| COLOURS[line % COLOURS.len()])
}

fn offset(lane: usize) -> f64 {
    lane.min(LANES) as f64 * LANE
}

fn direction(from: (f64, f64), to: (f64, f64)) -> (f64, f64) {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let length = x.hypot(y).max(1.0);
    (x / length, y / length)
}

fn count(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

fn of(shown: usize, all: usize, one: &str, many: &str) -> String {
    if shown == all { count(all, one, many) } else { format!("{shown} of {}", count(all, one, many)) }
}
