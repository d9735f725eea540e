//! Eight peers in one thread, joined by queues: what deciding costs, with no network at all.
//!
//! `cargo bench -p causerie-chat` prints deliveries a second and the time of one. Texts have 100 bytes and go to all; each
//! peer says 64 of them a turn, and the frames of a turn arrive in an order that a counter scrambles.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chat::{Command, Config, Event, Identity, Incarnation, LinkId, MemoryStore, Name, Now, Peer, Store, Target};

const PEERS: usize = 8;
const TURNS: usize = 300;
const A_TURN: usize = 64;

/// The link from `from` to `to`, as both name it.
fn link(from: usize, to: usize) -> LinkId {
    LinkId((from * PEERS + to) as u64)
}

struct Mesh {
    peers: Vec<Peer<MemoryStore>>,
    /// What is on its way to each peer from each other.
    wires: Vec<Vec<VecDeque<Bytes>>>,
    delivered: usize,
    now: Now,
}

impl Mesh {
    fn new() -> Self {
        let now = Now { monotonic: Duration::from_secs(1), unix_micros: 1_800_000_000_000_000 };
        let peer = |number: usize| {
            let seed = [u8::try_from(number).expect("there are eight"); 32];
            let name = Name::parse(&format!("peer{number}")).expect("a name");
            let identity = Identity::from_seed(seed);
            Peer::new(Config::default(), identity, name, Incarnation(1), MemoryStore::default(), now)
                .expect("a store in memory has nothing to read")
        };
        let mut mesh = Self {
            peers: (0..PEERS).map(peer).collect(),
            wires: vec![vec![VecDeque::new(); PEERS]; PEERS],
            delivered: 0,
            now,
        };
        let people: Vec<_> = mesh.peers.iter().map(|peer| peer.process().person).collect();
        for from in 0..PEERS {
            for to in (0..PEERS).filter(|&to| to != from) {
                let remote = SocketAddr::from(([10, 0, 0, 1], 4000));
                mesh.peers[from].handle_link_up(now, link(from, to), people[to], remote);
            }
        }
        for peer in 0..PEERS {
            mesh.perform(peer);
        }
        mesh.carry();
        mesh
    }

    fn perform(&mut self, from: usize) {
        let effects = self.peers[from].take_effects(self.now);
        self.peers[from].store_mut().apply(&effects.durable).expect("memory takes everything");
        for (link, frame) in effects.frames {
            let to = usize::try_from(link.0).expect("small") % PEERS;
            self.wires[to][from].push_back(frame);
        }
        self.delivered += effects.events.filter(|event| matches!(event, Event::Message { .. })).count();
    }

    fn carry(&mut self) {
        let mut turn = 0;
        loop {
            let mut moved = false;
            for step in 0..PEERS {
                let to = (step * 3 + turn) % PEERS;
                for step in 0..PEERS {
                    let from = (step * 5 + turn) % PEERS;
                    if let Some(frame) = self.wires[to][from].pop_front() {
                        self.peers[to].handle_frame(self.now, link(to, from), &frame).expect("peers are honest");
                        moved = true;
                    }
                }
                self.perform(to);
            }
            turn += 1;
            if !moved {
                return;
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; the crate does not")]
fn main() {
    let mut mesh = Mesh::new();
    let text = "x".repeat(100);
    let start = Instant::now();
    for _ in 0..TURNS {
        for peer in 0..PEERS {
            for _ in 0..A_TURN {
                let command = Command::Send { to: Target::All, text: text.clone(), delay_ms: 0 };
                mesh.peers[peer].handle_command(mesh.now, command).expect("there is room");
            }
            mesh.perform(peer);
        }
        mesh.carry();
        mesh.now.monotonic += Duration::from_millis(10);
        mesh.now.unix_micros += 10_000;
        for peer in 0..PEERS {
            mesh.peers[peer].handle_timeout(mesh.now);
            mesh.perform(peer);
        }
        mesh.carry();
    }
    let took = start.elapsed();
    assert_eq!(mesh.delivered, TURNS * A_TURN * PEERS * (PEERS - 1), "everything arrives, once");
    let each = took.as_secs_f64() / mesh.delivered as f64;
    #[expect(clippy::print_stdout, reason = "it is what a benchmark is for")]
    {
        println!("{} deliveries in {took:.2?}: {:.0} a second, {:.2} us each", mesh.delivered, 1.0 / each, each * 1e6);
    }
}
