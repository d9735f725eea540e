//! A host: `causerie web`, with the accounts in a data folder of its own, or for one peer.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::peer::PROGRAM;

/// A running host. It is killed when it is dropped.
pub(crate) struct Host {
    child: Child,
    /// Where its page is.
    pub(crate) link: String,
}

impl Host {
    /// One on this machine alone, without multicast.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        let mut program = Command::new(PROGRAM);
        program.args(["web", "127.0.0.1:0", "--no-mdns", "--listen", "127.0.0.1:0"]).args(options);
        Self::spawn(program.env("XDG_DATA_HOME", data))
    }

    /// The page of the peer that runs on a data folder, in a process of its own.
    pub(crate) fn of_peer(data: &Path) -> Self {
        Self::spawn(Command::new(PROGRAM).args(["web", "127.0.0.1:0", "--data"]).arg(data))
    }

    fn spawn(program: &mut Command) -> Self {
        let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it writes text");
        let (_, link) = line.trim().split_once(" is at ").unwrap_or_else(|| panic!("no page: {line:?}"));
        Self { child, link: link.to_owned() }
    }

    /// A number of its status in megabytes, such as `VmRSS`, the memory that it has now, or `VmHWM`, the most it had.
    pub(crate) fn megabytes(&self, of: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
        let line = status.lines().find_map(|line| line.strip_prefix(of)).expect("the system says so");
        let kilobytes: u64 = line.trim_matches(|c: char| !c.is_ascii_digit()).parse().expect("a number");
        kilobytes / 1024
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
