//! How many frames per second a mesh delivers without any order between peers. Causal order is measured against this.
//!
//! ```text
//! cargo run --release -p causerie-net --example mesh_flood -- [PEERS [SECONDS [BYTES [BURST [THREADS]]]]]
//! ```
//!
//! Starts `PEERS` processes (8) on 127.0.0.1. Each sends frames of `BYTES` bytes (100) to all others, as fast as they
//! take them, for `SECONDS` (5). It sends in bursts of at most `BURST` (64) and looks at what has come in between two
//! bursts. When everything has arrived, prints the total deliveries per second. Each process has `THREADS` (1) threads.
#![allow(clippy::print_stdout, reason = "the figures are its output")]

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    process::Stdio,
    time::{Duration, Instant},
};

use bytes::Bytes;
use net::{Config, Event, Events, Net, Room};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines, Stdin, stdin},
    process::{Child, ChildStdin, ChildStdout, Command},
    runtime::Builder,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Clone, Copy, Debug)]
struct Plan {
    peers: usize,
    seconds: u64,
    bytes: usize,
    burst: usize,
    threads: usize,
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let number = |nth: usize, default: usize| args.get(nth).map_or(Ok(default), |arg| arg.parse());
    let plan = Plan {
        peers: number(0, 8)?,
        seconds: number(1, 5)? as u64,
        bytes: number(2, 100)?,
        burst: number(3, 64)?,
        threads: number(4, 1)?,
    };
    let mut builder = if plan.threads == 1 { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    let runtime = builder.worker_threads(plan.threads).enable_all().build()?;
    match args.get(5).map(String::as_str) {
        Some("peer") => runtime.block_on(peer(plan, args.get(6).ok_or("no seed")?.parse()?, args.get(7))),
        _ => runtime.block_on(conduct(plan)),
    }
}

/// One peer's process, as the conductor sees it.
struct Process {
    child: Child,
    say: ChildStdin,
    hear: Lines<BufReader<ChildStdout>>,
}

impl Process {
    fn start(plan: Plan, seed: usize, first: Option<&str>) -> Result<Self> {
        let Plan { peers, seconds, bytes, burst, threads } = plan;
        let numbers = [peers, seconds as usize, bytes, burst, threads].map(|n| n.to_string());
        let mut child = Command::new(env::current_exe()?)
            .args(numbers)
            .args(["peer", &seed.to_string()])
            .args(first)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let say = child.stdin.take().ok_or("no stdin")?;
        let hear = BufReader::new(child.stdout.take().ok_or("no stdout")?).lines();
        Ok(Self { child, say, hear })
    }

    async fn says(&mut self) -> Result<String> {
        Ok(self.hear.next_line().await?.ok_or("a peer died")?)
    }

