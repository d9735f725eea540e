//! Deleting an account tells the others; what was sent before reaches everybody it was for.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::peer::{Launch, PROGRAM, Peer, eventually};
use crate::service::Service;

/// A machine with accounts, and peers beside it.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder can be made"))
    }

    fn launch(&self, name: &str, options: &[&str]) -> Launch {
        Launch::alone(name, self.0.path(), options)
    }

    /// Makes an account; its passphrase is in the file whose name it answers.
    fn account(&self, name: &str) -> String {
        let file = self.0.path().join("passphrase");
        fs::write(&file, "open sesame\n").expect("a file can be written");
        let file = file.to_string_lossy().into_owned();
        let made = self.run(&["account", "new", name, "--passphrase-file", &file]);
        assert_eq!(made.0, Some(0), "{}", made.1);
        file
    }

    fn folder(&self, account: &str) -> PathBuf {
        self.0.path().join(".local/share/causerie/accounts").join(account)
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut program = Command::new(PROGRAM);
        program.args(arguments).env("HOME", self.0.path()).stdin(Stdio::null());
        for variable in ["XDG_DATA_HOME", "CAUSERIE_NAME", "CAUSERIE_DATA", "CAUSERIE_ACCOUNT"] {
            program.env_remove(variable);
        }
        told(&program.output().expect("the program starts"))
    }
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned())
}

/// Waits until a peer is told that this person has deleted the account.
fn hears_of_the_end(peer: &Peer, name: &str) {
    peer.expect_event("forgotten", |event| event["who"]["name"] == name && event["who"] == event["by"]);
}

fn users(peer: &mut Peer) -> Vec<String> {
    let answer = peer.run("-lu");
    let users = answer["users"].as_array().expect("a list");
    users.iter().filter_map(|user| user["who"]["name"].as_str().map(str::to_owned)).collect()
}

#[test]
fn a_person_who_deletes_the_account_is_gone_and_what_they_said_comes_all_the_same() {
    let machine = Machine::new();
    let mut bob = machine.launch("bob", &[]).start();
    let hub = bob.address(|_| true);
    let mut carol = machine.launch("carol", &["--peer", &hub]).start();
    let launch = machine.launch("alice", &["--peer", &hub]);
    let mut alice = Service::start(launch.clone());
    for peer in [&bob, &carol] {
        peer.meets("alice");
    }
    let mut prompt = launch.clone().attach();
    eventually("alice knows carol", || users(&mut prompt).len() == 3);
    carol.quit();
    bob.loses("carol");

    prompt.say("to everybody");
    prompt.say("@carol to you alone");
    prompt.say("-delay 20 @carol and this");
    let refused = prompt.refuses("-delete-account");
    assert!(refused.contains("write -delete-account alice"), "{refused}");
    let answer = prompt.run("-delete-account alice");
    assert_eq!((answer["answer"].as_str(), answer["told"].as_u64()), (Some("deleting"), Some(1)), "{answer}");
    // It was refused once.
    assert_eq!(prompt.wait().code(), Some(1));
    assert_eq!(alice.ends().code(), Some(0));
    assert!(alice.log().ends_with("alice has deleted the account\n"), "{}", alice.log());
    assert!(!alice.launch.data().exists());

    bob.hears("to everybody");
    hears_of_the_end(&bob, "alice");
    assert_eq!(users(&mut bob), ["bob", "carol"]);
    carol.restart();
    for text in ["to everybody", "to you alone", "and this"] {
        carol.hears(text);
    }
    hears_of_the_end(&carol, "alice");
    assert_eq!(users(&mut carol), ["bob", "carol"]);

    // The name is free: another person takes it. The first one still stands in the history, so the label tells them apart.
    let other = Service::start(launch);
    carol.meets("alice");
    let label = bob.meets("alice")["who"]["label"].as_str().expect("a label").to_owned();
    assert!(label.starts_with("alice·"), "{label}");
    bob.say(&format!("@{label} welcome"));
    other.logs("welcome");
    eventually("nothing waits for the one who is gone", || bob.settled() && carol.settled());
    assert!(bob.heard().iter().all(|line| line["event"] != "warning"));
}

#[test]
fn an_account_whose_peer_runs_is_deleted_from_a_shell() {
    let machine = Machine::new();
    let passphrase = machine.account("alice");
    let bob = machine.launch("bob", &[]).start();
    let hub = bob.address(|_| true);
    let mut alice = Command::new(PROGRAM)
        .args(["run", "--account", "alice", "--passphrase-file", &passphrase, "--no-mdns", "--listen", "127.0.0.1:0"])
        .args(["--peer", &hub])
        .env("HOME", machine.0.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    bob.meets("alice");
    let (code, text) = machine.run(&["account", "delete", "alice", "--yes"]);
    assert_eq!((code, text.as_str()), (Some(0), "deleted alice: one person is told, and tells the others\n"));
    hears_of_the_end(&bob, "alice");
    assert!(alice.wait().expect("it is a child").success());
    assert!(!machine.folder("alice").exists());
    let (code, text) = machine.run(&["account", "delete", "alice", "--yes"]);
    assert!(code == Some(1) && text.contains("no account alice"), "{text}");
}

#[test]
fn an_account_whose_peer_does_not_run_tells_the_others_if_the_passphrase_is_there() {
    let machine = Machine::new();
    let passphrase = machine.account("alice");
    let bob = machine.launch("bob", &[]).start();
    let hub = bob.address(|_| true);
    let here = ["--no-mdns", "--listen", "127.0.0.1:0", "--peer", &hub];
    let delete = ["account", "delete", "alice", "--yes"];

    let (code, text) = machine.run(&[&delete[..], &here].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Nobody was told, because that takes the passphrase"), "{text}");
    machine.account("alice");
    let (code, text) = machine.run(&[&delete[..], &here[..3], &["--passphrase-file", &passphrase]].concat());
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("Nobody was told, because nobody was found"), "{text}");
    assert!(!machine.folder("alice").exists());

    machine.account("alice");
    let wrong = machine.0.path().join("wrong");
    fs::write(&wrong, "guess\n").expect("a file can be written");
    let (code, text) = machine.run(&[&delete[..], &here, &["--passphrase-file", &wrong.to_string_lossy()]].concat());
    assert!(code == Some(1) && text.contains("wrong passphrase"), "{text}");
    assert!(machine.folder("alice").exists(), "nothing was deleted");

    let (code, text) = machine.run(&[&delete[..], &here, &["--passphrase-file", &passphrase]].concat());
    assert_eq!((code, text.as_str()), (Some(0), "deleted alice: one person is told, and tells the others\n"));
    hears_of_the_end(&bob, "alice");
    assert!(!machine.folder("alice").exists());
}
