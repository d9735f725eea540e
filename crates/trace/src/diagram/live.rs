//! A drawing of what one peer saw and did, from its own events alone. It consists of values, and the caller draws them.
//!
//! It shows the messages that others sent to this peer. A message of this peer has an arrow to each of its destinations, but
//! the peer does not know when the message was shown there. Messages among the others are not in it.

use std::sync::Arc;

use super::names::Names;
use super::order::order;
use super::scene::{Fate, Mark, Scene, Shape};
use super::{Diagram, Live};
use crate::history::{History, Number};
use crate::{Error, MessageId, Record, Report};

/// A drawing of one peer's events. Later events are further down; only the order of rows counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// The processes, each with a line of its own. The peer itself is the first.
    pub lines: Vec<Arc<str>>,
    /// The number of rows.
    pub rows: usize,
    /// The events, from top to bottom.
    pub marks: Vec<PictureMark>,
    /// The messages, one arrow per destination.
    pub arrows: Vec<PictureArrow>,
    /// How long messages were held back.
    pub spans: Vec<PictureSpan>,
    /// How many of the oldest events are left out, because a person cannot follow more.
    pub earlier: usize,
    /// How many processes are left out with their messages, because a drawing has at most 32 lines.
    pub other_lines: usize,
}

/// An event at a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureMark {
    /// The number of the line.
    pub line: usize,
    /// The row.
    pub row: usize,
    /// The kind of event: `sent`, `direct` (sent by this peer to one process alone), `delivered`, `late`, `held`, `gave_up`,
    /// `started`, `left` or `wrong`.
    pub kind: &'static str,
    /// The message that it is about.
    pub message: Option<MessageId>,
    /// The messages that a held message waited for.
    pub missing: Vec<MessageId>,
    /// A description in words. It names processes by the ends of their ids.
    pub label: String,
}

/// A message on its way to one destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureArrow {
    /// The line and the row of the send.
    pub from: (usize, usize),
    /// The line and the row of the arrival.
    pub to: (usize, usize),
    /// Whether it is known to have arrived, in the row of `to`. Otherwise it is a message of this peer, and the time of its
    /// arrival is not known.
    pub arrived: bool,
}

/// The time for which a message was held back, from its arrival to its delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureSpan {
    /// The number of the line.
    pub line: usize,
    /// The lane, from 0. Spans that overlap have different lanes.
    pub lane: usize,
    /// The row of the arrival.
    pub from: usize,
    /// The row of the delivery; the last row if the message is still held.
    pub to: usize,
    /// Whether it was delivered.
    pub delivered: bool,
}

impl Picture {
    /// Draws the events of one peer, which are given oldest first. If there are too many, it draws the newest.
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`].
    ///
    /// # Examples
    ///
    /// ```
    /// let line = r#"{"ts":1,"peer":"A","name":"alice","event":"send","id":"A:1","dests":["B","C"]}"#;
    /// let picture = trace::Picture::of(&[serde_json::from_str(line)?])?;
    /// assert_eq!((picture.lines.len(), picture.arrows.len()), (3, 2));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of(records: &[Record]) -> Result<Self, Error> {
        if records.is_empty() {
            return Ok(Self::default());
        }
        let mut from = 0;
        loop {
            let picture = Self::of_all(&records[from..], from)?;
            match picture {
                Some(picture) => return Ok(picture),
                None => from += (records.len() - from).div_ceil(2),
            }
        }
    }

    /// Draws all of `records`; `None` if they are too many for a drawing.
    fn of_all(records: &[Record], earlier: usize) -> Result<Option<Self>, Error> {
        let history = History::of_one(records)?;
        let order = order(&history);
        let diagram =
            Diagram { history, report: Report::default(), disordered: Default::default(), order, live: Live::Yes };
        let names = Names::new(&diagram.history, super::scene::NAME, |name| name);
        let scene = Scene::new(&diagram, &names);
        let history = &diagram.history;
        if scene.left_out.after > 0 && records.len() > 1 {
            return Ok(None);
        }
        let id = |message: &Number| history.id(*message);
        let mark = |Mark { place, shape, message, missing, label, .. }: &Mark| PictureMark {
            line: place.0,
            row: place.1,
            // The other destinations of other peers' messages are not known.
            kind: if place.0 > 0 && *shape == Shape::Direct { "sent" } else { kind(*shape) },
            message: message.as_ref().map(id),
            missing: missing.iter().map(id).collect(),
            label: label.clone(),
        };
        Ok(Some(Self {
            lines: scene.lines.iter().map(|line| history.process_of(line.site)).collect(),
            rows: scene.rows,
            marks: scene.marks.iter().map(mark).collect(),
            arrows: scene
                .arrows
                .iter()
                .map(|arrow| PictureArrow { from: arrow.from, to: arrow.to, arrived: arrow.fate == Fate::Arrived })
                .collect(),
            spans: scene
                .spans
                .iter()
                .map(|span| PictureSpan {
                    line: span.line,
                    lane: span.lane,
                    from: span.from,
                    to: span.to,
                    delivered: span.delivered,
                })
                .collect(),
            earlier,
            other_lines: scene.left_out.lines,
        }))
    }
}

