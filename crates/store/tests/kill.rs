//! A process that is killed while it writes leaves every committed transaction, and all or nothing of the next one.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "it is a test that fails then")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use chat::{Change, Store};
use store::SqliteStore;
use support::{flood, numbered};

/// Where the child finds its store.
const FOLDER: &str = "CAUSERIE_TEST_KILL";
const MESSAGES: usize = 6000;
const PIECE: usize = 7;

fn counts(changes: &[Change]) -> Vec<usize> {
    let shown = |changes: &[Change]| changes.iter().filter(|change| matches!(change, Change::Shown(_))).count();
    let mut sum = 0;
    let sums = changes.chunks(PIECE).map(|piece| {
        sum += shown(piece);
        sum
    });
    [0].into_iter().chain(sums).collect()
}

#[test]
fn committed_transactions_survive_a_kill() {
    let counts = counts(&flood(&numbered(MESSAGES)));
    for round in 1..=8 {
        let folder = tempfile::tempdir().unwrap();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "the_child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut through = 0;
        // Each round kills it after a different number of commits, wherever it is by then.
        while through < 40 * round {
            let line = lines.next().expect("it writes until it is killed").unwrap();
            through = line.strip_prefix("through ").map_or(through, |count| count.parse().unwrap());
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(Result::ok) {
            through = line.strip_prefix("through ").map_or(through, |count| count.parse().unwrap());
        }
        let mut store = SqliteStore::open(&folder.path().join("causerie.db")).unwrap();
        let here = store.newest(None, None, usize::MAX).len();
        assert!(here >= counts[through], "{here} messages where {} were committed", counts[through]);
        assert!(counts.contains(&here), "{here} messages: half a transaction");
        let mind = store.load().unwrap().mind.map_or(0, |mind| String::from_utf8_lossy(&mind).parse().unwrap());
        assert_eq!(counts[mind], here, "what was kept together is kept together");
    }
}

#[test]
#[ignore = "it is run by the other one"]
fn the_child() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let mut store = SqliteStore::open(&Path::new(&folder).join("causerie.db")).unwrap();
    for (number, piece) in flood(&numbered(MESSAGES)).chunks(PIECE).enumerate() {
        let mind = Change::Mind((number + 1).to_string().into());
        store.apply(&[piece, &[mind]].concat()).unwrap();
        println!("through {}", number + 1);
        std::io::stdout().flush().unwrap();
    }
}
