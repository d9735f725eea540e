//! What fails underneath is said, once, with the cause and what to do, and is recovered from without a restart.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::peer::{Launch, PROGRAM, Peer, eventually};
use crate::service::Service;
use crate::skip::skip;
use crate::support::net::Net;

/// Holds UDP port 5353 for itself.
pub(crate) const HOLD_5353: &str =
    "use Socket; socket(S, PF_INET, SOCK_DGRAM, 0); bind(S, sockaddr_in(5353, INADDR_ANY)) or die $!; sleep 600";

/// Runs a command whose every netlink socket is refused, as systemd does with RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX.
const WITHOUT_NETLINK: &str = r#"
    my ($socket, $prctl, $seccomp) = `uname -m` =~ /aarch64/ ? (198, 167, 277) : (41, 157, 317);
    my @filter = ([0x20, 0, 0, 0], [0x15, 0, 3, $socket], [0x20, 0, 0, 16], [0x15, 0, 1, 16],
        [0x06, 0, 0, 0x00050061], [0x06, 0, 0, 0x7fff0000]);
    my $code = join "", map { pack "SCCL", @$_ } @filter;
    syscall($prctl, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
    my $program = pack "Sx6P", scalar @filter, $code;
    syscall($seccomp, 1, 0, $program) == 0 or die "seccomp: $!";
    exec @ARGV;
"#;

fn problem(peer: &Peer, kind: &str) -> String {
    let event = peer.expect_event("problem", |event| event["kind"] == kind);
    event["text"].as_str().expect("a problem has a text").to_owned()
}

fn solved(peer: &Peer, kind: &str) {
    peer.expect_event("solved", |event| event["kind"] == kind);
}

/// The exit code and the output of a task of the program about this peer.
fn task(peer: &Peer, words: &[&str]) -> (Option<i32>, String) {
    let mut program = Command::new(PROGRAM);
    let output = program.args(words).env("CAUSERIE_DATA", peer.launch.data()).stdin(Stdio::null()).output();
    let output = output.expect("the program starts");
    (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn another_program_holds_the_port_of_multicast() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    let holder = net.keep_running("alice", &["perl", "-e", HOLD_5353]);
    eventually("the port is held", || net.on("alice", &["cat", "/proc/net/udp"]).contains(":14E9"));
    let alice = net.spawn_beside("alice", "alice", &[]);
    let text = problem(&alice, "multicast_port_taken");
    assert!(text.contains("UDP port 5353") && text.contains("--peer"), "{text}");
    for task_words in [&["health"][..], &["doctor"]] {
        let (code, said) = task(&alice, task_words);
        assert_eq!((code, said.contains("UDP port 5353")), (Some(1), true), "{said}");
    }
    let (code, said) = task(&alice, &["doctor", "--json"]);
    let report: Value = serde_json::from_str(&said).expect("it is JSON");
    assert_eq!((code, &report["healthy"], &report["running"]), (Some(1), &false.into(), &true.into()), "{said}");
    drop(holder);
    solved(&alice, "multicast_port_taken");
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    assert_eq!(task(&alice, &["doctor"]).0, Some(0));
    net.check_complete(vec![alice, bob]);
}

#[test]
fn the_system_refuses_to_send_multicast() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    if !net.can_filter("alice") {
        return;
    }
    let tables = ["iptables", "ip6tables"];
    for table in tables {
        net.on("alice", &[table, "-A", "OUTPUT", "-p", "udp", "-j", "REJECT"]);
    }
    let alice = net.spawn_beside("alice", "alice", &[]);
    let text = problem(&alice, "multicast_refused");
    assert!(text.contains("UDP port 5353") && text.contains("not permitted"), "{text}");
    for table in tables {
        net.on("alice", &[table, "-F"]);
    }
    solved(&alice, "multicast_refused");
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn firewalls_at_both_ends_are_named_with_the_ports_to_open() {
    let Some(mut net) = Net::new() else { return };
    let names = ["alice", "bob"];
    for name in names {
        net.plug(name);
        if !net.can_filter(name) {
            return;
        }
        for table in ["iptables", "ip6tables"] {
            net.on(name, &[table, "-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP"]);
        }
    }
    let listen = ["--listen", "0.0.0.0:4100", "--listen", "0.0.0.0:4200"];
    let peers = [net.spawn_beside("alice", "alice", &listen[..2]), net.spawn_beside("bob", "bob", &listen[2..])];
    for (peer, [here, there]) in peers.iter().zip([[4100, 4200], [4200, 4100]]) {
        let text = problem(peer, "unreachable");
        let ports = format!("open TCP port {there} on that machine, or TCP port {here} on this one");
        assert!(text.contains(&ports), "{text}");
        // Whichever of its addresses was tried first.
        assert!(["at 10.77.0.", "at [fd77::"].iter().any(|address| text.contains(address)), "{text}");
    }
    assert_eq!(task(&peers[0], &["health"]).0, Some(1));
    for name in names {
        for table in ["iptables", "ip6tables"] {
            net.on(name, &[table, "-F"]);
        }
    }
    peers[0].meets("bob");
    for peer in &peers {
        solved(peer, "unreachable");
    }
    net.check_complete(peers.into());
}

#[test]
fn a_machine_without_a_network_is_told_so() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    let alice = net.spawn_beside("alice", "alice", &[]);
    net.on("alice", &["ip", "address", "flush", "dev", "eth0", "scope", "global"]);
    assert!(problem(&alice, "only_link_local").contains("fe80"));
    net.on("alice", &["ip", "link", "set", "eth0", "down"]);
    assert!(problem(&alice, "no_interface").contains("no network interface is up"));
    net.on("alice", &["ip", "link", "set", "eth0", "up"]);
    solved(&alice, "no_interface");
    net.on("alice", &["ip", "address", "add", "10.77.0.1/24", "dev", "eth0"]);
    solved(&alice, "only_link_local");
    let bob = net.spawn("bob", &[]);
    alice.meets("bob");
    net.check_complete(vec![alice, bob]);
}

#[test]
fn everybody_gone_at_once_is_being_offline() {
    let Some(mut net) = Net::new() else { return };
    let mut peers = ["alice", "bob", "carol"].map(|name| net.spawn(name, &[]));
    let mut dave = net.serve("dave");
    for (peer, others) in peers.iter().zip([["bob", "carol"], ["alice", "carol"], ["alice", "bob"]]) {
        others.iter().for_each(|other| drop(peer.meets(other)));
        peer.meets("dave");
        dave.logs(&format!("{} is here", peer.name()));
    }
    net.split(&["alice"]);
    assert!(problem(&peers[0], "offline").contains("you are offline"));
    for other in ["bob", "carol", "dave"] {
        peers[0].loses(other);
    }
    peers[1].loses("alice");
    dave.logs("alice has gone");
    assert_eq!(task(&peers[0], &["health"]).0, Some(1));
    net.heal();
    solved(&peers[0], "offline");
    for other in ["bob", "carol", "dave"] {
        peers[0].meets(other);
    }
    peers[1].say("all together");
    peers[0].hears("all together");
    dave.logs("alice is here");
    // What a person reads of it.
    net.split(&["dave"]);
    dave.logs("you are offline");
    peers.iter().for_each(|peer| drop(peer.loses("dave")));
    net.heal();
    dave.logs("you are online again");
    peers.iter().for_each(|peer| drop(peer.meets("dave")));
    peers[2].say("and once more");
    dave.logs("and once more");
    let log = dave.log();
    let gone = log.lines().filter(|line| line.contains("has gone")).count();
    let here = log.lines().filter(|line| line.contains("is here")).count();
    assert_eq!((gone, here), (1, 4), "a line for each who came or went when dave was offline: {log}");
    let told = |peer: &Peer| peer.heard().iter().filter(|line| line["kind"] == "offline").count();
    assert_eq!((told(&peers[0]), told(&peers[1])), (2, 0), "once each way, and only to who is offline");
    eventually("dave has everything", || peers.iter_mut().all(Peer::settled));
    assert_eq!(dave.end("-TERM").code(), Some(0));
    net.check_complete(peers.into());
}

#[test]
fn a_duplicate_of_the_name_of_the_machine_is_told() {
    let Some(mut net) = Net::new() else { return };
    for host in ["one", "two"] {
        net.plug(host);
    }
    let machine = |host: &str, name: &str| {
        let mut launch = net.launch(host, name, &[]);
        launch.prefix.extend(
            ["unshare", "-u", "sh", "-c", "echo \"$0\" >/proc/sys/kernel/hostname; exec \"$@\"", name].map(Into::into),
        );
        launch
    };
    let start = |host: &str, folder: &str| {
        let mut launch = machine(host, "web1");
        launch.folder = launch.folder.join(folder);
        fs::create_dir(&launch.folder).expect("it can be made");
        launch.start()
    };
    // Two users of one machine share its name, and nothing is wrong with that.
    let (mut first, mut beside) = (start("one", "first"), start("one", "beside"));
    first.meets("web1");
    let mut second = start("two", "second");
    let (one, two) = ("goes by the name of this machine, \"web1\"", ["the peer at 10.77.0.2 ", "the peer at fd77::2 "]);
    for peer in [&first, &beside] {
        let text = problem(peer, "same_machine_name");
        assert!(text.contains(one) && two.iter().any(|address| text.contains(address)), "{text}");
    }
    assert!(problem(&second, "same_machine_name").contains(one));
    second.quit();
    solved(&first, "same_machine_name");
    first.quit();
    beside.quit();
}

#[test]
fn a_sandbox_that_hides_the_interfaces_leaves_addresses_to_be_given_by_hand() {
    let Some(mut net) = Net::new() else { return };
    net.plug("alice");
    let mut launch = net.launch("alice", "alice", &[]);
    launch.prefix.extend(["perl", "-e", WITHOUT_NETLINK].map(Into::into));
    let mut alice = launch.start();
    let text = problem(&alice, "interfaces_hidden");
    assert!(text.contains("netlink") && text.contains("--peer"), "{text}");
    let address = alice.address(|address| address.starts_with("10.77."));
    let mut bob = net.spawn("bob", &["--peer", &address]);
    alice.meets("bob");
    bob.say("over the wall");
    alice.hears("over the wall");
    alice.quit();
    bob.quit();
}

#[test]
fn a_folder_that_is_moved_away_is_noticed_and_refused_like_a_full_disk() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut alice = Launch::alone("alice", folder.path(), &[]).start();
    alice.say("kept");
    let (here, away) = (alice.launch.data(), folder.path().join("away"));
    fs::rename(&here, &away).expect("it can be moved");
    assert!(problem(&alice, "not_kept").contains("gone"));
    assert!(alice.refuses("not kept").contains("gone"));
    assert!(alice.run("-history").to_string().contains("kept"));
    fs::rename(&away, &here).expect("it can be moved back");
    solved(&alice, "not_kept");
    alice.say("kept again");
    fs::remove_file(here.join("causerie.db")).expect("it can be removed");
    assert!(problem(&alice, "not_kept").contains("causerie.db"));
    assert!(alice.refuses("not kept").contains("gone"));
    alice.quit();
}

