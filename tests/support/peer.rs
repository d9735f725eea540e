//! A peer as a process of its own, driven through its headless mode: commands in, JSON lines out.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take before a test gives up on it: three times the 30 s after which a peer gives up a message
/// that nobody has, so long past all that a busy machine can add.
pub(crate) const PATIENCE: Duration = Duration::from_secs(100);

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_causerie");

/// How to start a peer, again and again.
#[derive(Clone)]
pub(crate) struct Launch {
    /// The name that it claims.
    pub(crate) name: String,
    /// The folder that holds its data, trace and log.
    pub(crate) folder: PathBuf,
    /// What comes before the program: how to get into its namespace.
    pub(crate) prefix: Vec<OsString>,
    /// Further options.
    pub(crate) options: Vec<String>,
}

impl Launch {
    /// A peer that multicasts nothing and listens on this machine alone.
    pub(crate) fn alone(name: &str, folder: &Path, options: &[&str]) -> Self {
        let options = ["--no-mdns", "--listen", "127.0.0.1:0"].iter().chain(options).map(ToString::to_string).collect();
        Self { name: name.to_owned(), folder: folder.to_owned(), prefix: Vec::new(), options }
    }

    pub(crate) fn trace(&self) -> PathBuf {
        self.folder.join(format!("{}.trace", self.name))
    }

    /// The folder that keeps its identity, and the socket of its session.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.join(&self.name)
    }

    /// The program with all options but those of its user interface.
    pub(crate) fn command(&self) -> Vec<OsString> {
        [self.task(&[]), self.options()].concat()
    }

    /// The peer without a prompt.
    pub(crate) fn service_command(&self) -> Vec<OsString> {
        [self.task(&["run"]), self.options()].concat()
    }

    /// A task of the program that is about this peer while it runs.
    pub(crate) fn task_command(&self, task: &str) -> Vec<OsString> {
        [self.task(&[task, "--data"]), vec![self.data().into()]].concat()
    }

    fn task(&self, words: &[&str]) -> Vec<OsString> {
        self.prefix.iter().cloned().chain([PROGRAM].iter().chain(words).map(OsString::from)).collect()
    }

    fn options(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["--data".into(), self.data().into()];
        // Two peers of one name differ in their folders.
        if !self.options.iter().any(|option| option == "--name") {
            words.extend(["--name".into(), self.name.clone().into()]);
        }
        words.extend(["--trace".into(), self.trace().into()]);
        words.extend(self.options.iter().map(Into::into));
        words
    }

    /// What it writes to standard error.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }

    pub(crate) fn start(self) -> Peer {
        let words = self.command();
        self.start_as(&words)
    }

    /// A user interface of its own to the peer, which runs already.
    pub(crate) fn attach(self) -> Peer {
        let words = self.task_command("attach");
        let attached = self.start_as(&words);
        attached.expect("that it is attached", |line| line.get("hello").is_some());
        attached
    }

    fn start_as(self, words: &[OsString]) -> Peer {
        let log = OpenOptions::new().append(true).create(true).open(self.log()).expect("the log can be opened");
        let mut child = Command::new(&words[0])
            .args(&words[1..])
            .arg("--json")
            .env("HOME", &self.folder)
            .env_remove("XDG_CONFIG_HOME")
            .env_remove("CAUSERIE_NAME")
            .env_remove("CAUSERIE_DATA")
            .env_remove("CAUSERIE_PROMPT")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let output = child.stdout.take().expect("the output is piped");
        let heard = Arc::new(Heard::default());
        std::thread::spawn({
            let heard = Arc::clone(&heard);
            move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    heard.push(&line);
                }
                heard.close();
            }
        });
        let input = child.stdin.take();
        Peer { launch: self, child, input, heard, asked: 0 }
    }
}

/// A running peer. It is killed when it is dropped.
pub(crate) struct Peer {
    pub(crate) launch: Launch,
    child: Child,
    input: Option<ChildStdin>,
    heard: Arc<Heard>,
    /// How many questions it was asked: the last one's id.
    asked: u64,
}

