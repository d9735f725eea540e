//! What the peers of one process cost: the time until all are linked to each other, the time until each has read a
//! message of each other one, the processor time, and the memory of the process.
//!
//! `cargo run --release -p causerie-node --example neighbours -- PEERS [memory|tcp] [peers|links] [MINUTES]`
//!
//! They link in memory, or over TCP on loopback as peers of different processes do. With `links`, only the bare links
//! of the `net` crate run, without a chat on top, and each peer sends one frame of 100 bytes to each other one. The run
//! ends after `MINUTES` (5), whatever is still missing by then.
#![allow(
    clippy::print_stdout,
    clippy::wildcard_enum_match_arm,
    reason = "a measurement prints, and counts a few events"
)]

mod players;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chat::{Command as Ask, Event, Target};
use net::Net;
use node::Neighbours;
use players::{Outcome, cpu_seconds, resident_megabytes};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// 100 bytes, a short message.
const TEXT: &str =
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";

/// What all peers have seen together.
#[derive(Default)]
struct Seen {
    ups: AtomicUsize,
    downs: AtomicUsize,
    read: AtomicUsize,
}

fn main() -> Outcome {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let arg = |nth: usize, default: &'static str| args.get(nth).map_or(default, String::as_str).to_owned();
    let peers: usize = arg(0, "10").parse()?;
    let in_memory = arg(1, "memory") == "memory";
    let minutes: u64 = arg(3, "5").parse()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let all = async {
        match arg(2, "peers").as_str() {
            "links" => links(peers, in_memory).await,
            _ => chat_of(peers, in_memory).await,
        }
    };
    let done = runtime.block_on(async { timeout(Duration::from_secs(minutes * 60), all).await });
    if done.is_err() {
        println!("not done after {minutes} minutes: {}", used());
    }
    runtime.shutdown_background();
    done.unwrap_or(Ok(()))
}

fn used() -> String {
    format!("{} MB, {:.1} s of processor time", resident_megabytes(), cpu_seconds())
}

/// Waits until a counter reaches its value. Prints when.
async fn until(counter: &AtomicUsize, due: usize, what: &str, began: Instant) {
    let mut told = Instant::now();
    while counter.load(Ordering::Relaxed) < due {
        sleep(Duration::from_millis(5)).await;
        if told.elapsed() > Duration::from_secs(10) {
            told = Instant::now();
            println!(
                "  {} of {due} {what} after {:.0} s: {}",
                counter.load(Ordering::Relaxed),
                began.elapsed().as_secs_f64(),
                used()
            );
        }
    }
    println!("{what}: {:.2} s: {}", began.elapsed().as_secs_f64(), used());
}

fn loopback() -> Vec<SocketAddr> {
    vec![SocketAddr::from(([127, 0, 0, 1], 0))]
}

async fn chat_of(peers: usize, in_memory: bool) -> Outcome {
    let (seen, neighbours) = (Arc::new(Seen::default()), Neighbours::default());
    println!("{peers} peers: {}", used());
    let began = Instant::now();
    let (mut all, mut takers, mut first) = (Vec::new(), JoinSet::new(), Vec::new());
    for number in 0..peers {
        let mut config = node::Config::new(format!("peer{number}"));
        (config.listen, config.mdns) = (loopback(), false);
        if in_memory {
            config.neighbours = neighbours.clone();
        }
        config.peers.clone_from(&first);
        let mut session = node::start(config).await?;
        if !in_memory && number == 0 {
            while let Some(event) = session.events.next().await {
                if let Event::Listening { address } = event {
                    first.push(address);
                    break;
                }
            }
        }
        takers.spawn(take(session.events, Arc::clone(&seen)));
        all.push(session.requests);
    }
    until(&seen.ups, peers * (peers - 1), "links up on both sides", began).await;
    sleep(Duration::from_secs(3)).await;
    println!("3 s later: {}", used());
    let began = Instant::now();
    for requests in &all {
        let say = Ask::Send { to: Target::All, text: TEXT.to_owned(), delay_ms: 0 };
        requests.submit(say).await?;
    }
    until(&seen.read, peers * (peers - 1), "messages read", began).await;
    println!("{} links lost", seen.downs.load(Ordering::Relaxed) / 2);
    Ok(())
}

async fn take(mut events: node::Events, seen: Arc<Seen>) {
    while let Some(event) = events.next().await {
        match event {
            Event::PeerUp { .. } => &seen.ups,
            Event::PeerDown { .. } => &seen.downs,
            Event::Message { .. } => &seen.read,
            _ => continue,
        }
        .fetch_add(1, Ordering::Relaxed);
    }
}

async fn links(peers: usize, in_memory: bool) -> Outcome {
    let (seen, neighbours) = (Arc::new(Seen::default()), Neighbours::default());
    println!("{peers} peers: {}", used());
    let began = Instant::now();
    let (mut all, mut takers, mut first) = (Vec::new(), JoinSet::new(), Vec::new());
    for number in 0..peers {
        let mut secret = [0; 32];
        secret[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
        let mut config = net::Config::new(secret);
        (config.listen, config.mdns) = (loopback(), false);
        if in_memory {
            config.neighbours = neighbours.clone();
        }
        config.peers.clone_from(&first);
        let (net, mut events) = Net::start(config).await?;
        if !in_memory && number == 0 {
            while let Some(event) = events.recv().await {
                if let net::Event::Listening { address } = event {
                    first.push(address.to_string());
                    break;
                }
            }
        }
        takers.spawn(count(net.clone(), events, Arc::clone(&seen)));
        all.push(net);
    }
    until(&seen.ups, peers * (peers - 1), "links up on both sides", began).await;
    sleep(Duration::from_secs(3)).await;
    println!("3 s later: {}", used());
    until(&seen.read, peers * (peers - 1), "frames read", began).await;
    let before = cpu_seconds();
    sleep(Duration::from_secs(10)).await;
    println!("idle: {:.1} ms of processor time a second", (cpu_seconds() - before) * 100.0);
    println!("{} links lost", seen.downs.load(Ordering::Relaxed) / 2);
    Ok(())
}

/// Sends one frame on each link as it comes up.
async fn count(net: Net, mut events: net::Events, seen: Arc<Seen>) {
    while let Some(event) = events.recv().await {
        match event {
            net::Event::Up { link, .. } => {
                // A link that is gone is reported by an event of its own.
                let _ = net.send(link, TEXT.into());
                seen.ups.fetch_add(1, Ordering::Relaxed);
            }
            net::Event::Down { .. } => {
                seen.downs.fetch_add(1, Ordering::Relaxed);
            }
            net::Event::Frames { frames, .. } => {
                seen.read.fetch_add(frames.len(), Ordering::Relaxed);
            }
            _ => {}
        }
    }
}
