//! Drawing traces: as a picture, and as a log for a program that draws.
//!
//! What a drawing calls later is later in one order of all events. That order agrees with happened-before, so an arrow
//! never points back; where neither of two events happened before the other, an arrival comes as early as it can, and
//! for what a peer does of its own accord the clocks of the machines decide. Clocks that disagree can change nothing
//! else, and distances mean nothing: there is no time axis to be wrong about.

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

/// Whether the peer of the first trace still runs, and knows nothing of the others but what they sent it.
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
    /// See [`Error`]. Traces that break a rule can be drawn, and show where.
    pub fn read<P: AsRef<Path>>(files: &[P]) -> Result<Self, Error> {
        let Examined { history, report, disordered } = examine(files)?;
        if history.sites.iter().all(|site| site.events.is_empty()) {
            return Err(Error::Empty);
        }
        let order = order::order(&history);
        Ok(Self { history, report, disordered: disordered.into_iter().collect(), order, live: Live::No })
    }

    /// What is odd about the traces themselves: lines without an end, broken rules, events that have no place in any
    /// order. The picture says all of it, too.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.report.notes.clone();
        let events: usize = self.history.sites.iter().map(|site| site.events.len()).sum();
        if events > self.order.len() {
            let count = events - self.order.len();
            notes.push(format!("{count} events are left out: by these traces they happened before themselves"));
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

    /// Writes a space–time diagram: a line a peer, an arrow a message and destination. It needs nothing beside it, and is
    /// never larger than 2 MiB: a drawing ends before it cannot be read any more, and says what it left out.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_svg(&self, out: &mut impl Write) -> io::Result<()> {
        svg::write(self, out)
    }

    /// Writes a log for [ShiViz](https://bestchai.bitbucket.io/shiviz/): every event, with a vector clock that counts the
    /// events of each trace. The first line is [`SHIVIZ_EXPRESSION`], where ShiViz looks for it in a file.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_shiviz(&self, out: &mut impl Write) -> io::Result<()> {
        shiviz::write(self, out)
    }
}

#[cfg(test)]
mod tests;
