//! The program without a terminal, driven as a script would.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Far more than anything here takes, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(30);

fn causerie(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_causerie"));
    command.args(arguments).env_remove("CAUSERIE_NAME").env_remove("CAUSERIE_DATA");
    command
}

/// A peer that multicasts nothing and listens on this machine alone.
fn peer(name: &str, data: &Path, more: &[&str]) -> Command {
    let mut command = causerie(&["--name", name, "--no-mdns", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(data).args(more);
    command
}

struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("the output is piped"));
        let (sender, lines) = channel();
        thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take(), child, lines }
    }

    fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().expect("the input is open").write_all(bytes).expect("the program reads its input");
    }

    fn line(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("a line in time")
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.line()).expect("a line is JSON")
    }

    /// The next line with that key; events that come in between are passed over.
    fn json_with(&self, key: &str) -> Value {
        loop {
            let line = self.json();
            if line.get(key).is_some() {
                return line;
            }
        }
    }

    /// The next event of that kind; other lines that come in between are passed over.
    fn event(&self, kind: &str) -> Value {
        loop {
            let line = self.json();
            if line["event"] == kind {
                return line;
            }
        }
    }

    fn ask(&mut self, line: &Value) -> Value {
        self.write(format!("{line}\n").as_bytes());
        loop {
            let answer = self.json();
            if answer.get("event").is_none() {
                return answer;
            }
        }
    }

    /// Closes the input, and waits for the end.
    fn end(mut self) -> i32 {
        drop(self.input.take());
        self.ends()
    }

    /// Waits for the end.
    fn ends(&mut self) -> i32 {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("it is a child") {
                return status.code().expect("no signal ended it");
            }
            assert!(Instant::now() < until, "it does not end");
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn failed(output: &Output) -> (i32, String) {
    (output.status.code().expect("no signal ended it"), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn two_peers_exchange_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let alice = Running::start(peer("alice", &folder.path().join("alice"), &["--json"]));
    let address = alice.json_with("event")["address"].as_str().unwrap().to_owned();
    let mut bob = Running::start(peer("bob", &folder.path().join("bob"), &["--peer", &address]));
    assert!(bob.line().contains("you are bob"));
    while !bob.line().contains("alice is here") {}
    bob.write("@alice grüß dich\n".as_bytes());
    let message = loop {
        let line = alice.json_with("event");
        if line["event"] == "message" {
            break line["message"].clone();
        }
    };
    assert_eq!(message["text"], "grüß dich");
    assert_eq!(message["from"]["label"], "bob");
    assert_eq!(bob.end(), 0);
    assert_eq!(alice.end(), 0);
}

/// Alice, and bob's folder and arguments: he was here, and then three things were said without him.
fn missed_by_bob(folder: &Path) -> (Running, impl Fn() -> Running) {
    let mut alice = Running::start(peer("alice", &folder.join("alice"), &["--json"]));
    let address = alice.json_with("event")["address"].as_str().expect("a text").to_owned();
    let data = folder.join("bob");
    let bob = move || Running::start(peer("bob", &data, &["--json", "--peer", &address]));
    let first = bob();
    first.event("peer_up");
    alice.event("peer_up");
    assert_eq!(first.end(), 0);
    alice.event("peer_down");
    for text in ["one", "two", "three"] {
        let sent = alice.ask(&json!({"command": "send", "to": "all", "text": text}));
        assert_eq!(sent["away"][0]["name"], "bob");
    }
    (alice, bob)
}

#[test]
fn whoever_comes_back_is_told_how_much_was_missed() {
    let folder = tempfile::tempdir().unwrap();
    let (mut alice, bob) = missed_by_bob(folder.path());
    let seen = alice.ask(&json!({"command": "seen"}));
    assert_eq!((&seen["message"]["text"], &seen["away"][0]["name"]), (&json!("three"), &json!("bob")));
    let mut bob = bob();
    for text in ["one", "two", "three"] {
        assert_eq!(bob.event("message")["message"]["text"], text);
    }
    let caught_up = bob.event("caught_up");
    assert_eq!((&caught_up["messages"], &caught_up["people"]), (&json!(3), &json!(1)));
    let found = bob.ask(&json!({"command": "search", "words": "TWO"}));
    assert_eq!(found["messages"][0]["text"], "two");
    // A message by its id, or as people call it.
    let id = found["messages"][0]["id"].as_str().unwrap();
    let (process, clock) = id.rsplit_once(':').unwrap();
    let shown = bob.ask(&json!({"command": "show", "author": process, "clock": clock.parse::<u64>().unwrap()}));
    assert_eq!((&shown["answer"], &shown["message"]), (&json!("shown"), &found["messages"][0]));
    assert_eq!(bob.ask(&json!({"text": format!("-show alice#{clock}")}))["message"]["text"], "two");
    assert_eq!(bob.ask(&json!({"text": "-show alice#9999"}))["refusal"], "no_such_message");
    let seen = alice.ask(&json!({"command": "seen"}));
    assert_eq!((&seen["by"][0]["name"], &seen["away"]), (&json!("bob"), &json!([])));
    assert_eq!(bob.end(), 1);
    assert_eq!(alice.end(), 0);
}

#[test]
fn whoever_was_forgotten_returns_as_somebody_new_and_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut alice, bob) = missed_by_bob(folder.path());
    let forgotten = alice.ask(&json!({"command": "forget", "person": "bob"}));
    assert_eq!((&forgotten["answer"], &forgotten["who"]["name"]), (&json!("forgotten"), &json!("bob")));
    assert_eq!(alice.ask(&json!({"command": "forget", "person": "bob"}))["refusal"], "departed");
    let mut returned = bob();
    let before = returned.json_with("hello")["process"].clone();
    let warning = returned.event("warning");
    assert!(warning["text"].as_str().unwrap().contains("had forgotten this peer"), "{warning}");
    for text in ["one", "two", "three"] {
        assert_eq!(returned.event("message")["message"]["text"], text);
    }
    assert_eq!(returned.event("caught_up")["messages"], 3);
    alice.event("peer_up");
    assert_eq!(alice.ask(&json!({"command": "forget", "person": "bob"}))["refusal"], "present");
    let sent = returned.ask(&json!({"command": "send", "to": {"name": "alice"}, "text": "back again"}));
    assert_eq!(sent["away"], json!([]));
    assert_eq!(alice.event("message")["message"]["text"], "back again");
    assert_eq!(returned.end(), 0);
    let again = bob();
    assert_ne!(again.json_with("hello")["process"], before);
    again.event("peer_up");
    assert_eq!(again.end(), 0);
    assert_eq!(alice.end(), 1);
}

