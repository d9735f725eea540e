//! On a terminal: a line to type in, and everything else above it.
//!
//! Two sides share the work. The *typing* side is a thread that reads keys and alone writes to the terminal; the *session*
//! side is async. A line goes from the one to the other, and what is to be shown goes back through the [`Screen`], a queue
//! that the typing side empties between two keys, so that nothing ever writes over the line.

mod complete;
mod draft;
mod editor;
mod keys;
mod known;
mod layout;
mod paint;
mod past;
mod screen;
mod terminal;
mod typing;

use std::io::{self, Write as _};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use node::chat::{Answer, Command, Refusal};
use node::{Ending, Session};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::input::{self, Input};
use crate::options::ShownAs;
use crate::show::Show;
use crate::signals::{ForPrompt, Signals};

pub(crate) use screen::Screen;

use known::Known;
use terminal::{Raw, Terminal};
use typing::{Typed, Typing};

/// How long the typing side may take to end once it is asked to.
const GRACE: Duration = Duration::from_secs(1);

/// Runs until the user leaves, logs out or deletes the account, a signal asks to, or the terminal is gone. The prompt shows the user as `shown`; `hint` is for
/// a user who begins.
///
/// # Errors
/// The terminal cannot be used, or the peer has stopped by itself.
pub(crate) async fn run(
    session: Session,
    show: Show,
    screen: Arc<Screen>,
    mut signals: Signals,
    shown: ShownAs,
    hint: &str,
) -> anyhow::Result<Ending> {
    let Session { hello, requests, mut events } = session;
    let known = Arc::new(Mutex::new(Known::new(&hello)));
    let mut show = show.folding();
    show.begin(Timestamp::now());
    screen.push(show.hello(&hello, hint));
    let (leave, resumed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (typed, mut lines) = mpsc::channel(1);
    let typing = Typing {
        screen: Arc::clone(&screen),
        known: Arc::clone(&known),
        shown,
        lines: typed,
        leave: Arc::clone(&leave),
        resumed: Arc::clone(&resumed),
        colours: show.colours(),
    };
    let _raw = Raw::enable()?;
    let typing = std::thread::spawn(move || typing.run());
    let mut asked: Option<(node::Submitted, Typed)> = None;
    let mut recent = requests.submit(Command::History { of: None, count: None, before: None, after: None }).await.ok();
    let (mut leaving, mut stops) = (false, false);
    loop {
        tokio::select! {
            batch = events.next_batch() => {
                let Some(batch) = batch else { break };
                let batch: Vec<_> = batch.collect();
                let now = Timestamp::now();
                known.lock().learn(&batch);
                screen.push(batch.iter().flat_map(|event| show.event(event, now)));
            }
            line = lines.recv(), if asked.is_none() && !leaving => {
                if line.is_some() {
                    // All of it stands above the line that the user has just entered. A peer that has stopped needs no word of it.
                    let _ = requests.submit(Command::Read { of: None, up_to: None }).await;
                }
                match line.map(|line| (input::parse(&line.text), line)) {
                Some((Ok(Input::Nothing), _)) => {}
                Some((Ok(Input::Help), _)) => screen.push(input::help().lines().map(str::to_owned)),
                Some((Ok(Input::Command(command)), line)) => {
                    // A peer that has stopped ends its events, too, and those tell.
                    asked = requests.submit(command).await.ok().map(|submitted| (submitted, line));
                }
                Some((Err(misread), _)) => screen.push([show.wrong(&misread.to_string())]),
                Some((Ok(Input::Quit), _)) | None => leaving = true,
                }
            },
            answered = answer(&mut asked), if asked.is_some() => {
                match answered {
                    Some(Ok(answer)) => {
                        stops |= answer.is_the_last();
                        known.lock().learn_answer(&answer);
                        screen.push(show.answer(&answer, Timestamp::now()));
                    }
                    Some(Err(refusal)) => screen.push([show.refusal(&refusal)]),
                    None => {}
                }
                asked = None;
            }
            answered = async { recent.as_mut()?.answer().await.ok() }, if recent.is_some() => {
                recent = None;
                if let Some(Ok(Answer::History { messages, .. })) = answered {
                    screen.push(show.recent(&messages));
                }
            }
            signal = signals.for_prompt() => match signal {
                ForPrompt::Leave => (leaving, stops) = (true, false),
                ForPrompt::Resumed => resumed.store(true, Ordering::Relaxed),
            },
        }
        leaving |= stops;
        if leaving {
            leave.store(true, Ordering::Relaxed);
        }
        // A peer that stops ends the session when it has stopped.
        if leaving && !stops {
            requests.stop();
        }
    }
    if !leaving && events.ending() != Ending::Other {
        screen.push(show.stamped(Timestamp::now(), events.reason()));
        leaving = true;
    }
    leave.store(true, Ordering::Relaxed);
    drop(asked);
    drop(lines);
    if !has_finished(&typing).await {
        // The terminal is gone: reading a hung-up one never returns, so the thread ends with the process.
        return Ok(events.ending());
    }
    match typing.join() {
        Ok(ended) => ended?,
        Err(panic) => panic::resume_unwind(panic),
    }
    print(&screen)?;
    anyhow::ensure!(leaving, "{}", events.reason());
    Ok(events.ending())
}

/// Whether the typing side ends by itself, as it does within a look at the screen unless its terminal has hung up.
async fn has_finished<T>(typing: &JoinHandle<T>) -> bool {
    let deadline = Instant::now() + GRACE;
    while !typing.is_finished() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    typing.is_finished()
}

/// Shows what still waits when no line is being typed any more. The terminal is raw: it does not return to the first column
/// by itself.
fn print(screen: &Screen) -> io::Result<()> {
    let rows = screen.take(terminal::size().columns);
    rows.iter().try_for_each(|row| Terminal.write_all(format!("{row}\r\n").as_bytes()))
}

async fn answer(asked: &mut Option<(node::Submitted, Typed)>) -> Option<Result<Answer, Refusal>> {
    match asked {
        Some((submitted, _)) => submitted.answer().await.ok(),
        None => None,
    }
}
