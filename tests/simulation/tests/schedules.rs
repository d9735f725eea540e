//! Schedules from consecutive seeds keep every promise.

/// How many schedules: enough to find a change that breaks much. Many more are run by hand (`docs/simulation.md`).
const SCHEDULES: u64 = 400;

#[test]
fn every_promise_is_kept_in_every_schedule() {
    let count = std::env::var("CAUSERIE_SCHEDULES").ok().map_or(SCHEDULES, |count| count.parse().unwrap());
    let threads = std::thread::available_parallelism().map_or(1, Into::into);
    let summary = simulation::run_many(0, count, threads, 3, |_| {});
    let failures: Vec<String> = summary.failures.iter().map(ToString::to_string).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
    assert_eq!(summary.runs, count);
}
