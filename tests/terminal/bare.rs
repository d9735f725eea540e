//! Terminals that are less than usual: without a size, with one row, and none of them ever answers a question.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::peer::{PATIENCE, Peer};
use crate::screen::{PROMPT, launch, quoted};
use crate::skip::skip;

/// Alice at a terminal that nobody looks at but this test, and bob.
struct Bare {
    alice: Child,
    output: Arc<Mutex<Vec<u8>>>,
    bob: Peer,
    _folder: TempDir,
}

impl Bare {
    /// `stty` says how large the terminal is. `None` if there is nothing to make one with: the test is to return.
    fn new(stty: &str) -> Option<Self> {
        if let Err(error) = Command::new("script").arg("--version").output() {
            skip("script", &error.to_string());
            return None;
        }
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let bob = launch(&folder, "bob", &[]).start();
        let command = launch(&folder, "alice", &["--peer", &bob.address(|_| true)]).command();
        // It gives its command a terminal, and answers nothing that the command asks of it.
        let mut alice = Command::new("script")
            .args(["--quiet", "--flush", "--return", "--command"])
            .arg(format!("stty {stty}; exec {}", quoted(&command)))
            .arg("/dev/null")
            .env("TERM", "xterm")
            .env("SHELL", "/bin/sh")
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script can be run");
        let output = Arc::new(Mutex::new(Vec::new()));
        let mut reader = alice.stdout.take().expect("the output is piped");
        std::thread::spawn({
            let output = Arc::clone(&output);
            move || {
                let mut some = [0; 4096];
                while let Ok(count @ 1..) = reader.read(&mut some) {
                    output.lock().expect("nobody panics with it").extend(&some[..count]);
                }
            }
        });
        bob.meets("alice");
        Some(Self { alice, output, bob, _folder: folder })
    }

    /// What was written to the terminal by now.
    fn written(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().expect("nobody panics with it")).into_owned()
    }

    fn until(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.written().contains(text) {
            assert!(Instant::now() < until, "{text:?} is not in {:?}", self.written());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn write(&mut self, text: &str) {
        let input = self.alice.stdin.as_mut().expect("the input is piped");
        input.write_all(text.as_bytes()).and_then(|()| input.flush()).expect("it can be typed");
    }

    /// A conversation, in which the terminal is never asked anything.
    fn converse(mut self) {
        self.until(PROMPT);
        for number in 0..5 {
            let text = format!("text-{number}-from-bob");
            self.bob.say(&text);
            self.until(&text);
            self.write(&format!("text {number} from alice\r"));
            self.bob.hears(&format!("text {number} from alice"));
        }
        self.write("\u{4}");
        let status = self.alice.wait().expect("it can be waited for");
        assert!(status.success(), "{status}: {}", self.written());
        let written = self.written();
        for question in ["\u{1b}[6n", "\u{1b}[5n", "\u{1b}[c", "\u{1b}[?u"] {
            assert!(!written.contains(question), "asked {question:?}: {written:?}");
        }
        assert!(!written.contains("panicked"), "{written:?}");
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.alice.kill();
        let _ = self.alice.wait();
    }
}

#[test]
fn a_terminal_of_the_usual_size_is_never_asked_anything() {
    if let Some(bare) = Bare::new("rows 24 cols 80") {
        bare.converse();
    }
}

#[test]
fn a_terminal_without_a_size_is_usable() {
    if let Some(bare) = Bare::new("rows 0 cols 0") {
        bare.converse();
    }
}

#[test]
fn a_terminal_of_one_row_is_usable() {
    if let Some(bare) = Bare::new("rows 1 cols 80") {
        bare.converse();
    }
}

#[test]
fn a_terminal_of_one_column_does_no_harm() {
    let Some(mut bare) = Bare::new("rows 24 cols 1") else { return };
    bare.bob.say("x");
    bare.write("hello\r");
    bare.bob.hears("hello");
}

/// More than the 1,024 bytes that are read at a time, as a paste that the terminal does not mark.
#[test]
fn long_lines_that_come_at_once_go_out_at_once() {
    let Some(mut bare) = Bare::new("rows 24 cols 80") else { return };
    bare.until(PROMPT);
    let long = "w".repeat(2500);
    let lines: Vec<String> = (0..40).map(|row| format!("row {row:02} {}", "x".repeat(60))).collect();
    bare.write(&format!("{long}\r{}\r", lines.join("\r")));
    for text in std::iter::once(&long).chain(&lines) {
        bare.bob.hears(text);
    }
}
