//! Seeds that once broke a promise keep it now.

#[test]
fn seeds_that_once_broke_a_promise_keep_it() {
    let list = include_str!("../regressions.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    let mut seeds = 0;
    for line in lines {
        let (seed, what) = line.split_once(' ').unwrap();
        if let Err(failure) = simulation::run_one(seed.parse().unwrap()) {
            panic!("once: {}\n{failure}", what.trim());
        }
        seeds += 1;
    }
    assert!(seeds > 0);
}
