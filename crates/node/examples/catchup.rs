//! One of three peers is away while the others say many messages of 100 bytes. Then it comes back. This measures how
//! long that takes, from the start of its process to the last message shown. The peers are real processes with data
//! folders, on loopback.
//!
//! `cargo run --release -p causerie-node --example catchup -- [MESSAGES] [here|gone] [AT_ONCE]`
//!
//! *Here*: both authors are there, and each pushes its half of the messages. *Gone*: one author wrote everything and is
//! away by then, and the other peer hands it on. An author says `AT_ONCE` messages (256) before it waits until they are
//! kept. Messages that are said at once are signed together, up to 64 of them. With 1, each message has its own
//! signature.
#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "a measurement prints, and counts one event")]

mod players;

use std::path::Path;
use std::time::{Duration, Instant};

use chat::{Command as Ask, Event, Target};
use players::{Outcome, Player};
use tokio::io::AsyncBufReadExt;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(600);

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let strings: Vec<&str> = args.iter().map(String::as_str).collect();
    match strings.as_slice() {
        ["peer", number, data, at_once, peers @ ..] => {
            let mut config = players::config(number.parse()?, Some(data), None)?;
            config.peers = peers.iter().map(|&peer| peer.to_owned()).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(peer(config, at_once.parse()?))
        }
        [] => conduct(100_000, "here", 256),
        [messages] => conduct(messages.parse()?, "here", 256),
        [messages, who] => conduct(messages.parse()?, who, 256),
        [messages, who, at_once, ..] => conduct(messages.parse()?, who, at_once.parse()?),
    }
}

/// Starts a peer that keeps its data in `data`.
fn start(number: usize, data: &Path, at_once: usize, peers: &[String]) -> Outcome<Player> {
    let data = data.to_str().ok_or("a folder whose name is no text")?;
    let mut arguments = ["peer", &number.to_string(), data, &at_once.to_string()].map(str::to_owned).to_vec();
    arguments.extend_from_slice(peers);
    Player::start(&arguments)
}

fn conduct(messages: u64, who: &str, at_once: usize) -> Outcome {
    let gone = match who {
        "here" => false,
        "gone" => true,
        _ => return Err("the authors are `here` or one of them is `gone`".into()),
    };
    let data = tempfile::tempdir()?;
    let start = |number: usize, peers: &[String]| start(number, data.path(), at_once, peers);
    let mut alice = start(ALICE, &[])?;
    let mut addresses = vec![alice.expect("listening")?];
    let mut bob = start(BOB, &addresses)?;
    addresses.push(bob.expect("listening")?);
    let mut carol = start(CAROL, &addresses)?;
    for player in [&mut alice, &mut bob, &mut carol] {
        player.order("met 2")?;
        player.expect("met")?;
    }
    carol.quit()?;

    let of_bob = if gone { 0 } else { messages / 2 };
    let of_alice = messages - of_bob;
    let began = Instant::now();
    alice.order(&format!("say {of_alice}"))?;
    bob.order(&format!("say {of_bob}"))?;
    alice.expect("said")?;
    bob.expect("said")?;
    alice.order(&format!("shown {of_bob}"))?;
    bob.order(&format!("shown {of_alice}"))?;
    alice.expect("shown")?;
    bob.expect("shown")?;
    println!("{messages} messages said and shown to the other author in {:.1?}", began.elapsed());
    let mut there = vec![bob];
    if gone {
        alice.quit()?;
        addresses.remove(0);
    } else {
        there.push(alice);
    }

    let back = Instant::now();
    let mut carol = start(CAROL, &addresses)?;
    carol.order(&format!("shown {messages}"))?;
    let line = carol.expect("shown")?;
    let took = back.elapsed();
    let [shown, cpu, megabytes] =
        line.split(' ').collect::<Vec<_>>().try_into().map_err(|_| "a count, seconds and megabytes")?;
    carol.quit()?;
    let mut bytes = 0;
    for entry in std::fs::read_dir(data.path().join(format!("peer{CAROL}")))? {
        bytes += entry?.metadata()?.len();
    }
    println!(
        "authors {who}: {shown} of {messages} missed messages shown in {:.2} s ({cpu} s of CPU, {megabytes} MB); the store takes {} bytes a message",
        took.as_secs_f64(),
        bytes / messages.max(1),
    );
    for player in there {
        player.quit()?;
    }
    Ok(())
}

async fn peer(config: node::Config, at_once: usize) -> Outcome {
    let node::Session { requests, mut events, .. } = node::start(config).await?;
    let (mut met, mut shown): (usize, u64) = (0, 0);
    let (mut to_meet, mut to_show): (Option<usize>, Option<u64>) = (None, None);
    let mut orders = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    loop {
        tokio::select! {
            batch = events.next_batch() => for event in batch.ok_or("the peer stopped")? {
                match event {
                    Event::Listening { address } => println!("listening {address}"),
                    Event::PeerUp { .. } => met += 1,
                    Event::Message { .. } => shown += 1,
                    _ => {}
                }
            },
            order = orders.next_line() => match order?.as_deref().map(|order| order.split_once(' ').unwrap_or((order, ""))) {
                Some(("met", count)) => to_meet = Some(count.parse()?),
                Some(("shown", count)) => to_show = Some(count.parse()?),
                Some(("say", count)) => {
                    let (requests, count) = (requests.clone(), count.parse()?);
                    tokio::spawn(async move { println!("said {}", say(&requests, count, at_once).await) });
                }
                _ => break,
            },
            () = &mut patience => break,
        }
        if to_meet.is_some_and(|count| met >= count) {
            println!("met");
            to_meet = None;
        }
        if to_show.is_some_and(|count| shown >= count) {
            println!("shown {shown} {:.2} {}", players::cpu_seconds(), players::resident_megabytes());
            to_show = None;
        }
    }
    requests.stop();
    while events.next_batch().await.is_some() {}
    Ok(())
}

/// Says `count` messages. Returns how many were kept.
async fn say(requests: &node::Requests, count: usize, at_once: usize) -> usize {
    let text = "x".repeat(100);
    let mut said = 0;
    let mut waiting = Vec::with_capacity(at_once);
    for number in 1..=count {
        let ask = Ask::Send { to: Target::All, text: text.clone(), delay_ms: 0 };
        let Ok(submitted) = requests.submit(ask).await else { break };
        waiting.push(submitted);
        if waiting.len() < at_once && number < count {
            continue;
        }
        for mut submitted in waiting.drain(..) {
            said += usize::from(matches!(submitted.answer().await, Ok(Ok(_))));
        }
    }
    said
}
