//! The handle to a running peer's links.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use bytes::Bytes;
use parking_lot::RwLock;
use tokio::sync::{mpsc, oneshot};

use crate::{
    BadAddress, Config, DownReason, Error, Events, Gone, LinkId, Room, Status,
    address::{Place, Target, parse},
    driver::Driver,
    frame::Kind,
    greeting::VERSION,
    met::Met,
    outgoing::{Finish, Outgoing},
};

/// How many commands may wait for the driver. It takes them at once, faster than a person types.
const COMMANDS: usize = 64;

/// The queues of the links that are up. Written when a link comes or goes. A read takes one uncontended lock.
pub(crate) type Links = Arc<RwLock<HashMap<LinkId, Arc<Outgoing>>>>;

/// What the handle asks of the driver.
#[derive(Debug)]
pub(crate) enum Command {
    Connect { text: String, place: Place },
    Reach { address: SocketAddr, target: Target },
    Status(oneshot::Sender<Status>),
    Shutdown(oneshot::Sender<()>),
}

/// A running peer's links. Cheap to clone. When the last clone is dropped, the links say goodbye and close.
#[derive(Clone, Debug)]
pub struct Net {
    links: Links,
    met: Met,
    commands: mpsc::Sender<Command>,
    max_frame: usize,
}

impl Net {
    /// Listens, and starts to look for other peers. Needs a Tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    ///
    /// If an address in [`Config::listen`] cannot be listened on, or one of [`Config::peers`] is not an address.
    pub async fn start(config: Config) -> Result<(Self, Events), Error> {
        Self::start_with(config, VERSION)
    }

    /// Starts a peer that speaks `version` of the protocol.
    pub(crate) fn start_with(config: Config, version: u16) -> Result<(Self, Events), Error> {
        let links = Links::default();
        let (commands, orders) = mpsc::channel(COMMANDS);
        let (events, receiver) = mpsc::channel(config.limits.events.max(1));
        let max_frame = config.limits.max_frame;
        let met = Met::new(config.limits.peers);
        let driver = Driver::new(config, version, Arc::clone(&links), met.clone(), orders, events)?;
        tokio::spawn(driver.run());
        Ok((Self { links, met, commands, max_frame }, Events(receiver)))
    }

    /// Queues a frame. This never blocks, and the frame is always taken. A frame that is longer than
    /// [`Limits::max_frame`](crate::Limits::max_frame) closes the link.
    ///
    /// # Errors
    ///
    /// [`Gone`] if the link is down: its [`Event::Down`](crate::Event::Down) has come or is about to.
    pub fn send(&self, link: LinkId, frame: Bytes) -> Result<Room, Gone> {
        let links = self.links.read();
        let outgoing = links.get(&link).ok_or(Gone(link))?;
        if frame.len() > self.max_frame {
            let text = format!("a frame of {} bytes was to be sent; {} is the most", frame.len(), self.max_frame);
            outgoing.finish(Finish::close(text));
        }
        outgoing.push(&frame).ok_or(Gone(link))
    }

    /// Dials an address once. The outcome comes as an event: [`Up`](crate::Event::Up),
    /// [`Refused`](crate::Event::Refused), [`ConnectFailed`](crate::Event::ConnectFailed), or a
    /// [`Warning`](crate::Event::Warning) if a link to the peer that listens there is up already.
    ///
    /// # Errors
    ///
    /// If it is not an address, or too many are being tried.
    pub fn connect(&self, address: &str) -> Result<(), BadAddress> {
        let place = parse(address)?;
        let text = address.to_owned();
        self.commands.try_send(Command::Connect { text, place }).map_err(|_| BadAddress::Busy(address.to_owned()))
    }

    /// Dials an address to learn which peer is there now, whatever links are up. The answer is
    /// [`Reached`](crate::Event::Reached), or [`ConnectFailed`](crate::Event::ConnectFailed) with the address as text
    /// if the dial failed.
    ///
    /// # Errors
    ///
    /// If it cannot be dialled, or too many are being tried.
    pub fn reach(&self, address: SocketAddr) -> Result<(), BadAddress> {
        let text = address.to_string();
        let Place::At(target) = parse(&text)? else { return Err(BadAddress::Syntax(text)) };
        self.commands.try_send(Command::Reach { address, target }).map_err(|_| BadAddress::Busy(text))
    }

    /// Closes a link. Both users see the reason. Frames that still wait on it are dropped.
    /// [`Event::Down`](crate::Event::Down) follows.
    pub fn close(&self, link: LinkId, reason: String) {
        if let Some(outgoing) = self.links.read().get(&link) {
            outgoing.finish(Finish::close(reason));
        }
    }

    /// Closes a link so that it comes up anew, for a peer that itself begins anew. Both users see the reason. Neither
    /// side is to blame, so the link is back within moments. Frames that still wait on it are dropped.
    /// [`Event::Down`](crate::Event::Down) follows.
    pub fn renew(&self, link: LinkId, reason: String) {
        if let Some(outgoing) = self.links.read().get(&link) {
            outgoing.finish(Finish {
                last: Some(Kind::Renew),
                reason: DownReason::Renewed(reason.clone()),
                text: reason,
            });
        }
    }

    /// Notes that this peer has been met, now or by an earlier start. A quarter of the places is reserved for the first
    /// peers that this is called for, so that no number of strangers shuts them out.
    pub fn met(&self, peer: [u8; 32]) {
        self.met.add(peer);
    }

    /// How the links are doing. `None` once the [`Net`] has shut down.
    pub async fn status(&self) -> Option<Status> {
        let (told, status) = oneshot::channel();
        self.commands.send(Command::Status(told)).await.ok()?;
        status.await.ok()
    }

    /// Sends what is queued and says goodbye on every link. Returns when all connections are closed, or after
    /// [`Limits::shutdown`](crate::Limits::shutdown). [`Events`] end once everything that came before is taken.
    pub async fn shutdown(self) {
        let (done, waits) = oneshot::channel();
        if self.commands.send(Command::Shutdown(done)).await.is_ok() {
            // An error means that the driver has stopped, which is all that is wanted.
            let _ = waits.await;
        }
    }
}

impl Finish {
    fn close(text: String) -> Self {
        Self { last: Some(Kind::Close), reason: DownReason::Closed(text.clone()), text }
    }
}
