//! A peer without a prompt (`causerie run`), and the tasks that are about it while it runs.

use std::fs::{self, File};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use crate::peer::{Launch, PROGRAM, eventually};

/// A running service. It is killed when it is dropped.
pub(crate) struct Service {
    pub(crate) launch: Launch,
    child: Child,
}

impl Service {
    pub(crate) fn start(launch: Launch) -> Self {
        let words = launch.service_command();
        let log = File::create(launch.folder.join(format!("{}.out", launch.name))).expect("the log can be made");
        let child = Command::new(&words[0])
            .args(&words[1..])
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("the log can be shared"))
            .stdout(log)
            .spawn()
            .expect("the program starts");
        let service = Self { launch, child };
        service.logs("listening");
        service
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.launch.folder.join(format!("{}.out", self.launch.name))).expect("the log can be read")
    }

    /// Waits until its log has that text in it.
    pub(crate) fn logs(&self, text: &str) {
        eventually(&format!("{} logs {text:?}", self.launch.name), || self.log().contains(text));
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        let log = self.log();
        let (_, address) = log.split_once("listening on ").expect("it has said so when it was started");
        address.split_whitespace().next().expect("an address").to_owned()
    }

    /// Runs `causerie ARGUMENTS` where the environment names the folder of this peer.
    pub(crate) fn call(&self, arguments: &[&str]) -> Output {
        let mut program = Command::new(PROGRAM);
        program.args(arguments).env("CAUSERIE_DATA", self.launch.data()).stdin(Stdio::null());
        program.output().expect("the program starts")
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(sent.expect("kill can be run").success());
    }

    /// Asks it to leave, and waits for its end.
    pub(crate) fn end(&mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        self.ends()
    }

    /// Waits for its end.
    pub(crate) fn ends(&mut self) -> ExitStatus {
        let mut ended = None;
        eventually(&format!("{} ends", self.launch.name), || {
            ended = self.child.try_wait().expect("the service is a child");
            ended.is_some()
        });
        ended.expect("it has ended")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
