//! What the measuring programs share: peers as children of one conductor. It tells them what to do over their standard
//! input, and reads the results on their standard output.
#![allow(dead_code, reason = "each program takes what it needs")]

use std::error::Error;
use std::io::{BufRead, BufReader, Lines, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use chat::Event;

pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// One child: its lines out, its orders in.
pub(crate) struct Player {
    child: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Player {
    /// Starts this same program again with other arguments.
    pub(crate) fn start(arguments: &[String]) -> Outcome<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let orders = child.stdin.take().ok_or("no standard input")?;
        let lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
        Ok(Self { child, orders, lines })
    }

    /// The rest of the next line that begins with `word`.
    pub(crate) fn expect(&mut self, word: &str) -> Outcome<String> {
        for line in &mut self.lines {
            if let Some(rest) = line?.strip_prefix(word) {
                return Ok(rest.trim().to_owned());
            }
        }
        Err(format!("a peer ended before it said {word:?}").into())
    }

    pub(crate) fn order(&mut self, order: &str) -> Outcome {
        Ok(writeln!(self.orders, "{order}")?)
    }

    pub(crate) fn quit(mut self) -> Outcome {
        self.order("quit")?;
        self.child.wait()?;
        Ok(())
    }
}

/// Starts `peers` peers, which all know the first one's address, and waits until each is linked to each. `arguments`
/// gives the arguments of the peer with a number. They come before that address.
pub(crate) fn assemble(peers: usize, arguments: impl Fn(usize) -> Vec<String>) -> Outcome<Vec<Player>> {
    let mut players = vec![Player::start(&arguments(0))?];
    let first = players[0].expect("listening")?;
    for number in 1..peers {
        let mut arguments = arguments(number);
        arguments.push(first.clone());
        players.push(Player::start(&arguments)?);
    }
    for player in &mut players {
        player.expect("ready")?;
    }
    Ok(players)
}

/// A peer on loopback that listens on a free port, with a data folder of its own in `data`, if there is one.
pub(crate) fn config(number: usize, data: Option<&str>, first: Option<&str>) -> Result<node::Config, node::Error> {
    let mut config = node::Config::new(format!("peer{number}"));
    config.listen = vec![SocketAddr::from(([127, 0, 0, 1], 0))];
    config.mdns = false;
    config.peers = first.map(str::to_owned).into_iter().collect();
    config.home = data.map(|folder| home(Path::new(folder), number)).transpose()?;
    Ok(config)
}

fn home(folder: &Path, number: usize) -> Result<node::Home, node::Error> {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    Ok(node::Home { folder: node::DataFolder::open(&folder.join(format!("peer{number}")))?, seed: seed.into() })
}

/// Waits until a peer is linked to all the others. Prints where it listens.
pub(crate) async fn linked(events: &mut node::Events, peers: usize) -> Outcome {
    let mut up = 1;
    while up < peers {
        let event = events.next().await.ok_or("the peer stopped")?;
        match event {
            Event::Listening { address } => println!("listening {address}"),
            Event::PeerUp { .. } => up += 1,
            _ => {}
        }
    }
    println!("ready");
    Ok(())
}

/// How much memory this process has.
pub(crate) fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

/// How much processor time this process has used, user and system.
pub(crate) fn cpu_seconds() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields).split_whitespace();
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}
