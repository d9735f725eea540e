//! The result of a check.

use std::fmt;

/// The result of a check. Its `Display` is one line with a summary, and below that the notes and violations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Processes that have events in these files.
    pub processes: usize,
    /// Messages sent.
    pub messages: usize,
    /// Deliveries in order.
    pub deliveries: usize,
    /// How often a message was held back.
    pub held: usize,
    /// How often a range of messages was given up.
    pub abandoned: usize,
    /// Deliveries of messages that had been given up.
    pub late: usize,
    /// Messages shown as history, to processes that were not among their destinations.
    pub shown_as_history: usize,
    /// How often a process gave up a message to it that then never came. Counted only where completeness is verified.
    pub lost: usize,
    /// Whether completeness was verified too.
    pub complete: bool,
    /// How many processes are exempt from completeness because they had not stopped: they were killed, or still run.
    pub unstopped: usize,
    /// How many violations there are.
    pub violations: usize,
    /// The first violations, at most [`Report::SHOWN`] of each rule. The first one against causal order shows the whole chain
    /// of messages.
    pub shown: Vec<Violation>,
    /// Odd things that break no rule, such as a file whose last line has no end.
    pub notes: Vec<String>,
}

/// A rule that the traces break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The rule.
    pub rule: Rule,
    /// What happened, and in which lines of which files. It may have several lines.
    pub text: String,
}

/// A rule that is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// No message is delivered before one that happened before it.
    CausalOrder,
    /// No process is shown an answer before its question, where one of them came as history.
    QuestionFirst,
    /// No message is delivered before it was sent.
    SentFirst,
    /// No process delivers a message twice.
    DeliveredOnce,
    /// Every delivered message was sent.
    Sent,
    /// Only destinations deliver a message.
    Addressed,
    /// An id is sent only once, and only by its own process.
    SentOnce,
    /// The clocks of a process grow.
    ClocksGrow,
    /// Only a message that was given up is delivered late.
    LateAfterAbandon,
    /// Every message was delivered, with the exceptions in the check's definition.
    Complete,
}

impl Report {
    /// How many violations of one rule are kept in [`Report::shown`]. The first says what is wrong, and a few more show a
    /// pattern.
    pub const SHOWN: usize = 5;

    /// Whether no rule is broken.
    pub fn is_ok(&self) -> bool {
        self.violations == 0
    }

    /// Counts a violation. `text` is called only if the violation is going to be shown.
    pub(super) fn add(&mut self, rule: Rule, text: impl FnOnce() -> String) {
        self.violations += 1;
        if self.shown_of(rule) < Self::SHOWN {
            self.shown.push(Violation { rule, text: text() });
        }
    }

    pub(super) fn shown_of(&self, rule: Rule) -> usize {
        self.shown.iter().filter(|violation| violation.rule == rule).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
        write!(
            f,
            "{}, {}: {}, {}, {} held, {} abandoned",
            count(self.files, "file", "files"),
            count(self.processes, "process", "processes"),
            count(self.messages, "message", "messages"),
            count(self.deliveries, "delivery", "deliveries"),
            self.held,
            self.abandoned,
        )?;
        if self.complete && self.abandoned > 0 {
            write!(f, " ({} never came)", count(self.lost, "message", "messages"))?;
        }
        write!(f, ", {} late", self.late)?;
        if self.shown_as_history > 0 {
            write!(f, ", {} shown as history", self.shown_as_history)?;
        }
        f.write_str(": ")?;
        if self.is_ok() && self.messages + self.deliveries + self.shown_as_history == 0 {
            f.write_str("there was nothing to check: no message was sent")?;
        } else if self.is_ok() {
            f.write_str(if self.complete { "OK, causally ordered and complete" } else { "OK, causally ordered" })?;
            if self.unstopped > 0 {
                write!(f, " ({} had not stopped: nothing was asked of them)", self.unstopped)?;
            }
        } else {
            f.write_str(&count(self.violations, "violation", "violations"))?;
        }
        for note in &self.notes {
            write!(f, "\nnote: {note}")?;
        }
        for violation in &self.shown {
            write!(f, "\nviolation: {}", violation.text)?;
        }
        if self.violations > self.shown.len() {
            write!(f, "\n… and {} more", self.violations - self.shown.len())?;
        }
        Ok(())
    }
}
