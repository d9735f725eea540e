//! The limits that the system sets for this process.

use std::fs;

/// How many files may be open at once. `None` if the system does not say or sets no limit. To find out, the process
/// opens a file.
pub fn open_files() -> Option<u64> {
    limit("Max open files")
}

/// How many processes and threads this user may have at once, and what to do if that is not enough.
pub fn on_threads() -> String {
    let limit = limit("Max processes").map_or_else(|| "only so many".to_owned(), |limit| limit.to_string());
    format!(
        "this user may have {limit} processes and threads: end some, or raise the limit (`ulimit -u`, TasksMax= of systemd)"
    )
}

/// Whether an error says that no more files can be open in this process (24) or on the whole system (23). Some layers
/// pass on only the system's words.
pub(crate) fn lacks_files(error: &str) -> bool {
    ["(os error 24)", "(os error 23)"].iter().any(|number| error.contains(number))
}

fn limit(name: &str) -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
