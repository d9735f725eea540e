//! `causerie send`, `users`, `health` and `logout`: one request to a running peer, and its answer.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use jiff::Timestamp;
use node::chat::{Answer, Command, Event, News, Recipients};
use node::line::{Hello, Line, MAX_LINE};
use node::{Ending, Events, Session, SessionEnded};
use tokio::time::timeout;

use crate::Misuse;
use crate::chat::{runtime, show};
use crate::home;
use crate::input::{self, Input};
use crate::options::{Folder, Send, Users};

/// How long a peer may take to answer. It does so between two turns; one that takes this long is stuck.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a peer may take to stop: longer than it goes on handing over what its user said.
pub(crate) const STOPPING: Duration = Duration::from_secs(30);

/// How long an address may take to answer: longer than the links try it.
const CONNECTING: Duration = Duration::from_secs(60);

/// `causerie send`: silent if all is well; says who gets the message only later.
pub(crate) fn send(options: Send) -> anyhow::Result<ExitCode> {
    let command = message(&options.message)?;
    let data = home::folder(&options.folder)?;
    runtime()?.block_on(async {
        let mut session = node::attach(&data).await?;
        let (answer, meanwhile) = ask(&mut session, command).await?;
        if let Answer::Connecting { address } = &answer {
            let connected = timeout(CONNECTING, sent_to(&mut session.events, meanwhile, address)).await;
            connected.with_context(|| format!("nobody has answered at {address}"))??;
        } else if let Answer::Sent { message, .. } = &answer
            && is_alone(&session.hello, &message.to)
        {
            writeln!(io::stdout(), "(nobody else is there to read it)")?;
        } else {
            print(show(false).answer(&answer, Timestamp::now()))?;
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// The message as written, or with its text from standard input: `@bob -`, `-`, or nothing behind the targets and a pipe.
fn message(words: &[String]) -> anyhow::Result<Command> {
    let (addressees, dash) = match words {
        [addressees @ .., last] if last == "-" => (addressees, true),
        all => (all, false),
    };
    let only_addressees = addressees.iter().all(|word| word.starts_with('@') && !word.contains(char::is_whitespace));
    if only_addressees && (dash || !io::stdin().is_terminal()) {
        let text = piped_text()?;
        if !addressees.is_empty() {
            return Ok(input::send_to(&addressees.join(" "), &text)?);
        }
        return only_message(&text);
    }
    only_message(&words.join(" "))
}

fn only_message(text: &str) -> anyhow::Result<Command> {
    match input::parse(text)? {
        Input::Command(command @ Command::Send { .. }) => Ok(command),
        Input::Nothing => {
            Err(Misuse("there is no text to send: write causerie send MESSAGE, or pipe it in".to_owned()).into())
        }
        Input::Command(_) | Input::Help | Input::Quit => {
            bail!("that is no message: write causerie send @TARGET MESSAGE, or only a MESSAGE for everybody")
        }
    }
}

/// Standard input, all of it.
fn piped_text() -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    io::stdin().take(MAX_LINE as u64 + 1).read_to_end(&mut bytes).context("cannot read standard input")?;
    anyhow::ensure!(bytes.len() <= MAX_LINE, "standard input has more than {MAX_LINE} bytes: that is no message");
    String::from_utf8(bytes).context("standard input is not text in UTF-8")
}

/// `causerie users`.
pub(crate) fn users(options: Users) -> anyhow::Result<ExitCode> {
    let answer = ask_once(options.folder, Command::ListUsers)?;
    if options.json {
        print([serde_json::to_string(&Line::answering(None, Ok(answer)))?])?;
    } else {
        print(show(false).answer(&answer, Timestamp::now()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// `causerie health`: one line why; 0 if the peer is healthy.
pub(crate) fn health(folder: Folder) -> anyhow::Result<ExitCode> {
    let answer = ask_once(folder, Command::Health)?;
    print(show(false).answer(&answer, Timestamp::now()))?;
    let healthy = matches!(answer, Answer::Health { healthy: true, .. });
    Ok(if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// `causerie logout`: returns once the peer has stopped.
pub(crate) fn logout(folder: Folder) -> anyhow::Result<ExitCode> {
    let data = home::folder(&folder)?;
    runtime()?.block_on(async {
        let mut session = node::attach(&data).await?;
        ask(&mut session, Command::LogOut).await?;
        let events = &mut session.events;
        let stopped = async { while events.next_batch().await.is_some() {} };
        timeout(STOPPING, stopped).await.context("the peer does not stop; is it stuck?")?;
        anyhow::ensure!(events.ending() == Ending::LoggedOut, "{}", events.reason());
        print([events.reason().to_owned()])?;
        Ok(ExitCode::SUCCESS)
    })
}

fn ask_once(folder: Folder, command: Command) -> anyhow::Result<Answer> {
    let data = home::folder(&folder)?;
    runtime()?.block_on(async {
        let (answer, _) = ask(&mut node::attach(&data).await?, command).await?;
        Ok(answer)
    })
}

/// The answer, and what happened meanwhile: a session whose events nobody takes gives no answers.
pub(crate) async fn ask(session: &mut Session, command: Command) -> anyhow::Result<(Answer, News)> {
    let Session { requests, events, .. } = session;
    let mut meanwhile = News::default();
    let answering = requests.request(command);
    tokio::pin!(answering);
    let asking = async {
        loop {
            tokio::select! {
                answered = &mut answering => break answered,
                Some(batch) = events.next_batch() => meanwhile.append(batch),
            }
        }
    };
    match timeout(PATIENCE, asking).await {
        Ok(Ok(answered)) => Ok((answered?, meanwhile)),
        Ok(Err(SessionEnded)) => bail!("{}", events.reason()),
        Err(_) => bail!("the peer does not answer; is it stopped, or stuck?"),
    }
}

/// Waits until the message that was for an address has gone out, as an event says when there is a link.
async fn sent_to(events: &mut Events, meanwhile: News, wanted: &str) -> anyhow::Result<()> {
    let mut batch = meanwhile;
    loop {
        for event in batch {
            if let Event::Message { message } = &event
                && message.own
            {
                return Ok(());
            }
            if let Event::Scheduled { waiting } = &event {
                return Ok(print(
                    show(false).answer(&Answer::Scheduled { waiting: (**waiting).clone() }, Timestamp::now()),
                )?);
            }
            if let Event::ConnectFailed { address, reason } = event
                && address == wanted
            {
                bail!("could not connect to {address}: {reason}");
            }
        }
        batch = events.next_batch().await.with_context(|| events.reason().to_owned())?;
    }
}

/// Whether nobody else is among the recipients.
fn is_alone(hello: &Hello, to: &Recipients) -> bool {
    match to {
        Recipients::All => hello.known.users.iter().all(|user| user.me),
        Recipients::Group(name) => {
            let others = |user: &node::chat::UserInfo| !user.me && user.groups.iter().any(|group| **group == **name);
            !hello.known.users.iter().any(others)
        }
        Recipients::Direct(_) | Recipients::People(_) => false,
    }
}

fn print(lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    lines.into_iter().try_for_each(|line| writeln!(io::stdout(), "{line}"))
}
