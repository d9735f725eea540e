//! The program `causerie`: a prompt, and plain or JSON lines, over the session of one peer.
//!
//! Exit codes: 0, it did what it was asked to; 1, it could not, or the traces that were checked show a violation; 2, the
//! options make no sense, or the traces cannot be read.
#![forbid(unsafe_code)]

mod ask;
mod chat;
mod check;
mod demo;
mod diagram;
mod headless;
mod input;
mod log;
mod options;
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
        None => chat::run(options.peer),
        Some(Task::Run(peer)) => run::run(peer),
        Some(Task::Attach(options)) => chat::attach(options),
        Some(Task::Send(options)) => ask::send(options),
        Some(Task::Users(options)) => ask::users(options),
        Some(Task::Health(folder)) => ask::health(folder),
        Some(Task::Check(traces)) => check::run(&traces),
        Some(Task::Diagram(drawing)) => diagram::run(&drawing),
        Some(Task::Demo) => demo::run(),
    };
    outcome.unwrap_or_else(|error| {
        // Whoever closes the output has seen enough.
        if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            return ExitCode::SUCCESS;
        }
        complain(&error);
        ExitCode::FAILURE
    })
}

/// The one place that says why the program ends.
#[expect(clippy::print_stderr, reason = "this is where errors are printed")]
fn complain(error: &anyhow::Error) {
    eprintln!("causerie: {error:#}");
}
