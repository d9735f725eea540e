//! A network of its own for a test: a bridge, and a network namespace a peer, joined to it. Nothing of it is visible
//! to the machine's own interfaces, multicast included.
//!
//! It takes root and `ip` (iproute2). Where that is missing the test is skipped, with a line that says why; with
//! `CAUSERIE_REQUIRE_NAMESPACES=1` it fails instead.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::peer::{Launch, Peer, check, eventually};
use crate::service::Service;
use crate::skip::skip;

/// A network. Dropping it takes it down, with whatever still runs in it.
pub(crate) struct Net {
    /// What the names of all its namespaces begin with.
    name: String,
    hosts: Vec<String>,
    cuts: BTreeSet<(usize, usize)>,
    folder: tempfile::TempDir,
    traces: BTreeSet<PathBuf>,
    ipv4: bool,
}

impl Net {
    /// A network with IPv4 and IPv6. `None` if none may be made here: the test is to return.
    pub(crate) fn new() -> Option<Self> {
        Self::make(true)
    }

    pub(crate) fn ipv6_only() -> Option<Self> {
        Self::make(false)
    }

    fn make(ipv4: bool) -> Option<Self> {
        static SWEEP: Once = Once::new();
        static SERIAL: AtomicU32 = AtomicU32::new(0);
        SWEEP.call_once(sweep);
        let name = format!("cau{}-{}-", std::process::id(), SERIAL.fetch_add(1, Ordering::Relaxed));
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let net = Self { name, hosts: Vec::new(), cuts: BTreeSet::new(), folder, traces: BTreeSet::new(), ipv4 };
        if let Err(reason) = net.make_hub() {
            skip("network namespaces (root, and iproute2)", &reason);
            return None;
        }
        Some(net)
    }

    fn make_hub(&self) -> Result<(), String> {
        let hub = self.namespace("hub");
        try_ip(&["netns", "add", &hub])?;
        for bridge in ["one", "two"] {
            try_ip(&[
                "-n",
                &hub,
                "link",
                "add",
                bridge,
                "type",
                "bridge",
                "mcast_snooping",
                "0",
                "forward_delay",
                "0",
            ])?;
            try_ip(&["-n", &hub, "link", "set", bridge, "up"])?;
        }
        Ok(())
    }

    /// Starts a peer on a host of its own, by mDNS unless `options` say otherwise.
    pub(crate) fn spawn(&mut self, name: &str, options: &[&str]) -> Peer {
        self.plug(name);
        self.spawn_beside(name, name, options)
    }

    /// Starts a peer on a host of its own, with these variables (`NAME=value`) in its environment.
    pub(crate) fn spawn_in(&mut self, name: &str, environment: &[String]) -> Peer {
        self.plug(name);
        let mut launch = self.launch(name, name, &[]);
        launch.prefix.push("env".into());
        launch.prefix.extend(environment.iter().map(Into::into));
        self.traces.insert(launch.trace());
        launch.start()
    }

    /// Starts a peer without a prompt on a host of its own.
    pub(crate) fn serve(&mut self, name: &str) -> Service {
        self.plug(name);
        let launch = self.launch(name, name, &[]);
        self.traces.insert(launch.trace());
        Service::start(launch)
    }

    /// Starts a peer on the host of another one.
    pub(crate) fn spawn_beside(&mut self, host: &str, name: &str, options: &[&str]) -> Peer {
        let launch = self.launch(host, name, options);
        self.traces.insert(launch.trace());
        launch.start()
    }

    /// How a peer on that host would be started.
    pub(crate) fn launch(&self, host: &str, name: &str, options: &[&str]) -> Launch {
        let options = options.iter().map(ToString::to_string).collect();
        Launch { name: name.to_owned(), folder: self.folder.path().to_owned(), prefix: self.prefix(host), options }
    }

    /// What comes before a program that is to run on a host.
    pub(crate) fn prefix(&self, host: &str) -> Vec<OsString> {
        ["ip", "netns", "exec", &self.namespace(host)].map(Into::into).to_vec()
    }

