//! Peers for the tests: on 127.0.0.1, without mDNS.
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one event and leaves the rest")]
#![allow(dead_code, reason = "each test file uses a part")]
#![allow(clippy::unwrap_used, reason = "it is a test that fails then")]

use std::{
    collections::{BTreeMap, VecDeque},
    net::SocketAddr,
    time::Duration,
};

use bytes::Bytes;
use net::{Config, DownReason, Event, Events, LinkId, Net};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::timeout,
};

/// Long enough for anything that is to happen on a busy machine. What takes longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn config(seed: u8) -> Config {
    let mut config = Config::new([seed; 32]);
    config.listen = vec!["127.0.0.1:0".parse().unwrap()];
    config.mdns = false;
    config
}

/// A peer, its links, and the events that no test has asked for yet.
pub(crate) struct Peer {
    pub(crate) net: Net,
    pub(crate) events: Events,
    /// The events that came before it listened: neighbours are quick.
    pub(crate) early: VecDeque<Event>,
    pub(crate) address: SocketAddr,
    pub(crate) links: BTreeMap<LinkId, [u8; 32]>,
    pub(crate) ups: usize,
    pub(crate) downs: usize,
    pub(crate) frames: VecDeque<(LinkId, Bytes)>,
    pub(crate) warnings: VecDeque<String>,
    pub(crate) superseded: usize,
}

impl Peer {
    pub(crate) async fn start(seed: u8) -> Self {
        Self::with(config(seed)).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let (net, mut events) = Net::start(config).await.unwrap();
        let (mut warnings, mut early) = (VecDeque::new(), VecDeque::new());
        let address = loop {
            match timeout(PATIENCE, events.recv()).await.unwrap() {
                Some(Event::Listening { address }) => break address,
                Some(Event::Warning { text }) => warnings.push_back(text),
                Some(Event::Problem { problem }) => warnings.push_back(problem.to_string()),
                Some(other) => early.push_back(other),
                None => panic!("it ended before it listened"),
            }
        };
        let (links, frames) = (BTreeMap::new(), VecDeque::new());
        Self { net, events, early, address, links, ups: 0, downs: 0, frames, warnings, superseded: 0 }
    }

    /// Waits for the first event that `pick` takes. Keeps track of links and frames on the way.
    pub(crate) async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(&Event) -> Option<T>) -> T {
        let waits = async {
            loop {
                let event = self.next().await.expect("the net runs");
                let picked = pick(&event);
                self.note(event);
                if let Some(picked) = picked {
                    return picked;
                }
            }
        };
        timeout(PATIENCE, waits).await.unwrap_or_else(|_| panic!("no {what}"))
    }

    async fn next(&mut self) -> Option<Event> {
        match self.early.pop_front() {
            Some(early) => Some(early),
            None => self.events.recv().await,
        }
    }

    pub(crate) fn note(&mut self, event: Event) {
        match event {
            Event::Up { link, peer, .. } => {
                assert!(!self.links.values().any(|other| *other == peer), "two links to one peer");
                assert!(self.links.insert(link, peer).is_none());
                self.ups += 1;
            }
            Event::Down { link, peer, .. } => {
                assert_eq!(self.links.remove(&link), Some(peer), "down without up");
                self.downs += 1;
            }
            Event::Frames { link, frames } => {
                assert!(self.links.contains_key(&link), "frames outside of up and down");
                self.frames.extend(frames.map(|frame| (link, frame)));
            }
            Event::Warning { text } => self.warnings.push_back(text),
            Event::Problem { problem } => self.warnings.push_back(problem.to_string()),
            Event::Superseded => self.superseded += 1,
            _ => {}
        }
    }

    pub(crate) async fn up(&mut self) -> LinkId {
        self.wait("link up", |event| match event {
            Event::Up { link, .. } => Some(*link),
            _ => None,
        })
        .await
    }

    pub(crate) async fn down(&mut self) -> DownReason {
        self.wait("link down", |event| match event {
            Event::Down { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn superseded(&mut self) {
        self.wait("news of a newer start", |event| matches!(event, Event::Superseded).then_some(())).await;
    }

    pub(crate) async fn failed(&mut self) -> (String, String) {
        self.wait("failure to connect", |event| match event {
            Event::ConnectFailed { address, reason } => Some((address.clone(), reason.clone())),
            _ => None,
        })
        .await
    }

    pub(crate) async fn refused(&mut self) -> String {
        self.wait("refusal", |event| match event {
            Event::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    pub(crate) async fn warning(&mut self) -> String {
        while self.warnings.is_empty() {
            self.wait("warning", |event| matches!(event, Event::Warning { .. } | Event::Problem { .. }).then_some(()))
                .await;
        }
        self.warnings.pop_front().unwrap()
    }

    pub(crate) async fn frame(&mut self) -> (LinkId, Bytes) {
        while self.frames.is_empty() {
            self.wait("frame", |event| matches!(event, Event::Frames { .. }).then_some(())).await;
        }
        self.frames.pop_front().unwrap()
    }

    pub(crate) fn connect(&self, to: &Peer) {
        self.net.connect(&to.address.to_string()).unwrap();
    }

    /// Takes what comes for a while.
    pub(crate) async fn settle(&mut self, time: Duration) {
        let waits = async {
            while let Some(event) = self.next().await {
                self.note(event);
            }
        };
        let _ = timeout(time, waits).await;
    }
}

/// Two peers with a link.
pub(crate) async fn pair() -> (Peer, LinkId, Peer, LinkId) {
    let mut alice = Peer::start(1).await;
    let mut bob = Peer::start(2).await;
    alice.connect(&bob);
    let (to_bob, to_alice) = tokio::join!(alice.up(), bob.up());
    (alice, to_bob, bob, to_alice)
}

/// A TCP relay that can be cut, or made to swallow everything.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    state: watch::Sender<Relay>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Relay {
    Open,
    Holding,
    /// All connections made up to this many cuts ago are closed.
    Cut(u64),
}

impl Proxy {
    pub(crate) async fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, seen) = watch::channel(Relay::Open);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let Ok(far) = TcpStream::connect(target).await else { continue };
                let mut seen = seen.clone();
                seen.mark_unchanged();
                tokio::spawn(relay(near, far, seen));
            }
        });
        Self { address, state }
    }

    /// Closes every connection. New ones are let through.
    pub(crate) fn cut(&self) {
        self.state.send_modify(|state| {
            *state = match *state {
                Relay::Cut(n) => Relay::Cut(n + 1),
                Relay::Open | Relay::Holding => Relay::Cut(0),
            }
        });
    }

    /// From now on nothing gets through, and neither side is told.
    pub(crate) fn hold(&self) {
        self.state.send_replace(Relay::Holding);
    }
}

async fn relay(mut near: TcpStream, mut far: TcpStream, mut state: watch::Receiver<Relay>) {
    let change = async {
        // The proxy is gone at the end of a test.
        while state.changed().await.is_ok() {
            match *state.borrow_and_update() {
                Relay::Open => {}
                Relay::Holding => return true,
                Relay::Cut(_) => return false,
            }
        }
        false
    };
    let holds = tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => false,
        holds = change => holds,
    };
    if holds {
        // Both sockets stay open and unread.
        std::future::pending::<()>().await;
    }
}
