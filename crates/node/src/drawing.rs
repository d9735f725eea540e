//! What the peer did lately, for a drawing that grows as messages come.

use std::collections::VecDeque;
use std::sync::Arc;

use chat::{DiagramArrow, DiagramInfo, DiagramLine, DiagramMark, DiagramSpan, Journal, MessageId, PersonId, ProcessId};
use trace::Picture;

use crate::journal::Spelling;

/// How many events are kept: as many as fit on a few screens.
const KEPT: usize = 400;

/// The newest events of this run.
#[derive(Debug, Default)]
pub(crate) struct Lately {
    events: VecDeque<(i64, Journal)>,
    /// The last start, which says who this peer is. It may no longer be in `events`.
    start: Option<Journal>,
    /// How many events came before these.
    earlier: u64,
}

impl Lately {
    /// Keeps only the last of these entries, as many as are drawn.
    pub(crate) fn cut(journal: &mut Vec<Journal>) {
        let mut excess = journal.len().saturating_sub(KEPT);
        if excess > 0 {
            // A start is needed, however many entries follow it.
            journal.retain(|entry| {
                let is_excess = excess > 0;
                excess = excess.saturating_sub(1);
                !is_excess || matches!(entry, Journal::Start { .. })
            });
        }
    }

    /// Notes what happened at `ts` (Unix µs).
    pub(crate) fn note(&mut self, journal: Vec<Journal>, ts: i64) {
        if let Some(start) = journal.iter().rfind(|entry| matches!(entry, Journal::Start { .. })) {
            self.start = Some(start.clone());
        }
        self.events.extend(journal.into_iter().map(|entry| (ts, entry)));
        let excess = self.events.len().saturating_sub(KEPT);
        self.events.drain(..excess);
        self.earlier += excess as u64;
    }

    /// The drawing. `label_of` names people.
    pub(crate) fn drawn(&self, label_of: impl Fn(PersonId) -> Option<String>) -> DiagramInfo {
        let mut spelling = Spelling::default();
        if let Some(start) = self.start.clone() {
            spelling.record(start, 0);
        }
        let records: Vec<_> = self.events.iter().map(|(ts, entry)| spelling.record(entry.clone(), *ts)).collect();
        let label =
            |process: &ProcessId| label_of(process.person).unwrap_or_else(|| process.person.fingerprint().to_string());
        let named = |id: &MessageId| format!("{}#{}", label(&id.process), id.clock);
        // This only fails on invalid process ids or on too many of them, and a peer writes neither.
        let Ok(picture) = Picture::of(&records) else { return DiagramInfo::default() };
        let lines = picture.lines.iter().filter_map(|line| line.parse().ok());
        let lines: Vec<DiagramLine> = lines.map(|process| DiagramLine { process, label: label(&process) }).collect();
        if lines.len() < picture.lines.len() {
            return DiagramInfo::default();
        }
        let marks = picture.marks.into_iter().map(|mark| {
            let message = mark.message.as_ref().and_then(id);
            let missing: Vec<MessageId> = mark.missing.iter().filter_map(id).collect();
            let text = match &message {
                None => mark.label,
                Some(id) if missing.is_empty() => named(id),
                Some(id) => {
                    let missing: Vec<String> = missing.iter().map(named).collect();
                    format!("{} waits for {}", named(id), missing.join(", "))
                }
            };
            DiagramMark { line: mark.line, row: mark.row, kind: mark.kind.to_owned(), message, text, missing }
        });
        let arrows = picture.arrows.into_iter().map(|arrow| DiagramArrow {
            from: arrow.from,
            to: arrow.to,
            arrived: arrow.arrived,
        });
        let held = picture.spans.into_iter().map(|span| DiagramSpan {
            line: span.line,
            lane: span.lane,
            from: span.from,
            to: span.to,
            delivered: span.delivered,
        });
        DiagramInfo {
            marks: marks.collect(),
            arrows: arrows.collect(),
            held: held.collect(),
            rows: picture.rows,
            earlier: self.earlier + picture.earlier as u64,
            other_lines: picture.other_lines,
            lines,
        }
    }
}

fn id(id: &trace::MessageId) -> Option<MessageId> {
    let process: Arc<str> = Arc::clone(&id.process);
    Some(MessageId { process: process.parse().ok()?, clock: id.clock })
}