    /// Adds a host.
    pub(crate) fn plug(&mut self, host: &str) {
        self.hosts.push(host.to_owned());
        let (hub, namespace, number) = (self.namespace("hub"), self.namespace(host), self.hosts.len());
        let port = format!("port{number}");
        ip(&["netns", "add", &namespace]);
        // Without this an address cannot be used for a second or two, while the kernel asks whether another has it.
        inside(&namespace, &["sh", "-c", "echo 0 | tee /proc/sys/net/ipv6/conf/*/accept_dad"]);
        ip(&["-n", &hub, "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &namespace]);
        ip(&["-n", &hub, "link", "set", &port, "master", "one", "up"]);
        ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        if self.ipv4 {
            ip(&["-n", &namespace, "address", "add", &format!("10.77.0.{number}/24"), "dev", "eth0"]);
        }
        ip(&["-n", &namespace, "address", "add", &format!("fd77::{number:x}/64"), "dev", "eth0", "nodad"]);
        ip(&["-n", &namespace, "link", "set", "eth0", "up"]);
    }

    /// The IPv4 address of a host.
    pub(crate) fn address(&self, host: &str) -> String {
        format!("10.77.0.{}", self.number(host))
    }

    /// Runs a command on a host.
    pub(crate) fn on(&self, host: &str, command: &[&str]) -> String {
        inside(&self.namespace(host), command)
    }

    /// Whether there is a packet filter; without one the test is to return.
    pub(crate) fn can_filter(&self, host: &str) -> bool {
        let missing = Command::new("iptables").arg("--version").output().is_err();
        if missing {
            skip("a packet filter (iptables)", "there is none");
            return false;
        }
        !self.on(host, &["sh", "-c", "iptables -L && ip6tables -L"]).is_empty()
    }

    /// Starts a command on a host that goes on until it is dropped.
    pub(crate) fn keep_running(&self, host: &str, command: &[&str]) -> Running {
        let namespace = self.namespace(host);
        let mut words = Command::new("ip");
        words.args(["netns", "exec", &namespace]).args(command).stdin(Stdio::null());
        Running(words.spawn().expect("ip can be run"))
    }

    /// From now on nothing that one of two hosts sends to the other arrives, and neither is told.
    pub(crate) fn cut(&mut self, a: &str, b: &str) {
        let (a, b) = (self.number(a), self.number(b));
        let ends = (a.min(b), a.max(b));
        if self.cuts.insert(ends) {
            self.blackhole("add", ends);
        }
    }

    /// Splits the network in two: those hosts, and all others. Multicast does not cross either.
    pub(crate) fn split(&mut self, hosts: &[&str]) {
        for host in hosts {
            self.move_to("two", self.number(host));
        }
    }

    /// Undoes every cut and split.
    pub(crate) fn heal(&mut self) {
        for ends in std::mem::take(&mut self.cuts) {
            self.blackhole("delete", ends);
        }
        for number in 1..=self.hosts.len() {
            self.move_to("one", number);
        }
    }

    /// How many TCP connections are established on a host, those to itself left out.
    pub(crate) fn connections(&self, host: &str) -> usize {
        let output = inside(&self.namespace(host), &["cat", "/proc/net/tcp", "/proc/net/tcp6"]);
        let loopback = ["0100007F:", "00000000000000000000000001000000:"];
        let established = output.lines().filter(|line| {
            let mut words = line.split_whitespace().skip(2);
            let remote = words.next().unwrap_or_default();
            words.next() == Some("01") && !loopback.iter().any(|address| remote.starts_with(address))
        });
        established.count()
    }

    /// All peers leave once nothing is under way any more; then all traces of the run, those of earlier peers too, are
    /// verified to be causally ordered and complete. What the check says.
    pub(crate) fn check_complete(&self, peers: Vec<Peer>) -> String {
        self.check_complete_without(peers, &[])
    }

    /// The same where those named left on purpose before.
    pub(crate) fn check_complete_without(&self, peers: Vec<Peer>, absent: &[&str]) -> String {
        leave(peers);
        let traces: Vec<&PathBuf> = self.traces.iter().collect();
        let absent = absent.iter().flat_map(|name| ["--absent", name]);
        let (sound, report) = check(&traces, &["--complete"].into_iter().chain(absent).collect::<Vec<_>>());
        assert!(sound, "{report}");
        assert!(report.starts_with(&format!("{} file", traces.len())), "{report}");
        report
    }

    /// The ids of everything that the traces say was sent.
    pub(crate) fn sent(&self) -> BTreeSet<String> {
        let lines = self.traces.iter().flat_map(|trace| read(trace));
        let records = lines.map(|line| serde_json::from_str(&line).expect("a trace holds JSON lines"));
        let sends = records.filter(|record: &serde_json::Value| record["event"] == "send");
        sends.filter_map(|record| record["id"].as_str().map(str::to_owned)).collect()
    }

    fn namespace(&self, host: &str) -> String {
        format!("{}{host}", self.name)
    }

    fn number(&self, host: &str) -> usize {
        1 + self.hosts.iter().position(|known| known == host).unwrap_or_else(|| panic!("there is no host {host}"))
    }

    fn blackhole(&self, what: &str, (a, b): (usize, usize)) {
        for (here, there) in [(a, b), (b, a)] {
            let namespace = self.namespace(&self.hosts[here - 1]);
            ip(&["-n", &namespace, "route", what, "blackhole", &format!("10.77.0.{there}/32")]);
            ip(&["-n", &namespace, "-6", "route", what, "blackhole", &format!("fd77::{there:x}/128")]);
        }
    }

    fn move_to(&self, bridge: &str, number: usize) {
        ip(&["-n", &self.namespace("hub"), "link", "set", &format!("port{number}"), "master", bridge]);
    }
}

/// A program beside the peers. It is killed when it is dropped.
pub(crate) struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        // The traces and logs of a failure are what explains it.
        self.folder.disable_cleanup(std::thread::panicking());
        for host in self.hosts.iter().map(String::as_str).chain(["hub"]) {
            remove(&self.namespace(host));
        }
    }
}

