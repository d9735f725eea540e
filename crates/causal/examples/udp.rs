//! Three peers on UDP, with a third of the datagrams lost. Each peer sends to the other two and retransmits what is not
//! acknowledged. So datagrams come late, out of order and twice. Every message is delivered exactly once, and in causal order.
//!
//! `cargo run -p causal-multicast --example udp`
#![expect(clippy::print_stdout, reason = "an example shows what happens")]

use std::collections::BTreeMap;
use std::error::Error;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use causal::{Config, Envelope, Limits, Process, Stats};

type Id = u8;
/// How many messages of each peer the author of a message had seen when it sent the message, that one included.
type Seen = [u8; PEERS];
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const PEERS: usize = 3;
/// How many messages each peer sends.
const MESSAGES: u8 = 20;
const REPEAT_AFTER: Duration = Duration::from_millis(10);
/// How many times in a row a peer retransmits without hearing anything before it gives up.
const PATIENCE: usize = 1_000;

/// The first byte of a datagram.
const MESSAGE: u8 = 0;
const ACKNOWLEDGEMENT: u8 = 1;

struct Peer<'a> {
    id: Id,
    socket: UdpSocket,
    addresses: &'a [SocketAddr],
    process: Process<Id, Seen>,
    seen: Seen,
    /// By destination and clock.
    unacknowledged: BTreeMap<(Id, u64), Vec<u8>>,
    /// Decides which datagrams are lost, by the same sequence in every run.
    chance: u32,
    lost: usize,
}

pub(crate) fn main() -> Outcome<()> {
    let sockets = (0..PEERS).map(|_| UdpSocket::bind("127.0.0.1:0")).collect::<Result<Vec<_>, _>>()?;
    let addresses = sockets.iter().map(UdpSocket::local_addr).collect::<Result<Vec<_>, _>>()?;
    let finished = AtomicUsize::new(0);
    thread::scope(|scope| {
        let peers = (0..).zip(sockets).map(|(id, socket)| {
            let peer = Peer {
                id,
                socket,
                addresses: &addresses,
                process: Process::new(id, Config::default()),
                seen: Seen::default(),
                unacknowledged: BTreeMap::new(),
                chance: u32::from(id),
                lost: 0,
            };
            scope.spawn(|| peer.run(&finished))
        });
        // `collect` starts all peers before the first is joined.
        for (id, peer) in peers.collect::<Vec<_>>().into_iter().enumerate() {
            let (Stats { delivered, held_back, duplicates, .. }, lost) = peer.join().expect("no peer panics")?;
            assert_eq!(delivered, (PEERS as u64 - 1) * u64::from(MESSAGES));
            println!(
                "peer {id}: {delivered} delivered, {held_back} held, {duplicates} duplicates, {lost} lost on the way"
            );
        }
        Ok(())
    })
}

impl Peer<'_> {
    fn run(mut self, finished: &AtomicUsize) -> Outcome<(Stats, usize)> {
        self.socket.set_read_timeout(Some(REPEAT_AFTER))?;
        let mut counted = false;
        let mut silent = 0;
        let mut buffer = [0; 2048];
        self.multicast()?;
        // A peer that has everything goes on acknowledging until all have.
        while finished.load(Ordering::SeqCst) < PEERS {
            match self.socket.recv_from(&mut buffer) {
                Ok((length, from)) => {
                    silent = 0;
                    self.datagram(&buffer[..length], from)?;
                }
                Err(_) if silent == PATIENCE => return Err("no peer answers any more".into()),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    silent += 1;
                    for ((to, _), datagram) in self.unacknowledged.clone() {
                        self.transmit(&datagram, self.addresses[usize::from(to)])?;
                    }
                }
                Err(error) => return Err(error.into()),
            }
            if !counted && self.unacknowledged.is_empty() && self.seen == [MESSAGES; PEERS] {
                finished.fetch_add(1, Ordering::SeqCst);
                counted = true;
            }
        }
        Ok((self.process.stats(), self.lost))
    }

    /// Sends the next message to the other two.
    fn multicast(&mut self) -> Outcome<()> {
        if self.seen[usize::from(self.id)] == MESSAGES {
            return Ok(());
        }
        self.seen[usize::from(self.id)] += 1;
        let envelope = self.process.send((0..PEERS as Id).filter(|&id| id != self.id))?;
        let datagram = [&[MESSAGE], &self.seen[..], &envelope.to_bytes()].concat();
        for &to in envelope.dests() {
            self.unacknowledged.insert((to, envelope.clock()), datagram.clone());
            self.transmit(&datagram, self.addresses[usize::from(to)])?;
        }
        Ok(())
    }

    fn datagram(&mut self, datagram: &[u8], from: SocketAddr) -> Outcome<()> {
        let Some((&kind, rest)) = datagram.split_first() else { return Ok(()) };
        if kind == ACKNOWLEDGEMENT {
            let by = self.addresses.iter().position(|&address| address == from).ok_or("a stranger")?;
            self.unacknowledged.remove(&(by as Id, u64::from_be_bytes(rest.try_into()?)));
            return Ok(());
        }
        let (seen, bytes) = rest.split_first_chunk::<PEERS>().ok_or("a datagram is too short")?;
        let envelope = Envelope::from_bytes(bytes, &Limits::default())?;
        // A held message is safe as well while this peer runs. A peer that can crash must store a message before it
        // acknowledges it.
        self.process.accept(&envelope, *seen)?;
        self.transmit(&[&[ACKNOWLEDGEMENT], &envelope.clock().to_be_bytes()[..]].concat(), from)?;
        while let Some(delivery) = self.process.next_delivery() {
            let author = usize::from(*self.process.roster().id(delivery.stamp.sender));
            self.seen[author] += 1;
            assert_eq!(self.seen[author], delivery.message[author], "exactly once, and in the author's order");
            let all_seen = self.seen.iter().zip(delivery.message).all(|(&mine, his)| mine >= his);
            assert!(all_seen, "all that the author had seen was delivered here before");
            self.multicast()?;
        }
        Ok(())
    }

    /// Gives a datagram to the network, which loses a third of them.
    fn transmit(&mut self, datagram: &[u8], to: SocketAddr) -> Outcome<()> {
        self.chance = self.chance.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if (self.chance >> 16) % 3 == 0 {
            self.lost += 1;
        } else {
            self.socket.send_to(datagram, to)?;
        }
        Ok(())
    }
}
