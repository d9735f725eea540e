//! How long a message takes from its author to the user interface of each other peer while little is said. Eight peers
//! in eight processes on loopback take turns to say 100 bytes to all, 20 times per second in total.
//!
//! `cargo run --release -p causerie-node --example latency -- [PEERS [A_SECOND [SECONDS [FOLDER]]]]`
//!
//! With a folder, each peer keeps everything in a data folder of its own inside it: the author before it sends, the
//! others before they show. All peers are on one machine and have one clock. The time counts from when the author's
//! peer stamps the message.
#![allow(clippy::print_stdout, clippy::wildcard_enum_match_arm, reason = "a measurement prints, and times one event")]

mod players;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chat::{Command as Ask, Event, Target};
use players::{Outcome, assemble};
use tokio::io::AsyncBufReadExt;

/// How long the last message may take.
const DRAIN: Duration = Duration::from_secs(2);

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let strings: Vec<&str> = args.iter().map(String::as_str).collect();
    if let ["peer", number, peers, data, rest @ ..] = strings.as_slice() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let data = Some(*data).filter(|data| !data.is_empty());
        let config = players::config(number.parse()?, data, rest.first().copied())?;
        return runtime.block_on(peer(config, peers.parse()?));
    }
    let number = |nth: usize, default: u64| strings.get(nth).map_or(Ok(default), |text| text.parse());
    conduct(number(0, 8)? as usize, number(1, 20)?, number(2, 30)?, strings.get(3).unwrap_or(&""))
}

fn conduct(peers: usize, a_second: u64, seconds: u64, data: &str) -> Outcome {
    let mut players =
        assemble(peers, |number| ["peer", &number.to_string(), &peers.to_string(), data].map(str::to_owned).to_vec())?;
    let sent = a_second * seconds;
    for turn in 0..sent as usize {
        players[turn % peers].order("say")?;
        std::thread::sleep(Duration::from_secs(1) / u32::try_from(a_second)?);
    }
    std::thread::sleep(DRAIN);
    let mut micros: Vec<i64> = Vec::new();
    for player in &mut players {
        player.order("tell")?;
        for figure in player.expect("took")?.split(' ').filter(|figure| !figure.is_empty()) {
            micros.push(figure.parse()?);
        }
    }
    micros.sort_unstable();
    let due = sent as usize * (peers - 1);
    let at = |share: f64| micros[((micros.len() - 1) as f64 * share) as usize] as f64 / 1000.0;
    println!(
        "{peers} peers, {sent} messages, {a_second} a second, {} of {due} delivered: p50 {:.2} ms, p90 {:.2} ms, p99 {:.2} ms, longest {:.2} ms",
        micros.len(),
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0),
    );
    players.into_iter().try_for_each(players::Player::quit)
}

async fn peer(config: node::Config, peers: usize) -> Outcome {
    let node::Session { requests, mut events, .. } = node::start(config).await?;
    players::linked(&mut events, peers).await?;
    let text = "x".repeat(100);
    let mut orders = tokio::io::BufReader::new(tokio::io::stdin()).lines();
    let mut took = Vec::new();
    loop {
        tokio::select! {
            event = events.next() => {
                if let Event::Message { message } = event.ok_or("the peer stopped")? {
                    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros();
                    took.push((i64::try_from(now)? - message.sent_at).to_string());
                }
            }
            order = orders.next_line() => match order?.as_deref() {
                Some("say") => {
                    requests.submit(Ask::Send { to: Target::All, text: text.clone(), delay_ms: 0 }).await?;
                }
                Some("tell") => println!("took {}", took.join(" ")),
                _ => break,
            }
        }
    }
    requests.stop();
    while events.next_batch().await.is_some() {}
    Ok(())
}
