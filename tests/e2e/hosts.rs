//! A host, `causerie web`: reached from other machines, and what its people and those who run it are told.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::host::Host;
use crate::peer::{Launch, Peer, eventually};
use crate::skip::skip;
use crate::support::net::Net;
use crate::trouble::HOLD_5353;

fn person(name: &str) -> String {
    json!({"name": name, "passphrase": format!("the passphrase of {name}")}).to_string()
}

/// A prompt of an account that is logged in, on the machine of its host.
fn prompt(name: &str, data: &Path) -> Peer {
    let launch = Launch {
        name: name.to_owned(),
        folder: data.join("causerie/accounts"),
        prefix: Vec::new(),
        options: Vec::new(),
    };
    launch.attach()
}

#[test]
fn people_on_other_machines_reach_a_host_over_tls_and_are_told_of_a_taken_name() {
    let Some(mut net) = Net::new() else { return };
    if Command::new("curl").arg("--version").output().is_err() {
        return skip("curl", "there is none");
    }
    let (mut bob, mut carol) = (net.spawn("bob", &[]), net.spawn("carol", &[]));
    bob.meets("carol");
    carol.meets("bob");
    net.plug("host");
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let _host = Host::behind(&net.prefix("host"), data.path(), &["0.0.0.0:4180"], &log);
    let address = format!("{}:4180", net.address("host"));
    let (page, certificate) = (format!("https://{address}"), data.path().join("causerie/host.pem"));
    let curl = |words: &[&str]| {
        let trust = ["curl", "--silent", "--show-error", "--cacert", certificate.to_str().expect("it is text")];
        net.on("carol", &[&trust[..], words].concat())
    };
    // As a browser does with an address alone.
    let moved =
        curl(&["--location", "--write-out", "%{url_effective} %{http_code}", "--output", "/dev/null", &address]);
    assert_eq!(moved, format!("{page}/ 200"));
    let origin = format!("Origin: {page}");
    let registered = curl(&[
        "--write-out",
        "%{http_code}",
        "--header",
        &origin,
        "--header",
        "X-Causerie: 1",
        "--data",
        &person("bob"),
        &format!("{page}/register"),
    ]);
    assert_eq!(registered, "204", "no peer runs there, so nobody knows the name");
    let mut other = prompt("bob", data.path());
    let is_told = |line: &serde_json::Value| line["event"] == "name_taken" || line.get("name_taken_by").is_some();
    eventually("that the name is taken", || other.heard().iter().any(is_told));
    other.say("hello from the host");
    for peer in [&mut bob, &mut carol] {
        peer.hears("hello from the host");
        peer.say("and back");
        other.hears("and back");
    }
    assert_eq!(fs::read_to_string(&log).expect("a log"), "");
    other.quit();
}

#[test]
fn a_problem_of_the_machine_is_told_to_those_who_run_the_host_once() {
    let Some(mut net) = Net::new() else { return };
    net.plug("host");
    let holder = net.keep_running("host", &["perl", "-e", HOLD_5353]);
    eventually("the port is held", || net.on("host", &["cat", "/proc/net/udp"]).contains(":14E9"));
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let _host = Host::behind(&net.prefix("host"), data.path(), &["127.0.0.1:4180"], &log);
    let times = |text: &str| fs::read_to_string(&log).expect("a log").matches(text).count();
    for name in ["alice", "bob"] {
        let script = format!(
            "curl --silent --write-out '%{{http_code}}' --header 'Origin: http://127.0.0.1:4180' --header 'X-Causerie: 1' \
             --data '{}' http://127.0.0.1:4180/register",
            person(name)
        );
        assert_eq!(net.on("host", &["sh", "-c", &script]), "204");
    }
    eventually("it is told", || times("another program holds UDP port 5353") == 1);
    drop(holder);
    eventually("its end is told", || times("UDP port 5353 is free again") == 1);
    assert_eq!(times("another program holds UDP port 5353"), 1);
}

/// What comes before a program that may have so many files open, and raise that to so many.
fn with_files(soft: usize, hard: usize) -> Vec<OsString> {
    let script = "ulimit -Sn $0; ulimit -Hn $1; shift; exec \"$@\"";
    ["sh", "-c", script, &soft.to_string(), &hard.to_string()].map(Into::into).into()
}

const ALONE: [&str; 4] = ["127.0.0.1:0", "--no-mdns", "--listen", "127.0.0.1:0"];

#[test]
fn a_host_opens_as_many_files_as_it_may_without_being_asked() {
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let host = Host::behind(&with_files(64, 2048), data.path(), &ALONE, &log);
    for nth in 0..8 {
        assert_eq!(host.post("/register", "", &person(&format!("p{nth}"))).0, 204);
    }
    assert!(host.files() > 64, "{} were enough", host.files());
    assert_eq!(fs::read_to_string(&log).expect("a log"), "");
}

#[test]
fn a_host_that_may_open_few_files_says_so_and_takes_in_as_many_people_as_there_is_room_for() {
    let data = tempfile::tempdir().expect("a folder");
    let log = data.path().join("log");
    let host = Host::behind(&with_files(64, 100), data.path(), &ALONE, &log);
    let told = fs::read_to_string(&log).expect("a log");
    for words in ["2 people", "100 files", "ulimit -Hn", "LimitNOFILE="] {
        assert!(told.contains(words), "{told}");
    }
    let (_, alice) = host.post("/register", "", &person("alice"));
    assert_eq!(host.post("/register", "", &person("bob")).0, 204);
    let (status, refused) = host.post("/register", "", &person("carol"));
    assert_eq!(status, 503);
    assert!(refused.contains("as many people are logged in") || refused.contains("As many people"), "{refused}");
    assert!(!data.path().join("causerie/accounts/carol").exists(), "no account that could not be used");
    let cookie = alice.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a cookie");
    let cookie = cookie.split(';').next().expect("a pair");
    assert_eq!(host.post("/logout", cookie, "").0, 204);
    eventually("there is room again", || host.post("/register", "", &person("carol")).0 == 204);
}