#[test]
fn the_end_of_the_input_waits_until_everything_is_handed_over() {
    const LINES: usize = 2_000;
    let folder = tempfile::tempdir().unwrap();
    let bob = Running::start(peer("bob", &folder.path().join("bob"), &["--json"]));
    let address = bob.json_with("event")["address"].as_str().unwrap().to_owned();
    let mut alice = Running::start(peer("alice", &folder.path().join("alice"), &["--peer", &address]));
    while !alice.line().contains("bob is here") {}
    // Several times what may wait on a link.
    let script: String = (0..LINES).map(|number| format!("{number} {}\n", "x".repeat(2_500))).collect();
    alice.write(script.as_bytes());
    assert_eq!(alice.end(), 0);
    let mut heard = 0;
    while heard < LINES {
        let line = bob.json_with("event");
        assert_ne!(line["event"], "peer_down", "{heard} of {LINES}: {line}");
        if line["event"] == "message" {
            let text = line["message"]["text"].as_str().unwrap();
            assert!(text.starts_with(&format!("{heard} ")), "{heard}: {text}");
            heard += 1;
        }
    }
    assert_eq!(bob.end(), 0);
}

#[test]
fn json_requests_are_answered_in_order_and_under_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Running::start(peer("alice", folder.path(), &["--json"]));
    let hello = alice.json();
    assert_eq!((&hello["hello"], &hello["me"]["name"]), (&json!(1), &json!("alice")));
    let answer = alice.ask(&json!({"id": 1, "command": "create_group", "group": "cars"}));
    assert_eq!(answer, json!({"id": 1, "answer": "created", "group": "cars"}));
    let answer = alice.ask(&json!({"id": "two", "text": "-mygroups"}));
    assert_eq!((&answer["id"], &answer["groups"][0]["name"]), (&json!("two"), &json!("cars")));
    let answer = alice.ask(&json!({"id": 3, "text": "-h"}));
    assert_eq!((&answer["id"], &answer["answer"]), (&json!(3), &json!("help")));
    let error = alice.ask(&json!({"id": 4, "command": "join_group", "group": "carz"}));
    assert_eq!(
        (&error["id"], &error["refusal"], &error["nearest"]),
        (&json!(4), &json!("unknown_group"), &json!("cars"))
    );
    for id in [json!(null), json!(-1.5), json!([1, {"a": null}]), json!({"b": "c"}), json!(true)] {
        let answer = alice.ask(&json!({"id": id, "command": "my_groups"}));
        assert_eq!((answer.get("id"), &answer["answer"]), (Some(&id), &json!("groups")));
    }
    let error = alice.ask(&json!({"id": 5, "command": "fly"}));
    assert_eq!(error["id"], json!(5));
    assert!(error["error"].as_str().unwrap().contains("fly"), "{error}");
    // Many at once, some of which the program answers itself: no answer overtakes another.
    let script: String =
        (10..200)
            .map(|id| {
                if id % 3 == 0 { json!({"id": id, "text": "-h"}) } else { json!({"id": id, "command": "list_groups"}) }
            })
            .map(|line| format!("{line}\n"))
            .collect();
    alice.write(script.as_bytes());
    for id in 10..200 {
        assert_eq!(alice.json_with("answer")["id"], json!(id));
    }
    assert_eq!(alice.end(), 1);
}