#[test]
fn a_key_that_is_lost_is_named_and_not_replaced() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut alice = Launch::alone("alice", folder.path(), &[]).start();
    alice.say("kept");
    alice.quit();
    fs::remove_file(alice.launch.data().join("identity.key")).expect("it is there");
    let words = alice.launch.command();
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("identity.key is missing") && said.contains("restore"), "{said}");
    assert!(!alice.launch.data().join("identity.key").exists());
    let (code, said) = task(&alice, &["doctor"]);
    assert_eq!((code, said.contains("identity.key is missing")), (Some(1), true), "{said}");
}

#[test]
fn a_database_that_is_a_link_to_nowhere_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut alice = Launch::alone("alice", folder.path(), &[]).start();
    alice.say("kept");
    alice.quit();
    let (disk, database) = (folder.path().join("disk.db"), alice.launch.data().join("causerie.db"));
    fs::rename(&database, &disk).expect("it can be moved");
    let nowhere = folder.path().join("nowhere.db");
    std::os::unix::fs::symlink(&nowhere, &database).expect("a link can be made");
    let words = alice.launch.command();
    let output = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("symbolic link") && said.contains("nowhere.db"), "{said}");
    assert!(!nowhere.exists() && database.is_symlink());
    let (code, said) = task(&alice, &["doctor"]);
    assert_eq!((code, said.contains("nowhere.db")), (Some(1), true), "{said}");
    fs::rename(&disk, &nowhere).expect("it can be moved");
    alice.restart();
    assert!(alice.run("-history").to_string().contains("kept"));
    alice.quit();
}