/// The lines that a peer has written so far.
#[derive(Default)]
struct Heard {
    state: Mutex<Lines>,
    more: Condvar,
}

#[derive(Default)]
struct Lines {
    all: Vec<Value>,
    taken: Vec<bool>,
    closed: bool,
}

impl Heard {
    fn push(&self, line: &str) {
        // What is no JSON is kept as a text, and fails the test when it looks at its lines.
        let value = serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned()));
        let mut lines = self.state.lock().expect("no holder panics");
        lines.all.push(value);
        lines.taken.push(false);
        self.more.notify_all();
    }

    fn close(&self) {
        self.state.lock().expect("no holder panics").closed = true;
        self.more.notify_all();
    }

    /// Takes the first line that fits and was not taken before; `None` when it has not come in time.
    fn take(&self, fits: impl Fn(&Value) -> bool, within: Duration) -> Option<Value> {
        let until = Instant::now() + within;
        let mut lines = self.state.lock().expect("no holder panics");
        let mut looked = 0;
        loop {
            for at in looked..lines.all.len() {
                assert!(lines.all[at].is_object(), "not a JSON object: {}", lines.all[at]);
                if !lines.taken[at] && fits(&lines.all[at]) {
                    lines.taken[at] = true;
                    return Some(lines.all[at].clone());
                }
            }
            looked = lines.all.len();
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || lines.closed {
                return None;
            }
            lines = self.more.wait_timeout(lines, left).expect("no holder panics").0;
        }
    }

    fn all(&self) -> Vec<Value> {
        self.state.lock().expect("no holder panics").all.clone()
    }
}

impl Peer {
    pub(crate) fn name(&self) -> &str {
        &self.launch.name
    }

    /// Writes a line as a user would, and waits for nothing.
    pub(crate) fn write(&mut self, line: &str) {
        self.write_json(&serde_json::json!({"text": line}).to_string());
    }

    /// Writes a line of what should be JSON, and waits for nothing.
    pub(crate) fn write_json(&mut self, line: &str) {
        self.write_bytes(format!("{line}\n").as_bytes());
    }

    pub(crate) fn write_bytes(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("the input is open");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the peer reads its input");
    }

