//! How fast messages are kept: rows per second by the size of a transaction, for one process and for eight at once, and
//! how much disk a message takes.
//!
//! `cargo bench -p causerie-store` (a minute). The store of a third peer writes texts of 100 bytes by two authors in
//! batches of 64. The store is in a folder under the target directory. To measure another disk, give another folder as
//! an argument.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is what a benchmark is for")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use chat::{Change, Store};
use store::{Retention, SqliteStore};
use support::flood;

const SIZES: [usize; 3] = [64, 512, 4096];
const PROCESSES: usize = 8;
/// How many messages of each size each process writes.
const MESSAGES: usize = 131_072;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let [child, size, folder] = &arguments[..]
        && child == "child"
    {
        return as_child(size.parse().unwrap(), Path::new(folder));
    }
    let folder = arguments.first().map_or_else(|| PathBuf::from(env!("CARGO_TARGET_TMPDIR")), PathBuf::from);
    println!("{MESSAGES} messages of 100 bytes a process, rows a second in total (and by process)");
    for processes in [1, PROCESSES] {
        for size in SIZES {
            let (rows, processor) = at_once(processes, size, &folder);
            let each = processor * 1e6 / (processes * MESSAGES) as f64;
            println!(
                "{processes} x {size:4} a transaction: {rows:8.0} ({:.0}), {each:.2} us of a processor each",
                rows / processes as f64
            );
        }
    }
    read_and_search(&folder);
    small();
}

/// Starts processes that first make their messages and then all begin together. Returns the rows per second until the
/// slowest is done, and the processor seconds of all.
fn at_once(processes: usize, size: usize, folder: &Path) -> (f64, f64) {
    let child = |_| {
        let this = std::env::current_exe().unwrap();
        let mut child = Command::new(this);
        child.args(["child", &size.to_string()]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "ready");
        (child, said)
    };
    let mut children: Vec<_> = (0..processes).map(child).collect();
    let start = Instant::now();
    for (child, _) in &mut children {
        drop(child.stdin.take());
    }
    let processor = children.into_iter().map(|(mut child, mut said)| {
        let processor: f64 = said.next().unwrap().unwrap().parse().unwrap();
        assert!(child.wait().unwrap().success());
        processor
    });
    let processor = processor.sum();
    ((processes * MESSAGES) as f64 / start.elapsed().as_secs_f64(), processor)
}

fn as_child(size: usize, folder: &Path) {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let changes = flood(&texts());
    let mut store = SqliteStore::open(&folder.path().join("causerie.db")).unwrap();
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let used = processor();
    apply(&mut store, &changes, size);
    println!("{}", processor() - used);
    std::io::stdout().flush().unwrap();
    // What follows is not measured.
    drop(store);
}

/// The processor time of this process in seconds, including the system's time for it.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    let ticks = behind_name.split_whitespace().skip(11).take(2);
    ticks.map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

fn apply(store: &mut SqliteStore, changes: &[Change], size: usize) {
    for changes in changes.chunks(size) {
        store.apply(changes).unwrap();
    }
}

fn read_and_search(folder: &Path) {
    let folder = tempfile::tempdir_in(folder).unwrap();
    let file = folder.path().join("causerie.db");
    let changes = flood(&texts());
    let mut store = SqliteStore::open(&file).unwrap();
    apply(&mut store, &changes, 512);
    let each = |bytes: u64| bytes as f64 / MESSAGES as f64;
    timed("the newest 200", || assert_eq!(store.newest(None, None, 200).len(), 200));
    timed("search for what is there once, nothing in the index", || {
        assert_eq!(store.search(None, &["unheard"], 20).len(), 1);
    });
    println!("bytes a message on disk: {:.0} before the words are indexed", each(store.bytes().unwrap()));
    timed("indexing all", || store.tidy_all().unwrap());
    println!("bytes a message on disk: {:.0}", each(store.bytes().unwrap()));
    timed("search for what is there once", || assert_eq!(store.search(None, &["unheard"], 20).len(), 1));
    timed("search for what is everywhere", || assert_eq!(store.search(None, &["and"], 20).len(), 20));
    timed("reopening", || {
        SqliteStore::open(&file).unwrap();
    });
    let last = changes.iter().rev().find_map(support::kept_of).unwrap();
    let (author, clock) = (last.id().process, last.id().clock);
    timed("200 of one author", || assert_eq!(store.kept_by(author, clock - 200, clock, 200).len(), 200));
    let retention = Retention { max_bytes: Some(store.bytes().unwrap() / 2), ..Retention::default() };
    timed("dropping half", || while store.retain(retention, 0).unwrap() > 0 {});
}

/// Texts of 100 bytes with words from a counter. There are 4,000 different words: some are in most texts, and one
/// appears only once.
fn texts() -> Vec<String> {
    let mut random = 1u64;
    let mut next = |below: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % below
    };
    let syllables =
        ["ba", "den", "i", "kor", "lu", "mat", "ne", "o", "pri", "sel", "ta", "um", "vo", "wick", "y", "zan"];
    let words: Vec<String> =
        (0..4000).map(|_| (0..2 + next(3)).map(|_| syllables[next(16) as usize]).collect()).collect();
    let mut texts: Vec<String> = (0..MESSAGES)
        .map(|_| {
            let mut text = String::new();
            while text.len() < 100 {
                let rank = next(4000) * next(4000) / 4000;
                text += &words[usize::try_from(rank).unwrap()];
                text += if next(9) == 0 { " and " } else { " " };
            }
            text.truncate(100);
            text
        })
        .collect();
    texts[MESSAGES / 2].replace_range(..7, "unheard");
    texts
}

/// What a simulator does thousands of times.
fn small() {
    const STORES: usize = 200;
    const TURNS: usize = 2000;
    timed("200 stores in memory, made", || (0..STORES).for_each(|_| drop(SqliteStore::in_memory().unwrap())));
    let changes = flood(&support::numbered(TURNS));
    let mut store = SqliteStore::in_memory().unwrap();
    timed("2,000 transactions of one message in memory", || apply(&mut store, &changes, 1));
}

fn timed(what: &str, work: impl FnOnce()) {
    let start = Instant::now();
    work();
    println!("{what}: {:.1} ms", start.elapsed().as_secs_f64() * 1e3);
}
