//! A host: `causerie web`, with the accounts in a data folder of its own, or for one peer.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::peer::PROGRAM;

/// A running host. It is killed when it is dropped.
pub(crate) struct Host {
    child: Child,
    /// Kept open: it may have more to say.
    _output: BufReader<ChildStdout>,
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

    /// One that `prefix` leads to, with its log in the file `log`.
    pub(crate) fn behind(prefix: &[OsString], data: &Path, options: &[&str], log: &Path) -> Self {
        let mut program = Command::new(&prefix[0]);
        program.args(&prefix[1..]).args([PROGRAM, "web"]).args(options).env("XDG_DATA_HOME", data);
        Self::spawn(program.stderr(File::create(log).expect("a log")))
    }

    fn spawn(program: &mut Command) -> Self {
        let mut child = program.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        output.read_line(&mut line).expect("it writes text");
        let (_, link) = line.trim().split_once(" is at ").unwrap_or_else(|| panic!("no page: {line:?}"));
        Self { child, _output: output, link: link.to_owned() }
    }

    /// What is answered, without TLS, to a request of the page's script: its status and its text.
    pub(crate) fn post(&self, path: &str, cookie: &str, body: &str) -> (u16, String) {
        let page = self.link.strip_prefix("http://").expect("no TLS").trim_end_matches('/');
        let mut stream = TcpStream::connect(page).expect("it listens");
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {page}\r\nOrigin: http://{page}\r\nX-Causerie: 1\r\nCookie: {cookie}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        (status.unwrap_or_else(|| panic!("no status: {answer}")), answer)
    }

    /// How many files it has open.
    pub(crate) fn files(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("it runs").count()
    }

    /// A number of its status in megabytes, such as `VmRSS`, the memory that it has now, or `VmHWM`, the most it had.
    pub(crate) fn megabytes(&self, of: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("it runs");
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
