//! The dependency triangle: A→C slow, A→B, B→C.

use std::time::Duration;

use anyhow::ensure;
use jiff::Timestamp;
use node::chat::{Event, MessageId, Target};

use super::cast::Cast;
use super::say;
use crate::show::Show;

/// How slow the slow message is.
const SLOW: Duration = Duration::from_secs(3);

/// Plays it with one of the three as C, and tells what happens.
///
/// # Errors
/// C was shown the answer before the question, or the links do not work.
pub(super) async fn triangle(cast: &mut Cast, reader: &str, show: &mut Show) -> anyhow::Result<()> {
    say(&format!(
        "1. alice asks {reader} something, on a slow path:  -delay {} @{reader} Meet at noon?",
        SLOW.as_secs()
    ))?;
    let to_reader = || Target::Name(reader.to_owned());
    let question = cast.send("alice", to_reader(), "Meet at noon?", SLOW).await?;
    say(&format!("2. alice tells bob that she asked:              @bob I asked {reader} about noon"))?;
    let told = cast
        .send("alice", Target::Name("bob".to_owned()), &format!("I asked {reader} about noon"), Duration::ZERO)
        .await?;
    cast.wait(|name, event| delivered(name, event, "bob", told)).await?;
    say(&format!("3. bob has read it, and writes to {reader} at once: @{reader} Noon suits me, say yes!"))?;
    let answer = cast.send("bob", to_reader(), "Noon suits me, say yes!", Duration::ZERO).await?;
    say(&format!("\nWhat {reader} sees:"))?;
    let mut shown = Vec::new();
    let mut told = Ok(());
    cast.wait(|name, event| {
        if name != reader {
            return None;
        }
        let seen = matches!(event, Event::Held { .. } | Event::Released { .. } | Event::Message { .. });
        let mut lines = if seen { show.event(event, Timestamp::now()) } else { Vec::new() };
        if let Event::Held { .. } = event {
            lines.push("         bob's answer is here, and waits: the question is still on its way".to_owned());
        }
        told = lines.iter().try_for_each(|line| say(&format!("  {line}")));
        if let Event::Message { message } = event {
            shown.push(message.id);
        }
        (shown.contains(&answer) || told.is_err()).then_some(())
    })
    .await?;
    told?;
    ensure!(shown == [question, answer], "{reader} was shown the answer before the question");
    Ok(())
}

/// Plays it with somebody at a prompt as C, who sees for himself.
pub(super) async fn encore(cast: &mut Cast, reader: Target, name: &str) -> anyhow::Result<()> {
    cast.send("alice", reader.clone(), "This is the slow question. Did you see bob's answer being held?", SLOW).await?;
    let told = cast
        .send("alice", Target::Name("bob".to_owned()), &format!("I have asked {name} a slow question"), Duration::ZERO)
        .await?;
    cast.wait(|name, event| delivered(name, event, "bob", told)).await?;
    cast.send("bob", reader, "This is the quick answer to alice's question", Duration::ZERO).await?;
    Ok(())
}

fn delivered(name: &str, event: &Event, wanted: &str, id: MessageId) -> Option<()> {
    let Event::Message { message } = event else { return None };
    (name == wanted && message.id == id).then_some(())
}