    /// Writes a command and waits for its answer or error.
    pub(crate) fn ask(&mut self, line: &str) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.write_json(&serde_json::json!({"id": id, "text": line}).to_string());
        self.expect(&format!("an answer to {line:?}"), |heard| heard["id"] == id)
    }

    /// Waits for the answer or the error to a line that was only written.
    pub(crate) fn expect_answer(&self) -> Value {
        self.expect("an answer", |line| line.get("answer").is_some() || line.get("error").is_some())
    }

    /// A command that is carried out.
    pub(crate) fn run(&mut self, line: &str) -> Value {
        let answer = self.ask(line);
        assert!(answer.get("answer").is_some(), "{} refused {line:?}: {answer}", self.name());
        answer
    }

    /// A command that is refused: the text of the refusal, one line.
    pub(crate) fn refuses(&mut self, line: &str) -> String {
        let answer = self.ask(line);
        let error = answer["error"].as_str().unwrap_or_else(|| panic!("not refused: {line:.80}: {answer}"));
        assert!(!error.is_empty() && !error.contains('\n'), "not one line: {error:?}");
        error.to_owned()
    }

    /// Sends a message; returns its id.
    pub(crate) fn say(&mut self, line: &str) -> String {
        let answer = self.run(line);
        assert_eq!(answer["answer"], "sent", "{answer}");
        answer["message"]["id"].as_str().expect("a message has an id").to_owned()
    }

    /// Waits for a line that fits and was not waited for before.
    pub(crate) fn expect(&self, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.expect_within(PATIENCE, what, fits)
    }

    pub(crate) fn expect_within(&self, within: Duration, what: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.heard
            .take(fits, within)
            .unwrap_or_else(|| panic!("{} did not hear {what} within {within:?}{}", self.name(), self.story()))
    }

    /// Waits for an event of a kind that fits.
    pub(crate) fn expect_event(&self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        self.expect(kind, |line| line["event"] == kind && fits(line))
    }

    /// Waits until it is shown a message with that text.
    pub(crate) fn hears(&self, text: &str) -> Value {
        self.expect(&format!("the message {text:?}"), |line| {
            line["event"] == "message" && line["message"]["text"] == text
        })
    }

    /// Waits until it has a link to a person of that name.
    pub(crate) fn meets(&self, name: &str) -> Value {
        self.expect_event("peer_up", |event| event["who"]["name"] == name)
    }

    /// Waits until it has lost its link to a person of that name.
    pub(crate) fn loses(&self, name: &str) -> Value {
        self.expect_event("peer_down", |event| event["who"]["name"] == name)
    }

    /// The `ip:port` at which it listens, of one family.
    pub(crate) fn address(&self, fits: impl Fn(&str) -> bool) -> String {
        let event = self.expect_event("listening", |event| event["address"].as_str().is_some_and(&fits));
        event["address"].as_str().expect("an address is a text").to_owned()
    }

    /// The texts of others that it has shown so far, in that order.
    pub(crate) fn shown(&self) -> Vec<String> {
        let lines = self.heard.all();
        let messages = lines.iter().filter(|line| line["event"] == "message").map(|line| &line["message"]);
        messages.filter_map(|message| message["text"].as_str().map(str::to_owned)).collect()
    }

    /// Every line so far.
    pub(crate) fn heard(&self) -> Vec<Value> {
        self.heard.all()
    }

    /// Nothing of mine waits for anybody, and nothing of others is held.
    pub(crate) fn settled(&mut self) -> bool {
        let pending = self.run("-pending");
        let none = |field: &str| pending[field].as_array().is_some_and(Vec::is_empty);
        none("held") && none("delayed") && pending["unacknowledged"] == 0
    }

    /// Leaves as a user does. Its exit code says whether it has refused anything.
    pub(crate) fn quit(&mut self) {
        self.write("-quit");
        let status = self.wait();
        let code = i32::from(self.refused_something());
        assert_eq!(status.code(), Some(code), "{} left with {status}{}", self.name(), self.story());
    }

    /// Whether one of its answers, all of which are waited for, is an error.
    fn refused_something(&self) -> bool {
        let is_there_more = self.heard.take(|_| false, PATIENCE);
        assert_eq!(is_there_more, None);
        self.heard.all().iter().any(|line| line.get("error").is_some())
    }

    /// Waits for the end of the process.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("the process is a child") {
                return status;
            }
            assert!(Instant::now() < until, "{} does not end{}", self.name(), self.story());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Closes its input, as the end of a script does.
    pub(crate) fn close_input(&mut self) {
        self.input = None;
    }

    /// Ends it at once, as a crash does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("the process is a child");
        self.child.wait().expect("the process is a child");
    }

    /// Starts it again with the same data and trace, after it has ended.
    pub(crate) fn restart(&mut self) {
        assert!(self.child.try_wait().expect("the process is a child").is_some(), "{} still runs", self.name());
        *self = self.launch.clone().start();
    }

    /// What it has written lately, for the report of a failure.
    fn story(&self) -> String {
        let lines = self.heard.all();
        let mut story = format!("\n-- the last lines of {}:\n", self.name());
        for line in &lines[lines.len().saturating_sub(15)..] {
            let _ = writeln!(story, "{line:.600}");
        }
        let log = fs::read_to_string(self.launch.log()).unwrap_or_default();
        let log: Vec<&str> = log.lines().collect();
        story.push_str("-- and of its log:\n");
        story + &log[log.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `causerie check` on traces: whether they pass, and what it says.
pub(crate) fn check(traces: &[impl AsRef<Path>], options: &[&str]) -> (bool, String) {
    let output = Command::new(PROGRAM)
        .arg("check")
        .args(traces.iter().map(AsRef::as_ref))
        .args(options)
        .output()
        .expect("the program starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

/// Waits until something holds; says what it was if it does not.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}