/// A program that does not outlive a test that fails.
struct KilledAtLast(Child);

impl Drop for KilledAtLast {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_whose_disk_is_full_is_waited_for() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).expect("it can be made");
    let mut launch = Launch::alone("alice", folder.path(), &[]);
    let script = "mount -t tmpfs -o size=64k causerie-small-log \"$0\" || exit 77; exec \"$@\" >\"$0/log\"";
    launch.prefix =
        ["unshare", "-m", "sh", "-c", script].map(Into::into).into_iter().chain([disk.clone().into()]).collect();
    let words = launch.service_command();
    let child = Command::new(&words[0]).args(&words[1..]).stdin(Stdio::null()).spawn().expect("it starts");
    let pid = child.id().to_string();
    let mut child = KilledAtLast(child);
    let inside = |command: &str| {
        let output = Command::new("nsenter").args(["-m", "-t", &pid, "sh", "-c", command]).arg(&disk).output();
        output.map_or_else(|_| String::new(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let peer = |words: &[&str]| {
        let mut program = Command::new(PROGRAM);
        let output = program.args(words).env("CAUSERIE_DATA", launch.data()).stdin(Stdio::null()).output();
        let output = output.expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    let mut running = false;
    for _ in 0..100 {
        running = peer(&["health"]).0 == Some(0);
        if running {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    if !running {
        return skip("mount namespaces (root, and util-linux)", "the peer did not start in one");
    }
    inside("dd if=/dev/zero of=$0/ballast bs=1k 2>/dev/null");
    // More than fits into what is left of the last page.
    let long = format!("written down later {}", "or never ".repeat(1000));
    peer(&["send", &long]);
    eventually("the log is full", || peer(&["health"]).1.contains("the log cannot be written"));
    let (code, said) = peer(&["send", "refused"]);
    assert_eq!((code, said.contains("No space left")), (Some(1), true), "{said}");
    assert_eq!(peer(&["users"]).0, Some(0));
    assert!(child.0.try_wait().expect("it is a child").is_none(), "it does not end");
    inside("rm $0/ballast");
    eventually("the log is written again", || peer(&["health"]).0 == Some(0));
    assert_eq!(peer(&["send", "after all"]).0, Some(0));
    eventually("nothing is lost", || {
        let log = inside("cat $0/log");
        log.contains("written down later") && log.contains("after all") && !log.contains("refused\n")
    });
    let ended = Command::new("kill").args(["-TERM", &pid]).status();
    assert!(ended.expect("kill can be run").success());
    assert_eq!(child.0.wait().expect("it is a child").code(), Some(0));
}

#[test]
fn doctor_looks_by_itself_where_no_peer_runs() {
    let Some(mut net) = Net::new() else { return };
    let bob = net.spawn("bob", &["--listen", "0.0.0.0:4100"]);
    net.plug("alice");
    let launch = net.launch("alice", "alice", &[]);
    let doctor = |options: &[&str]| {
        let words = launch.task_command("doctor");
        let output = Command::new(&words[0]).args(&words[1..]).args(options).output().expect("the program starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (code, said) = doctor(&[]);
    assert!(code == Some(0) && said.contains("10.77.0.1:4100") && said.contains("answers at"), "{said}");
    let heard = bob.heard();
    assert!(!heard.iter().any(|line| line["event"] == "peer_up"), "it does not join");
    if net.can_filter("bob") {
        for table in ["iptables", "ip6tables"] {
            net.on("bob", &[table, "-A", "INPUT", "-p", "tcp", "--syn", "-j", "DROP"]);
        }
        let (code, said) = doctor(&["--json"]);
        let report: Value = serde_json::from_str(&said).expect("it is JSON");
        assert_eq!((code, &report["running"]), (Some(1), &false.into()), "{said}");
        assert!(said.contains("open TCP port 4100"), "{said}");
    }
    net.check_complete(vec![bob]);
}

/// What the peer refuses to start on.
#[test]
fn doctor_names_what_is_wrong_with_the_data_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let launch = Launch::alone("alice", folder.path(), &[]);
    let (data, database) = (launch.data(), launch.data().join("causerie.db"));
    let doctor = || {
        let words = launch.task_command("doctor");
        // An interface that is not there keeps it from looking at the network.
        let output = Command::new(&words[0]).args(&words[1..]).args(["--interface", "none"]).output();
        let said = String::from_utf8_lossy(&output.expect("the program starts").stdout).into_owned();
        said.lines().find(|line| line.contains("data folder")).unwrap_or_default().to_owned()
    };
    std::os::unix::fs::symlink("/nowhere/at/all", &data).expect("a link can be made");
    assert!(doctor().contains("symbolic link to /nowhere/at/all"), "{}", doctor());
    fs::remove_file(&data).expect("it can be removed");
    assert!(doctor().starts_with("ok"), "{}", doctor());
    fs::create_dir(&data).expect("it can be made");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o777)).expect("its owner may");
    assert!(doctor().contains("others can write"), "{}", doctor());
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("its owner may");
    assert!(doctor().starts_with("ok"), "{}", doctor());
    fs::write(&database, "junk").expect("it can be written");
    assert!(doctor().contains("it is not an SQLite database"), "{}", doctor());
    fs::remove_file(&database).and_then(|()| fs::create_dir(&database)).expect("it can be replaced");
    assert!(doctor().contains("causerie.db: Is a directory"), "{}", doctor());
}

#[test]
fn a_service_that_is_asked_gives_its_problems_in_health() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let alice = Service::start(Launch::alone("alice", folder.path(), &[]));
    fs::rename(alice.launch.data().join("causerie.db"), folder.path().join("away.db")).expect("it can be moved");
    alice.logs("causerie.db is gone");
    let output = alice.call(&["health"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!((output.status.code(), said.contains("causerie.db is gone")), (Some(1), true), "{said}");
}
