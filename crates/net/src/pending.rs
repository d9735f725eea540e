//! Incoming connections that are not links yet: how many there may be, and which one goes when there are more.
//!
//! Until a connection has proved an identity and greeted, it costs its maker nothing. So any machine can take these
//! places. A new connection always gets one. When all are taken, the address with the most of them loses its oldest. So
//! an address that fills the places only crowds out itself. An honest peer needs its place for a few milliseconds.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
};

use futures::{AsyncRead, AsyncWrite, task::AtomicWaker};
use libp2p::swarm::ConnectionId;
use parking_lot::Mutex;

/// Both ends of a connection: this side's, then the other's.
pub(crate) type Ends = (SocketAddr, SocketAddr);

const WAITING: u8 = 0;
const LINKED: u8 = 1;
const SHUT: u8 = 2;

/// The places. Cheap to clone: the swarm's behaviour and its transport share them.
#[derive(Clone, Debug)]
pub(crate) struct Pending(Arc<Mutex<Places>>);

#[derive(Debug)]
struct Places {
    most: usize,
    /// The oldest first.
    taken: Vec<Place>,
}

#[derive(Debug)]
struct Place {
    id: ConnectionId,
    ends: Ends,
    gate: Arc<Gate>,
}

/// Whether a connection may go on, and which task to wake when it may not.
#[derive(Debug)]
struct Gate {
    state: AtomicU8,
    waker: AtomicWaker,
}

impl Pending {
    pub(crate) fn new(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Places { most: most.max(1), taken: Vec::new() })))
    }

    /// A connection comes in.
    pub(crate) fn enter(&self, id: ConnectionId, ends: Ends) {
        let mut places = self.0.lock();
        if places.taken.len() >= places.most {
            let oldest = places.oldest_of_the_most();
            places.taken.remove(oldest).gate.turn(SHUT);
        }
        places.taken.push(Place { id, ends, gate: Gate::new(WAITING) });
    }

    /// The connection has become a link, or has ended.
    pub(crate) fn leave(&self, id: ConnectionId) {
        let mut places = self.0.lock();
        if let Some(at) = places.taken.iter().position(|place| place.id == id) {
            places.taken.remove(at).gate.turn(LINKED);
        }
    }

    /// Guards the stream of an incoming connection. If the connection has lost its place already, its stream is shut.
    pub(crate) fn guard<S>(&self, stream: S, ends: Ends) -> Guarded<S> {
        let places = self.0.lock();
        // While a socket is open, no other has the same ends. So the newest match is the right one.
        let place = places.taken.iter().rfind(|place| place.ends == ends);
        let gate = place.map_or_else(|| Gate::new(SHUT), |place| Arc::clone(&place.gate));
        Guarded { stream, gate: Some(gate) }
    }
}

impl Places {
    fn oldest_of_the_most(&self) -> usize {
        let mut of = HashMap::<IpAddr, usize>::new();
        for place in &self.taken {
            *of.entry(source(place.ends.1.ip())).or_default() += 1;
        }
        let most = of.values().max().copied().unwrap_or_default();
        self.taken.iter().position(|place| of[&source(place.ends.1.ip())] == most).unwrap_or_default()
    }
}

/// The unit that one party can probably have all of: an IPv4 address, or the IPv6 network in which a single machine
/// picks its own addresses.
fn source(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Gate {
    fn new(state: u8) -> Arc<Self> {
        Arc::new(Self { state: AtomicU8::new(state), waker: AtomicWaker::new() })
    }

    fn turn(&self, state: u8) {
        self.state.store(state, Ordering::Release);
        self.waker.wake();
    }
}

/// The bytes of a connection, for as long as it has a place or is a link.
#[derive(Debug)]
pub(crate) struct Guarded<S> {
    stream: S,
    /// `None` once it is a link, and for connections that this side dialled.
    gate: Option<Arc<Gate>>,
}

impl<S> Guarded<S> {
    pub(crate) fn free(stream: S) -> Self {
        Self { stream, gate: None }
    }

    fn check(&mut self, cx: &Context<'_>) -> io::Result<()> {
        let Some(gate) = &self.gate else { return Ok(()) };
        gate.waker.register(cx.waker());
        match gate.state.load(Ordering::Acquire) {
            SHUT => Err(io::Error::new(io::ErrorKind::ConnectionAborted, "others were let in first")),
            LINKED => {
                self.gate = None;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ends(ip: &str, port: u16) -> Ends {
        (SocketAddr::from(([192, 0, 2, 1], 1)), SocketAddr::new(ip.parse().unwrap(), port))
    }

    fn ports(pending: &Pending) -> Vec<u16> {
        pending.0.lock().taken.iter().map(|place| place.ends.1.port()).collect()
    }

    #[test]
    fn the_address_that_has_the_most_loses_its_oldest() {
        let pending = Pending::new(4);
        let mut id = 0;
        let mut enter = |ip: &str, port| {
            id += 1;
            pending.enter(ConnectionId::new_unchecked(id), ends(ip, port));
        };
        enter("10.0.0.1", 1);
        for port in 2..=9 {
            enter("10.0.0.2", port);
        }
        assert_eq!(ports(&pending), [1, 7, 8, 9]);
        // One network of a single machine counts as one address, however its addresses are written.
        enter("fd00::1", 10);
        enter("fd00::2:1", 11);
        assert_eq!(ports(&pending), [1, 9, 10, 11]);
        enter("::ffff:10.0.0.1", 12);
        assert_eq!(ports(&pending), [1, 9, 11, 12]);
        enter("10.0.0.3", 13);
        assert_eq!(ports(&pending), [9, 11, 12, 13]);
        // If every address has one, the oldest goes.
        enter("10.0.0.4", 14);
        assert_eq!(ports(&pending), [11, 12, 13, 14]);
        pending.leave(ConnectionId::new_unchecked(12));
        enter("10.0.0.4", 15);
        assert_eq!(ports(&pending).len(), 4);
    }

    #[test]
    fn a_connection_that_lost_its_place_is_shut_and_a_link_is_not() {
        use futures::{AsyncReadExt, executor::block_on, io::Cursor};
        let pending = Pending::new(1);
        let (first, second) = (ConnectionId::new_unchecked(1), ConnectionId::new_unchecked(2));
        pending.enter(first, ends("10.0.0.1", 1));
        let mut stream = pending.guard(Cursor::new([7; 9]), ends("10.0.0.1", 1));
        let mut buffer = [0; 3];
        block_on(stream.read_exact(&mut buffer)).unwrap();
        pending.enter(second, ends("10.0.0.1", 2));
        assert_eq!(block_on(stream.read_exact(&mut buffer)).unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
        let mut linked = pending.guard(Cursor::new([7; 9]), ends("10.0.0.1", 2));
        pending.leave(second);
        pending.enter(first, ends("10.0.0.1", 3));
        block_on(linked.read_exact(&mut buffer)).unwrap();
        let mut late = pending.guard(Cursor::new([7; 9]), ends("10.0.0.1", 2));
        assert!(block_on(late.read_exact(&mut buffer)).is_err(), "its place is gone");
    }
}