#[test]
fn rubbish_gets_one_line_each_and_nothing_else_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Running::start(peer("alice", folder.path(), &["--json"]));
    alice.json_with("hello");
    let mut script = b"\xff\xfe\x00\x80\n".to_vec();
    script.extend(vec![b'x'; 1 << 20]);
    script.extend_from_slice(b"\n{\"id\":\n-mygroups\n{\"text\":\"-mygroups\"}\n");
    alice.write(&script);
    let error = || alice.json_with("error")["error"].as_str().unwrap().to_owned();
    assert!(error().contains("UTF-8"));
    assert!(error().contains("1048576 bytes"));
    assert!(error().contains("not JSON"));
    assert!(error().contains("one JSON object"));
    assert_eq!(alice.json_with("answer")["answer"], "groups");
    assert_eq!(alice.end(), 1);
}

#[test]
fn plain_lines_in_and_plain_lines_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut alice = Running::start(peer("alice", folder.path(), &[]));
    alice.write(b"-lisusers\n-mygroups\n@ hi\n");
    let lines: Vec<_> =
        std::iter::from_fn(|| Some(alice.line())).filter(|line| line.starts_with(['!', 'n'])).take(3).collect();
    assert!(lines[0].contains("did you mean -listusers?"), "{lines:?}");
    assert_eq!(lines[1], "no group; -creategroup GROUP makes one");
    assert!(lines[2].starts_with("! write a name right behind the @"), "{lines:?}");
    assert_eq!(alice.end(), 1);
}

