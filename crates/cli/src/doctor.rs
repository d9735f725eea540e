//! `causerie doctor`: looks for what keeps a peer from working, one line a check. If a peer runs on the data folder it is
//! asked; otherwise this program looks by itself, without joining the chat.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use account::Key;
use node::chat::{Answer, Command};
use node::{AttachError, Check};
use serde::Serialize;

use crate::ask::ask;
use crate::chat::runtime;
use crate::home;
use crate::options::Doctor;
use crate::show::harmless_line;

/// The outcome as JSON.
#[derive(Serialize)]
struct Report<'a> {
    answer: &'static str,
    healthy: bool,
    /// A peer that runs was asked.
    running: bool,
    checks: &'a [Check],
}

/// Looks, and prints what it finds: 0 if all is well.
pub(crate) fn run(options: Doctor) -> anyhow::Result<ExitCode> {
    let data = home::folder(&options.folder)?;
    let (running, checks) = runtime()?.block_on(examine(&data, options.interface.as_deref()));
    let healthy = checks.iter().all(|check| check.ok);
    let mut output = io::stdout().lock();
    if options.json {
        let report = Report { answer: "doctor", healthy, running, checks: &checks };
        writeln!(output, "{}", serde_json::to_string(&report)?)?;
    } else {
        for Check { check, ok, text } in &checks {
            let mark = if *ok { "ok     " } else { "PROBLEM" };
            writeln!(output, "{mark}  {check}: {}", harmless_line(text))?;
        }
    }
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether a peer runs, and the outcome of every check.
async fn examine(data: &Path, interface: Option<&str>) -> (bool, Vec<Check>) {
    let mut session = match node::attach(data).await {
        Ok(session) => session,
        Err(AttachError::NoPeer { .. }) => {
            let mut checks = node::examine(data, interface).await;
            checks.push(Check::new("identity", look_at_key(data).map_err(|error| error.to_string())));
            return (false, checks);
        }
        Err(error) => return (true, vec![Check::new("peer", Err(error.to_string()))]),
    };
    let me = &session.hello.known.me;
    let mut checks = vec![Check::new("peer", Ok(format!("{} runs on {} and was asked", me.name, data.display())))];
    match ask(&mut session, Command::Health).await {
        Ok((Answer::Health { listening, links, missing, problems, .. }, _)) => {
            checks.push(Check::new(
                "listening",
                if listening.is_empty() { Err("nowhere".to_owned()) } else { Ok(listening.join(", ")) },
            ));
            let missing: Vec<_> = missing.iter().map(|who| who.label.clone()).collect();
            checks.push(Check::new(
                "links",
                match (links, missing.as_slice()) {
                    (0, []) => Ok("none: nobody else is there".to_owned()),
                    (_, []) => Ok(links.to_string()),
                    (_, missing) => Err(format!("there is no link to {}", missing.join(", "))),
                },
            ));
            checks.extend(problems.into_iter().map(|problem| Check::new("problem", Err(problem.text))));
        }
        Ok(_) => checks.push(Check::new("health", Err("the peer gives another answer than was asked for".to_owned()))),
        Err(error) => checks.push(Check::new("health", Err(error.to_string()))),
    }
    (true, checks)
}

fn look_at_key(data: &Path) -> Result<String, account::Error> {
    Ok(match Key::read(data)? {
        None => "there is none yet: the first start makes it".to_owned(),
        Some(Key::Plain(seed)) => format!("{}, without a passphrase", seed.person().fingerprint()),
        Some(Key::Sealed(sealed)) => format!("{}, with a passphrase", sealed.name()),
    })
}
