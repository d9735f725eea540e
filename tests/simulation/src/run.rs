//! Running schedules: one, or many on all cores.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use crate::chronicle::Tally;
use crate::world::{Keep, Violation, World};

/// How many of the last lines a failure shows.
const LINES: usize = 40;

/// A run that broke a promise.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The promise that was broken.
    pub violation: Violation,
    /// What happened last.
    pub lines: Vec<String>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { seed, violation, lines } = self;
        writeln!(f, "seed {seed} breaks {:?}: {}", violation.invariant, violation.what)?;
        for line in lines {
            writeln!(f, "  {line}")?;
        }
        write!(
            f,
            "again, with everything that happened:\n  cargo run -p causerie-simulation -- replay {seed} --verbose"
        )
    }
}

impl std::error::Error for Failure {}

/// The result of many runs.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many were run.
    pub runs: u64,
    /// How much happened in all of them.
    pub tally: Tally,
    /// Those that broke a promise, by seed.
    pub failures: Vec<Failure>,
}

/// Runs one schedule.
///
/// # Errors
/// The promise that was broken.
pub fn run_one(seed: u64) -> Result<Tally, Box<Failure>> {
    let (world, verdict) = replay(seed, Keep::default());
    match verdict {
        Ok(()) => Ok(world.map_or_else(Tally::default, |world| world.chronicle().tally)),
        Err(violation) => {
            let (world, _) = replay(seed, Keep { notes: true, journals: false });
            let lines = world.map_or_else(Vec::new, |world| {
                let notes = world.notes();
                notes[notes.len().saturating_sub(LINES)..].to_vec()
            });
            Err(Box::new(Failure { seed, violation, lines }))
        }
    }
}

/// Runs one schedule and returns the world as it was at the end. There is none after a panic.
pub fn replay(seed: u64, keep: Keep) -> (Option<World>, Result<(), Violation>) {
    let mut world = World::new(seed, keep);
    match catch_unwind(AssertUnwindSafe(|| world.run())) {
        Ok(verdict) => (Some(world), verdict),
        Err(panic) => {
            let words = panic.downcast_ref::<String>().cloned();
            let words = words.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            let what = words.unwrap_or_else(|| "without a word".to_owned());
            (Some(world), Err(Violation { invariant: "no panic", what }))
        }
    }
}

/// Runs the schedules of `count` seeds from `from` on, on `threads` threads, and stops after `most` failures.
/// `progress` is told after each run how many are done.
pub fn run_many(from: u64, count: u64, threads: usize, most: usize, progress: impl Fn(u64) + Sync) -> Summary {
    let next = AtomicU64::new(from);
    let done = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let work = || {
        let mut summary = Summary::default();
        while !stop.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from.saturating_add(count) {
                break;
            }
            summary.runs += 1;
            match run_one(seed) {
                Ok(tally) => summary.tally.add(&tally),
                Err(failure) => {
                    summary.failures.push(*failure);
                    if summary.failures.len() >= most {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
            }
            progress(done.fetch_add(1, Ordering::Relaxed) + 1);
        }
        summary
    };
    let mut all = Summary::default();
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let Ok(summary) = worker.join() else { continue };
            all.runs += summary.runs;
            all.tally.add(&summary.tally);
            all.failures.extend(summary.failures);
        }
    });
    all.failures.sort_by_key(|failure| failure.seed);
    all
}
