//! A full disk refuses and does not freeze: questions are answered, messages are refused with the reason, links stay up, and
//! once there is room the peer goes on by itself. Nothing that was refused is ever sent.

use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use crate::peer::{Launch, PROGRAM, Peer, check, eventually};
use crate::skip::skip;

/// Runs what follows in a mount namespace of its own, with a small file system in the place of the data folder.
const SMALL_DISK: &str =
    "mkdir -p \"$0\" && mount -t tmpfs -o size=6m,mode=0700 causerie-small-disk \"$0\" && exec \"$@\"";

/// A peer and its small disk, which only its own mount namespace has.
struct Cramped {
    folder: tempfile::TempDir,
    launch: Launch,
}

impl Cramped {
    /// `None` if no file system may be mounted here: the test is to return.
    fn new(options: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let mut attempt = Command::new("unshare");
        attempt.args(["-m", "sh", "-c", SMALL_DISK]).arg(folder.path().join("attempt")).arg("true");
        let reason = match attempt.output() {
            Ok(made) if made.status.success() => None,
            Ok(made) => Some(String::from_utf8_lossy(&made.stderr).into_owned()),
            Err(error) => Some(error.to_string()),
        };
        if let Some(reason) = reason {
            skip("mount namespaces (root, and util-linux)", &reason);
            return None;
        }
        let data = folder.path().join("alice");
        let prefix = ["unshare", "-m", "sh", "-c", SMALL_DISK].map(Into::into).into_iter().chain([data.into()]);
        let launch = Launch {
            name: "alice".to_owned(),
            folder: folder.path().to_owned(),
            prefix: prefix.collect(),
            options: ["--no-mdns", "--listen", "127.0.0.1:0"].iter().chain(options).map(ToString::to_string).collect(),
        };
        Some(Self { folder, launch })
    }

    fn neighbour(&self, name: &str, options: &[&str]) -> Launch {
        Launch {
            name: name.to_owned(),
            folder: self.folder.path().to_owned(),
            prefix: Vec::new(),
            options: ["--no-mdns", "--listen", "127.0.0.1:0"].iter().chain(options).map(ToString::to_string).collect(),
        }
    }

    /// Runs a command where the peer lives.
    fn beside(&self, peer: &Peer, command: &[&str]) -> (Option<i32>, String) {
        let pid = peer.pid().to_string();
        let data = self.launch.data();
        let output = Command::new("nsenter")
            .args(["-m", "-t", &pid])
            .args(command)
            .env("CAUSERIE_DATA", &data)
            .output()
            .expect("nsenter can be run");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&said).into_owned())
    }

    fn fill(&self, peer: &Peer) {
        let ballast = format!("of={}", self.launch.data().join("ballast").display());
        let (code, _) = self.beside(peer, &["dd", "if=/dev/zero", &ballast, "bs=4k"]);
        assert_eq!(code, Some(1), "the disk gets full");
    }

    fn make_room(&self, peer: &Peer) {
        let ballast = self.launch.data().join("ballast");
        assert_eq!(self.beside(peer, &["rm", &ballast.to_string_lossy()]).0, Some(0));
    }
}

/// `first` is what meets the full disk: the message of a user, or one that comes in.
fn refuses_and_goes_on(a_message_comes_in_first: bool) {
    let Some(disk) = Cramped::new(&[]) else { return };
    let mut alice = disk.launch.clone().start();
    let mut bob = disk.neighbour("bob", &["--peer", &alice.address(|_| true)]).start();
    alice.meets("bob");
    bob.meets("alice");
    alice.say("kept before");
    bob.hears("kept before");
    eventually("alice has nothing left to write", || alice.settled());
    disk.fill(&alice);
    let wanted = alice.launch.data().to_string_lossy().into_owned();
    if a_message_comes_in_first {
        bob.say("said meanwhile");
        alice.expect_event("problem", |event| event["text"].as_str().is_some_and(|text| text.contains("disk is full")));
    }
    for text in
        ["refused to all", "@bob refused to bob", "-delay 1 refused later", "-creategroup refused", "-alias bob b"]
    {
        let why = alice.refuses(text);
        assert!(why.contains("disk is full") && why.contains(&wanted), "{text}: {why}");
    }
    if !a_message_comes_in_first {
        bob.say("said meanwhile");
    }
    let users = alice.run("-lu");
    let here = |user: &Value| user["who"]["name"] == "bob" && user["present"] == true;
    assert!(users["users"].as_array().is_some_and(|users| users.iter().any(here)), "{users}");
    assert_eq!(alice.run("-h")["answer"], "help");
    let history = alice.run("-history 100").to_string();
    assert!(history.contains("kept before") && !history.contains("refused"), "{history}");
    assert_eq!(alice.run("-lg")["groups"], json!([]), "a group that was refused does not exist");
    alice.run("-pending");
    let (code, said) = disk.beside(&alice, &[PROGRAM, "users"]);
    assert_eq!((code, said.contains("bob")), (Some(0), true), "{said}");
    let (code, said) = disk.beside(&alice, &[PROGRAM, "send", "refused from a script"]);
    assert_eq!((code, said.contains("disk is full")), (Some(1), true), "{said}");
    assert!(!alice.shown().iter().any(|text| text == "said meanwhile"), "it is not kept, so it is not shown");
    // Longer than a link may be silent.
    std::thread::sleep(Duration::from_secs(12));
    assert!(!bob.heard().iter().any(|line| line["event"] == "peer_down"), "the link stays up");
    disk.make_room(&alice);
    alice.expect_event("solved", |event| event["text"].as_str().is_some_and(|text| text.contains("is kept")));
    alice.hears("said meanwhile");
    alice.say("after all");
    bob.hears("after all");
    eventually("everything is settled", || alice.settled());
    let traces = [alice.launch.trace(), bob.launch.trace()];
    alice.quit();
    bob.loses("alice");
    let shown = bob.shown();
    assert!(!shown.iter().any(|text| text.contains("refused")), "{shown:?}");
    bob.quit();
    let (complete, report) = check(&traces, &["--complete"]);
    assert!(complete, "{report}");
}

#[test]
fn a_message_of_its_user_meets_a_full_disk_first() {
    refuses_and_goes_on(false);
}

#[test]
fn a_message_of_another_meets_a_full_disk_first() {
    refuses_and_goes_on(true);
}