fn kind(shape: Shape) -> &'static str {
    match shape {
        Shape::Sent => "sent",
        Shape::Direct => "direct",
        Shape::Delivered => "delivered",
        Shape::Late => "late",
        Shape::Held => "held",
        Shape::GaveUp => "gave_up",
        Shape::Started => "started",
        Shape::Left | Shape::Killed => "left",
        Shape::Wrong => "wrong",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(lines: &[&str]) -> Vec<Record> {
        let record = |(nth, line): (usize, &&str)| {
            serde_json::from_str(&format!(r#"{{"ts":{nth},"peer":"ME","name":"me",{line}}}"#)).unwrap()
        };
        lines.iter().enumerate().map(record).collect()
    }

    fn at(picture: &Picture, message: &str, kind: &str) -> (usize, usize) {
        let is_it = |mark: &&PictureMark| {
            mark.kind == kind && mark.message.as_ref().is_some_and(|id| id.to_string() == message)
        };
        picture.marks.iter().find(is_it).map(|mark| (mark.line, mark.row)).unwrap()
    }

    #[test]
    fn a_held_message_has_an_arrow_to_its_arrival_and_tells_what_it_waits_for() {
        let lines = [
            r#""event":"start""#,
            r#""event":"hold","id":"CAROL:1","missing":["BOB:1"]"#,
            r#""event":"send","id":"ME:1","dests":["BOB","CAROL"],"group":"all""#,
            r#""event":"deliver","id":"BOB:1""#,
            r#""event":"deliver","id":"CAROL:1""#,
        ];
        let still = Picture::of(&records(&lines[..3])).unwrap();
        assert_eq!(still.spans, [PictureSpan { line: 0, lane: 0, from: 1, to: still.rows - 1, delivered: false }]);
        let picture = Picture::of(&records(&lines)).unwrap();
        assert_eq!(picture.lines.iter().map(|line| &**line).collect::<Vec<_>>()[..1], ["ME"]);
        assert_eq!(picture.lines.len(), 3);
        let held = picture.marks.iter().find(|mark| mark.kind == "held").unwrap();
        assert_eq!(held.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["BOB:1"]);
        let (sent, arrived) = (at(&picture, "CAROL:1", "sent"), at(&picture, "CAROL:1", "held"));
        assert!(picture.arrows.contains(&PictureArrow { from: sent, to: arrived, arrived: true }));
        let delivered = at(&picture, "CAROL:1", "delivered");
        assert!(delivered.1 > at(&picture, "BOB:1", "delivered").1);
        assert_eq!(
            picture.spans,
            [PictureSpan { line: 0, lane: 0, from: arrived.1, to: delivered.1, delivered: true }]
        );
        let mine = picture.arrows.iter().filter(|arrow| !arrow.arrived).count();
        assert_eq!(mine, 2, "{picture:?}");
        assert!(!picture.marks.iter().any(|mark| mark.label.contains("killed")), "it runs");
        assert_eq!((picture.earlier, picture.other_lines), (0, 0));
    }

    #[test]
    fn no_arrow_points_back_and_of_too_many_events_the_newest_are_drawn() {
        let dests: Vec<String> = (0..20).map(|nth| format!("\"P{nth}\"")).collect();
        let lines: Vec<String> = (1..400)
            .map(|clock| match clock % 3 {
                0 => format!(r#""event":"send","id":"ME:{clock}","dests":[{}]"#, dests.join(",")),
                of => format!(r#""event":"deliver","id":"P{of}:{clock}""#),
            })
            .collect();
        let records = records(&lines.iter().map(String::as_str).collect::<Vec<_>>());
        let picture = Picture::of(&records).unwrap();
        assert!(picture.earlier > 0 && picture.earlier < records.len(), "{}", picture.earlier);
        assert!(picture.marks.len() + picture.arrows.len() > 500, "{}", picture.marks.len());
        assert!(picture.arrows.iter().all(|arrow| arrow.from.1 < arrow.to.1));
        assert_eq!(at(&picture, "ME:399", "sent").0, 0);
        assert!(picture.lines.len() <= 32);
    }

    #[test]
    fn a_peer_without_events_has_an_empty_drawing() {
        assert_eq!(Picture::of(&[]).unwrap(), Picture::default());
    }
}
