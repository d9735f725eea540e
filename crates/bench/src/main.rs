//! Writes the tables and plots of `docs/rivals.md` into a folder, and fails if messages are larger than the targets allow.
#![expect(clippy::print_stdout, reason = "it prints the figures for the person who runs it")]

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use bench::{Outcome, Run, Sweep, TARGETS, draw, sweeps, tabulate};

fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| "docs/rivals".to_owned()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut text = "# Causal multicast: the figures\n\nWritten by `cargo run --release -p causerie-bench`; \
                    [what they say](../rivals.md).\n"
        .to_owned();
    for sweep in sweeps() {
        let outcomes = run(&sweep);
        write!(text, "\n## {}\n", sweep.title)?;
        for &measure in sweep.measures {
            let file = folder.join(format!("{}-{}.svg", sweep.file, measure.file()));
            draw(&sweep, measure, &outcomes, &file)?;
            write!(text, "\n{}:\n\n{}", measure.name(), tabulate(&sweep, measure, &outcomes))?;
        }
    }
    text.push_str("\n## Targets\n\n| | measured | at most |\n|---|---|---|\n");
    let mut missed = Vec::new();
    for target in TARGETS {
        let (measured, most) = target.measure();
        writeln!(text, "| {} | {measured:.1} | {most:.1} |", target.name)?;
        println!("{}: {measured:.1} bytes, at most {most:.1}", target.name);
        missed.extend((measured > most).then_some(target.name));
    }
    fs::write(folder.join("tables.md"), text).context("cannot write the tables")?;
    ensure!(missed.is_empty(), "messages are larger than allowed in: {}", missed.join("; "));
    Ok(())
}

/// The outcomes: one row for each point of the sweep, with one outcome for each contestant.
fn run(sweep: &Sweep) -> Vec<Vec<Option<Outcome>>> {
    let row = |(value, run): &(f64, Run)| {
        let outcomes = sweep.contestants.iter().map(|contestant| {
            let outcome = contestant.excuse(run).is_none().then(|| contestant.run(run))?;
            println!("{} {value}, {}: {:.1} bytes", sweep.file, contestant.name(), outcome.bytes);
            Some(outcome)
        });
        outcomes.collect()
    };
    sweep.points.iter().map(row).collect()
}