    async fn tell(&mut self, line: &str) -> Result<()> {
        Ok(self.say.write_all(format!("{line}\n").as_bytes()).await?)
    }
}

async fn conduct(plan: Plan) -> Result<()> {
    let mut first = Process::start(plan, 0, None)?;
    let address = first.says().await?;
    let mut processes = vec![first];
    let began = Instant::now();
    for seed in 1..plan.peers {
        let mut process = Process::start(plan, seed, Some(&address))?;
        process.says().await?;
        processes.push(process);
    }
    for process in &mut processes {
        process.says().await?;
    }
    println!("full mesh of {} in {:.0?}", plan.peers, began.elapsed());
    let began = Instant::now();
    for process in &mut processes {
        process.tell("go").await?;
    }
    let mut sent = Vec::new();
    for process in &mut processes {
        sent.push(process.says().await?.parse::<u64>()?);
    }
    let all: u64 = sent.iter().sum();
    for (process, own) in processes.iter_mut().zip(&sent) {
        process.tell(&(all - own).to_string()).await?;
    }
    let mut received = 0;
    let mut cpu = Vec::new();
    for process in &mut processes {
        let line = process.says().await?;
        let (count, seconds) = line.split_once(' ').ok_or("no count")?;
        received += count.parse::<u64>()?;
        cpu.push(seconds.parse::<f64>()?);
    }
    let elapsed = began.elapsed();
    let expected = all * (plan.peers as u64 - 1);
    let rate = received as f64 / elapsed.as_secs_f64();
    println!(
        "{received} deliveries of {} bytes in {elapsed:.2?}: {:.2} M/s, {:.3} µs of CPU each, lost {}",
        plan.bytes,
        rate / 1e6,
        cpu.iter().sum::<f64>() * 1e6 / received as f64,
        expected - received
    );
    for mut process in processes {
        process.child.kill().await?;
    }
    Ok(())
}

async fn peer(plan: Plan, seed: u8, first: Option<&String>) -> Result<()> {
    let mut config = Config::new([seed; 32]);
    config.listen = vec!["127.0.0.1:0".parse()?];
    config.mdns = false;
    config.peers.extend(first.cloned());
    let (net, mut events) = Net::start(config).await?;
    let mut lines = BufReader::new(stdin()).lines();
    let mut mesh = Mesh::default();
    while mesh.links.len() < plan.peers - 1 {
        if let Some(Event::Listening { address }) = mesh.take(events.recv().await.ok_or("the net stopped")?) {
            println!("{address}");
        }
    }
    println!("full");
    let frame = Bytes::from(vec![seed; plan.bytes]);
    let sent = flood(plan, &net, &mut events, &mut mesh, &mut lines, &frame).await?;
    println!("{sent}");
    // What it is to receive is told once all peers have sent.
    let mut expected = None;
    let mut batch = Vec::new();
    while expected.is_none_or(|expected| mesh.received < expected) {
        tokio::select! {
            line = lines.next_line(), if expected.is_none() => {
                expected = Some(line?.ok_or("the conductor is gone")?.parse::<u64>()?);
            }
            _ = events.recv_many(&mut batch, 256) => {
                for event in batch.drain(..) {
                    mesh.take(event);
                }
            }
        }
    }
    println!("{} {}", mesh.received, cpu_seconds()?);
    std::future::pending().await
}

async fn flood(
    plan: Plan,
    net: &Net,
    events: &mut Events,
    mesh: &mut Mesh,
    lines: &mut Lines<BufReader<Stdin>>,
    frame: &Bytes,
) -> Result<u64> {
    lines.next_line().await?;
    let began = Instant::now();
    let time = Duration::from_secs(plan.seconds);
    let mut sent = 0;
    let mut batch = Vec::new();
    while began.elapsed() < time {
        let mut burst = 0;
        while mesh.full.is_empty() && burst < plan.burst {
            for link in &mesh.links {
                if net.send(*link, frame.clone())? == Room::Full {
                    mesh.full.insert(*link);
                }
            }
            burst += 1;
            sent += 1;
        }
        if mesh.full.is_empty() {
            while let Some(event) = events.try_recv() {
                mesh.take(event);
            }
            tokio::task::yield_now().await;
        } else {
            events.recv_many(&mut batch, 256).await;
            for event in batch.drain(..) {
                mesh.take(event);
            }
        }
    }
    Ok(sent)
}

#[derive(Default)]
struct Mesh {
    links: Vec<net::LinkId>,
    full: BTreeSet<net::LinkId>,
    received: u64,
}

impl Mesh {
    /// Gives back an event that does not concern the mesh.
    #[allow(clippy::wildcard_enum_match_arm, reason = "the rest is given back")]
    fn take(&mut self, event: Event) -> Option<Event> {
        match event {
            Event::Up { link, .. } => self.links.push(link),
            Event::Writable { link } => {
                self.full.remove(&link);
            }
            Event::Frames { frames, .. } => {
                for frame in frames {
                    self.received += u64::from(!frame.is_empty());
                }
            }
            other => return Some(other),
        }
        None
    }
}

/// The CPU time of this process so far, user and system: fields 14 and 15 of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("no name")?.1;
    let ticks: Vec<f64> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect::<std::result::Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
