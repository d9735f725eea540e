//! The simulated network, and the timing of one of its processes.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::{Duration, Instant};

use fastrand::Rng;

use crate::{Posted, Rival, Traffic};

/// How often the events of the watched process are replayed to measure their time. The best replay counts, because the
/// machine is shared.
const REPLAYS: usize = 5;

/// How many messages each process sends in turn at the beginning. So before the measurement starts, each link has been told the
/// author's id and its usual destinations.
const IN_TURN: usize = 4;

/// The parameters of a simulation. Each process sends at random times, and each copy takes a random time of its own. So copies
/// overtake one another, even on one link.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// How many processes there are.
    pub size: usize,
    /// The destinations of the messages.
    pub traffic: Traffic,
    /// The average delay of a copy, divided by the average time between two messages of one process. Delays are exponentially
    /// distributed.
    pub delay: f64,
    /// How many messages are sent before the measurement starts. Each process sends the first ones in turn.
    pub warm_up: usize,
    /// How many messages are measured.
    pub measured: usize,
    /// The seed of the random numbers.
    pub seed: u64,
}

/// The measurements after the warm-up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Bytes per message, averaged over messages.
    pub bytes: f64,
    /// Bytes per message, averaged over copies on links: messages to many destinations count more.
    pub on_links: f64,
    /// Bytes of additions that links are told, per copy.
    pub additions: f64,
    /// Bytes of additions that links were told during the warm-up, per link.
    pub told_before: f64,
    /// Entries that a process remembers, averaged over arrivals.
    pub log: f64,
    /// The share of the copies that had to wait.
    pub held: f64,
    /// Time to take a message in, at process 0.
    pub receive: Duration,
    /// A hash of the number of deliveries at each arrival, to compare rivals.
    pub deliveries: u64,
}

/// An event at the watched process.
enum Event<S> {
    Send(BTreeSet<usize>),
    Receive(S),
}

/// Runs the protocol whose processes `start` makes.
///
/// # Panics
/// If a message is not delivered in the end.
pub fn simulate<R: Rival>(run: &Run, start: impl Fn(usize) -> R) -> Outcome {
    let mut random = Rng::with_seed(run.seed);
    let mut processes: Vec<R> = (0..run.size).map(&start).collect();
    let mut wire: BinaryHeap<Reverse<(u64, usize)>> = BinaryHeap::new();
    let mut copies: Vec<Option<(usize, R::Sent)>> = Vec::new();
    let (mut watched, mut watched_from) = (Vec::new(), 0);
    let (mut clock, mut delivered) = (0.0, 0);
    let (mut outcome, mut counted, mut arrived, mut log, mut held) = (Outcome::default(), 0, 0, 0.0, 0);
    for number in 0..=run.warm_up + run.measured {
        let last = number == run.warm_up + run.measured;
        clock += if last { f64::INFINITY } else { exponential(1.0 / run.size as f64, &mut random) };
        let counts = number > run.warm_up;
        while let Some(&Reverse((_, copy))) = wire.peek().filter(|next| f64::from_bits(next.0.0) < clock) {
            wire.pop();
            let (to, sent) = copies[copy].take().expect("a copy arrives once");
            if to == 0 {
                watched.push(Event::Receive(sent.clone()));
            }
            let message = processes[to].read(&sent);
            let now = processes[to].receive(message);
            delivered += now;
            outcome.deliveries = outcome.deliveries.wrapping_mul(0x100_0000_01b3).wrapping_add(now as u64 + 1);
            if counts {
                arrived += 1;
                held += usize::from(now == 0);
                log += processes[to].log() as f64;
            }
        }
        if last {
            break;
        }
        if number == run.warm_up {
            watched_from = watched.len();
        }
        let in_turn = number < run.warm_up.min(IN_TURN * run.size);
        let author = if in_turn { number % run.size } else { random.usize(..run.size) };
        let dests = run.traffic.dests(author, run.size, &mut random);
        let posted = processes[author].send(&dests);
        let count = posted.len() as f64;
        let (mut bytes, mut additions) = (0.0, 0.0);
        for (&to, Posted { sent, bytes: own, additions: more }) in dests.iter().zip(posted) {
            bytes += own as f64;
            additions += more as f64;
            wire.push(Reverse(((clock + exponential(run.delay, &mut random)).to_bits(), copies.len())));
            copies.push(Some((to, sent)));
        }
        if number >= run.warm_up {
            outcome.bytes += bytes / count;
            outcome.on_links += bytes;
            outcome.additions += additions;
            counted += dests.len();
        } else {
            outcome.told_before += additions;
        }
        if author == 0 {
            watched.push(Event::Send(dests));
        }
    }
    assert_eq!(delivered, copies.len(), "every copy is delivered in the end");
    outcome.bytes /= run.measured as f64;
    outcome.on_links /= counted as f64;
    outcome.additions /= counted as f64;
    outcome.told_before /= (run.size * (run.size - 1)) as f64;
    outcome.log = log / f64::from(arrived);
    outcome.held = held as f64 / f64::from(arrived);
    drop(processes);
    outcome.receive = (0..REPLAYS).map(|_| replay(start(0), &watched, watched_from)).min().unwrap_or_default();
    outcome
}

/// The average time to receive a message, from event `from` on.
fn replay<R: Rival>(mut process: R, events: &[Event<R::Sent>], from: usize) -> Duration {
    let (mut taken, mut received) = (Duration::ZERO, 0);
    let mut position = 0;
    while position < events.len() {
        let mut messages = Vec::new();
        let run = events[position..].iter().enumerate().take_while(|(at, _)| *at == 0 || position + at != from);
        let run = run.map_while(|(_, event)| match event {
            Event::Receive(sent) => Some(process.read(sent)),
            Event::Send(_) => None,
        });
        messages.extend(run);
        if let (true, Event::Send(dests)) = (messages.is_empty(), &events[position]) {
            process.send(dests);
            position += 1;
            continue;
        }
        let count = messages.len();
        let before = Instant::now();
        for message in messages {
            process.receive(message);
        }
        let took = before.elapsed();
        if position >= from {
            taken += took;
            received += count as u32;
        }
        position += count;
    }
    taken / received.max(1)
}

fn exponential(mean: f64, random: &mut Rng) -> f64 {
    -mean * random.f64().max(1e-12).ln()
}
