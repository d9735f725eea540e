//! The limits that the system sets to this process.

use std::fs;

/// How many files may be open at once; `None` where the system does not say, or sets no limit.
pub fn open_files() -> Option<u64> {
    limit("Max open files")
}

/// How many processes and threads this user may have at once, likewise.
pub fn threads() -> Option<u64> {
    limit("Max processes")
}

fn limit(name: &str) -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
