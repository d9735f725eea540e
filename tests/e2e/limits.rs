//! Limits of the system that are too low: named, with what to do, and never a panic or a log that fills up.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use crate::peer::{Launch, PROGRAM, Peer, eventually};
use crate::skip::skip;
use crate::support::net::Net;

/// How long a peer without descriptors is watched: several times what each part of it waits before another try.
const WATCHED: Duration = Duration::from_secs(12);

/// What a peer without descriptors may log in all: something when it begins, and something of the clients that it cannot let in.
const LOG_LINES: usize = 4;

/// What comes before a program that may open so many files.
fn with_files(limit: usize) -> Vec<OsString> {
    ["sh", "-c", "ulimit -n $0; exec \"$@\"", &limit.to_string()].map(Into::into).into()
}

/// Starts it without input: whether it came up and left again. It says nothing, or what it may have too little of.
fn starts(launch: &Launch, limit: &str, option: &str) -> bool {
    let words = launch.command();
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        assert_eq!(said, "", "{limit}");
    } else {
        assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{limit}: {said}");
        assert!(said.contains(limit) && said.contains(option), "{limit}: {said}");
    }
    output.status.success()
}

#[test]
fn too_few_descriptors_to_start_with_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let started: Vec<bool> = (6..40)
        .step_by(3)
        .map(|limit| {
            let mut launch = Launch::alone("alice", folder.path(), &[]);
            launch.prefix = with_files(limit);
            starts(&launch, &format!("{limit} files"), "ulimit -n")
        })
        .collect();
    assert!(started.is_sorted() && started.contains(&false) && started.contains(&true), "{started:?}");
}

#[test]
fn a_peer_without_descriptors_for_everybody_says_so_once_and_goes_on() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    let mut alice = net.launch("alice", "alice", &[]).start();
    let (mut v4, mut v6) = (None, None);
    eventually("it listens everywhere", || {
        for line in alice.heard().iter().filter_map(|line| line["address"].as_str()) {
            v4 = v4.or(line.starts_with("10.77.").then_some(()));
            v6 = v6.or(line.starts_with("[fd77:").then_some(()));
        }
        v4.and(v6).is_some()
    });
    let open = fs::read_dir(format!("/proc/{}/fd", alice.pid())).expect("it runs").count();
    alice.quit();
    let limit = open + 4;
    alice.launch.prefix.extend(with_files(limit));
    alice.restart();

    net.plug("crowd");
    let mut crowd: Vec<Peer> = (0..10).map(|nth| net.spawn_beside("crowd", &format!("peer{nth}"), &[])).collect();
    let told = alice.expect_event("problem", |event| event["kind"] == "no_descriptors")["text"].to_string();
    assert!(told.contains(&format!("has {limit} open")) && told.contains("ulimit -n"), "{told}");
    sleep(WATCHED);
    let health = Command::new(PROGRAM).arg("health").env("CAUSERIE_DATA", alice.launch.data()).output();
    let health = health.expect("it starts");
    let said = String::from_utf8_lossy(&[health.stdout, health.stderr].concat()).into_owned();
    assert_eq!((health.status.code(), said.contains("ulimit -n")), (Some(1), true), "{said}");
    alice.say("still here");
    let problems: Vec<_> = alice.heard().into_iter().filter(|line| line["event"] == "problem").collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let log = fs::read_to_string(alice.launch.log()).expect("there is a log");
    assert!(log.lines().count() <= LOG_LINES && !log.contains("panicked"), "{log}");

    crowd.drain(1..).for_each(|mut peer| peer.quit());
    alice.expect_event("solved", |event| event["kind"] == "no_descriptors");
    let zoe = net.spawn("zoe", &[]);
    alice.meets("zoe");
    zoe.meets("alice");
    alice.say("@zoe now there is room");
    zoe.hears("now there is room");
    alice.quit();
}

/// A user of the system who has nothing else running.
struct Other {
    uid: u32,
    folder: tempfile::TempDir,
}

impl Other {
    /// `None` if there is none here: the test is to return.
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let other = Self { uid: 1_000_000 + std::process::id(), folder };
        let made = chown(other.folder.path(), Some(other.uid), Some(other.uid)).map_err(|error| error.to_string());
        let reason = made.err().or_else(|| {
            let tried = Command::new("setpriv").args(&other.with_threads(1)[1..]).arg("true").status();
            match tried {
                Ok(status) => (!status.success()).then(|| status.to_string()),
                Err(error) => Some(error.to_string()),
            }
        });
        match reason {
            None => Some(other),
            Some(reason) => {
                skip("another user (root, and util-linux)", &reason);
                None
            }
        }
    }

    /// What comes before a program of that user that may have so many threads.
    fn with_threads(&self, limit: u64) -> Vec<OsString> {
        let (uid, limit) = (self.uid.to_string(), format!("--nproc={limit}:{limit}"));
        ["setpriv", "--reuid", &uid, "--regid", &uid, "--clear-groups", "prlimit", &limit].map(Into::into).into()
    }

    /// A copy of the program, in a place where that user can go.
    fn program(&self) -> PathBuf {
        let copy = self.folder.path().join("causerie");
        fs::copy(PROGRAM, &copy).expect("it can be copied");
        copy
    }

    fn launch(&self, program: &Path, limit: u64) -> Launch {
        let mut launch = Launch::alone("alice", self.folder.path(), &[]);
        launch.prefix = self.with_threads(limit);
        // The path of the original comes next, and is passed over.
        launch.prefix.extend(["sh", "-c", "shift; exec \"$0\" \"$@\""].map(Into::into));
        launch.prefix.push(program.into());
        launch
    }
}

#[test]
fn too_few_threads_to_start_with_or_later_are_named() {
    let Some(other) = Other::new() else { return };
    let program = other.program();
    let enough = (1..=100).find(|&limit| {
        let launch = other.launch(&program, limit);
        starts(&launch, &format!("{limit} processes and threads"), "ulimit -u")
    });
    let enough = enough.expect("a limit that is high enough");
    assert!(enough > 1, "no limit was too low");

    let mut alice = other.launch(&program, enough).start();
    alice.address(|_| true);
    let lower = other.with_threads(1);
    let lowered = Command::new(&lower[0]).args(&lower[1..]).args(["--pid", &alice.pid().to_string()]).status();
    assert!(lowered.expect("it starts").success());
    alice.run("-connect localhost:9");
    let failed = alice.expect_event("connect_failed", |_| true)["reason"].to_string();
    assert!(failed.contains("1 processes and threads") && failed.contains("ulimit -u"), "{failed}");
    alice.say("still here");
    alice.quit();
}