fn leave(mut peers: Vec<Peer>) {
    for peer in &mut peers {
        let name = peer.name().to_owned();
        eventually(&format!("{name} has nothing under way"), || peer.settled());
    }
    for peer in &mut peers {
        peer.quit();
    }
}

/// The whole lines of a trace.
fn read(trace: &Path) -> Vec<String> {
    let text = fs::read_to_string(trace).expect("the trace can be read");
    text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).map(str::to_owned).collect()
}

/// Removes what earlier runs left behind that were killed.
fn sweep() {
    let Ok(all) = try_ip(&["netns", "list"]) else { return };
    for name in all.lines().filter_map(|line| line.split_whitespace().next()) {
        let owner = name.strip_prefix("cau").and_then(|rest| rest.split('-').next()).and_then(|pid| pid.parse().ok());
        if owner.is_some_and(|pid: u32| !PathBuf::from(format!("/proc/{pid}")).exists()) {
            remove(name);
        }
    }
}

/// Removes a namespace, and what still runs in it.
fn remove(namespace: &str) {
    for pid in try_ip(&["netns", "pids", namespace]).unwrap_or_default().split_whitespace() {
        // A process that has ended meanwhile is what is wanted.
        let _ = Command::new("kill").args(["-KILL", pid]).output();
    }
    let _ = try_ip(&["netns", "delete", namespace]);
}

fn inside(namespace: &str, command: &[&str]) -> String {
    ip(&[&["netns", "exec", namespace], command].concat())
}

fn ip(arguments: &[&str]) -> String {
    try_ip(arguments).unwrap_or_else(|error| panic!("{error}"))
}

fn try_ip(arguments: &[&str]) -> Result<String, String> {
    let told = |reason: &str| format!("ip {}: {}", arguments.join(" "), reason.trim());
    let output = Command::new("ip").args(arguments).output().map_err(|error| told(&error.to_string()))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(told(&String::from_utf8_lossy(&output.stderr)))
    }
}
