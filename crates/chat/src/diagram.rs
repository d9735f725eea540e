//! A space–time diagram as a user interface gets it: what this peer itself sent, held and was shown lately.
//!
//! There is one line for each process. Later is below: rows have an order, and no distance means a time. Of the others it shows what
//! they sent to this peer; what they said to each other, and when this peer's messages were shown to them, is not known here.

use serde::{Deserialize, Serialize};

use crate::{MessageId, ProcessId};

/// The newest few hundred events of this peer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagramInfo {
    /// The lines, from left to right; this peer is the first.
    pub lines: Vec<DiagramLine>,
    /// How many rows there are.
    pub rows: usize,
    /// What happened, from top to bottom.
    pub marks: Vec<DiagramMark>,
    /// Each message to each of those whom it went to.
    pub arrows: Vec<DiagramArrow>,
    /// How long messages were held.
    pub held: Vec<DiagramSpan>,
    /// How many earlier events of this run are left out.
    pub earlier: u64,
    /// How many processes, with what they sent, are left out beyond the 32nd.
    pub other_lines: usize,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagramLine {
    /// Which one.
    pub process: ProcessId,
    /// Its person's label.
    pub label: String,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagramMark {
    /// The number of the line.
    pub line: usize,
    /// The row.
    pub row: usize,
    /// What it is: `sent`, `direct` (sent by this peer to one person alone), `delivered`, `late`, `held`, `gave_up`, `started`, `left` or `wrong`.
    pub kind: String,
    /// The message that it is about.
    pub message: Option<MessageId>,
    /// The same in words, `bob#3 waits for bob#2`.
    pub text: String,
    /// What a held message waited for.
    pub missing: Vec<MessageId>,
}

/// A message on its way to one destination.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagramArrow {
    /// The line and the row of the send.
    pub from: (usize, usize),
    /// The line and the row where it ends.
    pub to: (usize, usize),
    /// It arrived there and then. Otherwise it is this peer's own, and when it arrived is not known here.
    pub arrived: bool,
}

/// A message was held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiagramSpan {
    /// The number of the line.
    pub line: usize,
    /// Spans that overlap have lanes of their own, from 0.
    pub lane: usize,
    /// The row of its arrival.
    pub from: usize,
    /// The row of its delivery, or the last one.
    pub to: usize,
    /// It was delivered.
    pub delivered: bool,
}
