//! The peers of one process. They know of each other at once, and link in memory.
//!
//! A link in memory is two queues of frames ([`Outgoing`]), one per direction. Each side's task takes what waits in the
//! other side's queue. So there is no socket, no cipher and no copy on the way, and the queues bound it as they bound
//! every link. Neither end must prove who it is: the process holds both identities.
//!
//! The neighbour that came first speaks for all. It alone announces itself by mDNS, and it introduces its neighbours
//! and the peers outside to each other. If it leaves, the next one takes over.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::{mpsc, watch};

use crate::{
    outgoing::Outgoing,
    peer::{Key, Start},
};

/// How many calls are taken in one turn.
const CALLS: usize = 64;

/// The peers of one process. Peers whose [`Config`](crate::Config) has a clone of the same `Neighbours` link to each
/// other in memory: without sockets and ciphers, with the same events and bounds as on any link. Only the peer that was
/// started first uses mDNS, and it introduces the others from there.
///
/// # Examples
///
/// ```
/// use net::{Config, Event, Neighbours, Net};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let neighbours = Neighbours::default();
/// let here = |seed| Config {
///     listen: vec!["127.0.0.1:0".parse().unwrap()],
///     mdns: false,
///     neighbours: neighbours.clone(),
///     ..Config::new([seed; 32])
/// };
/// let (_alice, mut to_alice) = Net::start(here(1)).await?;
/// let (_bob, _to_bob) = Net::start(here(2)).await?;
/// while let Some(event) = to_alice.recv().await {
///     if let Event::Up { address, .. } = event {
///         assert!(address.ip().is_loopback());
///         break;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Neighbours(Arc<Shared>);

#[derive(Default)]
struct Shared {
    members: Mutex<Members>,
    /// A neighbour has come or gone.
    changed: watch::Sender<()>,
}

#[derive(Default)]
struct Members {
    /// Sorted by the order in which they came.
    members: BTreeMap<u64, Member>,
    next: u64,
}

struct Member {
    neighbour: Arc<Neighbour>,
    /// The bound of its queues, in bytes.
    bound: usize,
    calls: mpsc::Sender<Call>,
}

/// A peer of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Neighbour {
    pub(crate) peer: Key,
    pub(crate) start: Start,
    /// Where it listens. An unspecified address stands for every address of this machine.
    pub(crate) listen: Vec<SocketAddr>,
}

/// A neighbour makes a link to this peer.
pub(crate) struct Call {
    pub(crate) from: Arc<Neighbour>,
    pub(crate) end: End,
}

/// One end of a link in memory. The link is down once one of its ends is dropped.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) mine: Arc<Outgoing>,
    pub(crate) theirs: Arc<Outgoing>,
}

/// What a member waits for.
pub(crate) enum News {
    /// A neighbour has come or gone.
    Changed,
    Calls(Vec<Call>),
}

/// One peer's place among its neighbours. The peer leaves them when this is dropped.
pub(crate) struct Membership {
    neighbours: Neighbours,
    number: u64,
    /// The number of the newest neighbour that this peer was told of.
    told: Option<u64>,
    me: Arc<Neighbour>,
    bound: usize,
    changed: watch::Receiver<()>,
    calls: mpsc::Receiver<Call>,
}

impl Neighbours {
    /// Takes a peer in, and tells all others. `bound` limits the bytes of each of its queues. `calls` limits how many
    /// links to it may be in the making at once.
    pub(crate) fn join(&self, me: Arc<Neighbour>, bound: usize, calls: usize) -> Membership {
        let (call, calls) = mpsc::channel(calls.max(1));
        let mut changed = self.0.changed.subscribe();
        let mut members = self.0.members.lock();
        let number = members.next;
        members.next += 1;
        members.members.insert(number, Member { neighbour: me.clone(), bound, calls: call });
        drop(members);
        self.0.changed.send_replace(());
        // The members that were here before are news to this one.
        changed.mark_changed();
        Membership { neighbours: self.clone(), number, told: None, me, bound, changed, calls }
    }
}

impl fmt::Debug for Neighbours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Neighbours").field(&self.0.members.lock().members.len()).finish()
    }
}

impl Membership {
    /// Waits for what happens. Cancel-safe.
    pub(crate) async fn news(&mut self) -> News {
        let mut calls = Vec::new();
        tokio::select! {
            1.. = self.calls.recv_many(&mut calls, CALLS) => News::Calls(calls),
            // The sender lives as long as the neighbours do.
            _ = self.changed.changed() => News::Changed,
        }
    }

    /// The neighbours that have come since the last call.
    pub(crate) fn newcomers(&mut self) -> Vec<Arc<Neighbour>> {
        let members = self.neighbours.0.members.lock();
        let since = self.told.map_or(0, |told| told + 1);
        self.told = members.next.checked_sub(1);
        let new = members.members.range(since..).map(|(_, member)| &member.neighbour);
        new.filter(|neighbour| neighbour.peer != self.me.peer).cloned().collect()
    }

    /// Whether this peer came first of those that are here.
    pub(crate) fn is_first(&self) -> bool {
        let members = self.neighbours.0.members.lock();
        members.members.first_key_value().is_some_and(|(first, _)| *first == self.number)
    }

    /// Makes a link to a neighbour. Returns this side's end. `None` if the peer is no neighbour, or takes no more
    /// calls.
    pub(crate) fn call(&self, peer: &Key) -> Option<(Arc<Neighbour>, End)> {
        let members = self.neighbours.0.members.lock();
        // If the peer has two starts here, the newer one is called.
        let of_peer = |member: &&Member| member.neighbour.peer == *peer && *peer != self.me.peer;
        let member = members.members.values().rev().find(of_peer)?;
        let (mine, theirs) = (Arc::new(Outgoing::new(self.bound)), Arc::new(Outgoing::new(member.bound)));
        let end = End { mine: Arc::clone(&theirs), theirs: Arc::clone(&mine) };
        member.calls.try_send(Call { from: self.me.clone(), end }).ok()?;
        Some((member.neighbour.clone(), End { mine, theirs }))
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.neighbours.0.members.lock().members.remove(&self.number);
        self.neighbours.0.changed.send_replace(());
    }
}

impl Neighbour {
    /// Where it can be reached from this machine.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let mut address = *self.listen.first()?;
        if address.ip().is_unspecified() {
            address.set_ip(if address.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() });
        }
        Some(address)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        self.mine.gone();
    }
}
