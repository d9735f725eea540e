//! The program as a whole: its options, its plain lines, its demonstration. Nothing here needs a network of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Output, Stdio};

use crate::peer::{Launch, PROGRAM};

fn run(arguments: &[&str]) -> Output {
    let home = tempfile::tempdir().expect("a temporary folder can be made");
    let mut program = Command::new(PROGRAM);
    program
        .args(arguments)
        .env("HOME", home.path())
        .env_remove("XDG_DATA_HOME")
        .env_remove("CAUSERIE_DATA")
        .stdin(Stdio::null());
    program.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn help_and_version_are_told() {
    let help = text(&run(&["--help"]).stdout);
    let options = ["--name", "--listen", "--peer", "--no-mdns", "--interface", "--data", "--trace", "--log"];
    for option in options.iter().chain(&["--json", "run", "attach", "send", "users", "health"]) {
        assert!(help.contains(option), "{help}");
    }
    let of_run = text(&run(&["run", "--help"]).stdout);
    assert!(options.iter().all(|option| of_run.contains(option)), "{of_run}");
    assert!(text(&run(&["--version"]).stdout).starts_with("causerie "));
}

#[test]
fn options_that_make_no_sense_are_refused_in_words() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().to_string_lossy().into_owned();
    let alike = ["--listen", "127.0.0.1:7001", "--listen", "127.0.0.1:7001"];
    for (options, code, named) in [
        (&["--name", "not a name"][..], 2, "not a name"),
        (&["--name", &"n".repeat(500)], 2, "name"),
        (&["--no-mdns", "--peer", "nowhere"], 2, "nowhere"),
        (&["--no-mdns", "--trace", "/nonexistent/trace"], 1, "/nonexistent/trace"),
        (&["--no-mdns", "--log", "=loud="], 2, "=loud="),
        (&["--listen", "here"], 2, "here"),
        (&alike, 2, "127.0.0.1:7001 is given twice"),
    ] {
        let output = run(&[&["--data", &data], options].concat());
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{options:?}: {told}");
        assert!(told.contains(named) && !told.contains("panicked"), "{options:?}: {told}");
    }
    let both = ["check", "x", "--complete", "--running", "--killed", "bob", "--absent", "bob"];
    let output = run(&both);
    assert_eq!((output.status.code(), text(&output.stderr).contains("bob")), (Some(2), true));
}

#[test]
fn off_a_terminal_it_reads_and_writes_plain_lines() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut bob = Launch::alone("bob", folder.path(), &[]).start();
    let alice = Launch::alone("alice", folder.path(), &["--peer", &bob.address(|_| true)]).command();
    let mut alice = Command::new(&alice[0])
        .args(&alice[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    bob.meets("alice");
    let mut input = alice.stdin.take().expect("the input is piped");
    let mut lines = BufReader::new(alice.stdout.take().expect("the output is piped")).lines().map_while(Result::ok);
    writeln!(input, "hello from a pipe").expect("alice reads");
    bob.hears("hello from a pipe");
    bob.say("and hello to the pipe");
    let heard = lines.by_ref().find(|line| line.contains("and hello to the pipe")).expect("alice is told");
    assert!(heard.ends_with("bob: and hello to the pipe"), "{heard:?}");
    assert!(!heard.contains('\u{1b}'), "{heard:?}");
    writeln!(input, "-nonsense").expect("alice reads");
    assert!(lines.by_ref().any(|line| line.contains("-nonsense")));
    drop(input);
    assert_eq!(lines.filter(|line| line.contains('\u{1b}')).count(), 0);
    assert_eq!(alice.wait().expect("alice is a child").code(), Some(1), "one line failed");
    bob.loses("alice");
}

#[test]
fn the_demonstration_plays_the_triangle_and_verifies_it() {
    let output = run(&["demo"]);
    let (told, wrong) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}{wrong}");
    assert!(told.contains("held") && told.contains("OK"), "{told}");
}
