//! `causerie check`: traces, verified.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::complain;
use crate::options::Traces;

/// Says what the traces show. 1 for a violation, 2 for traces that cannot be checked.
pub(crate) fn run(traces: &Traces) -> anyhow::Result<ExitCode> {
    let options = trace::Options {
        complete: traces.complete,
        absent: traces.absent.clone(),
        running: traces.running,
        killed: traces.killed.clone(),
    };
    match trace::check(&traces.files, &options) {
        Ok(report) => {
            writeln!(io::stdout(), "{report}")?;
            Ok(if report.violations == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => {
            complain(&error.into());
            Ok(ExitCode::from(2))
        }
    }
}
