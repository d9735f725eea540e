//! `causerie run`, and what a script asks it: nothing here needs a network of its own.

use std::fs;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::peer::{Launch, eventually};
use crate::service::Service;

/// Services on this machine alone.
struct Host(TempDir);

impl Host {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    fn launch(&self, name: &str, options: &[&str]) -> Launch {
        Launch::alone(name, self.0.path(), options)
    }

    /// Two services that have met.
    fn pair(&self) -> (Service, Service) {
        let alice = Service::start(self.launch("alice", &[]));
        let bob = Service::start(self.launch("bob", &["--peer", &alice.address()]));
        alice.logs("bob is here");
        bob.logs("alice is here");
        (alice, bob)
    }
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn its_log_can_be_followed_and_a_signal_ends_it_with_a_goodbye() {
    let host = Host::new();
    let mut alice = Service::start(host.launch("alice", &[]));
    let mut launch = host.launch("bob", &["--peer", &alice.address()]);
    // Tests that run in the background of a shell ignore it, and so would bob.
    launch.prefix = ["env", "--default-signal=INT"].map(Into::into).into();
    let mut bob = Service::start(launch);
    alice.logs("bob is here");
    bob.logs("alice is here");
    assert!(alice.log().lines().next().expect("a first line").contains("causerie attach --data"), "{}", alice.log());
    alice.call(&["send", "hello \u{1b}[2J everybody"]);
    bob.logs("everybody");
    alice.logs("everybody");
    assert_eq!(alice.end("-TERM").code(), Some(0));
    bob.logs("alice has gone: said goodbye");
    assert_eq!(bob.end("-INT").code(), Some(0));
    for service in [alice, bob] {
        let log = service.log();
        assert!(log.ends_with("said goodbye\n") && !log.contains('\u{1b}'), "{log:?}");
    }
}

#[test]
fn a_service_that_was_started_by_nohup_outlives_its_terminal() {
    let host = Host::new();
    let mut launch = host.launch("alice", &[]);
    launch.prefix = ["env", "--ignore-signal=HUP"].map(Into::into).into();
    let mut alice = Service::start(launch);
    alice.signal("-HUP");
    // A signal that it took would end it before it answers the last of these.
    for _ in 0..20 {
        assert_eq!(told(&alice.call(&["health"])).0, Some(0));
    }
    assert_eq!(alice.end("-TERM").code(), Some(0));
}

#[test]
fn the_socket_is_the_owners_alone() {
    let host = Host::new();
    let alice = Service::start(host.launch("alice", &[]));
    let socket = fs::metadata(alice.launch.data().join("session.sock")).expect("there is a socket");
    assert!(socket.file_type().is_socket());
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_message_is_sent_and_the_sender_told_who_is_away() {
    let host = Host::new();
    let (alice, mut bob) = host.pair();
    assert_eq!(told(&alice.call(&["send", "@bob", "hello", "bob"])), (Some(0), String::new(), String::new()));
    bob.logs("[to you] alice: hello bob");
    assert_eq!(told(&alice.call(&["send", "hello", "all"])).0, Some(0));
    bob.logs("alice: hello all");
    let to_address = alice.call(&["send", &format!("@{}", bob.address()), "to the port"]);
    assert_eq!(told(&to_address).0, Some(0));
    bob.logs("to the port");
    for (words, named) in [
        (&["@nobody", "hello"][..], "nobody"),
        (&["@bob"], "@bob"),
        (&["--", "-listusers"], "@TARGET MESSAGE"),
        (&["@127.0.0.1:9", "hello"], "127.0.0.1:9"),
    ] {
        let (code, output, error) = told(&alice.call(&[&["send"], words].concat()));
        assert_eq!((code, output.as_str()), (Some(1), ""), "{words:?}: {error}");
        assert!(error.contains(named) && error.lines().count() == 1, "{words:?}: {error}");
    }
    bob.end("-TERM");
    alice.logs("bob has gone");
    let (code, output, _) = told(&alice.call(&["send", "@bob", "where are you?"]));
    assert_eq!(code, Some(0));
    assert!(output.contains("bob is away"), "{output}");
}

#[test]
fn people_are_listed_as_lines_and_as_json() {
    let host = Host::new();
    let (alice, _bob) = host.pair();
    let (code, lines, _) = told(&alice.call(&["users"]));
    assert_eq!(code, Some(0));
    assert!(lines.contains("alice  you") && lines.contains("bob    here"), "{lines}");
    let (code, json, _) = told(&alice.call(&["users", "--json"]));
    assert_eq!(code, Some(0));
    let answer: Value = serde_json::from_str(&json).expect("it is JSON");
    assert_eq!((&answer["answer"], &answer["users"][1]["who"]["name"]), (&"users".into(), &"bob".into()));
}

#[test]
fn without_a_peer_every_task_says_what_to_do() {
    let host = Host::new();
    let mut alice = Service::start(host.launch("alice", &[]));
    alice.end("-TERM");
    for task in [&["attach"][..], &["send", "hello"], &["users"], &["health"]] {
        let (code, output, error) = told(&alice.call(task));
        assert_eq!((code, output.as_str()), (Some(1), ""), "{task:?}");
        assert!(error.contains("no peer is running") && error.contains("causerie run"), "{task:?}: {error}");
    }
}

#[test]
fn a_killed_service_leaves_a_socket_that_the_next_one_replaces() {
    let host = Host::new();
    let mut killed = Service::start(host.launch("alice", &[]));
    killed.end("-KILL");
    assert!(killed.launch.data().join("session.sock").exists());
    assert_eq!(told(&killed.call(&["health"])).0, Some(1));
    let next = Service::start(host.launch("alice", &[]));
    assert_eq!(told(&next.call(&["health"])).0, Some(0));
}

#[test]
fn a_second_peer_on_the_folder_is_refused_and_the_first_goes_on() {
    let host = Host::new();
    let first = Service::start(host.launch("alice", &[]));
    let second = host.launch("alice", &[]).service_command();
    let output = Command::new(&second[0]).args(&second[1..]).stdin(Stdio::null()).output().expect("it starts");
    let (code, _, error) = told(&output);
    assert_eq!(code, Some(1));
    assert!(error.contains("another causerie is running"), "{error}");
    assert_eq!(told(&first.call(&["health"])).0, Some(0));
}

#[test]
fn a_prompt_has_a_socket_too() {
    let host = Host::new();
    let mut alice = host.launch("alice", &[]).start();
    alice.address(|_| true);
    let mut attached = host.launch("alice", &[]).attach();
    attached.say("from beside");
    assert_eq!(alice.hears("from beside")["message"]["own"], true);
    alice.quit();
    assert_eq!(attached.wait().code(), Some(1));
}

#[test]
fn health_is_one_line_and_an_exit_code() {
    let host = Host::new();
    let alice = Service::start(host.launch("alice", &[]));
    let (code, line, _) = told(&alice.call(&["health"]));
    assert_eq!(code, Some(0));
    assert!(line.starts_with("healthy: alone, listening on 127.0.0.1:") && line.lines().count() == 1, "{line}");
    let bob = Service::start(host.launch("bob", &["--peer", &alice.address()]));
    bob.logs("alice is here");
    alice.logs("bob is here");
    assert!(told(&alice.call(&["health"])).1.starts_with("healthy: 1 link,"));
    // Stopped it is neither dead nor there: nobody answers a dial, and nobody refuses it.
    bob.signal("-STOP");
    let (code, _, error) = told(&bob.call(&["health"]));
    assert_eq!(code, Some(1));
    assert!(error.contains("does not answer"), "{error}");
    eventually("alice misses bob", || {
        let (code, line, _) = told(&alice.call(&["health"]));
        assert_eq!(code == Some(1), line.starts_with("not healthy: "), "{line}");
        code == Some(1) && line.contains("no link to bob")
    });
    bob.signal("-CONT");
    eventually("both are well again", || {
        [&alice, &bob].iter().all(|peer| told(&peer.call(&["health"])).1.starts_with("healthy: 1 link,"))
    });
}

#[test]
fn what_happens_meanwhile_does_not_disturb_an_answer() {
    /// Several times what may wait for a user interface.
    const EVENTS: usize = 100_000;
    let host = Host::new();
    let mut alice = Service::start(host.launch("alice", &["--json"]));
    let hello = alice.log().lines().next().expect("a first line").to_owned();
    let answer = told(&alice.call(&["users", "--json"])).1.replacen('{', r#"{"id":1,"#, 1);
    alice.end("-TERM");
    // In alice's place one that tells very much before it answers.
    let socket = UnixListener::bind(alice.launch.data().join("session.sock")).expect("the socket can be made");
    let talking = std::thread::spawn(move || {
        let (stream, _) = socket.accept().expect("a client comes");
        let mut asked = BufReader::new(stream.try_clone().expect("it can be shared")).lines();
        let mut next = || asked.next().expect("a line").expect("it can be read");
        let mut output = BufWriter::new(stream);
        next();
        writeln!(output, "{hello}").and_then(|()| output.flush()).expect("the client reads");
        next();
        for _ in 0..EVENTS {
            output.write_all(b"{\"event\":\"warning\",\"text\":\"so much\"}\n").expect("the client reads");
        }
        write!(output, "{answer}").and_then(|()| output.flush()).expect("the client reads");
    });
    let (code, output, error) = told(&alice.call(&["users"]));
    assert_eq!(code, Some(0), "{error}");
    assert!(output.contains("alice  you"), "{output}");
    talking.join().expect("it has said everything");
}

#[test]
fn lines_without_a_terminal_and_json_speak_to_a_service_too() {
    let host = Host::new();
    let (alice, bob) = host.pair();
    let attach = alice.launch.task_command("attach");
    let mut plain = Command::new(&attach[0])
        .args(&attach[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program starts");
    plain.stdin.take().expect("the input is piped").write_all(b"-lu\nfrom a pipe\n").expect("it reads");
    let (code, output, _) = told(&plain.wait_with_output().expect("it ends with its input"));
    assert_eq!(code, Some(0));
    assert!(output.contains("here: bob") && output.contains("bob    here"), "{output}");
    bob.logs("from a pipe");
    let mut json = alice.launch.clone().attach();
    json.run("-creategroup cars");
    bob.logs("there is a group cars");
    json.quit();
    assert_eq!(told(&alice.call(&["health"])).0, Some(0));
}

#[test]
fn the_log_is_json_if_wanted() {
    let host = Host::new();
    let mut alice = Service::start(host.launch("alice", &["--json"]));
    alice.call(&["send", "to nobody"]);
    alice.logs("to nobody");
    assert_eq!(alice.end("-TERM").code(), Some(0));
    let lines: Vec<Value> =
        alice.log().lines().map(|line| serde_json::from_str(line).expect("every line is JSON")).collect();
    assert_eq!((&lines[0]["hello"], &lines[1]["event"]), (&1.into(), &"listening".into()));
}
