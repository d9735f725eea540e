//! Without a terminal: a command a line in, what happens a line out, as text or as JSON (`docs/json.md`).
//!
//! Commands are answered in their order, and events come in between as they happen. The end of the input is a goodbye,
//! and so is a reader who has closed the output.

mod lines;

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::AsFd as _;
use std::thread;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Timestamp;
use node::chat::{Answer, News, Refusal};
use node::line::{self, Hello, Line, RequestId};
use node::{Ending, Events, Requests, Session, Submitted};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::chat::Outcome;
use crate::input::{self, Input};
use crate::show::Show;
use crate::signals::Signals;
use crate::tell;

use lines::Lines;

/// Commands handed over and not answered yet: as many as a session takes without waiting, so that handing one over never
/// keeps events from being taken.
const UNANSWERED: usize = 64;

/// How often a log whose disk is full is tried again.
const ROOM: Duration = Duration::from_secs(1);

/// How soon an output that takes nothing at the moment is tried again.
const AGAIN: Duration = Duration::from_millis(20);

/// What the lines look like.
#[derive(Debug)]
pub(crate) enum Form {
    /// Text for people and simple scripts.
    Plain(Show),
    /// One JSON object a line.
    Json,
}

/// Runs until the end of standard input, a `-quit`, `-logout` or `-delete-account`, a signal, or a closed standard output. `hint` is for a
/// user who begins.
///
/// # Errors
/// Standard output cannot be written or is closed, or the peer has stopped by itself.
pub(crate) async fn run(session: Session, mut form: Form, mut signals: Signals, hint: &str) -> anyhow::Result<Outcome> {
    let Session { hello, requests, mut events } = session;
    let mut output = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let outcome = match form.hello(&mut output, &hello, hint) {
        Ok(()) => converse(&requests, &mut events, &mut form, &mut signals, output).await,
        Err(error) => Err(error),
    };
    requests.stop();
    while events.next_batch().await.is_some() {}
    let Conversed { left, failed } = outcome.context("standard output")?;
    if !left && events.ending() == Ending::Deleted {
        // Whose process it is has still to remove what the peer kept.
        tell(events.reason());
    } else {
        anyhow::ensure!(left, "{}", events.reason());
    }
    Ok(Outcome { is_all_done: left && !failed, ending: events.ending() })
}

/// How a conversation ended.
struct Conversed {
    /// The peer was asked to leave.
    left: bool,
    /// Some command was not carried out.
    failed: bool,
}

/// Writes what happens until a signal asks to leave, the user logs out or deletes the account, or standard output is closed. Commands come from elsewhere, as `hint`
/// says.
///
/// # Errors
/// Standard output cannot be written or is closed, or the peer has stopped by itself. A full disk is waited for.
pub(crate) async fn report(
    session: Session,
    mut form: Form,
    mut signals: Signals,
    hint: &str,
) -> anyhow::Result<Ending> {
    let Session { hello, requests, mut events } = session;
    let mut output = Log::new().context("standard output")?;
    let mut leaving = false;
    let write = async {
        form.hello(&mut output.text, &hello, hint)?;
        loop {
            let full = output.write().await?;
            requests.log_full(full.as_ref().map(ToString::to_string));
            let full = full.is_some();
            tokio::select! {
                batch = events.next_batch(), if !full => match batch {
                    Some(batch) => form.events(&mut output.text, batch)?,
                    None => {
                        if leaving {
                            form.goodbye(&mut output.text, "said goodbye")?;
                        } else if events.ending() != Ending::Other {
                            form.goodbye(&mut output.text, events.reason())?;
                        }
                        return output.write().await.map(drop);
                    }
                },
                () = sleep(ROOM), if full && !leaving => {}
                () = signals.leave(), if !leaving => {
                    leaving = true;
                    requests.stop();
                }
                // What it could not write is lost with it.
                () = std::future::ready(()), if full && leaving => return Ok(()),
            }
        }
    };
    let written: io::Result<()> = write.await;
    requests.stop();
    while events.next_batch().await.is_some() {}
    written.context("standard output")?;
    anyhow::ensure!(leaving || events.ending() != Ending::Other, "{}", events.reason());
    Ok(events.ending())
}

