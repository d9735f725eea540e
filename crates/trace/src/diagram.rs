//! Drawing traces: as a picture, and as a log for another program that draws.
//!
//! A drawing shows all events in one order, from top to bottom. The order agrees with happened-before, so no arrow points back.
//! Among concurrent events, an arrival comes as early as it can. Events that a peer causes itself are ordered by the clocks of
//! the machines. Clocks that disagree change nothing else. Distances mean nothing, because there is no time axis.

mod live;
mod names;
mod order;
mod scene;
mod shiviz;
mod svg;
mod text;

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

use crate::check::{Examined, examine};
use crate::history::{History, Number};
use crate::{Error, Report};

pub use live::{Picture, PictureArrow, PictureMark, PictureSpan};
pub use shiviz::EXPRESSION as SHIVIZ_EXPRESSION;

/// The site and position of an event.
type At = (Number, Number);

/// Traces that can be drawn.
///
/// # Examples
///
/// ```
/// let folder = tempfile::tempdir()?;
/// let file = folder.path().join("alice");
/// std::fs::write(&file, r#"{"ts":1,"peer":"A","name":"alice","event":"send","id":"A:1","dests":["B"]}"#)?;
///
/// let mut svg = Vec::new();
/// trace::Diagram::read(&[file])?.write_svg(&mut svg)?;
/// assert!(String::from_utf8(svg)?.starts_with("<svg "));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Diagram {
    history: History,
    report: Report,
    disordered: BTreeSet<At>,
    order: Vec<At>,
    live: Live,
}

/// Whether the peer of the first trace still runs, so that it knows only what the others sent to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Live {
    Yes,
    No,
}

impl Diagram {
    /// Reads the traces `files` of one run, as [`check()`](crate::check()) does.
    ///
    /// # Errors
    ///
    /// See [`Error`]. Traces that break a rule can be drawn, and the drawing shows where.
    pub fn read<P: AsRef<Path>>(files: &[P]) -> Result<Self, Error> {
        let Examined { history, report, disordered } = examine(files)?;
        if history.sites.iter().all(|site| site.events.is_empty()) {
            return Err(Error::Empty);
        }
        let order = order::order(&history);
        Ok(Self { history, report, disordered: disordered.into_iter().collect(), order, live: Live::No })
    }

    /// Notes about the traces themselves: lines without an end, broken rules, events that have no place in any order. The
    /// picture shows these notes too.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.report.notes.clone();
        let events: usize = self.history.sites.iter().map(|site| site.events.len()).sum();
        if events > self.order.len() {
            let count = events - self.order.len();
            notes.push(format!("{count} events are left out: in these traces they happened before themselves"));
        }
        if let Some(first) = self.report.shown.first() {
            let first = first.text.lines().next().unwrap_or_default();
            notes.push(match self.report.violations {
                1 => format!("a rule is broken: {first}"),
                count => format!("rules are broken {count} times; the first time: {first}"),
            });
        }
        notes
    }

    /// Writes a space–time diagram: one line per peer, one arrow per message and destination. The SVG needs no other file, and
    /// is never larger than 2 MiB. A long drawing ends early, so that it stays readable, and says what it left out.
    ///
    /// # Errors
    ///
    /// The errors of `out`.
    pub fn write_svg(&self, out: &mut impl Write) -> io::Result<()> {
        svg::write(self, out)
    }

    /// Writes a log for [ShiViz](https://bestchai.bitbucket.io/shiviz/): every event, with a vector clock that counts the
    /// events of each trace. The first line is [`SHIVIZ_EXPRESSION`], where ShiViz looks for it in a file.
    ///
    /// # Errors
    ///
    /// The errors of `out`.
    pub fn write_shiviz(&self, out: &mut impl Write) -> io::Result<()> {
        shiviz::write(self, out)
    }
}

#[cfg(test)]
mod tests;
