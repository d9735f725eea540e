//! Outcomes as a table.

use std::fmt::Write;

use crate::{Measure, Outcome, Sweep};

/// A table in Markdown, with one row for each value of the sweep's parameter.
pub fn tabulate(sweep: &Sweep, measure: Measure, outcomes: &[Vec<Option<Outcome>>]) -> String {
    let mut table = format!("| {} |", sweep.axis);
    for contestant in &sweep.contestants {
        let _ = write!(table, " {} |", contestant.name());
    }
    table.push_str("\n|---|");
    table.push_str(&"---|".repeat(sweep.contestants.len()));
    table.push('\n');
    for ((value, run), outcomes) in sweep.points.iter().zip(outcomes) {
        let _ = write!(table, "| {value} |");
        for (contestant, outcome) in sweep.contestants.iter().zip(outcomes) {
            let _ = match outcome {
                Some(outcome) => {
                    let value = measure.of(outcome);
                    write!(table, " {value:.*} |", usize::from(value < 100.0))
                }
                None => write!(table, " *{}* |", contestant.excuse(run).unwrap_or_default()),
            };
        }
        table.push('\n');
    }
    table
}