/// Standard output without a buffer of its own, so that what a full disk did not take is still here.
struct Log {
    output: File,
    text: Vec<u8>,
}

impl Log {
    fn new() -> io::Result<Self> {
        Ok(Self { output: File::from(io::stdout().as_fd().try_clone_to_owned()?), text: Vec::new() })
    }

    /// Writes what there is; why the disk did not take all of it, if it is full.
    async fn write(&mut self) -> io::Result<Option<io::Error>> {
        while !self.text.is_empty() {
            match self.output.write(&self.text) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.text.drain(..written)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => sleep(AGAIN).await,
                Err(error) if is_full(&error) => return Ok(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}

fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

/// An answer that is owed: in the order of the commands, whether the peer gives it or this program.
enum Owed {
    Peer(Option<RequestId>, Submitted),
    /// Likewise; if the peer does as it was asked, it stops.
    Last(Option<RequestId>, Submitted),
    Here(Option<RequestId>, Said),
}

/// What this program answers by itself.
enum Said {
    Help,
    Wrong(String),
}

/// Until the peer has stopped.
async fn converse(
    requests: &Requests,
    events: &mut Events,
    form: &mut Form,
    signals: &mut Signals,
    mut output: impl Write,
) -> io::Result<Conversed> {
    output.flush()?;
    let mut lines = read_stdin();
    let mut owed: VecDeque<Owed> = VecDeque::new();
    let (mut leaving, mut stops, mut failed) = (false, false, false);
    loop {
        tokio::select! {
            batch = events.next_batch() => {
                let Some(batch) = batch else { break };
                form.events(&mut output, batch)?;
            }
            line = lines.recv(), if !leaving && owed.len() < UNANSWERED && !matches!(owed.back(), Some(Owed::Last(..))) => match line {
                Some(line) => leaving = take(line, form, requests, &mut owed).await,
                None => leaving = true,
            },
            answered = answer(owed.front_mut()), if !owed.is_empty() => {
                if let Some(Owed::Peer(id, _) | Owed::Last(id, _)) = owed.pop_front()
                    && let Some(answered) = answered
                {
                    failed |= answered.is_err();
                    stops |= answered.as_ref().is_ok_and(Answer::is_the_last);
                    form.answered(&mut output, id, answered)?;
                }
            }
            () = signals.leave() => {
                owed.clear();
                (leaving, stops) = (true, false);
            }
        }
        while let Some(Owed::Here(..)) = owed.front() {
            if let Some(Owed::Here(id, said)) = owed.pop_front() {
                failed |= matches!(said, Said::Wrong(_));
                form.said(&mut output, id, said)?;
            }
        }
        leaving |= stops;
        // A peer that stops ends the session when it has stopped.
        if leaving && owed.is_empty() && !stops {
            requests.stop();
        }
        output.flush()?;
    }
    Ok(Conversed { left: leaving, failed })
}

/// Reads one line and hands it on; whether it was a goodbye.
async fn take(line: io::Result<String>, form: &Form, requests: &Requests, owed: &mut VecDeque<Owed>) -> bool {
    let (id, input) = match line {
        Ok(line) => form.read(&line),
        Err(unusable) => (None, Err(unusable.to_string())),
    };
    match input {
        Ok(Input::Nothing) => {}
        Ok(Input::Quit) => return true,
        Ok(Input::Help) => owed.push_back(Owed::Here(id, Said::Help)),
        Ok(Input::Command(command)) => {
            let owe = if command.asks_to_stop() { Owed::Last } else { Owed::Peer };
            // A peer that has stopped ends its events, too, and those tell.
            if let Ok(submitted) = requests.submit(command).await {
                owed.push_back(owe(id, submitted));
            }
        }
        Err(wrong) => owed.push_back(Owed::Here(id, Said::Wrong(wrong))),
    }
    false
}

/// The answer that is owed first, if the peer owes it and has not stopped.
async fn answer(owed: Option<&mut Owed>) -> Option<Result<Answer, Refusal>> {
    match owed {
        Some(Owed::Peer(_, submitted) | Owed::Last(_, submitted)) => submitted.answer().await.ok(),
        Some(Owed::Here(..)) | None => None,
    }
}

/// Lines of standard input as they come. A thread of its own reads them, since reading blocks; it ends with the program.
fn read_stdin() -> mpsc::Receiver<io::Result<String>> {
    let (sender, lines) = mpsc::channel(UNANSWERED);
    thread::spawn(move || {
        for line in Lines::new(io::stdin().lock()) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}

/// The help, in JSON.
#[derive(Serialize)]
struct Help {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<RequestId>,
    answer: &'static str,
    text: String,
}

impl Form {
    fn read(&self, line: &str) -> (Option<RequestId>, Result<Input, String>) {
        match self {
            Self::Json => read_json(line),
            Self::Plain(_) => (None, read_text(line)),
        }
    }

    fn hello(&mut self, output: &mut impl Write, hello: &Hello, hint: &str) -> io::Result<()> {
        match self {
            Self::Json => write_json(output, hello),
            Self::Plain(show) => {
                show.begin(Timestamp::now());
                write_lines(output, show.hello(hello, hint))
            }
        }
    }

    fn events(&mut self, output: &mut impl Write, mut events: News) -> io::Result<()> {
        let now = Timestamp::now();
        events.try_for_each(|event| match self {
            Self::Json => write_json(output, &event),
            Self::Plain(show) => write_lines(output, show.event(&event, now)),
        })
    }

    /// The end of a log, and why it ends.
    fn goodbye(&mut self, output: &mut impl Write, why: &str) -> io::Result<()> {
        if let Self::Plain(show) = self {
            write_lines(output, show.stamped(Timestamp::now(), why))?;
        }
        Ok(())
    }

    fn answered(
        &mut self,
        output: &mut impl Write,
        id: Option<RequestId>,
        answered: Result<Answer, Refusal>,
    ) -> io::Result<()> {
        match (self, answered) {
            (Self::Json, answered) => write_json(output, &Line::answering(id, answered)),
            (Self::Plain(show), Ok(answer)) => {
                let lines = show.answer(&answer, Timestamp::now());
                write_lines(output, lines)
            }
            (Self::Plain(show), Err(refusal)) => write_lines(output, [show.refusal(&refusal)]),
        }
    }

    fn said(&mut self, output: &mut impl Write, id: Option<RequestId>, said: Said) -> io::Result<()> {
        match (self, said) {
            (Self::Json, Said::Help) => write_json(output, &Help { id, answer: "help", text: input::help() }),
            (Self::Json, Said::Wrong(wrong)) => write_json(output, &Line::misunderstood(id, wrong)),
            (Self::Plain(_), Said::Help) => write_lines(output, [input::help()]),
            (Self::Plain(show), Said::Wrong(wrong)) => write_lines(output, [show.wrong(&wrong)]),
        }
    }
}

fn read_text(line: &str) -> Result<Input, String> {
    input::parse(line).map_err(|misread| misread.to_string())
}

/// An object with a `command` and what it needs, or with the `text` of one. Whatever else a line has in it is no text: a program
/// that writes it has made a mistake, and everybody would read it.
fn read_json(line: &str) -> (Option<RequestId>, Result<Input, String>) {
    if line.is_empty() {
        return (None, Ok(Input::Nothing));
    }
    if !line.starts_with('{') {
        let wrong =
            "with --json a line is one JSON object and begins with {; {\"text\":\"hello\"} sends hello to everybody";
        return (None, Err(wrong.to_owned()));
    }
    let (id, object) = match line::open(line.as_bytes()) {
        Ok(opened) => opened,
        Err(wrong) => return (None, Err(wrong)),
    };
    let input = match (object.get("command"), object.get("text").and_then(Value::as_str)) {
        (Some(_), _) => line::asks(&object).map(Input::Command),
        (None, Some(text)) => read_text(text),
        (None, None) => Err("an object needs a \"text\", or a \"command\" and what belongs to it".to_owned()),
    };
    (id, input)
}

fn write_json(output: &mut impl Write, value: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")
}

fn write_lines(output: &mut impl Write, lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    lines.into_iter().try_for_each(|line| writeln!(output, "{line}"))
}

#[cfg(test)]
mod tests;
