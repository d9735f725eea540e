//! Eight peers in eight processes on loopback, each sending 100-byte messages to all others as fast as it can. Measures
//! the total causally ordered deliveries per second, and how many messages were lost.
//!
//! `cargo run --release -p causerie-node --example flood -- [PEERS [SECONDS [FOLDER]]]`
//!
//! With a folder, each peer keeps everything in a data folder of its own inside it, as the program does. The time
//! counts from the start of the flood until the last message is delivered. `mesh_flood` of `causerie-net` does the same
//! over bare links, without order. Run both in turn and compare.
#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "a measurement prints, and counts one event")]

mod players;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chat::{Command as Ask, Event, Target};
use players::{Outcome, assemble};
use tokio::io::AsyncBufReadExt;

/// How long the last messages may take to arrive.
const DRAIN: Duration = Duration::from_secs(60);

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let strings: Vec<&str> = args.iter().map(String::as_str).collect();
    match strings.as_slice() {
        ["peer", number, peers, seconds, data, rest @ ..] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let data = Some(*data).filter(|data| !data.is_empty());
            let config = players::config(number.parse()?, data, rest.first().copied())?;
            runtime.block_on(peer(config, peers.parse()?, seconds.parse()?))
        }
        [] => conduct(8, 5, ""),
        [peers] => conduct(peers.parse()?, 5, ""),
        [peers, seconds] => conduct(peers.parse()?, seconds.parse()?, ""),
        [peers, seconds, data, ..] => conduct(peers.parse()?, seconds.parse()?, data),
    }
}

fn conduct(peers: usize, seconds: u64, data: &str) -> Outcome {
    let mut players = assemble(peers, |number| {
        ["peer", &number.to_string(), &peers.to_string(), &seconds.to_string(), data].map(str::to_owned).to_vec()
    })?;
    let start = Instant::now();
    for player in &mut players {
        player.order("go")?;
    }
    let sent: Vec<u64> =
        players.iter_mut().map(|player| Ok(player.expect("sent")?.parse()?)).collect::<Outcome<_>>()?;
    let total: u64 = sent.iter().sum();
    for (player, own) in players.iter_mut().zip(&sent) {
        player.order(&format!("expect {}", total - own))?;
    }
    let mut delivered = 0;
    let mut memory = 0;
    let mut cpu = 0.0;
    for player in &mut players {
        let line = player.expect("delivered")?;
        let [count, megabytes, seconds] =
            line.split(' ').collect::<Vec<_>>().try_into().map_err(|_| "a count, megabytes and seconds")?;
        delivered += count.parse::<u64>()?;
        memory += megabytes.parse::<u64>()?;
        cpu += seconds.parse::<f64>()?;
    }
    let took = start.elapsed();
    let due = total * (peers as u64 - 1);
    println!(
        "{peers} peers, {total} messages sent, {delivered} delivered in {took:.1?}: {:.2} M a second, {:.2} us of CPU each, {} lost, {} MB a peer",
        delivered as f64 / took.as_secs_f64() / 1e6,
        cpu * 1e6 / delivered as f64,
        due - delivered,
        memory / peers as u64,
    );
    players.into_iter().try_for_each(players::Player::quit)
}

async fn peer(config: node::Config, peers: usize, seconds: u64) -> Outcome {
    let node::Session { requests, mut events, .. } = node::start(config).await?;
    players::linked(&mut events, peers).await?;
    let mut orders = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    orders.next_line().await?;
    let counted = tokio::spawn(flood(requests.clone(), Duration::from_secs(seconds)));
    let mut delivered: u64 = 0;
    let mut expected = None;
    let mut counted = Some(counted);
    let deadline = tokio::time::sleep(Duration::from_secs(seconds) + DRAIN);
    tokio::pin!(deadline);
    while expected.is_none_or(|expected| delivered < expected) {
        tokio::select! {
            batch = events.next_batch() => {
                let batch = batch.ok_or("the peer stopped")?;
                delivered += batch.filter(|event| matches!(event, Event::Message { .. })).count() as u64;
            }
            sent = async { counted.as_mut().expect("the branch is off without it").await }, if counted.is_some() => {
                println!("sent {}", sent?);
                counted = None;
            }
            order = orders.next_line(), if counted.is_none() && expected.is_none() => {
                expected = order?.and_then(|line| line.strip_prefix("expect ").and_then(|count| count.parse().ok()));
            }
            () = &mut deadline => break,
        }
    }
    println!("delivered {delivered} {} {}", players::resident_megabytes(), players::cpu_seconds());
    // The others may still need this peer's acknowledgements and frames.
    tokio::select! {
        _ = orders.next_line() => {}
        () = async { while events.next_batch().await.is_some() {} } => {}
    }
    requests.stop();
    while events.next_batch().await.is_some() {}
    Ok(())
}

/// Sends as fast as the peer takes it. Returns how many messages the peer took.
async fn flood(requests: node::Requests, lasting: Duration) -> u64 {
    let text = "x".repeat(100);
    let end = Instant::now() + lasting;
    let mut sent = 0;
    let mut waiting = VecDeque::new();
    while Instant::now() < end {
        let ask = Ask::Send { to: Target::All, text: text.clone(), delay_ms: 0 };
        let Ok(submitted) = requests.submit(ask).await else { break };
        waiting.push_back(submitted);
        if waiting.len() < 256 {
            continue;
        }
        for mut submitted in waiting.drain(..) {
            sent += u64::from(matches!(submitted.answer().await, Ok(Ok(_))));
        }
    }
    for mut submitted in waiting {
        sent += u64::from(matches!(submitted.answer().await, Ok(Ok(_))));
    }
    sent
}
