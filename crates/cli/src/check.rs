//! `causerie check`: traces, verified.

use std::io::{self, Write as _};
use std::process::ExitCode;

use crate::options::Traces;
use crate::{Misuse, complain};

/// Says what the traces show. 1 for a violation, 2 for traces that cannot be checked.
pub(crate) fn run(traces: &Traces) -> anyhow::Result<ExitCode> {
    if let Some(both) = traces.killed.iter().find(|name| traces.absent.contains(name)) {
        return Err(Misuse(format!(
            "{both} cannot have been killed and have left on purpose: choose one of --killed and --absent"
        ))
        .into());
    }
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
