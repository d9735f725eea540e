//! What a check found.

use std::fmt;

/// The outcome of a check. Its `Display` is one line that sums it up, and below that what is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Processes that have events in them.
    pub processes: usize,
    /// Messages sent.
    pub messages: usize,
    /// Deliveries in order.
    pub deliveries: usize,
    /// Times that a message was held.
    pub held: usize,
    /// Times that a range of messages was given up.
    pub abandoned: usize,
    /// Deliveries of what had been given up.
    pub late: usize,
    /// Messages shown as history, to those to whom they had not been sent.
    pub shown_as_history: usize,
    /// Where completeness was verified: how often somebody gave up a message to him that then never came.
    pub lost: usize,
    /// Completeness was verified too.
    pub complete: bool,
    /// Of how many processes completeness asked nothing because they had not stopped: they were killed, or still run.
    pub unstopped: usize,
    /// How many violations there are.
    pub violations: usize,
    /// The first of them, [`Report::SHOWN`] at most of each rule. The first one against causal order shows the whole
    /// chain of messages.
    pub shown: Vec<Violation>,
    /// What is odd but breaks no rule, such as a file whose last line has no end.
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

/// What is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rule {
    /// No message is delivered before one that its author had sent or seen.
    CausalOrder,
    /// Nobody is shown an answer before its question, where one of them came as history.
    QuestionFirst,
    /// No message is delivered before it was sent.
    SentFirst,
    /// No process delivers a message twice.
    DeliveredOnce,
    /// What is delivered was sent.
    Sent,
    /// Only a destination delivers.
    Addressed,
    /// No id is sent twice, and only by its own process.
    SentOnce,
    /// The clocks of a process grow.
    ClocksGrow,
    /// Only what was given up is delivered late.
    LateAfterAbandon,
    /// What was sent was delivered, with the exceptions of the check's definition.
    Complete,
}

impl Report {
    /// How many violations of one rule are kept in [`Report::shown`]: the first says what is wrong, a few more show a
    /// pattern.
    pub const SHOWN: usize = 5;

    /// No rule is broken.
    pub fn is_ok(&self) -> bool {
        self.violations == 0
    }

    /// Counts a violation; its text is asked for only if it is going to be shown.
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
            f.write_str("there was nothing to check, for nobody has sent a message")?;
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
