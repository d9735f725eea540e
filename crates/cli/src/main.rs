//! The program `causerie`: a prompt, and plain or JSON lines, over the session of one peer.
//!
//! Exit codes: 0, it did what it was asked to; 1, it could not, or the traces that were checked show a violation; 2, the
//! options make no sense, or the traces cannot be read.
#![forbid(unsafe_code)]

mod account;
mod ask;
mod chat;
mod check;
mod delete;
mod demo;
mod diagram;
mod doctor;
mod headless;
mod home;
mod host;
mod input;
mod log;
mod options;
mod page;
mod passphrase;
mod prompt;
mod run;
mod show;
mod signals;

use std::io;
use std::process::ExitCode;

use clap::Parser as _;

use options::{Options, Task};

fn main() -> ExitCode {
    let options = Options::parse();
    let outcome = match options.task {
        None => chat::run(options.peer, &options.look),
        Some(Task::Run(peer)) => run::run(peer),
        Some(Task::Attach(options)) => chat::attach(options),
        Some(Task::Send(options)) => ask::send(options),
        Some(Task::Page(folder)) => page::link(folder),
        Some(Task::Web(options)) => host::run(options),
        Some(Task::Users(options)) => ask::users(options),
        Some(Task::Health(folder)) => ask::health(folder),
        Some(Task::Logout(folder)) => ask::logout(folder),
        Some(Task::Doctor(options)) => doctor::run(options),
        Some(Task::Check(traces)) => check::run(&traces),
        Some(Task::Diagram(drawing)) => diagram::run(&drawing),
        Some(Task::Account(task)) => account::run(task).map(|()| ExitCode::SUCCESS),
        Some(Task::Demo) => demo::run(),
    };
    outcome.unwrap_or_else(|error| {
        // Whoever closes the output has seen enough.
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        complain(&error);
        if is_misuse(&error) { ExitCode::from(2) } else { ExitCode::FAILURE }
    })
}

/// An option, or what stands behind one, makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Misuse(String);

/// Whether other options would have helped, whatever state the machine is in.
fn is_misuse(error: &anyhow::Error) -> bool {
    error.is::<Misuse>()
        || error.downcast_ref::<node::Error>().is_some_and(node::Error::is_misuse)
        || error.downcast_ref::<web::Error>().is_some_and(web::Error::is_misuse)
}

/// The one place that says why the program ends.
fn complain(error: &anyhow::Error) {
    tell(&explain(error));
}

/// Tells the user something that is no part of the output.
#[expect(clippy::print_stderr, reason = "this is where errors are printed")]
fn tell(text: &str) {
    eprintln!("causerie: {text}");
}

/// An error and what caused it, unless it has said that itself.
fn explain(error: &anyhow::Error) -> String {
    let said = error.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said.as_str() {
        "" => cause,
        said if said.contains(&cause) => said.to_owned(),
        said => format!("{said}: {cause}"),
    });
    match limit_met(&said) {
        Some(limit) => format!("{said}; {limit}"),
        None => said,
    }
}

/// Which limit of the system stands behind an error. Some layers pass on the words of the system alone.
fn limit_met(said: &str) -> Option<String> {
    if said.contains("(os error 24)") {
        let limit = node::limits::open_files()?;
        return Some(format!(
            "this process may open {limit} files: raise the limit (`ulimit -n`, LimitNOFILE= of systemd)"
        ));
    }
    if said.contains("(os error 11)") && said.contains("thread") {
        return Some(node::limits::on_threads());
    }
    None
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_names_its_cause_once() {
        let full = || io::Error::other("No space left on device");
        let names_it = node::Error::Data { path: "/data".into(), source: full() };
        assert_eq!(explain(&names_it.into()).matches("No space left").count(), 1);
        let does_not = Err::<(), _>(full()).context("no folder").unwrap_err();
        assert_eq!(explain(&does_not), "no folder: No space left on device");
    }
}
