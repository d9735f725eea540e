//! Seeds that once broke a promise do so no more.

#[test]
fn what_was_once_broken_stays_mended() {
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
