//! `causerie diagram`: what real peers did, drawn. Nothing here needs a network of its own.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::peer::{Launch, PROGRAM, Peer};

fn draw(options: &[&str], traces: &[impl AsRef<Path>]) -> Output {
    let mut program = Command::new(PROGRAM);
    program.arg("diagram").args(options).args(traces.iter().map(AsRef::as_ref));
    program.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Starts a peer on the loopback interface alone.
fn start(folder: &Path, name: &str, options: &[&str]) -> Peer {
    let options = ["--no-mdns", "--listen", "127.0.0.1:0"].iter().chain(options).map(ToString::to_string).collect();
    Launch { name: name.to_owned(), folder: folder.to_owned(), prefix: Vec::new(), options }.start()
}

#[test]
fn the_triangle_of_real_peers_is_drawn() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut alice = start(folder.path(), "alice", &[]);
    let address = alice.address(|_| true);
    let mut bob = start(folder.path(), "bob", &["--peer", &address]);
    let mut carol = start(folder.path(), "carol", &["--peer", &address]);
    for (peer, others) in [(&alice, ["bob", "carol"]), (&bob, ["alice", "carol"])] {
        for other in others {
            peer.meets(other);
        }
    }
    alice.say("-delay 3 @carol The question");
    alice.say("@bob I have asked carol");
    bob.hears("I have asked carol");
    bob.say("@carol The answer");
    carol.hears("The answer");
    for peer in [&mut alice, &mut bob, &mut carol] {
        peer.quit();
    }
    let traces = [&alice, &bob, &carol].map(|peer| peer.launch.trace());

    let picture = folder.path().join("triangle.svg");
    let drawn = draw(&["-o", &picture.to_string_lossy()], &traces);
    assert!(drawn.status.success() && drawn.stdout.is_empty() && drawn.stderr.is_empty(), "{drawn:?}");
    let svg = fs::read_to_string(&picture).expect("the drawing was written");
    for label in ["alice#1 → carol", "alice#2 → bob", "bob#1 → carol", "bob#1 waits for alice#1", "3 peers, 3 messages"]
    {
        assert!(svg.contains(&format!(">{label}<")), "{label:?} is missing: {svg}");
    }
    assert!(svg.ends_with("</svg>\n"), "{svg}");

    let log = text(&draw(&["--format", "shiviz"], &traces).stdout);
    assert!(log.starts_with("(?<host>\\S+) (?<clock>\\{[^}]*\\}) (?<event>.*)\n\n"), "{log}");
    let help = text(&draw(&["--help"], &traces).stdout);
    assert!(log.lines().next().is_some_and(|expression| help.contains(expression)), "{help}");
    let line = |host: &str, event: &str| {
        let found = log.lines().find(|line| line.starts_with(host) && line.ends_with(event));
        found.unwrap_or_else(|| panic!("{host} {event} is missing: {log}"))
    };
    assert!(line("@bob ", "} sends bob#1 to carol").contains("\"@alice\":3,\"@bob\":3"), "{log}");
    assert!(line("@carol ", "} holds bob#1, which waits for alice#1").contains("{\"@carol\":2}"), "{log}");
    assert!(line("@carol ", "} delivers alice#1").contains("{\"@alice\":2,\"@carol\":3}"), "{log}");
    assert!(line("@carol ", "} delivers bob#1").contains("{\"@alice\":3,\"@bob\":3,\"@carol\":4}"), "{log}");
}

const LINE: &str = "{\"ts\":1,\"peer\":\"A\",\"name\":\"alice\",\"event\":\"start\"}\n";

#[test]
fn what_cannot_be_read_or_drawn_is_said_as_when_traces_are_checked() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str, lines: &str| {
        let path = folder.path().join(name);
        fs::write(&path, lines).expect("the folder can be written");
        path
    };
    for (trace, told) in [
        (file("damaged", &format!("{LINE}nonsense\n{LINE}")), "damaged:2: "),
        (file("empty", ""), "nothing to draw"),
        (folder.path().join("nowhere"), "nowhere"),
    ] {
        let output = folder.path().join("out.svg");
        let drawn = draw(&["-o", &output.to_string_lossy()], &[trace]);
        assert_eq!(drawn.status.code(), Some(2), "{drawn:?}");
        assert!(text(&drawn.stderr).contains(told), "{drawn:?}");
        assert!(!output.exists());
    }
    let torn = draw(&[], &[file("torn", &format!("{LINE}{{\"ts\":2"))]);
    assert!(torn.status.success() && text(&torn.stdout).contains("torn:2: the last line has no end"), "{torn:?}");
    assert!(text(&torn.stderr).contains("torn:2: the last line has no end"), "{torn:?}");
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let trace = folder.path().join("trace");
    fs::write(&trace, LINE).expect("the folder can be written");
    let at = |path: &Path| draw(&["-o", &path.to_string_lossy()], &[&trace]);

    let nowhere = at(&folder.path().join("no/such/folder.svg"));
    assert_eq!(nowhere.status.code(), Some(1), "{nowhere:?}");
    assert!(text(&nowhere.stderr).contains("no/such/folder.svg"), "{nowhere:?}");

    let itself = at(&trace);
    assert_eq!(itself.status.code(), Some(2), "{itself:?}");
    assert_eq!(fs::read_to_string(&trace).expect("the trace is there"), LINE);

    let files = || fs::read_dir(folder.path()).expect("the folder can be read").count();
    assert_eq!(files(), 1);
    let picture = folder.path().join("out.svg");
    fs::write(&picture, "an older drawing").expect("the folder can be written");
    assert!(at(&picture).status.success());
    assert!(fs::read_to_string(&picture).expect("the drawing was written").starts_with("<svg "));
    assert_eq!(files(), 2);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_older_drawing_as_it_was() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let (trace, picture) = (folder.path().join("trace"), folder.path().join("out.svg"));
    fs::write(&trace, LINE).expect("the folder can be written");
    fs::write(&picture, "an older drawing").expect("the folder can be written");
    // No file of more than a block can be written.
    let mut full = Command::new("sh");
    full.args(["-c", "trap '' XFSZ; ulimit -f 1; exec \"$@\"", "sh", PROGRAM, "diagram", "-o"])
        .args([&picture, &trace]);
    let full = full.output().expect("there is a shell");
    assert_eq!(full.status.code(), Some(1), "{full:?}");
    assert!(text(&full.stderr).contains("out.svg"), "{full:?}");
    assert_eq!(fs::read_to_string(&picture).expect("the drawing is there"), "an older drawing");
    assert_eq!(fs::read_dir(folder.path()).expect("the folder can be read").count(), 2);

    let device = draw(&["-o", "/dev/full"], &[&trace]);
    assert_eq!(device.status.code(), Some(1), "{device:?}");
    assert!(text(&device.stderr).contains("/dev/full"), "{device:?}");
}
