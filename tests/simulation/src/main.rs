//! Runs schedules of the simulator, or replays one.
#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what it says, and how far it is")]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use simulation::world::Keep;
use simulation::{replay, run_many};

#[derive(Parser)]
#[command(about = "Many peers, a virtual clock and a network that breaks, all from one seed")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Runs the schedules of many seeds.
    Run {
        /// How many.
        count: u64,
        /// The first seed.
        #[arg(long, default_value_t = 0)]
        from: u64,
        /// On how many threads. All cores if left out.
        #[arg(long)]
        threads: Option<usize>,
        /// Stop after this many failures.
        #[arg(long, default_value_t = 5)]
        failures: usize,
    },
    /// Runs the schedule of one seed, and prints what happened.
    Replay {
        /// The seed.
        seed: u64,
        /// Prints everything.
        #[arg(long)]
        verbose: bool,
        /// Writes the peers' journals to this folder, as traces for `causerie check` and `causerie diagram`.
        #[arg(long)]
        trace: Option<PathBuf>,
    },
}

/// The seeds that are known to break a promise, and what they break.
fn open() -> impl Iterator<Item = (u64, &'static str)> {
    let lines = include_str!("../open.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        let seed = line.split_once(' ').and_then(|(seed, what)| Some((seed.parse().ok()?, what.trim())));
        seed.expect("each line of open.txt is a seed and what is broken")
    })
}

fn main() -> anyhow::Result<ExitCode> {
    match Options::parse().what {
        What::Run { count, from, threads, failures } => {
            let threads = threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
            let progress = |done: u64| {
                if done.is_multiple_of(1000) {
                    eprintln!("{done} of {count}");
                }
            };
            let summary = run_many(from, count, threads, failures, progress);
            let (known, new): (Vec<_>, Vec<_>) =
                summary.failures.iter().partition(|failure| open().any(|(seed, _)| seed == failure.seed));
            for failure in &new {
                println!("{failure}\n");
            }
            let mut mended = 0;
            for (seed, what) in open().filter(|(seed, _)| (from..from.saturating_add(count)).contains(seed)) {
                if known.iter().any(|failure| failure.seed == seed) {
                    println!("seed {seed} is known to break a promise: {what}");
                } else {
                    println!(
                        "seed {seed} keeps every promise now: it has its place in regressions.txt, not in open.txt"
                    );
                    mended += 1;
                }
            }
            let (runs, known, tally) = (summary.runs, known.len(), summary.tally);
            println!("{runs} schedules, {} failures and {known} that are known; {tally:?}", new.len());
            Ok(if new.is_empty() && mended == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        What::Replay { seed, verbose, trace } => {
            let (world, verdict) = replay(seed, Keep { notes: verbose, journals: trace.is_some() });
            if let Some(world) = &world {
                for note in world.notes() {
                    println!("{note}");
                }
                if verbose {
                    println!("{:#?}", world.setting());
                }
                println!("virtual time {:.3?}; {:?}", world.now(), world.chronicle().tally);
                if let Some(folder) = trace {
                    let files = simulation::traces::write(&folder, world.machines())?;
                    let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
                    println!("causerie check {}", files.join(" "));
                }
            }
            match verdict {
                Ok(()) => {
                    println!("seed {seed}: every promise is kept");
                    Ok(ExitCode::SUCCESS)
                }
                Err(violation) => {
                    println!("seed {seed} breaks {:?}: {}", violation.invariant, violation.what);
                    Ok(ExitCode::FAILURE)
                }
            }
        }
    }
}
