//! The handle.

use bytes::Bytes;

use crate::{BadAddress, Config, Error, Events, Gone, LinkId, Room};

/// A running peer's links. Cheap to clone; when the last clone is dropped, the links say goodbye and close.
#[derive(Clone, Debug)]
pub struct Net(());

impl Net {
    /// Listens, and starts to look for others. Needs a Tokio runtime with time and I/O enabled.
    ///
    /// # Errors
    ///
    /// When an address in [`Config::listen`] cannot be listened on or one of [`Config::peers`] is not an address.
    pub async fn start(_config: Config) -> Result<(Self, Events), Error> {
        Err(Error::Random("not built yet".into()))
    }

    /// Queues a frame. It is taken in any case, and never blocks.
    ///
    /// # Errors
    ///
    /// [`Gone`] when the link is down: its [`Event::Down`](crate::Event::Down) has come or is about to.
    pub fn send(&self, link: LinkId, _frame: Bytes) -> Result<Room, Gone> {
        Err(Gone(link))
    }

    /// Dials an address once; the outcome comes as an event.
    ///
    /// # Errors
    ///
    /// When it is not an address, or too many are being tried.
    pub fn connect(&self, address: &str) -> Result<(), BadAddress> {
        Err(BadAddress::Busy(address.to_owned()))
    }

    /// Closes a link; both users see the reason. [`Event::Down`](crate::Event::Down) follows.
    pub fn close(&self, _link: LinkId, _reason: String) {}

    /// Says goodbye on every link, flushes, and returns when all connections are closed, or after
    /// [`Limits::shutdown`](crate::Limits::shutdown).
    pub async fn shutdown(self) {}
}