#[test]
fn a_line_or_a_request_that_failed_shows_in_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    for (script, code) in [
        ("-mygroups\nhello\n\n", 0),
        ("-mygroups\n@nobody hello\n-mygroups\n", 1),
        ("-nonsense\n", 1),
        ("＠nobody hello\nhello\n-quit\n", 1),
    ] {
        let mut alice = Running::start(peer("alice", folder.path(), &[]));
        alice.write(script.as_bytes());
        assert_eq!(alice.end(), code, "{script}");
    }
    let mine = r#"{"command":"my_groups"}"#;
    for (requests, code) in [
        (&[mine, r#"{"text":"hello"}"#, ""][..], 0),
        (&[mine, r#"{"text":"@nobody hello"}"#, mine], 1),
        (&[r#"{"command":"fly"}"#], 1),
        (&["rubbish", mine, r#"{"text":"-quit"}"#], 1),
    ] {
        let mut alice = Running::start(peer("alice", folder.path(), &["--json"]));
        alice.write((requests.join("\n") + "\n").as_bytes());
        assert_eq!(alice.end(), code, "{requests:?}");
    }
}

#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let signal = |name: &str, running: &Running| {
        let sent = Command::new("kill").args([name, &running.child.id().to_string()]).status();
        assert!(sent.unwrap().success());
    };
    let started = |how: &str, data: &str| {
        let mut env = Command::new("env");
        let peer = peer("alice", &folder.path().join(data), &["--json"]);
        env.arg(how)
            .arg(peer.get_program())
            .args(peer.get_args())
            .env_remove("CAUSERIE_NAME")
            .env_remove("CAUSERIE_DATA");
        let alice = Running::start(env);
        alice.json_with("hello");
        alice
    };
    let mut alice = started("--ignore-signal=HUP,INT", "ignoring");
    for name in ["-HUP", "-INT", "-HUP"] {
        signal(name, &alice);
        for _ in 0..5 {
            assert_eq!(alice.ask(&json!({"command": "my_groups"}))["answer"], "groups", "{name}");
        }
    }
    signal("-TERM", &alice);
    assert_eq!(alice.ends(), 0);
    for name in ["-HUP", "-INT"] {
        let mut alice = started("--default-signal=HUP,INT", "listening");
        signal(name, &alice);
        assert_eq!(alice.ends(), 0, "{name}");
    }
}

#[test]
fn standard_input_is_the_text_of_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("alice");
    let alice = Running::start(peer("alice", &data, &["--json"]));
    let address = alice.event("listening")["address"].as_str().unwrap().to_owned();
    let bob = Running::start(peer("bob", &folder.path().join("bob"), &["--json", "--peer", &address]));
    bob.event("peer_up");
    alice.event("peer_up");
    let send = |words: &[&str], text: &[u8]| {
        let mut command = causerie(&["send"]);
        command.args(words).env("CAUSERIE_DATA", &data).stdin(Stdio::piped());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // It may have ended without reading it.
        let _ = child.stdin.take().unwrap().write_all(text);
        failed(&child.wait_with_output().unwrap())
    };
    let patch = "--- a\n+++ b\n-lu\n    @bob \n\n";
    let without_end = &patch[..patch.len() - 1];
    for (words, text, heard, direct) in [
        (&["@bob", "-"][..], patch, without_end, true),
        (&["@bob"], patch, without_end, true),
        (&["-"], patch, without_end, false),
        (&[], "  to everybody\r\n", "  to everybody", false),
        (&["@all", "-"], "-lu", "-lu", false),
        (&["a", "-"], "not this", "a -", false),
        (&["  two blanks "], "not this", "  two blanks ", false),
        (&["@bob", "  two blanks "], "not this", "  two blanks ", true),
    ] {
        assert_eq!(send(words, text.as_bytes()), (0, String::new()), "{words:?}");
        let message = bob.event("message")["message"].clone();
        assert_eq!((&message["text"], message["to"].get("direct").is_some()), (&json!(heard), direct), "{words:?}");
    }
    for (words, text, code, named) in [
        (&["-"][..], &b"-lu"[..], 1, "no message"),
        (&["-"], b"\xef\xbb\xbf@bob secret", 1, "U+FEFF"),
        (&["-"], b"", 2, "no text"),
        (&[], b" \n", 2, "no text"),
        (&["@bob", "-"], b"", 1, "no message"),
        (&["@bob", "-"], b"\xff", 1, "UTF-8"),
        (&["@nobody", "-"], b"hello", 1, "nobody"),
        (&["@bob", "-"], &[b'x'; 70_000], 1, "70000 bytes"),
        (&["@bob", "-"], &[b'x'; 600_000], 1, "standard input"),
    ] {
        let (is, told) = send(words, text);
        assert!(is == code && told.contains(named) && told.lines().count() == 1, "{words:?}: {is} {told}");
    }
    assert_eq!(bob.end(), 0);
    assert_eq!(alice.end(), 0);
}

#[test]
fn an_empty_variable_is_as_good_as_none_and_a_login_name_is_made_one() {
    let folder = tempfile::tempdir().unwrap();
    for (user, name) in [("tester", "tester"), ("CORP\\tester", "tester"), (&"x".repeat(70), &"x".repeat(32))] {
        let mut command = causerie(&["--no-mdns", "--listen", "127.0.0.1:0", "--json"]);
        for empty in ["CAUSERIE_NAME", "CAUSERIE_DATA", "XDG_DATA_HOME"] {
            command.env(empty, "");
        }
        command.env("USER", user).env("HOME", folder.path());
        let alice = Running::start(command);
        assert_eq!(alice.json()["me"]["name"], name);
        assert_eq!(alice.end(), 0);
    }
    assert!(folder.path().join(".local/share/causerie/identity.key").exists());
}

#[test]
fn a_reader_who_closes_the_output_ends_it_quietly() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = peer("alice", folder.path(), &["--json"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // Until it has noticed; then nobody reads this any more.
    while input.write_all(b"{\"command\":\"my_groups\"}\n").is_ok() && child.try_wait().unwrap().is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(failed(&output), (0, String::new()));
}

#[test]
fn a_person_stays_the_same_and_is_there_once() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(peer("alice", folder.path(), &["--json"]));
    let hello = first.json();
    let (code, told) = failed(&peer("alice", folder.path(), &[]).stdin(Stdio::null()).output().unwrap());
    assert_eq!(code, 1);
    assert!(told.contains("another causerie is running") && told.contains("--data"), "{told}");
    assert_eq!(first.end(), 0);
    let second = Running::start(peer("alice", folder.path(), &["--json"]));
    let again = second.json();
    assert_eq!(again["me"]["person"], hello["me"]["person"]);
    assert_eq!(again["process"], hello["process"], "it goes on where it stopped");
    assert_eq!(second.end(), 0);
}

#[test]
fn what_keeps_it_from_starting_is_said_in_one_line_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let exposed = folder.path().join("exposed");
    fs::create_dir(&exposed).unwrap();
    fs::write(exposed.join("identity.key"), "00").unwrap();
    fs::set_permissions(exposed.join("identity.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let mut homeless = causerie(&["--name", "alice", "--no-mdns"]);
    homeless.env("HOME", "/dev/null").env_remove("XDG_DATA_HOME");
    let cases = [
        (peer("alice", &exposed, &[]), 1, "chmod 600"),
        (peer("no name", folder.path(), &[]), 2, "--name"),
        (peer("alice", folder.path(), &["--peer", "nowhere"]), 2, "ip:port"),
        (peer("alice", folder.path(), &["--peer", "1.2.3.4:0"]), 2, "no port"),
        (peer("alice", folder.path(), &["--peer", "224.0.0.1:1"]), 2, "many machines"),
        (peer("alice", folder.path(), &["--trace", "/nonexistent/trace"]), 1, "/nonexistent/trace"),
        (peer("alice", Path::new("/dev/null/folder"), &[]), 1, "--data"),
        (peer("alice", folder.path(), &["--log", "=loud="]), 2, "--log"),
        (homeless, 1, "--data"),
    ];
    for (mut command, expected, named) in cases {
        let (code, told) = failed(&command.stdin(Stdio::null()).output().unwrap());
        assert_eq!(code, expected, "{told}");
        assert!(
            told.starts_with("causerie: ") && told.contains(named) && told.trim_end().lines().count() == 1,
            "{told}"
        );
    }
    let (code, told) = failed(&causerie(&["--listen", "here"]).output().unwrap());
    assert_eq!(code, 2, "{told}");
}

#[test]
fn check_tells_a_violation_from_traces_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let line = |event: &str| format!("{{\"ts\":1,\"peer\":\"A\",\"name\":\"alice\",\"event\":{event}}}\n");
    for (text, code) in [
        (line(r#""send","id":"A:1","dests":[]"#), 0),
        (line(r#""send","id":"A:1","dests":[]"#).repeat(2), 1),
        ("rubbish\n".to_owned(), 2),
    ] {
        fs::write(&file, &text).unwrap();
        let output = causerie(&["check"]).arg(&file).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{text}{output:?}");
    }
    fs::write(&file, line(r#""start""#)).unwrap();
    let output = causerie(&["check"]).arg(&file).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("nothing to check") && !told.contains("OK"), "{told}");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(causerie(&["check", "/nonexistent"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_host_is_found_by_its_name_and_one_that_does_not_resolve_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let alice = Running::start(peer("alice", &folder.path().join("alice"), &["--json"]));
    let address = alice.event("listening")["address"].as_str().unwrap().to_owned();
    // It may stand for ::1 first, where nobody listens.
    let host = address.replace("127.0.0.1", "localhost");
    let mut bob = Running::start(peer("bob", &folder.path().join("bob"), &["--json", "--peer", &host]));
    bob.event("peer_up");
    alice.event("peer_up");
    // Nobody knows how long it takes to look a name up: what it comes to may be told before the answers, or long after.
    let connect = json!({"id": 1, "command": "connect", "address": "nowhere.invalid:4100"});
    bob.write(format!("{connect}\n{{\"id\":2,\"command\":\"my_groups\"}}\n").as_bytes());
    let lines: Vec<Value> = (0..3).map(|_| bob.json()).collect();
    let answers: Vec<&Value> = lines.iter().filter(|line| line.get("answer").is_some()).collect();
    assert_eq!((&answers[0]["answer"], &answers[1]["id"]), (&json!("connecting"), &json!(2)), "{lines:?}");
    let told = lines.iter().find(|line| line["event"] == "connect_failed").expect("what it came to");
    assert_eq!(told["address"], "nowhere.invalid:4100");
    assert!(told["reason"].as_str().unwrap().contains("does not resolve"), "{told}");
    assert_eq!(bob.ask(&json!({"command": "connect", "address": "nowhere"}))["refusal"], "bad_address");
    assert_eq!(bob.end(), 1);
    assert_eq!(alice.end(), 0);
}
